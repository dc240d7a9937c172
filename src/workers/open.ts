import { composeGroup } from "../shared/compose.ts";
import type { Reason } from "../shared/catalogue.ts";
import type { Deps } from "../shared/deps.ts";
import { secretValues } from "../shared/definition.ts";
import { Unavailable } from "../shared/errors.ts";
import type { Job } from "../shared/job.ts";
import type { JsonObject } from "../shared/json.ts";
import type { Stored } from "../shared/jobs.ts";
import { maskValues } from "../shared/redact.ts";
import { parseSealedDefinition } from "../shared/sealed-definition.ts";

/** What a create needs of the sealed definition. It is in clear only here, on its way to ACI. */
export type Opened =
  | {
      readonly kind: "ready";
      readonly apiVersion: string;
      readonly body: JsonObject;
      readonly redact: (text: string) => string;
    }
  | { readonly kind: "wait"; readonly reason: Reason; readonly retryAfter: number | undefined }
  | { readonly kind: "fail"; readonly reason: Reason; readonly detail: string };

export async function openForCreate(deps: Deps, { sealed, job: { id } }: Stored, job: Job): Promise<Opened> {
  const bytes = sealed.definition === "blob" ? await deps.blobs.getSealed(id) : sealed.definition;
  if (bytes === undefined || job.placed === undefined)
    return { kind: "fail", reason: "DefinitionGone", detail: "The sealed definition is gone." };
  try {
    const opened = await deps.sealer.open(bytes, id);
    if (opened.kind === "unknown key") return { kind: "fail", reason: "SealKeyUnknown", detail: "" };
    const definition = opened.kind === "open" ? parseSealedDefinition(opened.text) : undefined;
    if (definition === undefined)
      return { kind: "fail", reason: "DefinitionGone", detail: "The sealed definition is damaged." };
    const { installation } = await deps.aci();
    const body = composeGroup(definition, job, job.placed, installation.id);
    const secrets = secretValues(body);
    return { kind: "ready", apiVersion: definition.apiVersion, body, redact: (text) => maskValues(text, secrets) };
  } catch (error) {
    if (error instanceof Unavailable && error.service === "seal key") {
      return { kind: "wait", reason: "SealKeyUnavailable", retryAfter: error.retryAfter };
    }
    throw error;
  }
}
