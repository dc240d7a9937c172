import { currentTrace } from "../../shared/base/telemetry.ts";
import { logFieldsOf } from "../../shared/job/log-fields.ts";
import { accept, type AcceptDeps } from "../../shared/intake/accept.ts";
import type { Submission } from "../../shared/intake/submission.ts";
import type { Deps } from "../../shared/deps.ts";
import { parseJobId } from "../../shared/base/ids.ts";
import { notPermitted } from "../../shared/intake/permitted.ts";
import { parseSealedDefinition } from "../../shared/security/sealed-definition.ts";
import { audit } from "../lib/audit.ts";
import { callerOf } from "../lib/auth.ts";
import { polling, readQuery } from "../lib/query.ts";
import { handler, refuse } from "../lib/reply.ts";
import { acceptedReply, invalidSettings } from "../trigger.ts";

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
      traceparent: request.headers.get("traceparent") ?? currentTrace(),
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
