import type { LocatedReference } from "../definition/index.ts";
import type { Settings } from "../config/settings.ts";

/**
 * Why a reference to a vault can't be followed, or nothing. A reference is good where Azure never gives the value back: elsewhere
 * whoever may read the group could read the secret. And it is good for names that are meant for jobs: else whoever may submit a job
 * could read all that the app may.
 */
export function vaultFault(
  { name, secretPlace }: LocatedReference,
  { vaultUrl, vaultPrefix }: Pick<Settings, "vaultUrl" | "vaultPrefix">,
): string | undefined {
  if (vaultUrl === undefined) return "This service has no vault for references: its operator must set VAULT_URL.";
  if (!secretPlace)
    return "A vault reference may stand only where Azure keeps a value secret: secureValue, password, storageAccountKey, workspaceKey, or a file of a secret volume.";
  if (!name.toLowerCase().startsWith(vaultPrefix.toLowerCase()))
    return `A vault reference must name a secret that begins with ${vaultPrefix}.`;
  return undefined;
}
