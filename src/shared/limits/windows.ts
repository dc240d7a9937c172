import { minute } from "../base/duration.ts";
import type { BucketLimits } from "../config/readers.ts";

/**
 * Limits as arithmetic, without I/O: ACI's sliding windows (a number of creates in five minutes, and in an hour) and ARM's token
 * buckets. Plain data goes in and comes out; `budget.ts` keeps it in storage.
 */
export interface Windows {
  /** Uses in each minute of the last hour, the newest last; `minute` is the newest's number since 1970. */
  readonly minute: number;
  readonly uses: readonly number[];
}

export interface WindowLimits {
  readonly perFiveMinutes: number;
  readonly perHour: number;
}

export type Taken<S> = { readonly ok: true; readonly state: S } | { readonly ok: false; readonly at: number };

/** One more minute than an hour has, because the oldest and the newest are both partly in it. */
const slots = 61;

export const emptyWindows: Windows = { minute: 0, uses: [] };

/** Takes one use, or says when there will be capacity. */
export function takeFromWindows(windows: Windows, limits: WindowLimits, now: number): Taken<Windows> {
  const current = Math.floor(now / minute);
  const moved = moveTo(windows, current);
  const full =
    ([...Array(slots).keys()] as number[]).find((ahead) => capacity(moveTo(moved, current + ahead), limits) > 0) ??
    slots;
  if (full > 0) return { ok: false, at: (current + full) * minute };
  const uses = [...moved.uses];
  uses[slots - 1] = (uses[slots - 1] ?? 0) + 1;
  return { ok: true, state: { minute: current, uses } };
}

/** When the next uses of a window may be, in their order, each as soon as it may. */
export function nextUses(windows: Windows, limits: WindowLimits, count: number, now: number): readonly number[] {
  const times: number[] = [];
  let [state, at] = [windows, now];
  // Where a use is refused the next one is granted.
  for (let tries = 0; tries < 2 * count && times.length < count; tries++) {
    const taken = takeFromWindows(state, limits, at);
    if (taken.ok) {
      times.push(at);
      ({ state } = taken);
    } else ({ at } = taken);
  }
  return times;
}

/** Gives back one use of that time, which did not reach ACI. */
export function returnToWindows(windows: Windows, takenAt: number): Windows {
  const index = windows.uses.length - 1 - (windows.minute - Math.floor(takenAt / minute));
  if ((windows.uses[index] ?? 0) < 1) return windows;
  return { ...windows, uses: windows.uses.map((count, n) => (n === index ? count - 1 : count)) };
}

/** How many uses are possible now. */
export function capacityIn(windows: Windows, limits: WindowLimits, now: number): number {
  return capacity(moveTo(windows, Math.floor(now / minute)), limits);
}

function capacity({ uses }: Windows, { perFiveMinutes, perHour }: WindowLimits): number {
  const { hour, fiveMinutes } = countsOf(uses);
  return Math.max(0, Math.min(perHour - hour, perFiveMinutes - fiveMinutes));
}

/** How many of these uses count for each window. One more minute than a window has, as above. */
export function countsOf(uses: readonly number[]): { readonly hour: number; readonly fiveMinutes: number } {
  const sum = (from: number): number => uses.slice(from).reduce((total, count) => total + count, 0);
  return { hour: sum(0), fiveMinutes: sum(-6) };
}

/**
 * The windows in which that minute is the newest, or the minute that is. Those that lie further ahead than an hour say nothing: an
 * instance's clock was wrong. Those within the hour count, so that a clock that is put back gives nobody more than there is.
 */
export function moveTo(stored: Windows, current: number): Windows {
  const windows = stored.minute - current >= slots ? emptyWindows : stored;
  const shift = Math.min(Math.max(current - windows.minute, 0), slots);
  const kept = [...Array<number>(Math.max(0, slots - windows.uses.length)).fill(0), ...windows.uses].slice(-slots);
  return { minute: Math.max(current, windows.minute), uses: [...kept.slice(shift), ...Array<number>(shift).fill(0)] };
}

/** Clocks of instances are that far apart at most. A time that lies further ahead than it could says nothing: the clock that wrote it was wrong. */
export const maxAhead = 3 * minute;

export interface Bucket {
  readonly tokens: number;
  readonly at: number;
}

/** ARM counts reads, writes and deletes apart. */
export type ArmKind = "read" | "write" | "delete";

/** What a reply of ARM says is left of a subscription's calls (`x-ms-ratelimit-remaining-subscription-*`). */
export interface ArmRemaining {
  readonly kind: ArmKind;
  readonly subscriptionId: string;
  readonly count: number;
}

/** A bucket as it is at that time; a full one where no bucket is stored, or one that says nothing. */
export function bucketAt(stored: Bucket | undefined, limits: BucketLimits, now: number): Bucket {
  const isKnown = stored !== undefined && stored.at <= now + maxAhead;
  const before = isKnown ? stored : { tokens: limits.capacity, at: now };
  const refilled = (Math.max(0, now - before.at) / 1000) * limits.perSecond;
  return { tokens: Math.min(limits.capacity, before.tokens + refilled), at: Math.max(now, before.at) };
}

/**
 * Takes a block of tokens, or as many as there are. If there are no tokens, says when there will be some.
 *
 * @param reserve tokens that are left to others
 */
export function takeFromBucket(
  bucket: Bucket,
  limits: BucketLimits,
  block: number,
  now: number,
  reserve = 0,
): Taken<Bucket> & { readonly taken: number } {
  const { tokens, at } = bucketAt(bucket, limits, now);
  const taken = Math.min(block, Math.floor(tokens - reserve));
  if (taken < 1)
    return { ok: false, at: now + Math.ceil(((1 + reserve - tokens) / limits.perSecond) * 1000), taken: 0 };
  return { ok: true, state: { tokens: tokens - taken, at }, taken };
}
