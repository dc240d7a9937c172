import { z } from "zod";
import { accept, type AcceptDeps } from "../../shared/intake/accept.ts";
import type { Submission } from "../../shared/intake/submission.ts";
import { defined } from "../../shared/base/defined.ts";
import { second } from "../../shared/base/duration.ts";
import { Unavailable } from "../../shared/base/errors.ts";
import { inParallel } from "../../shared/base/in-parallel.ts";
import { errorFields } from "../../shared/base/log.ts";
import { cancelSelected } from "../../shared/intake/cancel-selected.ts";
import type { Deps } from "../../shared/deps.ts";
import { counted } from "../../shared/base/text.ts";
import { parseJobId, type JobId } from "../../shared/base/ids.ts";
import { notPermitted } from "../../shared/intake/permitted.ts";
import { parseSealedDefinition } from "../../shared/security/sealed-definition.ts";
import { logFieldsOf } from "../../shared/job/log-fields.ts";
import { audit } from "../lib/audit.ts";
import { callerOf } from "../lib/auth.ts";
import { mustBeStates, readStates } from "../jobs/filter.ts";
import { flag, readJson, text } from "../lib/json-body.ts";
import { polling, readQuery } from "../lib/query.ts";
import { handler, json, refuse } from "../lib/reply.ts";
import type { Reply } from "../openapi/replies.ts";
import { acceptedReply, invalidSettings } from "../trigger.ts";

/** A caller waits no longer. */
const maxCall = 20 * second;
/** How many jobs are woken at once. */
const width = 8;

export const pauseBody = z.object({ reason: text(300) });

/** What operators do: pause and resume, run a job again, cancel many. */
export function pause({ log, control, now }: Pick<Deps, "log" | "control" | "now">) {
  return handler(log, async (request, context) => {
    const body = await readJson(request, pauseBody);
    if (!body.ok) return refuse(body.error, context);
    await control.installation();
    await control.pause(body.value.reason, now());
    const { reason } = body.value;
    audit(log, context, "pause", { reason });
    const reply: Reply<"Paused"> = { message: "Paused: jobs are accepted and wait.", paused: true, reason };
    return json(200, reply);
  });
}

export function resume({ log, control, jobs, queues, now }: Pick<Deps, "log" | "control" | "jobs" | "queues" | "now">) {
  return handler(log, async (_request, context) => {
    const until = now() + maxCall;
    await control.resume();
    let woken = 0;
    const wake = async ({ id, reason }: { readonly id: JobId; readonly reason: string }): Promise<void> => {
      if (reason !== "Paused") return;
      await queues.requeue(id, undefined, 0);
      woken++;
    };
    const failed = (_job: unknown, error: unknown): void => log("warn", "job not woken", errorFields(error));
    // The others look for themselves, or the sweep wakes them, within five minutes.
    const reached = await inParallel(jobs.index.active(), wake, { width, until, now, failed });
    const more = reached !== "all";
    audit(log, context, "resume", { woken, more });
    const message = `Resumed; ${counted(woken, "waiting job was", "waiting jobs were")} woken${more ? " so far; the others follow" : ""}.`;
    const reply: Reply<"Resumed"> = { message, paused: false, woken, ...(more ? { more } : {}) };
    return json(more ? 202 : 200, reply);
  });
}

export const rerunParameters = { polling: polling("202 and a `Location` to poll.") };

