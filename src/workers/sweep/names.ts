import { Unreadable } from "../../shared/base/errors.ts";
import type { JobId } from "../../shared/base/ids.ts";
import type { Deps } from "../../shared/deps.ts";
import { hasEnded } from "../../shared/job/job.ts";
import type { RunEnd } from "../../shared/store/periodic-runs.ts";
import { requeue } from "../../shared/store/requeue.ts";

type NameDeps = Pick<Deps, "jobs" | "queues" | "now" | "log">;

/**
 * Names of jobs that are done with, and their places in the lines of names, go to the next: a host may have died as it moved a job that
 * ended meanwhile.
 */
export async function checkNames(deps: NameDeps, until: number): Promise<RunEnd> {
  const { jobs, now, log } = deps;
  const end = (kind: "completed" | "unfinished"): RunEnd => ({ kind, cursor: undefined });
  if (!(await jobs.hasIndex())) return end("completed");
  const known = new Set<JobId>();
  for await (const { id } of jobs.index.watched()) known.add(id);
  for await (const { id, name, turn } of jobs.index.namings()) {
    if (known.has(id) || !(await isOver(deps, id))) continue;
    if (now() >= until) return end("unfinished");
    log("warn", "name repaired", { job: id, name });
    if (turn !== undefined) await jobs.index.dequeue(name, id, turn);
    else {
      const next = await jobs.index.handOver(name, id);
      if (next !== undefined) await requeue(deps, next);
    }
  }
  return end("completed");
}

/** One that came meanwhile, or can't be read, keeps what it has. */
async function isOver({ jobs }: NameDeps, id: JobId): Promise<boolean> {
  try {
    const stored = await jobs.peek(id);
    if (stored !== undefined) return hasEnded(stored.job.phase) && stored.job.phase.tidy;
    return !(await jobs.index.has(id));
  } catch (error) {
    if (error instanceof Unreadable) return false;
    throw error;
  }
}
