import type { Deps } from "../../shared/deps.ts";
import { cancelSelected } from "../../shared/intake/cancel-selected.ts";
import type { RunEnd } from "../../shared/store/periodic-runs.ts";

/** Finishes cancels of many jobs that a call could not finish. */
export async function continueCancels(deps: Deps, until: number): Promise<RunEnd> {
  const now = deps.now();
  const works = (await deps.bulk.all()).filter(({ callUntil }) => callUntil <= now);
  for (const { key, selection, by } of works) {
    const { ids, finished } = await cancelSelected(deps, selection, { by, until, dryRun: false });
    deps.log("info", "cancel of many goes on", { canceled: ids.length, finished });
    if (!finished) return { kind: "unfinished", cursor: undefined };
    await deps.bulk.drop(key);
  }
  return { kind: "completed", cursor: undefined };
}
