// Longer than 350 lines: one state machine, whose phases are read in order.
import { backOff, minute, second } from "../base/duration.ts";
import { clip } from "../base/errors.ts";
import { absenceProof, absentAgain, type Ground } from "./absence.ts";
import { afterRefusal, afterUnread } from "./arm-answers.ts";
import { endingOf, hasEnded, type Ending, type Job, type LivePhase, type Phase, type TerminalPhase } from "./job.ts";
import { nothingRuns, type CreateFailure, type ObservedGroup, type Observation } from "./observation.ts";
import { whose } from "./ownership.ts";
import { entryOf } from "./reasons.ts";
import { isIdle, slotUntil } from "./slot.ts";
import { resendTime, requeueAt, skew, type Rules, type Step } from "./step.ts";
import { interrupted, nextTimeout, pace } from "./timing.ts";
import { isOfTarget, withRefusalBy } from "./targets.ts";
import { isLate } from "./typical.ts";
import {
  accepted,
  afterFailure,
  claimed,
  conclude,
  endOf,
  finish,
  keeps,
  move,
  note,
  postpone,
  provisioning,
  unclaimed,
  withEnding,
} from "./transitions.ts";
import { observe } from "./observed-group.ts";
import { failed, judge, type Outcome } from "./verdict.ts";

/**
 * What happens to a job next: a job, what was seen of its group, and the time decide one step. All of it is pure;
 * `workers/reconcile/reconcile.ts` does the step, saves with the row's ETag, and asks again. Every step may be repeated, interrupted
 * or doubled without harm. What a view of the group means is decided in `verdict.ts`, whose the group is in `ownership.ts`, and when
 * its absence is proved in `absence.ts`.
 *
 * Queued: nothing of this attempt exists in ACI. Left for Provisioning when the name, a slot of its group, the budget and a target were
 *   obtained and the container group was seen absent; for an end when the caller cancels or a time runs out. One that waits for long
 *   gives its slot back.
 * Provisioning: a create was sent, or is about to be, under a claim; its answer is not known. A crash here leaves the claim to run
 *   out; then the group is observed. Seen: Pending. Proved absent: Queued again.
 * Pending: ACI accepted the group. Running: a container started. Both are left when the attempt ended, or for an `ending`.
 * An `ending` (the row's `stopping`) is an end that is decided but not confirmed: logs are captured, the group is deleted or
 *   stopped, and only when nothing can run any more does the job become terminal, or Queued for the next attempt.
 * Unknown: a phase that only a newer release can read. Its job is left alone until that release is back.
 * Terminal: never changes its state. Its group is deleted (at once, or when `keep` runs out), then the name is freed and everybody
 *   notified: `tidy`.
 */
export function nextStep(job: Job, seen: Observation | undefined, admitted: boolean, now: number, rules: Rules): Step {
  const { phase } = job;
  if (phase.state === "Unknown") return { do: "leave alone" };
  if (job.claimUntil !== undefined) {
    if (now < job.claimUntil + skew) return requeueAt(job, job.claimUntil + skew);
    return { do: "save", job: unclaimed(job) };
  }
  if (hasEnded(phase)) return afterEnd(job, phase, seen, now, rules);
  if (job.array !== undefined) return { do: "array" };
  if (phase.state === "Queued") return queued(job, phase, seen, admitted, now, rules);
  if (seen === undefined) return { do: "observe" };
  const ending = endingOf(phase);
  if (ending) return confirmEnd(job, phase, ending, seen, now, rules);
  return follow(job, phase, seen, now, rules);
}

// ---------------------------------------------------------------------------------------------------------------- Queued

