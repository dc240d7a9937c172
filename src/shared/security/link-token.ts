import { createHmac, timingSafeEqual } from "node:crypto";
import { day } from "../base/duration.ts";
import { parseJobId, type JobId } from "../base/ids.ts";
import { hasEnded, type Phase } from "../job/job.ts";

/**
 * Capability links: addresses that need no key. One shows a job's status to whoever has it (`polling=link`), one takes the result of one
 * attempt (`ACI_PROXY_RESULT_URL`). A token in base64url is: version, the signing key's id (4 bytes), the job's id (16), what it opens,
 * of a result the attempt's number (2), HMAC-SHA256 of all that (32). Pure.
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

/** What a token says that takes an attempt's result. */
export interface ResultLink extends Link {
  readonly attempt: number;
}

const version = 1;
const scopes = { status: 1, result: 2 } as const;
const scopeAt = 21;
const signatureLength = 32;
/** How long a link is good after its job's end. */
const afterlife = day;

export function mintLink(key: LinkKey, jobId: JobId): string {
  return mint(key, jobId, Buffer.of(scopes.status));
}

export function mintResultLink(key: LinkKey, jobId: JobId, attempt: number): string {
  return mint(key, jobId, Buffer.of(scopes.result, attempt >> 8, attempt & 0xff));
}

/** `undefined` when the token is not a link to a status, whoever signed it. */
export function readLink(token: string): Link | undefined {
  return read(token, 1, scopes.status)?.link;
}

/** `undefined` when the token does not take a result, whoever signed it. */
export function readResultLink(token: string): ResultLink | undefined {
  const found = read(token, 3, scopes.result);
  return found && { ...found.link, attempt: found.head.readUInt16BE(scopeAt + 1) };
}

function mint({ id, key }: LinkKey, jobId: JobId, opens: Uint8Array): string {
  const head = Buffer.concat([
    Buffer.of(version),
    Buffer.from(id, "hex"),
    Buffer.from(jobId.replaceAll("-", ""), "hex"),
    opens,
  ]);
  return Buffer.concat([head, sign(key, head)]).toString("base64url");
}

/** @param size bytes of what it opens */
function read(token: string, size: number, scope: number): { readonly link: Link; readonly head: Buffer } | undefined {
  const bytes = Buffer.from(token, "base64url");
  const length = scopeAt + size;
  if (bytes.length !== length + signatureLength || bytes.toString("base64url") !== token) return undefined;
  const head = bytes.subarray(0, length);
  if (head[0] !== version || head[scopeAt] !== scope) return undefined;
  const hex = head.toString("hex", 5, 21);
  const jobId = parseJobId(hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"));
  if (jobId === undefined) return undefined;
  const keyId = head.toString("hex", 1, 5);
  const signature = bytes.subarray(length);
  const signedWith = ({ id, key }: LinkKey): boolean => id === keyId && timingSafeEqual(sign(key, head), signature);
  return { link: { keyId, jobId, signedWith }, head };
}

/** Whether a job's link still opens anything. */
export function linkIsGood(phase: Phase, now: number): boolean {
  return !hasEnded(phase) || now <= phase.finishedAt + afterlife;
}

function sign(key: Uint8Array, head: Uint8Array): Buffer {
  return createHmac("sha256", key).update("aci-proxy link\0").update(head).digest();
}
