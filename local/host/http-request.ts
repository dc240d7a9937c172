/**
 * The request that an HTTP handler is given: the library's `HttpRequest`, member by member, but made on demand.
 *
 * The library builds a whole fetch `Request` for every call, which costs more than everything else the host does. A handler
 * usually reads the text, a few headers and the query; what it does not ask for is not made here.
 */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { ReadableStream } from "node:stream/web";
import { readBody } from "./body.ts";

export interface HttpRequestInit {
  readonly method: string;
  /** Absolute, as the caller wrote it. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** Behind `?`, or empty. */
  readonly query: string;
  /** Whether a name's values are one text, joined by commas: so ASP.NET hands them over when the app doesn't stream. */
  readonly joinQuery: boolean;
  readonly params: Readonly<Record<string, string>>;
  /** Whole, or, when the app streams, still on its way; undefined when there is no body. */
  readonly body: Buffer | IncomingMessage | undefined;
}

export class HttpRequest {
  readonly #init: HttpRequestInit;
  #native: Request | undefined;
  #headers: Headers | undefined;
  #query: URLSearchParams | undefined;
  #url: string | undefined;
  #used = false;

  constructor(init: HttpRequestInit) {
    this.#init = init;
  }

  get method(): string {
    return this.#init.method;
  }

  get url(): string {
    return (this.#url ??= new URL(this.#init.url).href);
  }

  get headers(): Headers {
    return (this.#headers ??= new Headers(headerPairs(this.#init.headers)));
  }

  get params(): Readonly<Record<string, string>> {
    return this.#init.params;
  }

  get query(): URLSearchParams {
    if (this.#query === undefined) {
      const all = new URLSearchParams(this.#init.query);
      this.#query = this.#init.joinQuery ? joined(all) : all;
    }
    return this.#query;
  }

  /** Nobody signs callers in before this host, whatever their headers say. */
  get user(): null {
    return null;
  }

  get body(): ReadableStream | null {
    return this.#request.body;
  }

  get bodyUsed(): boolean {
    return this.#native?.bodyUsed ?? this.#used;
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    if (this.#native !== undefined) return this.#native.arrayBuffer();
    const bytes = await this.#bytes();
    const copy = new ArrayBuffer(bytes.length);
    bytes.copy(new Uint8Array(copy));
    return copy;
  }

  async blob(): Promise<Blob> {
    return this.#request.blob();
  }

  async formData(): Promise<FormData> {
    const request: { formData(): Promise<FormData> } = this.#request;
    return request.formData();
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  async text(): Promise<string> {
    if (this.#native !== undefined) return this.#native.text();
    const text = (await this.#bytes()).toString("utf8");
    return text.startsWith("\uFEFF") ? text.slice(1) : text; // as fetch does
  }

  /** The whole body, which can be read once. */
  async #bytes(): Promise<Buffer> {
    const { body } = this.#init;
    if (body === undefined) return Buffer.alloc(0);
    if (this.#used) throw new TypeError("Body is unusable: Body has already been read");
    this.#used = true;
    const whole = Buffer.isBuffer(body) ? body : await readBody(body);
    if (whole === "too-large") throw new TypeError("The request is larger than the host allows.");
    return whole ?? Buffer.alloc(0);
  }

  clone(): HttpRequest {
    const copy = new HttpRequest(this.#init);
    copy.#native = this.#request.clone();
    return copy;
  }

  /** The fetch request behind the members that need one. */
  get #request(): Request {
    if (this.#native === undefined) {
      const { method, url, headers, body } = this.#init;
      if (this.#used) throw new TypeError("Body is unusable: Body has already been read");
      const init = { method, headers: headerPairs(headers) };
      this.#native =
        body === undefined
          ? new Request(url, init)
          : new Request(url, { ...init, body: Buffer.isBuffer(body) ? body : streamOf(body), duplex: "half" });
    }
    return this.#native;
  }
}

/** A handler that has read enough leaves the request whole: its connection has the answer to carry, and the next request. */
function streamOf(body: IncomingMessage): ReadableStream {
  return ReadableStream.from(body.iterator({ destroyOnReturn: false }));
}

function headerPairs(headers: IncomingHttpHeaders): [string, string][] {
  const pairs: [string, string][] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === "string") pairs.push([name, value]);
    else for (const one of value ?? []) pairs.push([name, one]);
  }
  return pairs;
}

function joined(all: URLSearchParams): URLSearchParams {
  const read: Record<string, string> = {};
  for (const [name, value] of all) {
    const before = read[name];
    read[name] = before === undefined ? value : `${before},${value}`;
  }
  return new URLSearchParams(read);
}
