import { createCipheriv, createDecipheriv } from "node:crypto";
import { Unavailable } from "../../src/shared/base/errors.ts";
import type { KeyRing } from "../../src/shared/security/sealer.ts";

/** A sealing key in memory. */
const master = Buffer.alloc(32, 7);
const nonce = Buffer.alloc(12, 1);

export class Ring implements KeyRing {
  isAway = false;

  wrap(key: Uint8Array) {
    if (this.isAway) return Promise.reject(away());
    const cipher = createCipheriv("aes-256-gcm", master, nonce);
    return Promise.resolve({
      kid: "model",
      wrapped: Buffer.concat([cipher.update(key), cipher.final(), cipher.getAuthTag()]),
    });
  }

  unwrap(kid: string, wrapped: Uint8Array) {
    if (this.isAway) return Promise.reject(away());
    const bytes = Buffer.from(wrapped);
    const decipher = createDecipheriv("aes-256-gcm", master, nonce).setAuthTag(bytes.subarray(-16));
    const key = Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]);
    return Promise.resolve(kid === "model" ? ({ kind: "key", key } as const) : ({ kind: "unknown key" } as const));
  }
}

const away = (): Unavailable => new Unavailable("seal key", "It is away.");

/** One that is never away. */
export const ring: KeyRing = new Ring();
