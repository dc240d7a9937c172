import type { BlobServiceClient, BlockBlobClient, ContainerClient } from "@azure/storage-blob";
import { Unavailable } from "../base/errors.ts";
import type { JobId } from "../base/ids.ts";
import type { Pacing } from "../base/rewrite.ts";
import type { Settings } from "../config/settings.ts";
import { CapturedLogs } from "./captured-logs.ts";
import { storageCall, writeInto } from "./connect.ts";

/** Blobs: captured logs, definitions too large for a row, definitions that posters bring by reference. */
export const blobContainers = { logs: "aci-logs", sealed: "aci-sealed", definitions: "aci-definitions" } as const;

/** The metadata of a poster's definition that says when it was read. */
export const readAtKey = "aciproxyreadat";
/** Messages that are sent again lie beside the sealed definitions. */
export const parcelPrefix = "messages/";

/** The largest body that ARM takes. */
const maxDefinition = 4 * 1024 * 1024;

export class Blobs {
  readonly logs: CapturedLogs;
  readonly #sealed: ContainerClient;
  readonly #definitions: ContainerClient;
  /** They lie beside the attempt's logs, and go with them. */
  readonly #results: ContainerClient;

  constructor(service: BlobServiceClient, { maxLogBytes }: Pick<Settings, "maxLogBytes">, pacing: Pacing) {
    this.logs = new CapturedLogs(service.getContainerClient(blobContainers.logs), maxLogBytes, pacing);
    this.#results = service.getContainerClient(blobContainers.logs);
    this.#sealed = service.getContainerClient(blobContainers.sealed);
    this.#definitions = service.getContainerClient(blobContainers.definitions);
  }

  /**
   * Stores a job's sealed definition beside its row. Whoever has not reserved the id yet must not put another in its place: the id may
   * be a poster's own, and its job be there already.
   */
  async putSealed(id: JobId, bytes: Uint8Array, when: "new" | "reserved"): Promise<PutSealed> {
    const conditions = when === "new" ? { ifNoneMatch: "*" } : {};
    const blob = this.#sealed.getBlockBlobClient(id);
    const write = () => blob.upload(Buffer.from(bytes), bytes.length, { conditions });
    const result = await writeInto(this.#sealed, write, 409);
    return result === 409 ? "exists" : { etag: result.etag };
  }

  async getSealed(id: JobId): Promise<Uint8Array | undefined> {
    const result = await storageCall(() => this.#sealed.getBlockBlobClient(id).downloadToBuffer(), 404);
    return result === 404 ? undefined : result;
  }

  /** @param etag where only what was stored so is meant, and nothing that somebody put in its place */
  async dropSealed(id: JobId, etag?: string): Promise<void> {
    const conditions = etag === undefined ? {} : { ifMatch: etag };
    await storageCall(() => this.#sealed.deleteBlob(id, { conditions }), 404, 412);
  }

  /** A message that is sent again, sealed under a key that travels with what names it. */
  async putParcel(name: string, bytes: Uint8Array): Promise<void> {
    await writeInto(this.#sealed, () => this.#sealed.getBlockBlobClient(name).upload(Buffer.from(bytes), bytes.length));
  }

  async getParcel(name: string): Promise<Uint8Array | "finished" | undefined> {
    const result = await storageCall(() => this.#sealed.getBlockBlobClient(name).downloadToBuffer(), 404);
    if (result === 404) return undefined;
    return result.length === 0 ? "finished" : result;
  }

  /** Its content goes, its name stays for a while: a message may be delivered once more than it was dealt with. */
  async finishParcel(name: string): Promise<void> {
    await writeInto(this.#sealed, () => this.#sealed.getBlockBlobClient(name).upload(Buffer.alloc(0), 0));
  }

  /** Keeps what an attempt's program sent as its result: the first one, until the attempt's end is captured. */
  async putResult(id: JobId, attempt: number, text: string): Promise<"stored" | "another" | "closed"> {
    const blob = this.#resultBlob(id, attempt);
    const bytes = Buffer.from(text);
    const conditions = { ifNoneMatch: "*" };
    const write = () => blob.upload(bytes, bytes.length, { conditions });
    if ((await writeInto(this.#results, write, 409)) !== 409) return "stored";
    const there = await storageCall(() => blob.downloadToBuffer());
    if (there.length === 0) return "closed";
    return there.equals(bytes) ? "stored" : "another";
  }

  /** The result that an attempt's program sent; from then on it can't send another. */
  async takeResult(id: JobId, attempt: number): Promise<string | undefined> {
    const blob = this.#resultBlob(id, attempt);
    const conditions = { ifNoneMatch: "*" };
    const closed = await writeInto(this.#results, () => blob.upload(Buffer.alloc(0), 0, { conditions }), 409);
    if (closed !== 409) return undefined;
    const text = (await storageCall(() => blob.downloadToBuffer())).toString("utf8");
    return text === "" ? undefined : text;
  }

  #resultBlob(id: JobId, attempt: number): BlockBlobClient {
    return this.#results.getBlockBlobClient(`${id}/${attempt}/result.json`);
  }

  /**
   * A poster's definition, from the one container that is read. `undefined` also for one that is larger than ARM takes, or whose name no
   * blob can have. One in the archive tier can't be read until somebody brings it back, which takes hours ("Blob rehydration").
   *
   * @throws Unavailable while it is on its way back
   */
  async definition(reference: string, now: number): Promise<Uint8Array | "archived" | undefined> {
    const name = definitionName(reference);
    if (name === undefined) return undefined;
    const found = await storageCall(() => this.#definitions.getBlobClient(name).getProperties(), 400, 404);
    if (typeof found === "number" || (found.contentLength ?? 0) > maxDefinition) return undefined;
    if (found.archiveStatus !== undefined)
      throw new Unavailable("storage", "A definition comes back from the archive tier.");
    if (found.accessTier === "Archive") return "archived";
    await this.#markRead(name, now, found.metadata);
    const result = await storageCall(() => this.#definitions.getBlobClient(name).downloadToBuffer(), 404);
    return result === 404 ? undefined : result;
  }

  /** Says to retention that a poster's definition was read. Where it can't be said the blob stays, which harms nobody. */
  async #markRead(name: string, at: number, before: Readonly<Record<string, string>> = {}): Promise<void> {
    const metadata = { ...before, [readAtKey]: new Date(at).toISOString() };
    await storageCall(() => this.#definitions.getBlobClient(name).setMetadata(metadata), 404, 412).catch(
      () => undefined,
    );
  }
}

/** What became of it; `exists` where somebody else's is there. */
export type PutSealed = "exists" | { readonly etag: string | undefined };

/**
 * The blob of a `definitionBlob`, or `undefined` where its name could lead out of the container: a service may take a backslash for a
 * slash, and drop blanks and control characters around a segment's dots. Half a character of UTF-16 has no place in an address at all.
 */
export function definitionName(reference: string): string | undefined {
  const name = reference.slice(blobContainers.definitions.length + 1);
  const leadsOut = name.split(/[/\\]/).some((part) => /^\.+$/.test(part.replaceAll(/[\s\p{Cc}\p{Cf}]/gu, "")));
  return leadsOut || /\p{Cs}/u.test(name) ? undefined : name;
}
