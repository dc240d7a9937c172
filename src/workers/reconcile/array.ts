import { minute, second } from "../../shared/base/duration.ts";
import { Unavailable, Unreadable } from "../../shared/base/errors.ts";
import { ifReadable } from "../../shared/base/if-readable.ts";
import { childJobId } from "../../shared/base/ids.ts";
import { allInParallel } from "../../shared/base/in-parallel.ts";
import { childDefinition, packDefinition, type ArrayDefinition } from "../../shared/definition/index.ts";
import type { Deps } from "../../shared/deps.ts";
import { mayBeCanceled } from "../../shared/intake/cancel.ts";
import { makeChild } from "../../shared/intake/make-child.ts";
import { newChild } from "../../shared/intake/new-job.ts";
import { activeIn, requeueDelay, type ArrayOutcomes } from "../../shared/job/array-outcomes.ts";
import {
  arrayGoesOn,
  arrayRunning,
  arrayWaiting,
  isQuiet,
  makeTime,
  type ArrayStep,
  type NewChild,
} from "../../shared/job/array-step.ts";
import { hasEnded, type Job, type Verdict } from "../../shared/job/job.ts";
import { typicalOf } from "../../shared/job/typical.ts";
import { openArray } from "../../shared/security/opened-definition.ts";
import type { Stored } from "../../shared/store/jobs.ts";

/** What an array does to its children. What it does when stands in `array-step.ts`. */

/** How soon an array that is ending looks again at children that have not ended. */
const endingTime = 5 * second;
/** How many children are made or canceled at once. */
const width = 16;

/**
 * The array, Running from the first start of a child on; while no child runs it waits for what a child waits for, or for the end of a
 * pause.
 */
export async function withStart(
  { jobs, now, ...deps }: Pick<Deps, "jobs" | "now" | "control" | "settings">,
  job: Job,
  outcomes: ArrayOutcomes,
): Promise<Job> {
  const { array, phase } = job;
  if (array === undefined || array.made === 0) return job;
  if (phase.state !== "Queued" && !isQuiet(job, outcomes, now())) return arrayGoesOn(job);
  const { startedAt, waitsFor } = await jobs.startOrWait(job);
  if (startedAt !== undefined) return arrayRunning(job, startedAt, now());
  if (waitsFor !== undefined) return arrayWaiting(job, waitsFor, now());
  if (phase.state === "Queued" || activeIn({ ...array, ...outcomes }) > 0) return arrayGoesOn(job);
  return (await mayMake(deps)) ? job : arrayWaiting(job, "Paused", now());
}

/** Whether new children may begin: what exists goes on, paused or not. */
export async function mayMake({ control, settings }: Pick<Deps, "control" | "settings">): Promise<boolean> {
  return settings.faults.length === 0 && (await control.paused()) === undefined;
}

/** What the children of an array run, or why that can't be known. */
export type Openable =
  | { readonly kind: "open"; readonly array: ArrayDefinition }
  | { readonly kind: "wait"; readonly reason: "SealKeyUnavailable"; readonly retryAfter: number | undefined }
  | { readonly kind: "fail"; readonly verdict: Verdict };

export async function openForChildren(deps: Deps, stored: Stored): Promise<Openable> {
  try {
    const opened = await openArray(deps, stored);
    if (opened.kind === "open") return opened;
    const { reason, detail } = opened;
    return { kind: "fail", verdict: { reason, ...(detail === "" ? {} : { detail }) } };
  } catch (error) {
    if (!(error instanceof Unavailable) || error.service !== "seal key") throw error;
    return { kind: "wait", reason: "SealKeyUnavailable", retryAfter: error.retryAfter };
  }
}

/**
 * Makes the children of a step, those that are not there.
 *
 * @returns whether all of them are there now; false where that takes too long
 * @throws Unavailable when storage can't be reached: the step is done again
 */
export async function makeChildren(
  deps: Deps,
  job: Job,
  { runs }: ArrayOutcomes,
  { children }: Extract<ArrayStep, { do: "make" }>,
  definition: ArrayDefinition,
): Promise<boolean> {
  const typical = typicalOf(runs) ?? job.typical;
  const array: Job = typical === undefined ? job : { ...job, typical };
  const until = deps.now() + makeTime;
  const { freeRetries } = deps.settings;
  const make = async (child: NewChild): Promise<void> => {
    const { number, items } = child;
    const own = items === undefined ? childDefinition(definition, number) : packDefinition(definition, items);
    // One that can't be read is there.
    await ifReadable(deps, () => makeChild(deps, newChild(array, child, own, freeRetries), until));
  };
  return (await allInParallel(children, make, { width, until, now: deps.now })) === "all";
}

/** When an array that is ending looks again at what is left of its children; `undefined` where it ends. */
export function endingAgain({ alive, unreadable }: Left, endsFrom: number, now: number): number | undefined {
  if (alive > 0 || now < endsFrom) return now + endingTime;
  return unreadable > 0 ? now + minute : undefined;
}

/** What is left of children that are to end. */
export interface Left {
  readonly alive: number;
  /** An operator must repair their rows: until then the array can't say what became of them. */
  readonly unreadable: number;
}

/** Cancels children. One that has begun ends its group first, so this is called until all have. */
export async function cancelChildren(deps: Deps, array: Job, indexes: readonly number[]): Promise<Left> {
  const reason = array.cancel?.reason ?? "ArrayEnded";
  let [alive, unreadable] = [0, 0];
  const one = async (index: number): Promise<void> => {
    const id = childJobId(array.id, array.createdAt, index);
    const action = { needed: false };
    const stored = await ifReadable(deps, () =>
      deps.jobs.change(id, (child) => {
        action.needed = mayBeCanceled(child);
        if (!action.needed) return undefined;
        return { job: { ...child, cancel: { at: deps.now(), reason }, yield: child.yield || array.yield } };
      }),
    );
    if (stored instanceof Unreadable) unreadable++;
    if (stored instanceof Unreadable || stored === undefined || hasEnded(stored.job.phase)) return;
    alive++;
    if (action.needed) await deps.queues.requeue(id, undefined, 0);
  };
  await allInParallel(indexes, one, { width, until: Infinity, now: deps.now });
  return { alive, unreadable };
}

/** A child ended: its array makes the next, or ends. */
export async function requeueArray(
  { queues }: Pick<Deps, "queues">,
  { job: { child }, requeuesArray }: Stored,
): Promise<void> {
  if (child !== undefined && requeuesArray === true) await queues.requeue(child.array, undefined, requeueDelay);
}
