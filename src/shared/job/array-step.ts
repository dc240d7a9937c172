import { minute, second } from "../base/duration.ts";
import { endedIn, endOfIndex, type ArrayOutcomes } from "./array-outcomes.ts";
import { hasEnded, type ArrayState, type Job, type TerminalState, type Verdict } from "./job.ts";
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
  | { readonly do: "make"; readonly job: Job; readonly indexes: readonly number[]; readonly at: number }
  /** Save, cancel those of these children that exist; once all have ended it ends, and not before `endsFrom`. */
  | { readonly do: "cancel"; readonly job: Job; readonly indexes: readonly number[]; readonly endsFrom: number }
  /** Nothing is left: read what has ended once more, then save {@link arrayEnd}. */
  | { readonly do: "end"; readonly job: Job }
  | { readonly do: "requeue"; readonly job: Job; readonly until: number };

/** How many children one step makes. */
const maxStep = 100;
/** Nobody makes a child of a step later than this after the step was saved. */
export const makeTime = minute;
/** After this time no row of one is on its way any more either, whatever the clock of its maker says. */
const settledTime = 2 * minute;
/** What a status says of an array is at most this old. */
const observeTime = 10 * second;

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
  if (step !== undefined) return { do: "make", job, indexes: indexes.slice(step.from, step.to), at: step.at };
  if (made === 0 && !admitted) return { do: "admit" };
  const count = Math.min(parallelism - exist.length, indexes.length - made, maxStep);
  if (count > 0 && mayMake) {
    const next = { from: made, to: made + count, at: now };
    return {
      do: "make",
      job: { ...job, array: { ...state, step: next } },
      indexes: indexes.slice(next.from, next.to),
      at: now,
    };
  }
  const soon = job.phase.state === "Queued" ? Math.min(pace(job, now, rules), observeTime) : observeTime;
  return { do: "requeue", job, until: Math.min(now + soon, nextTimeout(job)) };
}

/** The children of a step are there. */
export function stepMade(job: Job): Job {
  const { array } = job;
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
  const { phase } = job;
  if (phase.state !== "Queued") return job;
  const since = phase.waiting?.reason === reason ? phase.waiting.since : now;
  return { ...job, phase: { ...phase, waiting: { reason, since } } };
}

/** The array as it ends: nothing of it exists any more that has not ended. */
export function arrayEnd(job: Job, array: ArrayState, outcomes: ArrayOutcomes, now: number): Job {
  const counted = withOutcomes(array, outcomes);
  const { state, verdict } = counted.ending ?? judged(counted);
  const phase = { state, verdict, finishedAt: now, group: "gone", captured: true, tidy: false } as const;
  return move({ ...job, array: counted }, phase, verdict.reason, now);
}

/** The indexes that run, in order. */
function indexesOf({ size, only }: Pick<ArrayState, "size" | "only">): readonly number[] {
  const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, n) => from + n);
  return only === undefined ? range(0, size - 1) : only.flatMap(([from, to]) => range(from, to));
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
  const enough = minSuccess ?? indexesOf(array).length;
  return counts.Succeeded >= enough
    ? { state: "Succeeded", verdict: { reason: "Completed" } }
    : { state: "Failed", verdict: { reason: "ChildrenFailed" } };
}

/** Whether an array wants nothing of its children any more. */
export function wantsNothing({ phase, cancel, array }: Job, now: number, deadlineAt: number): boolean {
  return hasEnded(phase) || cancel !== undefined || array?.ending !== undefined || now >= deadlineAt;
}
