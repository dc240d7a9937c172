import type { TableClient } from "@azure/data-tables";
import { randomBytes } from "node:crypto";
import { minute, second } from "../base/duration.ts";
import { conflict, done, rewrite, type Pacing } from "../base/rewrite.ts";
import type { LinkKey } from "./link-token.ts";
import type { KeyRing } from "./sealer.ts";
import { storageCall } from "../store/connect.ts";

/**
 * A key that signs what comes back to us: capability links (row `link-key`), messages that are sent again (row `message-key`). One for
 * the installation, random, kept in the table `control`, wrapped by the sealing key. To revoke every link, delete that entity: within
 * minutes another takes its place. A sealing key that is gone takes the links with it.
 */
export type SigningKeyRow = "link-key" | "message-key";
const partition = "control";
/** How long a key is cached; within that time a revocation is noticed. */
const cacheTime = 5 * minute;
/** A token that names another key has the row read again, but not for every such token. A message that does is never taken for unsigned. */
const lookAgain = { "link-key": 30 * second, "message-key": 0 } as const;

interface Known {
  readonly key: LinkKey | undefined;
  readonly at: number;
}

export class LinkKeys {
  readonly #table: TableClient;
  readonly #ring: KeyRing;
  readonly #pacing: Pacing;
  readonly #row: SigningKeyRow;
  #known: Promise<Known> | undefined;

  constructor(table: TableClient, ring: KeyRing, pacing: Pacing, row: SigningKeyRow = "link-key") {
    this.#row = row;
    this.#table = table;
    this.#ring = ring;
    this.#pacing = pacing;
  }

  /**
   * The key to sign with; made when there is no key yet.
   *
   * @throws Unavailable when storage or the sealing key can't be reached
   */
  async current(): Promise<LinkKey> {
    const { key } = await this.#knownFor(cacheTime);
    if (key !== undefined) return key;
    this.#known = undefined;
    return this.#make();
  }

  /**
   * The key of that id, if what was signed with it is still good.
   *
   * @throws Unavailable as above
   */
  async find(id: string): Promise<LinkKey | undefined> {
    const { key } = await this.#knownFor(cacheTime);
    if (key?.id === id) return key;
    const fresh = await this.#knownFor(lookAgain[this.#row]);
    return fresh.key?.id === id ? fresh.key : undefined;
  }

  async #knownFor(time: number): Promise<Known> {
    const known = await this.#known;
    if (known !== undefined && this.#pacing.now() - known.at < time) return known;
    const read = this.#read();
    this.#known = read;
    read.catch(() => (this.#known = undefined));
    return read;
  }

  async #read(): Promise<Known> {
    const at = this.#pacing.now();
    const row = await storageCall(() => this.#table.getEntity(partition, this.#row), 404);
    const key = row === 404 ? undefined : await this.#open(row);
    return { key, at };
  }

  /** `undefined` for a key whose sealing key is gone, or that somebody edited. */
  async #open({ id, kid, wrapped }: Readonly<Record<string, unknown>>): Promise<LinkKey | undefined> {
    if (typeof id !== "string" || typeof kid !== "string" || !(wrapped instanceof Uint8Array)) return undefined;
    if (!/^[0-9a-f]{8}$/.test(id)) return undefined;
    const unwrapped = await this.#ring.unwrap(kid, wrapped);
    return unwrapped.kind === "key" ? { id, key: unwrapped.key } : undefined;
  }

  /** Whoever is first makes it; the others read what was made. */
  async #make(): Promise<LinkKey> {
    const [id, key] = [randomBytes(4).toString("hex"), randomBytes(32)];
    const { kid, wrapped } = await this.#ring.wrap(key);
    const entity = { partitionKey: partition, rowKey: this.#row, id, kid, wrapped };
    return rewrite("a signing key", this.#pacing, async () => {
      const before = await storageCall(() => this.#table.getEntity(partition, this.#row), 404);
      const made = before === 404 ? undefined : await this.#open(before);
      if (made !== undefined) return done(made);
      const result =
        before === 404
          ? await storageCall(() => this.#table.createEntity(entity), 409)
          : await storageCall(() => this.#table.updateEntity(entity, "Replace", { etag: before.etag }), 404, 412);
      return typeof result === "number" ? conflict : done({ id, key });
    });
  }
}
