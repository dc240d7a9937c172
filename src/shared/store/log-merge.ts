/**
 * Merging what ACI still has of a container's log into what was captured before. Every line begins with its timestamp, so that a
 * line is stored once however often it was read, and a hole is noticed. Pure.
 */
export interface Merge {
  /** What must be appended, in whole lines with their timestamps. */
  readonly append: string;
  /** True when lines between the two were lost: ACI had already dropped them. */
  readonly hole: boolean;
}

export type LogVerdict = "complete" | "truncated" | "missing";

/** ACI keeps 16 KB or 1,000 lines of a stopped container's log, 4 MB of a running one ("Quotas and limits"). */
const stoppedLimit = { bytes: 15_000, lines: 990 };

/**
 * @param storedTail the end of what is stored, in whole lines; empty when nothing is
 * @param fresh what ACI has now
 */
export function mergeLog(storedTail: string, fresh: string): Merge {
  const lines = linesOf(fresh);
  const stored = linesOf(storedTail);
  const last = stored.at(-1);
  if (last === undefined) return { append: join(lines), hole: couldBeCut(fresh, lines.length) };
  const lastStamp = stampOf(last);
  const alike = stored.filter((line) => stampOf(line) === lastStamp).length;
  let skip = 0;
  let same = 0;
  for (const line of lines) {
    const stamp = stampOf(line);
    if (stamp > lastStamp) break;
    if (stamp === lastStamp && ++same > alike) break;
    skip++;
  }
  const rest = lines.slice(skip);
  return { append: join(rest), hole: skip === 0 && rest.length > 0 && couldBeCut(fresh, lines.length) };
}

/** The lines without their timestamps. */
export function plainLog(stamped: string): string {
  return linesOf(stamped)
    .map((line) => line.slice(stampOf(line).length).replace(/^ /, ""))
    .map((line) => `${line}\n`)
    .join("");
}

/** The last lines that fit into so many bytes of UTF-8; a single line that is longer is cut at its front. */
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

/** A program may end with one line of JSON, an object: that is its result. */
export function resultOf(output: string): Record<string, unknown> | undefined {
  const last = output.trimEnd().split("\n").at(-1)?.trim() ?? "";
  if (!last.startsWith("{") || !last.endsWith("}") || last.length > 64 * 1024) return undefined;
  try {
    const value: unknown = JSON.parse(last);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function stampOf(line: string): string {
  const space = line.indexOf(" ");
  const stamp = space === -1 ? line : line.slice(0, space);
  return /^\d{4}-\d\d-\d\dT\S*$/.test(stamp) ? stamp : "";
}

function join(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

function couldBeCut(text: string, lines: number): boolean {
  return Buffer.byteLength(text) >= stoppedLimit.bytes || lines >= stoppedLimit.lines;
}
