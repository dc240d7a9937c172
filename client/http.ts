import type { z } from "zod";
import { retryAfter } from "../src/shared/base/duration.ts";
import { Misuse, Refused, Unreachable } from "./errors.ts";
import { refusal } from "./replies.ts";

/** Which service, and the key that opens it. */
export interface Target {
  /** Base address without a slash at the end. */
  readonly url: string;
  readonly key: string | undefined;
}

export interface Call {
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds to the head of the answer. */
  readonly limit?: number;
}

/**
 * @param url from `--url` or `ACI_PROXY_URL`
 * @param key from `--key` or `ACI_PROXY_KEY`; a service on this machine is taken to have the local stack's own
 * @throws Misuse
 */
export function target(url: string, key: string | undefined): Target {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    throw new Misuse("--url (or ACI_PROXY_URL) must be an absolute http or https address");
  }
  if (parsed.username || parsed.password || parsed.search || parsed.hash) {
    throw new Misuse("--url (or ACI_PROXY_URL) must be the bare address of the service; the key goes to ACI_PROXY_KEY");
  }
  const local = ["localhost", "127.0.0.1", "[::1]"].includes(parsed.hostname);
  return { url: parsed.href.replace(/\/+$/, ""), key: key || (local ? "local" : undefined) };
}

/**
 * One call. Redirects are not followed: `fetch` would carry the key along to wherever they lead.
 *
 * @param path begins with a slash
 * @returns the answer, whatever its status (except a redirect)
 * @throws Unreachable, Refused
 */
export async function call({ url, key }: Target, method: string, path: string, more: Call = {}): Promise<Response> {
  const address = new URL(url + path);
  for (const [name, value] of Object.entries(more.query ?? {})) {
    if (value !== undefined) address.searchParams.set(name, value);
  }
  const gone = new AbortController();
  const timer = setTimeout(() => gone.abort(), more.limit ?? 30_000);
  let answer: Response;
  try {
    answer = await fetch(address, {
      method,
      headers: { ...(key === undefined ? {} : { "x-functions-key": key }), ...more.headers },
      ...(more.body === undefined ? {} : { body: more.body }),
      redirect: "manual",
      signal: more.signal ? AbortSignal.any([gone.signal, more.signal]) : gone.signal,
    });
  } catch (error) {
    more.signal?.throwIfAborted();
    throw new Unreachable(`No answer from ${url} (${gone.signal.aborted ? "it took too long" : causeOf(error)})`);
  } finally {
    clearTimeout(timer);
  }
  if (answer.status >= 300 && answer.status < 400) {
    throw new Refused(answer.status, `${url} redirects elsewhere; give the final address as --url`);
  }
  return answer;
}

/** The body, once it is complete. @throws Unreachable when the connection breaks before. */
export async function textOf(answer: Response, { url }: Target): Promise<string> {
  try {
    return await answer.text();
  } catch (error) {
    throw new Unreachable(`The answer of ${url} broke off (${causeOf(error)})`);
  }
}

/** A refusal as an error that says what to do, from the service's own words where it has some. */
export function refused(answer: Response, body: string): Refused {
  const words = shaped(body, refusal);
  const wait = retryAfter(answer.headers.get("retry-after") ?? undefined, Date.now());
  if (answer.status === 401 || (answer.status === 403 && words === undefined)) {
    return new Refused(answer.status, "The service refused the key; give the right one in ACI_PROXY_KEY (or --key)");
  }
  const request = words?.requestId === undefined ? "" : ` (request ${words.requestId})`;
  const message =
    words === undefined
      ? `The service answered ${answer.status} without saying why${answer.status === 404 ? "; is --url right?" : ""}`
      : words.message + (answer.status >= 500 ? request : "");
  return new Refused(answer.status, message, { errors: words?.errors, warnings: words?.warnings, retryAfter: wait });
}

/** A JSON text of that shape as it came, members that the shape does not name and their order included; else `undefined`. */
export function shaped<T>(text: string, shape: z.ZodType<T>): T | undefined {
  const value = jsonOf(text);
  return shape.safeParse(value).success ? (value as T) : undefined; // the shape was just checked, and no shape transforms
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The system's own word for a failed `fetch`: its message says only "fetch failed". */
function causeOf(error: unknown): string {
  let deepest = error;
  while (deepest instanceof Error && deepest.cause !== undefined) deepest = deepest.cause;
  if (!(deepest instanceof Error)) return String(deepest);
  return "code" in deepest && typeof deepest.code === "string" ? deepest.code : deepest.message;
}
