import type { Log } from "../base/log.ts";
import { logFieldsOf } from "../job/log-fields.ts";
import { minute, second } from "../base/duration.ts";
import { err, ok, Unavailable, type Refusal, type Result } from "../base/errors.ts";
import { mintJobId } from "../base/ids.ts";
import type { Reservation } from "../store/reservations.ts";
import { columnsOf, jobKey, type Sealed } from "../store/job-row.ts";
import { hasEnded, isDefinitionAwaited, type Job } from "../job/job.ts";
import { childWithName } from "./child-names.ts";
import { inQueue, withCapacity } from "./capacity.ts";
import { attach } from "./attach.ts";
import { asRerun, newJob } from "./new-job.ts";
import { findConflict, knownByRow, type Conflict } from "./conflict.ts";
import { isReserved, undoubtedTime } from "./reservation.ts";
import { nothingSealed, seal, sealOrWait } from "./seal.ts";
import type { Checked, Submission } from "./submission.ts";
import { requeue } from "../store/requeue.ts";
import type { JobStore } from "../store/jobs.ts";
import type { Blobs, PutSealed } from "../store/blobs.ts";
import type { Ceilings } from "../limits/ceilings.ts";
import type { Groups } from "../limits/groups.ts";
import { groupFull, leaveGroups, requeueCalled, reserveSlot } from "./group-slot.ts";
import { memberOf } from "../store/group-entries.ts";
import { queueTimeOf } from "../job/slot.ts";
import type { Queues } from "../store/queues.ts";
import type { Sealer } from "../security/sealer.ts";
import type { Settings } from "../config/settings.ts";

/**
 * Taking a job in, from HTTP or from the queue: read and judge everything, reserve the name, write the row. From the row on the job is
 * accepted and will end, whatever crashes. ACI is not called here, and the type of `AcceptDeps` says so.
 */
export interface AcceptDeps {
  readonly settings: Settings;
  readonly now: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly jobs: JobStore;
  readonly blobs: Blobs;
  readonly sealer: Sealer;
  readonly queues: Queues;
  readonly ceilings: Ceilings;
  readonly groups: Groups;
}

export interface Accepted {
  readonly job: Job;
  /** True when it is an earlier job that this order joined. */
  readonly attached: boolean;
}

/**
 * A reservation without a row expires (`reservationTime`); well before that its maker gives up, so that no row comes after it. Nor does
 * anybody wait longer for a reservation of somebody else's: Data Factory gives a call one minute.
 */
const maxReserving = 40 * second;
const maxRounds = 60;
/** Pause between two tries to reserve what another acceptor just held: short at first, since it is usually free at once. */
const pause = (round: number): number => Math.min(round * 50, 500);

/**
 * Reserves, then writes the row. At most four storage calls, three of them one after another, when nothing is in the way.
 *
 * @throws Unavailable when storage or the sealing key can't be reached: nothing was accepted
 */
export async function accept(deps: AcceptDeps, submission: Submission, checked: Checked): Promise<Result<Accepted>> {
  const began = deps.now();
  const id = submission.id?.id ?? mintJobId(began, deps.randomBytes(10));
  const job = newJob(submission, checked, id, submission.createdAt ?? began);
  const known = await knownByRow(deps, job, submission);
  if (known?.kind === "refuse") return err(known.refusal);
  if (known?.kind === "attach") return attached(deps, submission, checked, known.job);
  const taken = job.array && (await childWithName(deps, job.groupName));
  const sealed = await sealOrWait(deps, submission, checked, id);
  const found = await reserve(deps, submission, checked, job, { large: sealed?.large, taken });
  if (!found.ok) return found;
  const { value } = found;
  if (value.kind === "attached") return attached(deps, submission, checked, value.job);
  if (sealed === undefined) return insert(deps, awaiting(value.job, deps.now()), nothingSealed, value.reservedAt);
  return insert(deps, value.job, sealed, value.reservedAt);
}

async function attached(deps: AcceptDeps, submission: Submission, checked: Checked, job: Job) {
  const full = await attach(deps, submission, checked, job);
  return full ? err(full) : ok({ job: await withDefinition(deps, submission, checked, job), attached: true });
}

function awaiting(job: Job, now: number): Job {
  return {
    ...job,
    awaitsDefinition: true,
    phase: { state: "Queued", refusals: 0, waiting: { reason: "SealKeyUnavailable", since: now } },
  };
}

/**
 * Its message brings the definition of a job whose row was written while the key was away. Another message under its id does not.
 *
 * @throws Unavailable when the key is away still
 */
async function withDefinition(deps: AcceptDeps, submission: Submission, checked: Checked, job: Job): Promise<Job> {
  const isOwn = job.id === submission.id?.id && job.createdAt === submission.createdAt;
  if (!isOwn || !isDefinitionAwaited(job)) return job;
  const { large, ...sealed } = await seal(deps, checked, job.id);
  if (large) await deps.blobs.putSealed(job.id, large, "reserved");
  const stored = await deps.jobs.change(job.id, (fresh) =>
    isDefinitionAwaited(fresh) ? { job: { ...fresh, awaitsDefinition: false }, sealed } : undefined,
  );
  return stored?.job ?? job;
}

