import { createCipheriv, createDecipheriv, createHmac, timingSafeEqual } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { z } from "zod";
import { parseJobId, type JobId } from "../base/ids.ts";
import { parseJson } from "../base/json.ts";
import type { LinkKey } from "../security/link-token.ts";

/**
 * A message that the service sends again itself, or an operator replays, is another message to the queue: with another id, inserted at
 * another time. So it carries what it had when it first came, and the text as it was. Nobody else can make one:
 *
 * - signed: `{"version":1,"resent":{id, at, ..., text, key, mac}}`, an HMAC-SHA256 under a key of the installation
 * - as a parcel, where it is too large or the key is away: `{"version":1,"resent":{parcel, secret, ...}}` names a blob that only the
 *   service can write, and the key that opens it
 *
 * A member `resent` that proves nothing is no member of the envelope. Pure.
 */
export interface Resent {
  readonly id: JobId;
  /** When the message first came, milliseconds since 1970. */
  readonly at: number;
  /** The queue's own id of it then, where it was known. */
  readonly messageId: string | undefined;
  /** Since when it waits: since it came, or was replayed. */
  readonly since: number;
  /** How often it was sent again. */
  readonly tries: number;
  /** Why it waits: a reason's code. */
  readonly why: string;
  readonly text: string;
}

/** Where a parcel lies, and what opens it. */
export interface Parcel {
  readonly name: string;
  readonly secret: Uint8Array;
}

/** What is known of a message besides its text. */
export type Shown = Pick<Resent, "id" | "since" | "tries" | "why">;

export type Claim =
  | { readonly kind: "signed"; readonly keyId: string; readonly resent: Resent; signedWith(key: LinkKey): boolean }
  | { readonly kind: "parcel"; readonly parcel: Parcel; readonly shown: Shown };

const id = z.string().transform((text, context) => {
  const parsed = parseJobId(text);
  if (parsed !== undefined) return parsed;
  context.addIssue("must be a UUID");
  return z.NEVER;
});
const shownSchema = z.object({ id, since: z.number(), tries: z.number(), why: z.string().max(100) });
const resentSchema = shownSchema.extend({
  at: z.number(),
  messageId: z.string().optional(),
  text: z.string(),
});
const signedSchema = resentSchema.extend({ key: z.string(), mac: z.base64url() });
const parcelSchema = shownSchema.extend({
  parcel: z.string().regex(/^messages\/[0-9a-f-]{1,100}$/),
  secret: z.base64url(),
});
const wireSchema = z.object({ version: z.literal(1), resent: z.union([signedSchema, parcelSchema]) });

export function signedText(resent: Resent, key: LinkKey): string {
  return wireText({ ...resent, key: key.id, mac: sign(resent, key).toString("base64url") });
}

export function parcelText(shown: Shown, { name, secret }: Parcel): string {
  const { id, since, tries, why } = shown;
  return wireText({ id, since, tries, why, parcel: name, secret: Buffer.from(secret).toString("base64url") });
}

/** What a message claims to be, if it claims anything. Not to be trusted before it is proved. */
export function readClaim(body: unknown): Claim | undefined {
  const parsed = wireSchema.safeParse(typeof body === "string" ? parseJson(body) : body);
  if (!parsed.success) return undefined;
  const { resent: wire } = parsed.data;
  if ("parcel" in wire) {
    const { parcel: name, secret, ...shown } = wire;
    return { kind: "parcel", parcel: { name, secret: Buffer.from(secret, "base64url") }, shown };
  }
  const { key: keyId, mac, ...rest } = wire;
  const resent: Resent = { ...rest, messageId: rest.messageId };
  const given = Buffer.from(mac, "base64url");
  const signedWith = (key: LinkKey): boolean => {
    const own = sign(resent, key);
    return key.id === keyId && given.length === own.length && timingSafeEqual(own, given);
  };
  return { kind: "signed", keyId, resent, signedWith };
}

/** What an operator is shown of a message that was sent again, proved or not. */
export function recordOf(text: string): Shown | undefined {
  const claim = readClaim(text);
  return claim?.kind === "signed" ? claim.resent : claim?.shown;
}

/** AES-256-GCM under the parcel's own key, its name bound in: nonce, tag, compressed JSON. */
export function packParcel(resent: Resent, { name, secret }: Parcel, nonce: Uint8Array): Uint8Array {
  const cipher = createCipheriv("aes-256-gcm", secret, nonce).setAAD(Buffer.from(name));
  const body = Buffer.concat([cipher.update(gzipSync(JSON.stringify(resent), { level: 1 })), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), body]);
}

/** `undefined` when the bytes are nothing that was packed so. */
export function unpackParcel(bytes: Uint8Array, { name, secret }: Parcel): Resent | undefined {
  try {
    const packed = Buffer.from(bytes);
    const decipher = createDecipheriv("aes-256-gcm", secret, packed.subarray(0, nonceBytes), { authTagLength: 16 })
      .setAAD(Buffer.from(name))
      .setAuthTag(packed.subarray(nonceBytes, nonceBytes + 16));
    const plain = Buffer.concat([decipher.update(packed.subarray(nonceBytes + 16)), decipher.final()]);
    const parsed = resentSchema.safeParse(parseJson(gunzipSync(plain).toString("utf8")));
    return parsed.success ? { ...parsed.data, messageId: parsed.data.messageId } : undefined;
  } catch {
    return undefined;
  }
}

export const nonceBytes = 12;
export const secretBytes = 32;

function sign({ id, at, messageId, since, tries, why, text }: Resent, { key }: LinkKey): Buffer {
  const signed = JSON.stringify([id, at, messageId ?? null, since, tries, why, text]);
  return createHmac("sha256", key).update("aci-proxy message\0").update(signed).digest();
}

/** JSON has no line breaks; the two characters that XML, in which messages travel, can't hold are escaped as well. */
function wireText(resent: object): string {
  const text = JSON.stringify({ version: 1, resent });
  return text.replaceAll(/[\uFFFE\uFFFF]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`);
}
