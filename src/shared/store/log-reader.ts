import type { LogPiece } from "./captured-logs.ts";
import { linesOf, markLine, stampOf, timeOf } from "./log-merge.ts";

/**
 * Reading a stored log in ranges, so that no more of it is read than is asked for, and no more than a range is in memory.
 * Positions are those of {@link LogPiece}.
 */
export interface LogSource {
  /** `undefined` when the piece was removed meanwhile. */
  bytes(piece: LogPiece, from: number, to: number): Promise<Buffer | undefined>;
}

const rangeBytes = 256 * 1024;
/** The end of a log is looked for in ranges that grow from here. */
const endBytes = 32 * 1024;
const probeBytes = 8 * 1024;

export interface LogLines {
  /** Whole lines with their timestamps. */
  readonly lines: readonly string[];
  /** Where to go on. */
  readonly next: number;
}

/** All lines from a position on; where pieces were removed, a line that says how much is missing. */
export async function* linesFrom(
  source: LogSource,
  pieces: readonly LogPiece[],
  from: number,
): AsyncGenerator<LogLines> {
  let at = from;
  for (const piece of pieces) {
    if (piece.end <= at) continue;
    // A log may be read from its end by somebody who has seen what was removed since.
    let missing = Math.max(0, piece.start - at);
    at = Math.max(at, piece.start);
    let rest = Buffer.alloc(0);
    while (at < piece.end) {
      const read = await source.bytes(piece, at, Math.min(piece.end, at + rangeBytes));
      if (read === undefined) {
        missing += piece.end - at;
        at = piece.end;
        yield { lines: [missingMark("", missing)], next: at };
        break;
      }
      at += read.length;
      const bytes = Buffer.concat([rest, read]);
      const end = at >= piece.end ? bytes.length : bytes.lastIndexOf(0x0a) + 1;
      rest = bytes.subarray(end);
      const lines = linesOf(bytes.toString("utf8", 0, end));
      if (lines.length === 0) continue;
      const marked = missing === 0 ? lines : [missingMark(stampOf(lines[0] ?? ""), missing), ...lines];
      missing = 0;
      yield { lines: marked, next: at - rest.length };
    }
  }
}

function missingMark(stamp: string, bytes: number): string {
  const shown = bytes.toLocaleString("en-US");
  return markLine(stamp, `${shown} bytes are missing here: of a log this long the beginning and the end are kept.`);
}

/** Where the last lines begin. */
export async function lastLinesAt(source: LogSource, pieces: readonly LogPiece[], count: number): Promise<number> {
  const end = pieces.at(-1)?.end ?? 0;
  if (count === 0) return end;
  let ends = 0;
  for (const piece of pieces.toReversed()) {
    let range = endBytes;
    for (let to = piece.end; to > piece.start; range = Math.min(range * 2, rangeBytes)) {
      const from = Math.max(piece.start, to - range);
      const bytes = (await source.bytes(piece, from, to)) ?? Buffer.alloc(0);
      for (let index = bytes.length - 1; index >= 0; index--) {
        if (bytes[index] !== 0x0a || from + index === end - 1) continue;
        if (++ends === count) return from + index + 1;
      }
      to = from;
    }
  }
  return pieces.at(0)?.start ?? 0;
}

/** Where to begin to find every line written at or after a time; a little before the first of them. Lines come in order of time. */
export async function positionOf(source: LogSource, pieces: readonly LogPiece[], since: number): Promise<number> {
  let found = pieces.at(0);
  for (const piece of pieces.slice(1)) {
    const first = await lineAt(source, piece, piece.start);
    if (first === undefined || first.time >= since) break;
    found = piece;
  }
  if (found === undefined) return 0;
  let [low, high] = [found.start, found.end];
  while (high - low > rangeBytes) {
    const probe = await lineAt(source, found, Math.floor((low + high) / 2));
    if (probe === undefined || probe.at >= high) return low;
    if (probe.time < since) low = probe.at;
    else high = probe.at;
  }
  return low;
}

/** The first line with a time that begins at or after a position, in what can be seen from there. */
async function lineAt(
  source: LogSource,
  piece: LogPiece,
  position: number,
): Promise<{ readonly at: number; readonly time: number } | undefined> {
  for (let range = probeBytes; range <= rangeBytes; range *= 32) {
    const to = Math.min(piece.end, position + range);
    const text = (await source.bytes(piece, position, to))?.toString("latin1") ?? "";
    let at = position === piece.start ? 0 : text.indexOf("\n") + 1;
    if (at === 0 && position !== piece.start) continue;
    while (at < text.length) {
      const time = timeOf(text.slice(at, at + 40));
      if (time !== undefined) return { at: position + at, time };
      const end = text.indexOf("\n", at);
      if (end === -1) break;
      at = end + 1;
    }
  }
  return undefined;
}
