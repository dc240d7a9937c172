import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
  type KeyObject,
} from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";

/** One version of an RSA key. */
export interface KeyVersion {
  readonly version: string;
  readonly createdAt: number;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
  enabled: boolean;
  /** Seconds since 1970. */
  expiresAt: number | undefined;
}

const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };

export async function newVersion(now: number): Promise<KeyVersion> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  const version = randomBytes(16).toString("hex");
  return { version, createdAt: now, publicKey, privateKey, enabled: true, expiresAt: undefined };
}

const kept = z.object({ version: z.string(), createdAt: z.number(), pem: z.string() });

/** A key's first version, from the folder; made and kept there where it is not. */
export async function keptVersion(folder: string, name: string, now: number): Promise<KeyVersion> {
  const file = join(folder, `${name}.json`);
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text !== undefined) {
    const { version, createdAt, pem } = kept.parse(JSON.parse(text));
    const keys = { publicKey: createPublicKey(pem), privateKey: createPrivateKey(pem) };
    return { version, createdAt, ...keys, enabled: true, expiresAt: undefined };
  }
  const made = await newVersion(now);
  const { version, createdAt, privateKey } = made;
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  await mkdir(folder, { recursive: true });
  await writeFile(file, JSON.stringify({ version, createdAt, pem }), { mode: 0o600 });
  return made;
}

/** RSA-OAEP-256 (RFC 7518, 4.3). */
export function wrap({ publicKey }: KeyVersion, key: Uint8Array): Buffer {
  return publicEncrypt({ key: publicKey, ...padding }, key);
}

/** @throws Error when this version did not wrap it */
export function unwrap({ privateKey }: KeyVersion, wrapped: Uint8Array): Buffer {
  return privateDecrypt({ key: privateKey, ...padding }, wrapped);
}
