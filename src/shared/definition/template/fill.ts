import { foldName } from "../../base/json.ts";
import { partText, type TextPart } from "../array/gaps.ts";
import type { Findings, Positions } from "../text/positions.ts";
import { mapScalars, scalarOf, sizeOf, weightOf } from "../text/rewrite.ts";
import type { Limits } from "../text/tree-builder.ts";
import type { MapNode, Node, ScalarNode } from "../text/tree.ts";
import type { ParameterValue } from "./parameters.ts";
import { partsOf } from "./references.ts";

/** The tree of a run: the template's own, its references replaced by values. A value is one scalar or a list of text, whatever it says. */
export interface Filled {
  readonly root: MapNode;
  /** Where a scalar's text has the vault references that the template's author wrote. Nothing in a value is one. */
  readonly references: ReadonlyMap<Node, readonly number[]>;
  /** The scalars in which the template's author wrote gaps for an array's items. Nothing in a value is one. */
  readonly gaps: ReadonlyMap<Node, readonly TextPart[]>;
  /** Names of the parameters that a node's value comes from. */
  readonly origins: ReadonlyMap<Node, readonly string[]>;
  readonly findings: Findings;
  readonly places: Positions;
  readonly source: string;
}

type FilledTree = Pick<Filled, "root" | "references" | "gaps" | "origins">;

interface How {
  readonly limits: Limits;
  readonly nameOf: (key: string) => string;
}

/** @returns `undefined` when the result would be larger than a definition may be */
export function fill(root: MapNode, values: ReadonlyMap<string, ParameterValue>, how: How): FilledTree | undefined {
  const filler = new Filler(values, how);
  try {
    const filled = mapScalars(root, (node) => filler.scalar(node));
    const { references, gaps, origins } = filler;
    return filled.weight <= how.limits.maxNodes ? { root: filled, references, gaps, origins } : undefined;
  } catch (error) {
    if (error instanceof TooLarge) return undefined;
    throw error;
  }
}

class TooLarge extends Error {}

class Filler {
  readonly references = new Map<Node, readonly number[]>();
  readonly gaps = new Map<Node, readonly TextPart[]>();
  readonly origins = new Map<Node, readonly string[]>();
  readonly #values: ReadonlyMap<string, ParameterValue>;
  readonly #nameOf: How["nameOf"];
  #left: number;

  constructor(values: ReadonlyMap<string, ParameterValue>, { limits, nameOf }: How) {
    this.#values = values;
    this.#nameOf = nameOf;
    this.#left = limits.maxNodes;
  }

  scalar(node: ScalarNode): Node {
    const parts = partsOf(node.text);
    const names = parts.flatMap((part) => (part.kind === "parameter" ? [part.name] : []));
    const [only] = parts;
    if (only?.kind === "parameter" && parts.length === 1) return this.#origin(this.#whole(node, only.name), names);
    const starts: number[] = [];
    const texts: TextPart[] = [];
    let text = "";
    const add = (part: TextPart): void => {
      texts.push(part);
      text += partText(part);
    };
    for (const part of parts) {
      if (part.kind === "vault") starts.push(text.length);
      if (part.kind === "item") add(part.gap);
      else if (part.kind === "parameter") {
        const value = String(this.#values.get(foldName(part.name)));
        this.#spend(value);
        add(value);
      } else if (part.kind !== "malformed") add(part.text);
    }
    const hasGaps = parts.some(({ kind }) => kind === "item");
    if (text === node.text && starts.length === 0 && !hasGaps) return node;
    const filled = text === node.text ? { ...node } : { ...node, ...scalarOf(text) };
    if (starts.length > 0) this.references.set(filled, starts);
    if (hasGaps) this.gaps.set(filled, texts);
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
