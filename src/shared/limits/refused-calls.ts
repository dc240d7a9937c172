import { minute } from "../base/duration.ts";

/** How long after the next call a refused one is made at most. */
const maxDelay = 5 * minute;

/**
 * When refused callers may come back: one after another, as fast as there are calls, in the order in which they were refused. All at once
 * they would be refused again, and who got a call would be chance.
 */
export class RefusedCalls {
  readonly #last = new Map<string, number>();

  /**
   * @param at when there is the next call, in milliseconds since 1970
   * @param gap milliseconds between two calls
   */
  next(key: string, at: number, gap: number): number {
    const time = Math.max(at, Math.min((this.#last.get(key) ?? 0) + gap, at + maxDelay));
    this.#last.set(key, time);
    return time;
  }

  /** How many milliseconds until the time of the last. */
  backlog(key: string, now: number): number {
    return Math.max(0, (this.#last.get(key) ?? 0) - now);
  }
}
