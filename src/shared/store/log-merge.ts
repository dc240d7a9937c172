/**
 * Merging what ACI still has of a container's log into what was captured before. Every line begins with its timestamp, so that a line
 * is stored once however often it was read; what is missing is marked in the text itself. Pure.
 */
export interface Merge {
  /** What must be appended, in whole lines with their timestamps; a gap's mark among them. */
  readonly append: string;
  /** True when lines between the two are missing, or may be. */
  readonly gap: boolean;
  /** True when too little was read to say: nothing is appended, and all must be read. */
  readonly tooLittle?: boolean;
}

export type LogVerdict = "complete" | "truncated" | "missing";

/** How a log was read. */
export interface LogRead {
  /**
   * What the container did: while it runs ACI keeps 4 MB of its log, once it has ended 16 KB or 1,000 lines ("Quotas and limits").
   * `unknown`: it was not observed just before, and may have ended.
   */
  readonly container: "running" | "ended" | "unknown";
  /** Whether it was started again before: of earlier runs ACI has nothing any more. */
  readonly restarted: boolean;
  /** Whether only the last lines were asked for. */
  readonly part?: boolean;
}

/** Our own lines in a log begin so, after their timestamp. */
const markPrefix = "[aci-proxy] ";

/** A line of our own, without its end. */
export function markLine(stamp: string, text: string): string {
  return `${stamp === "" ? "" : `${stamp} `}${markPrefix}${text}`;
}

export function isMark(line: string): boolean {
  return textOf(line).startsWith(markPrefix);
}

/**
 * @param storedTail the end of what is stored, in whole lines; empty when nothing is
 * @param content what ACI has now
 */
export function mergeLog(storedTail: string, content: string, read: LogRead): Merge {
  // As it is stored: half a surrogate pair is no character.
  const lines = wholeLines(Buffer.from(content).toString("utf8"), read.container === "ended");
  if (lines.length === 0) return { append: "", gap: false };
  const stored = linesOf(storedTail).filter((line) => !isMark(line));
  // This may be the whole log or a tail: the next observation shows it.
  if (stored.length === 0 && read.container === "unknown" && couldBeCut(lines, ended))
    return { append: "", gap: false };
  const isCut = read.part === true || couldBeCut(lines, read.container === "running" ? running : ended);
  const known = knownLines(stored, lines, isCut);
  if (known > 0) return { append: join(lines.slice(known)), gap: false };
  if (read.part) return { append: "", gap: false, tooLittle: true };
  const mark = gapMark(stored.at(-1), lines, read);
  return mark === undefined
    ? { append: join(lines), gap: false }
    : { append: join([markLine(stampOf(lines[0] ?? ""), mark), ...lines]), gap: true };
}

/** What is said where the lines that were read do not follow on the stored ones; `undefined` when nothing is missing. */
function gapMark(last: string | undefined, lines: readonly string[], read: LogRead): string | undefined {
  if (last === undefined) {
    if (read.restarted)
      return "The container was started again before its log was first read: what it wrote before is missing.";
    const limits = read.container === "ended" ? ended : running;
    if (!couldBeCut(lines, limits)) return undefined;
    return `Earlier lines may be missing here: Container Instances had only the last ${limits.kept} when the log was first read.`;
  }
  const [from, to] = [timeOf(last), timeOf(lines[0] ?? "")];
  if (from === undefined || to === undefined || to < from) return "Lines may be missing here.";
  const between = `between ${shownTime(from)} and ${shownTime(to)} (${seconds(to - from)} s)`;
  return read.restarted
    ? `The container was started again here. What its earlier run wrote last, ${between}, may be missing.`
    : `Lines may be missing here: Container Instances no longer showed what was written ${between}.`;
}

/** An unfinished line of a container that runs comes whole with a later read. */
function wholeLines(content: string, ended: boolean): string[] {
  const lines = content.split("\n");
  const rest = lines.pop() ?? "";
  return ended && rest !== "" ? [...lines, rest] : lines;
}

/** How many of the lines that were read are stored already; 0 when the two don't meet. */
function knownLines(stored: readonly string[], lines: readonly string[], isCut: boolean): number {
  return lastIndexAfter(lines, stored) || overlap(stored, lines) || knownByTime(stored, lines, isCut);
}

/** Where the first occurrence of these lines in others ends; 0 when they do not occur. */
function lastIndexAfter(lines: readonly string[], wanted: readonly string[]): number {
  if (wanted.length === 0) return 0;
  const fall = fallbacks(wanted);
  let matched = 0;
  for (const [index, line] of lines.entries()) {
    while (matched > 0 && wanted[matched] !== line) matched = fall[matched - 1] ?? 0;
    if (wanted[matched] === line) matched++;
    if (matched === wanted.length) return index + 1;
  }
  return 0;
}

