import { foldName, setMember, type JsonObject, type JsonValue } from "../../base/json.ts";
import { containsExpression, leftover } from "../placeholders.ts";
import { nearest } from "../../base/nearest.ts";
import type { Advice, Findings } from "../text/positions.ts";
import type { ObjectType, Property, Type } from "./schema.ts";
import { labelOf, type Trail } from "../text/trail.ts";
import {
  countingSpellings,
  type Entry,
  type ListNode,
  type MapNode,
  type Node,
  type ScalarNode,
} from "../text/tree.ts";
import { firstOf, spans, type ApiVersion } from "./versions.ts";

/** What the judgement of a value needs to know besides the value. */
export interface TypingContext {
  readonly findings: Findings;
  readonly version: ApiVersion;
  /** The definition's apiVersion is newer than the schema: words and types may be new too, so that nothing is refused. */
  readonly newer: boolean;
}

/**
 * The JSON value that is sent for a node. Where text belongs a plain scalar is sent as the text written (`007`, `1.10`), elsewhere
 * by YAML's core schema. Nothing is left out: unknown and read-only properties are warned of, values of a wrong type are faults.
 *
 * @param above the object type that holds the one at hand, for advice on misplaced properties
 */
export function typed(node: Node, type: Type, trail: Trail, context: TypingContext, above?: ObjectType): JsonValue {
  if (node.kind === "scalar" && node.value === null) return null; // as good as absent to the service, of whatever type
  if (type.kind === "any") return untyped(node, trail, context);
  if (node.kind === "scalar") {
    if (type.kind === "text") return textOf(node, type, trail, context);
    if (type.kind === "number" || type.kind === "integer" || type.kind === "boolean")
      return plainOf(node, type.kind, trail, context);
  } else if (node.kind === "list") {
    if (type.kind === "list") return listOf(node, type.of, trail, context, above);
  } else if (type.kind === "map") return mapOf(node, type, trail, context);
  else if (type.kind === "object") return objectOf(node, type, trail, context, above);
  return mistyped(node, type, trail, context);
}

function listOf(node: ListNode, of: Type, trail: Trail, context: TypingContext, above?: ObjectType): JsonValue {
  return node.items.map((item, index) => {
    const here = trail.to(index, item.at);
    if (of.kind === "text" && isNull(item))
      context.findings.fault(here, `An item of ${here.label} is null; write text, in quotes if it is empty.`);
    return typed(item, of, here, context, above);
  });
}

function isNull(node: Node): boolean {
  return node.kind === "scalar" && node.value === null;
}

type MapType = Extract<Type, { kind: "map" }>;

/** Of a name that is there in two letter cases Azure keeps the last, where it compares names so (azure-docs issue 57888). */
function mapOf(node: MapNode, { of, anyCase }: MapType, trail: Trail, context: TypingContext): JsonObject {
  const map: JsonObject = {};
  const counts = anyCase === true ? countingSpellings(node.entries) : undefined;
  for (const [key, entry] of node.entries) {
    const here = trail.to(key, entry.at);
    const counting = counts?.get(foldName(key)) ?? key;
    if (counting !== key) {
      const message = `A name in ${trail.label} is written twice, in different letter case; the last one counts.`;
      if (!isOverridden(entry, node.entries.get(counting))) context.findings.warn(here, message);
      continue;
    }
    if (of.kind === "text" && isNull(entry.node)) {
      const message = `${here.label} has no content (null); write text, in quotes if it is empty.`;
      if (of.secret === undefined) context.findings.warn(here, message);
      else context.findings.fault(here, message);
    }
    setMember(map, key, typed(entry.node, of, here, context));
  }
  return map;
}

/** A name that is written out takes the place of one that came by a merge key without a word, as one in the same letters does. */
export function isOverridden({ merged }: Entry, by: Entry | undefined): boolean {
  return merged && by?.merged === false;
}

/** No object of the service has a tenth of it; every look for one of them walks past all the others. */
const maxProperties = 1000;

