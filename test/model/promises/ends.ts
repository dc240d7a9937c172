import { second } from "../../../src/shared/base/duration.ts";
import { entryOf, type ReasonWord } from "../../../src/shared/job/reasons.ts";
import { nameKey } from "../../../src/shared/base/ids.ts";
import {
  endingOf,
  type Job,
  type TerminalPhase,
  type TerminalState,
  type Verdict,
} from "../../../src/shared/job/job.ts";
import { lastEnd, type Group } from "../groups.ts";
import type { Ledger } from "../ledger.ts";
import { arrayEnded, isEnding } from "./arrays.ts";
import { specOf } from "../submissions.ts";
import { maxSkew, settings } from "../settings.ts";
import { endOf, type Spec } from "../specs.ts";

/** How a job may end, and which attempts it may have: what its containers did, what its options ask for, and nothing else. */

export function ended(ledger: Ledger, before: Job, job: Job, phase: TerminalPhase): void {
  if (job.array !== undefined) arrayEnded(ledger, job, job.array, phase);
  const running = ledger.groupsOf(job.id).filter((group) => ledger.world.aci.runs(group));
  const since = endingOf(before.phase)?.since;
  const gaveUp = since !== undefined && ledger.now >= since + settings.stopTimeout - maxSkew;
  if (running.some((group) => !gaveUp || !mayLive(ledger, group, since)))
    ledger.violated(`${job.id} became ${phase.state} while its group runs`);

  const { state, verdict } = phase;
  const expected = stateOf[verdict.reason];
  if (state !== expected || !isReasonable(ledger, job, verdict.reason, gaveUp))
    ledger.violated(`${job.id} ended ${state} ${verdict.reason}, which nobody asked for`);
  attemptEnded(ledger, job, job.attempt);
  if (job.array !== undefined) return;
  if (state === "Succeeded" && !hasSucceeded(ledger, job))
    ledger.violated(`${job.id} became Succeeded, and its containers did not`);
  if (!gaveUp && before.phase.state !== "Queued" && job.child?.items === undefined)
    notRetried(ledger, job, phase, since ?? phase.finishedAt);
}

/** Only a lock, a refused delete, or trouble that went on while the end was to be confirmed, leaves a job's group alive. */
function mayLive({ quietSince }: Ledger, { lockedUntil = 0, refusedAt = 0 }: Group, since: number): boolean {
  return quietSince === Infinity || since < quietSince || Math.max(lockedUntil, refusedAt) > since;
}

/** What really happened in the group of the job's last attempt: each container that counts ended with 0, or the group says it for all. */
function hasSucceeded(ledger: Ledger, job: Job): boolean {
  const group = ledger.groupOf(job.id, job.attempt);
  const { options, restartPolicy } = specOf(job);
  if (group === undefined) return false;
  const stopped = group.stoppedAt ?? Infinity;
  if (lastEnd(group) <= stopped && group.script?.does === "silence") {
    const { says, stopTells } = group.script;
    if (says === "Succeeded" || (says === "Running" && stopTells === 0)) return true;
  }
  const counting = group.containers.filter(({ name }) => options.main === undefined || name === options.main);
  return counting.every(({ runs }) => {
    const over = runs.filter(({ endsAt }) => endsAt <= Math.min(stopped, ledger.now));
    const ends = over.flatMap(({ exitCode }) => (exitCode === undefined || isPlatforms(exitCode) ? [] : [exitCode]));
    return (restartPolicy === "OnFailure" ? ends.at(-1) : ends[0]) === 0;
  });
}

/** Codes with which the platform itself ends a container. */
function isPlatforms(code: number): boolean {
  return code === 7147 || code === 7148;
}

