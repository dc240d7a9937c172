import { day } from "../base/duration.ts";
import { Unreadable } from "../base/errors.ts";
import type { JobId } from "../base/ids.ts";
import { hasEnded, type Job } from "../job/job.ts";
import { keptOf } from "../store/array-results.ts";
import type { JobStore, Stored } from "../store/jobs.ts";
import type { Queues } from "../store/queues.ts";

interface CancelDeps {
  readonly jobs: JobStore;
  readonly queues: Queues;
  readonly now: () => number;
}

/** Whether a cancel has anything to add: the job has not ended, and nobody canceled it before. */
export function mayBeCanceled({ phase, cancel: canceled }: Job): boolean {
  return !hasEnded(phase) && canceled === undefined;
}

/**
 * A cancel is an intent that stands in the row and survives any crash; the machine carries it out. No finished group of the job stays,
 * whatever its option `keep` says. May be repeated.
 *
 * @param may whether a job may be canceled so; another stays as it is
 * @returns the job, or `undefined` when it is not known
 */
export async function cancel(
  deps: CancelDeps,
  id: JobId,
  by: string | undefined,
  may: (job: Job) => boolean = () => true,
): Promise<Stored | undefined> {
  const action = { needed: false };
  const stored = await deps.jobs.change(id, (job) => {
    if (!may(job)) return undefined;
    if (hasEnded(job.phase)) {
      action.needed = job.phase.group !== "gone" && !job.yield;
      return action.needed ? { job: { ...job, yield: true } } : undefined;
    }
    action.needed = true;
    if (job.cancel && job.yield) return undefined;
    const asked = { at: deps.now(), reason: "CanceledByCaller", ...(by === undefined ? {} : { by }) } as const;
    return { job: { ...job, yield: true, cancel: job.cancel ?? asked } };
  });
  if (stored && action.needed) await deps.queues.requeue(id, undefined, 0);
  // Of an array that has not ended they go as it ends.
  if (stored?.job.array && hasEnded(stored.job.phase) && may(stored.job)) await dropKept(deps, stored.job);
  return stored;
}

/** The finished groups of an array's children that stay go now. */
export async function dropKept({ jobs, queues }: Pick<CancelDeps, "jobs" | "queues">, array: Job): Promise<void> {
  for (const id of await keptOf(jobs, array)) {
    try {
      await jobs.change(id, (child) => (child.yield ? undefined : { job: { ...child, yield: true } }));
    } catch (error) {
      // One that can't be read harms itself alone.
      if (!(error instanceof Unreadable)) throw error;
    }
    await queues.requeue(id, undefined, 0);
  }
}

/** A cancel from the queue may come before its job: then it is kept, and found when the job is about to begin. */
export async function cancelOrKeep(deps: CancelDeps, id: JobId, may: (job: Job) => boolean): Promise<void> {
  if (await cancel(deps, id, undefined, may)) return;
  await deps.jobs.index.keepCancel(id, deps.now());
  // It may have come while the cancel was written.
  await cancel(deps, id, undefined, may);
}

/** How long a cancel waits for its job: longer than a message lives by default. */
export const cancelKept = 30 * day;
