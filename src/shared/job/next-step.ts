import { second } from "../base/duration.ts";
import {
  endingOf,
  hasEnded,
  type Ending,
  type GroupSeen,
  type Job,
  type LivePhase,
  type Observation,
  type Phase,
  type TerminalPhase,
} from "./job.ts";
import { allExited, firstEnd, nothingRuns, outcomeOf, type Outcome } from "./verdict.ts";
import { resendTime, rest, settleTime, skew, type Rules, type Step } from "./step.ts";
import { interrupted, nextTimeout, pace } from "./timing.ts";
import {
  accepted,
  afterFailure,
  claimed,
  conclude,
  failed,
  finish,
  keeps,
  move,
  postpone,
  provisioning,
  unclaimed,
  withEnding,
} from "./transitions.ts";
import { troubleOf } from "./start-watchdog.ts";

/**
 * The machine: a job, what was seen of its group, and the time decide one step. All of it is pure; `workers/reconcile.ts` does the
 * step, saves with the row's ETag, and asks again. Every step may be repeated, interrupted or doubled without harm.
 *
 * Queued: nothing of this attempt exists in ACI. Left for Provisioning when the name, the budget and a place are had and the group
 *   was seen absent; for an end when the caller cancels or a time runs out.
 * Provisioning: a create was sent, or is about to be, under a claim; its answer is not known. A crash here leaves the claim to run
 *   out; then the group is looked for. Seen: Pending. Absent for so long that a PUT can't be on its way any more: Queued again.
 * Pending: ACI accepted the group. Running: its containers started. Both are left when the containers ended, or for an `ending`.
 * An `ending` (the row's `stopping`) is an end that is decided but not confirmed: logs are captured, the group is deleted or
 *   stopped, and only when nothing can run any more does the job become terminal, or Queued for the next attempt.
 * Unknown: a phase that only a newer release can read. Its job is left alone until that release is back.
 * Terminal: never changes its state. Its group is deleted (at once, or when `keep` runs out), then the name is freed and everybody
 *   told: `tidy`.
 */
export function nextStep(job: Job, seen: Observation | undefined, admitted: boolean, now: number, rules: Rules): Step {
  const { phase } = job;
  if (phase.state === "Unknown") return { do: "leave alone" };
  if (job.claimUntil !== undefined) {
    if (now < job.claimUntil + skew) return rest(job, job.claimUntil + skew);
    return { do: "save", job: unclaimed(job) };
  }
  if (hasEnded(phase)) return afterEnd(job, phase, seen, now, rules);
  if (phase.state === "Queued") return queued(job, phase, seen, admitted, now, rules);
  if (seen === undefined) return { do: "look" };
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
  if (phase.notBefore !== undefined && now < phase.notBefore)
    return rest(job, Math.min(phase.notBefore, nextTimeout(job)));
  if (!admitted) return { do: "admit" };
  if (seen === undefined) return { do: "look" };
  switch (seen.group) {
    case "unknown":
      return postpone(job, seen.reason, now, rules, seen.retryAfter);
    case "absent":
      return { do: "create", job: claimed(provisioning(job, now), now) };
    case "present": {
      if (isOf(job, seen)) {
        if (seen.owner.attempt === job.attempt) return { do: "save", job: accepted(provisioning(job, now), now) };
        return { do: "delete", job: claimed(job, now) };
      }
      if (seen.owner.kind === "ours") return postpone(job, "NameBusy", now, rules, undefined);
      if (adoptable(seen, rules)) return { do: "create", job: claimed(provisioning(job, now), now) };
      return { do: "save", job: finish(job, failed({ reason: "NameTaken" }), now, "gone", rules) };
    }
  }
}

function isOf(job: Job, group: GroupSeen): group is GroupSeen & { owner: { kind: "ours" } } {
  return group.owner.kind === "ours" && group.owner.jobId === job.id;
}

/** A finished group of nobody's that the operator lets us replace. */
function adoptable(group: GroupSeen, rules: Rules): boolean {
  return rules.adoptFinishedGroups && group.owner.kind === "untagged" && nothingRuns(group);
}

// ----------------------------------------------------------------------------------------- Provisioning, Pending, Running

