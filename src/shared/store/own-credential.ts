import type { TokenCredential } from "@azure/identity";

/**
 * Our own identity in Azure. The library behind it is large, so it is loaded with the first token: an app that starts, and one that
 * uses connection strings alone, does without.
 *
 * @param clientId of a user-assigned identity; without one the platform's default chain
 */
export function ownCredential(clientId?: string): TokenCredential {
  let loaded: Promise<TokenCredential> | undefined;
  const load = async (): Promise<TokenCredential> => {
    const { DefaultAzureCredential, ManagedIdentityCredential } = await import("@azure/identity");
    return clientId ? new ManagedIdentityCredential({ clientId }) : new DefaultAzureCredential();
  };
  return { getToken: async (scopes, options) => (await (loaded ??= load())).getToken(scopes, options) };
}
