import type { Job } from "../job/job.ts";
import type { Capacity } from "../limits/ceilings.ts";

/** A job as it is accepted where the ceilings have capacity for it, and where it has to wait. */
export function withCapacity(job: Job, room: Capacity, now: number): Job {
  return room.kind === "full" ? inQueue(job, room.queue, now) : job;
}

export function inQueue(job: Job, line: string, now: number): Job {
  return { ...job, line, phase: { state: "Queued", refusals: 0, waiting: { reason: "TooManyJobs", since: now } } };
}
