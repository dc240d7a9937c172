import { Unreadable } from "../shared/base/errors.ts";
import { ifReadable } from "../shared/base/if-readable.ts";
import type { Deps } from "../shared/deps.ts";
import { linkIsGood, readLink } from "../shared/security/link-token.ts";
import { linkUrl } from "../shared/job/urls.ts";
import { readQuery } from "./lib/query.ts";
import { handler, refuse } from "./lib/reply.ts";
import { pollParameter, renewLease, statusReply, unknownReply, type StatusDeps } from "./lib/job-reply.ts";

export const linkParameters = { poll: pollParameter };

/**
 * `GET /api/link/{token}` (anonymous): the status of one job for anybody who has its link. A token that was forged, revoked or is
 * too old gets the same reply.
 */
export function link(deps: StatusDeps & Pick<Deps, "links">) {
  return handler(
    deps.log,
    async (request, context) => {
      const asked = readQuery(request.query, linkParameters, deps.settings, deps.now());
      if (!asked.ok && request.query.get("poll") !== "1") return refuse(asked.error, context);
      const token = request.params["token"] ?? "";
      const claimed = readLink(token);
      const key = claimed && (await deps.links.find(claimed.keyId));
      // The link is all that a caller needs to show.
      const stored =
        key && claimed.signedWith(key) ? await ifReadable(deps, () => deps.jobs.peek(claimed.jobId)) : undefined;
      if (stored instanceof Unreadable) return unknownReply(stored.id, linkUrl(deps.settings, token));
      if (stored === undefined || !linkIsGood(stored.job.phase, deps.now()))
        return refuse({ code: "JobNotFound", message: "This link is invalid or has expired." }, context);
      await renewLease(deps, stored);
      return statusReply(deps, stored.job, "ended", linkUrl(deps.settings, token));
    },
    // Only the job's own end ends a poll.
    (request) => {
      const token = request.params["token"] ?? "";
      const id = readLink(token)?.jobId;
      return id && unknownReply(id, linkUrl(deps.settings, token));
    },
  );
}
