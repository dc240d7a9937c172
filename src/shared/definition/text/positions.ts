import type { LocatedFault } from "../../base/errors.ts";

/** Where something stands: its path in the definition and its offset in the source that was parsed. */
export interface Spot {
  readonly path: string;
  readonly offset: number;
}

/**
 * Turns offsets into lines and columns, both counted from 1, columns in UTF-16 units. YAML's line breaks are LF, CR LF and CR.
 * The starts of the lines are found when the first place is asked for: a definition without a finding never pays.
 */
export class Positions {
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

/** At most this many faults, and as many warnings, are listed one by one: a reply stays readable whatever was sent. */
const maxListed = 100;

/** What a warning says, and, where what was written likely stands for something else, the path of that. */
export interface Advice {
  readonly message: string;
  readonly meant?: { readonly path: string; readonly written: string } | undefined;
}

/** Collects what is wrong (faults) and what is odd (warnings), and gives it back in the order of the text. */
export class Findings {
  readonly #faults: Finding[] = [];
  readonly #warnings: Finding[] = [];
  readonly #leads: Finding[] = [];

  fault(spot: Spot, message: string): void {
    this.#faults.push({ path: spot.path, offset: spot.offset, message });
  }

  /** @param message a function where making the sentence costs something: it is called only for warnings that are listed */
  warn(spot: Spot, message: string | (() => Advice)): void {
    const { path, offset } = this.#warnings.length < maxListed ? spot : { path: "", offset: spot.offset };
    this.#warnings.push({ path, offset, message });
  }

  /** A fault that explains others, and is given first. */
  lead(spot: Spot, message: string): void {
    this.#leads.push({ path: spot.path, offset: spot.offset, message });
  }

  /** What was found so far, to which more may be added apart from the others. */
  copy(): Findings {
    const copied = new Findings();
    copied.#faults.push(...this.#faults);
    copied.#warnings.push(...this.#warnings);
    copied.#leads.push(...this.#leads);
    return copied;
  }

  /** Offsets of the first faults. */
  faultOffsets(max: number): number[] {
    return this.#faults.slice(0, max).map(({ offset }) => offset);
  }

  get failed(): boolean {
    return this.#faults.length > 0;
  }

  /**
   * Faults that a misspelt or misplaced name explains come first, and name it: a caller that sees only the first sentence should see
   * the cause.
   */
  faults(places: Positions): LocatedFault[] {
    const meant = this.#warnings.slice(0, maxListed).flatMap(({ offset, message }) => {
      const advice = adviceOf(message);
      return advice.meant === undefined ? [] : [{ ...advice.meant, line: places.at(offset).line }];
    });
    const leads = inOrder(this.#leads, places, "faults");
    if (meant.length === 0) return [...leads, ...inOrder(this.#faults, places, "faults")];
    const explained: Finding[] = [];
    const others: Finding[] = [];
    for (const fault of this.#faults.slice(0, maxListed)) {
      const cause = meant.find(({ path }) => path === fault.path || path.startsWith(`${fault.path}.`));
      if (cause === undefined || fault.path === "") others.push(fault);
      else explained.push({ ...fault, message: `${adviceOf(fault.message).message} ${causeOf(cause, fault.path)}` });
    }
    for (const fault of this.#faults.slice(maxListed)) others.push(fault);
    return [...leads, ...inOrder(explained, places, "faults"), ...inOrder(others, places, "faults")];
  }

  warnings(places: Positions): LocatedFault[] {
    return inOrder(this.#warnings, places, "warnings");
  }
}

interface Finding extends Spot {
  readonly message: string | (() => Advice);
}

function adviceOf(message: Finding["message"]): Advice {
  return typeof message === "string" ? { message } : message();
}

function causeOf(
  cause: { readonly path: string; readonly written: string; readonly line: number },
  path: string,
): string {
  return `Line ${cause.line} has ${cause.written}, which probably ${cause.path === path ? "stands for it" : "belongs there"}.`;
}

function inOrder(findings: readonly Finding[], places: Positions, what: string): LocatedFault[] {
  const first = findings.slice(0, maxListed).sort((a, b) => a.offset - b.offset);
  const placed = first.map(({ path, offset, message }) => ({
    path,
    ...places.at(offset),
    message: adviceOf(message).message,
  }));
  const more = findings.slice(maxListed);
  const next = more[0];
  if (next) {
    placed.push({
      path: "",
      ...places.at(next.offset),
      message: `${more.length} more ${what} not shown; fix these first.`,
    });
  }
  return placed;
}
