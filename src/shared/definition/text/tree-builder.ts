import {
  boolCoreTag,
  EVENT_ID,
  floatCoreTag,
  getScalarValue,
  intCoreTag,
  NOT_RESOLVED,
  nullCoreTag,
  SCALAR_STYLE,
  type Event,
  type ScalarEvent,
} from "js-yaml";
import { templateLeft } from "./causes.ts";
import type { Findings } from "./positions.ts";
import { Trail } from "./trail.ts";
import type { Entry, ListNode, MapNode, Node, ScalarNode } from "./tree.ts";

export interface Limits {
  /** Collections inside each other, aliases counted as if written out. */
  readonly maxDepth: number;
  /** Nodes, aliases and merge keys counted as if written out, and each 64 characters of text as one more. */
  readonly maxNodes: number;
}

/**
 * Builds the tree of one document from js-yaml's events: aliases, merge keys (`<<`, YAML 1.1's type repository) and duplicate keys,
 * of which the last counts and a warning is left. `undefined` when a fault was found.
 */
export function compose(
  events: readonly Event[],
  source: string,
  limits: Limits,
  findings: Findings,
): Node | undefined {
  const composer = new Composer(source, limits, findings);
  for (const event of events) {
    if (!composer.take(event)) return undefined;
  }
  return composer.root;
}

interface Frame {
  readonly node: ListNode | MapNode;
  readonly anchor: string | undefined;
  key: { readonly text: string; readonly at: number; readonly merge: boolean } | undefined;
  hasMerge: boolean;
}

type Key = NonNullable<Frame["key"]>;

class Composer {
  root: Node | undefined;
  readonly #source: string;
  readonly #limits: Limits;
  readonly #findings: Findings;
  readonly #frames: Frame[] = [];
  /** `undefined` while the anchored collection is still open: an alias there would make a circle. */
  readonly #anchors = new Map<string, Node | undefined>();
  #left: number;
  #at = 0;

  constructor(source: string, limits: Limits, findings: Findings) {
    this.#source = source;
    this.#limits = limits;
    this.#findings = findings;
    this.#left = limits.maxNodes;
  }

  /** False when the text is refused. */
  take(event: Event): boolean {
    switch (event.type) {
      case EVENT_ID.DOCUMENT:
        return true;
      case EVENT_ID.SCALAR:
        return this.#scalar(event);
      case EVENT_ID.SEQUENCE:
        return this.#open({ kind: "list", items: [], at: event.start, weight: 1, height: 1 }, event);
      case EVENT_ID.MAPPING:
        return this.#open({ kind: "map", entries: new Map(), at: event.start, weight: 1, height: 1 }, event);
      case EVENT_ID.ALIAS:
        return this.#alias(event.anchorStart, event.anchorEnd);
      case EVENT_ID.POP:
        return this.#close();
    }
  }

  #scalar(event: ScalarEvent): boolean {
    const quoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
    const at = event.valueStart < 0 ? (this.#frames.at(-1)?.key?.at ?? this.#at) : event.valueStart - (quoted ? 1 : 0);
    this.#at = at;
    const text = getScalarValue(this.#source, event);
    const tag = this.#tag(event);
    const value =
      tag === undefined ? (event.style === SCALAR_STYLE.PLAIN ? resolve(text) : text) : resolveTagged(tag, text);
    if (value === undefined)
      return this.#refuse("This tag is not one of YAML's core schema, or the value is not of its type; remove it.");
    const node: ScalarNode = { kind: "scalar", text, value, at, weight: weightOf(text), height: 0 };
    const anchor = this.#slice(event.anchorStart, event.anchorEnd);
    if (anchor !== undefined) this.#anchors.set(anchor, node);
    const merge = text === "<<" && event.style === SCALAR_STYLE.PLAIN && tag === undefined;
    return this.#spend(node.weight) && this.#add(node, at, merge);
  }

  #open(
    node: ListNode | MapNode,
    event: { anchorStart: number; anchorEnd: number; tagStart: number; tagEnd: number },
  ): boolean {
    this.#at = node.at;
    const tag = this.#tag(event);
    if (tag !== undefined && tag !== "!" && tag !== (node.kind === "map" ? "!!map" : "!!seq")) {
      return this.#refuse("This tag is not one of YAML's core schema; remove it.");
    }
    const parent = this.#frames.at(-1);
    if (parent?.node.kind === "map" && !parent.key) {
      const isTemplate = /\{\{$/.test(this.#source.slice(Math.max(0, node.at - 1), node.at + 1));
      return this.#refuse(isTemplate ? templateLeft : "A property's name must be text, not a list or mapping.");
    }
    const anchor = this.#slice(event.anchorStart, event.anchorEnd);
    if (anchor !== undefined) this.#anchors.set(anchor, undefined);
    if (!this.#fits(1)) return false;
    this.#frames.push({ node, anchor, key: undefined, hasMerge: false });
    return this.#spend(1);
  }

  #alias(start: number, end: number): boolean {
    this.#at = start - 1;
    const name = this.#source.slice(start, end);
    const node = this.#anchors.get(name);
    if (!node) {
      const inside = this.#anchors.has(name);
      return this.#refuse(
        inside
          ? "This alias stands inside the value that it names."
          : "This alias names no anchor above it; a value that begins with '*' needs quotes.",
      );
    }
    return this.#fits(node.height) && this.#spend(node.weight) && this.#add(node, this.#at, false);
  }

  #close(): boolean {
    const frame = this.#frames.pop();
    if (!frame) return true; // the document's own end
    if (frame.anchor !== undefined) this.#anchors.set(frame.anchor, frame.node);
    return this.#add(frame.node, frame.node.at, false);
  }

  /** Puts a finished node where it belongs: under the key that waits for it, or as that key. */
  #add(node: Node, at: number, merge: boolean): boolean {
    const frame = this.#frames.at(-1);
    if (!frame) {
      this.root = node;
      return true;
    }
    const parent = frame.node;
    if (parent.kind === "map" && !frame.key) {
      if (node.kind !== "scalar") return this.#refuse("A property's name must be text.");
      if (node.text === "" && node.value === null) return this.#refuse("A property's name is missing before the ':'.");
      frame.key = { text: node.text, at, merge };
      return true;
    }
    parent.weight += node.weight;
    parent.height = Math.max(parent.height, 1 + node.height);
    if (parent.kind === "list") {
      parent.items.push(node);
      return true;
    }
    const { key } = frame;
    if (!key) return true; // not reached: a mapping without a waiting key took the node as its key above
    frame.key = undefined;
    if (key.merge) {
      if (frame.hasMerge) this.#findings.warn(this.#trail().to(key.text, key.at), twoMerges);
      frame.hasMerge = true;
      return this.#merge(parent, node, key);
    }
    const before = parent.entries.get(key.text);
    if (before && !before.merged) {
      this.#findings.warn(this.#trail().to(key.text, key.at), "Written twice in one mapping; the last one counts.");
    }
    parent.entries.set(key.text, { at: key.at, node, merged: false });
    return true;
  }

