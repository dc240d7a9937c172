/** When those who wait for slots are expected to get one. Pure. */
export interface Holding {
  /** How many slots are held. */
  readonly held: number;
  /** How many may be held, whatever a waiter's own limit is. */
  readonly most: number;
  /** When those that hold one are expected to end, as far as that is known. */
  readonly ends: readonly number[];
  /** For how long one is held, as far as nothing else is known. */
  readonly time: number;
}

/**
 * Who waits gets the first slot that is free, in the order of the line; the head is never overtaken.
 *
 * @param waiters each with the number of slots below which it may begin
 * @returns for each when it begins; `undefined` for one that never does as things are, and for all behind it
 */
export function expectedStarts(
  waiters: readonly { readonly limit: number }[],
  { held, most, ends, time }: Holding,
  now: number,
): readonly (number | undefined)[] {
  const unknown = Array.from({ length: Math.max(0, held - ends.length) }, () => now + time);
  const before = [...ends.slice(0, held), ...unknown].sort((a, b) => a - b);
  const starts: (number | undefined)[] = [];
  let [at, holding, left, leaving] = [now, held, 0, 0];
  for (const { limit } of waiters) {
    const own = Math.min(limit, most);
    if (own < 1) break;
    for (; holding >= own; holding--) {
      // Those that began from the line end in the order in which they began.
      const [old = Infinity, begun = Infinity] = [before[left], addTo(starts[leaving], time)];
      if (old <= begun) left++;
      else leaving++;
      at = Math.max(at, Math.min(old, begun));
    }
    starts.push(at);
    holding++;
  }
  return waiters.map((_, n) => starts[n]);
}

const addTo = (at: number | undefined, time: number): number | undefined => (at === undefined ? undefined : at + time);