function queued(
  job: Job,
  phase: Extract<Phase, { state: "Queued" }>,
  seen: Observation | undefined,
  admitted: boolean,
  now: number,
  rules: Rules,
): Step {
  const end = interrupted(job, now);
  if (end) return { do: "save", job: finish(job, end, now, "gone", rules) };
  if (now >= slotUntil(job)) return { do: "leave group", job: claimed(job, now) };
  if (phase.notBefore !== undefined && now < phase.notBefore)
    return requeueAt(job, Math.min(phase.notBefore, nextTimeout(job), slotUntil(job)));
  if (!admitted) return { do: "admit" };
  if (seen === undefined) return { do: "observe" };
  switch (seen.group) {
    case "unknown":
      return afterUnread(readRefused(job, seen, now, rules), seen, now, rules);
    case "absent":
      return { do: "create", job: claimed(provisioning(job, now), now) };
    case "present": {
      const owner = whose(job, seen, true);
      if (owner.kind === "this attempt") return { do: "save", job: firstObserved(provisioning(job, now), seen, now) };
      if (owner.kind === "another attempt") return { do: "delete", job: claimed(job, now) };
      if (owner.kind === "another job") return requeueOther(postpone(job, "NameBusy", now, rules, undefined), owner.id);
      if (isAdoptable(seen, rules)) return { do: "create", job: claimed(provisioning(job, now), now) };
      return { do: "save", job: finish(job, failed(taken(job)), now, "gone", rules) };
    }
  }
}

/** A target that refuses reads would refuse the create too, and no create is sent without a read. */
function readRefused(job: Job, { reason }: Extract<Observation, { group: "unknown" }>, now: number, rules: Rules): Job {
  const { placed } = job;
  return placed === undefined || !isOfTarget(reason) ? job : withRefusalBy(placed, job, { reason }, now, rules);
}

/** A finished group of nobody's that the operator lets us replace. */
function isAdoptable(group: ObservedGroup, rules: Rules): boolean {
  return rules.adoptFinishedGroups && group.owner.kind === "untagged" && nothingRuns(group);
}

/** Somebody else's group has the name: it was there before the job's first create, or it came since. */
function taken({ firstCreateAt, phase, attempt }: Job): { readonly reason: "NameTaken" | "GroupReplaced" } {
  const isFirst = firstCreateAt === undefined || (phase.state === "Provisioning" && attempt === 1);
  return { reason: isFirst ? "NameTaken" : "GroupReplaced" };
}

function requeueOther(step: Step, id: Extract<ReturnType<typeof whose>, { kind: "another job" }>["id"]): Step {
  return step.do === "requeue" && id !== undefined ? { ...step, requeue: id } : step;
}

// ----------------------------------------------------------------------------------------- Provisioning, Pending, Running

function follow(job: Job, phase: LivePhase, seen: Observation, now: number, rules: Rules): Step {
  switch (seen.group) {
    case "unknown": {
      const blind = unseen(job, seen, now);
      if (targetIsGone(blind, now, rules)) return isGone(blind, phase, now, rules);
      const end = interrupted(blind, now, "unseen");
      if (end) return { do: "save", job: withEnding(blind, phase, afterFailure(blind, end, now, rules)) };
      return requeueAt(blind, now + Math.max(seen.retryAfter ?? 0, pace(job, now, rules)));
    }
    case "absent":
      return missing(job, phase, now, rules, seen.failure);
    case "present": {
      const owner = whose(job, seen, phase.absentAt !== undefined);
      switch (owner.kind) {
        case "this attempt":
          return present(job, phase, seen, now, rules);
        case "another attempt":
          // A view that lags behind, or a group that came back: to delete it now could take the present attempt's.
          return missing(job, phase, now, rules);
        case "another job":
          if (phase.state === "Provisioning")
            return requeueOther(postpone(job, "NameBusy", now, rules, undefined), owner.id);
          return replaced(job, phase, { reason: "GroupDisappeared" }, now, rules);
        case "foreign":
          // The finished group that is to be replaced is there until the create lands.
          if (phase.state === "Provisioning" && isAdoptable(seen, rules)) return missing(job, phase, now, rules);
          return replaced(job, phase, taken(job), now, rules);
      }
    }
  }
}

/** Another group stands where the job's was: so that one is gone, and nothing is done to or taken from this one. */
function replaced(
  job: Job,
  phase: LivePhase,
  verdict: { readonly reason: "NameTaken" | "GroupReplaced" | "GroupDisappeared" },
  now: number,
  rules: Rules,
): Step {
  if (phase.state === "Provisioning") return { do: "save", job: finish(job, failed(verdict), now, "gone", rules) };
  const ending = afterFailure(job, failed(verdict), now, rules);
  return { do: "capture", job: withEnding(job, phase, ending), group: undefined };
}

