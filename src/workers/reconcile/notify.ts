import type { Deps } from "../../shared/deps.ts";
import { messageOf } from "../../shared/base/errors.ts";
import { callbackBody, finishedEvent } from "../../shared/job/finished-event.ts";
import { claimDue, readersOf, withoutAddresses, type Due, type Outcome } from "../../shared/job/deliveries.ts";
import type { Job } from "../../shared/job/job.ts";
import type { JobResult } from "../../shared/job/result.ts";
import { logsUrl, statusUrl } from "../../shared/job/urls.ts";
import { maxMessageBytes, wireText } from "../../shared/store/queues.ts";
import type { Stored } from "../../shared/store/jobs.ts";

/**
 * Notifies the callers that asked for a job's end: their `callBackUri`s, the posters' `replyTo` queues. It tries for a day, at least once,
 * and exactly once where nothing fails: a caller is claimed in the row before it is notified, and each caller's outcome is kept.
 */
export interface Claim {
  /** To be saved before anybody is notified. */
  readonly job: Job;
  readonly due: readonly Due[];
  /** The addresses to call. Secrets of their callers. */
  readonly addresses: readonly string[];
}

type NotifyDeps = Pick<Deps, "settings" | "log" | "now" | "random" | "sealer" | "queues" | "attempts" | "post">;

/** @throws Unavailable when the sealing key can't be reached now and nobody else is due */
export async function claimCallers(deps: NotifyDeps, stored: Stored): Promise<Claim> {
  const { job } = stored;
  const now = deps.now();
  if (job.callback.state !== "pending") return { ...claimDue(job, undefined, now), addresses: [] };
  const addresses = await addressesOf(deps, stored);
  if (typeof addresses !== "string") return { ...claimDue(job, addresses.length, now), addresses };
  return { ...claimDue(withoutAddresses(job, addresses, now, deps.random()), undefined, now), addresses: [] };
}

async function addressesOf(
  { sealer, log }: NotifyDeps,
  { job, sealed }: Stored,
): Promise<readonly string[] | "failed" | "again"> {
  if (sealed.callbacks === undefined) return "failed";
  try {
    const opened = await sealer.open(sealed.callbacks, job.id);
    if (opened.kind !== "open") return "failed";
    const uris: unknown = JSON.parse(opened.text);
    return Array.isArray(uris) ? uris.map(String) : [];
  } catch (error) {
    log("warn", "callback addresses can't be read", { job: job.id, kind: kindOf(error) });
    return "again";
  }
}

/** Notifies all who were claimed, at once: one who is slow holds up nobody. */
export async function notifyCallers(
  deps: NotifyDeps,
  job: Job,
  { due, addresses }: Claim,
): Promise<readonly (Due & { readonly outcome: Outcome })[]> {
  if (due.length === 0) return [];
  const result = (await deps.attempts.find(job.id, job.attempt))?.result;
  const body = JSON.stringify(callbackBody(job, result, logsUrl(deps.settings, job.id)));
  return Promise.all(
    due.map(async (caller) => {
      const send =
        caller.kind === "replies"
          ? reply(deps, job, caller.index, result)
          : call(deps, job, addresses[caller.index], body);
      return { ...caller, outcome: await outcomeOf(deps, job, caller, send) };
    }),
  );
}

async function outcomeOf({ log }: NotifyDeps, job: Job, { kind }: Due, sent: Promise<Outcome>): Promise<Outcome> {
  try {
    return await sent;
  } catch (error) {
    // The address is a secret, and an error may hold it: only its kind is logged.
    return again(log, job, kind, kindOf(error));
  }
}

/** @param via the kind of caller; the address is a secret */
function again(log: Deps["log"], job: Job, via: Due["kind"], kind: string): "again" {
  log("warn", "notifying a caller failed", { job: job.id, via, kind });
  return "again";
}

/** A caller that answers 404 or 410 is gone, and is not asked again. */
async function call({ post, log }: NotifyDeps, job: Job, uri: string | undefined, body: string): Promise<Outcome> {
  if (uri === undefined) return "failed";
  const status = await post(uri, body);
  if (status === 404 || status === 410) return "gone";
  return status >= 200 && status < 300 ? "delivered" : again(log, job, "callbacks", `HTTP ${status}`);
}

async function reply(
  { settings, queues }: NotifyDeps,
  job: Job,
  index: number,
  result: JobResult | undefined,
): Promise<Outcome> {
  const reader = readersOf(job)[index];
  if (reader?.replyTo === undefined) return "failed";
  const url = statusUrl(settings, job.id);
  const eventWith = (what: JobResult | "too large" | undefined): string =>
    JSON.stringify(finishedEvent(job, what, url, reader));
  const event = eventWith(result);
  const fits = Buffer.byteLength(wireText(event)) <= maxMessageBytes;
  await queues.send(reader.replyTo, fits ? event : eventWith("too large"), 0);
  return "delivered";
}

function kindOf(error: unknown): string {
  return error instanceof Error ? error.name : messageOf(typeof error);
}
