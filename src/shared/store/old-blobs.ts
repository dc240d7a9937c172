import type { BlobServiceClient, ContainerClient } from "@azure/storage-blob";
import { blobContainers, readAtKey } from "./blobs.ts";
import { storageCall } from "./connect.ts";

/** Blobs as retention sees them: sealed definitions, which belong to a row, and posters' definitions, which are read and done with. */
export interface OldBlob {
  readonly name: string;
  readonly etag: string;
  readonly modifiedAt: number;
  readonly bytes: number;
  /** When our service last read it; only of posters' definitions. */
  readonly readAt: number | undefined;
}

export interface OldBlobPage {
  readonly blobs: readonly OldBlob[];
  /** Where the next page begins; absent after the last. */
  readonly next: string | undefined;
}

const pageSize = 500;

export class OldBlobs {
  readonly #containers: Readonly<Record<"sealed" | "definitions", ContainerClient>>;

  constructor(service: BlobServiceClient) {
    this.#containers = {
      sealed: service.getContainerClient(blobContainers.sealed),
      definitions: service.getContainerClient(blobContainers.definitions),
    };
  }

  /** @param from the `next` of the page before; absent for the first */
  async page(kind: "sealed" | "definitions", from: string | undefined): Promise<OldBlobPage> {
    const pages = this.#containers[kind]
      .listBlobsFlat({ includeMetadata: true })
      .byPage({ maxPageSize: pageSize, ...(from === undefined ? {} : { continuationToken: from }) });
    const page = await storageCall(() => pages.next(), 404);
    if (page === 404 || page.done) return { blobs: [], next: undefined };
    const { segment, continuationToken } = page.value;
    const blobs = segment.blobItems.map(({ name, properties, metadata }) => ({
      name,
      etag: properties.etag,
      bytes: properties.contentLength ?? 0,
      modifiedAt: properties.lastModified.getTime(),
      readAt: timeIn(metadata?.[readAtKey]),
    }));
    return { blobs, next: continuationToken === "" ? undefined : continuationToken };
  }

  /** Deletes a blob that has not changed since it was listed. */
  async drop(kind: "sealed" | "definitions", { name, etag }: OldBlob): Promise<void> {
    await storageCall(() => this.#containers[kind].deleteBlob(name, { conditions: { ifMatch: etag } }), 404, 412);
  }
}

function timeIn(text: string | undefined): number | undefined {
  const at = text === undefined ? NaN : Date.parse(text);
  return Number.isNaN(at) ? undefined : at;
}