function follow(job: Job, phase: LivePhase, seen: Observation, now: number, rules: Rules): Step {
  switch (seen.group) {
    case "unknown": {
      const end = interrupted(job, now, "unseen");
      if (end) return { do: "save", job: withEnding(job, phase, afterFailure(job, end, now, rules)) };
      return rest(job, now + Math.max(seen.retryAfter ?? 0, pace(job, now, rules)));
    }
    case "absent":
      return missing(job, phase, now, rules);
    case "present":
      if (isOf(job, seen) && seen.owner.attempt !== job.attempt) return { do: "delete", job: claimed(job, now) };
      if (phase.state === "Provisioning" && !isOf(job, seen)) {
        // The finished group that is to be replaced is there until the create lands.
        if (adoptable(seen, rules)) return missing(job, phase, now, rules);
        return { do: "save", job: finish(job, failed({ reason: "NameTaken" }), now, "gone", rules) };
      }
      // A job that knows its group does not lose it with its tags.
      if (!isOf(job, seen) && seen.owner.kind !== "untagged") return missing(job, phase, now, rules);
      return present(job, phase, seen, now, rules);
  }
}

/** The group is not there, which is believed only when it has been so for a while. */
function missing(job: Job, phase: LivePhase, now: number, rules: Rules): Step {
  const { absentAt } = phase;
  if (absentAt === undefined) return rest({ ...job, phase: { ...phase, absentAt: now } }, now + settleTime);
  const sureAt = surelyAbsentAt(phase, absentAt);
  if (now < sureAt) return rest(job, Math.min(sureAt, now + settleTime));
  const end = interrupted(job, now);
  if (phase.state === "Provisioning") {
    if (end === undefined) return postpone(job, "ArmUnavailable", now, rules, 0);
    return { do: "save", job: conclude(job, afterFailure(job, end, now, rules), now, "gone", rules) };
  }
  const ending = afterFailure(job, end ?? failed({ reason: "GroupDisappeared" }), now, rules);
  return { do: "capture", job: withEnding(job, phase, ending), group: undefined };
}

/**
 * When "nothing there" may be believed. ARM may not know yet what it accepted a moment ago, so it must be seen twice; and a create
 * whose answer got lost may still be on its way.
 */
function surelyAbsentAt(phase: LivePhase, absentAt: number): number {
  const landing = phase.state === "Provisioning" ? (phase.mayLandUntil ?? 0) : 0;
  return Math.max(absentAt, landing) + settleTime;
}

function present(job: Job, phase: LivePhase, group: GroupSeen, now: number, rules: Rules): Step {
  const events = group.events.length > 0 ? [...group.events] : job.events;
  if (phase.state === "Provisioning") return { do: "save", job: { ...accepted(job, now), events } };
  const { absentAt: _absent, ...live } = phase;
  const current: Job = { ...job, events, phase: live };

  const started = group.containers.filter(({ init, state }) => !init && state !== "Waiting" && state !== "Unknown");
  if (phase.state === "Pending" && (started.length > 0 || group.state === "Running")) {
    const startedAt = Math.min(now, ...started.map(({ startTime }) => startTime ?? now));
    return {
      do: "save",
      job: {
        ...move(current, { state: "Running", startedAt }, "Accepted", now),
        startedAt: job.startedAt ?? startedAt,
      },
    };
  }

  if (nothingRuns(group)) return ended(current, live, group, outcomeOf(group, job.options.main), now, rules);
  const main = job.options.main && group.containers.find(({ name, init }) => name === job.options.main && !init);
  if ((main && firstEnd(main)) || allExited(group, job.restartPolicy)) {
    return ended(current, live, group, outcomeOf(group, job.options.main), now, rules);
  }
  if (
    group.provisioning === "Failed" &&
    group.containers.every(({ state }) => state === "Waiting" || state === "Unknown")
  ) {
    return ended(current, live, group, failed({ reason: "ProvisioningFailed" }), now, rules);
  }
  const trouble = troubleOf(group, job.restartPolicy, rules.maxRestarts);
  if (trouble) return ended(current, live, group, failed(trouble), now, rules);
  const end = interrupted(current, now);
  if (end) return ended(current, live, group, end, now, rules);

  if (live.state === "Running" && group.owner.kind === "untagged" && live.taggedAt === undefined)
    return { do: "tag", job: claimed({ ...current, phase: { ...live, taggedAt: now } }, now) };

  return rest(current, Math.min(now + pace(current, now, rules), nextTimeout(current)));
}