  #merge(into: MapNode, from: Node, key: Key): boolean {
    const sources = from.kind === "list" ? from.items : [from];
    const brought = new Set<string>();
    for (const source of sources) {
      if (source.kind !== "map") {
        this.#at = key.at;
        return this.#refuse("A merge key (<<) needs a mapping, an alias to one, or a list of those.");
      }
      for (const [name, entry] of source.entries) {
        const before = into.entries.get(name);
        if (before && (!before.merged || brought.has(name))) continue;
        brought.add(name);
        into.entries.set(name, { at: entry.at, node: entry.node, merged: true } satisfies Entry);
        into.weight += entry.node.weight;
        if (!this.#spend(1 + entry.node.weight)) return false;
      }
    }
    return true;
  }

  #fits(height: number): boolean {
    const { maxDepth } = this.#limits;
    return (
      this.#frames.length + height <= maxDepth ||
      this.#refuse(`More than ${maxDepth} collections are inside each other; nest them less deeply.`)
    );
  }

  #spend(weight: number): boolean {
    this.#left -= weight;
    return (
      this.#left >= 0 || this.#refuse("The definition is too large once its aliases are written out; make it smaller.")
    );
  }

  #refuse(message: string): false {
    const trail = this.#trail();
    this.#findings.fault({ path: trail.path, offset: this.#at }, message);
    return false;
  }

  #trail(): Trail {
    let trail = Trail.top(0);
    this.#frames.forEach(({ node, key }, depth) => {
      if (depth === this.#frames.length - 1 && node.kind === "map" && !key) return;
      trail = node.kind === "list" ? trail.to(node.items.length, node.at) : trail.to(key?.text ?? "", node.at);
    });
    return trail;
  }

  /** A tag in its short form: `!!str` for `!<tag:yaml.org,2002:str>`. */
  #tag({ tagStart, tagEnd }: { readonly tagStart: number; readonly tagEnd: number }): string | undefined {
    return this.#slice(tagStart, tagEnd)?.replace(/^!<tag:yaml\.org,2002:(\w+)>$/, "!!$1");
  }

  #slice(start: number, end: number): string | undefined {
    return start < 0 ? undefined : this.#source.slice(start, end);
  }
}

const twoMerges = "A second merge key (<<) stands in one mapping; of a name that both have, the last one counts.";

function weightOf(text: string): number {
  return 1 + (text.length >> 6);
}

const coreTags = {
  "!!null": nullCoreTag,
  "!!bool": boolCoreTag,
  "!!int": intCoreTag,
  "!!float": floatCoreTag,
} as const;

/** A plain scalar's value by YAML 1.2's core schema (section 10.3.2). */
function resolve(text: string): ScalarNode["value"] {
  if (!/^(?:$|[~nNtTfF.+\-0-9])/.test(text)) return text;
  for (const tag of Object.values(coreTags)) {
    const value = tag.resolve(text, false, tag.tagName);
    if (value !== NOT_RESOLVED) return value;
  }
  return text;
}

/** `undefined` where the tag is unknown or the text does not fit it. */
function resolveTagged(tag: string, text: string): ScalarNode["value"] | undefined {
  if (tag === "!" || tag === "!!str") return text;
  for (const [name, { resolve, tagName }] of Object.entries(coreTags)) {
    if (name !== tag) continue;
    const value = resolve(text, true, tagName);
    return value === NOT_RESOLVED ? undefined : value;
  }
  return undefined;
}
