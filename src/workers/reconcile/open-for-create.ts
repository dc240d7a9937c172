import { InstallationTag } from "../../shared/aci/installation-tag.ts";
import { composeGroup } from "../../shared/aci/group-body.ts";
import { wantsNothing } from "../../shared/job/array-step.ts";
import type { Reason, ReasonWord } from "../../shared/job/reasons.ts";
import type { Deps } from "../../shared/deps.ts";
import { secretValues } from "../../shared/definition/index.ts";
import { Unavailable } from "../../shared/base/errors.ts";
import type { Job } from "../../shared/job/job.ts";
import { resultUrl } from "../../shared/job/urls.ts";
import type { JsonObject } from "../../shared/base/json.ts";
import type { Stored } from "../../shared/store/jobs.ts";
import {
  openDefinition,
  withVaultSecrets,
  type OpenDeps,
  type Unopened,
} from "../../shared/security/opened-definition.ts";
import { mintResultLink } from "../../shared/security/link-token.ts";
import { hasResultUrl } from "./attempt-result.ts";
import { maskOf, withCredentials, type Mask } from "../../shared/base/redact.ts";

/** What a create needs of the sealed definition. It is in clear only here, on its way to ACI. */
export type Opened =
  | {
      readonly kind: "ready";
      readonly apiVersion: string;
      readonly body: JsonObject;
      readonly redact: Mask;
    }
  | { readonly kind: "wait"; readonly reason: Reason; readonly retryAfter: number | undefined }
  /** The array whose child it is has ended, is about to, or is gone. */
  | { readonly kind: "unwanted"; readonly reason: ReasonWord }
  | Unopened;

type CreateDeps = OpenDeps & Pick<Deps, "aci" | "now"> & { readonly links: Pick<Deps["links"], "current"> };

export async function openForCreate(deps: CreateDeps, stored: Stored, job: Job): Promise<Opened> {
  try {
    const unwanted = await unwantedBy(deps, job);
    if (unwanted !== undefined) return { kind: "unwanted", reason: unwanted };
    const opened = await openDefinition(deps, stored);
    if (opened.kind === "fail") return opened;
    if (job.placed === undefined) return { kind: "fail", reason: "InternalError", detail: "The job has no place." };
    const resolved = await withVaultSecrets(deps, opened.definition);
    if (resolved.kind === "fail") return resolved;
    const { installation } = await deps.aci();
    const { pullRegistry: registry, pullIdentity: identity } = deps.settings;
    const pull = registry !== undefined && identity !== undefined ? { registry, identity } : undefined;
    const url = hasResultUrl(job) ? await mintResultUrl(deps, job) : undefined;
    const tag = new InstallationTag(installation);
    const { children } = opened;
    const body = composeGroup(resolved.definition, job, job.placed, tag, { pull, resultUrl: url, children });
    const { apiVersion } = resolved.definition;
    return { kind: "ready", apiVersion, body, redact: withCredentials(maskOf(secretValues(body))) };
  } catch (error) {
    if (error instanceof Unavailable && error.service === "seal key")
      return { kind: "wait", reason: "SealKeyUnavailable", retryAfter: error.retryAfter };
    if (error instanceof Unavailable && error.service === "vault")
      return { kind: "wait", reason: "VaultUnavailable", retryAfter: error.retryAfter };
    throw error;
  }
}

/** Why the array whose child a job is wants it no more. It is read anew: an array that is ending may have made the child meanwhile. */
async function unwantedBy({ arrays, now }: CreateDeps, { child, deadlineAt }: Job): Promise<ReasonWord | undefined> {
  if (child === undefined) return undefined;
  const array = (await arrays.arrayOf(child))?.job;
  if (array !== undefined && !wantsNothing(array, now(), deadlineAt)) return undefined;
  return array?.cancel?.reason ?? "ArrayEnded";
}

/** Where this attempt may PUT its result. */
async function mintResultUrl({ settings, links }: CreateDeps, job: Job): Promise<string> {
  return resultUrl(settings, mintResultLink(await links.current(), job.id, job.attempt));
}
