import { minute } from "../base/duration.ts";
import type { JobId } from "../base/ids.ts";
import type { Job } from "../job/job.ts";
import type { Ceilings } from "../limits/ceilings.ts";
import type { Groups } from "../limits/groups.ts";
import type { Log } from "../base/log.ts";
import type { Blobs } from "../store/blobs.ts";
import type { JobStore } from "../store/jobs.ts";
import type { Queues } from "../store/queues.ts";
import { requeue } from "../store/requeue.ts";
import { leavePending } from "./group-slot.ts";

interface ReservationDeps {
  readonly now: () => number;
  readonly log: Log;
  readonly jobs: JobStore;
  readonly blobs: Blobs;
  readonly queues: Queues;
  readonly ceilings: Ceilings;
  readonly groups: Groups;
}

/** How long a reservation waits for its row: longer than an acceptor may take, and the clocks of two instances differ by, together. */
export const reservationTime = 4 * minute;
/** For this long no instance takes a reservation for expired: clocks are three minutes apart at most. */
export const undoubtedTime = reservationTime - 3 * minute;

/** Whether what was reserved for a job is its own still. */
export async function isReserved({ index }: JobStore, id: JobId): Promise<boolean> {
  const pending = await index.pending(id);
  return pending !== undefined && !pending.expired;
}

/**
 * A row that came after its reservation expired may be withdrawn by whoever wrote it, as long as nobody changed it. So whoever attaches
 * to a job changes such a row first, and requeues it.
 *
 * @returns the job, or `undefined` when its row was withdrawn
 */
export async function secure(
  { now, jobs, queues }: Pick<ReservationDeps, "now" | "jobs" | "queues">,
  job: Job,
): Promise<Job | undefined> {
  const { id, phase, createdAt } = job;
  if (phase.state !== "Queued" || now() <= createdAt + undoubtedTime || (await isReserved(jobs, id))) return job;
  const stored = await jobs.change(id, (fresh) => ({ job: { ...fresh, checkAt: now() } }));
  if (stored !== undefined) await requeue({ jobs, queues, now }, id);
  return stored?.job;
}

/**
 * Gives back all that was reserved for a job whose row was never written: its acceptor died, and its caller saw no acceptance. While it
 * is young the row may be on its way. Nothing is left of it: no id, no key, no name, no blob. May be interrupted and repeated.
 */
export async function expireReservation(deps: ReservationDeps, id: JobId): Promise<void> {
  const { now, log, jobs, blobs, queues, ceilings } = deps;
  // Its row may be there, and only not be found.
  if (!(await jobs.hasIndex())) return;
  const pending = await jobs.index.pending(id);
  if (pending === undefined || now() < pending.reservedAt + reservationTime) return;
  if (!pending.expired && !(await jobs.index.expire(pending))) return;
  // Whoever was about to write the row may have done so before the fence stood.
  if ((await jobs.peek(id)) !== undefined) return;
  log("warn", "reservation without a row", { job: id });
  // Before its key: whoever comes with that again is to find the slot free.
  await leavePending(deps, pending);
  await jobs.index.giveBack(pending);
  for (const line of ceilings.queuesOf(pending.name)) await jobs.index.dequeue(line, id, pending.turn);
  const next = await jobs.index.handOver(pending.groupName, id);
  if (next !== undefined) await requeue({ jobs, queues, now }, next);
  await blobs.dropSealed(id);
  await jobs.index.drop(id);
}
