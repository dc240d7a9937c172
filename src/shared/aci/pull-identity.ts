import { Cursor } from "../definition/cursor.ts";
import type { Definition } from "../definition/index.ts";
import { imageName } from "../definition/image-name.ts";
import { isJsonObject, member, withMember, type JsonObject } from "../base/json.ts";

/** The identity that pulls images from the house's own registry, so that no definition needs its password. */
export interface PullIdentity {
  /** The registry's host, in lower case. */
  readonly registry: string;
  /** Resource id of a user-assigned identity. */
  readonly identity: string;
}

/** The first version whose credentials take an identity. */
const firstVersion = "2021-07-01";

/**
 * The body, with the pull identity where an image comes from its registry and the definition brings no credentials for that. The
 * identity must be named twice: as the registry's credential, and among the group's own identities (azure-docs "Deploy to Azure
 * Container Instances from Azure Container Registry using a managed identity").
 */
export function withPullIdentity(
  { body, apiVersion, view }: Definition,
  { registry, identity }: PullIdentity,
): JsonObject {
  const wanted = view.images.some((image) => imageName(image).registry === registry);
  const given = view.registryServers.some((server) => server.toLowerCase().replace(/^https?:\/\//, "") === registry);
  if (!wanted || given || apiVersion < firstVersion) return body;
  const properties = member(body, "properties")?.value;
  if (!isJsonObject(properties)) return body;
  const credentials = member(properties, "imageRegistryCredentials")?.value;
  const pulling = withMember(properties, "imageRegistryCredentials", [
    ...(Array.isArray(credentials) ? credentials : []),
    { server: registry, identity },
  ]);
  return attach(withMember(body, "properties", pulling), identity);
}

function attach(body: JsonObject, identity: string): JsonObject {
  const before = member(body, "identity")?.value;
  const own = isJsonObject(before) ? before : {};
  const attached = member(own, "userAssignedIdentities")?.value;
  const list = isJsonObject(attached) ? attached : {};
  const system = /systemassigned/i.test(Cursor.over(own).get("type").text ?? "");
  const typed = withMember(own, "type", system ? "SystemAssigned, UserAssigned" : "UserAssigned");
  return withMember(body, "identity", withMember(typed, "userAssignedIdentities", withMember(list, identity, {})));
}
