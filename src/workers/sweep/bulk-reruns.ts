import type { Deps } from "../../shared/deps.ts";
import { rerunSelected } from "../../shared/intake/rerun-selected.ts";
import type { RunEnd } from "../../shared/store/periodic-runs.ts";

/** Finishes reruns of many jobs that a call could not finish, and forgets those that are over. */
export async function continueReruns(deps: Deps, until: number): Promise<RunEnd> {
  const now = deps.now();
  await deps.reruns.dropOld(now);
  for (const work of await deps.reruns.open()) {
    if (work.callUntil > now) continue;
    const { selection, by, progress: from } = work;
    const keep = (progress: typeof from): Promise<void> => deps.reruns.save({ ...work, progress });
    const { progress, finished } = await rerunSelected(deps, selection, { by, until, dryRun: false, from, keep });
    deps.log("info", "rerun of many goes on", { rerun: progress.rerun, finished });
    await deps.reruns.save({ ...work, progress, finishedAt: finished ? deps.now() : undefined });
    if (!finished) return { kind: "unfinished", cursor: undefined };
  }
  return { kind: "completed", cursor: undefined };
}
