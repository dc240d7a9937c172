import { err, ok, type Result } from "../../base/errors.ts";
import { isDeeperThan, isJsonObject, parseJson, type JsonObject, type JsonValue } from "../../base/json.ts";

/** What one child of an array is run for. */
export type Item = string | number | boolean | JsonObject;

/** What an array is made of. */
export interface ArrayItems {
  /** The number of children. */
  readonly size: number;
  /** One for each child, all of one kind; nothing where only their number was given. */
  readonly items: readonly Item[] | undefined;
}

/** Children of one array. */
export const maxArraySize = 10_000;
/**
 * Characters of an item that a child is given as a variable. Linux gives a program no variable longer than 128 KiB, its name included,
 * and Windows at most 32,767 characters.
 */
export const longestItem = 32_000;
/** As a definition may be nested. */
const maxDepth = 64;

/**
 * The option `array`: a number of children or a list of items, either of them also as text.
 *
 * @returns or what it must be, with the index of the first item that is wrong; quotes nothing
 */
export function readItems(value: JsonValue): Result<ArrayItems, string> {
  const given = typeof value === "string" ? writtenIn(value) : value;
  if (typeof given === "number" && Number.isInteger(given) && given >= 1 && given <= maxArraySize)
    return ok({ size: given, items: undefined });
  if (!Array.isArray(given) || given.length < 1 || given.length > maxArraySize)
    return err(`must be a whole number from 1 to ${maxArraySize}, or a list of 1 to ${maxArraySize} items`);
  const items: Item[] = [];
  const [first] = given;
  const kind = kindOf(first ?? null);
  for (const [index, item] of given.entries()) {
    if (!isItem(item)) return err(`must be a list of text or of objects: item ${index} is ${kindOf(item)}`);
    if (kindOf(item) !== kind)
      return err(
        `must be a list of items of one kind: item ${index} is ${kindOf(item)}, and those before it are ${kind}`,
      );
    if (isDeeperThan(item, maxDepth))
      return err(`must be a list of items that are nested less deeply than item ${index}`);
    if (!hasOnlyNumbers(item))
      return err(`must be a list of items whose numbers are finite: item ${index} has another`);
    if (typeof item === "string" && item.includes("\0"))
      return err(`must be a list of items without NUL characters: item ${index} has one`);
    items.push(item);
  }
  return ok({ size: items.length, items });
}

/** An item as text: an object as compact JSON. */
export function itemText(item: Item): string {
  return typeof item === "object" ? JSON.stringify(item) : String(item);
}

export function isItem(value: JsonValue | undefined): value is Item {
  return value !== null && value !== undefined && !Array.isArray(value);
}

/** JSON, in which items are kept, has neither infinity nor NaN. */
function hasOnlyNumbers(value: JsonValue): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  return typeof value !== "object" || value === null || Object.values(value).every(hasOnlyNumbers);
}

function kindOf(value: JsonValue): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (isJsonObject(value)) return "an object";
  return { string: "text", number: "a number", boolean: "true or false" }[
    typeof value as "string" | "number" | "boolean"
  ];
}

/** A number, or a list in JSON, which a query may have; anything else is nothing. */
function writtenIn(text: string): JsonValue {
  if (/^\s*\d{1,9}\s*$/.test(text)) return Number(text);
  if (!/^\s*\[/.test(text)) return null;
  return (parseJson(text) ?? null) as JsonValue; // what JSON.parse returns is JSON
}