/**
 * Where to ask why a group is missing that was accepted and never seen: once, before its absence counts as proved.
 *
 * @returns path and query of ARM's operation
 */
export function operationToAsk({ observed, phase, claimUntil }: Job, now: number, rules: Rules): string | undefined {
  if (phase.state !== "Pending" || phase.ending || claimUntil !== undefined || observed.identity) return undefined;
  return absenceProof(absentAgain(phase, now), "nothing", now, rules).proved ? observed.operation : undefined;
}

/** The group is missing. This is trusted only when it is proved. */
function missing(before: Job, beforePhase: LivePhase, now: number, rules: Rules, failure?: CreateFailure): Step {
  const absence = absentAgain(beforePhase, now);
  const phase = { ...beforePhase, ...absence };
  const job: Job = { ...(phase.state === "Provisioning" ? before : notVisible(before, now)), phase };
  const wasAnswered = phase.state === "Provisioning" && phase.answered === true;
  const proof = absenceProof(absence, wasAnswered ? "told" : "nothing", now, rules);
  const mayLandUntil = phase.state === "Provisioning" ? (phase.mayLandUntil ?? 0) : 0;
  if (proof.proved && now < mayLandUntil + skew) return requeueAt(job, mayLandUntil + skew);
  if (proof.proved) return isGone(job, phase, now, rules, failure);
  const end = interrupted(job, now);
  if (end) return { do: "save", job: withEnding(job, phase, { ...afterFailure(job, end, now, rules), ...absence }) };
  return requeueAt(job, Math.min(proof.nextAt, nextTimeout(job)));
}

/** The absence is proved. */
function isGone(job: Job, phase: LivePhase, now: number, rules: Rules, failure?: CreateFailure): Step {
  const end = interrupted(job, now);
  if (phase.state === "Provisioning") {
    if (end !== undefined)
      return { do: "save", job: conclude(job, afterFailure(job, end, now, rules), now, "gone", rules) };
    if (phase.answered === true && job.refused !== undefined) return afterRefusal(job, now, rules);
    return postpone(job, "ArmUnavailable", now, rules, 0);
  }
  const outcome = end ?? failed({ reason: "GroupDisappeared" });
  const ending = failure && !end ? afterDropped(job, failure, now, rules) : afterFailure(job, outcome, now, rules);
  const told = failure === undefined ? job : { ...job, azure: failure.azure };
  return { do: "capture", job: withEnding(told, phase, ending), group: undefined };
}

/** ARM accepted the create, and dropped it: quota and capacity are waited for, as where the group itself says so. */
function afterDropped(job: Job, { reason, azure }: CreateFailure, now: number, rules: Rules): Ending {
  const detail = clip(`${azure.code}: ${azure.message}`, 500);
  if (reason === "QuotaReached" || reason === "NoCapacity")
    return { ...endOf(failed({ reason, detail }), now), to: "Queued", wait: true };
  // What else passes is no end, and whatever it was, the group is gone.
  const isEnd = reason !== undefined && entryOf(reason).rule !== "wait";
  return afterFailure(job, failed({ reason: isEnd ? reason : "GroupDisappeared", detail }), now, rules);
}

/** The create took effect: the group is seen for the first time. */
function firstObserved(job: Job, group: ObservedGroup, now: number): Job {
  const observed = observe(job, group, job.observed, now);
  return accepted({ ...job, observed, ...withEvents(job, group) }, now);
}

