import { deleteRefusedOf, stoppingOf, waitingOf } from "../../shared/job/describe.ts";
import { hasEnded, type Job } from "../../shared/job/job.ts";

/** Whether the index's copy of the job would look different. */
export function shownDiffers(a: Job, b: Job): boolean {
  const waiting = (job: Job): string | undefined => {
    const waits = job.phase.state === "Queued" ? job.phase.waiting : job.array?.waiting;
    const { reason, expectedStartAt = "" } = waits ?? {};
    return `${reason} ${expectedStartAt}`;
  };
  // What a group's events say of its start is not copied: they change with every observation.
  const unseen = (job: Job): string | undefined =>
    job.unseen !== undefined && waitingOf(job) === job.unseen ? job.unseen.reason : undefined;
  const gone = (job: Job): boolean => hasEnded(job.phase) && job.phase.group === "gone";
  return (
    a.phase.state !== b.phase.state ||
    a.attempt !== b.attempt ||
    waiting(a) !== waiting(b) ||
    gone(a) !== gone(b) ||
    stoppingOf(a)?.reason !== stoppingOf(b)?.reason ||
    deleteRefusedOf(a) !== deleteRefusedOf(b) ||
    unseen(a) !== unseen(b)
  );
}
