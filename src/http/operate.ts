import type { HttpRequest } from "@azure/functions";
import { z } from "zod";
import { accept, type AcceptDeps } from "../shared/accept.ts";
import type { Order } from "../shared/order.ts";
import { cancel } from "../shared/cancel.ts";
import type { Deps } from "../shared/deps.ts";
import { no, ok, type Refusal, type Result } from "../shared/errors.ts";
import { parseJobId } from "../shared/ids.ts";
import { terminalStates } from "../shared/job.ts";
import { notPermitted } from "../shared/permitted.ts";
import { parseSealedDefinition } from "../shared/sealed-definition.ts";
import { readText } from "./body.ts";
import { callerOf } from "./doors.ts";
import { hasTag } from "./job-filter.ts";
import { handler, json, refuse } from "./reply.ts";
import { acceptedReply, invalidSettings } from "./trigger.ts";

/** What operators do: pause and resume, run a job again, cancel many. */
export function pause({ log, control, now }: Pick<Deps, "log" | "control" | "now">) {
  return handler(log, async (request, context) => {
    const body = await readJson(request, z.object({ reason: z.string().min(1).max(300) }));
    if (!body.ok) return refuse(body.error, context);
    await control.installation();
    await control.pause(body.value.reason, now());
    log("info", "paused", { reason: body.value.reason });
    return json(200, { message: "Paused: jobs are accepted and wait.", paused: true, reason: body.value.reason });
  });
}

export function resume({ log, control, jobs, queues }: Pick<Deps, "log" | "control" | "jobs" | "queues">) {
  return handler(log, async () => {
    await control.resume();
    let woken = 0;
    for await (const { id, reason } of jobs.index.active()) {
      if (reason !== "Paused") continue;
      await queues.wake(id, undefined, 0);
      woken++;
    }
    log("info", "resumed", { woken });
    return json(200, { message: `Resumed; ${woken} waiting jobs were woken.`, paused: false, woken });
  });
}

/** `POST /api/jobs/{id}/rerun`: the same definition and options again, as long as the sealed definition is kept. */
export function rerun(deps: AcceptDeps & Pick<Deps, "log" | "control">) {
  return handler(deps.log, async (request, context) => {
    if (deps.settings.faults.length > 0) return refuse(invalidSettings(deps.settings.faults), context);
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
    const refused = notPermitted(definition, () => ({ line: 1, column: 1 }), deps.settings);
    if (refused) return refuse({ code: refused.code, message: `${refused.what}.`, errors: refused.errors }, context);
    const order: Order = {
      text: "",
      query: {},
      envelope: {},
      via: "rerun",
      id: undefined,
      createdAt: undefined,
      idempotencyKey: undefined,
      callBackUri: undefined,
      replyTo: job.replyTo,
      correlationId: job.correlationId,
      traceparent: request.headers.get("traceparent") ?? undefined,
      requestedBy: callerOf(context),
      rerunOf: job.id,
      unknown: [],
    };
    const { options, warnings } = job;
    const accepted = await accept(deps, order, { definition, options, warnings, callBackUri: undefined });
    if (!accepted.ok) return refuse(accepted.error, context);
    await deps.queues.run(accepted.value.job.id);
    const polling = request.query.get("polling")?.toLowerCase() === "true" ? "true" : "false";
    return acceptedReply(accepted.value, { ...options, polling }, deps.settings);
  });
}

const selection = z
  .object({
    name: z.string().optional(),
    tag: z.string().optional(),
    state: z.string().optional(),
    dryRun: z.union([z.boolean(), z.stringbool()]).default(false),
  })
  .refine(({ name, tag, state }) => name !== undefined || tag !== undefined || state !== undefined, {
    message: "say which jobs by name, tag or state; state active means all",
  });

/** `POST /api/jobs/cancel`: all active jobs that match; the number of them. */
export function cancelMany(deps: Pick<Deps, "log" | "jobs" | "queues" | "now">) {
  return handler(deps.log, async (request, context) => {
    const body = await readJson(request, selection);
    if (!body.ok) return refuse(body.error, context);
    const { name, tag, state, dryRun } = body.value;
    const ids: string[] = [];
    for await (const active of deps.jobs.index.active()) {
      if (terminalStates.some((terminal) => terminal === active.state)) continue;
      if (name !== undefined && active.name.toLowerCase() !== name.toLowerCase()) continue;
      if (state !== undefined && state.toLowerCase() !== "active" && active.state.toLowerCase() !== state.toLowerCase())
        continue;
      if (tag !== undefined && !hasTag(deps.jobs.shown(active.columns), tag)) continue;
      ids.push(active.id);
      if (!dryRun) await cancel(deps, active.id, callerOf(context));
    }
    const message = dryRun ? `${ids.length} jobs would be canceled` : `${ids.length} jobs are being canceled`;
    return json(200, {
      message,
      canceled: dryRun ? 0 : ids.length,
      matched: ids.length,
      dryRun,
      ids: ids.slice(0, 1000),
    });
  });
}

/** What an operator says fits into little. */
const mostJson = 16 * 1024;

export async function readJson<T>(request: HttpRequest, schema: z.ZodType<T>): Promise<Result<T>> {
  const refused = (message: string): { readonly ok: false; readonly error: Refusal } =>
    no({ code: "InvalidRequest", message });
  const text = await readText(request, mostJson);
  if (!text.ok) return refused(`The body must be JSON of at most ${mostJson} bytes.`);
  let value: unknown;
  try {
    value = text.value.trim() === "" ? {} : JSON.parse(text.value);
  } catch {
    return refused("The body must be JSON.");
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return ok(parsed.data);
  const issue = parsed.error.issues.at(0);
  return refused(`The body is wrong at ${issue?.path.join(".") || "its top"}: ${issue?.message ?? "unknown"}.`);
}