function objectOf(
  node: MapNode,
  type: ObjectType,
  trail: Trail,
  context: TypingContext,
  above?: ObjectType,
): JsonObject {
  const object: JsonObject = {};
  if (node.entries.size > maxProperties) {
    context.findings.fault(trail, `${trail.label} has too many properties; at most ${maxProperties} are taken here.`);
    return object;
  }
  const counts = countingSpellings(node.entries);
  for (const [key, entry] of node.entries) {
    const here = trail.to(key, entry.at);
    const property = type.properties.get(foldName(key));
    if (!property) {
      context.findings.warn(here, () => unknown(key, here, type, above, context));
      setMember(object, key, untyped(entry.node, here, context));
      continue;
    }
    const counting = counts.get(foldName(key)) ?? key;
    if (counting !== key) {
      const winner = node.entries.get(counting);
      const message = `${property.name} is written twice, in different letter case; the last one counts.`;
      if (!isOverridden(entry, winner)) context.findings.warn(trail.to(counting, winner?.at ?? entry.at), message);
      continue;
    }
    warnOfSpan(property, entry.node, here, context);
    setMember(object, key, typed(entry.node, property.type, here, context, type));
  }
  return object;
}

function warnOfSpan(property: Property, node: Node, trail: Trail, { version, newer, findings }: TypingContext): void {
  const { name } = property;
  if (property.readOnly) {
    findings.warn(trail, `${name} is set by Azure: what is written here has no effect; remove it.`);
  } else if (!newer && !isNull(node) && !spans(property, version)) {
    const { until } = property;
    const advice =
      until !== undefined && version > until
        ? `ends with apiVersion ${until}`
        : `needs apiVersion ${firstOf(property) ?? ""} or newer`;
    findings.warn(trail, `${name} ${advice}: under ${version} it has no effect.`);
  }
}

/** What to say of a property that the service doesn't have at this place, and what was probably meant. */
export function unknown(
  key: string,
  here: Trail,
  type: ObjectType,
  above: ObjectType | undefined,
  { version, newer }: TypingContext,
): Advice {
  const folded = foldName(key);
  const inside = type.properties.get("properties")?.type;
  const label = labelOf(key);
  const advice = (message: string, at: Trail | undefined, property: Property | undefined): Advice => {
    if (!at || !property) return { message };
    return { message, meant: { path: at.to(property.name, 0).path, written: label === key ? key : "a name" } };
  };
  const under = inside?.kind === "object" ? inside.properties.get(folded) : undefined;
  if (under)
    return advice(`${label} has no effect here: it belongs under properties.`, here.parent?.to("properties", 0), under);
  const up = above?.properties.get(folded);
  if (up) return advice(`${label} has no effect here: it belongs one level up.`, here.above, up);
  const likely = nearest(
    key,
    [...type.properties.values()].map(({ name }) => name),
  );
  const where = newer ? "as far as is known" : `in apiVersion ${version}`;
  const meant = likely === undefined ? "." : `; is ${likely} meant?`;
  const message = `${label} has no effect: the service has no such property here ${where}${meant}`;
  return advice(message, here.parent, likely === undefined ? undefined : type.properties.get(foldName(likely)));
}

function textOf(
  node: ScalarNode,
  { choice, name }: Extract<Type, { kind: "text" }>,
  trail: Trail,
  context: TypingContext,
): JsonValue {
  if (!choice && name !== true) warnOfExpression(node.text, trail, context);
  if (!choice || choice.words.some((word) => sameWords(word, node.text))) return node.text;
  const words = choice.words.map((word) => (word.includes(",") ? `"${word}"` : word)).join(" or ");
  const message = `${trail.label} must be ${words}${remainder(node.text)}.`;
  if (choice.closed && !context.newer) context.findings.fault(trail, message);
  else context.findings.warn(trail, message);
  return node.text;
}

