import { isJsonObject, type JsonObject } from "../../base/json.ts";
import { isItem, itemText, type ArrayItems, type Item } from "./items.ts";

/** A gap in a text: where a child's index, its item, or a member of its item is put in: `${index}`, `${item}`, `${item.FIELD}`. */
export type Gap =
  { readonly kind: "index" } | { readonly kind: "item" } | { readonly kind: "field"; readonly field: string };

/** What a text with gaps is made of, in order: what stays as it is, and the gaps. */
export type TextPart = string | Gap;

/** The pattern of a gap, in a definition and in a template. */
export const gapPattern = String.raw`\{(?:index|item(?:\.[^\${}]{1,128})?)\}`;
const gap = new RegExp(String.raw`(\$?)\$(${gapPattern})`, "g");

/** The gap that stands behind a `$`: `{index}`, `{item}` or `{item.FIELD}`. */
export function gapOf(braced: string): Gap {
  if (braced === "{index}") return { kind: "index" };
  return braced === "{item}" ? { kind: "item" } : { kind: "field", field: braced.slice("{item.".length, -1) };
}

/** A text of a definition in full: `$${item}` stands for the text `${item}`. Takes time in proportion to the text. */
export function textPartsOf(text: string): readonly TextPart[] {
  if (!text.includes("${i")) return [text];
  const parts: TextPart[] = [];
  let plain = "";
  let at = 0;
  for (const { 0: found, 1: escape, 2: braced = "", index } of text.matchAll(gap)) {
    plain += text.slice(at, index);
    at = index + found.length;
    if (escape === "$") plain += `$${braced}`;
    else {
      if (plain !== "") parts.push(plain);
      parts.push(gapOf(braced));
      plain = "";
    }
  }
  plain += text.slice(at);
  if (plain !== "" || parts.length === 0) parts.push(plain);
  return parts;
}

/** A part as it is written in a definition. */
export function partText(part: TextPart): string {
  if (typeof part === "string") return part;
  return part.kind === "field" ? `\${item.${part.field}}` : `\${${part.kind}}`;
}

/** Which child of an array, and what it is run for. */
export interface ItemAt {
  readonly index: number;
  readonly item: Item | undefined;
}

/** What fills a gap for one child; `undefined` for a member that is not there, or is no scalar. */
export function valueAt(gap: Gap, { index, item }: ItemAt): string | number | boolean | undefined {
  if (gap.kind === "index") return index;
  if (item === undefined) return undefined;
  if (gap.kind === "item") return typeof item === "object" ? itemText(item) : item;
  const value = isJsonObject(item) ? ownMember(item, gap.field) : undefined;
  return isItem(value) && typeof value !== "object" ? value : undefined;
}

export function ownMember(item: JsonObject, field: string): JsonObject[string] | undefined {
  return Object.hasOwn(item, field) ? item[field] : undefined;
}

/** A text filled in for a child: of a text that is nothing but a gap the value itself. Every gap is known to have a value. */
export function filledWith(parts: readonly TextPart[], child: ItemAt): string | number | boolean {
  const [only] = parts;
  if (only !== undefined && typeof only !== "string" && parts.length === 1) return valueAt(only, child) ?? "";
  return parts.map((part) => (typeof part === "string" ? part : String(valueAt(part, child) ?? ""))).join("");
}

/** Where offsets in the text as it is written are once it is filled in. They never lie in a gap. */
export function shifted(starts: readonly number[], parts: readonly TextPart[], child: ItemAt): readonly number[] {
  return starts.map((start) => {
    let [written, filled] = [0, 0];
    for (const part of parts) {
      const { length } = partText(part);
      if (start < written + length) break;
      written += length;
      filled += typeof part === "string" ? length : String(valueAt(part, child) ?? "").length;
    }
    return filled + start - written;
  });
}

/** A checked definition with gaps for items, and the items: what the definition of each child follows from. Plain data. */
export interface ArrayDefinition extends ArrayItems {
  readonly name: string;
  readonly apiVersion: string;
  /** As Azure would get it, with its gaps as they are written. */
  readonly body: JsonObject;
  readonly gaps: readonly TextWithGaps[];
  /** The references to a vault: positions in the body, and where in the text there, as it is written, they begin. */
  readonly references: readonly (readonly [key: string, start: number])[];
}

/** A text of the body with gaps. */
export interface TextWithGaps {
  /** Its position in the body. */
  readonly key: string;
  readonly parts: readonly TextPart[];
  /** Text belongs there, whatever the item is. */
  readonly isText: boolean;
}
