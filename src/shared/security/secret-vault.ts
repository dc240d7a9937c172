import type { TokenCredential } from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";
import { minute } from "../base/duration.ts";
import { Unavailable } from "../base/errors.ts";
import { vaultAccess, vaultCall } from "./key-vault-access.ts";

/** A secret in the vault; the newest version unless one is named. */
export interface SecretName {
  readonly name: string;
  readonly version: string | undefined;
}

export type SecretRead =
  { readonly kind: "value"; readonly value: string } | { readonly kind: "refused"; readonly why: string };

/** A group with many containers asks once; a changed secret is noticed by the jobs of the next minutes. */
const cacheTime = 5 * minute;
const maxCached = 500;

/**
 * The vault that definitions refer to. The app needs to read secrets of that one vault: the built-in role Key Vault Secrets User.
 * What was read is remembered for minutes, in memory alone.
 */
export class Vault {
  readonly #client: SecretClient;
  readonly #now: () => number;
  readonly #cache = new Map<string, { readonly read: Promise<SecretRead>; readonly until: number }>();

  constructor(url: string, credential: TokenCredential, now: () => number) {
    const access = vaultAccess(url, credential);
    this.#client = new SecretClient(url, access.credential, access.options);
    this.#now = now;
  }

  /** @throws Unavailable when the vault can't be reached now */
  async secret({ name, version }: SecretName): Promise<SecretRead> {
    const key = `${name}/${version ?? ""}`;
    const known = this.#cache.get(key);
    if (known !== undefined && this.#now() < known.until) return known.read;
    const read = this.#read(name, version);
    const [oldest] = this.#cache.keys();
    if (oldest !== undefined && this.#cache.size >= maxCached) this.#cache.delete(oldest);
    this.#cache.set(key, { read, until: this.#now() + cacheTime });
    try {
      const result = await read;
      if (result.kind !== "value") this.#cache.delete(key);
      return result;
    } catch (error) {
      this.#cache.delete(key);
      throw error;
    }
  }

  async #read(name: string, version: string | undefined): Promise<SecretRead> {
    const read = await vaultCall(
      "vault",
      (options) => this.#client.getSecret(name, { ...options, ...(version === undefined ? {} : { version }) }),
      this.#now,
      404,
      403,
      400,
    );
    if (read === 404) return { kind: "refused", why: "there is no such secret" };
    if (read === 403) return { kind: "refused", why: "the app may not read it, or it is disabled" };
    if (read === 400) return { kind: "refused", why: "there is no such version" };
    if (read.value === undefined) throw new Unavailable("vault", "Key Vault's answer has no value.");
    return { kind: "value", value: read.value };
  }
}
