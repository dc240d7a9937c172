import type { Deadline } from "../../shared/base/deadline.ts";
import { second } from "../../shared/base/duration.ts";
import type { Deps } from "../../shared/deps.ts";
import { hasContainers, type Job } from "../../shared/job/job.ts";
import type { ObservedGroup } from "../../shared/job/observation.ts";
import type { Stored } from "../../shared/store/jobs.ts";
import { captureRunning, type LogReads } from "./capture.ts";

/**
 * The logs of what runs are read while it runs: ACI keeps only their tail once it has ended. A container that writes much is read more
 * often than its group is observed, so between two observations a job may be requeued for its logs alone.
 */

/** An observation that is due so soon is not worth a look at the logs alone. */
const almost = second;

/** The job with what was read of its logs now, and when it is to be requeued: for its observation then, or for logs before. */
export interface Watched {
  readonly job: Job;
  readonly until: number;
}

/** Reads the logs that are due, right after the group was observed. */
export async function watchLogs(
  deps: Deps,
  job: Job,
  observed: ObservedGroup,
  until: number,
  deadline: Deadline,
): Promise<Watched> {
  const { phase } = job;
  if (!hasContainers(phase) || phase.ending) return { job, until };
  const logs = await captureRunning(deps, job, observed, deadline);
  const watched: Job = { ...job, phase: { ...phase, logs, observeAt: until } };
  return { job: watched, until: nextRead(logs, until, deps.settings) };
}

/**
 * A requeue that is for logs alone.
 *
 * @returns false when it is not, or when somebody else changed the job meanwhile: then it is to be reconciled as ever
 */
export async function readLogsAlone(deps: Deps, stored: Stored, deadline: Deadline): Promise<boolean> {
  const { job } = stored;
  const { phase, cancel, claimUntil } = job;
  if (!hasContainers(phase) || phase.ending || cancel || claimUntil !== undefined) return false;
  const { observeAt } = phase;
  if (observeAt === undefined || deps.now() + almost >= observeAt) return false;
  const logs = await captureRunning(deps, job, undefined, deadline);
  const now = deps.now();
  const read: Job = { ...job, phase: { ...phase, logs } };
  const lookAt = Math.max(now + 1, nextRead(logs, observeAt, deps.settings));
  if ((await deps.jobs.save(stored, { ...read, lookAt })) === "conflict") return false;
  await deps.queues.requeue(job.id, lookAt, lookAt - now);
  return true;
}

/** When the next log must be read, unless the next observation comes before, or so soon after that it can wait for it. */
function nextRead(logs: LogReads, observeAt: number, { logInterval }: Deps["settings"]): number {
  const urgent = Object.values(logs).filter(({ at, due }) => {
    const pause = due - at;
    return pause < logInterval && due < observeAt - pause / 4;
  });
  return Math.min(observeAt, ...urgent.map(({ due }) => due));
}
