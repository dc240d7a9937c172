/** An array as a grid of cells, one an index: what each letter of the record's `ends` stands for, which cells fit, and where keys lead. Pure. */

/** What became of an index, in the order in which the counts are shown. Its sign and tone are those of the state, or its own. */
export const outcomes = [
  { letter: "F", state: "Failed", label: "Failed" },
  { letter: "T", state: "TimedOut", label: "Timed out" },
  { letter: "O", state: "Stopped", label: "Stopped" },
  { letter: "C", state: "Canceled", label: "Canceled" },
  { letter: "A", state: "Running", label: "Active" },
  { letter: ".", state: "Not started", label: "Not started" },
  { letter: "S", state: "Succeeded", label: "Succeeded" },
  { letter: "-", state: "Left out", label: "Not of this run" },
] as const;
export type Outcome = (typeof outcomes)[number];

const byLetter = new Map<string, Outcome>(outcomes.map((each) => [each.letter, each]));
const unknown = { letter: "?", state: "Unknown", label: "Not known" } as const;

export const outcomeOf = (letter: string | undefined): Outcome | typeof unknown =>
  byLetter.get(letter ?? "") ?? unknown;

/** Those that occur, with how often. */
export function countsOf(ends: string): readonly (readonly [Outcome, number])[] {
  const counts = new Map<string, number>();
  for (const letter of ends) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  return outcomes.flatMap((each) => {
    const count = counts.get(each.letter);
    return count === undefined ? [] : [[each, count] as const];
  });
}

/** The indexes that are shown; all where no letter is chosen. */
export function indexesOf(ends: string, letter: string | undefined): readonly number[] {
  const all: number[] = [];
  for (let index = 0; index < ends.length; index++) if (letter === undefined || ends[index] === letter) all.push(index);
  return all;
}

/** How many cells stand in a row: tens, so that an index is found by counting. */
export function columnsIn(width: number, cell: number): number {
  const fit = Math.floor(width / cell);
  return fit < 10 ? Math.max(1, fit) : fit - (fit % 10);
}

/** Where a key leads from a place among `count` cells; `undefined` for a key that means nothing here. */
export function stepFrom(
  key: string,
  place: number,
  { count, columns, rows }: { readonly count: number; readonly columns: number; readonly rows: number },
): number | undefined {
  const steps: Readonly<Record<string, number>> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns,
    ArrowDown: columns,
    PageUp: -columns * rows,
    PageDown: columns * rows,
    Home: -count,
    End: count,
  };
  const step = steps[key];
  if (step === undefined) return undefined;
  // A step off the last row leads to the last cell, one off the first to the first.
  return Math.max(0, Math.min(count - 1, place + step));
}

interface Counts {
  readonly runs: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly stopped: number;
  readonly timedOut: number;
  readonly canceled: number;
}

/** Of a row of the list; the cell of a row that somebody edited may be any text. */
export function shares(array: Counts): {
  readonly good: number;
  readonly bad: number;
  readonly quiet: number;
} {
  const { succeeded: good, canceled: quiet } = array;
  const bad = array.failed + array.stopped + array.timedOut;
  return { good, bad, quiet };
}

/** `270 of 300, 17 failed`: how many succeeded, and what else ended. */
export function countsText(array: Counts): string {
  const { good, bad, quiet } = shares(array);
  return [`${good} of ${array.runs}`, bad === 0 ? "" : `${bad} failed`, quiet === 0 ? "" : `${quiet} canceled`]
    .filter(Boolean)
    .join(", ");
}
