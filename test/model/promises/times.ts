import { hour, minute, second } from "../../../src/shared/base/duration.ts";
import type { Reason, ReasonWord } from "../../../src/shared/job/reasons.ts";
import { endingOf, hasEnded, type Job } from "../../../src/shared/job/job.ts";
import type { Group } from "../groups.ts";
import type { Ledger } from "../ledger.ts";
import { isEnding } from "./arrays.ts";
import { specOf } from "../submissions.ts";
import { maxSkew, settings } from "../settings.ts";
import type { Spec } from "../specs.ts";

/** A job's own times end it when they have run out: not before, not long after, and only if they were asked for. */

/** For a job without its own. */
const defaults = { timeout: 6 * hour, startTimeout: 35 * minute };

/** An end by a time that has not run out yet. */
export function notTooEarly(ledger: Ledger, job: Job, reason: ReasonWord, decidedAt: number): void {
  const at = earliest(ledger, job, reason, decidedAt);
  if (at !== undefined && decidedAt < at - maxSkew)
    ledger.violated(`${job.id} ended too early: ${reason} at ${decidedAt}, not before ${at}`);
}

function earliest(ledger: Ledger, job: Job, reason: ReasonWord, decidedAt: number): number | undefined {
  const { options } = specOf(job);
  switch (reason) {
    case "DeadlineExceeded":
      return deadlineOf(ledger, job);
    case "QueueTimeout":
      return job.firstCreateAt === undefined ? after(job.createdAt, options.queueTimeout) : Infinity;
    case "StartTimeout":
      return after(job.provisioningAt, options.startTimeout, defaults.startTimeout);
    case "RunTimeout":
      return after(job.startedAt, options.runTimeout);
    case "LeaseExpired": {
      const read = ledger.reads.get(job.id);
      const since = read === undefined || read > decidedAt ? job.createdAt : Math.max(job.createdAt, read);
      return after(since, leaseOf(job)) + ledger.outageOf(job.id, since);
    }
    default:
      return undefined;
  }
}

/** A job that goes on though one of its times ran out long ago. */
export function notTooLate(ledger: Ledger, job: Job): void {
  const { phase } = job;
  if (hasEnded(phase) || endingOf(phase) || job.array?.ending) return;
  const { options } = specOf(job);
  const isWhole = job.array !== undefined;
  const starting = phase.state === "Provisioning" || phase.state === "Pending";
  const dueAt: Partial<Record<Reason, number>> = {
    DeadlineExceeded: deadlineOf(ledger, job),
    QueueTimeout: job.firstCreateAt === undefined && !isWhole ? after(job.createdAt, options.queueTimeout) : Infinity,
    StartTimeout: starting ? after(job.provisioningAt, options.startTimeout, defaults.startTimeout) : Infinity,
    RunTimeout: phase.state === "Running" && !isWhole ? after(phase.startedAt, options.runTimeout) : Infinity,
    // Looks that were late before all was well may have moved it on.
    LeaseExpired: after(Math.max(job.createdAt, ledger.quietSince), leaseOf(job)) + 10 * minute,
  };
  for (const [reason, at] of Object.entries(dueAt))
    if (ledger.now > ledger.latest(job, at))
      ledger.violated(`${job.id} is ${phase.state} long after ${reason} at ${at}`);
}

/** Nobody polls a rerun here: it keeps no lease. */
function leaseOf(job: Job): number | undefined {
  return job.via === "rerun" ? undefined : specOf(job).options.lease;
}

/** A job that goes on though its program ended long ago. */
export function endObservedInTime(ledger: Ledger, job: Job): void {
  const { phase } = job;
  if ((phase.state !== "Pending" && phase.state !== "Running") || endingOf(phase)) return;
  const spec = specOf(job);
  for (const group of ledger.groupsOf(job.id)) {
    const endedAt = decidedAt(spec, group);
    // A group whose create was taken for refused is found when its job is admitted again, which waits for the end of a pause.
    if (ledger.now > ledger.latest(job, Math.max(endedAt, ledger.resumedAt)))
      ledger.violated(`${job.id} goes on long after its end at ${endedAt}`);
  }
}

/** When a group's view first says how its attempt ends. */
function decidedAt({ options: { main }, restartPolicy }: Spec, group: Group): number {
  const { containers, script } = group;
  if (script?.does === "fail") return group.startsAt;
  const deciding = containers.filter(({ name }) => main === undefined || name === main);
  const endedAt = Math.max(...deciding.map(({ runs }) => runs.at(-1)?.endsAt ?? 0));
  if (script?.does === "silence" && script.says === "Running") return endedAt + settings.exitCodeTime;
  // Never means once: the group ends with the failure after which a container was started again.
  const again = script?.does === "restart" ? containers.find(({ runs }) => runs.length > 1)?.runs[1] : undefined;
  return again === undefined || restartPolicy === "OnFailure" ? endedAt : Math.min(endedAt, again.startsAt);
}

/** A child's is that of its array. */
function deadlineOf(ledger: Ledger, { createdAt, options, child }: Job): number {
  const array = child && ledger.job(child.array);
  const { timeout } = specOf(array ?? { options, child }).options;
  return after(array?.createdAt ?? createdAt, timeout, defaults.timeout);
}

function after(from: number | undefined, seconds: number | undefined, otherwise = Infinity): number {
  return from === undefined ? Infinity : from + (seconds === undefined ? otherwise : seconds * second);
}

/** How long a queued job may wait while no group is there: for a refusal of its target, a kept group or a pause. */
const longestRest = 2 * hour;

/** A job whose time ran out while it waited has waited for something that went on. */
export function waitedForSomething(ledger: Ledger, { id, phase }: Job, reason: ReasonWord): void {
  if (reason !== "DeadlineExceeded" || phase.state !== "Queued" || phase.waiting?.reason === "Budget") return;
  const { now, quietSince, resumedAt, pausedSince, lastGroupAt, world } = ledger;
  if (world.without !== undefined || pausedSince !== undefined || world.judge.groups.length > 0) return;
  if (now > Math.max(quietSince, resumedAt, lastGroupAt) + longestRest)
    ledger.violated(`${id} waited for ${phase.waiting?.reason} while nothing went on`);
}

/** What waited for the service to be resumed is woken then. */
export function resumedInTime(ledger: Ledger, before: Job, after: Job): void {
  const { pausedSince, resumedAt, resumed, quietSince, now, world } = ledger;
  // What an array that is ending waited for is shown until its children have ended.
  if (isEnding(before)) return;
  const waited = before.phase.state === "Queued" && before.phase.waiting?.reason === "Paused";
  const waits = after.phase.state === "Queued" && after.phase.waiting?.reason === "Paused";
  // A resume that was under way when all became well may have been cut short.
  if (world.without === "queue" || pausedSince !== undefined || resumedAt < quietSince + minute) return;
  if (waited && !waits && resumed.has(after.id) && now > resumedAt + 2 * minute)
    ledger.violated(`${after.id} waited on though the service was resumed`);
}
