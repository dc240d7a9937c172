import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";
import { z } from "zod";
import { parseJobId, type JobId } from "../../shared/base/ids.ts";
import { parseJson } from "../../shared/base/json.ts";
import type { Refusal } from "../../shared/base/errors.ts";
import type { Deps } from "../../shared/deps.ts";
import { faulty } from "../lib/reply.ts";

/** Where a page of jobs ended. */

/** @param more what has to be the same besides */
export const noSuchPage = (more = ""): Refusal =>
  faulty("continuation", `must be what the page before gave, unchanged${more}`);

/** The last job of a page of those that have not ended. */
export interface PageEnd {
  readonly createdAt: number;
  readonly id: JobId;
}

export function writeActive({ createdAt, id }: PageEnd): string {
  return `active ${createdAt} ${id}`;
}

/** @returns `undefined` for the end of another list's page */
export function readActive(end: string): PageEnd | undefined {
  const [, at, last] = /^active (\d{1,15}) (\S{36})$/.exec(end) ?? [];
  const id = last === undefined ? undefined : parseJobId(last);
  return id === undefined ? undefined : { createdAt: Number(at), id };
}

const key = z.string().min(1).max(2048);
/** What the table client's token is, as base64 of JSON. */
const tableToken = z.strictObject({ nextPartitionKey: key, nextRowKey: key.optional() });

/** @returns the table client's token; `undefined` for the end of another list's page. Storage may still not know the position */
export function readRows(end: string): string | undefined {
  return tableToken.safeParse(parseJson(Buffer.from(end, "base64").toString("utf8"))).success ? end : undefined;
}

const nonceBytes = 12;
const tagBytes = 16;

/**
 * Page ends as callers hold them: sealed by the installation's own key (AES-256-GCM), since the next row may be a job that they must not
 * see. A text that we did not make is refused before storage sees it.
 */
export class PageEnds {
  readonly #key: Buffer;
  readonly #randomBytes: Deps["randomBytes"];

  /** @param list whose pages these are: an array's id, or ` of groups`; those of another list, or of all jobs, are refused */
  static async of({ control, randomBytes }: Pick<Deps, "control" | "randomBytes">, list = ""): Promise<PageEnds> {
    return new PageEnds((await control.installation()).tagKey, randomBytes, list);
  }

  constructor(secret: string, randomBytes: Deps["randomBytes"], list: string) {
    this.#key = createHmac("sha256", secret).update(`aci-proxy page end${list}`).digest();
    this.#randomBytes = randomBytes;
  }

  seal(end: string): string {
    const nonce = this.#randomBytes(nonceBytes);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce);
    const body = Buffer.concat([cipher.update(end, "utf8"), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString("base64url");
  }

  /** @returns `undefined` for a text that this installation did not make */
  open(continuation: string): string | undefined {
    const bytes = Buffer.from(continuation, "base64url");
    if (bytes.length <= nonceBytes + tagBytes) return undefined;
    const [nonce, rest] = [bytes.subarray(0, nonceBytes), bytes.subarray(nonceBytes)];
    try {
      const decipher = createDecipheriv("aes-256-gcm", this.#key, nonce, { authTagLength: tagBytes });
      decipher.setAuthTag(rest.subarray(0, tagBytes));
      return Buffer.concat([decipher.update(rest.subarray(tagBytes)), decipher.final()]).toString("utf8");
    } catch {
      return undefined;
    }
  }
}
