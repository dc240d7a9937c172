import { foldName } from "../../base/json.ts";

/**
 * A YAML or JSON text as a tree with places. Aliases point at the node that they name, so one node may stand in several places;
 * `weight` and `height` count as if each were written out.
 */
export type Node = ScalarNode | ListNode | MapNode;

interface Located {
  /** Offset in the source. */
  readonly at: number;
  /** Nodes in it, itself included; long text counts for more. */
  weight: number;
  /** Collections inside each other, itself included; 0 for a scalar. */
  height: number;
}

export interface ScalarNode extends Located {
  readonly kind: "scalar";
  /** The text written, escapes and folding undone: `007`, `1.10`, `true`. */
  readonly text: string;
  /** What YAML 1.2's core schema makes of it. */
  readonly value: null | boolean | number | string;
}

export interface ListNode extends Located {
  readonly kind: "list";
  readonly items: Node[];
}

export interface MapNode extends Located {
  readonly kind: "map";
  readonly entries: Map<string, Entry>;
}

export interface Entry {
  /** Offset of the key. */
  readonly at: number;
  readonly node: Node;
  /** It came by a merge key (`<<`): a key that is written out takes its place without a word. */
  readonly merged: boolean;
}

/**
 * Of each name, by {@link foldName}, the spelling that counts where letter case does not: the last that is written out; of those that
 * come by merge keys alone the first, as of several sources of one.
 */
export function countingSpellings(entries: ReadonlyMap<string, Entry>): ReadonlyMap<string, string> {
  const counting = new Map<string, string>();
  for (const [key, { merged }] of entries) {
    const name = foldName(key);
    if (!merged || !counting.has(name)) counting.set(name, key);
  }
  return counting;
}
