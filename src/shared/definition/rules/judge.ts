import type { Cursor } from "../cursor.ts";
import type { Findings } from "../text/places.ts";

/** What each of the rules gets. Values of a wrong type have been told of already: a rule passes them over. */
export interface Judge {
  readonly findings: Findings;
  /** The whole definition. */
  readonly root: Cursor;
  /** Its `properties`. */
  readonly group: Cursor;
  readonly containers: readonly Cursor[];
  readonly initContainers: readonly Cursor[];
  /** Made from a container group profile or a standby pool, which may say what is missing here. */
  readonly fromProfile: boolean;
}

/** Hands each repetition of a key to `tell`. */
export function repeated(
  cursors: readonly Cursor[],
  keyOf: (cursor: Cursor) => string | undefined,
  tell: (again: Cursor) => void,
): void {
  const seen = new Set<string>();
  for (const cursor of cursors) {
    const key = keyOf(cursor);
    if (key === undefined) continue;
    if (seen.has(key)) tell(cursor);
    seen.add(key);
  }
}

/** Like `2 GB`: sums of tenths without the noise of binary fractions. */
export function sum(numbers: readonly (number | undefined)[]): number {
  return Math.round(numbers.reduce<number>((total, number) => total + (number ?? 0), 0) * 1000) / 1000;
}
