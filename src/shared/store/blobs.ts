import type { BlobServiceClient, ContainerClient } from "@azure/storage-blob";
import type { JobId } from "../base/ids.ts";
import { mergeLog, type LogVerdict } from "./log-merge.ts";
import { storageCall } from "./connect.ts";

/** Blobs: captured logs, definitions too large for a row, definitions that posters bring by reference. */
export const blobContainers = { logs: "aci-logs", sealed: "aci-sealed", definitions: "aci-definitions" } as const;

/** The metadata of a poster's definition that says when it was read. */
export const readAtKey = "aciproxyreadat";
/** Messages that are sent again lie beside the sealed definitions. */
export const parcelPrefix = "messages/";

/** How much of a stored log's end is read to go on after it. */
const tailBytes = 64 * 1024;
/** The service takes 4 MiB per append. */
const mostAppend = 4 * 1024 * 1024;

/** The largest body that ARM takes. */
const mostDefinition = 4 * 1024 * 1024;

export interface CapturedLog {
  readonly verdict: LogVerdict;
  /** The end of the log, with timestamps, in whole lines. */
  readonly tail: string;
  readonly bytes: number;
}

export class Blobs {
  readonly #logs: ContainerClient;
  readonly #sealed: ContainerClient;
  readonly #definitions: ContainerClient;

  constructor(service: BlobServiceClient) {
    this.#logs = service.getContainerClient(blobContainers.logs);
    this.#sealed = service.getContainerClient(blobContainers.sealed);
    this.#definitions = service.getContainerClient(blobContainers.definitions);
  }

  /**
   * Adds what is new of a container's log. Two that do so at once do no harm: an append carries the position it was computed for.
   *
   * @param fresh what ACI has now, with timestamps; `undefined` when it could not be read
   */
  async capture(id: JobId, attempt: number, container: string, fresh: string | undefined): Promise<CapturedLog> {
    const blob = this.#logs.getAppendBlobClient(logName(id, attempt, container));
    const before = await storageCall(() => blob.getProperties(), 404);
    const length = before === 404 ? 0 : (before.contentLength ?? 0);
    const hadHole = before !== 404 && before.metadata?.["hole"] === "true";
    const stored = length === 0 ? "" : await this.#tail(id, attempt, container, length);
    const verdict = (hole: boolean): LogVerdict => (hole ? "truncated" : "complete");
    if (fresh === undefined) {
      return { verdict: before === 404 ? "missing" : "truncated", tail: stored, bytes: length };
    }
    const { append, hole } = mergeLog(stored, fresh);
    if (before === 404)
      await storageCall(() =>
        blob.createIfNotExists({ blobHTTPHeaders: { blobContentType: "text/plain; charset=utf-8" } }),
      );
    const bytes = Buffer.from(append);
    for (let at = 0; at < bytes.length; at += mostAppend) {
      const part = bytes.subarray(at, at + mostAppend);
      const result = await storageCall(
        () => blob.appendBlock(part, part.length, { conditions: { appendPosition: length + at } }),
        412,
      );
      if (result === 412) return this.capture(id, attempt, container, fresh);
    }
    if (hole && !hadHole) await storageCall(() => blob.setMetadata({ hole: "true" }));
    return { verdict: verdict(hole || hadHole), tail: stored + append, bytes: length + bytes.length };
  }

