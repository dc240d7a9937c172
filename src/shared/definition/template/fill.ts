import { foldName } from "../../base/json.ts";
import type { Findings, Positions } from "../text/positions.ts";
import { Trail } from "../text/trail.ts";
import type { Limits } from "../text/tree-builder.ts";
import type { Entry, ListNode, MapNode, Node, ScalarNode } from "../text/tree.ts";
import type { ParameterValue } from "./parameters.ts";
import { partsOf } from "./references.ts";

/** The tree of a run: the template's own, its references replaced by values. A value is one scalar or a list of text, whatever it says. */
export interface Filled {
  readonly root: MapNode;
  /** Where a scalar's text has the vault references that the template's author wrote. Nothing in a value is one. */
  readonly references: ReadonlyMap<Node, readonly number[]>;
  /** Names of the parameters that a node's value comes from. */
  readonly origins: ReadonlyMap<Node, readonly string[]>;
  readonly findings: Findings;
  readonly places: Positions;
  readonly source: string;
}

type FilledTree = Pick<Filled, "root" | "references" | "origins">;

interface How {
  readonly limits: Limits;
  readonly nameOf: (key: string) => string;
}

/** @returns `undefined` when the result would be larger than a definition may be */
export function fill(root: MapNode, values: ReadonlyMap<string, ParameterValue>, how: How): FilledTree | undefined {
  const filler = new Filler(values, how);
  try {
    const filled = filler.map(root);
    const { references, origins } = filler;
    return filled.weight <= how.limits.maxNodes ? { root: filled, references, origins } : undefined;
  } catch (error) {
    if (error instanceof TooLarge) return undefined;
    throw error;
  }
}

class TooLarge extends Error {}

/** As the tree's builder counts: each 64 characters of text are one node more. */
const weightOf = (text: string): number => 1 + (text.length >> 6);

class Filler {
  readonly references = new Map<Node, readonly number[]>();
  readonly origins = new Map<Node, readonly string[]>();
  readonly #values: ReadonlyMap<string, ParameterValue>;
  readonly #nameOf: How["nameOf"];
  /** A node that several aliases name is filled once. */
  readonly #filled = new Map<Node, Node>();
  #left: number;

  constructor(values: ReadonlyMap<string, ParameterValue>, { limits, nameOf }: How) {
    this.#values = values;
    this.#nameOf = nameOf;
    this.#left = limits.maxNodes;
  }

  map(node: MapNode): MapNode {
    const entries = new Map<string, Entry>();
    for (const [key, entry] of node.entries) entries.set(key, { ...entry, node: this.#node(entry.node) });
    const nodes = Array.from(entries.values(), (entry) => entry.node);
    return { ...node, entries, ...sizeOf(nodes) };
  }

  #node(node: Node): Node {
    const known = this.#filled.get(node);
    if (known !== undefined) return known;
    const filled = node.kind === "map" ? this.map(node) : node.kind === "list" ? this.#list(node) : this.#scalar(node);
    this.#filled.set(node, filled);
    return filled;
  }

  #list(node: ListNode): ListNode {
    const items = node.items.map((item) => this.#node(item));
    return { ...node, items, ...sizeOf(items) };
  }

  #scalar(node: ScalarNode): Node {
    const parts = partsOf(node.text);
    const names = parts.flatMap((part) => (part.kind === "parameter" ? [part.name] : []));
    const [only] = parts;
    if (only?.kind === "parameter" && parts.length === 1) return this.#origin(this.#whole(node, only.name), names);
    const starts: number[] = [];
    let text = "";
    for (const part of parts) {
      if (part.kind === "vault") starts.push(text.length);
      if (part.kind === "parameter") {
        const value = String(this.#values.get(foldName(part.name)));
        this.#spend(value);
        text += value;
      } else if (part.kind !== "malformed") text += part.text;
    }
    if (text === node.text && starts.length === 0) return node;
    const filled = text === node.text ? { ...node } : { ...node, ...scalarOf(text) };
    if (starts.length > 0) this.references.set(filled, starts);
    return this.#origin(filled, names);
  }

  /** A scalar that is one reference keeps the parameter's type. */
  #whole(node: ScalarNode, name: string): Node {
    const value = this.#values.get(foldName(name)) ?? "";
    if (typeof value !== "object") {
      this.#spend(String(value));
      return { ...node, ...scalarOf(value) };
    }
    const items = value.map((text): ScalarNode => {
      this.#spend(text);
      const item = { ...node, ...scalarOf(text) };
      this.origins.set(item, [this.#nameOf(foldName(name))]);
      return item;
    });
    return { kind: "list", at: node.at, items, ...sizeOf(items) };
  }

  #origin(node: Node, names: readonly string[]): Node {
    if (names.length > 0) this.origins.set(node, [...new Set(names.map((name) => this.#nameOf(foldName(name))))]);
    return node;
  }

  #spend(text: string): void {
    this.#left -= weightOf(text);
    if (this.#left < 0) throw new TooLarge();
  }
}

function scalarOf(value: string | number | boolean): Pick<ScalarNode, "text" | "value" | "weight"> {
  const text = String(value);
  return { text, value, weight: weightOf(text) };
}

function sizeOf(nodes: readonly Node[]): Pick<Node, "weight" | "height"> {
  let [weight, height] = [1, 0];
  for (const node of nodes) {
    weight += node.weight;
    height = Math.max(height, node.height);
  }
  return { weight, height: height + 1 };
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
