import type { TokenCredential } from "@azure/identity";
import type { CryptographyClient, KeyClient } from "@azure/keyvault-keys";
import { Unavailable } from "../base/errors.ts";
import { vaultAccess, vaultCall } from "./key-vault-access.ts";
import type { KeyRing } from "./sealer.ts";

export interface KeyVaultRingOptions {
  /** `https://VAULT/keys/NAME[/VERSION]`. Without a version the newest wraps, so a rotation in the vault is all there is to do. */
  readonly keyId: string;
  readonly credential: TokenCredential;
  readonly now: () => number;
}

/** RSA key wrap that every Key Vault tier offers ("Key types, algorithms, and operations"). */
const algorithm = "RSA-OAEP-256";
const maxVersions = 50;

/**
 * A sealing key in Key Vault. The vault wraps and unwraps; the key itself never leaves it. The app needs to read the key's metadata,
 * to wrap and to unwrap: the built-in role Key Vault Crypto Service Encryption User.
 *
 * What was wrapped names the key's full id, version included, and is opened by that version, also when a newer one is in use. Only
 * a vault that answers "not found" makes a key unknown: a version that is disabled, or refused to us, may come back.
 *
 * The library is loaded with the first call.
 */
export function keyVaultRing({ keyId, credential, now }: KeyVaultRingOptions): KeyRing {
  const configured = new URL(keyId);
  const [, , name = "", version] = configured.pathname.split("/");
  const access = vaultAccess(configured.origin, credential);
  let keys: KeyClient | undefined;
  const clients = new Map<string, CryptographyClient>();

  const clientOf = async (kid: string): Promise<CryptographyClient> => {
    const { CryptographyClient } = await import("@azure/keyvault-keys");
    const known = clients.get(kid);
    if (known) return known;
    // Given as a key without attributes, no read precedes each first use, and an expired version still opens what it wrapped.
    const properties = { id: kid, name, vaultUrl: configured.origin };
    const client = new CryptographyClient({ id: kid, name, properties }, access.credential, { ...access.options });
    if (clients.size >= maxVersions) clients.clear();
    clients.set(kid, client);
    return client;
  };

  const current = async (): Promise<string> => {
    if (version) return keyId;
    const { KeyClient } = await import("@azure/keyvault-keys");
    const client = (keys ??= new KeyClient(configured.origin, access.credential, { ...access.options }));
    const key = await vaultCall("seal key", (options) => client.getKey(name, options), now);
    if (key.id === undefined || !isOfVault(key.id, configured.origin))
      throw new Unavailable("seal key", "Key Vault's answer names no key of its own.");
    return key.id;
  };

  return {
    async wrap(key) {
      const kid = await current();
      const client = await clientOf(kid);
      const { result } = await vaultCall("seal key", (options) => client.wrapKey(algorithm, key, options), now);
      return { kid, wrapped: result };
    },
    async unwrap(kid, wrapped) {
      // The id comes from where jobs are stored: our token must not follow it to a vault of somebody else's.
      if (!isOfVault(kid, configured.origin)) return { kind: "unknown key" };
      const client = await clientOf(kid);
      const unwrapped = await vaultCall(
        "seal key",
        (options) => client.unwrapKey(algorithm, wrapped, options),
        now,
        404,
        400,
      );
      if (unwrapped === 404) return { kind: "unknown key" };
      return unwrapped === 400 ? { kind: "damaged" } : { kind: "key", key: unwrapped.result };
    },
  };
}

function isOfVault(kid: string, origin: string): boolean {
  return (
    kid.startsWith(`${origin}/`) && /^\/keys\/[0-9A-Za-z-]{1,127}\/[0-9A-Za-z]{1,64}$/.test(kid.slice(origin.length))
  );
}
