import { rerunIdOf } from "../base/ids.ts";
import { err, type Result } from "../base/errors.ts";
import { parseSealedDefinition } from "../security/sealed-definition.ts";
import type { Control } from "../store/control.ts";
import type { Stored } from "../store/jobs.ts";
import { accept, type AcceptDeps, type Accepted } from "./accept.ts";
import { notPermitted } from "./permitted.ts";
import type { Submission } from "./submission.ts";

export interface RerunBy {
  readonly requestedBy: string | undefined;
  readonly traceparent: string | undefined;
}

export type RerunDeps = AcceptDeps & { readonly control: Pick<Control, "installation"> };

/**
 * Runs a job's definition and options again, as long as the sealed definition is kept; judged by today's settings. The new job's id
 * follows from the old one's, so that a job is rerun once, however often this is called; a rerun itself can be rerun. It waits for its
 * name, and callers of the old job hear nothing of it.
 */
export async function rerunJob(deps: RerunDeps, { job, sealed }: Stored, by: RerunBy): Promise<Result<Accepted>> {
  const { settings } = deps;
  const bytes = sealed.definition === "blob" ? await deps.blobs.getSealed(job.id) : sealed.definition;
  const opened = bytes === undefined ? undefined : await deps.sealer.open(bytes, job.id);
  const definition = opened?.kind === "open" ? parseSealedDefinition(opened.text) : undefined;
  if (definition === undefined)
    return err({
      code: "DefinitionGone",
      message: "The job's sealed definition is no longer kept; submit it again.",
    });
  const refused = notPermitted(definition, () => ({ line: 1, column: 1 }), settings);
  if (refused) return err({ code: refused.code, message: `${refused.what}.`, errors: refused.errors });
  const { tagKey } = await deps.control.installation();
  const submission: Submission = {
    source: { kind: "text", text: "" },
    query: {},
    envelope: {},
    via: "rerun",
    id: { id: rerunIdOf(job.id, tagKey), foreign: true },
    createdAt: undefined,
    idempotencyKey: undefined,
    callBackUri: undefined,
    // The old job's poster is not notified of the new one's end, and its queue may no longer be allowed.
    replyTo: undefined,
    correlationId: undefined,
    ...by,
    rerunOf: job.id,
    unknown: [],
  };
  const timeout = Math.min(job.options.timeout, settings.maxTimeout);
  const options = { ...job.options, timeout, onConflict: "wait", onGroupFull: "wait" } as const;
  const { warnings, template } = job;
  const checked = { definition, options, warnings, callBackUri: undefined, template, sent: undefined };
  return accept(deps, submission, checked);
}