/** The most lines with which the first ends and the second begins. */
function overlap(first: readonly string[], second: readonly string[]): number {
  const fall = fallbacks(second);
  let matched = 0;
  for (const line of first) {
    while (matched > 0 && (matched === second.length || second[matched] !== line)) matched = fall[matched - 1] ?? 0;
    if (second[matched] === line) matched++;
  }
  return matched;
}

/** Knuth, Morris and Pratt: how many lines still match where the next one does not. */
function fallbacks(pattern: readonly string[]): readonly number[] {
  const fall = [0];
  let matched = 0;
  for (let index = 1; index < pattern.length; index++) {
    while (matched > 0 && pattern[matched] !== pattern[index]) matched = fall[matched - 1] ?? 0;
    if (pattern[matched] === pattern[index]) matched++;
    fall.push(matched);
  }
  return fall;
}

/**
 * By timestamps alone, for lines whose text changed (other secrets are masked now): those of one moment are counted. Where
 * earlier ones may be cut off they can't be: then only the end of a stored line, all that ACI has of it, is known.
 */
function knownByTime(stored: readonly string[], lines: readonly string[], isCut: boolean): number {
  const lastStamp = stampOf(stored.at(-1) ?? "");
  if (lastStamp === "") return 0;
  const alike = stored.filter((line) => stampOf(line) === lastStamp);
  const first = lines[0] ?? "";
  if (isCut && stampOf(first) === lastStamp) {
    const isEnd = Buffer.byteLength(textOf(first)) >= ended.bytes && alike.some((line) => line.endsWith(textOf(first)));
    if (!isEnd) return 0;
  }
  let known = 0;
  let same = 0;
  for (const line of lines) {
    const stamp = stampOf(line);
    if (stamp > lastStamp || (stamp === lastStamp && ++same > alike.length)) break;
    known++;
  }
  return known;
}

/** What ACI keeps of a log, in words, and just under it: bytes, and lines. */
interface Kept {
  readonly kept: string;
  /** With timestamps, or of text alone: what it counts is not published, so the safer of the two. */
  readonly of: "all" | "text";
  readonly bytes: number;
  readonly lines: number;
}

const running: Kept = { kept: "4 MB", of: "all", bytes: 3_800_000, lines: Infinity };
const ended: Kept = { kept: "16 KB or 1,000 lines", of: "text", bytes: 16_000, lines: 990 };
/** A line that was dropped before these may have been this many times as long as the longest of them. */
const longerLine = 8;

/** Whether lines that nothing is stored before may be the end of a longer log. */
function couldBeCut(lines: readonly string[], limits: Kept): boolean {
  const sizes = lines.map((line) => Buffer.byteLength(limits.of === "all" ? line : textOf(line)) + 1);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  const longest = sizes.reduce((max, size) => Math.max(max, size), 0);
  const dropped = limits.of === "all" ? Math.min(longest, limits.bytes / 10) : longerLine * longest;
  return lines.length >= limits.lines || bytes + dropped > limits.bytes;
}

/** The lines without their timestamps. */
export function plainLog(stamped: string): string {
  return linesOf(stamped)
    .map((line) => `${textOf(line)}\n`)
    .join("");
}

/** A line without its timestamp. */
export function textOf(line: string): string {
  const stamp = stampOf(line);
  return stamp === "" ? line : line.slice(stamp.length + 1);
}

/** The last lines that fit into this many bytes of UTF-8; a single line that is longer is cut at its front. */
export function tailOf(text: string, limit: number): { readonly text: string; readonly truncated: boolean } {
  const bytes = Buffer.from(text);
  if (bytes.length <= limit) return { text, truncated: false };
  if (limit === 0) return { text: "", truncated: true };
  // A cut inside a character leaves continuation bytes, which are dropped too.
  let from = bytes.length - limit;
  while (from < bytes.length && ((bytes[from] ?? 0) & 0xc0) === 0x80) from++;
  const cut = bytes.subarray(from).toString("utf8");
  const line = cut.indexOf("\n");
  const whole = line === -1 || line === cut.length - 1 ? cut : cut.slice(line + 1);
  return { text: whole, truncated: true };
}

export function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

const stampShape = /^\d{4}-\d\d-\d\dT[^ ]{8,30}(?= |$)/;

/** A line's timestamp as ACI wrote it; empty when it has no timestamp. */
export function stampOf(line: string): string {
  return stampShape.exec(line)?.[0] ?? "";
}

/** A line's time, in milliseconds since 1970. */
export function timeOf(line: string): number | undefined {
  const at = Date.parse(stampOf(line));
  return Number.isNaN(at) ? undefined : at;
}

function shownTime(at: number): string {
  return new Date(at).toISOString();
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

function join(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}
