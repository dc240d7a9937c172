import { second } from "../base/duration.ts";
import { endingOf, hasEnded, type Job, type Typical } from "./job.ts";

/** How long jobs of a name take, by those that succeeded last, and what that says of the next. Pure. */

/** One that succeeded, in whole seconds, rounded up. */
export interface Run {
  /** From its create to its first container's start. */
  readonly startSeconds: number;
  /** From there to its end. */
  readonly runSeconds: number;
}

/** How many of the last ones count. */
export const maxRuns = 20;
/** Fewer say nothing of an end. */
const leastForEnd = 5;
/** Fewer say nothing of being late. */
const leastForLate = 10;

/** What the index keeps of a job that succeeded. */
export function runOf({ phase, provisioningAt, startedAt }: Job): Run | undefined {
  if (phase.state !== "Succeeded" || provisioningAt === undefined || startedAt === undefined) return undefined;
  const seconds = (from: number, to: number): number => Math.ceil(Math.max(0, to - from) / second);
  return { startSeconds: seconds(provisioningAt, startedAt), runSeconds: seconds(startedAt, phase.finishedAt) };
}

export function typicalOf(runs: readonly Run[]): Typical | undefined {
  if (runs.length === 0) return undefined;
  const run = runs.map(({ runSeconds }) => runSeconds * second);
  const start = runs.map(({ startSeconds }) => startSeconds * second);
  return { runs: runs.length, start: percentile(start, 0.5), run: percentile(run, 0.5), most: percentile(run, 0.95) };
}

/** A run that stands for several: of an array's children. */
export function medianRun(runs: readonly Run[]): Run | undefined {
  const typical = typicalOf(runs);
  return typical && { startSeconds: typical.start / second, runSeconds: typical.run / second };
}

/** The nearest rank. */
function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

/** From a create to the job's end, once enough of its name have succeeded. */
export function typicalTime(typical: Typical | undefined): number | undefined {
  return typical === undefined || typical.runs < leastForEnd ? undefined : typical.start + typical.run;
}

/** When a job that has begun is expected to end; unknown until enough of its name have succeeded. */
export function expectedEndOf({ phase, provisioningAt, typical, array }: Job): number | undefined {
  // An array knows how long its children take.
  if (array !== undefined) return undefined;
  const time = typicalTime(typical);
  if (time === undefined || typical === undefined || hasEnded(phase) || endingOf(phase)) return undefined;
  if (phase.state === "Running") return phase.startedAt + typical.run;
  return phase.state === "Queued" || provisioningAt === undefined ? undefined : provisioningAt + time;
}

/** Whether a job runs for longer than 95 of 100 of its name. */
export function isLate({ phase, typical }: Job, now: number): boolean {
  if (phase.state !== "Running" || phase.ending !== undefined) return false;
  return typical !== undefined && typical.runs >= leastForLate && now > phase.startedAt + typical.most;
}
