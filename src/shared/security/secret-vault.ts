import type { TokenCredential } from "@azure/identity";
import type { SecretClient } from "@azure/keyvault-secrets";
import { minute } from "../base/duration.ts";
import { Unavailable } from "../base/errors.ts";
import { TtlCache } from "../base/ttl-cache.ts";
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

/** A name that no secret has. */
const noSecret = "job-aci-proxy-health";

/**
 * The vault that definitions refer to. The app needs to read secrets of that one vault: the built-in role Key Vault Secrets User.
 * What was read is remembered for minutes, in memory alone.
 */
export class Vault {
  readonly #client: () => Promise<SecretClient>;
  readonly #now: () => number;
  readonly #cache: TtlCache<SecretRead>;

  constructor(url: string, credential: TokenCredential, now: () => number) {
    let client: Promise<SecretClient> | undefined;
    this.#client = () => (client ??= connect(url, credential));
    this.#now = now;
    this.#cache = new TtlCache({ time: cacheTime, max: maxCached, now });
  }

  /** @throws Unavailable when the vault can't be reached now */
  secret({ name, version }: SecretName): Promise<SecretRead> {
    const key = `${name}/${version ?? ""}`;
    return this.#cache.get(
      key,
      () => this.#read(name, version),
      ({ kind }) => kind === "value",
    );
  }

  /** @throws Unavailable when the vault can't be reached, or the app may not read its secrets */
  async probe(): Promise<void> {
    const read = async (options: { abortSignal: AbortSignal }) => (await this.#client()).getSecret(noSecret, options);
    await vaultCall("vault", read, this.#now, 404);
  }

  async #read(name: string, version: string | undefined): Promise<SecretRead> {
    const read = await vaultCall(
      "vault",
      async (options) =>
        (await this.#client()).getSecret(name, { ...options, ...(version === undefined ? {} : { version }) }),
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

/** Its library is loaded with the first secret. */
async function connect(url: string, credential: TokenCredential): Promise<SecretClient> {
  const { SecretClient } = await import("@azure/keyvault-secrets");
  const access = vaultAccess(url, credential);
  return new SecretClient(url, access.credential, access.options);
}
