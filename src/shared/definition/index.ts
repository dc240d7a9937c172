import { namingParameters, ownReferences } from "./template/origins.ts";
import type { Filled } from "./template/fill.ts";
import { ofOddSpace } from "./text/causes.ts";
import { readYaml } from "./text/read.ts";
import { Trail } from "./text/trail.ts";
import type { Limits } from "./text/tree-builder.ts";
import { Cursor } from "./cursor.ts";
import { judge } from "./rules/index.ts";
import { judgeName } from "./rules/group.ts";
import { readTop, type Top } from "./top.ts";
import type { OwnReferences } from "./secrets.ts";
import { viewOf, type DefinitionView } from "./view.ts";
import type { LocatedFault } from "../base/errors.ts";
import { isJsonObject, type JsonObject } from "../base/json.ts";

export { maskSecrets, resolveVaultReferences, secretValues, shownBody } from "./secrets.ts";
export type { LocatedReference } from "./secrets.ts";
export type { Filled } from "./template/fill.ts";
export { parametersByPath } from "./template/origins.ts";
export { parametersMember, parameterTypes } from "./template/parameters.ts";
export type { Parameter } from "./template/parameters.ts";
export { judgeSecrecy } from "./template/secrecy.ts";
export { fillTemplate, fillWithSamples, parseTemplate } from "./template/template.ts";
export type { Template } from "./template/template.ts";
export { viewOf } from "./view.ts";
export type { DefinitionView } from "./view.ts";

/** What is wrong or odd in a definition: lines and columns from 1, the path empty for the whole text. */
export type Fault = LocatedFault;

export interface DefinitionRules {
  /** What a definition without `apiVersion` is sent under. */
  readonly defaultApiVersion: string;
  /** Nested collections, aliases counted as if written out; default 64. */
  readonly maxDepth?: number;
  /** Nodes, aliases counted as if written out; default 100,000. */
  readonly maxNodes?: number;
}

export type Parsed = {
  readonly warnings: readonly Fault[];
  /** What of the text is ours can be read where the rest is faulty, too. */
  readonly block: OptionsBlock | undefined;
  readonly callBackUri: string | undefined;
} & (
  | {
      readonly ok: true;
      readonly definition: Definition;
      /** Where a path of the body stands in the text; its beginning for one that isn't there. */
      readonly place: (path: string) => { line: number; column: number };
    }
  | { readonly ok: false; readonly faults: readonly Fault[] }
);

/** The `x-aciproxy:` mapping, taken out of the definition. */
export interface OptionsBlock {
  readonly values: JsonObject;
  /** Where an option stands; the block itself for one that it doesn't have. */
  place(key: string): { line: number; column: number };
}

export interface Definition {
  readonly name: string;
  readonly apiVersion: string;
  /** What Azure Resource Manager gets by PUT: of the top level what it has there, `properties` as written. */
  readonly body: JsonObject;
  readonly view: DefinitionView;
}

/**
 * Reads an ACI container group, YAML 1.2 or JSON, and gives every fault at once, each with its place. Never throws, whatever the
 * text; never quotes it, because what stands there may be a secret.
 */
export function parseDefinition(text: string, rules: DefinitionRules): Parsed {
  const read = readYaml(text, limitsOf(rules));
  const { findings, places } = read;
  return read.ok
    ? judgeTree(read, rules)
    : {
        warnings: findings.warnings(places),
        block: undefined,
        callBackUri: undefined,
        ok: false,
        faults: findings.faults(places),
      };
}

/** The same for the run of a template: faults name the parameters that they come from. */
export function parseFilled(filled: Filled, rules: DefinitionRules): Parsed {
  const parsed = judgeTree(filled, rules, ownReferences(filled));
  const named = namingParameters(filled);
  const warnings = named(parsed.warnings);
  return parsed.ok ? { ...parsed, warnings } : { ...parsed, warnings, faults: named(parsed.faults) };
}

export function limitsOf({ maxDepth = 64, maxNodes = 100_000 }: DefinitionRules): Limits {
  return { maxDepth, maxNodes };
}

type Tree = Pick<Filled, "root" | "findings" | "places" | "source">;

function judgeTree(tree: Tree, rules: DefinitionRules, own?: OwnReferences): Parsed {
  const { findings, places } = tree;
  const oursOf = (top?: Top): Pick<Parsed, "warnings" | "block" | "callBackUri"> => ({
    warnings: findings.warnings(places),
    block: top?.block && { values: top.block.values, place: (key) => places.at(top.block?.offsetOf(key) ?? 0) },
    callBackUri: top?.callBackUri,
  });
  const refused = (top?: Top): Parsed => {
    const cause = ofOddSpace(tree.source, findings.faultOffsets(20));
    if (cause) findings.lead(Trail.top(cause.at), cause.message);
    return { ...oursOf(top), ok: false, faults: findings.faults(places) };
  };
  const top = readTop(tree.root, rules.defaultApiVersion, findings);
  if (!top) return refused();
  const root = Cursor.over(top.written, top.node);
  judgeName(root.get("name"), findings);
  if (isJsonObject(root.get("properties").value)) judge(root, findings);
  if (findings.failed) return refused(top);
  return {
    ...oursOf(top),
    ok: true,
    definition: { name: top.name, apiVersion: top.apiVersion, body: top.body, view: viewOf(top.body, own) },
    place: (path) => places.at(root.find(path)?.offset ?? 0),
  };
}
