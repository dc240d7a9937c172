import { Trail } from "./trail.ts";
import type { Entry, MapNode, Node, ScalarNode } from "./tree.ts";

/** As the tree's builder counts: each 64 characters of text are one node more. */
export const weightOf = (text: string): number => 1 + (text.length >> 6);

/** What a scalar that was not written says. */
export function scalarOf(value: string | number | boolean): Pick<ScalarNode, "text" | "value" | "weight"> {
  const text = String(value);
  return { text, value, weight: weightOf(text) };
}

export function sizeOf(nodes: readonly Node[]): Pick<Node, "weight" | "height"> {
  let [weight, height] = [1, 0];
  for (const node of nodes) {
    weight += node.weight;
    height = Math.max(height, node.height);
  }
  return { weight, height: height + 1 };
}

/** The tree with other nodes in the place of its scalars. A node that several aliases name is changed once; what stays is shared. */
export function mapScalars(root: MapNode, change: (node: ScalarNode) => Node): MapNode {
  const known = new Map<Node, Node>();
  const mapped = (node: Node): Node => {
    const before = known.get(node);
    if (before !== undefined) return before;
    const after = node.kind === "map" ? map(node) : node.kind === "list" ? list(node) : change(node);
    known.set(node, after);
    return after;
  };
  const list = (node: Node & { readonly kind: "list" }): Node => {
    const items = node.items.map(mapped);
    return items.every((item, index) => item === node.items[index]) ? node : { ...node, items, ...sizeOf(items) };
  };
  const map = (node: MapNode): MapNode => {
    const entries = new Map<string, Entry>();
    let changed = false;
    for (const [key, entry] of node.entries) {
      const inner = mapped(entry.node);
      changed ||= inner !== entry.node;
      entries.set(key, inner === entry.node ? entry : { ...entry, node: inner });
    }
    if (!changed) return node;
    return { ...node, entries, ...sizeOf(Array.from(entries.values(), (entry) => entry.node)) };
  };
  return map(root);
}

/** Calls back for each node with its position; a node that several aliases name comes once for each. */
export function visit(root: MapNode, see: (node: Node, here: Trail) => void): void {
  const walk = (node: Node, here: Trail): void => {
    see(node, here);
    if (node.kind === "list") node.items.forEach((item, index) => walk(item, here.to(index, item.at)));
    if (node.kind === "map") for (const [key, entry] of node.entries) walk(entry.node, here.to(key, entry.at));
  };
  walk(root, Trail.top(root.at));
}
