import { Unreadable } from "../../shared/base/errors.ts";
import type { Deps } from "../../shared/deps.ts";
import type { JobId } from "../../shared/base/ids.ts";
import { mayBeCanceled } from "../../shared/intake/cancel.ts";
import { areOneTeam } from "../../shared/intake/team.ts";
import { conflict, done, rewrite } from "../../shared/base/rewrite.ts";
import { hasEnded, type Job } from "../../shared/job/job.ts";
import { isCeilingQueue } from "../../shared/limits/ceilings.ts";
import { mayHaveSlot, queueTimeOf } from "../../shared/job/slot.ts";
import { enqueueing, memberOf } from "../../shared/store/group-entries.ts";
import { requeue } from "../../shared/store/requeue.ts";

/**
 * The lock of a group's name, and what `onConflict` means for a job that has not got it. `replace` means that the newest of all jobs
 * that replace is the one that runs: it cancels each older one, whether that runs or only waits, and is canceled by a newer one.
 */
export type Naming =
  { readonly kind: "held" | "no index" | "busy" } | { readonly kind: "replaced"; readonly by: JobId };

/** How many older jobs one admission cancels; the next one goes on. */
const maxReplaced = 200;
/** Beyond this a place in a wait queue is not counted. */
const maxCounted = 100;

type NameDeps = Pick<Deps, "jobs" | "queues" | "now" | "sleep" | "random" | "log" | "settings">;

export function lockName(deps: NameDeps, job: Job): Promise<Naming> {
  const { index } = deps.jobs;
  const replaces = job.options.onConflict === "replace";
  const turn = queueTimeOf(job.createdAt, job.options.priority);
  // With its name a job enters the line of its group, unless it may have a slot already.
  const inGroup = mayHaveSlot(job) ? [] : enqueueing(memberOf(job));
  return rewrite<Naming>("the lock of a name", deps, async () => {
    const lock = await index.lockOf(job.groupName);
    const taken = lock === undefined ? await index.take(job.groupName, job.id, turn, inGroup) : "held";
    if (taken === "no index") return done({ kind: taken });
    if (taken === "taken" || lock?.lockedBy === job.id) {
      const newer = await afterWaiting(deps, job);
      return done(newer === undefined ? { kind: "held" } : { kind: "replaced", by: newer });
    }
    if (lock === undefined && taken === "held") return conflict;
    if (taken === "unreadable") deps.log("error", "name lock can't be read", { job: job.id, name: job.groupName });
    await index.enqueue(job.groupName, { id: job.id, createdAt: job.createdAt, turn, replaces });
    const newer = replaces ? await replaceWaiting(deps, job) : undefined;
    if (newer !== undefined) return done({ kind: "replaced", by: newer });
    const asked = lock === undefined ? "asked" : await askToYield(deps, lock.lockedBy, job);
    if (asked === "freed") return conflict;
    if (asked === "newer" && lock !== undefined) return done({ kind: "replaced", by: lock.lockedBy });
    return done({ kind: "busy" });
  });
}

/** A job that has the name leaves the wait queue. It does not begin where a newer one has come to replace it. */
async function afterWaiting(deps: NameDeps, job: Job): Promise<JobId | undefined> {
  const { onConflict } = job.options;
  const hasWaited = job.phase.state === "Queued" && job.phase.waiting?.reason === "NameBusy";
  if (onConflict !== "reject" || hasWaited)
    await deps.jobs.index.dequeue(job.groupName, job.id, queueTimeOf(job.createdAt, job.options.priority));
  return onConflict === "replace" || hasWaited ? replaceWaiting(deps, job) : undefined;
}

/**
 * Cancels the older jobs that wait for the name, if this one replaces.
 *
 * @returns the newest job that waits and replaces this one
 */
