import type { GovernedAci } from "./governed-client.ts";
import type { Read } from "./client.ts";
import type { DeleteAnswer } from "../job/arm-answers.ts";
import { itemText, maskedObject, secretValues, type ArrayChild } from "../definition/index.ts";
import { Unavailable } from "../base/errors.ts";
import type { JobId } from "../base/ids.ts";
import type { JsonObject } from "../base/json.ts";
import type { AzureError, GroupEvent, Job } from "../job/job.ts";
import type { ObservedGroup, Observation } from "../job/observation.ts";
import type { JobStore, Stored } from "../store/jobs.ts";
import { openDefinition, withVaultSecrets, type OpenDeps } from "../security/opened-definition.ts";
import { InSequence } from "../base/in-sequence.ts";
import { maskOf, maskOfLog, maskOfOutput, withCredentials, type Mask } from "../base/redact.ts";

/** One log of 4 MB at a time: masking it takes forty times its size. */
const masking = new InSequence();

/** What it takes to read a container's log and mask it. */
export interface ReadLogDeps extends OpenDeps {
  readonly aci: () => Promise<{ readonly aci: GovernedAci }>;
  readonly jobs: JobStore;
}

/**
 * Masking what comes from outside about a job before it is stored or shown: Azure's errors and events, and if asked to what the
 * containers write. Where the secrets can't be known (the definition is gone, its key can't be reached) nothing is let through.
 */
const withheld = "(withheld: it may hold secrets, and they can't be known now)";

/**
 * @param maskFor makes a mask of the definition's secrets
 * @returns `undefined` when these can't be known
 */
async function maskOfJob<M>(
  deps: OpenDeps,
  stored: Stored,
  maskFor: (secrets: readonly string[]) => M,
): Promise<M | undefined> {
  try {
    const opened = await openDefinition(deps, stored);
    const resolved = opened.kind === "open" ? await withVaultSecrets(deps, opened.definition) : opened;
    if (opened.kind !== "open" || resolved.kind !== "open") return undefined;
    return maskFor([...secretValues(resolved.definition.body), ...(opened.children ?? []).flatMap(secretItem)]);
  } catch (error) {
    if (error instanceof Unavailable && error.service !== "storage") return undefined;
    throw error;
  }
}

/** A child's item where its containers have it as a secret variable, which the definition does not show. */
function secretItem({ isSecret, item }: ArrayChild): readonly string[] {
  return isSecret && item !== undefined ? [itemText(item)] : [];
}

async function maskOfAzure(deps: OpenDeps, stored: Stored): Promise<Mask | undefined> {
  const mask = await maskOfJob(deps, stored, maskOf);
  return mask && withCredentials(mask);
}

/** An observation without the definition's secrets. What the row has already is masked, and costs nothing. */
export async function maskedObservation(deps: OpenDeps, stored: Stored, observed: Observation): Promise<Observation> {
  const { job } = stored;
  const known = new Set([...job.events.flatMap(textsOfEvent), job.azure?.message, ""]);
  const texts = observed.group === "present" ? textsOf(observed) : azureTexts(observed);
  if (texts.every((text) => known.has(text) || isWord(text))) return observed;
  const mask = (await maskOfAzure(deps, stored)) ?? ((text: string) => (known.has(text) ? text : withheld));
  switch (observed.group) {
    case "absent": {
      const { failure } = observed;
      return failure ? { ...observed, failure: { ...failure, azure: maskedError(failure.azure, mask) } } : observed;
    }
    case "unknown":
      return { ...observed, azure: observed.azure && maskedError(observed.azure, mask) };
    case "present":
      return {
        ...observed,
        events: observed.events.map((event) => ({
          ...event,
          name: maskedUnlessWord(event.name, mask),
          type: maskedUnlessWord(event.type, mask),
          message: mask(event.message),
        })),
        containers: observed.containers.map(({ detailStatus, ...container }) => ({
          ...container,
          detailStatus: detailStatus === undefined ? undefined : maskedUnlessWord(detailStatus, mask),
        })),
      };
  }
}

/** What Azure says in words of its own: its error, which may be no word where something else answered in its place. */
function maskedError(azure: AzureError, mask: Mask): AzureError {
  return { ...azure, code: maskedUnlessWord(azure.code, mask), message: mask(azure.message) };
}

function maskedUnlessWord(text: string, mask: Mask): string {
  return isWord(text) ? text : mask(text);
}

/** One word of letters, like `CrashLoopBackOff` or `InsufficientCapacity.`: ACI's own. Anything longer may quote a command or a variable. */
function isWord(text: string): boolean {
  return /^[A-Za-z]{0,60}\.?$/.test(text);
}

function textsOf({ events, containers }: ObservedGroup): string[] {
  return [...events.flatMap(textsOfEvent), ...containers.map(({ detailStatus }) => detailStatus ?? "")];
}

function textsOfEvent({ name, type, message }: GroupEvent): string[] {
  return [name, type, message];
}

/** The same for Azure's answer to a delete or stop. */
export async function maskedAnswer(deps: OpenDeps, stored: Stored, answer: DeleteAnswer): Promise<DeleteAnswer> {
  if (!("azure" in answer) || answer.azure === undefined || wordsOf(answer.azure).every(isWord)) return answer;
  const mask = (await maskOfAzure(deps, stored)) ?? (() => withheld);
  return { ...answer, azure: maskedError(answer.azure, mask) };
}

function azureTexts(observed: Observation): string[] {
  const azure = observed.group === "unknown" ? observed.azure : observed.group === "absent" && observed.failure?.azure;
  return azure ? wordsOf(azure) : [];
}

function wordsOf({ code, message }: AzureError): string[] {
  return [code, message];
}

/**
 * A container's log in ACI. With `MASK_OUTPUT` the definition's secrets are masked, and it is `unknown` while they can't be read.
 *
 * @param last whether the job's end waits for it
 * @param tail only this many lines from its end
 */
export async function readContainerLog(
  deps: ReadLogDeps,
  job: Job,
  container: string,
  last: boolean,
  tail?: number,
): Promise<Read<string>> {
  const unknown = { kind: "unknown", group: "unknown", retryAfter: undefined, azure: undefined } as const;
  if (job.placed === undefined) return { kind: "absent" };
  const { aci } = await deps.aci();
  const read = await aci.logs(job.placed, job.groupName, container, last, tail);
  if (!deps.settings.maskOutput || read.kind !== "value") return read;
  const stored = await deps.jobs.find(job.id);
  const mask = stored && (await maskOfJob(deps, stored, maskOfLog));
  if (mask === undefined) return { ...unknown, reason: "SealKeyUnavailable" };
  return { kind: "value", value: await masking.do(() => mask(read.value)) };
}

/**
 * The text of a result that a program sent, an object in JSON. With `MASK_OUTPUT` the definition's secrets are masked in it.
 *
 * @throws Unavailable while they can't be known
 */
export async function maskedResult(
  deps: OpenDeps & Pick<ReadLogDeps, "jobs">,
  id: JobId,
  text: string,
): Promise<string> {
  if (!deps.settings.maskOutput) return text;
  const stored = await deps.jobs.find(id);
  const mask = stored && (await maskOfJob(deps, stored, maskOfOutput));
  if (mask === undefined)
    throw new Unavailable("seal key", "A result can't be masked: its job's secrets can't be known now.");
  return JSON.stringify(maskedObject(JSON.parse(text) as JsonObject, mask)); // it was read as one
}
