import { retryAfter } from "../src/shared/base/duration.ts";
import { Misuse, Refused, Unreachable } from "./errors.ts";
import { readReply } from "./replies.ts";

/** A bearer token, or what gives one for each call. */
export type Token = string | (() => string | Promise<string>);

/** Which service, and what opens it: a key, a token, or both, which are both sent. */
export interface Target {
  /** Base address without a slash at the end. */
  readonly url: string;
  readonly key: string | undefined;
  /** For a service with `AUTH_MODE=entra`. */
  readonly token?: Token | undefined;
}

export interface Call {
  /** Lists and mappings become words with commas in between, as the service reads them. */
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds to the head of the answer. */
  readonly limit?: number;
}

/**
 * @param url from `--url` or `ACI_PROXY_URL`
 * @param key from `--key` or `ACI_PROXY_KEY`; without key and token a service on this machine is taken to have the local stack's own key
 * @param token from `--token` or `ACI_PROXY_TOKEN`
 * @throws Misuse
 */
export function target(url: string, key: string | undefined, token?: Token): Target {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    throw new Misuse("--url (or ACI_PROXY_URL) must be an absolute http or https address");
  }
  if (parsed.username || parsed.password || parsed.search || parsed.hash) {
    throw new Misuse("--url (or ACI_PROXY_URL) must be the bare address of the service; the key goes to ACI_PROXY_KEY");
  }
  const local = ["localhost", "127.0.0.1", "[::1]"].includes(parsed.hostname);
  return {
    url: parsed.href.replace(/\/+$/, ""),
    key: key || (local && !token ? "local" : undefined),
    token: token || undefined,
  };
}

/**
 * One call. Redirects are not followed: `fetch` would carry the key along to wherever they lead.
 *
 * @param path begins with a slash
 * @returns the answer, whatever its status (except a redirect)
 * @throws Unreachable, Refused; Misuse when key or token can't be sent
 */
export async function call(
  { url, key, token }: Target,
  method: string,
  path: string,
  more: Call = {},
): Promise<Response> {
  const address = new URL(url + path);
  for (const [name, value] of Object.entries(more.query ?? {})) {
    if (value !== undefined) address.searchParams.set(name, queryText(value));
  }
  const headers = { ...credentials(key, typeof token === "function" ? await token() : token), ...more.headers };
  const gone = new AbortController();
  const timer = setTimeout(() => gone.abort(), more.limit ?? 30_000);
  let answer: Response;
  try {
    answer = await fetch(address, {
      method,
      headers,
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
    await answer.body?.cancel();
    throw new Refused("NotAciProxy", answer.status, `${url} redirects elsewhere; give the final address as --url`);
  }
  return answer;
}

/** `fetch` shows a header that it can't send, so that what opens the service would be read in its message. */
function credentials(key: string | undefined, token: string | undefined): Record<string, string> {
  if (key !== undefined && !/^[\x20-\x7e]+$/.test(key))
    throw new Misuse("The key has a line break, or another character that no key has");
  if (token !== undefined && !/^[\w.~+/-]+=*$/.test(token))
    throw new Misuse("The token is empty, or has a blank, a line break or another character that no token has");
  return {
    ...(key === undefined ? {} : { "x-functions-key": key }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
}

/** The body, once it is complete. @throws Unreachable when the connection breaks before. */
export async function textOf(answer: Response, { url }: Target): Promise<string> {
  try {
    return await answer.text();
  } catch (error) {
    throw brokeOff(url, error);
  }
}

/** The body as it comes; its reader gets Unreachable when the connection breaks, and the signal's reason when it is aborted. */
export function streamOf(
  { body }: Response,
  { url }: Target,
  signal: AbortSignal | undefined,
): ReadableStream<Uint8Array> | null {
  if (body === null) return null;
  return ReadableStream.from(
    (async function* () {
      try {
        yield* body;
      } catch (error) {
        signal?.throwIfAborted();
        throw brokeOff(url, error);
      }
    })(),
  );
}

function brokeOff(url: string, error: unknown): Unreachable {
  return new Unreachable(`The answer of ${url} broke off (${causeOf(error)})`);
}

/** A refusal as an error that says what to do, from the service's own words where it has some. */
export function refused(answer: Response, body: string, { key, token }: Target): Refused {
  const { status } = answer;
  const words = readReply("Problem", body);
  const wait = retryAfter(answer.headers.get("retry-after") ?? undefined, Date.now());
  if (status === 401 || (status === 403 && words === undefined)) {
    const takesTokens = /^bearer\b/i.test(answer.headers.get("www-authenticate") ?? "");
    return new Refused("KeyRefused", status, refusal(takesTokens, key !== undefined, token !== undefined), {
      retryAfter: wait,
    });
  }
  if (words === undefined) {
    const message = `The service answered ${status} without saying why${status === 404 ? "; is --url right?" : ""}`;
    return new Refused("Refused", status, message, { retryAfter: wait });
  }
  const { code = "Refused", errors, warnings, requestId } = words;
  const request = status >= 500 && requestId !== undefined ? ` (request ${requestId})` : "";
  return new Refused(code, status, words.message + request, { errors, warnings, retryAfter: wait, requestId });
}

function refusal(takesTokens: boolean, sentKey: boolean, sentToken: boolean): string {
  if (takesTokens && !sentToken)
    return "The service takes no key but a token of Microsoft Entra ID; give one in ACI_PROXY_TOKEN (or --token)";
  if (takesTokens)
    return "The service refused the token: it has expired, or is not for this service; give another in ACI_PROXY_TOKEN (or --token)";
  if (sentToken && !sentKey) return "The service takes no token; give its key in ACI_PROXY_KEY (or --key)";
  return "The service refused the key; give the right one in ACI_PROXY_KEY (or --key)";
}

/** An answer that is not the service's: a gateway's page, say. */
export function notOurs({ status }: Response, { url }: Target): Refused {
  return new Refused("NotAciProxy", status, `${url} answered with something else than ACI Proxy does; is --url right?`);
}

/** The system's own word for a failed `fetch`: its message says only "fetch failed". */
function causeOf(error: unknown): string {
  let deepest = error;
  while (deepest instanceof Error && deepest.cause !== undefined) deepest = deepest.cause;
  if (!(deepest instanceof Error)) return String(deepest);
  return "code" in deepest && typeof deepest.code === "string" ? deepest.code : deepest.message;
}

function queryText(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join(",");
  if (typeof value !== "object" || value === null) return String(value);
  return Object.entries(value)
    .map(([name, each]) => `${name}=${String(each)}`)
    .join(",");
}
