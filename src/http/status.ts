import type { HttpRequest, HttpResponseInit } from "@azure/functions";
import { Unreadable } from "../shared/base/errors.ts";
import { ifReadable } from "../shared/base/if-readable.ts";
import { parseJobId } from "../shared/base/ids.ts";
import { type PollUntil, pollUrl } from "../shared/job/urls.ts";
import { oneOf, readQuery } from "./lib/query.ts";
import { handler, refuse } from "./lib/reply.ts";
import { pollParameter, renewLease, type StatusDeps, statusReply, unknownReply } from "./lib/job-reply.ts";
import { VisibleJobs } from "./lib/visible.ts";

export const statusParameters = {
  poll: pollParameter,
  until: oneOf(["started", "deleted"], "Answer 200 when the group runs, or once it is gone; default at the job's end."),
};

/** `GET /api/status/{id or name}`: what the table says, one point read (two for a name), one more for a finished job's containers. */
export function status(deps: StatusDeps) {
  return handler(
    deps.log,
    async (request, context) => {
      const polls = request.query.get("poll") === "1";
      const asked = readQuery(request.query, statusParameters, deps.settings, deps.now());
      if (!asked.ok && !polls) return refuse(asked.error, context);
      const which = request.params["idOrName"] ?? "";
      const stored = await ifReadable(deps, () => new VisibleJobs(deps.jobs, context).findByIdOrName(which));
      if (stored instanceof Unreadable)
        return unknownReply(stored.id, pollUrl(deps.settings, stored.id, untilOf(request.query.get("until"))));
      if (stored === undefined) {
        return refuse({ code: "JobNotFound", message: "No job of that id or name is known." }, context);
      }
      const until = untilOf(request.query.get("until"));
      if (polls) await renewLease(deps, stored);
      return statusReply(deps, stored.job, until, pollUrl(deps.settings, stored.job.id, until));
    },
    stillUnknown(deps),
  );
}

/** Only the job's own end ends a poll: our own outage must not fail a pipeline. */
export function stillUnknown({ settings }: Pick<StatusDeps, "settings">) {
  return (request: HttpRequest): HttpResponseInit | undefined => {
    const id = parseJobId(request.params["idOrName"] ?? "");
    if (id === undefined || request.query.get("poll") !== "1") return undefined;
    return unknownReply(id, pollUrl(settings, id, untilOf(request.query.get("until"))));
  };
}

function untilOf(text: string | null): PollUntil {
  return text === "started" || text === "deleted" ? text : "ended";
}
