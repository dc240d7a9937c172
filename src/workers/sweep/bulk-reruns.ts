import type { Deps } from "../../shared/deps.ts";
import { rerunSelected } from "../../shared/intake/rerun-selected.ts";
import { keptTime } from "../../shared/store/bulk-reruns.ts";
import type { RunEnd } from "../../shared/store/periodic-runs.ts";

/** Finishes reruns of many jobs that a call could not finish, and forgets those that are over. */
export async function continueReruns(deps: Deps, until: number): Promise<RunEnd> {
  const now = deps.now();
  for (const work of await deps.reruns.all()) {
    const { key, selection, by, progress: from, callUntil, finishedAt } = work;
    if (finishedAt !== undefined && now - finishedAt > keptTime) await deps.reruns.drop(key);
    if (finishedAt !== undefined || callUntil > now) continue;
    const keep = (progress: typeof from): Promise<void> => deps.reruns.save({ ...work, progress });
    const { progress, finished } = await rerunSelected(deps, selection, { by, until, dryRun: false, from, keep });
    deps.log("info", "rerun of many goes on", { rerun: progress.rerun, finished });
    await deps.reruns.save({ ...work, progress, finishedAt: finished ? deps.now() : undefined });
    if (!finished) return { kind: "unfinished", cursor: undefined };
  }
  return { kind: "completed", cursor: undefined };
}
