import type { LocatedFault } from "../../base/errors.ts";
import { ownReferences } from "../template/origins.ts";
import { Findings } from "../text/positions.ts";
import { readOurs, readTop } from "../top.ts";
import type { OwnReferences } from "../secrets.ts";
import type { Definition, Parsed } from "../parsed.ts";
import type { DefinitionView } from "../view.ts";
import { bodyWithGaps } from "./array-definition.ts";
import { itemText, longestItem, type ArrayItems, type Item } from "./items.ts";
import { collated, type FoundOf } from "./collate.ts";
import { answersOf, freeAtKey, landingsOf, type Landing } from "./landings.ts";
import { type ArrayDefinition, filledWith, ownMember, partText, valueAt, type ItemAt, type TextPart } from "./gaps.ts";
import { filledTree, withoutOurs, type TreeWithGaps } from "./tree.ts";

/** How one child's tree is judged: as that of a definition in full. */
type JudgeTree = (tree: Pick<TreeWithGaps, "root" | "findings" | "places" | "source">, own: OwnReferences) => Parsed;

export interface ArrayJudges {
  readonly judgeTree: JudgeTree;
  readonly defaultApiVersion: string;
  readonly maxNodes: number;
  /** What somebody's rules forbid besides. */
  readonly objections: (
    definition: Definition,
    place: (path: string) => { line: number; column: number },
  ) => readonly LocatedFault[];
}

/** Faults that are listed one by one. */
const maxListed = 50;
/** Nodes that are judged in one submission, all children together: a second at most. */
const maxJudged = 1_000_000;
/** Texts with gaps that are filled in, long ones counting for more. */
const maxFilled = 1_000_000;

/**
 * Judges an array: what depends on no item once, and each item in the scalars where it lands. Children whose texts differ only where no
 * rule could tell them apart are judged as one, so that thousands cost what a few do.
 *
 * @returns as of a definition: that of index 0, with the size of the largest child
 */
export function judgeArray(tree: TreeWithGaps, given: ArrayItems, judges: ArrayJudges): Parsed {
  const { places, source } = tree;
  const findings = tree.findings.copy();
  const landings = landingsOf(tree, given, findings);
  const { block, callBackUri } = readOurs(tree.root, judges.defaultApiVersion, findings);
  const ours = {
    block: block && { values: block.values, place: (key: string) => places.at(block.offsetOf(key)) },
    callBackUri,
  };
  const refuse = (faults: readonly LocatedFault[], warnings = findings.warnings(places)): Parsed => ({
    ...ours,
    ok: false,
    faults,
    warnings,
  });
  if (findings.failed) return refuse(findings.faults(places));
  const theirs = { ...tree, root: withoutOurs(tree.root) };
  const grouped = groupsOf(theirs, landings, given, judges.maxNodes);
  if (grouped.faults.length > 0) return refuse(grouped.faults);

  const landed = new Set(landings.flatMap(({ spots }) => spots.map(({ path }) => path)));
  const [faults, warnings, objections]: [FoundOf[], FoundOf[], FoundOf[]] = [[], [], []];
  let first: (Parsed & { readonly ok: true }) | undefined;
  let ofAll: OfAll | undefined;
  let judged = 0;
  for (const indexes of grouped.groups) {
    const [index = 0] = indexes;
    const { root, references } = filledTree(theirs, { index, item: given.items?.[index] });
    const child = { root, findings: new Findings(), places, source };
    const parsed = judges.judgeTree(child, ownReferences({ root, references }));
    judged++;
    warnings.push({ indexes: indexes.slice(0, 1), faults: parsed.warnings });
    if (!parsed.ok) faults.push({ indexes, faults: parsed.faults });
    else {
      first ??= parsed;
      ofAll = widest(ofAll, parsed.definition.view);
      const objected = judges.objections(parsed.definition, parsed.place);
      if (objected.length > 0) objections.push({ indexes, faults: objected });
    }
    if (Math.max(faults.length, objections.length) >= maxListed) break;
  }
  const all = { judged, landed, max: maxListed };
  const odd = [
    ...findings.warnings(places),
    ...collated(warnings, { ...all, once: true }),
    ...longItems(given.items ?? []),
  ];
  if (faults.length > 0 || first === undefined || ofAll === undefined) return refuse(collated(faults, all), odd);
  const { definition, place } = first;
  return {
    ...ours,
    ok: true,
    warnings: odd,
    definition: { ...definition, view: { ...definition.view, ...ofAll } },
    place,
    array: {
      definition: arrayDefinition(theirs, landings, given, definition, judges.defaultApiVersion),
      objections: collated(objections, all),
    },
  };
}

/** The first item that is too long to be a variable is enough to say so. */
function longItems(items: readonly Item[]): readonly LocatedFault[] {
  const index = items.findIndex((item) => itemText(item).length > longestItem);
  if (index < 0) return [];
  const message = `Index ${index}: The item has more than ${longestItem} characters, so that it is put where the definition names it, and not into ACI_PROXY_ARRAY_ITEM.`;
  return [{ path: `array[${index}]`, line: 1, column: 1, message }];
}

type OfAll = Pick<DefinitionView, "cpu" | "memoryGB" | "restartPolicy" | "containers">;

