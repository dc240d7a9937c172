import { createHmac, hash } from "node:crypto";

declare const brand: unique symbol;

/** A job's id: a lower-case UUID (RFC 9562); version 7 when we mint it. */
export type JobId = string & { readonly [brand]: "JobId" };
/** A container group's name as its caller wrote it. Compare with {@link nameKey}, never with `===`. */
export type GroupName = string & { readonly [brand]: "GroupName" };

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Any UUID, in any letter case. `undefined` when the text is not a UUID. */
export function parseJobId(text: string): JobId | undefined {
  const lower = text.trim().toLowerCase();
  return uuid.test(lower) ? (lower as JobId) : undefined; // proven by the pattern
}

export function isUuidLike(text: string): boolean {
  return uuid.test(text.toLowerCase());
}

/** Trusts that the text was checked by the definition's name rule (`definition.ts`). */
export function groupName(checked: string): GroupName {
  return checked as GroupName; // the only maker besides the store, which reads back what it wrote
}

/** What names are compared by: Azure Resource Manager takes names without regard to case. */
export function nameKey(name: string): string {
  return name.toLowerCase();
}

/**
 * A new id. It is a UUIDv7 whose last 16 bits are a checksum of the rest: {@link isMinted} distinguishes our ids from a poster's own,
 * and one point read finds the row of such a job.
 *
 * @param now milliseconds since 1970
 * @param random ten random bytes
 */
export function mintJobId(now: number, random: Uint8Array): JobId {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(now) << 16n);
  bytes.set(random.subarray(0, 8), 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  bytes.set(check(bytes), 14);
  return format(bytes);
}

/**
 * The id of a job that was posted on the queue without one: the same for every delivery of that message.
 *
 * @param insertedAt when the service took the message, milliseconds since 1970
 * @param seed the message's own id, or whatever else is the same at each delivery
 */
export function deriveJobId(insertedAt: number, seed: string): JobId {
  return mintJobId(insertedAt, hash("sha256", seed, "buffer"));
}

/**
 * The id of the job that runs another again: the same however often that is asked for (version 8, RFC 9562, 5.8). It is no id of an
 * array's child, all of which have another bit.
 *
 * @param secret of the installation, so that nobody can take the id with a job of their own
 */
export function rerunIdOf(id: JobId, secret: string): JobId {
  const bytes = new Uint8Array(createHmac("sha256", secret).update(`rerun of ${id}`).digest().subarray(0, 16));
  bytes[6] = 0x80 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0xa0 | ((bytes[8] ?? 0) & 0x1f);
  return format(bytes);
}

/** True for ids that {@link mintJobId} or {@link childJobId} made (and for one in 65,536 of other people's UUIDv7 and UUIDv8). */
export function isMinted(id: JobId): boolean {
  return isChecked(bytesOf(id), 7) || childIn(id) !== undefined;
}

/** Of which array a job is a child, and which of its children, as its id says. */
export interface Child {
  /** When the array was accepted: milliseconds since 1970. */
  readonly arrayAt: number;
  /** Ten hexadecimal digits of a hash of the array's own id. */
  readonly arrayHash: string;
  /** From 0 to {@link maxChildNumber}. */
  readonly number: number;
}

/** An array of 10,000 items has at most 10,000 children; in packs with ten retries of each item they may be a hundred thousand. */
export const maxChildNumber = 2 ** 17 - 1;

/** Characters that the group's name of a pack may have after that of its array: `-p131071`. */
export const packSuffixLength = `-p${maxChildNumber}`.length;

/**
 * The id of an array's child: it follows from the array and the child's number alone, so that a child is made once however often that
 * is tried, and it leads to the child's row. It is a UUID of version 8 (RFC 9562, 5.8): 48 bits of the array's time, 17 of the number, 40
 * of a hash of the array's id, 16 of a checksum.
 *
 * @param number from 0 to {@link maxChildNumber}
 */
export function childJobId(array: JobId, arrayAt: number, number: number): JobId {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(arrayAt, 0, 6);
  bytes.writeUInt16BE(0x8000 | (number >> 5), 6);
  bytes.writeUInt8(0x80 | (number & 0x1f), 8);
  bytes.write(arrayHashOf(array), 9, "hex");
  bytes.set(check(bytes), 14);
  return format(bytes);
}

export function arrayHashOf(array: JobId): string {
  return hash("sha256", `array ${array}`).slice(0, 10);
}

/** What the id of an array's child says; `undefined` for every other id (but one in 131,072 of other people's UUIDv8). */
export function childIn(id: JobId): Child | undefined {
  const bytes = bytesOf(id);
  if (!isChecked(bytes, 8) || (bytes.readUInt8(8) & 0x20) !== 0) return undefined;
  const number = ((bytes.readUInt16BE(6) & 0x0fff) << 5) | (bytes.readUInt8(8) & 0x1f);
  return { arrayAt: mintedAt(id), arrayHash: bytes.toString("hex", 9, 14), number };
}

function bytesOf(id: JobId): Buffer {
  return Buffer.from(id.replaceAll("-", ""), "hex");
}

function isChecked(bytes: Buffer, version: number): boolean {
  return (bytes[6] ?? 0) >> 4 === version && check(bytes).equals(bytes.subarray(14));
}

/** Milliseconds since 1970 that our own id carries: when its job was accepted, or the array whose child it is. */
export function mintedAt(id: JobId): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/** Characters that a container group's name may have. */
export const maxGroupName = 63;

/**
 * The group's name with a suffix of the job's own, so that the same definition can run side by side (`uniqueName`).
 * Cut to ACI's 63 characters, never ending the stem in a dash.
 *
 * @param room characters that are left free behind it
 */
export function uniqueGroupName(name: GroupName, id: JobId, room = 0): GroupName {
  const suffix = hash("sha256", id).slice(0, 10);
  return groupName(`${name.slice(0, maxGroupName - suffix.length - 1 - room).replace(/-+$/, "")}-${suffix}`);
}

const salted = Buffer.from("aci-proxy".padEnd("aci-proxy".length + 14, "\0"));

function check(bytes: Uint8Array): Buffer {
  salted.set(bytes.subarray(0, 14), salted.length - 14);
  return hash("sha256", salted, "buffer").subarray(0, 2);
}

function format(bytes: Uint8Array): JobId {
  const hex = Buffer.from(bytes).toString("hex");
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  return parts.join("-") as JobId; // made of 16 bytes, so it is a UUID
}
