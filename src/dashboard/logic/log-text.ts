import { maxShown, withoutAnsi } from "./ansi.ts";

/** A log as it is shown: lines of text, some at a time, with their marks. Pure. */
export interface LoggedText {
  readonly number: number;
  readonly text: string;
  /** The service's own line: it says what is missing here. */
  readonly isMark: boolean;
}

/** With several containers a name stands in front. */
const mark = /^(?:[a-z0-9-]{1,63} \| )?\[aci-proxy\] /;
/** A page that keeps more becomes slow; the download has all. */
export const maxKept = 50_000;

export interface LogText {
  readonly lines: readonly LoggedText[];
  /** The line that has not ended yet. */
  readonly open: string;
  /** How many lines at the beginning are no longer kept. */
  readonly dropped: number;
}

export const emptyLog: LogText = { lines: [], open: "", dropped: 0 };

export function appended({ lines, open, dropped }: LogText, chunk: string): LogText {
  const parts = (open + chunk).split("\n");
  const rest = parts.pop() ?? "";
  const first = (lines.at(-1)?.number ?? dropped) + 1;
  const added = parts.map((text, index): LoggedText => lineOf(text, first + index));
  const all = added.length === 0 ? lines : [...lines, ...added];
  const excess = Math.max(0, all.length - maxKept);
  return { lines: excess === 0 ? all : all.slice(excess), open: rest, dropped: dropped + excess };
}

/** All lines, the open one included. */
export function allOf({ lines, open, dropped }: LogText): readonly LoggedText[] {
  return open === "" ? lines : [...lines, lineOf(open, (lines.at(-1)?.number ?? dropped) + 1)];
}

function lineOf(text: string, number: number): LoggedText {
  const visible = text.endsWith("\r") ? text.slice(0, -1) : text;
  return { number, text: visible, isMark: mark.test(visible) };
}

/** Where in the list of lines a text occurs, in any letter case. */
export function matches(lines: readonly LoggedText[], wanted: string): readonly number[] {
  const needle = wanted.toLowerCase();
  if (needle === "") return [];
  return lines.flatMap(({ text }, index) => (withoutAnsi(text).toLowerCase().includes(needle) ? [index] : []));
}

/** The place of a search among what it found: it goes round in both directions. */
export function roundTo(hit: number, count: number): number {
  return count === 0 ? 0 : ((hit % count) + count) % count;
}

/** Lines in the page at once; more on request. */
export const shownAtOnce = 1000;

/**
 * Which lines are in the page: the last ones, or those around what was found.
 *
 * @param earlier how many before them the reader asked for
 */
export function windowOf(
  count: number,
  found: number | undefined,
  earlier: number,
): { readonly from: number; readonly to: number } {
  const to = found === undefined ? count : Math.min(count, Math.max(shownAtOnce, found + shownAtOnce / 2));
  return { from: Math.max(0, to - shownAtOnce - earlier), to };
}

/** Where a text occurs in a line, with what of a very long line is shown around it. */
export function found(
  line: string,
  wanted: string,
): { readonly before: string; readonly match: string; readonly after: string } | undefined {
  const plain = wanted === "" ? "" : withoutAnsi(line);
  const at = wanted === "" ? -1 : plain.toLowerCase().indexOf(wanted.toLowerCase());
  if (at < 0) return undefined;
  const [from, end] = plain.length > maxShown ? [Math.max(0, at - maxShown / 2), at + maxShown / 2] : [0, plain.length];
  return {
    before: plain.slice(from, at),
    match: plain.slice(at, at + wanted.length),
    after: plain.slice(at + wanted.length, end),
  };
}
