export interface Course<T> {
  /** How many items are worked on at once. */
  readonly width: number;
  /** No work begins at or after this time, milliseconds since 1970. */
  readonly until: number;
  readonly now: () => number;
  /** A failure of one item does not stop the others. */
  readonly failed: (item: T, error: unknown) => void;
}

/**
 * The same for what must be done whole: all are tried, and the first that failed is thrown then.
 *
 * @throws Error of an item
 */
export async function allInParallel<T>(
  items: AsyncIterable<T> | Iterable<T>,
  work: (item: T) => Promise<unknown>,
  course: Omit<Course<T>, "failed">,
): Promise<"all" | "out of time"> {
  const failures: Error[] = [];
  const failed = (_item: T, error: unknown): void => {
    failures.push(error instanceof Error ? error : new Error("A part of the work failed.", { cause: error }));
  };
  const reached = await inParallel(items, work, { ...course, failed });
  const [first] = failures;
  if (first !== undefined) throw first;
  return reached;
}

/**
 * Does a work for each item, several at once, until there are no more or the time is up.
 *
 * @returns whether all items were reached
 * @throws whatever the items themselves throw, once the work that has begun is over
 */
export async function inParallel<T>(
  items: AsyncIterable<T> | Iterable<T>,
  work: (item: T) => Promise<unknown>,
  { width, until, now, failed }: Course<T>,
): Promise<"all" | "out of time"> {
  const running = new Set<Promise<void>>();
  const begin = (item: T): void => {
    const one = work(item)
      .then(() => undefined)
      .catch((error: unknown) => failed(item, error))
      .finally(() => running.delete(one));
    running.add(one);
  };
  try {
    for await (const item of items) {
      if (now() >= until) return "out of time";
      begin(item);
      if (running.size >= width) await Promise.race(running);
    }
    return "all";
  } finally {
    await Promise.all(running);
  }
}
