import { withoutAnsi } from "./ansi.ts";

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
