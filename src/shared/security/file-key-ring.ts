import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { messageOf, Unavailable } from "../base/errors.ts";
import type { KeyRing } from "./sealer.ts";

type Keys = ReadonlyMap<string, Buffer>;

/**
 * Sealing keys in a file, for development: a line `ID BASE64` for each, the first is the current one. Made when it is missing.
 * To rotate, put a new line above the others; to take a key away, delete its line.
 *
 * Its functions throw {@link Unavailable} when the file can be neither read nor made.
 */
export function fileKeyRing(path: string): KeyRing {
  let keys: Promise<Keys> | undefined;
  const ring = (): Promise<Keys> => {
    keys ??= load(path);
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
      if (master === undefined) return { kind: "unknown key" };
      try {
        const bytes = Buffer.from(wrapped);
        const decipher = createDecipheriv("aes-256-gcm", master, bytes.subarray(0, 12), { authTagLength: 16 })
          .setAAD(Buffer.from(kid))
          .setAuthTag(bytes.subarray(-16));
        return { kind: "key", key: Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]) };
      } catch {
        return { kind: "damaged" };
      }
    },
  };
}

async function load(path: string): Promise<Keys> {
  try {
    const text = (await readIfThere(path)) ?? (await make(path));
    const lines = text.split("\n").map((line) => line.trim().split(/\s+/));
    const keys = new Map(
      lines.flatMap(([kid, key]) => (kid && key ? [[kid, Buffer.from(key, "base64")] as const] : [])),
    );
    if (keys.size === 0) throw new Error("it holds no key yet");
    if ([...keys.values()].some(({ length }) => length !== 32)) throw new Error("a key in it has not 32 bytes");
    return keys;
  } catch (error) {
    throw new Unavailable("seal key", `The sealing key's file can't be used: ${messageOf(error)}`, { cause: error });
  }
}

function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((error: unknown) => {
    if (!isCode(error, "ENOENT")) throw error;
    return undefined;
  });
}

/** Written aside and linked: a disk that is full leaves no file without a key, and of two who make one the first wins. */
async function make(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  const name = randomBytes(4).toString("hex");
  const draft = `${path}.${name}`;
  try {
    await writeFile(draft, `local-${name} ${randomBytes(32).toString("base64")}\n`, { flag: "wx", mode: 0o600 });
    await link(draft, path).catch((error: unknown) => {
      if (!isCode(error, "EEXIST")) throw error;
    });
  } finally {
    await rm(draft, { force: true });
  }
  return readFile(path, "utf8");
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code;
