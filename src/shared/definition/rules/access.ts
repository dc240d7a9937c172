import type { Cursor } from "../cursor.ts";
import { isPlaceholder, vaultReferencesIn } from "../placeholders.ts";
import { repeated, warnOfEdges, type Judge } from "./judge.ts";

/**
 * Judges how images are pulled and where logs go. Nothing here is a reason to refuse but what is missing: credentials are often
 * filled in by somebody else. Source: azure-docs "Deploy to ACI from ACR using a managed identity".
 */
export function judgeAccess({ findings, root, group }: Judge): void {
  const credentials = group.get("imageRegistryCredentials").records;
  const attached = root
    .get("identity")
    .get("userAssignedIdentities")
    .members.map(([id]) => id.toLowerCase());
  for (const credential of credentials) {
    const server = credential.get("server");
    if (server.empty) findings.fault(server, "server is missing: name the registry's host, like NAME.azurecr.io.");
    else if (server.text?.includes("/") === true)
      findings.warn(
        server,
        "server is the registry's host only, without https:// and path; pulling is likely to fail.",
      );
    const identity = credential.get("identity");
    const keys = ["password", "passwordReference", "identity"].map((name) => credential.get(name));
    if (!keys.some(({ present }) => present))
      findings.warn(credential, "The credential has neither password nor identity; pulling is likely to fail.");
    else if (!identity.present && !credential.get("username").present)
      findings.warn(credential.get("username"), "username is missing; pulling is likely to fail.");
    if (identity.word !== undefined && !attached.includes(identity.word)) {
      findings.warn(
        identity,
        "This identity is not among the group's identity.userAssignedIdentities; pulling is likely to fail.",
      );
    }
    for (const name of ["server", "username", "password", "identity"]) warnOfText(credential.get(name), name);
  }
  repeated(
    credentials.map((credential) => credential.get("server")),
    ({ word }) => word,
    (server) => findings.warn(server, "Two credentials are for this server; keep one."),
  );

  const analytics = group.get("diagnostics").get("logAnalytics");
  if (!analytics.present) return;
  for (const name of ["workspaceId", "workspaceKey"]) {
    if (!analytics.get(name).present)
      findings.warn(analytics.get(name), `${name} is missing in logAnalytics; it is likely to be refused.`);
    warnOfText(analytics.get(name), name);
  }

  function warnOfText(cursor: Cursor, name: string): void {
    const { text } = cursor;
    if (text !== undefined && vaultReferencesIn(text).length === 0 && isPlaceholder(text)) {
      findings.warn(cursor, `A template placeholder is left in ${name}.`);
    }
    warnOfEdges(cursor, name, findings);
  }
}
