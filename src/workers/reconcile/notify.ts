import { backOff, day, minute, second } from "../../shared/base/duration.ts";
import type { Deps } from "../../shared/deps.ts";
import { messageOf } from "../../shared/base/errors.ts";
import { callbackBody, finishedEvent } from "../../shared/job/finished-event.ts";
import { hasEnded, type Delivery, type Job } from "../../shared/job/job.ts";
import type { Stored } from "../../shared/store/jobs.ts";

/**
 * Tells who asked to be told of a job's end: the caller's `callBackUri`, a poster's `replyTo` queue. At least once, backed off, for a
 * day; how far it came stands in the row. A caller that answers 404 or 410 is gone, and is not asked again.
 */
const patience = day;

export async function tell(deps: Deps, stored: Stored): Promise<{ job: Job }> {
  const { job } = stored;
  const due = ({ state, nextAt }: Delivery): boolean => state === "pending" && (nextAt ?? 0) <= deps.now();
  const attempt = await deps.attempts.find(job.id, job.attempt);
  const callback = due(job.callback)
    ? await deliver(deps, job, job.callback, () => callBack(deps, stored, attempt?.result))
    : job.callback;
  const reply = due(job.reply)
    ? await deliver(deps, job, job.reply, () => replyTo(deps, job, attempt?.result))
    : job.reply;
  return { job: { ...job, callback, reply } };
}

type Told = "delivered" | "gone" | "failed" | "again";

async function deliver(deps: Deps, job: Job, { tries }: Delivery, send: () => Promise<Told>): Promise<Delivery> {
  let told: Told;
  try {
    told = await send();
  } catch (error) {
    // The address is a secret, and an error may hold it: only its kind is told.
    deps.log("warn", "telling a job's end failed", {
      job: job.id,
      tries,
      kind: error instanceof Error ? error.name : messageOf(typeof error),
    });
    told = "again";
  }
  if (told !== "again") return { state: told, tries: tries + 1 };
  const now = deps.now();
  const since = hasEnded(job.phase) ? job.phase.finishedAt : now;
  if (now - since > patience) return { state: "failed", tries: tries + 1 };
  return { state: "pending", tries: tries + 1, nextAt: now + backOff(tries, 5 * second, 30 * minute, deps.random()) };
}

/** Every caller that joined the job is called; one that was called already may be called again when another could not be reached. */
async function callBack(
  deps: Deps,
  { job, sealed }: Stored,
  result: Readonly<Record<string, unknown>> | undefined,
): Promise<Told> {
  if (sealed.callbacks === undefined) return "failed";
  const opened = await deps.sealer.open(sealed.callbacks, job.id);
  if (opened.kind !== "open") return "failed";
  const uris: unknown = JSON.parse(opened.text);
  const body = JSON.stringify(callbackBody(job, result));
  const answers = await Promise.all((Array.isArray(uris) ? uris.map(String) : []).map((uri) => call(deps, uri, body)));
  if (answers.includes("again")) return "again";
  return answers.every((answer) => answer === "gone") ? "gone" : "delivered";
}

async function call(deps: Deps, uri: string, body: string): Promise<"delivered" | "gone" | "again"> {
  const status = await deps.post(uri, body);
  if (status === 404 || status === 410) return "gone";
  return status >= 200 && status < 300 ? "delivered" : "again";
}

async function replyTo(
  { settings, queues }: Deps,
  job: Job,
  result: Readonly<Record<string, unknown>> | undefined,
): Promise<Told> {
  const url = `${settings.publicUrl}/api/status/${job.id}`;
  const readers = [{ id: job.id, replyTo: job.replyTo, correlationId: job.correlationId }, ...job.joined];
  for (const { replyTo: queue, ...reader } of readers)
    if (queue !== undefined) await queues.send(queue, JSON.stringify(finishedEvent(job, result, url, reader)), 0);
  return "delivered";
}
