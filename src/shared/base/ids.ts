import { hash } from "node:crypto";

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

/** The id of the job that runs another again: the same however often that is asked for (version 8, RFC 9562, 5.8). */
export function rerunIdOf(id: JobId): JobId {
  const bytes = new Uint8Array(hash("sha256", `rerun of ${id}`, "buffer").subarray(0, 16));
  bytes[6] = 0x80 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  return format(bytes);
}

/** True for ids that {@link mintJobId} made (and for one in 65,536 of other people's UUIDv7). */
export function isMinted(id: JobId): boolean {
  const bytes = Buffer.from(id.replaceAll("-", ""), "hex");
  if ((bytes[6] ?? 0) >> 4 !== 7) return false;
  return check(bytes).equals(bytes.subarray(14));
}

/** Milliseconds since 1970 that a version 7 id carries. */
export function mintedAt(id: JobId): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/**
 * The group's name with a suffix of the job's own, so that the same definition can run side by side (`uniqueName`).
 * Cut to ACI's 63 characters, never ending the stem in a dash.
 */
export function uniqueGroupName(name: GroupName, id: JobId): GroupName {
  const suffix = hash("sha256", id).slice(0, 10);
  return groupName(`${name.slice(0, 63 - 11).replace(/-+$/, "")}-${suffix}`);
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
