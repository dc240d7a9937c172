import { minute, second } from "../base/duration.ts";
import { maxChildNumber } from "../base/ids.ts";
import { endedIn, endOfIndex, indexesOf, runsIn, type ArrayOutcomes } from "./array-outcomes.ts";
import { livePacks, nextPacks, packsMade, unmade, type Packed } from "./array-packs.ts";
import {
  hasEnded,
  type ArrayState,
  type Job,
  type Pack,
  type Packing,
  type TerminalState,
  type Verdict,
  type Waiting,
} from "./job.ts";
import type { Reason } from "./reasons.ts";
import { interrupted, nextTimeout, pace } from "./timing.ts";
import type { Rules } from "./step.ts";
import { move } from "./transitions.ts";

/**
 * What happens to an array next: the job, what has ended of it and the time decide one step. All of it is pure;
 * `workers/reconcile/array.ts` does the step and asks again.
 *
 * Queued: no child has started. Left for Running when one has.
 * Its children are made in the order of their indexes, in steps: a step is saved before its children are made, and made again when it is
 * not known whether they were. At most `parallelism` of them that have not ended exist at once.
 * An `ending` is decided once and never taken back: no more children are made, those that exist are canceled, and when all have
 * ended the array does.
 */
export type ArrayStep =
  /** Get its name, then ask again. */
  | { readonly do: "admit" }
  /** Save, make the children of the step, then ask again with {@link stepMade}. */
  | { readonly do: "make"; readonly job: Job; readonly children: readonly NewChild[] }
  /** Save, cancel those of these children that exist; once all have ended it ends, and not before `endsFrom`. */
  | { readonly do: "cancel"; readonly job: Job; readonly indexes: readonly number[]; readonly endsFrom: number }
  /** Nothing is left: read what has ended once more, then save {@link arrayEnd}. */
  | { readonly do: "end"; readonly job: Job }
  | { readonly do: "requeue"; readonly job: Job; readonly until: number };

/** A child that is to be made, by its number, and when that was decided; of a pack its items too. */
export interface NewChild {
  readonly number: number;
  readonly at: number;
  readonly items?: readonly number[];
}

/** How many children one step makes. */
const maxStep = 100;
/** Nobody makes a child of a step later than this after the step was saved. */
export const makeTime = minute;
/** After this time no row of one is on its way any more either, whatever the clock of its maker says. */
const settledTime = 2 * minute;
/** Each end of a child requeues its array. In case that message is lost it is observed all the same, the more seldom the longer nothing has ended. */
const [soonest, latest] = [10 * second, minute];

/**
 * @param admitted it has its name; one that has made children had it before
 * @param mayMake false while an operator has paused the service
 */
export function arrayStep(
  before: Job,
  array: ArrayState,
  outcomes: ArrayOutcomes,
  { admitted, mayMake }: { readonly admitted: boolean; readonly mayMake: boolean },
  now: number,
  rules: Rules,
): ArrayStep {
  const counted = withOutcomes(array, outcomes);
  const { made, step, parallelism } = counted;
  const indexes = indexesOf(counted);
  if (counted.packing !== undefined) {
    const packed = { packing: counted.packing, array: counted, indexes };
    return packStep(before, packed, outcomes, { admitted, mayMake }, now, rules);
  }
  const begun = step?.to ?? made;
  const exist = indexes.slice(0, begun).filter((index) => endOfIndex(outcomes, index) === undefined);
  // Nothing is left that a cancel or a timeout could interrupt.
  const isOver = begun === indexes.length && exist.length === 0;
  const ending = counted.ending ?? (isOver ? undefined : endingNow(before, counted, now));
  const state = ending === undefined ? counted : { ...counted, ending };
  const job: Job = { ...before, array: state };
  if (ending !== undefined) {
    const endsFrom = step === undefined ? ending.since : ending.since + settledTime;
    return { do: "cancel", job, indexes: exist, endsFrom };
  }
  if (isOver) return { do: "end", job: stepMade(job) };
  if (step !== undefined) return { do: "make", job, children: childrenAt(indexes.slice(step.from, step.to), step.at) };
  if (made === 0 && !admitted) return { do: "admit" };
  const count = Math.min(parallelism - exist.length, indexes.length - made, maxStep);
  if (count > 0 && mayMake) {
    const next = { from: made, to: made + count, at: now };
    return {
      do: "make",
      job: { ...job, array: { ...state, step: next } },
      children: childrenAt(indexes.slice(next.from, next.to), now),
    };
  }
  return rest(job, outcomes, now, rules);
}

function rest(job: Job, { requeueAt }: ArrayOutcomes, now: number, rules: Rules, until = Infinity): ArrayStep {
  const { phase } = job;
  const soon =
    phase.state === "Running" ? pauseAfter(now - Math.max(phase.startedAt, requeueAt)) : pace(job, now, rules);
  return { do: "requeue", job, until: Math.min(now + soon, nextTimeout(job), until) };
}

function pauseAfter(quietFor: number): number {
  return Math.round(Math.min(Math.max(quietFor / 10, soonest), latest));
}

function childrenAt(numbers: readonly number[], at: number): readonly NewChild[] {
  return numbers.map((number) => ({ number, at }));
}

