import { second } from "../base/duration.ts";
import {
  hasEnded,
  terminalStates,
  type ArrayState,
  type EndCounts,
  type ItemFailure,
  type Job,
  type TerminalState,
} from "./job.ts";
import type { JobResult } from "./result.ts";
import { maxRuns, runOf, type Run } from "./typical.ts";
import { usageOf, type Usage } from "./usage.ts";

/**
 * What is counted of an array's children as they end. It lies beside their rows, and each child's end is counted in the transaction that
 * writes it. Pure.
 */
export interface ArrayOutcomes extends Usage {
  /** For each index a letter: how it ended (`S`, `F`, `O` stopped, `T` timed out, `C`), or `.`; shorter where the last ones have not. */
  readonly ends: string;
  readonly counts: EndCounts;
  /** Those with the lowest indexes. */
  readonly failures: readonly ItemFailure[];
  /** How long the last ones took that succeeded, the newest first. */
  readonly runs: readonly Run[];
  /** How many finished groups stayed, as the option `keep` asked. */
  readonly kept: number;
  /** When the array is requeued for what has ended, by the message that was sent for that last: milliseconds since 1970. */
  readonly requeueAt: number;
}

const maxFailures = 20;
/** More finished groups of one array than this are not kept. */
const maxKept = 20;
/** An array is requeued this long after a child's end: one message for all that end together. */
export const requeueDelay = second;
/** An end that is written later than this before the message comes may not be seen by whoever gets it. */
const writeTime = second / 2;

export const nothingEnded: ArrayOutcomes = {
  ends: "",
  counts: { Succeeded: 0, Failed: 0, Stopped: 0, TimedOut: 0, Canceled: 0 },
  failures: [],
  runs: [],
  kept: 0,
  requeueAt: 0,
  vcpuSeconds: 0,
  gbSeconds: 0,
};

const letters = {
  Succeeded: "S",
  Failed: "F",
  Stopped: "O",
  TimedOut: "T",
  Canceled: "C",
} as const satisfies Record<TerminalState, string>;
const noEnd = ".";

/** How an index ended. */
export function endOfIndex({ ends }: Pick<ArrayOutcomes, "ends">, index: number): TerminalState | undefined {
  const letter = ends[index];
  return terminalStates.find((state) => letters[state] === letter);
}

/** How many indexes an array runs. */
export function runsIn({ size, only }: Pick<ArrayState, "size" | "only">): number {
  return only === undefined ? size : only.reduce((sum, [from, to]) => sum + to - from + 1, 0);
}

/** Of an array's children, how many exist and have not ended, as far as its row says. */
export function activeIn({ made, step, counts }: Pick<ArrayState, "made" | "step" | "counts">): number {
  return Math.max(0, Math.max(made, step?.to ?? 0) - endedIn(counts));
}

/**
 * For each index of the array a letter: how it ended, `A` for a child that has not, `.` for one that is not made yet, `-` for an index that
 * does not run.
 */
export function lettersOf({ size, only, made, step }: ArrayState, { ends }: Pick<ArrayOutcomes, "ends">): string {
  const shown = Array.from({ length: size }, (): string => (only === undefined ? noEnd : "-"));
  const begun = Math.max(made, step?.to ?? 0);
  let place = 0;
  for (const [from, to] of only ?? ([[0, size - 1]] as const))
    for (let index = from; index <= to; index++) {
      const end = ends[index] ?? noEnd;
      shown[index] = end === noEnd && place < begun ? "A" : end;
      place++;
    }
  return shown.join("");
}

/** What is run of an array when it is run again. */
export interface LeftOfArray {
  readonly only: [number, number][];
  /** How many of them must succeed; all where it is absent. */
  readonly minSuccess: number | undefined;
}

