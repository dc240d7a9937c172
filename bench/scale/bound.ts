/**
 * The least that jobs must wait where creates are limited: the fluid bound. Whoever comes first is created as soon as some region's
 * limits let it, at once, by somebody who knows all. Pure.
 */
export interface CreateLimits {
  readonly regions: number;
  readonly perFiveMinutes: number;
  readonly perHour: number;
}

const fiveMinutes = 5 * 60_000;
const hour = 60 * 60_000;

/**
 * When each could be created at the earliest.
 *
 * @param arrivals in order; milliseconds
 */
export function earliestCreates(arrivals: readonly number[], limits: CreateLimits): readonly number[] {
  const regions = Array.from({ length: limits.regions }, (): number[] => []);
  /** When a region takes the next: the uses of a window that are this many back have left it by then. */
  const freeAt = (created: readonly number[]): number =>
    Math.max(
      (created.at(-limits.perFiveMinutes) ?? -Infinity) + fiveMinutes,
      (created.at(-limits.perHour) ?? -Infinity) + hour,
    );
  return arrivals.map((arrival) => {
    const best = regions.reduce((a, b) => (freeAt(b) < freeAt(a) ? b : a));
    const at = Math.max(arrival, freeAt(best));
    best.push(at);
    return at;
  });
}

/** How long each waits at the least. */
export const leastWaits = (arrivals: readonly number[], limits: CreateLimits): readonly number[] =>
  earliestCreates(arrivals, limits).map((at, n) => at - (arrivals[n] ?? NaN));

/** The most creates that are due and not allowed yet, over time. */
export function largestBacklog(arrivals: readonly number[], creates: readonly number[]): number {
  const sorted = creates.toSorted((a, b) => a - b);
  let [most, made] = [0, 0];
  for (const [n, arrival] of arrivals.entries()) {
    while ((sorted[made] ?? Infinity) <= arrival) made++;
    most = Math.max(most, n + 1 - made);
  }
  return most;
}
