import { closeSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";

/** More than the 4 MB that the service shows of a running container's log, so that the oldest half may go at once. */
const SEGMENT = 4 * 1024 * 1024;

/** A longer line is cut in pieces, as container runtimes do. */
const LONGEST_LINE = 16 * 1024;

const NEWLINE = 10;

/**
 * The output of one run of a container in at most two files: lines that begin with the time (RFC 3339, nanoseconds) at which
 * their first byte came. Written synchronously: a container that writes faster than the disk waits in its pipe.
 */
export class RingLog {
  readonly #path: string;
  readonly #now: () => number;
  readonly #partial = new Map<string, { time: string; bytes: Buffer }>();
  #file: number | undefined;
  #size = 0;

  /** Begins an empty log. */
  constructor(path: string, now: () => number) {
    this.#path = path;
    this.#now = now;
    rmSync(`${path}.old`, { force: true });
    this.#file = openSync(path, "w", 0o600);
  }

  /** `stream` keeps lines of stdout and stderr apart while they are incomplete. */
  append(stream: string, chunk: Buffer): void {
    const time = rfc3339(this.#now());
    const held = this.#partial.get(stream);
    this.#partial.delete(stream);
    let rest = held ? Buffer.concat([held.bytes, chunk]) : chunk;
    let lineTime = held?.time ?? time;
    const lines: Buffer[] = [];
    while (rest.length > 0) {
      const newline = rest.indexOf(NEWLINE);
      const whole = newline >= 0 && newline <= LONGEST_LINE;
      if (!whole && rest.length < LONGEST_LINE) break;
      const line = rest.subarray(0, whole ? newline : LONGEST_LINE);
      lines.push(Buffer.from(`${lineTime} `), line, Buffer.from("\n"));
      rest = rest.subarray(whole ? newline + 1 : LONGEST_LINE);
      lineTime = time;
    }
    if (rest.length > 0) this.#partial.set(stream, { time: lineTime, bytes: Buffer.from(rest) });
    if (lines.length > 0) this.#write(Buffer.concat(lines));
  }

  /** Writes what had no newline yet, and leaves it without one. */
  end(): void {
    const rest = [...this.#partial.values()].map(({ time, bytes }) => Buffer.concat([Buffer.from(`${time} `), bytes]));
    rest.forEach((line, index) => {
      this.#write(index < rest.length - 1 ? Buffer.concat([line, Buffer.from("\n")]) : line);
    });
    this.#partial.clear();
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #write(bytes: Buffer): void {
    if (this.#file === undefined) return;
    if (this.#size > 0 && this.#size + bytes.length > SEGMENT) {
      closeSync(this.#file);
      renameSync(this.#path, `${this.#path}.old`);
      this.#file = openSync(this.#path, "w", 0o600);
      this.#size = 0;
    }
    writeSync(this.#file, bytes);
    this.#size += bytes.length;
  }

  /** A log's lines, oldest first; empty where there is no log. */
  static async read(path: string): Promise<string> {
    const [older, newer] = await Promise.all([contents(`${path}.old`), contents(path)]);
    return older + newer;
  }
}

export const rfc3339 = (time: number): string => new Date(time).toISOString().replace("Z", "000000Z");

async function contents(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
}
