import { minute, second } from "../base/duration.ts";

/** What a container wrote between two reads of its log, in text. */
export interface LogGrowth {
  readonly bytes: number;
  readonly lines: number;
  /** Milliseconds between the two. */
  readonly time: number;
}

/** What ACI keeps of a log once its container has ended. */
const tail = { bytes: 16 * 1024, lines: 1000 };
/** The share of that which a container may write before its log is read again. */
const share = 0.5;
const shortest = 2 * second;
const atFirst = 10 * second;

/**
 * How long until a running container's log is read again: so soon that what it writes until then fits into what ACI keeps of it should
 * it end, as far as reads can be that close. One that is quiet is read less often as it gets older.
 *
 * @param age since the container's start, in milliseconds
 * @param longest for a quiet one
 */
export function logPause({ bytes, lines, time }: LogGrowth, age: number, longest: number): number {
  // ACI's times are whole seconds.
  const max = Math.min(tail.bytes / Math.max(bytes, 1), tail.lines / Math.max(lines, 1));
  const fits = share * Math.max(time, second) * max;
  return Math.round(Math.max(Math.min(fits, longest, Math.max(atFirst, 2 * age)), Math.min(shortest, longest)));
}

/** After a read that gave nothing, for want of an answer or of capacity. */
export function logPauseAfterFailure(retryAfter: number | undefined): number {
  return Math.min(Math.max(retryAfter ?? 0, 5 * second), minute);
}

/** How many of a log's last lines are asked for after such a pause: what it is likely to have written, and as much as ACI keeps. */
export function linesAfter(pause: number, { lines, time }: LogGrowth): number {
  return tail.lines + Math.ceil((1.25 * lines * pause) / Math.max(time, 1));
}
