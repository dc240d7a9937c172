import { minute } from "../base/duration.ts";
import { maxChildNumber } from "../base/ids.ts";
import { endOfIndex, triesOf, type ArrayOutcomes } from "./array-outcomes.ts";
import type { ArrayState, Pack, Packing } from "./job.ts";

/**
 * Which items of an array are put into which packs. What is in flight and what waits follows from the array's row and the counts alone:
 * an item is in a pack of the row, or has an end, or was not begun, or waits for another try. Pure.
 */

/** How long items that are to be tried again wait for others to fill a pack with, while other packs run that may bring them. */
export const gatherTime = 10 * minute;
/** How many packs one step makes. */
const maxStep = 100;

/** What an array of packs knows, and the indexes that run, in order. */
export interface Packed {
  readonly packing: Packing;
  readonly array: ArrayState;
  readonly indexes: readonly number[];
}

/** The packs of which the end is not counted yet. */
export function livePacks({ packs }: Packing, outcomes: ArrayOutcomes): readonly Pack[] {
  return packs.filter(({ items: [first = 0], tries }) => triesOf(outcomes, first) === tries);
}

/** The indexes that were tried and wait for another try, in order. */
function waitingItems({ packing, array, indexes }: Packed, outcomes: ArrayOutcomes): readonly number[] {
  const inFlight = new Set(livePacks(packing, outcomes).flatMap(({ items }) => items));
  return indexes
    .slice(0, array.made)
    .filter((index) => endOfIndex(outcomes, index) === undefined && !inFlight.has(index));
}

/** What is put into packs now. */
export interface NextPacks {
  readonly packing: Packing;
  readonly made: number;
  /** When a pack is made that is not full; `undefined` where nothing waits to fill one, or no more packs may be made now. */
  readonly gatheredAt: number | undefined;
}

/**
 * The first packs have the indexes in order. Once all have begun, those that are to be tried again share packs, full ones for as long as
 * others may come.
 *
 * @param count how many packs may be made now
 */
export function nextPacks(packed: Packed, outcomes: ArrayOutcomes, count: number, now: number): NextPacks {
  const { packing, array, indexes } = packed;
  const { size } = packing;
  const packs = [...livePacks(packing, outcomes)];
  const waiting = [...waitingItems(packed, outcomes)];
  let { next } = packing;
  let { made } = array;
  const waitsSince = waiting.length === 0 ? undefined : (packing.waitsSince ?? now);
  const add = (items: readonly number[]): void => {
    const [first = 0] = items;
    packs.push({ number: next++, items: [...items], tries: triesOf(outcomes, first), at: now });
  };
  const mayAdd = (added: number): boolean => added < Math.min(count, maxStep) && next <= maxChildNumber;
  let added = 0;
  for (; mayAdd(added); added++) {
    if (made < indexes.length) {
      add(indexes.slice(made, made + size));
      made = Math.min(made + size, indexes.length);
    } else if (waiting.length >= size || (waiting.length > 0 && (packs.length === 0 || isGathered(waitsSince, now))))
      add(waiting.splice(0, size));
    else break;
  }
  const { waitsSince: _before, ...rest } = packing;
  const since = waiting.length === 0 ? undefined : waitsSince;
  return {
    packing: { ...rest, packs, next, ...(since === undefined ? {} : { waitsSince: since }) },
    made,
    gatheredAt: since !== undefined && made === indexes.length && added < count ? since + gatherTime : undefined,
  };
}

function isGathered(since: number | undefined, now: number): boolean {
  return since !== undefined && now >= since + gatherTime;
}

/** Packs that are not known to have been made. */
export function unmade({ packs }: Packing): readonly Pack[] {
  return packs.filter(({ at }) => at !== undefined);
}

/** They are there. */
export function packsMade(packing: Packing): Packing {
  return { ...packing, packs: packing.packs.map(({ at: _at, ...pack }) => pack) };
}
