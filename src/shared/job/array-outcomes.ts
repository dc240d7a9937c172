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
import { itemEndsOf, type ItemEnd } from "./pack-ends.ts";
import { maxRuns, runOf, type Run } from "./typical.ts";
import { usageOf, type Usage } from "./usage.ts";

/**
 * What is counted of an array's children as they end. It lies beside their rows, and each child's end is counted in the transaction that
 * writes it. Pure.
 */
export interface ArrayOutcomes extends Usage {
  /** For each index a letter: how it ended (`S`, `F`, `O` stopped, `T` timed out, `C`), or `.`; shorter where the last ones have not. */
  readonly ends: string;
  /**
   * Of an array of packs, for each index a character: how often it was tried, and what of its tries in a row was free and what of the
   * caller's retries is used up. Such an index has in `ends` a small letter while it waits for another try: how the last one ended.
   */
  readonly tries?: string;
  readonly spent?: string;
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

/** The indexes that an array runs, in order. */
export function indexesOf({ size, only }: Pick<ArrayState, "size" | "only">): readonly number[] {
  const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, n) => from + n);
  return only === undefined ? range(0, size - 1) : only.flatMap(([from, to]) => range(from, to));
}

/** How many they are. */
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
  for (const [place, index] of indexesOf({ size, only }).entries()) {
    const end = ends[index] ?? noEnd;
    shown[index] = waits({ ends }, index) || (end === noEnd && place < begun) ? "A" : end;
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
  for (const index of indexesOf({ size, only })) {
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

/** How often an index of an array of packs was tried: its packs that have ended. */
export function triesOf({ tries = "" }: Pick<ArrayOutcomes, "tries">, index: number): number {
  return numberAt(tries, index);
}

/** What came of an index in a pack, as its row shows it. */
export interface ItemOutcome extends ItemEnd {
  readonly tries: number;
  /** It goes into a later pack. */
  readonly waits: boolean;
}

/** What a child's end changes. */
export interface CountedEnd {
  readonly outcomes: ArrayOutcomes;
  /** The child as it is saved. */
  readonly job: Job;
  /** Of a pack. */
  readonly items: readonly ItemOutcome[];
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
  const { outcomes, items } =
    child.items === undefined
      ? { outcomes: withEnd(before, child.index, phase), items: [] }
      : withItems(before, itemEndsOf(job), job);
  return {
    outcomes: {
      ...outcomes,
      runs: run === undefined ? before.runs : [run, ...before.runs].slice(0, maxRuns),
      requeueAt: requeues ? now + requeueDelay : before.requeueAt,
      kept: before.kept + (stays && before.kept < maxKept ? 1 : 0),
      vcpuSeconds: before.vcpuSeconds + vcpuSeconds,
      gbSeconds: before.gbSeconds + gbSeconds,
    },
    job: stays && before.kept >= maxKept ? { ...job, yield: true } : job,
    items,
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

/** How an index ended, for good. */
function withEnd(
  before: ArrayOutcomes,
  index: number,
  { state, verdict }: Pick<ItemEnd, "state" | "verdict">,
): ArrayOutcomes {
  const { reason, exitCode } = verdict;
  const failure: ItemFailure = { index, state, reason, ...(exitCode === undefined ? {} : { exitCode }) };
  const failures =
    state === "Succeeded"
      ? before.failures
      : [...before.failures, failure].toSorted((a, b) => a.index - b.index).slice(0, maxFailures);
  return {
    ...before,
    ends: withLetter(before.ends, index, letters[state], noEnd),
    counts: { ...before.counts, [state]: before.counts[state] + 1 },
    failures,
  };
}

function withItems(
  before: ArrayOutcomes,
  ends: readonly ItemEnd[],
  { options, child }: Job,
): Pick<CountedEnd, "outcomes" | "items"> {
  let outcomes = before;
  const items: ItemOutcome[] = [];
  for (const end of ends) {
    const { index, state } = end;
    const tries = triesOf(outcomes, index) + 1;
    const spent = spentAfter(spentOf(outcomes, index), end.again, {
      asked: options.retries,
      free: child?.freeRetries ?? 0,
    });
    items.push({ ...end, tries, waits: spent !== undefined });
    const tried = { ...outcomes, tries: withNumber(outcomes.tries, index, tries) };
    outcomes =
      spent === undefined
        ? withEnd(tried, index, end)
        : {
            ...tried,
            ends: withLetter(tried.ends, index, letters[state].toLowerCase(), noEnd),
            spent: withNumber(tried.spent, index, spent.asked * freeBase + spent.inRow),
          };
  }
  return { outcomes, items };
}

/** What an index has used up: of the caller's retries, and of free tries in a row. */
interface Spent {
  readonly asked: number;
  readonly inRow: number;
}

/** FREE_RETRIES is at most 100. */
const freeBase = 101;

function spentOf({ spent = "" }: ArrayOutcomes, index: number): Spent {
  const number = numberAt(spent, index);
  return { asked: Math.floor(number / freeBase), inRow: number % freeBase };
}

/** What is used up once another try is granted; `undefined` where it is not. */
function spentAfter(
  { asked, inRow }: Spent,
  again: ItemEnd["again"],
  limits: { readonly asked: number; readonly free: number },
): Spent | undefined {
  for (const payer of again) {
    if (payer === "other") return { asked, inRow };
    if (payer === "platform" && inRow < limits.free) return { asked, inRow: inRow + 1 };
    if (payer === "caller" && asked < limits.asked) return { asked: asked + 1, inRow: 0 };
  }
  return undefined;
}

/**
 * The array ends, and of what waits for another try counts how the last one ended.
 *
 * @param items rows of such indexes, read before
 */
export function countWaiting(
  before: ArrayOutcomes,
  items: readonly Pick<ItemEnd, "index" | "state" | "verdict">[],
): ArrayOutcomes {
  return items.reduce(
    (counted, item) => (waits(counted, item.index) ? withEnd(counted, item.index, item) : counted),
    before,
  );
}

/** Whether an index of an array of packs was tried and is to be tried again. */
export function waits({ ends }: Pick<ArrayOutcomes, "ends">, index: number): boolean {
  const letter = ends[index];
  return letter !== undefined && letter !== noEnd && letter !== letter.toUpperCase();
}

function withLetter(letters: string, index: number, letter: string, none: string): string {
  return letters.slice(0, index).padEnd(index, none) + letter + letters.slice(index + 1);
}

/** Small numbers, each as a character that every text may have. */
const zero = 0x30;

function numberAt(text: string, index: number): number {
  return index < text.length ? text.charCodeAt(index) - zero : 0;
}

function withNumber(text = "", index: number, number: number): string {
  return withLetter(text, index, String.fromCharCode(zero + number), String.fromCharCode(zero));
}
