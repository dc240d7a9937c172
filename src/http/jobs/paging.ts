import { z } from "zod";
import { parseJobId, type JobId } from "../../shared/base/ids.ts";
import { parseJson } from "../../shared/base/json.ts";

/** Where a page of jobs ended, as text for a query. A text that we did not make is refused before storage sees it. */

/** The last job of a page of those that have not ended. */
export interface PageEnd {
  readonly createdAt: number;
  readonly id: JobId;
}

export function writeActive({ createdAt, id }: PageEnd): string {
  return toText(`active ${createdAt} ${id}`);
}

/** @returns `undefined` for a text that we did not make */
export function readActive(continuation: string): PageEnd | undefined {
  const [, at, last] = /^active (\d{1,15}) (\S{36})$/.exec(fromText(continuation)) ?? [];
  const id = last === undefined ? undefined : parseJobId(last);
  return id === undefined ? undefined : { createdAt: Number(at), id };
}

/** @param token the table client's own */
export function writeRows(token: string): string {
  return toText(token);
}

const key = z.string().min(1).max(2048);
/** What the table client's token is, as base64 of JSON. */
const tableToken = z.strictObject({ nextPartitionKey: key, nextRowKey: key.optional() });

/** @returns `undefined` for a text that we did not make; storage may still not know the position that it names */
export function readRows(continuation: string): string | undefined {
  const token = fromText(continuation);
  return tableToken.safeParse(parseJson(Buffer.from(token, "base64").toString("utf8"))).success ? token : undefined;
}

function toText(token: string): string {
  return Buffer.from(token).toString("base64url");
}

function fromText(continuation: string): string {
  return Buffer.from(continuation, "base64url").toString("utf8");
}