/** What holds of the largest child, what of any, and the containers that all have. */
function widest(before: OfAll | undefined, { cpu, memoryGB, restartPolicy, containers }: DefinitionView): OfAll {
  if (before === undefined) return { cpu, memoryGB, restartPolicy, containers };
  return {
    cpu: Math.max(before.cpu, cpu),
    memoryGB: Math.max(before.memoryGB, memoryGB),
    restartPolicy: restartPolicy === "Always" ? restartPolicy : before.restartPolicy,
    containers: before.containers.filter(({ name }) => containers.some((each) => each.name === name)),
  };
}

interface Grouped {
  /** The indexes of children that are judged alike, each list ascending, in the order of their first. */
  readonly groups: readonly (readonly number[])[];
  readonly faults: readonly LocatedFault[];
}

/** Puts together the children that no rule can tell apart. */
function groupsOf(
  tree: TreeWithGaps,
  landings: readonly Landing[],
  { size, items }: ArrayItems,
  maxNodes: number,
): Grouped {
  const groups = new Map<string, number[]>();
  const faults: LocatedFault[] = [];
  const add = (index: number, { spots: [spot] }: Landing, message: string): void => {
    if (faults.length >= maxListed || spot === undefined) return;
    faults.push({
      path: `array[${index}].${spot.path}`,
      ...tree.places.at(spot.offset),
      message: `Index ${index}: ${message}`,
    });
  };
  let filled = 0;
  for (let index = 0; index < size && faults.length < maxListed; index++) {
    const child: ItemAt = { index, item: items?.[index] };
    let isWhole = true;
    let weight = 0;
    for (const landing of landings) {
      const missing = missingAt(landing.parts, child);
      if (missing !== undefined) add(index, landing, missing);
      isWhole &&= missing === undefined;
      weight += landing.spots.length * filledWeight(landing.parts, child);
    }
    filled += weight;
    if (weight + tree.root.weight > maxNodes && landings[0] !== undefined)
      add(index, landings[0], "The definition is too large with this item; give a shorter one.");
    else if (isWhole) {
      const key = keyOf(landings, child);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [index]);
      else group.push(index);
    }
    if (filled > maxFilled || groups.size * tree.root.weight > maxJudged) {
      const message =
        "The definition is too large, or its items stand in too many of its values, for an array of this size: give fewer items, or a smaller definition.";
      return { groups: [], faults: [...faults, { path: "", line: 1, column: 1, message }] };
    }
  }
  return { groups: [...groups.values()], faults };
}

function missingAt(parts: readonly TextPart[], child: ItemAt): string | undefined {
  for (const part of parts) {
    if (typeof part === "string" || valueAt(part, child) !== undefined || part.kind !== "field") continue;
    const { item } = child;
    const value = typeof item === "object" ? ownMember(item, part.field) : undefined;
    const name = /^[A-Za-z_][\w. -]{0,59}$/.test(part.field) ? part.field : "this member";
    if (value === undefined) return `The item has no member ${name}.`;
    return `The item's member ${name} must be text, a number, true or false, not ${value === null ? "null" : Array.isArray(value) ? "a list" : "an object"}.`;
  }
  return undefined;
}

/** The weight that a text has once it is filled in, without making it. */
function filledWeight(parts: readonly TextPart[], child: ItemAt): number {
  let length = 0;
  for (const part of parts)
    length += typeof part === "string" ? part.length : String(valueAt(part, child) ?? "").length;
  return 1 + (length >> 6);
}

/** Of these children those that rules can tell apart, the first of each kind. */
export function distinctChildren({ gaps, items }: ArrayDefinition, indexes: Iterable<number>): readonly number[] {
  const landings = gaps.map(({ key, parts }) => ({ parts, free: freeAtKey(key) }));
  const found = new Map<string, number>();
  for (const index of indexes) {
    const kind = keyOf(landings, { index, item: items?.[index] });
    if (!found.has(kind)) found.set(kind, index);
  }
  return [...found.values()];
}

/** What rules can tell children apart by. */
function keyOf(landings: readonly Pick<Landing, "parts" | "free">[], child: ItemAt): string {
  return JSON.stringify(
    landings.map(({ parts, free }) => {
      const value = filledWith(parts, child);
      return free === undefined ? value : answersOf(String(value), free);
    }),
  );
}

/** @param definition of the first child */
function arrayDefinition(
  tree: TreeWithGaps,
  landings: readonly Landing[],
  { size, items }: ArrayItems,
  { name, apiVersion }: Definition,
  defaultApiVersion: string,
): ArrayDefinition {
  // Where text belongs, text comes of it; elsewhere the value stays as it is.
  const sample = filledTree(
    { ...tree, gaps: new Map(landings.map(({ node, parts }) => [node, sampleParts(parts)])) },
    { index: 0, item: { x: true } },
  );
  const body = readTop(sample.root, defaultApiVersion, new Findings())?.body ?? {};
  const partsByKey = new Map(landings.flatMap(({ spots, parts }) => spots.map(({ key }) => [key, parts])));
  const references = [...ownReferences(tree)].flatMap(([key, starts]) =>
    starts.map((start): readonly [string, number] => [key, start]),
  );
  return { name, apiVersion, size, items, ...bodyWithGaps(body, partsByKey), references };
}

/** The same with `true` in each gap that stands alone. */
function sampleParts(parts: readonly TextPart[]): readonly TextPart[] {
  const [only] = parts;
  return parts.length === 1 && typeof only === "object"
    ? [{ kind: "field", field: "x" }]
    : [parts.map(partText).join("")];
}