/** The ends that there are in the model. */
const stateOf: Partial<Record<ReasonWord, TerminalState>> = {
  Completed: "Succeeded",
  ExitCode: "Failed",
  OutOfMemory: "Failed",
  ExitUnknown: "Failed",
  SpotEvicted: "Failed",
  PlatformRestart: "Failed",
  ProvisioningFailed: "Failed",
  QuotaReached: "Failed",
  NoCapacity: "Failed",
  ImagePullFailed: "Failed",
  MountFailed: "Failed",
  StartFailed: "Failed",
  InaccessibleImage: "Failed",
  PolicyDenied: "Failed",
  RegistryBusy: "Failed",
  NameTaken: "Failed",
  GroupReplaced: "Failed",
  GroupDisappeared: "Failed",
  StoppedExternally: "Stopped",
  ChildrenFailed: "Failed",
  CanceledByCaller: "Canceled",
  ArrayEnded: "Canceled",
  Replaced: "Canceled",
  LeaseExpired: "Canceled",
  DeadlineExceeded: "TimedOut",
  QueueTimeout: "TimedOut",
  StartTimeout: "TimedOut",
  RunTimeout: "TimedOut",
};

/** Whether somebody gave a reason for such an end; that times have run out is judged with the times. */
function isReasonable(ledger: Ledger, job: Job, reason: ReasonWord, gaveUp: boolean): boolean {
  const array = job.child && ledger.job(job.child.array);
  switch (reason) {
    // A wait, unless the group that was never started can't be removed.
    case "QuotaReached":
    case "NoCapacity":
      return gaveUp;
    case "CanceledByCaller":
      return ledger.mayBeCanceled(job);
    case "ArrayEnded":
      return array !== undefined && isEnding(array);
    case "Replaced":
      return ledger.sharing(array ?? job).some((other) => specOf(other).options.onConflict === "replace");
    case "GroupDisappeared":
    case "StoppedExternally":
      return ledger.interfered.has(job.id);
    case "GroupReplaced":
      return job.firstCreateAt !== undefined && ledger.foreignNames.has(nameKey(job.groupName));
    case "NameTaken":
      return ledger.foreignNames.has(nameKey(job.groupName));
    case "PolicyDenied":
      return ledger.refusalsOf(job.id).some((each) => each === reason);
    case "InaccessibleImage":
    case "RegistryBusy":
      return ledger.refusalsOf(job.id).filter((each) => each === reason).length >= 4;
    default:
      return true;
  }
}

const ofPrograms: readonly ReasonWord[] = ["Completed", "ExitCode", "OutOfMemory"];
const ofGroups: readonly ReasonWord[] = [
  ...ofPrograms,
  ...(["ExitUnknown", "SpotEvicted", "PlatformRestart", "ProvisioningFailed"] as const),
  ...(["ImagePullFailed", "MountFailed", "StartFailed", "CrashLoop"] as const),
];

/** What an attempt gave the job is what its containers ended with, or what the platform did to it. */
export function attemptEnded(ledger: Ledger, job: Job, number: number): void {
  const attempt = job.attempts.findLast((each) => each.number === number);
  // A pack's end is not that of its items, which are judged with their array.
  if (job.child?.items !== undefined) return;
  if (attempt === undefined || ledger.interfered.has(job.id) || !ofGroups.includes(attempt.verdict.reason)) return;
  const { reason, exitCode } = attempt.verdict;
  // A stop that never got through brings nothing to light.
  const group = ledger.groupOf(job.id, number);
  if (reason === "ExitUnknown" && group?.script?.does === "silence" && group.stoppedAt === undefined) return;
  const expected = endOf(specOf(job), number);
  if (reason !== expected.reason || exitCode !== expected.exitCode)
    ledger.violated(
      `attempt ${number} of ${job.id} ended ${reason} ${exitCode}, not ${expected.reason} ${expected.exitCode}`,
    );
  if (!ofPrograms.includes(reason)) return;
  if (ledger.world.table("attempts").get(job.id, String(number).padStart(3, "0")) === undefined)
    ledger.violated(`nothing was captured of attempt ${number} of ${job.id}`);
}

