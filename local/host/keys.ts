/**
 * The host's keys. A request shows one key: the header `x-functions-key`, or, only when that header is absent, `?code=`
 * (azure-functions-host, AuthenticationLevelHandler): a wrong header fails even beside a right `code`.
 */
import { timingSafeEqual } from "node:crypto";

export type AuthLevel = "anonymous" | "function" | "admin" | "system";

export interface KeyOptions {
  readonly host: string;
  readonly master: string;
  readonly system: string;
  /** Keys that open one function each, by the function's name. */
  readonly functions: Readonly<Record<string, string>>;
}

export class Keys {
  readonly #host: Buffer;
  readonly #master: Buffer;
  readonly #system: Buffer;
  readonly #functions: ReadonlyMap<string, Buffer>;

  constructor(options: KeyOptions) {
    this.#host = Buffer.from(options.host);
    this.#master = Buffer.from(options.master);
    this.#system = Buffer.from(options.system);
    this.#functions = new Map(
      Object.entries(options.functions).map(([name, key]) => [name.toLowerCase(), Buffer.from(key)]),
    );
  }

  /** Whether the key shown opens a door of that level; the function's name counts for level `function` only. */
  opens(level: AuthLevel, shown: string | undefined, functionName: string): boolean {
    if (level === "anonymous") return true;
    if (shown === undefined || shown === "") return false;
    const candidate = Buffer.from(shown);
    if (same(candidate, this.#master)) return true;
    if (level === "admin") return false;
    if (level === "system") return same(candidate, this.#system);
    if (same(candidate, this.#host)) return true;
    const own = this.#functions.get(functionName.toLowerCase());
    return own !== undefined && same(candidate, own);
  }
}

/** The key that a request shows: `query` is the part after `?`, or empty. */
export function shownKey(header: string | string[] | undefined, query: string): string | undefined {
  if (header !== undefined) return typeof header === "string" ? header : header[0];
  if (query === "") return undefined;
  for (const [name, value] of new URLSearchParams(query)) if (name.toLowerCase() === "code") return value;
  return undefined;
}

/** Reveals only the length: where two keys of one length differ does not change the time it takes. */
function same(shown: Buffer, key: Buffer): boolean {
  return shown.length === key.length && timingSafeEqual(shown, key);
}
