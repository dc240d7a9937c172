import { createHmac } from "node:crypto";
import { z } from "zod";
import type { JobId } from "../base/ids.ts";
import { foldName, parseJson, setMember, type JsonObject } from "../base/json.ts";
import { readStoredArray, storedArray, viewOf, type ArrayDefinition, type Definition } from "../definition/index.ts";

/** What the caller of a template sent: an idempotency key that comes again is compared by it, not by what the template was then. */
export interface SentTemplate {
  readonly template: string;
  /** The version that the caller named, if any. */
  readonly version: number | undefined;
  readonly parameters: JsonObject;
  /** Names of those that are secret, in lower case. */
  readonly secret: ReadonlySet<string>;
  /** Whether the array, where it is one, is the caller's and not the template's own. */
  readonly array: boolean;
}

/** The same as it is kept: a secret parameter by a keyed hash. */
export type KeptTemplate = z.infer<typeof keptTemplate>;
const keptTemplate = z.object({
  template: z.string(),
  version: z.number().optional(),
  parameters: z.record(z.string(), z.json()),
  array: z.boolean().default(false),
});

/**
 * A definition as it lies sealed: what is needed to create its group, and nothing that can be computed again. Where a value of a
 * parameter looks like a vault reference, the body has another name, and the references that are some stand beside it: a release that
 * does not know of them must not resolve the others.
 */
export function sealedText(definition: Definition, sent: SentTemplate | undefined, id: JobId): string {
  const { name, apiVersion, body, view } = definition;
  const isPlain = viewOf(body).vaultReferences.length === view.vaultReferences.length;
  const references = view.vaultReferences.map(({ key, start }) => [key, start] as const);
  const kept = sent && keptOf(sent, id);
  return JSON.stringify({ name, apiVersion, ...(isPlain ? { body } : { inert: { body, references } }), sent: kept });
}

/**
 * The same of an array: its definition with the places of its items, and the items. It has neither a body nor references where another
 * definition has them, so that no release takes it for one that can be run.
 */
export function sealedArrayText(array: ArrayDefinition, sent: SentTemplate | undefined, id: JobId): string {
  const { name, apiVersion } = array;
  return JSON.stringify({ name, apiVersion, array: storedArray(array), sent: sent && keptOf(sent, id) });
}

/** @param id of the job under whose key the hashes are made */
export function keptOf({ template, version, parameters, secret, array }: SentTemplate, id: JobId): KeptTemplate {
  const kept: JsonObject = {};
  for (const [name, value] of Object.entries(parameters)) {
    const key = foldName(name);
    setMember(
      kept,
      key,
      secret.has(key) ? createHmac("sha256", id).update(JSON.stringify(value)).digest("hex") : value,
    );
  }
  return { template: foldName(template), ...(version === undefined ? {} : { version }), parameters: kept, array };
}

const references = z.array(z.tuple([z.string(), z.number()]));

/** `undefined` when the text is not a sealed definition: it was not written by us. */
export function parseSealedDefinition(text: string): Definition | undefined {
  const value = parseJson(text);
  if (!isObject(value)) return undefined;
  const { name, apiVersion, body, inert } = value;
  if (typeof name !== "string" || typeof apiVersion !== "string") return undefined;
  if (isObject(body)) return { name, apiVersion, body, view: viewOf(body) };
  if (!isObject(inert) || !isObject(inert["body"])) return undefined;
  const own = references.safeParse(inert["references"]).data;
  if (own === undefined) return undefined;
  return { name, apiVersion, body: inert["body"], view: viewOf(inert["body"], startsByKey(own)) };
}

/** Where the vault references of each text begin. */
export function startsByKey(
  references: readonly (readonly [key: string, start: number])[],
): ReadonlyMap<string, readonly number[]> {
  const starts = new Map<string, readonly number[]>();
  for (const [key, start] of references) starts.set(key, [...(starts.get(key) ?? []), start]);
  return starts;
}

/** `undefined` when the text is not the sealed definition of an array. */
export function parseSealedArray(text: string): ArrayDefinition | undefined {
  const value = parseJson(text);
  if (!isObject(value)) return undefined;
  const { name, apiVersion, array } = value;
  if (typeof name !== "string" || typeof apiVersion !== "string") return undefined;
  return readStoredArray({ name, apiVersion }, array);
}

/** What the caller of a sealed job's template sent; `undefined` for a job whose definition was sent in full. */
export function sentTemplateIn(text: string): KeptTemplate | undefined {
  const value = parseJson(text);
  return isObject(value) ? keptTemplate.safeParse(value["sent"]).data : undefined;
}

/** What `JSON.parse` returns is JSON; only its outermost kind has to be checked. */
function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