/** Another attempt began. */
export function retried(ledger: Ledger, before: Job, job: Job): void {
  if (job.child?.items !== undefined) {
    const begun = ledger.groupOf(job.id, before.attempt);
    // What vanished before anybody saw it run may be tried again.
    const isSeen = before.observed.ends.length > 0 || before.phase.state === "Running";
    if (begun !== undefined && isSeen) ledger.violated(`pack ${job.id} was tried again though it had begun`);
    return;
  }
  const verdict = job.attempts.findLast(({ number }) => number === before.attempt)?.verdict;
  if (job.attempt !== before.attempt + 1)
    ledger.violated(`attempt ${job.attempt} of ${job.id} after ${before.attempt}`);
  if (verdict === undefined || nextAttempt(ledger, job, before.attempt, "free") === "none")
    ledger.violated(`${job.id} was tried again after ${verdict?.reason} ${verdict?.exitCode}`);
}

/** No further attempt: no attempt was left, or the caller asked for no retries. */
function notRetried(ledger: Ledger, job: Job, { state, verdict }: TerminalPhase, decidedAt: number): void {
  const { timeout = Infinity } = specOf(job).options;
  if ((state !== "Failed" && state !== "TimedOut") || job.cancel) return;
  if (verdict.reason === "NameTaken" || verdict.reason === "GroupReplaced") return;
  if (decidedAt >= job.createdAt + timeout * second - maxSkew) return;
  if (nextAttempt(ledger, job, job.attempt, "paid") === "none") return;
  ledger.violated(`${job.id} was not tried again after ${verdict.reason} ${verdict.exitCode}`);
}

/**
 * What pays for an attempt after the given one: nothing where the region had no room or, some times in a row, where the platform ended
 * it or nothing ran; else one of the caller's retries, where its rules ask for it.
 */
function nextAttempt(ledger: Ledger, job: Job, last: number, inDoubt: Doubt): "wait" | "free" | "paid" | "none" {
  const spec = specOf(job);
  let paid = 0;
  let freeInRow = 0;
  let next: "wait" | "free" | "paid" | "none" = "none";
  for (const { number, verdict } of job.attempts.filter((each) => each.number <= last)) {
    if (isWait(ledger, job, number, verdict)) next = "wait";
    else if (isFree(ledger, job, number, verdict, inDoubt) && freeInRow < settings.freeRetries) next = "free";
    else next = paid < (spec.options.retries ?? 0) && retriesOn(spec, verdict) ? "paid" : "none";
    if (next === "paid") paid++;
    freeInRow = next === "free" ? freeInRow + 1 : next === "wait" ? freeInRow : 0;
  }
  return next;
}

function isWait(ledger: Ledger, job: Job, number: number, { reason }: Verdict): boolean {
  return (reason === "QuotaReached" || reason === "NoCapacity") && !hasRun(ledger, job, number);
}

/** A group that vanishes soon after a delete of its name may have been taken by that delete: only the service knows whether it was seen before. */
type Doubt = "free" | "paid";

function isFree(ledger: Ledger, job: Job, number: number, { reason }: Verdict, inDoubt: Doubt): boolean {
  if (reason === "PlatformRestart" || reason === "SpotEvicted") return true;
  if (reason === "ProvisioningFailed") return !hasRun(ledger, job, number);
  return reason === "GroupDisappeared" && inDoubt === "free" && job.lastDeleteAt !== undefined;
}

/** Whether a program of the attempt ever began, seen or not. */
function hasRun(ledger: Ledger, { id }: Job, number: number): boolean {
  const group = ledger.groupOf(id, number);
  return group !== undefined && group.script?.does !== "fail" && group.startsAt <= ledger.now;
}

/** By default: whatever can be the program's, the image's, the platform's or the start's fault. */
const retriedUnasked: readonly ReasonWord[] = [
  ...ofGroups,
  ...(["RegistryBusy", "InaccessibleImage", "GroupDisappeared", "StartTimeout", "RunTimeout"] as const),
];

/** As `retryOn` is documented: exit codes, reasons, faults or `*`; the first match decides, `!` is no, and so is no match. */
function retriesOn({ options }: Spec, { reason, exitCode }: Verdict): boolean {
  if (options.retryOn === undefined) return reason !== "Completed" && retriedUnasked.includes(reason);
  const names = ["*", reason, entryOf(reason).party, String(exitCode)];
  const rule = options.retryOn.split(",").find((each) => names.includes(each.replace("!", "")));
  return rule !== undefined && !rule.startsWith("!");
}
