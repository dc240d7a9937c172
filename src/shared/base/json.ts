/** Whatever JSON can say (RFC 8259). */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;

/**
 * A JSON object. Its keys come from callers: read one that the code names with {@link member}, which sees own keys only, and
 * write one that a caller named with {@link setMember}, which never reaches a prototype.
 */
export type JsonObject = { [key: string]: JsonValue };

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a text says; `undefined` for whatever is no JSON text. */
export function parseJson(text: unknown): unknown {
  try {
    return typeof text === "string" ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}

/** The name that Azure compares by: ASCII letters without regard to case, like .NET's ordinal comparison. */
export function foldName(name: string): string {
  const lower = name.toLowerCase();
  if (lower === name || !/[^\0-\x7F]/.test(name)) return lower;
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** An object's own member by a name in any letter case: its key as written and its value. */
export function member(
  object: JsonObject,
  name: string,
): { readonly key: string; readonly value: JsonValue } | undefined {
  const exact = Object.hasOwn(object, name) ? object[name] : undefined;
  if (exact !== undefined) return { key: name, value: exact };
  const folded = foldName(name);
  for (const key of Object.keys(object)) {
    if (key.length === name.length && foldName(key) === folded) {
      const value = object[key];
      if (value !== undefined) return { key, value };
    }
  }
  return undefined;
}

/** Whether collections are nested deeper than this many levels. Does not recurse, so that depth costs no stack. */
export function isDeeperThan(value: unknown, max: number): boolean {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    const collections = level.filter((each) => typeof each === "object" && each !== null);
    if (collections.length > 0 && depth >= max) return true;
    level = collections.flatMap((collection): unknown[] => Object.values(collection));
  }
  return false;
}

/** The object with a member set, under the key that it already has there in any letter case. */
export function withMember(object: JsonObject, name: string, value: JsonValue): JsonObject {
  return { ...object, [member(object, name)?.key ?? name]: value };
}

/** Sets an own member, whatever its name: plain assignment of `__proto__` would set the prototype instead. */
export function setMember(object: JsonObject, key: string, value: JsonValue): void {
  if (key === "__proto__") {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    object[key] = value;
  }
}
