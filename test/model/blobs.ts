import type { BlobServiceClient } from "@azure/storage-blob";
import type { Call } from "./scheduler.ts";
import { StatusError } from "./tables.ts";

/** The Blob service in memory: append blobs with their position, block blobs, metadata. */
interface Blob {
  bytes: Buffer;
  metadata: Record<string, string>;
  /** Changes with every write. */
  version: number;
}

export class Blobs {
  readonly #blobs = new Map<string, Blob>();

  find(path: string): Blob | undefined {
    return this.#blobs.get(path);
  }

  get(path: string): Blob {
    const blob = this.#blobs.get(path);
    if (blob === undefined) throw new StatusError(404);
    return blob;
  }

  put(path: string, bytes: Uint8Array, metadata: Record<string, string> = {}): void {
    this.#blobs.set(path, { bytes: Buffer.from(bytes), metadata, version: 1 });
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
    return { etag: String(++blob.version) };
  }

  describe(path: string, metadata: Record<string, string>, etag: string | undefined): { etag: string } {
    const blob = this.get(path);
    if (etag !== undefined && etag !== String(blob.version)) throw new StatusError(412);
    blob.metadata = metadata;
    return { etag: String(++blob.version) };
  }

  drop(path: string): void {
    if (!this.#blobs.delete(path)) throw new StatusError(404);
  }

  names(prefix: string): string[] {
    return [...this.#blobs.keys()].filter((path) => path.startsWith(prefix));
  }
}

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
            }),
          downloadToBuffer: download(name),
        }),
        deleteBlob: (name: string) => call("blob delete", "storage", () => blobs.drop(path(name))),
        listBlobsFlat: ({ prefix = "" }: { prefix?: string } = {}) => {
          const list = async () => {
            const names = await call("blob list", "storage", () => blobs.names(path(prefix)));
            return names.map((name) => {
              const { bytes, metadata } = blobs.get(name);
              // Their age is not kept: all count as new.
              const properties = { etag: "", lastModified: new Date(8.64e15), contentLength: bytes.length };
              return { name: name.slice(container.length + 1), properties, metadata };
            });
          };
          const byPage = async function* () {
            yield { segment: { blobItems: await list() }, continuationToken: "" };
          };
          const each = async function* () {
            yield* await list();
          };
          return Object.assign(each(), { byPage });
        },
      };
    },
  };
  return client as unknown as BlobServiceClient; // the members that `Blobs` and `Control` call, and no others
}
