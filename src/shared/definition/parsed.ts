import type { LocatedFault } from "../base/errors.ts";
import type { JsonObject } from "../base/json.ts";
import type { ArrayDefinition } from "./array/gaps.ts";
import type { DefinitionView } from "./view.ts";

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
      /** Of an array all of it: the definition is that of its first child, with the size of the largest. */
      readonly array?: { readonly definition: ArrayDefinition; readonly objections: readonly Fault[] };
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
