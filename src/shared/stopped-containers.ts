import type { AttemptResult } from "./attempts.ts";
import { hasEnded, type Job } from "./job.ts";

/**
 * An attempt's containers were captured before their group was deleted, so that one that was stopped with it is stored as running.
 * Once nothing runs in the group it is told as what it is then: ended with its attempt. How it exited nobody saw.
 */
export function withStopped(job: Job, result: AttemptResult): AttemptResult {
  const { phase } = job;
  const over = result.attempt < job.attempt || (hasEnded(phase) && phase.group !== "present");
  const end = job.attempts.find(({ number }) => number === result.attempt);
  if (!over || end === undefined) return result;
  const containers = result.containers.map((container) => {
    if (container.state !== "Running") return container;
    const { exitCode: _unknown, ...known } = container;
    const detailStatus = `Stopped: ${end.verdict.reason}`;
    return { ...known, state: "Terminated", detailStatus, finishTime: end.finishedAt };
  });
  return { ...result, containers };
}
