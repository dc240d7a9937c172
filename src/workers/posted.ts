import { currentTrace } from "../shared/base/telemetry.ts";
import { accept, logAccepted } from "../shared/intake/accept.ts";
import { templateSource } from "../shared/intake/stored-templates.ts";
import { check, type Submission, type SubmittedSource } from "../shared/intake/submission.ts";
import { minute } from "../shared/base/duration.ts";
import { cancelOrKeep } from "../shared/intake/cancel.ts";
import { isOpenToMessages, teamOfRefused } from "../shared/intake/team.ts";
import { isDefinitionAwaited } from "../shared/job/job.ts";
import { isReason, type Reason } from "../shared/job/reasons.ts";
import type { Deps } from "../shared/deps.ts";
import type { JobId } from "../shared/base/ids.ts";
import { clip, err, ok, Unreadable, type Refusal, type Result } from "../shared/base/errors.ts";
import { ifReadable } from "../shared/base/if-readable.ts";
import { openBytes } from "../shared/base/written-text.ts";
import { nameIn, readJobMessage, type Envelope } from "../shared/job/envelope.ts";
import { recordRefused } from "./record-refused.ts";
import { reconcile } from "./reconcile/reconcile.ts";

/** A message on `aci-jobs`, and what it had when it first came. */
export interface Posted {
  readonly body: unknown;
  readonly id: JobId;
  readonly at: number;
  readonly messageId: string | undefined;
}

export type Outcome =
  | { readonly kind: "done" }
  /** It has to wait, and to be sent again. */
  | {
      readonly kind: "later";
      readonly why: string;
      readonly keyIsAway: boolean;
      readonly delay?: number;
      /** What is sent in its place, where it is not to be read twice from where it named it. */
      readonly text?: string;
    }
  /** Nothing that this release does can help. */
  | { readonly kind: "never"; readonly why: string };

/**
 * Does what a message asks for. One that can never work ends as a `Failed` row that says why.
 *
 * @throws Unavailable for our own failure
 */
export async function work(deps: Deps, posted: Posted): Promise<Outcome | { readonly kind: "newer" }> {
  const message = readJobMessage(posted.body);
  switch (message.kind) {
    case "run":
      await reconcile(deps, message.id, { at: undefined });
      return done;
    case "cancel":
      await cancelReadable(deps, message.id);
      return done;
    case "submit":
      return submit(deps, message.submission, posted);
    case "newer":
      return message;
    case "malformed": {
      const { id: given, name, ...recipients } = message.of;
      await recordRefused(deps, {
        id: given ?? posted.id,
        messageId: posted.messageId,
        createdAt: posted.at,
        name,
        reason: "InvalidMessage",
        detail: message.why,
        foreign: given !== undefined,
        recipients,
      });
      return done;
    }
  }
}

const done: Outcome = { kind: "done" };

/** A job that can't be read can't be canceled; its own row says so, and the message has done its work. */
async function cancelReadable(deps: Deps, id: JobId): Promise<void> {
  try {
    await cancelOrKeep(deps, id, (job) => isOpenToMessages(job, deps.settings));
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    deps.log("error", "job can't be read", { job: id, why: error.why });
  }
}

async function submit(deps: Deps, envelope: Envelope, { id: derived, at, messageId }: Posted): Promise<Outcome> {
  const foreign = envelope.id !== undefined;
  const id = envelope.id ?? derived;
  const refuse = async (
    reason: Reason,
    detail: string,
    name?: string,
    warnings?: Refusal["warnings"],
  ): Promise<Outcome> => {
    const recipients = envelope;
    const team = teamOfRefused(envelope.options, deps.settings);
    await recordRefused(deps, {
      id,
      messageId,
      createdAt: at,
      name,
      team,
      reason,
      detail,
      warnings,
      foreign,
      recipients,
    });
    return done;
  };
  if (deps.settings.faults.length > 0) return { kind: "later", why: "InvalidSettings", keyIsAway: true, delay: minute };
  const read = await sourceOf(deps, envelope.definition);
  if (!read.ok) return refuse(read.error.reason, read.error.detail);
  const source = read.value;
  const written = source.kind === "text" ? nameIn(source.text) : undefined;
  const submission: Submission = {
    source,
    query: {},
    envelope: envelope.options,
    via: "queue",
    id: { id, foreign, ...(messageId === undefined ? {} : { messageId }) },
    createdAt: at,
    idempotencyKey: envelope.idempotencyKey,
    callBackUri: envelope.callBackUri,
    replyTo: envelope.replyTo,
    correlationId: envelope.correlationId,
    traceparent: envelope.traceparent ?? currentTrace(),
    requestedBy: undefined,
    rerunOf: undefined,
    unknown: envelope.unknown,
  };
  await deps.control.installation();
  const checked = check(submission, deps.settings);
  if (!checked.ok) {
    const { code, message, warnings } = checked.error;
    return refuse(isReason(code) ? code : "InvalidDefinition", message, written, warnings);
  }
  if (checked.value.options.dryRun)
    return refuse("InvalidOptions", "dryRun is for HTTP, where somebody reads the answer.", written);
  const accepted = await ifReadable(deps, () => accept(deps, submission, checked.value));
  if (accepted instanceof Unreadable) {
    // A message whose own row is there has done its work.
    return accepted.id === id ? done : refuse("NameActive", clip(accepted.message, 300), written);
  }
  if (!accepted.ok) {
    const { code, message } = accepted.error;
    return refuse(isReason(code) ? code : "InternalError", message, written);
  }
  const { job } = accepted.value;
  logAccepted(deps.log, accepted.value);
  await reconcile(deps, job.id, { at: undefined });
  if (!isDefinitionAwaited(job) || job.id !== id) return done;
  return { kind: "later", why: "SealKeyUnavailable", keyIsAway: true, ...withText(envelope, source) };
}

interface NoSource {
  readonly reason: Reason;
  readonly detail: string;
}

async function sourceOf(
  { blobs, now, templates }: Pick<Deps, "blobs" | "now" | "templates">,
  from: Envelope["definition"],
): Promise<Result<SubmittedSource, NoSource>> {
  if ("text" in from) return ok({ kind: "text", text: from.text });
  if ("template" in from) {
    const found = await templateSource(templates, from.template, false);
    return found.ok ? found : err({ reason: "TemplateNotFound", detail: found.error.message });
  }
  const unread = (detail: string) => err({ reason: "InvalidMessage", detail } as const);
  const bytes = await blobs.definition(from.blob, now());
  if (bytes === undefined)
    return unread("definitionBlob names no blob of at most 4 MB in the container aci-definitions.");
  if (bytes === "archived")
    return unread(
      "The blob of definitionBlob is in the archive tier: bring it to the hot or cool tier, then post again.",
    );
  const read = openBytes(bytes);
  if (!read.ok) return unread(`The blob of definitionBlob can't be read: ${read.error.message}`);
  return ok({ kind: "text", text: read.value });
}

/** A definition that lay in a poster's blob travels in the message from now on: a blob is read once. */
function withText(envelope: Envelope, source: SubmittedSource): { text?: string } {
  if (!("blob" in envelope.definition) || source.kind !== "text") return {};
  const { unknown: _reported, replyTo, ...members } = envelope;
  const replying = replyTo === undefined ? {} : { replyTo: { queue: replyTo } };
  return { text: JSON.stringify({ version: 1, ...members, ...replying, definition: source.text }) };
}
