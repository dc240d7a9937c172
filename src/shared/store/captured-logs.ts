import type { AppendBlobClient, ContainerClient } from "@azure/storage-blob";
import { Unavailable } from "../base/errors.ts";
import type { JobId } from "../base/ids.ts";
import { conflict, done, rewrite, type Pacing } from "../base/rewrite.ts";
import {
  isMark,
  linesOf,
  markLine,
  mergeLog,
  stampOf,
  type LogRead,
  type LogVerdict,
  type Merge,
} from "./log-merge.ts";
import { storageCall, writeInto } from "./connect.ts";

/**
 * Captured logs: one for each container of each attempt, in append blobs. The first, `ID/ATTEMPT/CONTAINER.log`, holds the log's
 * beginning. When it is full, the log goes on in parts of 1 MiB (`CONTAINER.log.1`, `.2`, ...), of which the older ones are removed:
 * kept are the beginning and at least the newest MiB, and together no more than the ceiling. A piece holds whole lines.
 *
 * Positions count the bytes of the whole log, removed ones included.
 */
const partBytes = 1024 * 1024;
/** The service takes 4 MiB per append; no line is longer, because ARM shows no more of a log. */
const maxAppend = 4 * 1024 * 1024;
/** An append blob takes 50,000 blocks (Azure Storage, "Scalability and performance targets for Blob storage"). */
const maxBlocks = 49_000;
/** How much of a stored log's end is read to go on after it; more where that lies within one line. */
const windowBytes = 96 * 1024;
const maxWindowBytes = 2 * maxAppend;

export interface CapturedLog {
  /** Whether all of the log up to here is stored, or something is missing, or all of it. */
  readonly verdict: LogVerdict;
  /** The end of the log, with timestamps, in whole lines. */
  readonly tail: string;
  /** Bytes of the whole log, removed ones included. */
  readonly bytes: number;
  /** What this capture added, with timestamps. */
  readonly added: string;
  /** True when too little was read to go on: all must be. */
  readonly tooLittle: boolean;
}

/** A piece of a stored log: the positions that a blob covers. */
export interface LogPiece {
  readonly blob: string;
  readonly start: number;
  readonly end: number;
}

/** The log's beginning, which knows where its end is. */
interface Head {
  readonly blob: AppendBlobClient;
  readonly metadata: Readonly<Record<string, string>>;
  readonly etag: string | undefined;
}

/** The piece that takes the next lines. */
interface Open {
  readonly head: Head;
  readonly blob: AppendBlobClient;
  /** 0 is the log's beginning. */
  readonly part: number;
  readonly start: number;
  readonly length: number;
  readonly blocks: number;
}

export class CapturedLogs {
  readonly #container: ContainerClient;
  readonly #headBytes: number;
  readonly #pacing: Pacing;

  /** @param maxBytes the ceiling of one log, at least 8 MiB: a beginning, and the newest MiB whatever the last line's length */
  constructor(container: ContainerClient, maxBytes: number, pacing: Pacing) {
    this.#container = container;
    this.#pacing = pacing;
    this.#headBytes = maxBytes - 2 * partBytes - maxAppend;
  }

  /**
   * Adds what is new of a container's log, and marks what is missing. Two that do so at once do no harm: an append carries the
   * position that it was computed for.
   *
   * @param content what ACI has now, with timestamps
   * @throws Unavailable when it can't be stored now
   */
  capture(id: JobId, attempt: number, container: string, content: string, read: LogRead): Promise<CapturedLog> {
    return this.#add(logName(id, attempt, container), (tail) => mergeLog(tail, content, read));
  }