function present(before: Job, beforePhase: LivePhase, group: ObservedGroup, now: number, rules: Rules): Step {
  if (beforePhase.state === "Provisioning") return { do: "save", job: firstObserved(before, group, now) };
  const { absentAt: _absent, absences: _absences, ...live } = beforePhase;
  const { unseen: _unseen, ...seen } = before;
  const observed = observe(before, group, before.observed, now);
  const evicted = Math.max(0, observed.evictions - before.observed.evictions);
  const changed: Job = {
    ...seen,
    ...withEvents(before, group),
    phase: live,
    observed,
    evictions: before.evictions + evicted,
  };
  const job = evicted > 0 ? note(changed, "SpotEvicted", now) : changed;

  const judgement = judge(job, group, observed, now, rules);
  const started = observed.startedAt ?? (judgement.kind === "running" ? judgement.startedAt : undefined);
  switch (judgement.kind) {
    case "ended":
      return ended(started === undefined ? job : running(job, started, now), group, judgement.outcome, now, rules);
    case "stop and observe": {
      const here = running(job, started ?? now, now);
      const ending = { ...afterFailure(here, judgement.outcome, now, rules), observeStopped: true };
      return capture(here, ending, group);
    }
    case "wait": {
      const end = interrupted(job, now);
      if (end) return ended(job, group, end, now, rules);
      return capture(job, { ...endOf(failed(judgement.verdict), now), to: "Queued", wait: true }, group);
    }
    case "not started":
      break;
    case "unclear":
    case "running":
      if (live.state === "Pending") return { do: "save", job: running(job, judgement.startedAt, now) };
  }
  const end = interrupted(job, now);
  if (end) return ended(job, group, end, now, rules);
  return requeueAt(
    withLate(job, now),
    Math.min(now + pace(job, now, rules), nextTimeout(job), ...dueTimes(job, rules)),
  );
}

function withLate(job: Job, now: number): Job {
  const { phase } = job;
  return phase.state === "Running" && isLate(job, now) ? { ...job, phase: { ...phase, late: true } } : job;
}

function withEvents(job: Job, group: ObservedGroup): Pick<Job, "events"> {
  return { events: group.events.length > 0 ? [...group.events] : job.events };
}

function running(job: Job, startedAt: number, now: number): Job {
  if (job.phase.state !== "Pending") return job;
  const moved = move(job, { state: "Running", startedAt }, "Accepted", now);
  return { ...moved, startedAt: job.startedAt ?? startedAt };
}

/** When a rule of the verdict that waits will have waited enough. */
function dueTimes({ observed: { terminatedSince } }: Job, { exitCodeTime }: Rules): number[] {
  return terminatedSince === undefined ? [] : [terminatedSince + exitCodeTime];
}

/** The end is decided: capture first, whatever comes next. */
function ended(job: Job, group: ObservedGroup, outcome: Outcome, now: number, rules: Rules): Step {
  return capture(job, afterFailure(job, outcome, now, rules), group);
}

function capture(job: Job, ending: Ending, group: ObservedGroup): Step {
  const { phase } = job;
  if (hasEnded(phase) || phase.state === "Queued" || phase.state === "Unknown") return { do: "save", job };
  return { do: "capture", job: withEnding(job, phase, ending), group };
}

// ------------------------------------------------------------------------------------------------------------- Not seen

/** How long the group could not be read, and why. A missing resource group is a case of its own: for a day it proves nothing. */
function unseen(job: Job, { reason, azure }: Extract<Observation, { group: "unknown" }>, now: number): Job {
  const before = job.unseen;
  if (before === undefined) return { ...job, unseen: { reason, since: now } };
  if (before.reason === reason) return job;
  const isSilence = azure === undefined || azure.httpStatus === 0;
  if (before.reason === "TargetGone" && isSilence) return job;
  const since = reason === "TargetGone" || before.reason === "TargetGone" ? now : before.since;
  return { ...job, unseen: { reason, since } };
}

function notVisible(job: Job, now: number): Job {
  return { ...job, unseen: { reason: "NotVisible", since: job.unseen?.since ?? now } };
}

function targetIsGone({ unseen: blind }: Job, now: number, { targetGoneTime }: Rules): boolean {
  return blind?.reason === "TargetGone" && now >= blind.since + targetGoneTime;
}

// ---------------------------------------------------------------------------------------------------------------- Ending

