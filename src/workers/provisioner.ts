import type { InvocationContext, StorageQueueHandler } from "@azure/functions";
import { backOff, day, minute, second } from "../shared/base/duration.ts";
import { Unavailable } from "../shared/base/errors.ts";
import { errorFields } from "../shared/base/log.ts";
import type { Deps } from "../shared/deps.ts";
import type { Parcel, Resent } from "../shared/intake/resent.ts";
import { queueNames } from "../shared/store/queues.ts";
import { arrivalOf, textOf, type Arrival } from "./arrival.ts";
import { work, type Outcome, type Posted } from "./posted.ts";

/**
 * The queue `aci-jobs`: jobs that HTTP accepted, and jobs that other services post. The host gives a message up at its tenth delivery; so
 * a message that we fail to process is sent again, later, and stays the same job. A message that this release can't process at all goes
 * to the poison queue, where an operator sees it.
 */

/** Before that many deliveries the host's own repetition is good enough. */
const patience = 4;
/** After this many deliveries without a result a copy of the message is made before anything else is tried. */
const suspicious = 8;
/** How long a message of a newer release waits for that release. */
const newerTime = day;

interface Message extends Posted, Omit<Resent, "why"> {
  /** Why it was sent again last. */
  readonly why: string | undefined;
  readonly parcel: Parcel | undefined;
}

export function provisioner(deps: Deps): StorageQueueHandler {
  return async (body, context) => {
    const arrival = arrivalOf(body, context, deps.now);
    const message = await open(deps, body, arrival);
    if (message === undefined) return;
    const outcome = await attempt(deps, message, arrival, context);
    switch (outcome.kind) {
      case "done":
        return finish(deps, message);
      case "later":
        return sendAgain(deps, message, outcome);
      case "never":
        return toPoison(deps, message, outcome.why);
    }
  };
}

/** What came, or what it was when it first came. `undefined` when there is nothing to do with it now. */
async function open(deps: Deps, body: unknown, arrival: Arrival): Promise<Message | undefined> {
  const { id, at, messageId } = arrival;
  const first: Message = {
    id,
    at,
    messageId,
    body,
    text: textOf(body),
    since: at,
    tries: 0,
    why: undefined,
    parcel: undefined,
  };
  try {
    const opened = await deps.resender.open(body);
    if (opened.kind === "finished") return undefined;
    return opened.kind === "first" ? first : { ...opened.resent, body: opened.resent.text, parcel: opened.parcel };
  } catch (error) {
    if (!(error instanceof Unavailable) || arrival.deliveries < patience) throw error;
    // Whose it is can't be known now: it is sent again unchanged.
    await deps.queues.send(queueNames.jobs, textOf(body), retryTime(deps, 0));
    deps.log("warn", "message waits", { job: id, reason: reasonOf(error), ...errorFields(error) });
    return undefined;
  }
}

async function attempt(
  deps: Deps,
  message: Message,
  { deliveries, isTimed }: Arrival,
  context: InvocationContext,
): Promise<Outcome> {
  // A time of its own from now on, so that it is the same job at every delivery.
  if (!isTimed && message.tries === 0) return { kind: "later", why: "Accepted", keyIsAway: false, delay: 0 };
  if (deliveries >= suspicious) {
    const again = message.why === "InternalError";
    return again ? { kind: "never", why: "InternalError" } : { kind: "later", why: "InternalError", keyIsAway: false };
  }
  try {
    const outcome = await work(deps, message);
    if (outcome.kind !== "newer") return outcome;
    const waited = deps.now() - message.since;
    return waited > newerTime
      ? { kind: "never", why: "NewerMessage" }
      : { kind: "later", why: "NewerMessage", keyIsAway: false, delay: 5 * minute };
  } catch (error) {
    if (error instanceof Unavailable) {
      const keyIsAway = error.service === "seal key";
      if (deliveries < patience && !keyIsAway) throw error;
      return { kind: "later", why: reasonOf(error), keyIsAway };
    }
    if (deliveries < patience && !(error instanceof RangeError)) throw error;
    deps.log("error", "unforeseen", { requestId: context.invocationId, job: message.id, ...errorFields(error) });
    return { kind: "never", why: "InternalError" };
  }
}

async function finish(deps: Deps, { id, tries, parcel }: Message): Promise<void> {
  if (tries > 0) await deps.held.drop(id);
  if (parcel) await deps.resender.finish(parcel);
}

async function sendAgain(
  deps: Deps,
  message: Message,
  { why, keyIsAway, text, delay = retryTime(deps, message.tries) }: Extract<Outcome, { kind: "later" }>,
): Promise<void> {
  const { id, since } = message;
  const tries = message.tries + 1;
  const parcel = text === undefined ? message.parcel : undefined;
  const resent = resentOf({ ...message, text: text ?? message.text }, why, tries);
  await deps.resender.send(queueNames.jobs, resent, { delay, parcel, keyIsAway });
  if (message.parcel && parcel === undefined) await deps.resender.finish(message.parcel);
  deps.log("warn", "message waits", { job: id, reason: why, tries, seconds: Math.round(delay / second) });
  if (delay === 0) return;
  try {
    await deps.held.note({ id, why, since, tries, until: deps.now() + delay });
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error; // the log has it, and the message is safe
  }
}

async function toPoison(deps: Deps, message: Message, why: string): Promise<void> {
  const { id, parcel } = message;
  const resent = resentOf(message, why, message.tries);
  await deps.resender.send(`${queueNames.jobs}-poison`, resent, { delay: 0, parcel });
  deps.log("error", "message given up", { job: id, reason: why });
  if (message.tries > 0) await deps.held.drop(id);
}

function resentOf({ id, at, messageId, since, text }: Message, why: string, tries: number): Resent {
  return { id, at, messageId, since, tries, why, text };
}

function retryTime({ random }: Pick<Deps, "random">, tries: number): number {
  return backOff(tries, 15 * second, 2 * minute, random());
}

function reasonOf({ service }: Unavailable): string {
  const reasons = {
    storage: "StorageUnavailable",
    index: "IndexLost",
    "seal key": "SealKeyUnavailable",
    vault: "VaultUnavailable",
    arm: "ArmUnavailable",
    identity: "IdentityUnavailable",
  } as const;
  return reasons[service];
}
