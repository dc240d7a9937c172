import { createHmac, timingSafeEqual } from "node:crypto";
import { day } from "../base/duration.ts";
import { parseJobId, type JobId } from "../base/ids.ts";
import { hasEnded, type Phase } from "../job/job.ts";

/**
 * Capability links (`polling=link`): an address that shows one job's status to whoever has it, and needs no key. Its token is 54 bytes
 * in base64url: version, the signing key's id (4), the job's id (16), what it opens, HMAC-SHA256 of all that (32). Pure.
 */
export interface LinkKey {
  /** Eight hexadecimal digits. */
  readonly id: string;
  readonly key: Uint8Array;
}

/** What a token says, and whether it was signed with a key. Not to be trusted before that was checked. */
export interface Link {
  readonly keyId: string;
  readonly jobId: JobId;
  signedWith(key: LinkKey): boolean;
}

const version = 1;
/** What a link opens: one job's status. */
const scope = 1;
const length = 54;
const signed = length - 32;
/** How long a link is good after its job's end. */
const afterlife = day;

export function mintLink({ id, key }: LinkKey, jobId: JobId): string {
  const head = Buffer.concat([
    Buffer.of(version),
    Buffer.from(id, "hex"),
    Buffer.from(jobId.replaceAll("-", ""), "hex"),
    Buffer.of(scope),
  ]);
  return Buffer.concat([head, sign(key, head)]).toString("base64url");
}

/** `undefined` when the text is not one of our tokens, whoever signed it. */
export function readLink(token: string): Link | undefined {
  const bytes = Buffer.from(token, "base64url");
  if (bytes.length !== length || bytes.toString("base64url") !== token) return undefined;
  const head = bytes.subarray(0, signed);
  if (head[0] !== version || head[signed - 1] !== scope) return undefined;
  const hex = head.toString("hex", 5, 21);
  const jobId = parseJobId(hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"));
  if (jobId === undefined) return undefined;
  const keyId = head.toString("hex", 1, 5);
  return {
    keyId,
    jobId,
    signedWith: ({ id, key }) => id === keyId && timingSafeEqual(sign(key, head), bytes.subarray(signed)),
  };
}

/** Whether a job's link still opens anything. */
export function linkIsGood(phase: Phase, now: number): boolean {
  return !hasEnded(phase) || now <= phase.finishedAt + afterlife;
}

function sign(key: Uint8Array, head: Uint8Array): Buffer {
  return createHmac("sha256", key).update("aci-proxy link\0").update(head).digest();
}
