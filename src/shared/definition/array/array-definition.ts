import { z } from "zod";
import { isJsonObject, type JsonObject, type JsonValue } from "../../base/json.ts";
import { mapLeaves } from "../leaves.ts";
import type { Definition } from "../parsed.ts";
import { commandSecrets, credentialsOf, type OwnReferences } from "../secrets.ts";
import { viewOf } from "../view.ts";
import { isItem, maxArraySize, type Item } from "./items.ts";
import {
  filledWith,
  partText,
  shifted,
  type ArrayDefinition,
  type ItemAt,
  type TextWithGaps,
  type TextPart,
} from "./gaps.ts";

/** The definition of one child: nothing in its item is a gap, a reference to a vault, or anything but a value. Pure. */
export function childDefinition(array: ArrayDefinition, index: number): Definition {
  const { name, apiVersion } = array;
  const { body, references } = childBody(array, index);
  return { name, apiVersion, body, view: viewOf(body, references) };
}

/** Its body, and which references to a vault in it are its array's own. */
export function childBody(
  array: ArrayDefinition,
  index: number,
): { readonly body: JsonObject; readonly references: OwnReferences } {
  const child: ItemAt = { index, item: array.items?.[index] };
  const withGaps = new Map(array.gaps.map((each) => [each.key, each]));
  const filled = mapLeaves(array.body, ({ value, trail }) => {
    const text = withGaps.get(trail.key);
    if (text === undefined) return value;
    const given = filledWith(text.parts, child);
    return text.isText ? String(given) : given;
  });
  // Empty text at the top is as good as absent there, as where it was written so.
  const body = Object.fromEntries(Object.entries(filled).filter(([, value]) => value !== ""));
  return { body, references: referencesOf(array, withGaps, child) };
}

function referencesOf(
  { references }: ArrayDefinition,
  withGaps: ReadonlyMap<string, TextWithGaps>,
  child: ItemAt,
): OwnReferences {
  const own = new Map<string, number[]>();
  for (const [key, start] of references) {
    const parts = withGaps.get(key)?.parts;
    const [moved = start] = parts === undefined ? [start] : shifted([start], parts, child);
    own.set(key, [...(own.get(key) ?? []), moved]);
  }
  return own;
}

/** Which child of an array a job is, and for what. */
export interface ArrayChild extends ItemAt {
  readonly size: number;
  /** A part of an item is put in where Azure never gives it back: then the whole of it must not be readable there either. */
  readonly isSecret: boolean;
}

export function arrayChild({ size, items, body, gaps }: ArrayDefinition, index: number): ArrayChild {
  const keys = new Set(
    gaps.flatMap(({ key, parts }) =>
      parts.some((part) => typeof part !== "string" && part.kind !== "index") ? [key] : [],
    ),
  );
  let isSecret = false;
  const inCommand = commandSecrets();
  mapLeaves(body, (leaf) => {
    const { value, place, trail } = leaf;
    const word = inCommand(leaf) ?? "";
    // What only looks like a secret is one, too.
    const lands = (): boolean => [word, ...credentialsOf(String(value))].some((each) => each.includes("${item"));
    if (keys.has(trail.key) && (place !== "open" || lands())) isSecret = true;
    return value;
  });
  return { index, size, item: items?.[index], isSecret };
}

/**
 * A body with its texts as they are written.
 *
 * @param sample the same where text stands wherever text belongs
 */
export function bodyWithGaps(
  sample: JsonObject,
  partsByKey: ReadonlyMap<string, readonly TextPart[]>,
): Pick<ArrayDefinition, "body" | "gaps"> {
  const gaps: TextWithGaps[] = [];
  const body = mapLeaves(sample, ({ value, trail }) => {
    const { key } = trail;
    const parts = partsByKey.get(key);
    if (parts === undefined) return value;
    gaps.push({ key, parts, isText: typeof value === "string" });
    return parts.map(partText).join("");
  });
  return { body, gaps };
}

const gap = z.union([
  z.object({ kind: z.literal("index") }),
  z.object({ kind: z.literal("item") }),
  z.object({ kind: z.literal("field"), field: z.string() }),
]);
const stored = z.object({
  size: z.int().min(1).max(maxArraySize),
  gaps: z.array(z.object({ key: z.string(), parts: z.array(z.union([z.string(), gap])), isText: z.boolean() })),
  references: z.array(z.tuple([z.string(), z.number()])),
});

/** What lies sealed of it, beside name and version; {@link readStoredArray} reads it back. */
export function storedArray({ size, items, body, gaps, references }: ArrayDefinition): object {
  return { size, items, body, gaps, references };
}

/** @returns `undefined` for what {@link storedArray} did not make */
export function readStoredArray(
  { name, apiVersion }: Pick<ArrayDefinition, "name" | "apiVersion">,
  value: JsonValue | undefined,
): ArrayDefinition | undefined {
  const read = stored.safeParse(value).data;
  if (read === undefined || !isJsonObject(value) || !isJsonObject(value["body"])) return undefined;
  const items = itemsIn(value["items"]);
  if (value["items"] !== undefined && items?.length !== read.size) return undefined;
  return { name, apiVersion, ...read, items, body: value["body"] };
}

function itemsIn(value: JsonValue | undefined): readonly Item[] | undefined {
  return Array.isArray(value) && value.every(isItem) ? value : undefined;
}
