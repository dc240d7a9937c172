import { indexLost, Unavailable } from "../base/errors.ts";
import type { Job } from "../job/job.ts";
import { queueTimeOf } from "../job/slot.ts";
import { columnsOf } from "../store/job-row.ts";
import { insert, reservationOf, type AcceptDeps } from "./accept.ts";
import { nothingSealed } from "./seal.ts";
import { inQueue, withCapacity } from "./capacity.ts";
import { reserveSlot } from "./group-slot.ts";
import { secure } from "./reservation.ts";

const maxRounds = 20;

/**
 * Makes a child of an array, unless it is there. It waits for what another job has: its name, a place below the ceilings. Four storage
 * calls where nothing is in the way.
 *
 * @param until no row is written after this time: milliseconds since 1970
 * @throws Unavailable when storage or the index can't be reached: it is made by the next try
 */
export async function makeChild(deps: AcceptDeps, child: Job, until: number): Promise<void> {
  const known = await deps.jobs.peekChild(child.id);
  // One whose row was withdrawn in between is made anew.
  if (known !== undefined && (await secure(deps, known.job)) !== undefined) return;
  const reserved = await reserve(deps, child);
  if (reserved === undefined) return;
  if (deps.now() >= until) throw new Unavailable("storage", "Storage is too slow to make a child.");
  const inserted = await insert(deps, reserved.job, nothingSealed, reserved.at);
  if (inserted.ok && !inserted.value.attached) await deps.queues.requeue(child.id, undefined, 0);
}

/** @returns the child as its row is to be, and when it was reserved; `undefined` where it is there already */
async function reserve(deps: AcceptDeps, child: Job): Promise<{ readonly job: Job; readonly at: number } | undefined> {
  const { jobs, ceilings } = deps;
  let want: "hold" | "wait" = "hold";
  for (let round = 0; round < maxRounds; round++) {
    if (round > 1) await deps.sleep(50 * round * (0.5 + deps.random()));
    const begun = deps.now();
    const wished = want;
    const { result, job } = await ceilings.inSequence(async () => {
      const room = await ceilings.capacityFor(child);
      const job = withCapacity(child, room, deps.now());
      const slot = await reserveSlot(deps, child, wished === "hold");
      const own = reservationOf(child, room.kind === "full" ? "later" : wished);
      const further =
        room.kind === "full"
          ? ceilings.enqueueIn(room.queue, child.id, own.turn)
          : [...room.actions, ...(slot.kind === "open" ? slot.actions : [])];
      const result = await jobs.index.reserve({
        ...own,
        keyEntry: undefined,
        foreignId: false,
        reservedAt: begun,
        columns: columnsOf(job, jobs.prices),
        further,
      });
      return { result, job };
    });
    if (result === "reserved") return { job, at: begun };
    if (result === "no index") throw new Unavailable("index", indexLost.message, { retryAfter: indexLost.retryAfter });
    if ((await jobs.peekChild(child.id)) !== undefined) return undefined;
    // Reserved by an earlier try, which died before the row was written.
    const adopted = await jobs.index.adopt(child.id, deps.now());
    if (adopted !== undefined) {
      const line = await ceilings.queueOf(child.name, child.id, queueTimeOf(child.createdAt, child.options.priority));
      return { job: line === undefined ? child : inQueue(child, line, deps.now()), at: begun };
    }
    want = "wait";
  }
  throw new Unavailable("storage", "A child's name could not be reserved: too many want it at once.");
}