/** The same where its children are packs. A step is packs in the row that have a time still. */
function packStep(
  before: Job,
  packed: Packed,
  outcomes: ArrayOutcomes,
  { admitted, mayMake }: { readonly admitted: boolean; readonly mayMake: boolean },
  now: number,
  rules: Rules,
): ArrayStep {
  const { array, indexes } = packed;
  const live = livePacks(packed.packing, outcomes);
  const packing: Packing = { ...packed.packing, packs: [...live] };
  const job: Job = { ...before, array: { ...array, packing } };
  const isOver = live.length === 0 && endedIn(array.counts) >= indexes.length;
  const begun = unmade(packing);
  const ending = array.ending ?? (isOver ? undefined : (endingNow(before, array, now) ?? outOfNumbers(packed, now)));
  if (ending !== undefined) {
    const endsFrom = begun.length === 0 ? ending.since : ending.since + settledTime;
    return { do: "cancel", job: withArrayEnding(job, ending), indexes: live.map(({ number }) => number), endsFrom };
  }
  if (isOver) return { do: "end", job };
  if (begun.length > 0) return { do: "make", job, children: begun.map(newPack) };
  if (array.made === 0 && !admitted) return { do: "admit" };
  const next = nextPacks(packed, outcomes, mayMake ? array.parallelism - live.length : 0, now);
  const changed: Job = { ...before, array: { ...array, packing: next.packing, made: next.made } };
  const fresh = unmade(next.packing);
  if (fresh.length > 0) return { do: "make", job: changed, children: fresh.map(newPack) };
  return rest(
    changed,
    outcomes,
    now,
    rules,
    next.gatheredAt === undefined ? Infinity : Math.max(next.gatheredAt, now + second),
  );
}

/** More packs than have a number there can't be: of items that go on failing. */
function outOfNumbers({ packing: { next }, array }: Packed, now: number): ArrayState["ending"] {
  return next > maxChildNumber ? { ...judged(array), since: now } : undefined;
}

function newPack({ number, items, at = 0 }: Pack): NewChild {
  return { number, items, at };
}

/** Where the step ends whose children are being made: a number that no later one has. */
export function stepEnd({ array }: Job): number | undefined {
  if (array?.packing === undefined) return array?.step?.to;
  return unmade(array.packing).at(-1)?.number;
}

/** The children of a step are there. */
export function stepMade(job: Job): Job {
  const { array } = job;
  if (array?.packing !== undefined) return { ...job, array: { ...array, packing: packsMade(array.packing) } };
  if (array?.step === undefined) return job;
  const { step, ...rest } = array;
  return { ...job, array: { ...rest, made: Math.max(array.made, step.to) } };
}

/** Its first child started. */
export function arrayRunning(job: Job, startedAt: number, now: number): Job {
  if (job.phase.state !== "Queued") return job;
  return { ...move(job, { state: "Running", startedAt }, "Accepted", now), startedAt };
}

export function withArrayEnding(job: Job, ending: NonNullable<ArrayState["ending"]>): Job {
  return job.array === undefined ? job : { ...job, array: { ...job.array, ending: job.array.ending ?? ending } };
}

/** An array of which nothing runs says why. */
export function arrayWaiting(job: Job, reason: Reason, now: number): Job {
  const { phase, array } = job;
  const waiting = (before: Waiting | undefined): Waiting => ({
    reason,
    since: before?.reason === reason ? before.since : now,
  });
  if (phase.state === "Queued") return move(job, { ...phase, waiting: waiting(phase.waiting) }, reason, now);
  if (array === undefined) return job;
  return { ...job, array: { ...array, waiting: waiting(array.waiting) } };
}

/** Something of a Running array runs, or has ended lately. */
export function arrayGoesOn(job: Job): Job {
  if (job.array?.waiting === undefined) return job;
  const { waiting: _, ...array } = job.array;
  return { ...job, array };
}

/** Whether a Running array is to be asked what its children wait for: not while they end one after the other. */
export function isQuiet({ phase }: Job, { requeueAt }: ArrayOutcomes, now: number): boolean {
  return phase.state === "Running" && now >= Math.max(phase.startedAt, requeueAt) + minute;
}

/** The array as it ends: nothing of it exists any more that has not ended. */
export function arrayEnd(job: Job, array: ArrayState, outcomes: ArrayOutcomes, now: number): Job {
  const counted = withOutcomes(array, outcomes);
  const { ending } = counted;
  // Children may have succeeded before their cancel came.
  const isOfChildren =
    ending === undefined || ending.verdict.reason === "ChildrenFailed" || counted.counts.Succeeded === runsIn(counted);
  const { state, verdict } = isOfChildren ? judged(counted) : ending;
  const phase = { state, verdict, finishedAt: now, group: "gone", captured: true, tidy: false } as const;
  return move({ ...job, array: counted }, phase, verdict.reason, now);
}

function withOutcomes(array: ArrayState, outcomes: ArrayOutcomes): ArrayState {
  const { counts, failures, vcpuSeconds, gbSeconds } = outcomes;
  return { ...array, counts, failures: [...failures], vcpuSeconds, gbSeconds };
}

function endingNow(job: Job, array: ArrayState, now: number): ArrayState["ending"] {
  const outcome = interrupted(job, now);
  if (outcome !== undefined) return { ...outcome, since: now };
  const failed = endedIn(array.counts) - array.counts.Succeeded;
  return array.failFast && failed > 0 ? { ...judged(array), since: now } : undefined;
}

/** Whether as many succeeded as had to. */
function judged({ counts, minSuccess, ...array }: ArrayState): {
  readonly state: TerminalState;
  readonly verdict: Verdict;
} {
  const enough = minSuccess ?? runsIn(array);
  return counts.Succeeded >= enough
    ? { state: "Succeeded", verdict: { reason: "Completed" } }
    : { state: "Failed", verdict: { reason: "ChildrenFailed" } };
}

/** Whether an array wants nothing of its children any more. */
export function wantsNothing({ phase, cancel, array }: Job, now: number, deadlineAt: number): boolean {
  return hasEnded(phase) || cancel !== undefined || array?.ending !== undefined || now >= deadlineAt;
}
