import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { z } from "zod";
import { hour } from "../base/duration.ts";
import { Unavailable } from "../base/errors.ts";
import { TtlCache } from "../base/ttl-cache.ts";
import { parseJson } from "../base/json.ts";

/**
 * Sealed bytes: AES-256-GCM with a fresh nonce, compressed before, and bound to what they belong to: a job's id, or a template's name and
 * version. The data key that sealed them travels with them, wrapped by the sealing key; so a new sealing key needs no rewriting, and the
 * old one opens what it sealed as long as it exists.
 *
 * Form: one line of JSON `{v, kid, wrapped, nonce}`, a line feed, 16 bytes of tag, the ciphertext.
 */
export interface KeyRing {
  /**
   * Wraps a data key with the current sealing key.
   *
   * @throws Unavailable when the key can't be reached now
   */
  wrap(key: Uint8Array): Promise<{ readonly kid: string; readonly wrapped: Uint8Array }>;
  /** @throws Unavailable when the key can't be reached now */
  unwrap(kid: string, wrapped: Uint8Array): Promise<Unwrapped>;
}

export type Unwrapped =
  | { readonly kind: "key"; readonly key: Uint8Array }
  /** There is no key of that id any more. */
  | { readonly kind: "unknown key" }
  /** The key is there, but this is nothing that it wrapped. */
  | { readonly kind: "damaged" };

export type Unsealed =
  { readonly kind: "open"; readonly text: string } | { readonly kind: "unknown key" } | { readonly kind: "damaged" };

/** Of what only a newer release can open. */
const newerHeader = z.looseObject({ v: z.number().gt(1) });
const header = z.object({ v: z.literal(1), kid: z.string(), wrapped: z.base64(), nonce: z.base64() });

/** How long a data key is used for new seals, and an opened one remembered: few calls to the vault per instance and hour. */
const dataKeyTime = hour;
/** A data key serves this much longer while its successor can't be made: a short outage of the vault must not refuse jobs. */
const dataKeyGrace = hour;
const maxOpened = 1000;

interface DataKey {
  readonly key: Uint8Array;
  readonly kid: string;
  readonly wrapped: string;
  readonly madeAt: number;
}

export class Sealer {
  readonly #ring: KeyRing;
  readonly #now: () => number;
  #current: DataKey | undefined;
  #making: Promise<DataKey> | undefined;
  readonly #opened: TtlCache<Unwrapped>;

  constructor(ring: KeyRing, now: () => number) {
    this.#ring = ring;
    this.#now = now;
    this.#opened = new TtlCache({ time: dataKeyTime, max: maxOpened, now });
  }

  /**
   * @param id what the text belongs to: it opens for that alone
   * @throws Unavailable when the sealing key can't be reached
   */
  async seal(text: string, id: string): Promise<Uint8Array> {
    const { key, kid, wrapped } = await this.#dataKey();
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(id));
    const body = Buffer.concat([cipher.update(gzipSync(text, { level: 1 })), cipher.final()]);
    const head = JSON.stringify({ v: 1, kid, wrapped, nonce: nonce.toString("base64") });
    return Buffer.concat([Buffer.from(`${head}\n`), cipher.getAuthTag(), body]);
  }

  /** @throws Unavailable when the sealing key can't be reached now, or only a newer release can open it */
  async open(sealed: Uint8Array, id: string): Promise<Unsealed> {
    const bytes = Buffer.from(sealed);
    const end = bytes.indexOf(10);
    const json = parseJson(bytes.subarray(0, Math.max(end, 0)).toString("utf8"));
    if (newerHeader.safeParse(json).success) throw new Unavailable("seal key", "A newer release sealed it.");
    const head = header.safeParse(json);
    if (!head.success) return { kind: "damaged" };
    const { kid, wrapped, nonce } = head.data;
    const unwrapped = await this.#unwrap(kid, wrapped);
    if (unwrapped.kind !== "key") return unwrapped;
    try {
      const decipher = createDecipheriv("aes-256-gcm", unwrapped.key, Buffer.from(nonce, "base64"), {
        authTagLength: 16,
      })
        .setAAD(Buffer.from(id))
        .setAuthTag(bytes.subarray(end + 1, end + 17));
      const plain = Buffer.concat([decipher.update(bytes.subarray(end + 17)), decipher.final()]);
      return { kind: "open", text: gunzipSync(plain).toString("utf8") };
    } catch {
      return { kind: "damaged" };
    }
  }

  /** @throws Unavailable when the sealing key can't be reached, or may not be used */
  async probe(): Promise<void> {
    await this.#ring.wrap(randomBytes(32));
  }

  async #dataKey(): Promise<DataKey> {
    const current = this.#current;
    const age = current === undefined ? Infinity : this.#now() - current.madeAt;
    if (current !== undefined && age < dataKeyTime) return current;
    this.#making ??= this.#make().finally(() => (this.#making = undefined));
    if (current === undefined || age >= dataKeyTime + dataKeyGrace) return this.#making;
    this.#making.catch(() => undefined); // the next seal asks again, and the last one within the grace period is refused
    return current;
  }

  async #make(): Promise<DataKey> {
    const key = randomBytes(32);
    const { kid, wrapped } = await this.#ring.wrap(key);
    return (this.#current = { key, kid, wrapped: Buffer.from(wrapped).toString("base64"), madeAt: this.#now() });
  }

  /** Remembered for a while, answers that may change excepted. */
  #unwrap(kid: string, wrapped: string): Promise<Unwrapped> {
    return this.#opened.get(
      wrapped,
      () => this.#ring.unwrap(kid, Buffer.from(wrapped, "base64")),
      ({ kind }) => kind === "key",
    );
  }
}
