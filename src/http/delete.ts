import type { InvocationContext } from "@azure/functions";
import { second } from "../shared/base/duration.ts";
import { cancel } from "../shared/intake/cancel.ts";
import type { Deps } from "../shared/deps.ts";
import { err, ok, type Result } from "../shared/base/errors.ts";
import { parseJobId, type JobId } from "../shared/base/ids.ts";
import { stateWord } from "../shared/job/job.ts";
import { logFieldsOf } from "../shared/job/log-fields.ts";
import { audit, isOwn } from "./lib/audit.ts";
import { callerOf, runsTemplatesOnly } from "./lib/auth.ts";
import { pollUrl } from "../shared/job/urls.ts";
import { isGone } from "./lib/job-reply.ts";
import { polling, readQuery } from "./lib/query.ts";
import { handler, json, refuse, retryAfterHeader } from "./lib/reply.ts";
import type { Reply } from "./openapi/replies.ts";
import { VisibleJobs } from "./lib/visible.ts";

export const deleteParameters = { polling: polling("202 and a `Location` that answers 200 once the group is gone.") };

/** `DELETE /api/delete/{id or name}`: cancels a job that runs, deletes its group; may be repeated. The worker does it. */
type DeleteDeps = Pick<Deps, "settings" | "now" | "log" | "jobs" | "queues">;

export function remove(deps: DeleteDeps) {
  return handler(deps.log, async (request, context) => {
    const asked = readQuery(request.query, deleteParameters, deps.settings, deps.now());
    if (!asked.ok) return refuse(asked.error, context);
    const visible = new VisibleJobs(deps.jobs, context, "steers");
    const target = await targetOf(visible, request.params["idOrName"] ?? "");
    if (!target.ok) return refuse(target.error, context);
    if (runsTemplatesOnly(context) && !(await isOwnJob(visible, target.value, context))) {
      const message = "Forbidden: with the role Job.Run a caller may delete only the jobs that it submitted itself.";
      return refuse({ code: "Forbidden", message }, context);
    }
    const stored = await cancel(deps, target.value, callerOf(context));
    if (stored === undefined)
      return refuse({ code: "JobNotFound", message: "No job of that id or name is known." }, context);
    const { job } = stored;
    const { phase } = job;
    audit(deps.log, context, "cancel", { ...logFieldsOf(job), state: stateWord(phase) });
    const gone = await isGone(deps, job);
    const body: Reply<"Deleted"> = {
      message: gone ? `Container Group ${job.name} deleted` : `Container Group ${job.name} is being deleted`,
      name: job.name,
      state: stateWord(phase),
      id: job.id,
      groupDeleted: gone,
    };
    if (gone || !asked.value.polling) return json(200, body);
    return json(202, body, { location: pollUrl(deps.settings, job.id, "deleted"), ...retryAfterHeader(2 * second) });
  });
}

async function isOwnJob(visible: VisibleJobs, id: JobId, context: InvocationContext): Promise<boolean> {
  const stored = await visible.peek(id);
  return stored !== undefined && isOwn(stored.job, context);
}

/** Active jobs of a name that a refusal lists. */
const maxListed = 1000;

/** A name means its one active job, else its newest. */
async function targetOf(visible: VisibleJobs, idOrName: string): Promise<Result<JobId>> {
  const notFound = err({ code: "JobNotFound", message: "No job of that id or name is known." } as const);
  const id = parseJobId(idOrName);
  if (id !== undefined) return visible.seesAll || (await visible.peek(id)) ? ok(id) : notFound;
  if (!/^[a-z0-9-]{1,63}$/i.test(idOrName)) return notFound;
  const active = await visible.activeOf(idOrName, maxListed);
  if (active.length > 1) {
    const many = active.length === maxListed ? `${maxListed} active jobs, or more,` : `${active.length} active jobs`;
    const message = `${many} have that name; delete one of them by its id, or all by POST /api/jobs/cancel.`;
    return err({ code: "AmbiguousName", message, more: { ids: active } });
  }
  if (active[0] !== undefined) return ok(active[0]);
  const newest = await visible.findByIdOrName(idOrName);
  return newest === undefined ? notFound : ok(newest.job.id);
}
