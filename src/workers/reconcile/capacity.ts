import type { Deps } from "../../shared/deps.ts";
import type { Job, JobTarget } from "../../shared/job/job.ts";
import { requeue } from "../../shared/store/requeue.ts";
import type { RunEnd } from "../../shared/store/periodic-runs.ts";
import { scopeOf } from "../../shared/limits/placement.ts";
import { isCeilingQueue } from "../../shared/limits/ceilings.ts";
import { requeueCeiling } from "./ceiling.ts";
import { createQueue, capacityQueue } from "./admit.ts";

/** Whoever frees capacity requeues the oldest job that waits for it: a job whose group is gone, and the sweep. */

/** A group is gone: its region has capacity for one more. */
export async function capacityFreed(deps: Deps, job: Job): Promise<void> {
  // Done at each attempt's end already, unless whoever saved that end died right after.
  await deps.daily.settle(job);
  if (job.placed === undefined) return;
  const exclusion = (await deps.placement.exclusions(deps.now())).get(scopeOf(job.placed));
  if (exclusion?.reason !== "QuotaReached") return;
  await deps.placement.lift(job.placed);
  await requeueFrom(deps, capacityQueue(job.placed), 1);
}

/** An attempt that ended counts with the time that it took; one whose group was never created does not count. */
export async function countAttempt({ daily }: Pick<Deps, "daily">, before: Job, after: Job): Promise<void> {
  if (after.attempts.length > before.attempts.length) return daily.settle(after);
  if (before.phase.state === "Provisioning" && after.phase.state === "Queued") return daily.cancel(before);
}

/** How many of those that wait for a region's quota or capacity try it at once. */
const probes = 5;

/** Requeues as many as there is capacity for by now, oldest first. */
export async function requeueWaiting(deps: Deps, until: number): Promise<RunEnd> {
  if (!(await deps.ceilings.recount(until))) return { kind: "unfinished", cursor: undefined };
  const queues = await deps.jobs.index.waitQueues();
  if (queues.size === 0) return { kind: "completed", cursor: undefined };
  const now = deps.now();
  const exclusions = await deps.placement.exclusions(now);
  for (const queue of queues.keys()) {
    if (deps.now() >= until) return { kind: "unfinished", cursor: undefined };
    if (isCeilingQueue(queue)) await requeueCeiling(deps, queue);
    const placed = targetIn(queue);
    if (placed && queue === createQueue(placed)) await requeueFrom(deps, queue, await deps.budget.creates(placed, now));
    else if (placed && queue === capacityQueue(placed) && !exclusions.has(scopeOf(placed)))
      await requeueFrom(deps, queue, probes);
  }
  return { kind: "completed", cursor: undefined };
}

async function requeueFrom(deps: Deps, queue: string, max: number): Promise<void> {
  for (const id of await deps.jobs.index.takeOldest(queue, max)) await requeue(deps, id);
}

/** The region in a wait queue's name; its resource group does not matter to a limit. */
function targetIn(queue: string): JobTarget | undefined {
  const match = /^~(?:create|room)-([0-9a-f-]{36})-([a-z0-9]+)$/.exec(queue);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { subscriptionId: match[1], resourceGroup: "", location: match[2] };
}
