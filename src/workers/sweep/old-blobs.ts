import { day } from "../../shared/base/duration.ts";
import { inParallel } from "../../shared/base/in-parallel.ts";
import { parseJobId, type JobId } from "../../shared/base/ids.ts";
import { errorFields } from "../../shared/base/log.ts";
import type { Deps } from "../../shared/deps.ts";
import { parcelPrefix } from "../../shared/store/blobs.ts";
import { keyOfMinted, type JobKey } from "../../shared/store/job-row.ts";
import type { OldBlob } from "../../shared/store/old-blobs.ts";

/**
 * Blobs that no row leads to: the sealed definition of a submission that was refused, or attached to another job, after its blob was
 * written; and posters' definitions that were read, once a sealed definition would have gone too.
 */
export type OldBlobsDeps = Pick<Deps, "now" | "log" | "oldRows" | "oldBlobs"> & {
  readonly settings: Pick<Deps["settings"], "definitionRetention">;
  readonly jobs: Pick<Deps["jobs"], "mustFindAll"> & { readonly index: Pick<Deps["jobs"]["index"], "keyOfForeign"> };
};

/** A submission writes its blob before its row, and a message may come again for a while. */
const grace = day;
const width = 16;

/** @returns where to go on, when the time was up first */
export async function sweepOldBlobs(
  deps: OldBlobsDeps,
  until: number,
  from: string | undefined,
): Promise<{ readonly next: string } | undefined> {
  const [kind, token] = from === undefined ? ["sealed", ""] : splitOnce(from);
  if (kind !== "definitions") {
    const next = await sweepContainer(deps, "sealed", until, token, isForsaken);
    if (next !== undefined) return { next };
  }
  const next = await sweepContainer(deps, "definitions", until, kind === "definitions" ? token : "", isDoneWith);
  return next === undefined ? undefined : { next };
}

function splitOnce(text: string): readonly [string, string] {
  const at = text.indexOf(" ");
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

async function sweepContainer(
  deps: OldBlobsDeps,
  kind: "sealed" | "definitions",
  until: number,
  token: string,
  mayGo: (deps: OldBlobsDeps, blob: OldBlob) => Promise<boolean> | boolean,
): Promise<string | undefined> {
  let dropped = 0;
  const drop = async (blob: OldBlob): Promise<void> => {
    if (!(await mayGo(deps, blob))) return;
    await deps.oldBlobs.drop(kind, blob);
    dropped++;
  };
  // A blob's name may be its poster's secret.
  const failed = (_: OldBlob, error: unknown): void =>
    deps.log("warn", "retention skipped a blob", { kind, ...errorFields(error) });
  let from = token === "" ? undefined : token;
  do {
    if (deps.now() >= until) return `${kind} ${from ?? ""}`;
    const { blobs, next } = await deps.oldBlobs.page(kind, from);
    await inParallel(blobs, drop, { width, until: Infinity, now: deps.now, failed });
    from = next;
  } while (from !== undefined);
  if (dropped > 0) deps.log("info", "retention removed blobs", { kind, dropped });
  return undefined;
}

async function isForsaken(
  { now, oldRows, jobs }: OldBlobsDeps,
  { name, modifiedAt, bytes }: OldBlob,
): Promise<boolean> {
  if (now() < modifiedAt + grace) return false;
  // A message that is sent again; an empty one was dealt with.
  if (name.startsWith(parcelPrefix)) return bytes === 0;
  const id = parseJobId(name);
  const key = id && (await keyOf(jobs, id));
  return key === undefined || (await oldRows.hasDefinition(key)) !== true;
}

/** @throws Unavailable while the index is lost, which alone leads from a poster's id to its job */
async function keyOf(jobs: OldBlobsDeps["jobs"], id: JobId): Promise<JobKey | undefined> {
  const key = keyOfMinted(id) ?? (await jobs.index.keyOfForeign(id));
  if (key === undefined) await jobs.mustFindAll();
  return key;
}

function isDoneWith({ now, settings }: OldBlobsDeps, { readAt }: OldBlob): boolean {
  return readAt !== undefined && now() >= readAt + Math.max(settings.definitionRetention, grace);
}
