import type { JsonObject } from "../base/json.ts";
import { mapLeaves, type Leaf } from "./leaves.ts";
import { replaceVaultReferences, vaultReferencesIn, type VaultReference } from "./placeholders.ts";

const mask = "***";
/** User and password before a URL's host (RFC 3986, 3.2.1). */
const userinfo = /(?<=:\/\/)[^/\s@]{1,500}(?=@)/g;

/**
 * The body with every secret masked as `***`, by structure: what the service never gives back (registry passwords, `secureValue`,
 * storage and workspace keys, files of secret volumes, protected settings); and, to be on the safe side, the contents of properties
 * that are not known here, the values of variables and headers whose name speaks of a secret, and passwords in URLs.
 */
export function redactBody(body: JsonObject): JsonObject {
  return mapLeaves(body, ({ value, place }) => {
    if (typeof value === "boolean") return value;
    if (place !== "open") return mask;
    return typeof value === "string" ? value.replace(userinfo, mask) : value;
  });
}

/** The body with only what the service never gives back masked: for telling whether two definitions differ elsewhere. */
export function maskSecrets(body: JsonObject): JsonObject {
  return mapLeaves(body, ({ value, place }) => (place === "secret" || place === "file" ? mask : value));
}

/** The paths of all secrets of the body, in its order. */
export function secretPaths(body: JsonObject): string[] {
  return leavesOf(body).flatMap(({ place, trail }) => (place === "secret" || place === "file" ? [trail.path] : []));
}

/**
 * Every secret text of the body, to be masked wherever text leaves. A file of a secret volume is given as written and decoded.
 * References to a vault are no secrets.
 */
export function secretValues(body: JsonObject): string[] {
  const found = new Set<string>();
  for (const { value, place } of leavesOf(body)) {
    if (typeof value === "boolean") continue;
    const text = String(value);
    for (const each of text.match(userinfo) ?? []) {
      found.add(each);
      found.add(each.slice(each.indexOf(":") + 1));
    }
    if (place === "open" || place === "unknown" || place === "named" || vaultReferencesIn(text).length > 0) continue;
    found.add(text);
    if (place === "file") found.add(Buffer.from(text, "base64").toString("utf8"));
  }
  return [...found].filter((text) => text.trim() !== "");
}

/** A reference to a vault and where it stands. */
export interface PlacedReference extends VaultReference {
  readonly path: string;
  /** True where the service never gives the value back: elsewhere a secret would be readable in Azure. */
  readonly secretPlace: boolean;
}

export function vaultReferences(body: JsonObject): PlacedReference[] {
  return leavesOf(body).flatMap(({ value, place, trail }) =>
    typeof value === "string"
      ? vaultReferencesIn(value).map((reference) => ({
          ...reference,
          path: trail.path,
          secretPlace: place === "secret" || place === "file",
        }))
      : [],
  );
}

/** The body with each reference to a vault replaced by what `valueOf` gives for it. In a secret volume that must be base64. */
export function resolveVaultReferences(body: JsonObject, valueOf: (reference: VaultReference) => string): JsonObject {
  return mapLeaves(body, ({ value }) => (typeof value === "string" ? replaceVaultReferences(value, valueOf) : value));
}

function leavesOf(body: JsonObject): Leaf[] {
  const leaves: Leaf[] = [];
  mapLeaves(body, (leaf) => {
    leaves.push(leaf);
    return leaf.value;
  });
  return leaves;
}
