import { namingParameters, ownReferences } from "./template/origins.ts";
import type { Filled } from "./template/fill.ts";
import { ofOddSpace } from "./text/causes.ts";
import { readYaml } from "./text/read.ts";
import { Trail } from "./text/trail.ts";
import type { Limits } from "./text/tree-builder.ts";
import { Cursor } from "./cursor.ts";
import { judge } from "./rules/index.ts";
import { judgeName } from "./rules/group.ts";
import { arrayOptionIn, readOurs, readTop, type Top } from "./top.ts";
import type { OwnReferences } from "./secrets.ts";
import { viewOf } from "./view.ts";
import type { DefinitionRules, Parsed } from "./parsed.ts";
import { isJsonObject, type JsonValue } from "../base/json.ts";
import { judgeArray, type ArrayJudges } from "./array/judge.ts";
import type { ArrayItems } from "./array/items.ts";
import { treeWithGaps, type TreeWithGaps } from "./array/tree.ts";

export { arrayChild, childDefinition, readStoredArray, storedArray } from "./array/array-definition.ts";
export { groupMax, tooSmall } from "./rules/resources.ts";
export { filledWith } from "./array/gaps.ts";
export { isFirstContainersName, isInFirstContainer, packDefinition, packedName } from "./array/pack-definition.ts";
export type { ArrayChild } from "./array/array-definition.ts";
export { distinctChildren } from "./array/judge.ts";
export type { ArrayDefinition } from "./array/gaps.ts";
export { itemText, longestItem, maxArraySize, readItems } from "./array/items.ts";
export type { Item } from "./array/items.ts";
export { nameInPath } from "./text/trail.ts";
export { maskedObject, maskSecrets, resolveVaultReferences, secretValues, shownBody } from "./secrets.ts";
export type { LocatedReference } from "./secrets.ts";
export type { Filled } from "./template/fill.ts";
export { parametersByPath, pathsWithGaps } from "./template/origins.ts";
export { parametersMember, parameterTypes } from "./template/parameters.ts";
export type { Parameter } from "./template/parameters.ts";
export { judgeSecrecy } from "./template/secrecy.ts";
export { fillTemplate, fillWithSamples, parseTemplate } from "./template/template.ts";
export type { Template } from "./template/template.ts";
export { viewOf } from "./view.ts";
export type { DefinitionView } from "./view.ts";
export type { Definition, DefinitionRules, Fault, OptionsBlock, Parsed } from "./parsed.ts";

/** Whether a job is an array, and of what; and what is asked about each of its children besides. */
export interface ArrayRules {
  /**
   * @param inBlock the option `array` of the definition itself
   * @returns `faulty` for one that nothing can be judged with
   */
  readonly arrayOf: (inBlock: JsonValue | undefined) => ArrayItems | "faulty" | undefined;
  readonly objections: ArrayJudges["objections"];
}

const noArray: ArrayRules = { arrayOf: () => undefined, objections: () => [] };

/**
 * Reads an ACI container group, YAML 1.2 or JSON, and gives every fault at once, each with its place. Never throws, whatever the
 * text; never quotes it, because what stands there may be a secret.
 */
export function parseDefinition(text: string, rules: DefinitionRules, array = noArray): Parsed {
  const read = readYaml(text, limitsOf(rules));
  const { findings, places } = read;
  return read.ok
    ? (judgeIfArray(read, () => treeWithGaps(read), rules, array) ?? judgeTree(read, rules))
    : {
        warnings: findings.warnings(places),
        block: undefined,
        callBackUri: undefined,
        ok: false,
        faults: findings.faults(places),
      };
}

/** The same for the run of a template: faults name the parameters that they come from. */
export function parseFilled(filled: Filled, rules: DefinitionRules, array = noArray): Parsed {
  const named = namingParameters(filled);
  const withNames = (parsed: Parsed): Parsed => {
    const warnings = named(parsed.warnings);
    return parsed.ok ? { ...parsed, warnings } : { ...parsed, warnings, faults: named(parsed.faults) };
  };
  return (
    judgeIfArray(filled, () => filled, rules, array, withNames) ??
    withNames(judgeTree(filled, rules, ownReferences(filled)))
  );
}

/** @returns `undefined` for what is no array */
function judgeIfArray(
  tree: Tree,
  placed: () => TreeWithGaps,
  rules: DefinitionRules,
  { arrayOf, objections }: ArrayRules,
  withNames = (parsed: Parsed) => parsed,
): Parsed | undefined {
  const { defaultApiVersion } = rules;
  const given = arrayOf(arrayOptionIn(tree.root));
  if (given === undefined) return undefined;
  if (given === "faulty") {
    const { findings, places } = tree;
    const { block, callBackUri } = readOurs(tree.root, defaultApiVersion, findings);
    return { ...oursOf({ block, callBackUri }, tree), ok: false, faults: findings.faults(places) };
  }
  return judgeArray(placed(), given, {
    judgeTree: (child, own) => withNames(judgeTree(child, rules, own)),
    defaultApiVersion,
    maxNodes: limitsOf(rules).maxNodes,
    objections,
  });
}

export function limitsOf({ maxDepth = 64, maxNodes = 100_000 }: DefinitionRules): Limits {
  return { maxDepth, maxNodes };
}

type Tree = Pick<Filled, "root" | "findings" | "places" | "source">;

function oursOf(
  top: Pick<Top, "block" | "callBackUri"> | undefined,
  { findings, places }: Tree,
): Pick<Parsed, "warnings" | "block" | "callBackUri"> {
  return {
    warnings: findings.warnings(places),
    block: top?.block && { values: top.block.values, place: (key) => places.at(top.block?.offsetOf(key) ?? 0) },
    callBackUri: top?.callBackUri,
  };
}

function judgeTree(tree: Tree, rules: DefinitionRules, own?: OwnReferences): Parsed {
  const { findings, places } = tree;
  const refused = (top?: Top): Parsed => {
    const cause = ofOddSpace(tree.source, findings.faultOffsets(20));
    if (cause) findings.lead(Trail.top(cause.at), cause.message);
    return { ...oursOf(top, tree), ok: false, faults: findings.faults(places) };
  };
  const top = readTop(tree.root, rules.defaultApiVersion, findings);
  if (!top) return refused();
  const root = Cursor.over(top.written, top.node);
  judgeName(root.get("name"), findings);
  if (isJsonObject(root.get("properties").value)) judge(root, findings);
  if (findings.failed) return refused(top);
  return {
    ...oursOf(top, tree),
    ok: true,
    definition: { name: top.name, apiVersion: top.apiVersion, body: top.body, view: viewOf(top.body, own) },
    place: (path) => places.at(root.find(path)?.offset ?? 0),
  };
}
