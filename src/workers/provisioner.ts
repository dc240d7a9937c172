import type { InvocationContext, StorageQueueHandler } from "@azure/functions";
import { inspect } from "node:util";
import { accept } from "../shared/accept.ts";
import { check, type Order } from "../shared/order.ts";
import { minute } from "../shared/backoff.ts";
import { cancel } from "../shared/cancel.ts";
import { isReason } from "../shared/catalogue.ts";
import type { Deps } from "../shared/deps.ts";
import { deriveJobId, type JobId } from "../shared/ids.ts";
import { readJobMessage, type Submission } from "../shared/message.ts";
import { queueNames } from "../shared/queue.ts";
import { recordRefused } from "./refused.ts";
import { reconcile } from "./reconcile.ts";

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
      case "cancel": {
        await cancel(deps, message.id, undefined);
        return;
      }
      case "submit":
        return submit(deps, message.submission, identify(body, message.submission.id, context, deps), textOf(body));
      case "newer":
        // An envelope of a newer release: that release will read it, after the roll-out.
        return deps.queues.send(queueNames.jobs, textOf(body), 5 * minute);
      case "malformed": {
        const { id, at } = identify(body, message.id, context, deps);
        return recordRefused(deps, {
          id,
          createdAt: at,
          name: undefined,
          reason: "InvalidMessage",
          detail: message.why,
          foreign: message.id !== undefined,
        });
      }
    }
  };
}

async function submit(deps: Deps, submission: Submission, { id, at }: Identity, original: string): Promise<void> {
  const foreign = submission.id !== undefined;
  const text =
    "text" in submission.definition
      ? submission.definition.text
      : await deps.blobs.definition(submission.definition.blob);
  if (text === undefined) {
    const detail = "definitionBlob names no blob of at most 4 MB in the container aci-definitions.";
    return recordRefused(deps, { id, createdAt: at, name: undefined, reason: "InvalidMessage", detail, foreign });
  }
  const order: Order = {
    text,
    query: {},
    envelope: submission.options,
    via: "queue",
    id: { id, foreign },
    createdAt: at,
    idempotencyKey: submission.idempotencyKey,
    callBackUri: submission.callBackUri,
    replyTo: submission.replyTo,
    correlationId: submission.correlationId,
    traceparent: submission.traceparent,
    requestedBy: undefined,
    rerunOf: undefined,
  };
  if (deps.settings.faults.length > 0) return deps.queues.send(queueNames.jobs, original, minute);
  await deps.control.installation();
  const checked = check(order, deps.settings);
  const refused = checked.ok ? undefined : checked.error;
  if (!checked.ok && refused) {
    const reason = isReason(refused.code) ? refused.code : "InvalidDefinition";
    return recordRefused(deps, { id, createdAt: at, name: nameIn(text), reason, detail: refused.message, foreign });
  }
  if (!checked.ok || checked.value.options.dryRun) return;
  const accepted = await accept(deps, order, checked.value);
  if (accepted.ok) return reconcile(deps, accepted.value.job.id, { at: undefined });
  if (accepted.error.code === "TooManyJobs") return deps.queues.send(queueNames.jobs, original, minute);
  return recordRefused(deps, {
    id,
    createdAt: at,
    name: nameIn(text),
    reason: "NameTaken",
    detail: accepted.error.message,
    foreign,
  });
}

interface Identity {
  readonly id: JobId;
  readonly at: number;
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
  const told = typeof inserted === "string" || inserted instanceof Date ? new Date(inserted).getTime() : NaN;
  const at = Number.isNaN(told) ? now() : told;
  if (given !== undefined) return { id: given, at };
  const messageId = triggerMetadata?.["id"];
  const seed = typeof messageId === "string" && !overwritten("id") ? messageId : `${at} ${textOf(body)}`;
  return { id: deriveJobId(at, seed), at };
}

function textOf(body: unknown): string {
  if (typeof body === "string") return body;
  try {
    return JSON.stringify(body);
  } catch {
    return inspect(body, { depth: 50 }); // too deep to be read, but still to be told from others
  }
}

/** The name in a definition that can't be taken, if it can be told: so that the row is found by it. */
function nameIn(text: string): string | undefined {
  // No two spans of spaces that could share: the text is anybody's, and may be long.
  return /^[ \t]{0,40}"?name"?[ \t]{0,40}:[ \t]{0,40}["']?([a-z0-9-]{1,63})["']?[ \t]{0,40}(?:[,#].*)?\r?$/im.exec(
    text,
  )?.[1];
}
