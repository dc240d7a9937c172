import { rerunIdOf, type JobId } from "../base/ids.ts";
import { definitionAwaited, err, ok, type Result } from "../base/errors.ts";
import { childDefinition, distinctChildren, type ArrayDefinition, type Definition } from "../definition/index.ts";
import { indexesOf, leftOf, runsIn, type LeftOfArray } from "../job/array-outcomes.ts";
import { hasEnded, isDefinitionAwaited, type Job } from "../job/job.ts";
import { optionFaults, refusalOf } from "../job/judgement.ts";
import { packSizeFault } from "../job/pack-judgement.ts";
import { parseSealedArray, parseSealedDefinition } from "../security/sealed-definition.ts";
import type { Control } from "../store/control.ts";
import type { Stored } from "../store/jobs.ts";
import { accept, type AcceptDeps, type Accepted } from "./accept.ts";
import { notPermitted } from "./permitted.ts";
import type { Submission } from "./submission.ts";

export interface RerunBy {
  readonly requestedBy: string | undefined;
  readonly traceparent: string | undefined;
  /** Whether the caller polls the new job: a lease asks for that. */
  readonly polls: boolean;
}

export type RerunDeps = AcceptDeps & { readonly control: Pick<Control, "installation"> };

/**
 * Runs a job's definition and options again, as long as the sealed definition is kept; judged by today's settings. The new job's id
 * follows from the old one's, so that a job is rerun once, however often this is called; a rerun itself can be rerun. It waits for its
 * name, and callers of the old job hear nothing of it; its lease is kept only where the caller polls. Of an array its indexes that did
 * not succeed run again.
 */
export async function rerunJob(
  deps: RerunDeps,
  { job, sealed }: Stored,
  { polls, ...by }: RerunBy,
): Promise<Result<Accepted>> {
  const { settings } = deps;
  const left = await leftToRun(deps, job);
  if (!left.ok) return left;
  if (isDefinitionAwaited(job)) return err(definitionAwaited);
  const bytes = sealed.definition === "blob" ? await deps.blobs.getSealed(job.id) : sealed.definition;
  const opened = bytes === undefined ? undefined : await deps.sealer.open(bytes, job.id);
  const found = opened?.kind === "open" ? definitionsIn(opened.text, left.value) : undefined;
  if (found === undefined)
    return err({
      code: "DefinitionGone",
      message: "The job's sealed definition is no longer kept; submit it again.",
    });
  const { pack } = job.options;
  const packed = pack && left.value && Math.min(pack, runsIn({ size: pack, only: left.value.only }));
  for (const each of found.all()) {
    const refused = notPermitted(each, () => ({ line: 1, column: 1 }), settings);
    if (refused) return err({ code: refused.code, message: `${refused.what}.`, errors: refused.errors });
    const message = packed === undefined ? undefined : packSizeFault(each.view, packed, settings);
    if (message !== undefined)
      return err(refusalOf([optionFaults([{ path: "pack", line: 1, column: 1, message }])], []));
  }
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
  const lease = polls ? job.options.lease : undefined;
  const options = { ...job.options, timeout, lease, onConflict: "wait", onGroupFull: "wait" } as const;
  const { warnings, template } = job;
  const { definition, array } = found;
  const checked = { definition, array, left: left.value, options, warnings, template };
  return accept(deps, submission, { ...checked, callBackUri: undefined, sent: undefined });
}

/** Of an array its indexes that did not succeed; of any other job `undefined`. */
async function leftToRun({ jobs }: AcceptDeps, job: Job): Promise<Result<LeftOfArray | undefined>> {
  const { array, child, phase } = job;
  const refuse = (message: string, id: JobId) => err({ code: "CannotRerun", message, more: { id } } as const);
  if (child !== undefined)
    return refuse(
      `The job is index ${child.index} of array ${child.array}; run what failed of that again: POST /api/jobs/${child.array}/rerun.`,
      child.array,
    );
  if (array === undefined) return ok(undefined);
  if (!hasEnded(phase)) return refuse("The array has not ended: what failed of it can be run again then.", job.id);
  const left = leftOf(array, await jobs.outcomesOf(job));
  return left.only.length > 0
    ? ok(left)
    : refuse("Every index of the array succeeded: nothing is left to run.", job.id);
}

interface Definitions {
  /** Of an array that of the first index that runs. */
  readonly definition: Definition;
  readonly array: ArrayDefinition | undefined;
  /** All that are to run; of an array's children one of each kind that rules tell apart. */
  readonly all: () => Iterable<Definition>;
}

function definitionsIn(text: string, left: LeftOfArray | undefined): Definitions | undefined {
  if (left === undefined) {
    const definition = parseSealedDefinition(text);
    return definition && { definition, array: undefined, all: () => [definition] };
  }
  const array = parseSealedArray(text);
  const [first] = left.only;
  if (array === undefined || first === undefined) return undefined;
  const all = function* (): Generator<Definition> {
    for (const index of distinctChildren(array, indexesOf({ size: array.size, only: left.only })))
      yield childDefinition(array, index);
  };
  return { definition: childDefinition(array, first[0]), array, all };
}
