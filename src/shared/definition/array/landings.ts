import { containsExpression, isPlaceholder } from "../placeholders.ts";
import type { Findings } from "../text/positions.ts";
import type { Trail } from "../text/trail.ts";
import { visit } from "../text/rewrite.ts";
import type { Node } from "../text/tree.ts";
import type { ArrayItems } from "./items.ts";
import { textPartsOf, type Gap, type TextPart } from "./gaps.ts";
import { optionsOf, withoutOurs, type TreeWithGaps } from "./tree.ts";

/** A scalar with gaps, once however often aliases name it. */
export interface Landing {
  readonly node: Node;
  readonly parts: readonly TextPart[];
  /** Everywhere that it stands. */
  readonly spots: readonly Trail[];
  /** Where no rule asks more of its text than what {@link answersOf} answers. */
  readonly free: Free | undefined;
}

/** A variable's value or a tag, or an argument of a command. */
type Free = "value" | "argument";

/**
 * Where items land, and every fault of the gaps themselves: of where they stand, and of items that have no such thing, whatever the
 * items are. In commands a loop of a shell over a variable of the same name is a warning.
 */
export function landingsOf(tree: TreeWithGaps, { items }: ArrayItems, findings: Findings): readonly Landing[] {
  const found = new Map<
    Node,
    { readonly parts: readonly TextPart[]; readonly spots: Trail[]; free: Free | undefined }
  >();
  visit(withoutOurs(tree.root), (node, here) => {
    if (node.kind === "map") {
      for (const [key, { at }] of node.entries)
        if (hasGaps(textPartsOf(key)))
          findings.fault(here.to(key, at), "${index} and ${item} may stand in a value only, not in a property's name.");
    }
    if (node.kind !== "scalar") return;
    if (shellLoop.test(node.text) && /\.command\[\d+\]$/i.test(here.path)) findings.warn(here, shellVariable);
    const parts = tree.gaps.get(node);
    if (parts === undefined) return;
    const { path } = here;
    const top = topFaults[path.toLowerCase()];
    if (top !== undefined) findings.fault(here, top);
    const free = freeAt(path);
    const known = found.get(node);
    if (known === undefined) {
      judgeParts(parts, items, here, findings);
      found.set(node, { parts, spots: [here], free });
    } else {
      known.spots.push(here);
      if (known.free !== free) known.free = undefined;
    }
  });
  judgeOptions(tree, findings);
  return Array.from(found, ([node, landing]) => ({ node, ...landing }));
}

function hasGaps(parts: readonly TextPart[]): boolean {
  return parts.some((part) => typeof part !== "string");
}

const topFaults: Readonly<Record<string, string>> = {
  name: "An item can't be a part of name: the groups of an array are called NAME-INDEX.",
  apiversion: "An item can't be a part of apiVersion: all children of an array have the same.",
  type: "An item can't be a part of type.",
};

function judgeParts(parts: readonly TextPart[], items: ArrayItems["items"], here: Trail, findings: Findings): void {
  const fields = new Set(parts.flatMap((part) => (isGap(part) && part.kind === "field" ? [part.field] : [])));
  const usesItem = parts.some((part) => isGap(part) && part.kind === "item");
  if (items === undefined && (usesItem || fields.size > 0))
    findings.fault(here, "The array is a number and has no items: write ${index}, or give a list of items.");
  else if (fields.size > 0 && typeof items?.[0] !== "object")
    findings.fault(
      here,
      "The array's items, the one of index 0 first, are no objects and have no members: write ${item}.",
    );
  for (const [index, part] of parts.entries()) {
    const before = parts[index - 1];
    if (isGap(part) && typeof before === "string" && /\$\{keyvault:[\w/-]*$/.test(before.slice(-200)))
      findings.fault(here, "An item can't choose the secret of a vault reference; write its name.");
  }
}

function isGap(part: TextPart): part is Gap {
  return typeof part !== "string";
}

/** The options are the array's own, but for the items, in which nothing is a gap. */
function judgeOptions({ root, gaps }: TreeWithGaps, findings: Findings): void {
  visit(optionsOf(root), (node, here) => {
    if (gaps.has(node))
      findings.fault(here, "An item can't be a part of an option: the options are the whole array's.");
  });
}

/** Where a rule looks at a text for placeholders, blanks and the like alone. */
function freeAt(path: string): Free | undefined {
  if (valuePath.test(path)) return "value";
  return argumentPath.test(path) ? "argument" : undefined;
}
const valuePath =
  /^(?:properties\.(?:initC|c)ontainers\[\d+\]\.properties\.environmentVariables\[\d+\]\.(?:secureV|v)alue$|tags\.)/i;
const argumentPath = /^properties\.(?:initC|c)ontainers\[\d+\]\.properties\.command\[[1-9]\d*\]$/i;

/** The same for a position of a checked definition's body. */
export function freeAtKey(key: string): Free | undefined {
  const segments = key.matchAll(/\/(?:"((?:[^"\\]|\\.)*)"|(\d+))/g);
  return freeAt(
    Array.from(segments, ([, name, index]) => (name === undefined ? `[${index}]` : `.${name}`))
      .join("")
      .slice(1),
  );
}

/** All that rules ask about a text in a free location, so that texts with the same answers are judged alike; a test compares. */
export function answersOf(text: string, free: Free): string {
  const answers = [text.includes("\0"), containsExpression(text)];
  if (free === "value")
    answers.push(
      text.length > 256,
      isPlaceholder(text),
      text.length <= 10_000 && /\{\{[^{}]*\}\}/.test(text),
      /^[^\r\n]+[\r\n]+$/.test(text),
    );
  return answers.map(Number).join("");
}

const shellLoop = /\b(?:for\s+(?:item|index)\s+in\b|read\s+(?:-\w+\s+)*(?:item|index)\b)|(?:^|[\s;&|(])(?:item|index)=/;
const shellVariable =
  "A variable of the shell is called item or index, and with array exactly ${item} and ${index} are replaced before the shell sees them: give it another name, or write $${item}.";
