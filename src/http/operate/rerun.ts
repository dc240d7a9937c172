import { currentTrace } from "../../shared/base/telemetry.ts";
import { logFieldsOf } from "../../shared/job/log-fields.ts";
import type { AcceptDeps } from "../../shared/intake/accept.ts";
import type { Deps } from "../../shared/deps.ts";
import { parseJobId } from "../../shared/base/ids.ts";
import { rerunJob } from "../../shared/intake/rerun.ts";
import { audit } from "../lib/audit.ts";
import { callerOf } from "../lib/auth.ts";
import { polling, readQuery } from "../lib/query.ts";
import { handler, refuse } from "../lib/reply.ts";
import { VisibleJobs } from "../lib/visible.ts";
import { acceptedReply, invalidSettings } from "../trigger.ts";

export const rerunParameters = { polling: polling("202 and a `Location` to poll.") };

/** `POST /api/jobs/{id}/rerun`: the same definition and options again, once; called again, it answers with the job that there is. */
export function rerun(deps: AcceptDeps & Pick<Deps, "log" | "control">) {
  return handler(deps.log, async (request, context) => {
    const { settings } = deps;
    if (settings.faults.length > 0) return refuse(invalidSettings(settings.faults), context);
    const { refusal } = await deps.control.installation();
    if (refusal !== undefined) return refuse(invalidSettings([refusal]), context);
    const asked = readQuery(request.query, rerunParameters, settings, deps.now());
    if (!asked.ok) return refuse(asked.error, context);
    const id = parseJobId(request.params["id"] ?? "");
    const stored = id && (await new VisibleJobs(deps.jobs, context, "steers").find(id));
    if (!stored) return refuse({ code: "JobNotFound", message: "No job of that id is known." }, context);
    const { job } = stored;
    const traceparent = request.headers.get("traceparent") ?? currentTrace();
    const by = { requestedBy: callerOf(context), traceparent, polls: asked.value.polling === true };
    const accepted = await rerunJob(deps, stored, by);
    if (!accepted.ok) return refuse(accepted.error, context);
    if (!accepted.value.attached) await deps.queues.run(accepted.value.job.id);
    audit(deps.log, context, "rerun", { ...logFieldsOf(accepted.value.job), rerunOf: job.id });
    const polling = asked.value.polling ? "true" : "false";
    return acceptedReply(accepted.value, { ...job.options, polling }, settings);
  });
}
