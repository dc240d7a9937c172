import { inParallel } from "../../shared/base/in-parallel.ts";
import { Unreadable } from "../../shared/base/errors.ts";
import { parseJobId } from "../../shared/base/ids.ts";
import type { Deps } from "../../shared/deps.ts";
import type { RunEnd } from "../../shared/store/periodic-runs.ts";

/** Rows that were found unreadable are read again: those that can be by now, or are gone, count no more. */
const maxRows = 1000;
const width = 8;

export async function recheckUnreadable(deps: Deps, until: number): Promise<RunEnd> {
  let left = 0;
  const recheck = async ({ id }: { readonly id: string }): Promise<void> => {
    if (await isUnreadable(deps, id)) left++;
    else await deps.unreadable.forget(id);
  };
  const failed = (): void => {
    left++;
  };
  const rows = await deps.unreadable.list(maxRows);
  const reached = await inParallel(rows, recheck, { width, until, now: deps.now, failed });
  if (left > 0) deps.log("error", "jobs can't be read", { count: left });
  return { kind: reached === "all" ? "completed" : "unfinished", cursor: undefined };
}

async function isUnreadable({ jobs }: Deps, text: string): Promise<boolean> {
  const id = parseJobId(text);
  if (id === undefined) return false;
  try {
    return (await jobs.find(id))?.job.phase.state === "Unknown";
  } catch (error) {
    if (error instanceof Unreadable) return true;
    throw error;
  }
}
