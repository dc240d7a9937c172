import type { InvocationContext, StorageQueueHandler } from "@azure/functions";
import { inspect } from "node:util";
import { accept } from "../shared/intake/accept.ts";
import { check, type Order } from "../shared/intake/submission.ts";
import { minute } from "../shared/base/duration.ts";
import { clip, no, ok, Unreadable, type Refusal, type Result } from "../shared/base/errors.ts";
import { openBytes } from "../shared/base/written-text.ts";
import { cancelOrKeep } from "../shared/intake/cancel.ts";
import { isReason, type Reason } from "../shared/job/reasons.ts";
import type { Deps } from "../shared/deps.ts";
import { deriveJobId, type JobId } from "../shared/base/ids.ts";
import { nameIn, readJobMessage, type Submission } from "../shared/job/envelope.ts";
import type { Blobs } from "../shared/store/blobs.ts";
import { queueNames } from "../shared/store/queues.ts";
import { recordRefused } from "./record-refused.ts";
import { reconcile } from "./reconcile/reconcile.ts";

/**
 * The queue `aci-jobs`: jobs that HTTP accepted, and jobs that other services post. A message that can never work ends as a `Failed`
 * row; a failure of ours throws, so that the message comes again.
 */
export function provisioner(deps: Deps): StorageQueueHandler {
  return async (body, context) => {
    const message = readJobMessage(body);
    switch (message.kind) {
      case "run":
        return reconcile(deps, message.id, { at: undefined });
      case "cancel":
        return cancelReadable(deps, message.id);
      case "submit":
        return submit(deps, message.submission, identify(body, message.submission.id, context, deps), textOf(body));
      case "newer":
        // An envelope of a newer release: that release will read it, after the roll-out.
        return deps.queues.send(queueNames.jobs, textOf(body), 5 * minute);
      case "malformed": {
        const { id: given, name, ...tell } = message.of;
        const { id, at, messageId } = identify(body, given, context, deps);
        const foreign = given !== undefined;
        return recordRefused(deps, {
          id,
          messageId,
          createdAt: at,
          name,
          reason: "InvalidMessage",
          detail: message.why,
          foreign,
          tell,
        });
      }
    }
  };
}

/** A job that can't be read can't be canceled; its own row says so, and the message has done its work. */
async function cancelReadable(deps: Deps, id: JobId): Promise<void> {
  try {
    await cancelOrKeep(deps, id);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    deps.log("error", "job can't be read", { job: id, why: error.why });
  }
}

async function submit(deps: Deps, submission: Submission, identity: Identity, original: string): Promise<void> {
  const { id, at, messageId } = identity;
  const foreign = submission.id !== undefined;
  const refuse = (reason: Reason, detail: string, name?: string, warnings?: Refusal["warnings"]): Promise<void> =>
    recordRefused(deps, { id, messageId, createdAt: at, name, reason, detail, warnings, foreign, tell: submission });
  const read = await definitionText(deps.blobs, submission.definition);
  if (!read.ok) return refuse("InvalidMessage", read.error);
  const text = read.value;
  const order: Order = {
    text,
    query: {},
    envelope: submission.options,
    via: "queue",
    id: { id, foreign, ...(messageId === undefined ? {} : { messageId }) },
    createdAt: at,
    idempotencyKey: submission.idempotencyKey,
    callBackUri: submission.callBackUri,
    replyTo: submission.replyTo,
    correlationId: submission.correlationId,
    traceparent: submission.traceparent,
    requestedBy: undefined,
    rerunOf: undefined,
    unknown: submission.unknown,
  };
  if (deps.settings.faults.length > 0) return deps.queues.send(queueNames.jobs, original, minute);
  await deps.control.installation();
  const checked = check(order, deps.settings);
  if (!checked.ok) {
    const { code, message, warnings } = checked.error;
    return refuse(isReason(code) ? code : "InvalidDefinition", message, nameIn(text), warnings);
  }
  if (checked.value.options.dryRun)
    return refuse("InvalidOptions", "dryRun is for HTTP, where somebody reads the answer.", nameIn(text));
  const accepted = await accept(deps, order, checked.value).catch((error: unknown) => {
    if (error instanceof Unreadable) return error;
    throw error;
  });
  if (accepted instanceof Unreadable) {
    deps.log("error", "job can't be read", { job: accepted.id, why: accepted.why });
    // A message whose own row is there has done its work.
    return accepted.id === id ? undefined : refuse("NameActive", clip(accepted.message, 300), nameIn(text));
  }
  if (accepted.ok) return reconcile(deps, accepted.value.job.id, { at: undefined });
  if (accepted.error.code === "TooManyJobs") return deps.queues.send(queueNames.jobs, original, minute);
  const { code, message } = accepted.error;
  return refuse(isReason(code) ? code : "InternalError", message, nameIn(text));
}

async function definitionText(blobs: Blobs, from: Submission["definition"]): Promise<Result<string, string>> {
  if ("text" in from) return ok(from.text);
  const bytes = await blobs.definition(from.blob);
  if (bytes === undefined) return no("definitionBlob names no blob of at most 4 MB in the container aci-definitions.");
  const read = openBytes(bytes);
  return read.ok ? read : no(`The blob of definitionBlob can't be read: ${read.error.message}`);
}

interface Identity {
  readonly id: JobId;
  readonly at: number;
  /** The queue's own id of the message, where it can be told. */
  readonly messageId: string | undefined;
}

/**
 * The same id at every delivery. The message's own id would do, but the host lets properties of a JSON message overwrite what it
 * tells of the message; where that may have happened, the text and the second in which it came stand for it.
 */
function identify(
  body: unknown,
  given: JobId | undefined,
  { triggerMetadata }: InvocationContext,
  { now }: Deps,
): Identity {
  const overwritten = (name: string): boolean =>
    typeof body === "object" && body !== null && Object.keys(body).some((key) => key.toLowerCase() === name);
  const inserted = overwritten("insertiontime") ? undefined : triggerMetadata?.["insertionTime"];
  const came = typeof inserted === "string" || inserted instanceof Date ? new Date(inserted).getTime() : NaN;
  const at = Number.isNaN(came) ? now() : came;
  const told = overwritten("id") ? undefined : triggerMetadata?.["id"];
  const messageId = typeof told === "string" ? told : undefined;
  return { id: given ?? deriveJobId(at, messageId ?? `${at} ${textOf(body)}`), at, messageId };
}

function textOf(body: unknown): string {
  if (typeof body === "string") return body;
  try {
    return JSON.stringify(body);
  } catch {
    return inspect(body, { depth: 50 }); // too deep to be read, but still to be told from others
  }
}
