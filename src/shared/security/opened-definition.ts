import type { Reason } from "../job/reasons.ts";
import { resolveVaultReferences, type Definition } from "../definition/index.ts";
import type { Settings } from "../config/settings.ts";
import type { Blobs } from "../store/blobs.ts";
import type { Sealer } from "./sealer.ts";
import type { Stored } from "../store/jobs.ts";
import { parseSealedDefinition } from "./sealed-definition.ts";
import type { SecretName, Vault } from "./secret-vault.ts";
import { vaultFault } from "./vault-references.ts";

/** Why a job's definition is no longer available. */
export interface Unopened {
  readonly kind: "fail";
  readonly reason: Reason;
  readonly detail: string;
}

export type Opened = { readonly kind: "open"; readonly definition: Definition } | Unopened;

export interface OpenDeps {
  readonly settings: Settings;
  readonly blobs: Blobs;
  readonly sealer: Sealer;
  readonly vault: Vault | undefined;
}

/**
 * A job's definition as it was submitted.
 *
 * @throws Unavailable when storage or the sealing key can't be reached now
 */
export async function openDefinition({ blobs, sealer }: OpenDeps, { sealed, job: { id } }: Stored): Promise<Opened> {
  const bytes = sealed.definition === "blob" ? await blobs.getSealed(id) : sealed.definition;
  if (bytes === undefined) return { kind: "fail", reason: "DefinitionGone", detail: "The sealed definition is gone." };
  const opened = await sealer.open(bytes, id);
  if (opened.kind === "unknown key") return { kind: "fail", reason: "SealKeyUnknown", detail: "" };
  const definition = opened.kind === "open" ? parseSealedDefinition(opened.text) : undefined;
  return definition === undefined
    ? { kind: "fail", reason: "DefinitionGone", detail: "The sealed definition is damaged." }
    : { kind: "open", definition };
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
