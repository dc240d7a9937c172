import { endingOf, hasEnded, type Job } from "../../shared/job/job.ts";

/** Whether the index's copy of the job would look different. */
export function shownDiffers(a: Job, b: Job): boolean {
  const waiting = (job: Job): string | undefined =>
    job.phase.state === "Queued" ? job.phase.waiting?.reason : undefined;
  const gone = (job: Job): boolean => hasEnded(job.phase) && job.phase.group === "gone";
  return (
    a.phase.state !== b.phase.state ||
    a.attempt !== b.attempt ||
    waiting(a) !== waiting(b) ||
    gone(a) !== gone(b) ||
    endingOf(a.phase)?.verdict.reason !== endingOf(b.phase)?.verdict.reason
  );
}