function confirmEnd(job: Job, phase: LivePhase, ending: Ending, seen: Observation, now: number, rules: Rules): Step {
  const overdue = now >= ending.since + rules.stopTimeout;
  const giveUp = (): Step => ({ do: "save", job: conclude(job, ending, now, "present", rules) });
  const gone = (): Step =>
    ending.captured
      ? { do: "save", job: conclude(job, ending, now, "gone", rules) }
      : { do: "capture", job, group: undefined };
  if (ending.gone === true) return gone();
  if (seen.group === "unknown") {
    const blind = unseen(job, seen, now);
    if (targetIsGone(blind, now, rules)) return gone();
    return overdue
      ? giveUp()
      : requeueAt(blind, now + Math.max(seen.retryAfter ?? 0, rules.observationFloor, 5 * second));
  }
  if (seen.group === "absent") return confirmAbsence(job, phase, ending, now, rules, gone);
  const owner = whose(job, seen, ending.absentAt !== undefined);
  if (owner.kind === "foreign" || owner.kind === "another job") return gone();

  const { absentAt: _absent, absences: _absences, ...there } = ending;
  if (!there.captured) return { do: "capture", job: withEnding(job, phase, there), group: seen };
  if (there.observeStopped) return observeStopped(job, phase, there, seen, now, rules);
  if (there.to !== "Queued" && nothingRuns(seen))
    return { do: "save", job: conclude(job, there, now, "stopped", rules) };
  if (overdue) return giveUp();
  const isLocked = there.refused?.reason === "ResourceLocked";
  const how =
    there.to !== "Queued" && keeps(job, there.to) ? "stop" : isLocked && !nothingRuns(seen) ? "stop" : "delete";
  return send(job, phase, there, how, now, rules);
}

/** Sends a delete or stop, unless one is under way or ARM asked to wait. A stop is tried at once where a lock refuses the delete. */
function send(job: Job, phase: LivePhase, ending: Ending, how: "delete" | "stop", now: number, rules: Rules): Step {
  const isWay = how === "stop" && ending.refused?.reason === "ResourceLocked" && ending.refused.times === 1;
  const sendAt = isWay ? 0 : Math.max(ending.sendAt ?? 0, (ending.sentAt ?? -Infinity) + resendTime);
  if (now < sendAt)
    return requeueAt(withEnding(job, phase, ending), Math.min(sendAt, now + Math.max(rules.observationFloor, second)));
  const { sendAt: _send, ...unsent } = ending;
  return { do: how, job: claimed(withEnding(job, phase, { ...unsent, sentAt: now }), now) };
}

/**
 * A group that must end is not there. One that was accepted and never seen may still come: it is deleted blindly, since its name is
 * this job's (or stopped, where it is to be kept). Nothing is sent for one that was seen: whoever took it away may have made one of his own.
 */
function confirmAbsence(job: Job, phase: LivePhase, before: Ending, now: number, rules: Rules, gone: () => Step): Step {
  const absence = absentAgain(before, now);
  const ending = { ...before, ...absence };
  const proof = absenceProof(absence, groundOf(job, phase, before), now, rules);
  if (proof.proved) return gone();
  const isBlind = phase.state !== "Provisioning" && job.observed.identity === undefined;
  const sendAt = Math.max(ending.sendAt ?? 0, (ending.sentAt ?? -Infinity) + resendTime);
  const how = ending.to !== "Queued" && keeps(job, ending.to) ? "stop" : "delete";
  if (isBlind && now >= sendAt) return send(job, phase, ending, how, now, rules);
  return requeueAt(withEnding(job, phase, ending), Math.min(proof.nextAt, isBlind ? sendAt : Infinity));
}

function groundOf({ observed }: Job, phase: LivePhase, { deletedAt }: Ending): Ground {
  if (deletedAt !== undefined && (observed.identity !== undefined || phase.state === "Running")) return "told";
  return phase.state === "Provisioning" && phase.answered === true ? "told" : "nothing";
}

/** How long a group that was stopped is watched for an exit code. */
const stoppedTime = 60 * second;

