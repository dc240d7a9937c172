import { minute } from "../shared/base/duration.ts";
import { Unreadable, type LocatedFault } from "../shared/base/errors.ts";
import type { Reason } from "../shared/job/reasons.ts";
import type { Deps } from "../shared/deps.ts";
import { Unavailable } from "../shared/base/errors.ts";
import { groupName, isMinted, nameKey, type JobId } from "../shared/base/ids.ts";
import { columnsOf, jobKey } from "../shared/store/job-row.ts";
import { hasEnded, type Job } from "../shared/job/job.ts";
import { beginning, delivery, maxWarnings } from "../shared/intake/new-job.ts";
import { defaultOptions } from "../shared/job/options.ts";
import { isAllowedAddress } from "../shared/security/safe-post.ts";
import { reportEnd } from "./reconcile/report-move.ts";
import { reconcile } from "./reconcile/reconcile.ts";

/** A message that can never work leaves a `Failed` row that says why. Nothing of its text is kept but its name. */
export interface Refused {
  readonly id: JobId;
  /** The queue's own id of the message, where it is known. */
  readonly messageId: string | undefined;
  readonly foreign: boolean;
  readonly createdAt: number;
  readonly name: string | undefined;
  /** Whose job it was to be, where that is known. */
  readonly team?: string | undefined;
  readonly reason: Reason;
  readonly detail: string;
  /** What was odd besides: often the cause. */
  readonly warnings?: readonly LocatedFault[] | undefined;
  readonly recipients: Recipients;
}

/** Who is to be notified of the end, as far as that is allowed. */
interface Recipients {
  readonly replyTo?: string | undefined;
  readonly callBackUri?: string | undefined;
  readonly correlationId?: string | undefined;
}

export async function recordRefused(deps: Deps, refused: Refused): Promise<void> {
  await deps.control.installation();
  const { id } = refused;
  const recipients = allowed(refused.recipients, deps.settings);
  const hasRecipients = recipients.replyTo !== undefined || recipients.callBackUri !== undefined;
  // So that it is found by its name, or by the poster's own id, or by the timer.
  const found = refused.name !== undefined || refused.foreign || hasRecipients || deps.endpoints.length > 0;
  const createdAt = found ? await reserve(deps, refused, failedJob(refused, recipients, deps)) : refused.createdAt;
  if (createdAt === undefined) {
    deps.log("warn", "message refused", { job: id, reason: refused.reason, result: "exists" });
    return;
  }
  const job = failedJob({ ...refused, createdAt }, recipients, deps);
  const callbacks =
    recipients.callBackUri === undefined
      ? undefined
      : await deps.sealer.seal(JSON.stringify([recipients.callBackUri]), id);
  const result = await deps.jobs.insert(job, { definition: undefined, callbacks });
  deps.log("warn", "message refused", { job: id, reason: refused.reason, result });
  if (result === "created") reportEnd(deps, job);
  // The id of a job that was taken before: it goes on.
  if (result === "exists" && !(await isOver(deps, id))) return;
  if (hasRecipients || deps.endpoints.length > 0) return reconcile(deps, id, { at: undefined });
  await deps.jobs.index.dequeue(job.groupName, id, createdAt);
  await deps.jobs.index.drop(id);
}

/** @returns when the row's time begins, or `undefined` when a job of that id is there already: it goes on */
async function reserve(deps: Deps, refused: Refused, job: Job): Promise<number | undefined> {
  const { jobs, now } = deps;
  const { id, foreign } = refused;
  const { name, groupName, createdAt, checkAt } = job;
  // An id of our own leads to its row: nothing is reserved for it once its job has ended.
  if (foreign && isMinted(id) && (await jobs.peek(id))) return undefined;
  const reserved = await jobs.index.reserve({
    id,
    key: jobKey(id, createdAt),
    name,
    groupName,
    want: "wait",
    replaces: false,
    keyEntry: undefined,
    foreignId: foreign,
    createdAt,
    turn: createdAt,
    checkAt,
    reservedAt: now(),
    columns: columnsOf(job, jobs.prices),
    further: [],
  });
  if (reserved === "reserved") return createdAt;
  if (reserved === "no index") {
    await jobs.mustFindAll();
    return reserve(deps, refused, job);
  }
  if (await jobs.peek(id)) return undefined;
  const pending = await jobs.index.pending(id);
  const same = nameKey(pending?.groupName ?? "") === nameKey(groupName);
  const adopted = same ? await jobs.index.adopt(id, now()) : undefined;
  if (adopted === undefined) throw new Unavailable("storage", "Another job of that id is being accepted.");
  return adopted.createdAt;
}

async function isOver({ jobs }: Deps, id: JobId): Promise<boolean> {
  try {
    const stored = await jobs.peek(id);
    return stored !== undefined && hasEnded(stored.job.phase) && stored.job.phase.tidy;
  } catch (error) {
    if (error instanceof Unreadable) return false;
    throw error;
  }
}

function allowed(
  { replyTo, callBackUri, correlationId }: Recipients,
  { replyQueues, callbackHosts }: Deps["settings"],
): Recipients {
  return {
    ...(replyTo !== undefined && replyQueues.includes(replyTo) ? { replyTo } : {}),
    ...(callBackUri !== undefined && isAllowedAddress(callBackUri, callbackHosts) ? { callBackUri } : {}),
    ...(correlationId === undefined ? {} : { correlationId }),
  };
}

function failedJob(
  { id, messageId, createdAt, name, team, reason, detail, warnings }: Refused,
  { replyTo, callBackUri, correlationId }: Recipients,
  { now, settings }: Deps,
): Job {
  const options = { ...defaultOptions(settings, "queue"), team };
  const at = now();
  const begun = beginning(id, groupName(name ?? "unnamed"), options, createdAt);
  return {
    ...begun,
    holds: false,
    apiVersion: settings.defaultApiVersion,
    containers: [],
    images: [],
    restartPolicy: "Never",
    spot: false,
    cpu: 0,
    memoryGB: 0,
    warnings: warnings?.slice(0, maxWarnings) ?? [],
    via: "queue",
    phase: { state: "Failed", verdict: { reason, detail }, finishedAt: at, group: "gone", captured: true, tidy: true },
    history: [...begun.history, { at, from: "Queued", to: "Failed", reason, attempt: 1 }],
    callback: delivery(callBackUri),
    reply: delivery(replyTo),
    ...(messageId === undefined ? {} : { messageId }),
    ...(replyTo === undefined ? {} : { replyTo }),
    ...(correlationId === undefined ? {} : { correlationId }),
    lookAt: at,
    checkAt: at + minute,
  };
}
