import { foldName } from "../../base/json.ts";
import type { Findings, Positions } from "../text/positions.ts";
import { mapScalars, scalarOf, visit } from "../text/rewrite.ts";
import type { MapNode, Node } from "../text/tree.ts";
import { vaultReferencesIn } from "../placeholders.ts";
import { isOurs } from "../top.ts";
import { filledWith, partText, shifted, textPartsOf, type ItemAt, type TextPart } from "./gaps.ts";

/** A definition's tree, and the scalars in which its author wrote gaps for items, or references to a vault. */
export interface TreeWithGaps {
  readonly root: MapNode;
  readonly gaps: ReadonlyMap<Node, readonly TextPart[]>;
  /** Where a scalar's text, as it is written with its gaps, has references to a vault. */
  readonly references: ReadonlyMap<Node, readonly number[]>;
  readonly findings: Findings;
  readonly places: Positions;
  readonly source: string;
}

/** The gaps of a definition in full. What is ours (the options, the items among them) stays as it is. */
export function treeWithGaps(tree: Omit<TreeWithGaps, "gaps" | "references">): TreeWithGaps {
  const gaps = new Map<Node, readonly TextPart[]>();
  const references = new Map<Node, readonly number[]>();
  const theirs = mapScalars(withoutOurs(tree.root), (node) => {
    const parts = textPartsOf(node.text);
    const text = parts.map(partText).join("");
    const after = text === node.text ? node : { ...node, ...scalarOf(text) };
    if (parts.some((part) => typeof part !== "string")) gaps.set(after, parts);
    const starts = vaultReferencesIn(text).map(({ start }) => start);
    if (starts.length > 0) references.set(after, starts);
    return after;
  });
  visit(optionsOf(tree.root), (node) => {
    if (node.kind !== "scalar") return;
    const parts = textPartsOf(node.text);
    if (parts.some((part) => typeof part !== "string")) gaps.set(node, parts);
  });
  const entries = new Map(tree.root.entries);
  for (const [key, entry] of theirs.entries) entries.set(key, entry);
  return { ...tree, root: { ...tree.root, entries }, gaps, references };
}

/** The options that stand in the definition, but for the items themselves. */
export function optionsOf(root: MapNode): MapNode {
  const block = root.entries.get("x-aciproxy");
  if (block?.node.kind !== "map") return { ...root, entries: new Map() };
  const options = new Map([...block.node.entries].filter(([key]) => foldName(key) !== "array"));
  return { ...root, entries: new Map([["x-aciproxy", { ...block, node: { ...block.node, entries: options } }]]) };
}

/** What is left for Azure. */
export function withoutOurs(root: MapNode): MapNode {
  return { ...root, entries: new Map([...root.entries].filter(([key]) => !isOurs(key))) };
}

/** The tree of one child: each scalar with gaps filled in. */
export function filledTree(
  { root, gaps, references }: Pick<TreeWithGaps, "root" | "gaps" | "references">,
  child: ItemAt,
): Pick<TreeWithGaps, "root" | "references"> {
  const moved = new Map(references);
  const filled = mapScalars(root, (node) => {
    const parts = gaps.get(node);
    if (parts === undefined) return node;
    const after = { ...node, ...scalarOf(filledWith(parts, child)) };
    const starts = references.get(node);
    if (starts !== undefined) moved.set(after, shifted(starts, parts, child));
    return after;
  });
  return { root: filled, references: moved };
}