/** The job for which all is reserved, by us or by whoever died before its row was written; or the job that it joins. */
type Found =
  /** At the first try, or after others who may have stored or removed a blob under its id. */
  | { readonly kind: "reserved"; readonly job: Job; readonly reservedAt: number; readonly isFirst: boolean }
  | { readonly kind: "attached"; readonly job: Job };

/**
 * A definition too large for a row is stored beside the first try, and removed again where no row will name it. Where somebody else has
 * stored one under the id, who reserves the id puts its own in that one's place; and nobody removes but what is its own.
 *
 * @param taken why the job can't have its name, unless it is there already
 */
async function reserve(
  deps: AcceptDeps,
  submission: Submission,
  checked: Checked,
  job: Job,
  { large, taken }: { readonly large: Uint8Array | undefined; readonly taken: Refusal | undefined },
): Promise<Result<Found>> {
  const stored = large ? deps.blobs.putSealed(job.id, large, "new") : Promise.resolve("exists" as const);
  const found = await reserveOrFind(deps, submission, checked, job, { stored, taken });
  const [put, ours] = [await stored, found.ok && found.value.kind === "reserved" ? found.value : undefined];
  if (ours === undefined && put !== "exists") await deps.blobs.dropSealed(job.id, put.etag);
  if (ours !== undefined && large && (put === "exists" || !ours.isFirst))
    await deps.blobs.putSealed(job.id, large, "reserved");
  return found;
}

/** As often as somebody else was in the way for a moment. */
async function reserveOrFind(
  deps: AcceptDeps,
  submission: Submission,
  checked: Checked,
  job: Job,
  { stored, taken }: { readonly stored: Promise<PutSealed>; readonly taken: Refusal | undefined },
): Promise<Result<Found>> {
  const { index, prices } = deps.jobs;
  const { ceilings, groups } = deps;
  const { onConflict, onGroupFull, priority } = job.options;
  const turn = queueTimeOf(job.createdAt, priority);
  const inSequence: typeof ceilings.inSequence = (work) =>
    onGroupFull === "reject" ? groups.inSequence(() => ceilings.inSequence(work)) : ceilings.inSequence(work);
  let [rerunOf, left] = [submission.rerunOf, checked.left];
  const again = (fresh: Job): Job => asRerun(fresh, rerunOf, left);
  let over: string | undefined;
  let last: Conflict["kind"] | undefined;
  let want: "hold" | "wait" = onConflict === "wait" || onConflict === "replace" ? "wait" : "hold";
  const until = deps.now() + maxReserving;
  for (let round = 0; round < maxRounds && deps.now() <= until; round++) {
    if (round > 1) await deps.sleep(pause(round - 1) * (0.5 + deps.random()));
    const begun = deps.now();
    const { reserved, wanted, reservedAt, refusal, called } = await inSequence(async () => {
      if (taken) return { reserved: "full", wanted: job, reservedAt: 0, refusal: taken, called: [] } as const;
      const room = await ceilings.capacityFor(job);
      const wanted = withCapacity(again(job), room, deps.now());
      // A message has its row at once, and waits; a caller by HTTP hears that there is no room.
      if (room.kind === "full" && submission.via !== "queue")
        return { reserved: "full", wanted, reservedAt: 0, refusal: tooMany, called: [] } as const;
      const slot = await reserveSlot(deps, job, want === "hold");
      if (slot.kind === "full") {
        const refusal = await groupFull(deps, job, slot);
        return { reserved: "full", wanted, reservedAt: 0, refusal, called: [] } as const;
      }
      const reservedAt = deps.now();
      // One that waits for a ceiling neither holds a slot or name nor keeps others from theirs: they may have its place below the ceiling.
      const further =
        room.kind === "full" ? ceilings.enqueueIn(room.queue, job.id, turn) : [...room.actions, ...slot.actions];
      const reservation: Reservation = {
        ...reservationOf(job, room.kind === "full" && want === "wait" ? "later" : want),
        keyEntry: job.keyHash === undefined ? undefined : { hash: job.keyHash, over },
        foreignId: submission.id?.foreign === true,
        reservedAt,
        columns: columnsOf(wanted, prices),
        further,
      };
      const [reserved] = await Promise.all([index.reserve(reservation), stored]);
      return { reserved, wanted, reservedAt, refusal: undefined, called: room.kind === "full" ? [] : slot.called };
    });
    if (reserved === "no index") {
      await deps.jobs.mustFindAll();
      continue;
    }
    if (reserved === "reserved") {
      await requeueCalled(deps, called);
      return ok({ kind: "reserved", job: wanted, reservedAt, isFirst: round === 0 });
    }
    const inTheWay = await findConflict(deps, job, submission, checked, { want, over, round });
    const found: Conflict = refusal === undefined ? inTheWay : refusedUnless(inTheWay, refusal, last);
    last = found.kind;
    switch (found.kind) {
      case "ours": {
        // What was reserved leads to a row under the time at which it was reserved first.
        const { createdAt } = found;
        const adopted = again(newJob(submission, checked, job.id, createdAt));
        const line = await ceilings.queueOf(job.name, job.id, queueTimeOf(createdAt, job.options.priority));
        const placed = line === undefined ? adopted : inQueue(adopted, line, deps.now());
        return ok({ kind: "reserved", job: placed, reservedAt: begun, isFirst: false });
      }
      case "attach":
        return ok({ kind: "attached", job: found.job });
      case "refuse":
        return err(found.refusal);
      case "stand in line":
        want = "wait";
        break;
      case "take over":
        [rerunOf, over, left] = [found.from ?? rerunOf, found.etag, found.left ?? left];
        break;
      case "on its way":
      case "gone":
        break;
    }
  }
  throw new Unavailable("storage", "The name could not be reserved: too many want it at once.");
}