/** `SystemAssigned, UserAssigned` is read in any order, with blanks or without: it is a .NET enumeration of flags. */
function sameWords(known: string, written: string): boolean {
  if (foldName(known) === foldName(written)) return true;
  if (!known.includes(",") || written.length > 2 * known.length) return false;
  const flags = (text: string): string => foldName(text).split(/ *, */).toSorted().join();
  return flags(known) === flags(written);
}

function warnOfExpression(text: string, trail: Trail, { findings }: TypingContext): void {
  if (!containsExpression(text)) return;
  const message = `A Data Factory expression is left in ${trail.label} as text; make the activity's body dynamic content if it should be evaluated.`;
  findings.warn(trail, message);
}

/** Where something else than text must stand: what was probably meant to become it. */
function remainder(text: string): string {
  const left = leftover(text);
  return left === undefined ? "" : `; ${left.replace("A", "a")} is left there`;
}

const numeric = {
  number: /^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*$/,
  integer: /^\s*[-+]?\d+\s*$/,
  boolean: /^\s*(?:true|false)\s*$/i,
} as const;

/** Longer text is no number, and trying would cost time. */
const longestNumber = 40;

const wanted = { number: "a number", integer: "a whole number", boolean: "true or false" } as const;

/** A number or truth value. In quotes it is sent as written: the service reads it all the same. */
function plainOf(node: ScalarNode, kind: keyof typeof numeric, trail: Trail, context: TypingContext): JsonValue {
  const { value, text } = node;
  const right =
    typeof value === "string"
      ? value.length <= longestNumber && numeric[kind].test(value) && Math.abs(Number(value)) !== Infinity
      : kind === "boolean"
        ? typeof value === "boolean"
        : typeof value === "number" && (kind === "number" || Number.isInteger(value));
  if (!right) {
    context.findings.fault(trail, `${trail.label} must be ${wanted[kind]}${remainder(text)}.`);
    return value;
  }
  if (typeof value === "number" && /^[-+]?0[0-9xo]/.test(text)) {
    context.findings.warn(
      trail,
      `${trail.label} is read by YAML 1.2, where a leading 0 means nothing, 0o octal and 0x hexadecimal; write a plain decimal number.`,
    );
  }
  return sendable(node, trail, context);
}

/** A value of which no type is known, by YAML's core schema. */
function untyped(node: Node, trail: Trail, context: TypingContext): JsonValue {
  if (node.kind === "list") return node.items.map((item, index) => untyped(item, trail.to(index, item.at), context));
  if (node.kind === "scalar") return sendable(node, trail, context);
  const map: JsonObject = {};
  for (const [key, entry] of node.entries) setMember(map, key, untyped(entry.node, trail.to(key, entry.at), context));
  return map;
}

/** JSON has no infinity, and its numbers here 53 bits: neither may change in silence. */
function sendable({ value, text }: ScalarNode, trail: Trail, context: TypingContext): JsonValue {
  const { findings } = context;
  if (typeof value === "string") warnOfExpression(value, trail, context);
  if (typeof value !== "number") return value;
  if (!Number.isFinite(value)) {
    findings.fault(trail, `${trail.label} can't be infinite or no number; write a number, or quotes if text is meant.`);
    return text;
  }
  if (Number.isInteger(value) && !Number.isSafeInteger(value))
    findings.warn(trail, `${trail.label} is too long a number to be sent exactly; write it in quotes.`);
  return value;
}

const shapes = {
  ...wanted,
  text: "text",
  list: "a list, each item after its own '- '",
  map: "a mapping of names to values",
  object: "a mapping",
} as const;

function mistyped(node: Node, type: Exclude<Type, { kind: "any" }>, trail: Trail, context: TypingContext): JsonValue {
  const found = { scalar: "a single value", list: "a list", map: "a mapping" }[node.kind];
  const what = trail.name === undefined ? `An item of ${trail.label}` : trail.label;
  const message = `${what} must be ${shapes[type.kind]}, not ${found}.`;
  if (context.newer || (type.kind === "text" && type.lenient === true))
    context.findings.warn(trail, `${message} It is likely to be refused.`);
  else context.findings.fault(trail, message);
  return untyped(node, trail, context);
}
