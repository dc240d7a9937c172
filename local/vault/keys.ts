import { constants, generateKeyPair, privateDecrypt, publicEncrypt, randomBytes, type KeyObject } from "node:crypto";
import { promisify } from "node:util";

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

/** RSA-OAEP-256 (RFC 7518, 4.3). */
export function wrap({ publicKey }: KeyVersion, key: Uint8Array): Buffer {
  return publicEncrypt({ key: publicKey, ...padding }, key);
}

/** @throws Error when this version did not wrap it */
export function unwrap({ privateKey }: KeyVersion, wrapped: Uint8Array): Buffer {
  return privateDecrypt({ key: privateKey, ...padding }, wrapped);
}
