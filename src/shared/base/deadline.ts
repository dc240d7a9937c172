/**
 * The time by which an invocation must have ended, whatever it waits for. The platform kills a worker whose function runs too long
 * (`functionTimeout` in host.json), and with it every other call that the worker serves. A deadline is handed down: whoever waits
 * asks it how long that may take, and whoever works in steps asks whether there is time for another.
 */
export class Deadline {
  readonly #now: () => number;
  readonly #at: number;

  private constructor(now: () => number, at: number) {
    this.#now = now;
    this.#at = at;
  }

  /** @param ms from now on */
  static in(now: () => number, ms: number): Deadline {
    return new Deadline(now, now() + ms);
  }

  /** A part of the work, which must be over by then, and with the whole at the latest. */
  within(ms: number): Deadline {
    return new Deadline(this.#now, Math.min(this.#at, this.#now() + ms));
  }

  /** Milliseconds, never negative. */
  get left(): number {
    return Math.max(0, this.#at - this.#now());
  }

  get over(): boolean {
    return this.left === 0;
  }

  /**
   * The result of some work, or `late` when it took too long. Then the work goes on, and nobody waits for it: what it does must be
   * safe to be done twice, or by two.
   */
  async limit<T>(work: Promise<T>): Promise<T | "late"> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), this.left);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
      // A failure that nobody waits for any more must not end the process.
      work.catch(() => undefined);
    }
  }
}

/**
 * Does work for each item, some at a time, and begins no further item after the deadline.
 *
 * @returns the results in the items' order; `late` for what was not begun, or not done in time
 */
export async function eachInTime<T, R>(
  items: readonly T[],
  atOnce: number,
  deadline: Deadline,
  work: (item: T) => Promise<R>,
): Promise<(R | "late")[]> {
  const results: (R | "late")[] = items.map(() => "late");
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length && !deadline.over) {
      const index = next++;
      const item = items[index] as T; // index < items.length
      results[index] = await deadline.limit(work(item));
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return results;
}
