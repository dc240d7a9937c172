/**
 * The api versions of Microsoft.ContainerInstance/containerGroups, oldest first: those of the published specification
 * (Azure/azure-rest-api-specs, as Bicep's types 0.2.972 have them), and two that have no specification but are in use: 2018-07-01, which
 * the provider itself lists (azure-rest-api-specs issue 11634), and 2022-04-01-preview.
 */
export const apiVersions = [
  "2017-08-01-preview",
  "2017-10-01-preview",
  "2017-12-01-preview",
  "2018-02-01-preview",
  "2018-04-01",
  "2018-06-01",
  "2018-07-01",
  "2018-09-01",
  "2018-10-01",
  "2019-12-01",
  "2020-11-01",
  "2021-03-01",
  "2021-07-01",
  "2021-09-01",
  "2021-10-01",
  "2022-04-01-preview",
  "2022-09-01",
  "2022-10-01-preview",
  "2023-02-01-preview",
  "2023-05-01",
  "2024-05-01-preview",
  "2024-09-01-preview",
  "2024-10-01-preview",
  "2024-11-01-preview",
  "2025-09-01",
  "2026-06-01-preview",
  "2026-07-01",
  "2026-08-01-preview",
  "2026-09-01-preview",
] as const;

export type ApiVersion = (typeof apiVersions)[number];

export const newest = "2026-09-01-preview" satisfies ApiVersion;

const form = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:-preview)?$/;

/** What is known of an `apiVersion` as written. ARM compares it without regard to case. */
export function standingOf(written: string): { readonly known: ApiVersion } | "newer" | "never published" {
  const version = written.toLowerCase();
  const known = apiVersions.find((candidate) => candidate === version);
  if (known !== undefined) return { known };
  return form.test(version) && version > newest ? "newer" : "never published";
}

/** In which api versions a property exists. */
export interface Span {
  readonly since?: ApiVersion;
  /** The last one that has it. */
  readonly until?: ApiVersion;
  /** Previews in between that lack it. */
  readonly notIn?: readonly ApiVersion[];
}

export function spans({ since, until, notIn }: Span, version: ApiVersion): boolean {
  const at = apiVersions.indexOf(version);
  if (since !== undefined && at < apiVersions.indexOf(since)) return false;
  if (until !== undefined && at > apiVersions.indexOf(until)) return false;
  return notIn?.includes(version) !== true;
}

/** The oldest version that has the property, a stable one where there is any: what to advise. */
export function firstOf(span: Span): ApiVersion | undefined {
  const having = apiVersions.filter((version) => spans(span, version));
  return having.find((version) => !version.endsWith("-preview")) ?? having[0];
}