/** Its indexes that did not succeed, those that never began included. */
export function leftOf({ size, only, minSuccess, counts }: ArrayState, outcomes: ArrayOutcomes): LeftOfArray {
  const left: [number, number][] = [];
  for (const [from, to] of only ?? [[0, size - 1] as const])
    for (let index = from; index <= to; index++) {
      const last = left.at(-1);
      if (endOfIndex(outcomes, index) === "Succeeded") continue;
      if (last?.[1] === index - 1) last[1] = index;
      else left.push([index, index]);
    }
  const missing = minSuccess === undefined ? 0 : minSuccess - counts.Succeeded;
  return { only: left, minSuccess: missing > 0 ? missing : undefined };
}

export function withLeft(array: ArrayState, { only, minSuccess }: LeftOfArray): ArrayState {
  const { minSuccess: _ofAll, ...rest } = array;
  return { ...rest, only, ...(minSuccess === undefined ? {} : { minSuccess }) };
}

/** How many indexes have ended. */
export function endedIn({ Succeeded, Failed, Stopped, TimedOut, Canceled }: EndCounts): number {
  return Succeeded + Failed + Stopped + TimedOut + Canceled;
}

/** What a child's end changes. */
export interface CountedEnd {
  readonly outcomes: ArrayOutcomes;
  /** The child as it is saved. */
  readonly job: Job;
  /** Whether its array is to be requeued: no message is under way. */
  readonly requeues: boolean;
}

/**
 * A child has just ended. Its group does not stay where enough others do.
 *
 * @throws RangeError for a job that is no child or has not ended
 */
export function countEnd(before: ArrayOutcomes, job: Job, now: number): CountedEnd {
  const { child, phase } = job;
  if (child === undefined || !hasEnded(phase)) throw new RangeError("Only the end of a child is counted.");
  const requeues = now >= before.requeueAt - writeTime;
  const stays = phase.keepUntil !== undefined && !job.yield;
  const run = runOf(job);
  const { vcpuSeconds, gbSeconds } = usageOf(job);
  const { state, verdict } = phase;
  const { reason, exitCode } = verdict;
  const counted = withEnd(
    before,
    child.index,
    { index: child.index, state, reason, ...(exitCode === undefined ? {} : { exitCode }) },
    state,
  );
  return {
    outcomes: {
      ...counted,
      runs: run === undefined ? before.runs : [run, ...before.runs].slice(0, maxRuns),
      requeueAt: requeues ? now + requeueDelay : before.requeueAt,
      kept: before.kept + (stays && before.kept < maxKept ? 1 : 0),
      vcpuSeconds: before.vcpuSeconds + vcpuSeconds,
      gbSeconds: before.gbSeconds + gbSeconds,
    },
    job: stays && before.kept >= maxKept ? { ...job, yield: true } : job,
    requeues,
  };
}

/** A longer result, as JSON, is in the child's attempt alone. */
const maxResultBytes = 8 * 1024;

/** What an attempt's program gave as its result: an array's child has it in its row, beside those of the others. */
export function withResult(job: Job, result: JobResult | undefined): Job {
  if (job.child === undefined) return job;
  const { result: _before, resultIn: _where, ...child } = job.child;
  const text = result && JSON.stringify(result);
  if (text === undefined) return { ...job, child };
  const isShort = Buffer.byteLength(text) <= maxResultBytes;
  return { ...job, child: { ...child, ...(isShort ? { result: text } : { resultIn: "attempt" }) } };
}

function withEnd(before: ArrayOutcomes, index: number, failure: ItemFailure, state: TerminalState): ArrayOutcomes {
  const padded = before.ends.padEnd(index + 1, noEnd);
  const failures =
    state === "Succeeded"
      ? before.failures
      : [...before.failures, failure].toSorted((a, b) => a.index - b.index).slice(0, maxFailures);
  return {
    ...before,
    ends: padded.slice(0, index) + letters[state] + padded.slice(index + 1),
    counts: { ...before.counts, [state]: before.counts[state] + 1 },
    failures,
  };
}
