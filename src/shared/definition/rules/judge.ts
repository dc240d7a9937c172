import type { Cursor } from "../cursor.ts";
import { fillIn, leftover } from "../placeholders.ts";
import type { Findings } from "../text/positions.ts";

/** What each of the rules gets. Values of a wrong type are reported already: a rule skips them. */
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

/**
 * A fault where a placeholder or an expression is left in a text that names something, which no service has under such a name.
 *
 * @returns whether one is
 */
export function judgeLeftover(cursor: Cursor, what: string, advice: string, findings: Findings): boolean {
  const left = leftover(cursor.text ?? "");
  if (left !== undefined) findings.fault(cursor, `${left} is left in ${what}; ${fillIn(left, advice)}.`);
  return left !== undefined;
}

/** A warning where a password, key or name begins or ends with blanks or a line break, as one that was read from a file does. */
export function warnOfEdges(cursor: Cursor, name: string, findings: Findings): void {
  const { text } = cursor;
  if (text === undefined || text.trim() === text) return;
  const what = /[\r\n]\s*$/.test(text.slice(-10)) ? "ends with a line break" : "begins or ends with a blank";
  findings.warn(cursor, `${name} ${what}, which becomes a part of it; remove that, or it is likely to be refused.`);
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
