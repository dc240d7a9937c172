/**
 * The singleton lock of a timer: a lease on a blob of the host's storage account, so that of several hosts one runs the timer.
 *
 * A host that dies keeps the lock until the lease has run out (60 s on the real host). The blob service leases for 15 s at
 * least; a shorter length, for tests, is written beside the lease as metadata, and a host that finds it past breaks the lease.
 */
import { RestError } from "@azure/core-rest-pipeline";
import type { BlobLeaseClient, BlockBlobClient, ContainerClient } from "@azure/storage-blob";

const SHORTEST_BLOB_LEASE_SECONDS = 15;

export class TimerLock {
  readonly #container: ContainerClient;
  readonly #blob: BlockBlobClient;
  readonly #seconds: number;
  readonly #onLost: () => void;
  #lease: BlobLeaseClient | undefined;
  #timer: NodeJS.Timeout | undefined;
  #renewal: Promise<void> = Promise.resolve();
  #renewedAt = 0;

  /** @param seconds how long a dead holder keeps the lock: 60 or less. */
  constructor(container: ContainerClient, blobName: string, seconds: number, onLost: () => void) {
    this.#container = container;
    this.#blob = container.getBlockBlobClient(blobName);
    this.#seconds = seconds;
    this.#onLost = onLost;
  }

  get held(): boolean {
    return this.#lease !== undefined;
  }

  /** @returns false when another host holds it. @throws {RestError} when the storage can't be reached. */
  async acquire(): Promise<boolean> {
    await this.#create();
    if (this.#isShort) await this.#breakOfTheDead();
    const lease = this.#blob.getBlobLeaseClient();
    try {
      await lease.acquireLease(Math.max(Math.ceil(this.#seconds), SHORTEST_BLOB_LEASE_SECONDS));
    } catch (error) {
      if (status(error) === 409) return false;
      throw error;
    }
    this.#lease = lease;
    this.#renewedAt = Date.now();
    await this.#writeEnd(lease);
    this.#schedule();
    return true;
  }

  async release(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#renewal;
    clearTimeout(this.#timer);
    const lease = this.#lease;
    this.#lease = undefined;
    try {
      await lease?.releaseLease();
    } catch (error) {
      // Lost, or the storage is away: it expires.
      if (!(error instanceof RestError)) throw error;
    }
  }

  get #isShort(): boolean {
    return this.#seconds < SHORTEST_BLOB_LEASE_SECONDS;
  }

  async #create(): Promise<void> {
    try {
      await this.#blob.upload("", 0, { conditions: { ifNoneMatch: "*" } });
    } catch (error) {
      if (status(error) === 404) {
        await this.#container.createIfNotExists();
        await this.#create();
      } else if (status(error) !== 409 && status(error) !== 412) throw error; // there already, perhaps leased
    }
  }

  /** Breaks a lease whose holder's time has run out, unless another host was quicker. */
  async #breakOfTheDead(): Promise<void> {
    const { leaseState, metadata, etag } = await this.#blob.getProperties();
    const end = Number(metadata?.["end"]);
    if (leaseState !== "leased" || !(end < Date.now()) || etag === undefined) return;
    try {
      await this.#blob.getBlobLeaseClient().breakLease(0, { conditions: { ifMatch: etag } });
    } catch (error) {
      if (status(error) !== 409 && status(error) !== 412) throw error;
    }
  }

  async #writeEnd(lease: BlobLeaseClient): Promise<void> {
    if (!this.#isShort) return;
    const end = String(Date.now() + this.#seconds * 1000);
    await this.#blob.setMetadata({ end }, { conditions: { leaseId: lease.leaseId } });
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.#renewal = this.#renew();
    }, this.#seconds * 500);
  }

  async #renew(): Promise<void> {
    const lease = this.#lease;
    if (lease === undefined) return;
    try {
      await lease.renewLease();
      await this.#writeEnd(lease);
      this.#renewedAt = Date.now();
    } catch (error) {
      const taken = status(error) === 409 || status(error) === 412 || status(error) === 404;
      if (taken || Date.now() - this.#renewedAt > this.#seconds * 1000) {
        this.#lease = undefined;
        this.#onLost();
        return;
      }
    }
    this.#schedule();
  }
}

function status(error: unknown): number | undefined {
  return error instanceof RestError ? error.statusCode : undefined;
}