  async #tail(id: JobId, attempt: number, container: string, length: number): Promise<string> {
    const from = Math.max(0, length - tailBytes);
    const text = await this.#text(this.#logs, logName(id, attempt, container), from);
    if (from === 0 || text === undefined) return text ?? "";
    return text.slice(text.indexOf("\n") + 1);
  }

  /** A captured log with its timestamps, or `undefined` when there is none. */
  async logText(id: JobId, attempt: number, container: string): Promise<string | undefined> {
    return this.#text(this.#logs, logName(id, attempt, container), 0);
  }

  async dropLogs(id: JobId): Promise<void> {
    for await (const { name } of this.#logs.listBlobsFlat({ prefix: `${id}/` })) {
      await storageCall(() => this.#logs.deleteBlob(name), 404);
    }
  }

  /**
   * Stores a job's sealed definition beside its row. Whoever has not reserved the id yet must not put another in its place: the id may
   * be a poster's own, and its job be there already.
   */
  async putSealed(id: JobId, bytes: Uint8Array, when: "new" | "reserved"): Promise<"created" | "exists"> {
    const conditions = when === "new" ? { ifNoneMatch: "*" } : {};
    const blob = this.#sealed.getBlockBlobClient(id);
    const result = await storageCall(() => blob.upload(Buffer.from(bytes), bytes.length, { conditions }), 409);
    return result === 409 ? "exists" : "created";
  }

  async getSealed(id: JobId): Promise<Uint8Array | undefined> {
    const result = await storageCall(() => this.#sealed.getBlockBlobClient(id).downloadToBuffer(), 404);
    return result === 404 ? undefined : result;
  }

  async dropSealed(id: JobId): Promise<void> {
    await storageCall(() => this.#sealed.deleteBlob(id), 404);
  }

  /** A message that is sent again, sealed under a key that travels with what names it. */
  async putParcel(name: string, bytes: Uint8Array): Promise<void> {
    await storageCall(() => this.#sealed.getBlockBlobClient(name).upload(Buffer.from(bytes), bytes.length));
  }

  async getParcel(name: string): Promise<Uint8Array | "finished" | undefined> {
    const result = await storageCall(() => this.#sealed.getBlockBlobClient(name).downloadToBuffer(), 404);
    if (result === 404) return undefined;
    return result.length === 0 ? "finished" : result;
  }

  /** Its content goes, its name stays for a while: a message may be delivered once more than it was dealt with. */
  async finishParcel(name: string): Promise<void> {
    await storageCall(() => this.#sealed.getBlockBlobClient(name).upload(Buffer.alloc(0), 0));
  }

  /** A poster's definition, from the one container that is read. `undefined` also for one that is larger than ARM takes. */
  async definition(reference: string, now: number): Promise<Uint8Array | undefined> {
    const name = definitionName(reference);
    if (name === undefined) return undefined;
    const found = await storageCall(() => this.#definitions.getBlobClient(name).getProperties(), 404);
    if (found === 404 || (found.contentLength ?? 0) > mostDefinition) return undefined;
    await this.#markRead(name, now, found.metadata);
    return this.#bytes(this.#definitions, name, 0);
  }

  /** Says to retention that a poster's definition was read. Where it can't be said the blob stays, which harms nobody. */
  async #markRead(name: string, at: number, before: Readonly<Record<string, string>> = {}): Promise<void> {
    const metadata = { ...before, [readAtKey]: new Date(at).toISOString() };
    await storageCall(() => this.#definitions.getBlobClient(name).setMetadata(metadata), 404, 412).catch(
      () => undefined,
    );
  }

  async #text(container: ContainerClient, name: string, from: number): Promise<string | undefined> {
    return (await this.#bytes(container, name, from))?.toString("utf8");
  }

  async #bytes(container: ContainerClient, name: string, from: number): Promise<Buffer | undefined> {
    const result = await storageCall(() => container.getBlobClient(name).downloadToBuffer(from), 404);
    return result === 404 ? undefined : result;
  }
}

/**
 * The blob of a `definitionBlob`, or `undefined` where its name could lead out of the container: a service may take a backslash for a
 * slash, and drop blanks and control characters around a segment's dots.
 */
export function definitionName(reference: string): string | undefined {
  const name = reference.slice(blobContainers.definitions.length + 1);
  const leadsOut = name.split(/[/\\]/).some((part) => /^\.+$/.test(part.replaceAll(/[\s\p{Cc}\p{Cf}]/gu, "")));
  return leadsOut ? undefined : name;
}

function logName(id: JobId, attempt: number, container: string): string {
  return `${id}/${attempt}/${container}.log`;
}