/** `POST /api/jobs/{id}/rerun`: the same definition and options again, as long as the sealed definition is kept. */
export function rerun(deps: AcceptDeps & Pick<Deps, "log" | "control">) {
  return handler(deps.log, async (request, context) => {
    const { settings } = deps;
    if (settings.faults.length > 0) return refuse(invalidSettings(settings.faults), context);
    const { refusal } = await deps.control.installation();
    if (refusal !== undefined) return refuse(invalidSettings([refusal]), context);
    const asked = readQuery(request.query, rerunParameters, settings, deps.now());
    if (!asked.ok) return refuse(asked.error, context);
    const id = parseJobId(request.params["id"] ?? "");
    const stored = id && (await deps.jobs.find(id));
    if (!stored) return refuse({ code: "JobNotFound", message: "No job of that id is known." }, context);
    const { job, sealed } = stored;
    const bytes = sealed.definition === "blob" ? await deps.blobs.getSealed(job.id) : sealed.definition;
    const opened = bytes === undefined ? undefined : await deps.sealer.open(bytes, job.id);
    const definition = opened?.kind === "open" ? parseSealedDefinition(opened.text) : undefined;
    if (definition === undefined) {
      return refuse(
        { code: "DefinitionGone", message: "The job's sealed definition is no longer kept; submit it again." },
        context,
      );
    }
    const refused = notPermitted(definition, () => ({ line: 1, column: 1 }), settings);
    if (refused) return refuse({ code: refused.code, message: `${refused.what}.`, errors: refused.errors }, context);
    const submission: Submission = {
      text: "",
      query: {},
      envelope: {},
      via: "rerun",
      id: undefined,
      createdAt: undefined,
      idempotencyKey: undefined,
      callBackUri: undefined,
      // The old job's poster is not notified of the new one's end, and its queue may no longer be allowed.
      replyTo: undefined,
      correlationId: undefined,
      traceparent: request.headers.get("traceparent") ?? undefined,
      requestedBy: callerOf(context),
      rerunOf: job.id,
      unknown: [],
    };
    const { warnings } = job;
    const options = { ...job.options, timeout: Math.min(job.options.timeout, settings.maxTimeout) };
    const accepted = await accept(deps, submission, { definition, options, warnings, callBackUri: undefined });
    if (!accepted.ok) return refuse(accepted.error, context);
    await deps.queues.run(accepted.value.job.id);
    audit(deps.log, context, "rerun", { ...logFieldsOf(accepted.value.job), rerunOf: job.id });
    const polling = asked.value.polling ? "true" : "false";
    return acceptedReply(accepted.value, { ...options, polling }, settings);
  });
}

export const selection = z.object({
  name: text(63).optional(),
  tag: text(400).optional(),
  state: text(200)
    .transform((words, context) => {
      const states = readStates(words);
      if (states === undefined) context.addIssue(mustBeStates);
      return states;
    })
    .optional(),
  dryRun: flag,
});

type CancelManyDeps = Pick<Deps, "log" | "jobs" | "queues" | "now" | "bulk" | "control" | "randomBytes">;

/** `POST /api/jobs/cancel`: all active jobs that match and are not canceled yet; the number of them. What takes longer the sweep goes on with. */
export function cancelMany(deps: CancelManyDeps) {
  return handler(deps.log, async (request, context) => {
    const body = await readJson(request, selection);
    if (!body.ok) return refuse(body.error, context);
    const { name, tag, state, dryRun } = body.value;
    if (name === undefined && tag === undefined && state === undefined) {
      const message = "Select jobs by name, tag or state; use state=active to select all.";
      return refuse({ code: "InvalidRequest", message }, context);
    }
    const began = deps.now();
    const by = callerOf(context);
    const states = state === undefined || state === "active" ? {} : { states: [...state] };
    const meant = { ...defined({ name, tag }), ...states, until: began + 1 };
    const until = began + maxCall;
    const key = `${began}-${Buffer.from(deps.randomBytes(8)).toString("hex")}`;
    // Recorded before the first cancel, so that the sweep finishes the work if this host dies.
    if (!dryRun) await deps.control.installation();
    if (!dryRun) await deps.bulk.add({ key, selection: meant, by, callUntil: until });
    const { ids, unreadable, finished } = await cancelSelected(deps, meant, { by, until, dryRun });
    const goesOn = !finished && !dryRun;
    if (finished && !dryRun) await dropWork(deps, key);
    if (!dryRun) audit(deps.log, context, "cancel many", { canceled: ids.length, finished, names: name, tag });
    const message = dryRun
      ? `${counted(ids.length, "job", "jobs")} would be canceled`
      : `${counted(ids.length, "job is", "jobs are")} being canceled${goesOn ? " so far; the others follow" : ""}`;
    const reply: Reply<"Canceled"> = {
      message,
      canceled: dryRun ? 0 : ids.length,
      matched: ids.length,
      dryRun,
      ids: ids.slice(0, 1000),
      ...(unreadable > 0 ? { unreadable } : {}),
      ...(finished ? {} : { more: true }),
    };
    return json(goesOn ? 202 : 200, reply);
  });
}

/** All jobs are canceled. If the record can't be removed now, the sweep finds nothing left to do and removes it. */
async function dropWork({ bulk, log }: CancelManyDeps, key: string): Promise<void> {
  try {
    await bulk.drop(key);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    log("warn", "unavailable", { service: error.service, ...errorFields(error) });
  }
}
