import { currentTrace } from "../shared/base/telemetry.ts";
import type { HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import { accept, logAccepted, type AcceptDeps, type Accepted } from "../shared/intake/accept.ts";
import { templateSource } from "../shared/intake/stored-templates.ts";
import { check, type Submission, type SubmittedSource } from "../shared/intake/submission.ts";
import { second } from "../shared/base/duration.ts";
import { counted } from "../shared/base/text.ts";
import type { Deps } from "../shared/deps.ts";
import { err, ok, type Refusal, type Result } from "../shared/base/errors.ts";
import { foldName, member, type JsonObject, type JsonValue } from "../shared/base/json.ts";
import { mintLink, type LinkKey } from "../shared/security/link-token.ts";
import {
  mustBeTemplateName,
  readJobMessage,
  readTemplateMessage,
  templateName,
  type Envelope,
  type JobMessage,
  type TemplateCall,
} from "../shared/job/envelope.ts";
import { optionsOfQuery, type JobOptions } from "../shared/job/options.ts";
import { stateWord } from "../shared/job/job.ts";
import { errorFields } from "../shared/base/log.ts";
import { readWritten } from "./lib/body.ts";
import { callerOf, ownTeamsOf, runsTemplatesOnly } from "./lib/auth.ts";
import { linkUrl, logsUrl, pollUrl, statusUrl } from "../shared/job/urls.ts";
import { faulty, handler, json, refuse, retryAfterHeader } from "./lib/reply.ts";
import type { Reply } from "./openapi/replies.ts";

/** `POST /api/trigger`: read, judge, write the row, enqueue, answer. It never calls ACI; its type of dependencies has no ACI client. */
type TriggerDeps = AcceptDeps & Pick<Deps, "log" | "queues" | "control" | "links" | "templates">;

export function trigger(deps: TriggerDeps) {
  return handler(deps.log, async (request, context) => {
    const { settings } = deps;
    if (settings.faults.length > 0) return refuse(invalidSettings(settings.faults), context);
    const max = settings.maxBodyBytes;
    const tooLarge = `The body is larger than ${max} bytes; bring a large definition by the queue's definitionBlob.`;
    const body = await readWritten(request, max, tooLarge);
    if (!body.ok) return refuse(body.error, context);
    const read = await submissionOf(deps, request, body.value, runsTemplatesOnly(context));
    if (!read.ok) return refuse(read.error, context);
    const submission: Submission = { ...read.value, requestedBy: callerOf(context), teams: ownTeamsOf(context) };
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

/**
 * The body is a definition, the queue's envelope with one in it, or what goes with the template that the query names.
 *
 * @param templatesOnly whether the caller may send no definition of its own
 */
async function submissionOf(
  { settings, templates }: TriggerDeps,
  request: HttpRequest,
  text: string,
  templatesOnly: boolean,
): Promise<Result<Submission>> {
  const key = request.headers.get("idempotency-key") ?? undefined;
  if (key !== undefined && !/^[\x20-\x7e]{1,256}$/.test(key)) {
    return err({ code: "InvalidRequest", message: "Idempotency-Key must be 1 to 256 printable ASCII characters." });
  }
  const asked = optionsOfQuery(request.query, settings);
  const template = member(asked, "template")?.value;
  const version = template === undefined ? undefined : member(asked, "version")?.value;
  const query = template === undefined ? asked : without(asked, ["template", "version"]);
  const run = request.headers.get("x-adf-run");
  if (run !== null && member(query, "source") === undefined) query["source"] = run;
  const named = template === undefined ? ok(undefined) : templateIn(template, version);
  if (!named.ok) return named;
  const message = named.value === undefined ? readJobMessage(text) : readTemplateMessage(text, named.value);
  const envelope = envelopeIn(message);
  if (!envelope.ok) return envelope;
  const { definition, id, options, unknown, ...rest } = envelope.value;
  const source = await sourceOf(definition, templates, templatesOnly);
  if (!source.ok) return source;
  return ok({
    ...rest,
    source: source.value,
    query,
    envelope: options,
    via: "http",
    id: id === undefined ? undefined : { id, foreign: true },
    createdAt: undefined,
    idempotencyKey: key ?? rest.idempotencyKey,
    traceparent: request.headers.get("traceparent") ?? rest.traceparent ?? currentTrace(),
    requestedBy: undefined,
    rerunOf: undefined,
    unknown,
  });
}

/** A query without what is no option. */
function without(query: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(query).filter(([name]) => !names.includes(foldName(name))));
}

/** The template that a query names. */
function templateIn(name: JsonValue, version: JsonValue | undefined): Result<Omit<TemplateCall, "parameters">> {
  for (const [parameter, value] of Object.entries({ template: name, version }))
    if (value === null) return err(faulty(parameter, "must be there once only"));
  if (typeof name !== "string" || !templateName.test(name)) return err(faulty("template", mustBeTemplateName));
  const number = typeof version === "string" && /^\d{1,10}$/.test(version) ? Number(version) : undefined;
  if (version !== undefined && (number === undefined || number < 1))
    return err(faulty("version", "must be a whole number, from 1"));
  return ok({ name, version: number });
}

async function sourceOf(
  definition: Envelope["definition"],
  templates: TriggerDeps["templates"],
  templatesOnly: boolean,
): Promise<Result<SubmittedSource>> {
  if ("template" in definition) return templateSource(templates, definition.template, templatesOnly);
  if (templatesOnly) {
    const message = "Forbidden: the role Job.Run may run templates only; a definition needs the role Job.Submit.";
    return err({ code: "Forbidden", message });
  }
  if ("text" in definition) return ok({ kind: "text", text: definition.text });
  return err({ code: "InvalidRequest", message: "definitionBlob is for the queue; POST the definition itself." });
}

function envelopeIn(message: JobMessage): Result<Envelope> {
  switch (message.kind) {
    case "submit":
      return ok(message.submission);
    case "malformed": {
      const { path = "", line, column } = message.at;
      const errors = [{ path, line, column, message: message.why }];
      return err({ code: "InvalidRequest", message: message.why, errors });
    }
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
