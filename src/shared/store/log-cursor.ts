import { linesFrom, type LogSource } from "./log-reader.ts";
import type { LogPiece } from "./captured-logs.ts";
import { linesOf, mergeLog } from "./log-merge.ts";

/** A container's log as it is now. */
export interface LogNow {
  readonly pieces: readonly LogPiece[];
  /** What the last capture added, with timestamps: the end of the pieces. */
  readonly added: string;
  /** All that ACI has, where that is not stored. */
  readonly unstored: string | undefined;
}

/** How much of what was shown is remembered, to tell what is new in what was not stored. */
const rememberedBytes = 64 * 1024;

/**
 * How far somebody has read a log. It moves only over lines that were handed out, so that a read that fails makes nobody miss a line,
 * or see it twice.
 */
export class LogCursor {
  readonly #source: LogSource;
  readonly #begin: (pieces: readonly LogPiece[]) => Promise<number>;
  #at: number | undefined;
  /** The end of what was handed out. */
  #shown = "";
  /** Whether lines were handed out that were not stored then: they come again from storage. */
  #ahead = false;

  /** @param begin where to begin, once something is known of the log */
  constructor(source: LogSource, begin: (pieces: readonly LogPiece[]) => Promise<number>) {
    this.#source = source;
    this.#begin = begin;
  }

  /** True when no line was handed out yet. */
  get isEmpty(): boolean {
    return this.#shown === "";
  }

  /** The lines that came since the last time, some at a time. */
  async *next({ pieces, added, unstored }: LogNow): AsyncGenerator<readonly string[]> {
    if (pieces.length > 0) {
      this.#at ??= await this.#begin(pieces);
      const end = pieces.at(-1)?.end ?? 0;
      const isAdded = added !== "" && this.#at === end - Buffer.byteLength(added);
      if (isAdded) yield* this.#hand(linesOf(added), end);
      else
        for await (const { lines, next } of linesFrom(this.#source, pieces, this.#at)) yield* this.#hand(lines, next);
    }
    if (unstored === undefined) return;
    const lines = this.#beyond(unstored);
    if (lines.length === 0) return;
    this.#ahead = true;
    this.#remember(lines);
    yield lines;
  }

  *#hand(lines: readonly string[], next: number): Generator<readonly string[]> {
    const fresh = this.#ahead ? this.#beyond(lines.map((line) => `${line}\n`).join("")) : lines;
    if (fresh.length > 0 || lines.at(-1) === linesOf(this.#shown).at(-1)) this.#ahead = false;
    this.#remember(fresh);
    // Before it is handed out: whoever takes it may not come back.
    this.#at = next;
    if (fresh.length > 0) yield fresh;
  }

  /** Those of these lines that were not handed out yet. */
  #beyond(text: string): readonly string[] {
    return linesOf(mergeLog(this.#shown, text, { container: "running", restarted: false }).append);
  }

  #remember(lines: readonly string[]): void {
    let shown = this.#shown;
    for (const line of lines.slice(-5000)) shown += `${line}\n`;
    if (shown.length > 2 * rememberedBytes)
      shown = shown.slice(shown.indexOf("\n", shown.length - rememberedBytes) + 1);
    this.#shown = shown;
  }
}
