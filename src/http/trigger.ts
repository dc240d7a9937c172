import { currentTrace } from "../shared/base/telemetry.ts";
import type { HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import { accept, logAccepted, type AcceptDeps, type Accepted } from "../shared/intake/accept.ts";
import { check, type Submission } from "../shared/intake/submission.ts";
import { second } from "../shared/base/duration.ts";
import { counted } from "../shared/base/text.ts";
import type { Deps } from "../shared/deps.ts";
import { err, ok, type Refusal, type Result } from "../shared/base/errors.ts";
import { mintLink, type LinkKey } from "../shared/security/link-token.ts";
import { readJobMessage } from "../shared/job/envelope.ts";
import { optionsOfQuery, type JobOptions } from "../shared/job/options.ts";
import { stateWord } from "../shared/job/job.ts";
import { errorFields } from "../shared/base/log.ts";
import { readText, tooSlow } from "./lib/body.ts";
import { callerOf } from "./lib/auth.ts";
import { linkUrl, logsUrl, pollUrl, statusUrl } from "../shared/job/urls.ts";
import { handler, json, refuse, retryAfterHeader } from "./lib/reply.ts";
import type { Reply } from "./openapi/replies.ts";

/** `POST /api/trigger`: read, judge, write the row, enqueue, answer. It never calls ACI; its type of dependencies has no ACI client. */
type TriggerDeps = AcceptDeps & Pick<Deps, "log" | "queues" | "control" | "links">;

export function trigger(deps: TriggerDeps) {
  return handler(deps.log, async (request, context) => {
    const { settings } = deps;
    if (settings.faults.length > 0) return refuse(invalidSettings(settings.faults), context);
    const body = await readBody(request, settings.maxBodyBytes);
    if (!body.ok) return refuse(body.error, context);
    const read = submissionOf(request, body.value, settings);
    if (!read.ok) return refuse(read.error, context);
    const submission: Submission = { ...read.value, requestedBy: callerOf(context) };
    const checked = check(submission, settings);
    if (!checked.ok) return refuse(checked.error, context);
    const { options, warnings, definition } = checked.value;
    if (options.dryRun) {
      const message = `Container Group ${definition.name} can be run${warnings.length > 0 ? `, with ${counted(warnings.length, "warning", "warnings")}` : ""}`;
      const reply: Reply<"Checked"> = { message, name: definition.name, dryRun: true, warnings: [...warnings] };
      return json(200, reply);
    }
    const { refusal } = await deps.control.installation();
    if (refusal !== undefined) return refuse(invalidSettings([refusal]), context);
    // Had before the job is: one that was accepted must not be answered by a 503 for want of a link.
    const linkKey = options.polling === "link" ? await deps.links.current() : undefined;
    const accepted = await accept(deps, submission, checked.value);
    if (!accepted.ok) return refuse(accepted.error, context);
    if (!accepted.value.attached) await send(deps, accepted.value, context);
    logAccepted(deps.log, accepted.value);
    return acceptedReply(accepted.value, options, settings, linkKey);
  });
}

/** From the row on the job is accepted: a message that can't be sent is the timer's business, not the caller's. */
async function send({ queues, log }: TriggerDeps, { job }: Accepted, context: InvocationContext): Promise<void> {
  try {
    await queues.run(job.id);
  } catch (error) {
    log("warn", "job accepted without a message", {
      job: job.id,
      requestId: context.invocationId,
      ...errorFields(error),
    });
  }
}

export function acceptedReply(
  { job, attached }: Accepted,
  { polling }: JobOptions,
  settings: Deps["settings"],
  linkKey?: LinkKey,
): HttpResponseInit {
  const body: Reply<"Accepted"> = {
    message: attached ? `Container Group ${job.name} is job ${job.id} already` : `Container Group ${job.name} accepted`,
    name: job.name,
    state: stateWord(job.phase),
    id: job.id,
    statusUrl: statusUrl(settings, job.id),
    logsUrl: logsUrl(settings, job.id),
    ...(attached ? { attached } : {}),
    ...(job.rerunOf === undefined ? {} : { rerunOf: job.rerunOf }),
    ...(job.warnings.length > 0 ? { warnings: job.warnings } : {}),
  };
  const headers = {
    location:
      linkKey === undefined
        ? pollUrl(settings, job.id, polling === "started" ? "started" : "ended")
        : linkUrl(settings, mintLink(linkKey, job.id)),
    ...retryAfterHeader(settings.observationFloor),
  };
  return json(polling === "false" ? 200 : 202, body, headers);
}

async function readBody(request: HttpRequest, max: number): Promise<Result<string>> {
  const read = await readText(request, max);
  if (read.ok) return read;
  if (read.error === "too slow") return err(tooSlow);
  if (read.error === "too large") {
    const message = `The body is larger than ${max} bytes; bring a large definition by the queue's definitionBlob.`;
    return err({ code: "BodyTooLarge", message });
  }
  return err({ code: "InvalidDefinition", message: read.error.message, errors: [{ path: "", ...read.error }] });
}

/** The body is a definition, or the queue's envelope with one in it. */
function submissionOf(request: HttpRequest, text: string, settings: Deps["settings"]): Result<Submission> {
  const key = request.headers.get("idempotency-key") ?? undefined;
  if (key !== undefined && !/^[\x20-\x7e]{1,256}$/.test(key)) {
    return err({ code: "InvalidRequest", message: "Idempotency-Key must be 1 to 256 printable ASCII characters." });
  }
  const query = optionsOfQuery(request.query, settings);
  const run = request.headers.get("x-adf-run");
  if (run !== null && !("source" in query)) query["source"] = run;
  const common = {
    query,
    via: "http" as const,
    createdAt: undefined,
    requestedBy: undefined,
    rerunOf: undefined,
  };
  const traceparent = request.headers.get("traceparent") ?? undefined;
  const message = readJobMessage(text);
  switch (message.kind) {
    case "submit": {
      const { submission } = message;
      if ("blob" in submission.definition)
        return err({ code: "InvalidRequest", message: "definitionBlob is for the queue; POST the definition itself." });
      const { id, options, idempotencyKey, callBackUri, replyTo, correlationId } = submission;
      return ok({
        ...common,
        text: submission.definition.text,
        envelope: options,
        id: id === undefined ? undefined : { id, foreign: true },
        idempotencyKey: key ?? idempotencyKey,
        callBackUri,
        replyTo,
        correlationId,
        traceparent: traceparent ?? submission.traceparent ?? currentTrace(),
        unknown: submission.unknown,
      });
    }
    case "malformed":
      return err({
        code: "InvalidRequest",
        message: message.why,
        errors: [{ path: "", ...message.at, message: message.why }],
      });
    case "newer":
      return err({
        code: "InvalidRequest",
        message: "This envelope's version is newer than this service; version 1 is known.",
      });
    case "run":
    case "cancel":
      return err({
        code: "InvalidRequest",
        message: "This envelope's op is for the queue; use DELETE /api/delete/ID to cancel.",
      });
  }
}

export function invalidSettings(faults: readonly string[]): Refusal {
  return {
    code: "InvalidSettings",
    message: `The service is misconfigured and is not accepting jobs: ${faults.join(" ")}`,
    retryAfter: 60 * second,
    more: { faults },
  };
}
