import type { HttpRequest } from "@azure/functions";
import { maskedResult } from "../shared/aci/masked-client.ts";
import { err, type Result } from "../shared/base/errors.ts";
import type { Deps } from "../shared/deps.ts";
import { hasEnded } from "../shared/job/job.ts";
import { maxSentBytes, sentResult } from "../shared/job/result.ts";
import type { OpenDeps } from "../shared/security/opened-definition.ts";
import { readResultLink } from "../shared/security/link-token.ts";
import { readText, tooSlow } from "./lib/body.ts";
import { handler, json, refuse } from "./lib/reply.ts";
import type { Reply } from "./openapi/replies.ts";

type ResultDeps = OpenDeps & Pick<Deps, "log" | "jobs" | "links">;

/**
 * `PUT /api/result/{token}` (anonymous): takes one attempt's result from its own program, which has the address in
 * `ACI_PROXY_RESULT_URL`. The same result may be sent again, since a reply can be lost; another is refused.
 */
export function result(deps: ResultDeps) {
  return handler(deps.log, async (request, context) => {
    const link = readResultLink(request.params["token"] ?? "");
    const key = link && (await deps.links.find(link.keyId));
    const stored = key && link.signedWith(key) ? await deps.jobs.peek(link.jobId) : undefined;
    if (link === undefined || stored === undefined)
      return refuse({ code: "JobNotFound", message: "This address is invalid or has expired." }, context);
    const { job } = stored;
    const { attempt } = link;
    const tooLate = `Attempt ${attempt} has ended: it can send no result any more.`;
    if (hasEnded(job.phase) || job.attempt !== attempt)
      return refuse({ code: "ResultTooLate", message: tooLate }, context);
    const body = await readResult(request);
    if (!body.ok) return refuse(body.error, context);
    const outcome = await deps.blobs.putResult(job.id, attempt, await maskedResult(deps, job.id, body.value));
    if (outcome === "closed") return refuse({ code: "ResultTooLate", message: tooLate }, context);
    if (outcome === "another") {
      const message = `Attempt ${attempt} has sent another result already: the first is kept.`;
      return refuse({ code: "ResultExists", message }, context);
    }
    const reply: Reply<"ResultStored"> = { message: "The result is stored.", id: job.id, attempt };
    return json(200, reply);
  });
}

async function readResult(request: HttpRequest): Promise<Result<string>> {
  const body = await readText(request, maxSentBytes);
  if (!body.ok && body.error === "too large")
    return err({ code: "BodyTooLarge", message: `A result may have ${maxSentBytes} bytes.` });
  if (!body.ok && body.error === "too slow") return err(tooSlow);
  const read = body.ok ? sentResult(body.value) : undefined;
  if (body.ok && read?.kind === "result") return body;
  const deep = read?.kind === "dropped" ? ", nested at most 100 deep" : "";
  return err({ code: "InvalidRequest", message: `A result must be one JSON object${deep}.` });
}
