import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { z } from "zod";
import { hour } from "./backoff.ts";
import { messageOf, Unavailable } from "./errors.ts";
import type { JobId } from "./ids.ts";

/**
 * Sealed bytes: AES-256-GCM with a fresh nonce, the job's id bound in, compressed before. The data key that sealed them travels with
 * them, wrapped by the sealing key; so a new sealing key needs no rewriting, and the old one opens what it sealed as long as it exists.
 *
 * Form: one line of JSON `{v, kid, wrapped, nonce}`, a line feed, 16 bytes of tag, the ciphertext.
 */
export interface KeyRing {
  /** Wraps a data key with the current sealing key. */
  wrap(key: Uint8Array): Promise<{ readonly kid: string; readonly wrapped: Uint8Array }>;
  /**
   * @returns the data key, or `undefined` when there is no key of that id any more
   * @throws Unavailable when the key can't be reached now
   */
  unwrap(kid: string, wrapped: Uint8Array): Promise<Uint8Array | undefined>;
}

const header = z.object({ v: z.literal(1), kid: z.string(), wrapped: z.base64(), nonce: z.base64() });

export type Unsealed =
  { readonly kind: "open"; readonly text: string } | { readonly kind: "unknown key" } | { readonly kind: "damaged" };

/** How long one data key is used for new seals: one call to the vault per instance and hour. */
const dataKeyTime = hour;

export class Sealer {
  readonly #ring: KeyRing;
  readonly #now: () => number;
  #current: Promise<{ key: Uint8Array; kid: string; wrapped: string; until: number }> | undefined;
  readonly #opened = new Map<string, Promise<Uint8Array | undefined>>();

  constructor(ring: KeyRing, now: () => number) {
    this.#ring = ring;
    this.#now = now;
  }

  /** @throws Unavailable when the sealing key can't be reached */
  async seal(text: string, id: JobId): Promise<Uint8Array> {
    const { key, kid, wrapped } = await this.#dataKey();
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(id));
    const body = Buffer.concat([cipher.update(gzipSync(text, { level: 1 })), cipher.final()]);
    const head = JSON.stringify({ v: 1, kid, wrapped, nonce: nonce.toString("base64") });
    return Buffer.concat([Buffer.from(`${head}\n`), cipher.getAuthTag(), body]);
  }

  /** @throws Unavailable when the sealing key can't be reached now */
  async open(sealed: Uint8Array, id: JobId): Promise<Unsealed> {
    const bytes = Buffer.from(sealed);
    const end = bytes.indexOf(10);
    const head = header.safeParse(parseJson(bytes.subarray(0, Math.max(end, 0)).toString("utf8")));
    if (!head.success) return { kind: "damaged" };
    const { kid, wrapped, nonce } = head.data;
    const key = await this.#unwrapped(kid, wrapped);
    if (key === undefined) return { kind: "unknown key" };
    try {
      const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"))
        .setAAD(Buffer.from(id))
        .setAuthTag(bytes.subarray(end + 1, end + 17));
      const plain = Buffer.concat([decipher.update(bytes.subarray(end + 17)), decipher.final()]);
      return { kind: "open", text: gunzipSync(plain).toString("utf8") };
    } catch {
      return { kind: "damaged" };
    }
  }

  async #dataKey(): Promise<{ key: Uint8Array; kid: string; wrapped: string }> {
    const current = await this.#current?.catch(() => undefined);
    if (current && this.#now() < current.until) return current;
    this.#current = this.#newKey();
    return this.#current;
  }

  async #newKey(): Promise<{ key: Uint8Array; kid: string; wrapped: string; until: number }> {
    const key = randomBytes(32);
    const { kid, wrapped } = await this.#ring.wrap(key);
    return { key, kid, wrapped: Buffer.from(wrapped).toString("base64"), until: this.#now() + dataKeyTime };
  }

  #unwrapped(kid: string, wrapped: string): Promise<Uint8Array | undefined> {
    const known = this.#opened.get(wrapped);
    if (known) return known;
    const opened = this.#ring.unwrap(kid, Buffer.from(wrapped, "base64"));
    if (this.#opened.size > 1000) this.#opened.clear();
    this.#opened.set(wrapped, opened);
    void opened.then(
      (key) => key ?? this.#opened.delete(wrapped),
      () => this.#opened.delete(wrapped),
    );
    return opened;
  }
}

/**
 * Sealing keys in a file, for development: a line `ID BASE64` for each, the first is the current one. Made when it is missing.
 * @throws Unavailable (at first use) when the file can be neither read nor made
 */
export function fileKeyRing(path: string): KeyRing {
  let keys: Promise<ReadonlyMap<string, Buffer>> | undefined;
  const load = async (): Promise<ReadonlyMap<string, Buffer>> => {
    try {
      await mkdir(dirname(path), { recursive: true });
      const made = `local-${randomBytes(4).toString("hex")} ${randomBytes(32).toString("base64")}\n`;
      await writeFile(path, made, { flag: "wx", mode: 0o600 }).catch((error: unknown) => {
        if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      });
      const lines = (await readFile(path, "utf8")).split("\n").map((line) => line.trim().split(/\s+/));
      const map = new Map(
        lines.flatMap(([kid, key]) => (kid && key ? [[kid, Buffer.from(key, "base64")] as const] : [])),
      );
      if (map.size === 0) throw new Error("it holds no key yet");
      return map;
    } catch (error) {
      throw new Unavailable("seal key", `The sealing key's file can't be used: ${messageOf(error)}`, { cause: error });
    }
  };
  const ring = (): Promise<ReadonlyMap<string, Buffer>> => {
    keys ??= load();
    keys.catch(() => (keys = undefined));
    return keys;
  };
  return {
    async wrap(key) {
      const [[kid, master] = ["", Buffer.alloc(32)]] = await ring();
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", master, nonce).setAAD(Buffer.from(kid));
      return { kid, wrapped: Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]) };
    },
    async unwrap(kid, wrapped) {
      const master = (await ring()).get(kid);
      if (master === undefined) return undefined;
      const bytes = Buffer.from(wrapped);
      const decipher = createDecipheriv("aes-256-gcm", master, bytes.subarray(0, 12))
        .setAAD(Buffer.from(kid))
        .setAuthTag(bytes.subarray(-16));
      return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
