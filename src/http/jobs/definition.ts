import { definitionAwaited } from "../../shared/base/errors.ts";
import { parseJobId } from "../../shared/base/ids.ts";
import { secretValues, shownBody } from "../../shared/definition/index.ts";
import type { Deps } from "../../shared/deps.ts";
import { isDefinitionAwaited } from "../../shared/job/job.ts";
import { logFieldsOf } from "../../shared/job/log-fields.ts";
import { openDefinition, withVaultSecrets } from "../../shared/security/opened-definition.ts";
import { audit, isOwn } from "../lib/audit.ts";
import { handler, json, refuse } from "../lib/reply.ts";
import { VisibleJobs } from "../lib/visible.ts";
import type { Reply } from "../openapi/replies.ts";

/** `GET /api/jobs/{id}/definition`: what was submitted, with secrets masked, as long as it is kept. */
type DefinitionDeps = Pick<Deps, "log" | "settings" | "jobs" | "blobs" | "sealer" | "vault" | "arrays">;

export function definition(deps: DefinitionDeps) {
  return handler(deps.log, async (request, context) => {
    const id = parseJobId(request.params["id"] ?? "");
    const stored = id && (await new VisibleJobs(deps.jobs, context).find(id));
    if (!stored) return refuse({ code: "JobNotFound", message: "No job of that id is known." }, context);
    const { job } = stored;
    if (!isOwn(job, context)) audit(deps.log, context, "read definition", logFieldsOf(job));
    if (isDefinitionAwaited(job)) return refuse(definitionAwaited, context);
    const opened = await openDefinition(deps, stored);
    if (opened.kind === "fail") {
      const why = opened.reason === "SealKeyUnknown" ? "The key that sealed it is no longer known." : opened.detail;
      return refuse({ code: "DefinitionNotFound", message: `The job's definition is no longer kept. ${why}` }, context);
    }
    const { name, apiVersion, body } = opened.definition;
    // A secret that the vault no longer gives can't be known, and a job that failed for it is looked into here.
    const resolved = await withVaultSecrets(deps, opened.definition);
    const fromVault = resolved.kind === "open" ? secretValues(resolved.definition.body) : [];
    const told: Reply<"Definition"> = { id: job.id, definition: { apiVersion, name, ...shownBody(body, fromVault) } };
    return json(200, told);
  });
}
