import { setMember, type JsonObject, type JsonValue } from "../../src/shared/base/json.ts";
import { containerGroup, type Type } from "../../src/shared/definition/schema/schema.ts";

/** A definition that has every property that the validator knows, of whatever version, each once. */
export function everyProperty(apiVersion: string): string {
  return JSON.stringify({
    ...objectOf(containerGroup),
    apiVersion,
    type: "Microsoft.ContainerInstance/containerGroups",
  });
}

function objectOf(type: Extract<Type, { kind: "object" }>): JsonObject {
  const object: JsonObject = {};
  for (const property of type.properties.values())
    setMember(object, property.name, property.readOnly === true ? "text" : valueOf(property.type));
  return object;
}

function valueOf(type: Type): JsonValue {
  if (type.kind === "object") return objectOf(type);
  if (type.kind === "list") return [valueOf(type.of)];
  if (type.kind === "map") return { key: valueOf(type.of) };
  if (type.kind === "text") return type.choice?.words[0] ?? "text";
  if (type.kind === "any") return {};
  return type.kind === "boolean" ? true : 1;
}
