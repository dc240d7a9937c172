import { Unavailable } from "../base/errors.ts";
import type { JobId } from "../base/ids.ts";
import type { Reason } from "../job/reasons.ts";
import {
  arrayChild,
  childDefinition,
  packDefinition,
  resolveVaultReferences,
  viewOf,
  type ArrayChild,
  type ArrayDefinition,
  type Definition,
  type Item,
} from "../definition/index.ts";
import type { Settings } from "../config/settings.ts";
import type { Blobs } from "../store/blobs.ts";
import type { Sealer } from "./sealer.ts";
import type { Job } from "../job/job.ts";
import type { Stored } from "../store/jobs.ts";
import type { SealedArrays } from "./sealed-arrays.ts";
import { parseSealedArray, parseSealedDefinition, startsByKey } from "./sealed-definition.ts";
import type { SecretName, Vault } from "./secret-vault.ts";
import { vaultFault } from "./vault-references.ts";

/** Why a job's definition is no longer available. */
export interface Unopened {
  readonly kind: "fail";
  readonly reason: Reason;
  readonly detail: string;
}

export type Opened =
  | {
      readonly kind: "open";
      readonly definition: Definition;
      /** Where it is an array's child: which; of a pack one for each of its containers. */
      readonly children?: readonly ArrayChild[];
    }
  | Unopened;

export interface OpenDeps {
  readonly settings: Settings;
  readonly blobs: Blobs;
  readonly sealer: Sealer;
  readonly vault: Vault | undefined;
  readonly arrays: SealedArrays;
}

/**
 * A job's definition as it was submitted; a child's is its array's with the item put in.
 *
 * @throws Unavailable when storage or the sealing key can't be reached now
 */
export async function openDefinition(deps: OpenDeps, stored: Stored): Promise<Opened> {
  const { child, array } = stored.job;
  if (array !== undefined) {
    const opened = await openArray(deps, stored);
    if (opened.kind === "fail") return opened;
    const { name, apiVersion, body, references } = opened.array;
    const view = viewOf(body, startsByKey(references));
    return { kind: "open", definition: { name, apiVersion, body, view } };
  }
  if (child !== undefined) return openChild(deps, child);
  const opened = await openText(deps, await sealedBytes(deps, stored), stored.job.id);
  if (opened.kind === "fail") return opened;
  const definition = parseSealedDefinition(opened.text);
  if (definition === undefined) throw newer();
  return { kind: "open", definition };
}

/**
 * What the definitions of an array's children follow from.
 *
 * @throws Unavailable when storage or the sealing key can't be reached now
 */
export async function openArray(
  deps: OpenDeps,
  stored: Stored,
): Promise<{ readonly kind: "open"; readonly array: ArrayDefinition } | Unopened> {
  const opened = await openText(deps, await sealedBytes(deps, stored), stored.job.id);
  if (opened.kind === "fail") return opened;
  const array = parseSealedArray(opened.text);
  if (array === undefined) throw newer();
  return { kind: "open", array };
}

async function openChild(deps: OpenDeps, { array: id, ...of }: NonNullable<Job["child"]>): Promise<Opened> {
  const opened = await openText(deps, await deps.arrays.bytesFor({ ...of, array: id }), id);
  if (opened.kind === "fail") return opened;
  const array = parseSealedArray(opened.text);
  if (array === undefined) throw newer();
  const { index, items } = of;
  const definition = items === undefined ? childDefinition(array, index) : packDefinition(array, items);
  return { kind: "open", definition, children: (items ?? [index]).map((each) => arrayChild(array, each)) };
}

/**
 * The items of an array as replies show them: nothing where they are secret, or where the definition is gone or its key is away.
 *
 * @throws Unavailable when storage can't be reached now
 */
export async function shownItems(
  deps: OpenDeps,
  { id, createdAt }: Pick<Job, "id" | "createdAt">,
): Promise<readonly Item[]> {
  try {
    const opened = await openText(deps, await deps.arrays.bytesFor({ array: id, arrayAt: createdAt }), id);
    const array = opened.kind === "open" ? parseSealedArray(opened.text) : undefined;
    return array?.items === undefined || arrayChild(array, 0).isSecret ? [] : array.items;
  } catch (error) {
    if (error instanceof Unavailable && error.service === "seal key") return [];
    throw error;
  }
}

async function sealedBytes(
  { blobs }: OpenDeps,
  { sealed: { definition }, job: { id } }: Stored,
): Promise<Uint8Array | undefined> {
  return definition === "blob" ? blobs.getSealed(id) : definition;
}

/** What opens was sealed by this service: one that can't be read then is a newer release's, and its job waits for that. */
const newer = (): Unavailable => new Unavailable("seal key", "A newer release sealed the definition.");

const damaged: Unopened = { kind: "fail", reason: "DefinitionGone", detail: "The sealed definition is damaged." };

async function openText(
  { sealer }: OpenDeps,
  bytes: Uint8Array | undefined,
  id: JobId,
): Promise<{ readonly kind: "open"; readonly text: string } | Unopened> {
  if (bytes === undefined) return { kind: "fail", reason: "DefinitionGone", detail: "The sealed definition is gone." };
  const opened = await sealer.open(bytes, id);
  if (opened.kind === "unknown key") return { kind: "fail", reason: "SealKeyUnknown", detail: "" };
  return opened.kind === "open" ? opened : damaged;
}

/**
 * References to the vault replaced by what they name. The rules of their acceptance are asked again: settings may have changed since.
 *
 * @throws Unavailable when the vault can't be reached now
 */
export async function withVaultSecrets({ settings, vault }: OpenDeps, definition: Definition): Promise<Opened> {
  const references = definition.view.vaultReferences;
  if (references.length === 0) return { kind: "open", definition };
  const values = new Map<string, string>();
  const faults = await Promise.all(
    references.map(async (reference) => {
      const fault = vaultFault(reference, settings);
      if (fault !== undefined || vault === undefined) return `${reference.path}: ${fault ?? "there is no vault."}`;
      const read = await vault.secret(reference);
      if (read.kind === "refused") return `${reference.path}: ${read.why}.`;
      values.set(keyOf(reference), read.value);
      return undefined;
    }),
  );
  const fault = faults.find((each) => each !== undefined);
  if (fault !== undefined) return { kind: "fail", reason: "VaultRefused", detail: fault };
  const body = resolveVaultReferences(definition.body, references, (reference) => values.get(keyOf(reference)) ?? "");
  return { kind: "open", definition: { ...definition, body } };
}

function keyOf({ name, version }: SecretName): string {
  return `${name}/${version ?? ""}`;
}
