import type { BlobServiceClient } from "@azure/storage-blob";
import type { Call } from "./scheduler.ts";
import { SortedMap } from "./sorted-map.ts";
import { StatusError } from "./tables.ts";

/** The Blob service in memory: append blobs with their position, block blobs, metadata. */
interface Blob {
  bytes: Buffer;
  metadata: Record<string, string>;
  /** Changes with every write. */
  version: number;
  /** Milliseconds since 1970. */
  modifiedAt: number;
}

interface Page {
  readonly blobs: readonly (readonly [string, Blob])[];
  /** Empty after the last. */
  readonly next: string;
}

export class Blobs {
  readonly #blobs = new SortedMap<Blob>();
  readonly #now: () => number;
  /** Called with every deletion. */
  readonly #dropped: (path: string, blob: Blob) => void;

  /** @param now of blobs whose age matters; else all count as new */
  constructor(now: () => number = () => 8.64e15, dropped: (path: string, blob: Blob) => void = () => undefined) {
    this.#now = now;
    this.#dropped = dropped;
  }

  get size(): number {
    return this.#blobs.size;
  }

  find(path: string): Blob | undefined {
    return this.#blobs.get(path);
  }

  get(path: string): Blob {
    const blob = this.#blobs.get(path);
    if (blob === undefined) throw new StatusError(404);
    return blob;
  }

  put(path: string, bytes: Uint8Array, metadata: Record<string, string> = {}): void {
    const version = (this.#blobs.get(path)?.version ?? 0) + 1;
    this.#blobs.set(path, { bytes: Buffer.from(bytes), metadata, version, modifiedAt: this.#now() });
  }

  make(path: string, metadata: Record<string, string> = {}): { succeeded: boolean; etag: string } {
    const succeeded = !this.#blobs.has(path);
    if (succeeded) this.put(path, Buffer.alloc(0), metadata);
    return { succeeded, etag: String(this.get(path).version) };
  }

  append(path: string, bytes: Uint8Array, position: number): { etag: string } {
    const blob = this.get(path);
    if (blob.bytes.length !== position) throw new StatusError(412);
    blob.bytes = Buffer.concat([blob.bytes, bytes]);
    return this.#changed(blob);
  }

  describe(path: string, metadata: Record<string, string>, etag: string | undefined): { etag: string } {
    const blob = this.get(path);
    if (etag !== undefined && etag !== String(blob.version)) throw new StatusError(412);
    blob.metadata = metadata;
    return this.#changed(blob);
  }

  #changed(blob: Blob): { etag: string } {
    blob.modifiedAt = this.#now();
    return { etag: String(++blob.version) };
  }

  drop(path: string, etag: string | undefined): void {
    const blob = this.get(path);
    if (etag !== undefined && etag !== String(blob.version)) throw new StatusError(412);
    this.#blobs.delete(path);
    this.#dropped(path, blob);
  }

  names(prefix: string): string[] {
    return this.page(prefix, Infinity).blobs.map(([path]) => path);
  }

  /**
   * Those whose path begins so.
   *
   * @param from the `next` of the page before
   */
  page(prefix: string, top: number, from = prefix): Page {
    const blobs: [string, Blob][] = [];
    for (const entry of this.#blobs.from(from)) {
      const [path] = entry;
      if (!path.startsWith(prefix)) break;
      if (blobs.length === top) return { blobs, next: path };
      blobs.push(entry);
    }
    return { blobs, next: "" };
  }
}

interface Paging {
  readonly maxPageSize?: number;
  readonly continuationToken?: string;
}

/** As many as the service lists in one call. */
const maxPage = 5000;

export function blobService(blobs: Blobs, call: Call): BlobServiceClient {
  const client = {
    getContainerClient: (container: string) => {
      const path = (name: string): string => `${container}/${name}`;
      const download =
        (name: string) =>
        (from = 0, count = Infinity) =>
          call("blob download", "storage", () => blobs.get(path(name)).bytes.subarray(from, from + count));
      return {
        createIfNotExists: () => call("blob container make", "storage", () => undefined),
        getAppendBlobClient: (name: string) => ({
          getProperties: () =>
            call("blob properties", "storage", () => {
              const { bytes, metadata, version } = blobs.get(path(name));
              return { contentLength: bytes.length, metadata, etag: String(version), blobCommittedBlockCount: 1 };
            }),
          createIfNotExists: ({ metadata }: { metadata?: Record<string, string> } = {}) =>
            call("blob make", "storage", () => blobs.make(path(name), metadata)),
          downloadToBuffer: download(name),
          appendBlock: (bytes: Uint8Array, _length: number, how: { conditions: { appendPosition: number } }) =>
            call("blob append", "storage", () => blobs.append(path(name), bytes, how.conditions.appendPosition)),
          setMetadata: (metadata: Record<string, string>, how: { conditions?: { ifMatch?: string } } = {}) =>
            call("blob metadata", "storage", () => blobs.describe(path(name), metadata, how.conditions?.ifMatch)),
        }),
        getBlobClient: (name: string) => ({ downloadToBuffer: download(name) }),
        getBlockBlobClient: (name: string) => ({
          upload: (bytes: Uint8Array, _length: number, how: { conditions?: { ifNoneMatch?: string } } = {}) =>
            call("blob upload", "storage", () => {
              if (how.conditions?.ifNoneMatch === "*" && blobs.find(path(name))) throw new StatusError(409);
              blobs.put(path(name), bytes);
              return { etag: String(blobs.get(path(name)).version) };
            }),
          downloadToBuffer: download(name),
        }),
        deleteBlob: (name: string, how: { conditions?: { ifMatch?: string } } = {}) =>
          call("blob delete", "storage", () => blobs.drop(path(name), how.conditions?.ifMatch)),
        listBlobsFlat: ({ prefix = "" }: { prefix?: string } = {}) => {
          const byPage = async function* ({ maxPageSize = maxPage, continuationToken: given = "" }: Paging = {}) {
            for (let token: string | undefined = given; token !== undefined;) {
              const from: string | undefined = token === "" ? undefined : token;
              const page: Page = await call("blob list", "storage", () => blobs.page(path(prefix), maxPageSize, from));
              const blobItems = page.blobs.map(([name, { bytes, metadata, version, modifiedAt }]) => ({
                name: name.slice(container.length + 1),
                properties: { etag: String(version), lastModified: new Date(modifiedAt), contentLength: bytes.length },
                metadata,
              }));
              yield { segment: { blobItems }, continuationToken: page.next };
              token = page.next === "" ? undefined : page.next;
            }
          };
          const each = async function* () {
            for await (const { segment } of byPage()) yield* segment.blobItems;
          };
          return Object.assign(each(), { byPage });
        },
      };
    },
  };
  return client as unknown as BlobServiceClient; // the members that `Blobs` and `Control` call, and no others
}
