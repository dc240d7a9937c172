import type { AttemptResult } from "./attempts.ts";
import { hasEnded, type Job } from "../job/job.ts";

/**
 * An attempt's containers were captured before their group was deleted, so that one that was stopped with it is stored as running.
 * Once nothing runs in the group it is reported as ended with its attempt. Its exit code is unknown, unless it had been restarted: then its end before that is reported.
 */
export function withStopped(job: Job, result: AttemptResult): AttemptResult {
  const { phase } = job;
  const over = result.attempt < job.attempt || (hasEnded(phase) && phase.group !== "present");
  const end = job.attempts.find(({ number }) => number === result.attempt);
  if (!over || end === undefined) return result;
  const containers = result.containers.map((container) => {
    const { state, restartCount, finishTime = end.finishedAt } = container;
    if (state !== "Running" && (state !== "Waiting" || restartCount === 0)) return container;
    return { ...container, state: "Terminated", detailStatus: `Stopped: ${end.verdict.reason}`, finishTime };
  });
  return { ...result, containers };
}