/** Ended without an exit code: the group is stopped, and observed once more. */
function observeStopped(
  job: Job,
  phase: LivePhase,
  ending: Ending,
  group: ObservedGroup,
  now: number,
  rules: Rules,
): Step {
  const { observeStopped: _done, sentAt, sendAt: _send, ...decided } = ending;
  const proceed = { ...decided, observeStopped: false };
  if (nothingRuns(group)) {
    const observed = observe(job, { ...group, state: "Failed" }, job.observed, now);
    const judgement = judge(job, { ...group, state: "Failed" }, observed, now, rules);
    const known = judgement.kind === "ended" ? afterFailure(job, judgement.outcome, now, rules) : proceed;
    return capture({ ...job, observed }, { ...known, since: ending.since }, group);
  }
  if (sentAt === undefined && now >= (ending.sendAt ?? 0)) return send(job, phase, ending, "stop", now, rules);
  // A stop that was refused is sent again: the time begins when one went out.
  const until = Math.min((sentAt ?? Infinity) + stoppedTime, ending.since + rules.stopTimeout / 2);
  if (now >= until) return { do: "save", job: withEnding(job, phase, proceed) };
  return requeueAt(withEnding(job, phase, ending), now + Math.max(rules.observationFloor, second));
}

// -------------------------------------------------------------------------------------------------------------- Terminal

function afterEnd(job: Job, phase: TerminalPhase, seen: Observation | undefined, now: number, rules: Rules): Step {
  if (isIdle(job)) return { do: "leave group", job: claimed(job, now) };
  const pending = [job.callback, job.reply].filter(({ state }) => state === "pending");
  const notifyAt = Math.min(...pending.map(({ nextAt }) => nextAt ?? 0));
  if (now >= notifyAt) return { do: "notify" };
  if (phase.group === "gone") {
    if (!phase.tidy) return { do: "finalize" };
    return pending.length > 0 ? requeueAt(job, notifyAt) : { do: "done" };
  }
  if (phase.keepUntil !== undefined && now < phase.keepUntil && !job.yield) {
    return requeueAt(job, Math.min(phase.keepUntil, notifyAt));
  }
  // A word of a newer release: only that one knows whether the group may go.
  if (phase.group !== "present" && phase.group !== "stopped") return { do: "leave alone" };
  return removeGroup(job, phase, seen, now, rules);
}

/** A group that nobody needs any more is deleted until it is proved to be gone. */
function removeGroup(job: Job, phase: TerminalPhase, seen: Observation | undefined, now: number, rules: Rules): Step {
  const gone: Step = { do: "save", job: { ...job, phase: { ...phase, group: "gone" } } };
  if (phase.gone === true) return gone;
  if (seen === undefined) return { do: "observe" };
  switch (seen.group) {
    case "unknown": {
      const blind = unseen(job, seen, now);
      const pause = patient(blind.unseen?.since ?? now, now, 10 * second);
      return targetIsGone(blind, now, rules) ? gone : requeueAt(blind, now + Math.max(seen.retryAfter ?? 0, pause));
    }
    case "absent": {
      const absence = absentAgain(phase, now);
      const proof = absenceProof(absence, phase.deletedAt === undefined ? "nothing" : "told", now, rules);
      return proof.proved ? gone : requeueAt({ ...job, phase: { ...phase, ...absence } }, proof.nextAt);
    }
    case "present": {
      const { kind } = whose(job, seen, phase.absentAt !== undefined);
      if (kind === "foreign" || kind === "another job") return gone;
      const { absentAt: _absent, absences: _absences, ...there } = phase;
      if (!there.captured) return { do: "capture", job, group: seen };
      const { sendAt = 0, sends = 0, sentAt = -Infinity, ...unsent } = there;
      const resendAt = Math.max(
        sendAt,
        sentAt + backOff(Math.max(0, sends - 1), resendTime, maxResendTime, rules.random),
      );
      if (now < resendAt) {
        const soon = now + patient(sentAt, now, Math.max(rules.observationFloor, second));
        return requeueAt({ ...job, phase: there }, Math.max(sendAt, Math.min(soon, resendAt)));
      }
      return {
        do: "delete",
        job: claimed({ ...job, phase: { ...unsent, sends: sends + 1, sentAt: now } }, now),
      };
    }
  }
}

/** A group that stays though deletes are accepted must not use up what others' deletes need. */
const maxResendTime = 15 * minute;
const maxPatience = 5 * minute;

/** How long until the next observation of what has not changed since then: a tenth of that time. */
function patient(since: number, now: number, floor: number): number {
  return Math.min(Math.max(floor, (now - since) / 10), maxPatience);
}
