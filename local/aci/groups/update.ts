import type { Definition } from "../definition/definition.ts";

/** "Update containers in Azure Container Instances": what a PUT on a group that still runs may and may not change. */
export type Update = "nothing" | "allowed" | "refused";

export function compare(present: Definition, wanted: Definition): Update {
  if (fixedPart(present) !== fixedPart(wanted)) return "refused";
  const same = stable([present.properties, present.identity]) === stable([wanted.properties, wanted.identity]);
  return same ? "nothing" : "allowed";
}

/** What only a deletion and a new creation can change. */
const fixedPart = ({ properties }: Definition): string =>
  stable({
    osType: properties?.osType,
    restartPolicy: properties?.restartPolicy ?? "Always",
    networkProfile: properties?.networkProfile,
    subnetIds: properties?.subnetIds,
    resources: (properties?.containers ?? []).map(({ name, properties: inner }) => [name, inner?.resources]),
  });

/** JSON that does not depend on the order of members. */
const stable = (value: unknown): string =>
  JSON.stringify(value ?? null, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
