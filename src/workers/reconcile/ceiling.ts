import { Unreadable } from "../../shared/base/errors.ts";
import { childIn, type JobId } from "../../shared/base/ids.ts";
import type { Deps } from "../../shared/deps.ts";
import { hasEnded, type Job } from "../../shared/job/job.ts";
import { groupNameOfArray } from "../../shared/job/child-group.ts";
import { queueTimeOf } from "../../shared/job/slot.ts";
import { isCeilingQueue } from "../../shared/limits/ceilings.ts";
import { checkDelay } from "../../shared/store/requeue.ts";

/** Posted jobs that wait because `MAX_ACTIVE_JOBS` or `MAX_ACTIVE_PER_NAME` is reached: a job that ends requeues the next, and so does the sweep. */

type CeilingDeps = Pick<Deps, "ceilings" | "jobs" | "queues" | "now">;

/** How many one call requeues; the sweep goes on. */
const maxCalled = 100;
/** Children of arrays may go where others may not: as many try it at once. */
const maxChildren = 5;

/** @returns the queue in which a job still waits, or `undefined` when it may go on */
export async function enterCeiling({ ceilings }: Pick<Deps, "ceilings">, job: Job): Promise<string | undefined> {
  if (!isCeilingQueue(job.line)) return undefined;
  const { name, id, createdAt, groupName, options, line } = job;
  const turn = queueTimeOf(createdAt, options.priority);
  return ceilings.enter({ name, id, turn, groupName, ofArray: groupNameOfArray(job) }, line);
}

export function withoutCeiling(job: Job): Job {
  if (!isCeilingQueue(job.line)) return job;
  const { line: _left, ...rest } = job;
  return rest;
}

/** A job ended: there is capacity for another one. */
export async function ceilingFreed(deps: CeilingDeps, { name }: Job): Promise<void> {
  if (!deps.ceilings.areSet) return;
  for (const queue of deps.ceilings.queuesOf(name)) await requeueCeiling(deps, queue, 1);
}

/** Requeues as many jobs of a queue as the ceiling allows, in their order. Each leaves the queue when it is let in. */
export async function requeueCeiling(deps: CeilingDeps, queue: string, max = maxCalled): Promise<void> {
  const { jobs, ceilings } = deps;
  // What can't go on is passed over, so that it stops nobody behind it.
  const entries = await jobs.index.entries(queue, maxCalled);
  if (entries.length === 0) return;
  let capacity = Math.min(max, await ceilings.capacityIn(queue));
  let children = Math.min(max, maxChildren);
  for (const { id, turn } of entries) {
    if (capacity <= 0 && (childIn(id) === undefined || children-- <= 0)) continue;
    const found = await stateOf(deps, id);
    if (found === "done") await jobs.index.dequeue(queue, id, turn);
    if (found !== "waits") continue;
    await jobs.index.checkBy(id, deps.now() + checkDelay);
    await deps.queues.requeue(id, undefined, 0);
    capacity--;
  }
}

/** It has ended, or was let in long ago. */
const isPast = ({ phase, firstCreateAt }: Job): boolean => hasEnded(phase) || firstCreateAt !== undefined;

/** A reservation whose row is not written yet waits for that; the sweep gives back one whose row never comes. */
async function stateOf({ jobs }: CeilingDeps, id: JobId): Promise<"waits" | "done" | "no row"> {
  try {
    const stored = await jobs.peek(id);
    if (stored !== undefined) return isPast(stored.job) ? "done" : "waits";
    return (await jobs.index.has(id)) ? "no row" : "done";
  } catch (error) {
    if (error instanceof Unreadable) return "done";
    throw error;
  }
}
