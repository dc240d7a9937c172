import { viewOf, type Definition } from "../definition/index.ts";
import type { JsonObject } from "../base/json.ts";

/** A definition as it lies sealed: what is needed to create its group, and nothing that can be computed again. */
export function sealedText(definition: Definition): string {
  const { name, apiVersion, body } = definition;
  return JSON.stringify({ name, apiVersion, body });
}

/** `undefined` when the text is not a sealed definition: it was not written by us. */
export function parseSealedDefinition(text: string): Definition | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    if (!("name" in value && "apiVersion" in value && "body" in value)) return undefined;
    const { name, apiVersion, body } = value;
    if (typeof name !== "string" || typeof apiVersion !== "string" || !isObject(body)) return undefined;
    return { name, apiVersion, body, view: viewOf(body) };
  } catch {
    return undefined;
  }
}

/** What `JSON.parse` returns is JSON; only its outermost kind has to be checked. */
function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