async function replaceWaiting(deps: NameDeps, job: Job): Promise<JobId | undefined> {
  const entries = await deps.jobs.index.entries(job.groupName, maxReplaced);
  const newer = entries.filter((other) => other.replaces && isNewer(other, job));
  // A reservation replaces nothing: its row may never come, and when it does, it looks for older ones itself.
  for (const { id } of newer.toReversed()) {
    const other = await ifReadable(deps, id, () => deps.jobs.peek(id));
    if (other && mayBeCanceled(other.job) && areOneTeam(other.job, job, deps.settings)) return id;
  }
  if (job.options.onConflict !== "replace") return undefined;
  for (const { id, turn } of entries.filter((other) => isNewer(job, other))) {
    const stored = await ifReadable(deps, id, () =>
      deps.jobs.change(id, (other) => {
        if (!mayBeCanceled(other) || !areOneTeam(other, job, deps.settings)) return undefined;
        return { job: { ...other, cancel: { at: deps.now(), reason: "Replaced", by: job.id } } };
      }),
    );
    if (stored === undefined) continue;
    // One that has ended would only requeue who has the name: this job, which would requeue it again.
    if (hasEnded(stored.job.phase)) await deps.jobs.index.dequeue(job.groupName, id, turn);
    else await requeue(deps, id);
  }
  return undefined;
}

/** A job that waits and can't be read harms itself alone: it neither replaces another nor is replaced. */
async function ifReadable<T>({ log }: NameDeps, id: JobId, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof Unreadable) || error.id !== id) throw error;
    log("warn", "job that waits for a name can't be read", { job: id });
    return undefined;
  }
}

type Age = Pick<Job, "createdAt" | "id">;

/** Of two jobs of the same millisecond the one with the larger id counts as the newer one, as in the wait queue. */
function isNewer(a: Age, b: Age): boolean {
  return a.createdAt === b.createdAt ? a.id > b.id : a.createdAt > b.createdAt;
}

/**
 * A kept group yields to whoever needs its name; `replace` cancels a running job, unless that is a newer one that replaces, too. A
 * holder without a row, or one that is done with the name already, holds nothing.
 */
async function askToYield(deps: NameDeps, lockedBy: JobId, job: Job): Promise<"asked" | "freed" | "newer"> {
  try {
    return await askReadable(deps, lockedBy, job);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    deps.log("warn", "name held by a job that can't be read", { job: job.id, holder: lockedBy });
    return "asked";
  }
}

async function askReadable(deps: NameDeps, lockedBy: JobId, job: Job): Promise<"asked" | "freed" | "newer"> {
  const found = { needed: false, newer: false };
  const stored = await deps.jobs.change(lockedBy, (other) => {
    const replaces = job.options.onConflict === "replace" && areOneTeam(other, job, deps.settings);
    found.needed = hasEnded(other.phase) && !other.phase.tidy;
    if (hasEnded(other.phase)) return other.yield || other.phase.tidy ? undefined : { job: { ...other, yield: true } };
    found.newer = replaces && other.options.onConflict === "replace" && !other.cancel && isNewer(other, job);
    // One that waits for a ceiling goes before those that wait for it.
    found.needed = isCeilingQueue(other.line);
    if (!replaces || found.newer || other.cancel) return undefined;
    found.needed = true;
    return { job: { ...other, cancel: { at: deps.now(), reason: "Replaced", by: job.id } } };
  });
  if (found.newer) return "newer";
  if (stored === undefined || (hasEnded(stored.job.phase) && stored.job.phase.tidy)) {
    const next = await deps.jobs.index.handOver(job.groupName, lockedBy);
    if (next !== undefined && next !== job.id) await requeue(deps, next);
    return "freed";
  }
  if (found.needed) await deps.queues.requeue(lockedBy, undefined, 0);
  return "asked";
}

/** A job's place in a wait queue, from 1; not known far behind, nor in a team's, where it depends on the other teams. */
export async function positionIn({ jobs }: Pick<Deps, "jobs">, queue: string, id: JobId): Promise<number | undefined> {
  if (queue.lastIndexOf("~") > 0) return undefined;
  const at = (await jobs.index.waiting(queue, maxCounted)).indexOf(id);
  return at === -1 ? undefined : at + 1;
}
