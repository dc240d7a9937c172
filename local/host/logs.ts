/**
 * The host's log: JSON lines, filtered by `logging.logLevel` of host.json.
 * Categories are the real host's: `Function.NAME` (the host about a run), `Function.NAME.User` (context.log), `Host.*`, `Worker`.
 */
import { closeSync, openSync, writeSync } from "node:fs";

const ORDER = ["trace", "debug", "information", "warning", "error", "critical", "none"] as const;
export type LogLevel = (typeof ORDER)[number];

interface LogEntry {
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly level: LogLevel;
  readonly category: string;
  readonly message: string;
  readonly function?: string;
  readonly invocationId?: string;
}

export interface LogScope {
  readonly function: string;
  readonly invocationId: string;
}

export interface LogSink {
  write(line: string): void;
  close(): void;
}

/** Reads a level of host.json, in any case; undefined when it is not a level. */
export function parseLevel(text: string): LogLevel | undefined {
  return ORDER.find((level) => level === text.toLowerCase());
}

/**
 * The least level that a category writes. As in Microsoft.Extensions.Logging the longest key that the category starts with
 * wins, then `default`, then Information.
 */
export function levelFor(category: string, levels: Readonly<Record<string, LogLevel>>): LogLevel {
  const wanted = category.toLowerCase();
  let best: { readonly length: number; readonly level: LogLevel } | undefined;
  for (const [key, level] of Object.entries(levels)) {
    const prefix = key.toLowerCase();
    if (prefix !== "default" && wanted.startsWith(prefix) && prefix.length > (best?.length ?? -1))
      best = { length: prefix.length, level };
  }
  return best?.level ?? levels["default"] ?? "information";
}

export class Logs {
  readonly #levels: Readonly<Record<string, LogLevel>>;
  readonly #sink: LogSink;
  readonly #threshold = new Map<string, number>();

  constructor(levels: Readonly<Record<string, LogLevel>>, sink: LogSink) {
    this.#levels = levels;
    this.#sink = sink;
  }

  enabled(level: LogLevel, category: string): boolean {
    let threshold = this.#threshold.get(category);
    if (threshold === undefined) {
      threshold = ORDER.indexOf(levelFor(category, this.#levels));
      this.#threshold.set(category, threshold);
    }
    return level !== "none" && ORDER.indexOf(level) >= threshold;
  }

  write(level: LogLevel, category: string, message: string, scope?: LogScope): void {
    if (!this.enabled(level, category)) return;
    const entry: LogEntry = { time: new Date().toISOString(), level, category, message, ...scope };
    this.#sink.write(`${JSON.stringify(entry)}\n`);
  }

  close(): void {
    this.#sink.close();
  }
}

/** A line is on its way after this at the latest: one write for many lines, where a write for each costs more than the run itself. */
const FLUSH_MS = 10;

/**
 * Writes to a file, or to stdout without one. However the process ends, but for SIGKILL, all that was logged is written.
 * @throws the system's error when the file can't be opened.
 */
export function logSink(path?: string): LogSink {
  const file = path === undefined ? undefined : openSync(path, "a");
  let pending = "";
  let open = true;
  const flush = (): void => {
    const text = pending;
    pending = "";
    if (text === "") return;
    if (file === undefined) process.stdout.write(text);
    else writeSync(file, text);
  };
  process.on("exit", flush);
  return {
    write(line) {
      if (!open) return; // a run that outlived the drain time
      if (pending === "") setTimeout(flush, FLUSH_MS);
      pending += line;
    },
    close() {
      if (!open) return; // a host that is asked to stop while it gives up its worker closes twice
      process.off("exit", flush);
      flush();
      open = false;
      if (file !== undefined) closeSync(file);
    },
  };
}
