import { isJsonObject, setMember, type JsonObject, type JsonValue } from "../base/json.ts";
import { credentialsIn, maskOf, withCredentials, type Mask } from "../base/redact.ts";
import { mapLeaves, suspicious, type Leaf } from "./leaves.ts";
import { replaceVaultReferences, vaultReferencesIn, type VaultReference } from "./placeholders.ts";

const mask = "***";
/** User and password before a URL's host (RFC 3986, 3.2.1). */
export const userinfo = /(?<=:\/\/)[^/\s@]{1,500}(?=@)/g;

/** The body with what the service never gives back masked: registry passwords, `secureValue`, keys, files of secret volumes, protected settings. */
export function maskSecrets(body: JsonObject): JsonObject {
  return mapLeaves(body, ({ value, place }) => (place === "secret" || place === "file" ? mask : value));
}

/**
 * The body as people may see it: without the values that the service never gives back or whose name speaks of a secret, and without
 * any of these wherever else it stands, in a member's name too.
 *
 * @param fromVault what its references to a vault stand for
 */
export function shownBody(body: JsonObject, fromVault: readonly string[] = []): JsonObject {
  const hidden = mapLeaves(body, ({ value, place }) => {
    if (place === "secret" || place === "file" || place === "suspect") return mask;
    return place === "named" && !isOrdinary(String(value)) ? mask : value;
  });
  return maskedObject(hidden, withCredentials(maskOf([...secretValues(body), ...fromVault])));
}

/** An object whose texts, members' names too, and numbers are masked. */
export function maskedObject(object: JsonObject, masked: Mask): JsonObject {
  const shown: JsonObject = {};
  for (const [key, value] of Object.entries(object)) setMember(shown, masked(key), maskedValue(value, masked));
  return shown;
}

function maskedValue(value: JsonValue, masked: Mask): JsonValue {
  if (typeof value === "string") return masked(value);
  if (typeof value === "number") return masked(String(value)) === String(value) ? value : mask;
  if (Array.isArray(value)) return value.map((each) => maskedValue(each, masked));
  return isJsonObject(value) ? maskedObject(value, masked) : value;
}

/**
 * Every secret text of the body, to be masked wherever text leaves. A file of a secret volume is given as written and decoded. What
 * only looks like a secret (the value of a variable or header with a telling name, a password in a command, a key in a connection
 * string) is one, too.
 */
export function secretValues(body: JsonObject): string[] {
  const found = new Set<string>();
  const inCommand = commandSecrets();
  for (const leaf of leavesOf(body)) {
    const { value, place } = leaf;
    const word = inCommand(leaf);
    if (typeof value === "boolean") continue;
    const text = String(value);
    for (const each of credentialsOf(text)) found.add(each);
    if (word !== undefined && !isOrdinary(word)) found.add(word);
    if (place === "named" && !isOrdinary(text)) found.add(text);
    if (place === "open" || place === "unknown" || place === "named") continue;
    found.add(text);
    if (place === "file") found.add(Buffer.from(text, "base64").toString("utf8"));
  }
  return [...found].filter((text) => text.trim() !== "");
}

/** What in a text looks like a credential: passwords in addresses and connection strings, tokens, keys behind their names. */
export function credentialsOf(text: string): string[] {
  const users = text.match(userinfo) ?? [];
  return [...users, ...users.map((each) => each.slice(each.indexOf(":") + 1)), ...credentialsIn(text)];
}

/** Values that settings have, whatever the setting's name speaks of. */
export function isOrdinary(text: string): boolean {
  return /^(?:true|false|yes|no|on|off|none|null|default|auto|basic|required|optional|enabled|disabled|\d{1,5})$/i.test(
    text.trim(),
  );
}

/**
 * Finds, leaf by leaf in the body's order, which part of a command's word is a secret: of the word behind a flag like `--password` all, of
 * `--password=...` what follows, whatever signs it has, because a list's words need no quotes.
 */
export function commandSecrets(): (leaf: Leaf) => string | undefined {
  let before: { readonly list: string; readonly word: string } | undefined;
  return ({ value, trail }) => {
    const list = /^(.*\.command)\[\d+\]$/i.exec(trail.path)?.[1];
    if (list === undefined) return (before = undefined);
    const word = String(value);
    const flag = before?.list === list && /^--?[\w-]{1,60}$/.test(before.word) && suspicious.test(before.word);
    before = { list, word };
    if (flag && !word.startsWith("-")) return word;
    const [, name = "", assigned] = /^-{0,2}([\w.-]{1,60})=([^]+)$/.exec(word) ?? [];
    return suspicious.test(name) ? assigned : undefined;
  };
}

/** A reference to a vault and where it stands. */
export interface LocatedReference extends VaultReference {
  readonly path: string;
  /** Its position in the body, which its path does not always tell. */
  readonly key: string;
  /** True where the service never gives the value back: elsewhere a secret would be readable in Azure. */
  readonly secretPlace: boolean;
}

/** Where the references of a template's run stand: offsets in the texts at these positions. Elsewhere a value only looks like one. */
export type OwnReferences = ReadonlyMap<string, readonly number[]>;

/** @param own of a template's run; in any other body every text may have references */
export function vaultReferences(body: JsonObject, own?: OwnReferences): LocatedReference[] {
  return leavesOf(body).flatMap(({ value, place, trail }) => {
    const found = typeof value === "string" ? vaultReferencesIn(value) : [];
    if (found.length === 0) return [];
    const { key, path } = trail;
    return found
      .filter(({ start }) => own === undefined || own.get(key)?.includes(start) === true)
      .map((reference) => ({ ...reference, key, path, secretPlace: place === "secret" || place === "file" }));
  });
}

/** The body with each of these references replaced by what `valueOf` gives for it. In a secret volume that must be base64. */
export function resolveVaultReferences(
  body: JsonObject,
  references: readonly LocatedReference[],
  valueOf: (reference: LocatedReference) => string,
): JsonObject {
  const known = new Map(references.map((reference) => [`${reference.start}${reference.key}`, reference]));
  return mapLeaves(body, ({ value, trail }) => {
    if (typeof value !== "string" || !value.includes("${keyvault:")) return value;
    return replaceVaultReferences(value, ({ start }) => {
      const reference = known.get(`${start}${trail.key}`);
      return reference && valueOf(reference);
    });
  });
}

function leavesOf(body: JsonObject): Leaf[] {
  const leaves: Leaf[] = [];
  mapLeaves(body, (leaf) => {
    leaves.push(leaf);
    return leaf.value;
  });
  return leaves;
}
