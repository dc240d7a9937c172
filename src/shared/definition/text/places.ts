import type { PlacedFault } from "../../base/errors.ts";

/** Where something stands: its path in the definition and its offset in the source that was parsed. */
export interface Spot {
  readonly path: string;
  readonly offset: number;
}

/**
 * Turns offsets into lines and columns, both counted from 1, columns in UTF-16 units. YAML's line breaks are LF, CR LF and CR.
 * The starts of the lines are found when the first place is asked for: a definition without a finding never pays.
 */
export class Places {
  readonly #source: string;
  /** Lines, counted from 0, that got `indent` spaces put before them; their columns are given as the caller wrote them. */
  readonly #padded: ReadonlySet<number>;
  readonly #indent: number;
  #starts: number[] | undefined;

  constructor(source: string, padded: ReadonlySet<number> = new Set(), indent = 0) {
    this.#source = source;
    this.#padded = padded;
    this.#indent = indent;
  }

  /** The offset of the first character of a line, counted from 0, as the caller wrote it. */
  startOf(line: number): number {
    const starts = (this.#starts ??= lineStarts(this.#source));
    return (starts[line] ?? 0) + (this.#padded.has(line) ? this.#indent : 0);
  }

  at(offset: number): { line: number; column: number } {
    const starts = (this.#starts ??= lineStarts(this.#source));
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    const column = offset - (starts[low] ?? 0) - (this.#padded.has(low) ? this.#indent : 0);
    return { line: low + 1, column: Math.max(column, 0) + 1 };
  }
}

function lineStarts(source: string): number[] {
  const starts = [0];
  for (const { index, 0: lineBreak } of source.matchAll(/\r\n?|\n/g)) starts.push(index + lineBreak.length);
  return starts;
}

/** So many faults, and as many warnings, are told one by one: a reply stays readable whatever was sent. */
const told = 100;

/** Collects what is wrong (faults) and what is odd (warnings), and gives it back in the order of the text. */
export class Findings {
  readonly #faults: Finding[] = [];
  readonly #warnings: Finding[] = [];

  fault(spot: Spot, message: string): void {
    this.#faults.push({ path: spot.path, offset: spot.offset, message });
  }

  /** @param message a function where making the sentence costs something: it is called only for those that are told */
  warn(spot: Spot, message: string | (() => string)): void {
    const { path, offset } = this.#warnings.length < told ? spot : { path: "", offset: spot.offset };
    this.#warnings.push({ path, offset, message });
  }

  get failed(): boolean {
    return this.#faults.length > 0;
  }

  faults(places: Places): PlacedFault[] {
    return inOrder(this.#faults, places, "faults");
  }

  warnings(places: Places): PlacedFault[] {
    return inOrder(this.#warnings, places, "warnings");
  }
}

interface Finding extends Spot {
  readonly message: string | (() => string);
}

function inOrder(findings: readonly Finding[], places: Places, what: string): PlacedFault[] {
  const first = findings.slice(0, told).sort((a, b) => a.offset - b.offset);
  const placed = first.map(({ path, offset, message }) => ({
    path,
    ...places.at(offset),
    message: typeof message === "string" ? message : message(),
  }));
  const more = findings.slice(told);
  const next = more[0];
  if (next) {
    placed.push({ path: "", ...places.at(next.offset), message: `And ${more.length} more ${what}: mend these first.` });
  }
  return placed;
}
