import { foldName, isJsonObject, setMember, type JsonObject, type JsonValue } from "../base/json.ts";
import { containerGroup, type ObjectType, type Type } from "./schema/schema.ts";
import { Trail } from "./text/trail.ts";

/**
 * How secret a place is: `open` is shown by the service itself; `secret` and `file` (base64) are what the service never gives back;
 * `unknown` is below a property that is not known here, `suspect` the same where its name speaks of a secret; `named` is the value of a
 * variable or header whose name does.
 */
type Secrecy = "open" | "secret" | "file" | "unknown" | "suspect" | "named";

export interface Leaf {
  readonly value: string | number | boolean;
  readonly place: Secrecy;
  readonly trail: Trail;
}

/** The body again, each text, number and truth value replaced by what `change` makes of it. */
export function mapLeaves(body: JsonObject, change: (leaf: Leaf) => JsonValue): JsonObject {
  return new Walk(change).object(body, containerGroup, Trail.top(0));
}

/** Names that speak of a secret. */
export const suspicious = /pass|pwd|secret|secur|token|key|credential|connection|auth|sas|cookie|signature|bearer|jwt/i;

export function speaksOfSecret(name: string): boolean {
  return suspicious.test(name);
}

class Walk {
  readonly #change: (leaf: Leaf) => JsonValue;

  constructor(change: (leaf: Leaf) => JsonValue) {
    this.#change = change;
  }

  object(object: JsonObject, type: ObjectType, trail: Trail): JsonObject {
    const named = typeof object["name"] === "string" && suspicious.test(object["name"]);
    return mapMembers(object, (key, value) => {
      const here = trail.to(key, 0);
      const property = type.properties.get(foldName(key));
      if (!property) return this.#below(value, suspicious.test(key) ? "suspect" : "unknown", here);
      return this.#known(value, property.type, named && property.name === "value" ? "named" : "open", here);
    });
  }

  #known(value: JsonValue, type: Type, place: Secrecy, trail: Trail): JsonValue {
    switch (type.kind) {
      case "any":
      case "text":
        return this.#below(
          value,
          type.secret === undefined ? place : type.secret === "file" ? "file" : "secret",
          trail,
        );
      case "list":
        if (!Array.isArray(value)) break;
        return value.map((item, index) => this.#known(item, type.of, place, trail.to(index, 0)));
      case "map":
        if (!isJsonObject(value)) break;
        return mapMembers(value, (key, each) => {
          const named = place === "open" && suspicious.test(key) ? "named" : place;
          return this.#known(each, type.of, named, trail.to(key, 0));
        });
      case "object":
        if (!isJsonObject(value)) break;
        return this.object(value, type, trail);
      default:
        return this.#below(value, place, trail);
    }
    return this.#below(value, "unknown", trail); // not of its type: who knows what it is
  }

  #below(value: JsonValue, place: Secrecy, trail: Trail): JsonValue {
    if (value === null) return null;
    if (Array.isArray(value)) return value.map((item, index) => this.#below(item, place, trail.to(index, 0)));
    if (!isJsonObject(value)) return this.#change({ value, place, trail });
    return mapMembers(value, (key, each) => {
      const deeper = place === "unknown" && suspicious.test(key) ? "suspect" : place;
      return this.#below(each, deeper, trail.to(key, 0));
    });
  }
}

function mapMembers(object: JsonObject, change: (key: string, value: JsonValue) => JsonValue): JsonObject {
  const changed: JsonObject = {};
  for (const [key, value] of Object.entries(object)) setMember(changed, key, change(key, value));
  return changed;
}