/** The end is decided: capture first, whatever comes next. */
function ended(job: Job, phase: LivePhase, group: GroupSeen, outcome: Outcome, now: number, rules: Rules): Step {
  return { do: "capture", job: withEnding(job, phase, afterFailure(job, outcome, now, rules)), group };
}

// ---------------------------------------------------------------------------------------------------------------- Ending

function confirmEnd(job: Job, phase: LivePhase, ending: Ending, seen: Observation, now: number, rules: Rules): Step {
  const overdue = now >= ending.since + rules.stopTimeout;
  const giveUp = (): Step => ({ do: "save", job: conclude(job, ending, now, "present", rules) });
  const again = (changed: Ending, until: number): Step => rest(withEnding(job, phase, changed), until);
  if (seen.group === "unknown") {
    return overdue ? giveUp() : rest(job, now + Math.max(seen.retryAfter ?? 0, rules.lookFloor, 5 * second));
  }
  if (seen.group === "absent" || !(isOf(job, seen) || seen.owner.kind === "untagged")) {
    // A delete is sent only for a group that was seen, so what is absent after it is gone.
    if (ending.sentAt === undefined) {
      if (ending.absentAt === undefined) return again({ ...ending, absentAt: now }, now + settleTime);
      const sureAt = surelyAbsentAt(phase, ending.absentAt);
      if (now < sureAt) return rest(job, Math.min(sureAt, now + settleTime));
    }
    if (!ending.captured) return { do: "capture", job, group: undefined };
    return { do: "save", job: conclude(job, ending, now, "gone", rules) };
  }
  const { absentAt: _absent, ...there } = ending;
  if (!there.captured) return { do: "capture", job: withEnding(job, phase, there), group: seen };
  if (there.to !== "Queued" && nothingRuns(seen))
    return { do: "save", job: conclude(job, there, now, "stopped", rules) };
  if (overdue) return giveUp();
  if (there.sentAt === undefined || now >= there.sentAt + resendTime) {
    const act = there.to !== "Queued" && keeps(job, there.to) ? "stop" : "delete";
    return { do: act, job: claimed(withEnding(job, phase, { ...there, sentAt: now }), now) };
  }
  return again(there, now + Math.max(rules.lookFloor, second));
}

// -------------------------------------------------------------------------------------------------------------- Terminal

function afterEnd(job: Job, phase: TerminalPhase, seen: Observation | undefined, now: number, rules: Rules): Step {
  const pending = [job.callback, job.reply].filter(({ state }) => state === "pending");
  const tellAt = Math.min(...pending.map(({ nextAt }) => nextAt ?? 0));
  if (now >= tellAt) return { do: "tell" };
  if (phase.group === "gone") {
    if (!phase.tidy) return { do: "tidy" };
    return pending.length > 0 ? rest(job, tellAt) : { do: "done" };
  }
  if (phase.keepUntil !== undefined && now < phase.keepUntil && !job.yield) {
    return rest(job, Math.min(phase.keepUntil, tellAt));
  }
  // A word of a newer release: only that one knows whether the group may go.
  if (phase.group !== "present" && phase.group !== "stopped") return { do: "leave alone" };
  return removeGroup(job, phase, seen, now, rules);
}

/** A group that nobody needs any more is deleted until it is seen to be gone. */
function removeGroup(job: Job, phase: TerminalPhase, seen: Observation | undefined, now: number, rules: Rules): Step {
  if (seen === undefined) return { do: "look" };
  const goneNow: Step = { do: "save", job: { ...job, phase: { ...phase, group: "gone" } } };
  switch (seen.group) {
    case "unknown":
      return rest(job, now + Math.max(seen.retryAfter ?? 0, 10 * second));
    case "absent":
      if (phase.sentAt !== undefined || phase.absentAt !== undefined) {
        if (phase.absentAt !== undefined && now < phase.absentAt + settleTime)
          return rest(job, phase.absentAt + settleTime);
        return goneNow;
      }
      return rest({ ...job, phase: { ...phase, absentAt: now } }, now + settleTime);
    case "present":
      if (!isOf(job, seen) && seen.owner.kind !== "untagged") return goneNow;
      if (!phase.captured) return { do: "capture", job, group: seen };
      if (phase.sentAt === undefined || now >= phase.sentAt + resendTime) {
        return { do: "delete", job: claimed({ ...job, phase: { ...phase, sentAt: now } }, now) };
      }
      return rest(job, now + Math.max(rules.lookFloor, second));
  }
}