/** What a job reserves by its own fields. */
export function reservationOf(job: Job, want: Reservation["want"]) {
  const { id, createdAt, name, groupName, checkAt, options } = job;
  return {
    id,
    key: jobKey(id, createdAt),
    name,
    groupName,
    want,
    replaces: options.onConflict === "replace",
    createdAt,
    turn: queueTimeOf(createdAt, options.priority),
    checkAt,
  };
}

/**
 * A job that is kept out is refused, unless it is there, or what kept it out may be an earlier try with its key.
 *
 * @param last what was in the way the time before: an earlier try is gone in between
 */
function refusedUnless(found: Conflict, refusal: Refusal, last: Conflict["kind"] | undefined): Conflict {
  if (found.kind === "ours" || found.kind === "attach" || found.kind === "on its way") return found;
  if (found.kind === "gone" && last === "on its way") return found;
  const isDead = found.kind === "take over" && found.from === undefined;
  return isDead ? { kind: "on its way" } : { kind: "refuse", refusal };
}

/** @param reservedAt when what the row needs was reserved, or adopted */
export async function insert(
  deps: AcceptDeps,
  job: Job,
  sealed: Sealed,
  reservedAt: number,
): Promise<Result<Accepted>> {
  const { jobs, now } = deps;
  if (now() > reservedAt + maxReserving) throw new Unavailable("storage", "Storage is too slow to accept a job.");
  if (await write(jobs, job, sealed)) return keep(deps, job, reservedAt);
  const earlier = await jobs.peek(job.id);
  if (earlier && hasEnded(earlier.job.phase) && earlier.job.phase.tidy) await letGo(deps, job);
  return ok({ job: earlier?.job ?? job, attached: earlier !== undefined && earlier.job.createdAt !== job.createdAt });
}

/** False when the row was there already. What an unclear answer means only the table says. */
async function write(jobs: JobStore, job: Job, sealed: Sealed): Promise<boolean> {
  try {
    return (await jobs.insert(job, sealed)) === "created";
  } catch (error) {
    if (!(error instanceof Unavailable) || (await jobs.peek(job.id)) === undefined) throw error;
    return true;
  }
}

/**
 * A row that was written late, by a process that stood still or on storage that did, may have come after its reservation was given
 * back. It is withdrawn then, unless its job has begun already: name and key are free for others.
 */
async function keep({ jobs, now }: AcceptDeps, job: Job, reservedAt: number): Promise<Result<Accepted>> {
  const isInTime = now() <= reservedAt + undoubtedTime || (await isReserved(jobs, job.id));
  if (!isInTime && (await jobs.withdraw(job)))
    throw new Unavailable("storage", "The row was written too late: its reservation had expired.");
  return ok({ job, attached: false });
}

/** What was reserved for a job that turned out to be done with. */
async function letGo(deps: AcceptDeps, job: Job): Promise<void> {
  const { jobs, queues, now } = deps;
  const { id, groupName, createdAt, options } = job;
  const { index } = jobs;
  await index.dequeue(groupName, id, queueTimeOf(createdAt, options.priority));
  await leaveGroups(deps, job.id, [memberOf(job)], true);
  const next = await index.handOver(groupName, id);
  if (next !== undefined) await requeue({ jobs, queues, now }, next);
  await index.drop(id);
}

const tooMany: Refusal = {
  code: "TooManyJobs",
  message: "As many jobs are active as the settings MAX_ACTIVE_JOBS and MAX_ACTIVE_PER_NAME allow; try again later.",
  retryAfter: minute,
};

export function logAccepted(log: Log, { job, attached }: Accepted): void {
  log("info", attached ? "job attached" : "job accepted", { ...logFieldsOf(job), via: job.via });
}