  /** Says at the log's end, once, that more may be missing. Of a log of which nothing is stored all is missing. */
  async markEnd(id: JobId, attempt: number, container: string, text: string): Promise<CapturedLog> {
    const marked = await this.#add(logName(id, attempt, container), (tail) => {
      const last = linesOf(tail).at(-1);
      if (last === undefined || isMark(last)) return { append: "", gap: false };
      return { append: `${markLine(stampOf(last), text)}\n`, gap: true };
    });
    return marked.bytes === 0 ? { ...marked, verdict: "missing" } : { ...marked, verdict: "truncated" };
  }

  /** The pieces that are stored, in order; between two of them something was removed where their positions don't meet. */
  async pieces(id: JobId, attempt: number, container: string): Promise<readonly LogPiece[]> {
    const name = logName(id, attempt, container);
    const found = await storageCall(() => this.#container.getAppendBlobClient(name).getProperties(), 404);
    if (found === 404) return [];
    const head = { blob: name, start: 0, end: found.contentLength ?? 0 };
    if (found.metadata?.["part"] === undefined) return [head];
    const parts = await this.#parts(name);
    return [head, ...parts.map(({ part, start, length }) => ({ blob: `${name}.${part}`, start, end: start + length }))];
  }

  /** Bytes of a piece, by their positions; `undefined` when it was removed meanwhile. */
  async bytes({ blob, start }: LogPiece, from: number, to: number): Promise<Buffer | undefined> {
    if (to <= from) return Buffer.alloc(0);
    const read = await storageCall(
      () => this.#container.getBlobClient(blob).downloadToBuffer(from - start, to - from),
      404,
    );
    return read === 404 ? undefined : read;
  }

  /** The end of a log, in whole lines: at most this many bytes, unless one line has more. */
  async tail(id: JobId, attempt: number, container: string, bytes: number): Promise<string> {
    const name = logName(id, attempt, container);
    const open = await this.#open(name);
    return open === undefined ? "" : this.#tail(name, open, bytes);
  }

  /** @throws Unavailable when no log can be stored now */
  async probe(): Promise<void> {
    await writeInto(this.#container, () => this.#container.getAppendBlobClient("health-probe").create());
  }

  async drop(id: JobId): Promise<void> {
    for await (const { name } of this.#container.listBlobsFlat({ prefix: `${id}/` })) {
      await storageCall(() => this.#container.deleteBlob(name), 404);
    }
  }

  #add(name: string, merge: (tail: string) => Merge): Promise<CapturedLog> {
    return rewrite("a captured log", this.#pacing, async () => {
      const open = await this.#open(name);
      const tail = open === undefined ? "" : await this.#tail(name, open);
      const { append, gap, tooLittle = false } = merge(tail);
      const now = append === "" ? open : await this.#append(name, open, Buffer.from(append), gap);
      if (now === conflict) return conflict;
      return done({
        verdict: now?.head.metadata["hole"] === "true" ? "truncated" : "complete",
        tail: tail + append,
        bytes: now === undefined ? 0 : now.start + now.length,
        added: append,
        tooLittle,
      });
    });
  }

  /** `undefined` when nothing is stored. */
  async #open(name: string): Promise<Open | undefined> {
    const blob = this.#container.getAppendBlobClient(name);
    const found = await storageCall(() => blob.getProperties(), 404);
    if (found === 404) return undefined;
    const head: Head = { blob, metadata: found.metadata ?? {}, etag: found.etag };
    const part = Number(head.metadata["part"] ?? 0);
    if (part === 0) return { head, blob, part, start: 0, ...sizeOf(found) };
    const last = this.#container.getAppendBlobClient(`${name}.${part}`);
    const properties = await storageCall(() => last.getProperties(), 404);
    // Somebody removed it: it begins again, behind what is left for sure.
    if (properties === 404) return { head, blob: last, part, start: sizeOf(found).length, length: 0, blocks: 0 };
    return { head, blob: last, part, start: startIn(properties.metadata), ...sizeOf(properties) };
  }

  async #append(name: string, found: Open | undefined, bytes: Buffer, gap: boolean): Promise<Open | typeof conflict> {
    let open = found ?? (await this.#create(name));
    if (open !== conflict && gap) open = await this.#change(open, { hole: "true" });
    for (let at = 0; at < bytes.length;) {
      if (open === conflict) return open;
      const { blob, length, blocks } = open;
      const limit = open.part === 0 ? this.#headBytes : partBytes;
      const next = wholeLines(bytes, at, Math.min(limit - length, maxAppend));
      // An empty piece takes a line of any length.
      const end = next > at || length > 0 ? next : longLine(bytes, at);
      if (end === at || blocks >= maxBlocks) {
        open = await this.#goOn(name, open);
        continue;
      }
      const block = bytes.subarray(at, end);
      const appended = await storageCall(
        () => blob.appendBlock(block, block.length, { conditions: { appendPosition: length } }),
        404,
        409,
        412,
      );
      if (appended === 412) return conflict;
      if (appended === 404) {
        await this.#remake(open);
        return conflict;
      }
      if (appended === 409) {
        // Full before its time, unless nothing may be written at all.
        if (blocks === 0) throw new Unavailable("storage", "Storage refuses to append to a captured log.");
        open = await this.#goOn(name, open);
        continue;
      }
      const head = open.part === 0 ? { ...open.head, etag: appended.etag } : open.head;
      open = { ...open, head, length: length + block.length, blocks: blocks + 1 };
      at = end;
    }
    return open;
  }

  async #create(name: string): Promise<Open | typeof conflict> {
    const blob = this.#container.getAppendBlobClient(name);
    const made = await writeInto(this.#container, () => blob.createIfNotExists({ blobHTTPHeaders: headers }));
    if (!made.succeeded) return conflict;
    return { head: { blob, metadata: {}, etag: made.etag }, blob, part: 0, start: 0, length: 0, blocks: 0 };
  }

  /** A part that somebody removed. A first blob that is gone is made like that of a new log. */
  async #remake(open: Open): Promise<void> {
    const metadata = { start: String(open.start) };
    if (open.part > 0) await storageCall(() => open.blob.createIfNotExists({ blobHTTPHeaders: headers, metadata }));
    await this.#change(open, { hole: "true" });
  }

  /** The next part. It is made before the log's first blob names it, and takes lines only then. */
  async #goOn(name: string, open: Open): Promise<Open | typeof conflict> {
    const part = open.part + 1;
    const start = open.start + open.length;
    const blob = this.#container.getAppendBlobClient(`${name}.${part}`);
    const metadata = { start: String(start) };
    const made = await storageCall(() => blob.createIfNotExists({ blobHTTPHeaders: headers, metadata }));
    // Left behind by an instance that crashed before the first blob named it.
    if (!made.succeeded) await storageCall(() => blob.setMetadata(metadata));
    const old = open.part === 0 ? [] : await this.#superseded(name);
    const told = await this.#change(open, { part: String(part), ...(old.length > 0 ? { hole: "true" } : {}) });
    if (told === conflict) return told;
    for (const each of old) await storageCall(() => this.#container.deleteBlob(`${name}.${each}`), 404);
    return { ...told, blob, part, start, length: 0, blocks: 0 };
  }

  /** Parts after which at least a MiB follows. */
  async #superseded(name: string): Promise<readonly number[]> {
    const old: number[] = [];
    let after = 0;
    for (const { part, length } of (await this.#parts(name)).toReversed()) {
      if (after >= partBytes) old.push(part);
      after += length;
    }
    return old;
  }

  async #change(open: Open, changes: Readonly<Record<string, string>>): Promise<Open | typeof conflict> {
    const { blob, etag, metadata: before } = open.head;
    if (Object.entries(changes).every(([key, value]) => before[key] === value)) return open;
    const metadata = { ...before, ...changes };
    const conditions = etag === undefined ? {} : { ifMatch: etag };
    const changed = await storageCall(() => blob.setMetadata(metadata, { conditions }), 404, 412);
    return typeof changed === "number" ? conflict : { ...open, head: { blob, metadata, etag: changed.etag } };
  }

  async #parts(name: string): Promise<readonly { part: number; start: number; length: number }[]> {
    const parts: { part: number; start: number; length: number }[] = [];
    const blobs = this.#container.listBlobsFlat({ prefix: `${name}.`, includeMetadata: true });
    for (;;) {
      const next = await storageCall(() => blobs.next());
      if (next.done) break;
      const { name: blob, metadata, properties } = next.value;
      const part = Number(blob.slice(name.length + 1));
      if (Number.isInteger(part) && part > 0)
        parts.push({ part, start: startIn(metadata), length: properties.contentLength ?? 0 });
    }
    return parts.sort((a, b) => a.part - b.part);
  }

  /** The end of what is stored, in whole lines. */
  async #tail(name: string, open: Open, wanted = windowBytes): Promise<string> {
    for (let window = wanted; ; window *= 8) {
      const own = await this.#lastBytes(open, window);
      const before = own.length < wanted ? await this.#before(name, open, window) : undefined;
      const bytes = before === undefined ? own : Buffer.concat([before, own]);
      const whole = open.part === 0 && own.length === open.length;
      const text = bytes.toString("utf8");
      const lines = whole ? text : text.slice(text.indexOf("\n") + 1);
      if (lines !== "" || whole || window >= maxWindowBytes) return lines;
    }
  }

  /** The end of the piece before the open one. */
  async #before(name: string, open: Open, window: number): Promise<Buffer | undefined> {
    if (open.part === 0) return undefined;
    const blob = this.#container.getAppendBlobClient(open.part === 1 ? name : `${name}.${open.part - 1}`);
    const found = await storageCall(() => blob.getProperties(), 404);
    return found === 404 ? undefined : this.#lastBytes({ blob, length: found.contentLength ?? 0 }, window);
  }

  async #lastBytes({ blob, length }: Pick<Open, "blob" | "length">, window: number): Promise<Buffer> {
    const count = Math.min(length, window);
    return count === 0 ? Buffer.alloc(0) : storageCall(() => blob.downloadToBuffer(length - count, count));
  }
}

const headers = { blobContentType: "text/plain; charset=utf-8" };

interface Properties {
  readonly contentLength?: number;
  readonly blobCommittedBlockCount?: number;
}

function sizeOf({ contentLength = 0, blobCommittedBlockCount = 0 }: Properties): Pick<Open, "length" | "blocks"> {
  return { length: contentLength, blocks: blobCommittedBlockCount };
}

function startIn(metadata: Readonly<Record<string, string>> | undefined): number {
  return Number(metadata?.["start"] ?? 0);
}

/** Where the last line ends that begins at or after `from` and is whole within this many bytes; `from` when there is no such line. */
function wholeLines(bytes: Buffer, from: number, max: number): number {
  if (bytes.length - from <= max) return bytes.length;
  return max <= 0 ? from : Math.max(from, bytes.lastIndexOf(0x0a, from + max - 1) + 1);
}

/** Where one append of an empty piece's first line ends: at the line's end, unless that is too long for the service. */
function longLine(bytes: Buffer, from: number): number {
  const end = bytes.indexOf(0x0a, from) + 1;
  return Math.min(end === 0 ? bytes.length : end, from + maxAppend);
}

function logName(id: JobId, attempt: number, container: string): string {
  return `${id}/${attempt}/${container}.log`;
}
