import { minute } from "../base/duration.ts";
import { TtlCache } from "../base/ttl-cache.ts";
import type { JobId } from "../base/ids.ts";
import type { Job } from "../job/job.ts";
import type { Blobs } from "../store/blobs.ts";
import type { JobStore, Stored } from "../store/jobs.ts";

/** An array's children have no sealed definition of their own: all are made from the array's, which never changes. Kept sealed. */
export class SealedArrays {
  readonly #jobs: Pick<JobStore, "findArray">;
  readonly #blobs: Blobs;
  readonly #cache: TtlCache<Uint8Array | undefined>;

  constructor(jobs: Pick<JobStore, "findArray">, blobs: Blobs, now: () => number) {
    this.#jobs = jobs;
    this.#blobs = blobs;
    this.#cache = new TtlCache({ time: 5 * minute, max: 20, now });
  }

  /** The array of a child as its row is now: one read. */
  async arrayOf(child: NonNullable<Job["child"]>): Promise<Stored | undefined> {
    const stored = await this.#jobs.findArray(child);
    if (stored !== undefined) void this.#bytes(child.array, stored);
    return stored;
  }

  /** The sealed bytes of a child's array; `undefined` where they are gone. */
  bytesFor(child: Pick<NonNullable<Job["child"]>, "array" | "arrayAt">): Promise<Uint8Array | undefined> {
    return this.#cache.get(
      child.array,
      async () => {
        const stored = await this.#jobs.findArray(child);
        return stored && this.#read(stored);
      },
      (bytes) => bytes !== undefined,
    );
  }

  #bytes(array: JobId, stored: Stored): Promise<Uint8Array | undefined> {
    return this.#cache.get(
      array,
      () => this.#read(stored),
      (bytes) => bytes !== undefined,
    );
  }

  async #read({ sealed: { definition }, job: { id } }: Stored): Promise<Uint8Array | undefined> {
    return definition === "blob" ? this.#blobs.getSealed(id) : definition;
  }
}
