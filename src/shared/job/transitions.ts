import { backOff, minute, second } from "../base/duration.ts";
import { entryOf, type ReasonWord } from "./reasons.ts";
import {
  endingOf,
  nothingObserved,
  type Ending,
  type Job,
  type LivePhase,
  type Phase,
  type TerminalPhase,
  type TerminalState,
  type Verdict,
  type Waiting,
} from "./job.ts";
import { isPack } from "./observed-group.ts";
import type { RetryRule } from "./option-readers.ts";
import type { Outcome } from "./verdict.ts";
import { slotUntil } from "./slot.ts";
import { claimTime, lateTime, requeueAt, type Rules, type Step } from "./step.ts";
import { nextTimeout, pullSeconds } from "./timing.ts";

/** The moves of the machine: from a job and a decision to the job as it is then. */
const maxHistory = 60;

export function provisioning(job: Job, now: number): Job {
  const waiting = job.phase.state === "Queued" ? job.phase.waiting : undefined;
  return {
    ...move(
      job,
      { state: "Provisioning", sentAt: now, mayLandUntil: now + lateTime, ...(waiting ? { waiting } : {}) },
      "Accepted",
      now,
    ),
    provisioningAt: now,
    firstCreateAt: job.firstCreateAt ?? now,
  };
}

/** Back to waiting with a reason; the delay doubles with each refusal of this attempt. */
export function postpone(
  job: Job,
  reason: ReasonWord,
  now: number,
  rules: Rules,
  retryAfter: number | undefined,
  detail?: string,
): Step {
  const refused = job.phase.state === "Queued" ? job.phase.refusals : 0;
  const before = job.phase.state === "Queued" || job.phase.state === "Provisioning" ? job.phase.waiting : undefined;
  const delay = Math.max(retryAfter ?? 0, backOff(refused, 5 * second, 5 * 60 * second, rules.random));
  const notBefore = now + delay;
  const since = before?.reason === reason ? before.since : now;
  const phase: Phase = {
    state: "Queued",
    waiting: { reason, since, ...(detail === undefined ? {} : { detail }) },
    notBefore,
    refusals: refused + 1,
  };
  const { provisioningAt: _nothingCreated, ...waiting } = move(job, phase, reason, now);
  return requeueAt(waiting, Math.min(notBefore, nextTimeout(job), slotUntil(waiting)));
}

/** What an outcome leads to: an end, or another attempt, at nobody's expense or at the caller's. */
export function afterFailure(job: Job, outcome: Outcome, now: number, rules: Rules): Ending {
  const end = endOf(outcome, now);
  if (outcome.state === "Succeeded" || outcome.state === "Stopped" || outcome.state === "Canceled") return end;
  if (job.cancel !== undefined)
    return endOf({ state: "Canceled", verdict: { ...outcome.verdict, reason: job.cancel.reason } }, now);
  if (now >= job.deadlineAt) return end;
  // What a pack has begun is not begun again as a whole: its array goes on with those of its items that need it.
  if (isPack(job) && job.observed.anyStarted) return end;
  const asked = retryAsked(job.options.retryOn, outcome.verdict);
  if (isFree(job, outcome.verdict) && job.freeInRow < rules.freeRetries) return { ...end, to: "Queued", free: true };
  const { rule } = entryOf(outcome.verdict.reason);
  if (!isPack(job) && job.retriesUsed < job.options.retries && (asked ?? rule !== "end"))
    return { ...end, to: "Queued" };
  return end;
}

/** How soon after a delete of the same name a group that is gone may have been taken by that delete (azure-cli#14643). */
const lateDelete = 5 * minute;

/** A new attempt that nobody asked for follows only where no program ran, or where the platform or an eviction ended it. */
function isFree({ observed, lastDeleteAt }: Job, { reason }: Verdict): boolean {
  if (reason === "PlatformRestart" || reason === "SpotEvicted") return true;
  if (observed.anyStarted) return false;
  if (reason !== "GroupDisappeared") return entryOf(reason).rule === "free";
  const { acceptedAt } = observed;
  return lastDeleteAt !== undefined && acceptedAt !== undefined && acceptedAt - lastDeleteAt <= lateDelete;
}

/** What the caller's rules say of a failure; `undefined` where there are no rules. */
export function retryAsked(rules: readonly RetryRule[], verdict: Verdict): boolean | undefined {
  if (rules.length === 0) return undefined;
  const { party } = entryOf(verdict.reason);
  const first = rules.find(({ when }) => {
    if (typeof when === "string") return when === "anything";
    if ("reason" in when) return when.reason === verdict.reason;
    if ("party" in when) return when.party === party;
    // What only a newer release can read matches nothing.
    return (
      "exitCodes" in when &&
      verdict.exitCode !== undefined &&
      verdict.exitCode >= when.exitCodes[0] &&
      verdict.exitCode <= when.exitCodes[1]
    );
  });
  return first?.retry ?? false;
}

export function conclude(job: Job, ending: Ending, now: number, group: TerminalPhase["group"], rules: Rules): Job {
  const left = group !== "gone" && !ending.captured ? "uncaptured" : group;
  if (ending.to !== "Queued") return finish(job, { state: ending.to, verdict: ending.verdict }, now, left, rules);
  if (group !== "gone") {
    // No next attempt can begin beside it: the job ends as it would have without one.
    const isTimeout = ["StartTimeout", "RunTimeout"].includes(ending.verdict.reason);
    const state = isTimeout ? "TimedOut" : "Failed";
    return finish(job, { state, verdict: ending.verdict }, now, left, rules);
  }
  const before = attempted(job, "Failed", ending.verdict, now);
  const waits = ending.wait ? job.waits + 1 : 0;
  const delay = ending.wait
    ? backOff(job.waits, 20 * second, 15 * minute, rules.random)
    : backOff(ending.free ? job.freeInRow : job.retriesUsed, 5 * second, 120 * second, rules.random);
  const { reason, detail } = ending.verdict;
  const waiting: Waiting = ending.wait
    ? { reason, since: now, ...(detail === undefined ? {} : { detail }) }
    : { reason: "RetryDelay", since: now };
  const {
    startedAt: _started,
    provisioningAt: _provisioning,
    placed: _placed,
    refused: _refused,
    refusals: _refusals,
    unseen: _unseen,
    ...fresh
  } = move(
    before,
    { state: "Queued", waiting, notBefore: now + delay, refusals: 0 },
    ending.verdict.reason,
    now,
    job.attempt + 1,
  );
  const isPaid = !ending.free && !ending.wait;
  return {
    ...fresh,
    attempt: job.attempt + 1,
    queuedAt: now,
    events: [],
    observed: nothingObserved,
    waits,
    ...withoutSpot(job, rules),
    retriesUsed: job.retriesUsed + (isPaid ? 1 : 0),
    freeInRow: ending.free ? job.freeInRow + 1 : ending.wait ? job.freeInRow : 0,
  };
}

/** At the operator's limit of evictions the next attempt asks for Regular, and the status says so. */
function withoutSpot(job: Job, { spotFallbackAfter }: Rules): Pick<Job, "regular" | "warnings"> {
  const { spot, regular, evictions, warnings, attempt } = job;
  if (!spot || regular || spotFallbackAfter === 0 || evictions < spotFallbackAfter) return { regular, warnings };
  const message = `Spot capacity was reclaimed ${evictions} times: from attempt ${attempt + 1} on the group has priority Regular.`;
  return { regular: true, warnings: [...warnings, { path: "properties.priority", line: 1, column: 1, message }] };
}

/** The job as it ends. Only here does a job become terminal. A group that is left `uncaptured` is read before it is deleted. */
export function finish(
  job: Job,
  outcome: Outcome,
  now: number,
  group: TerminalPhase["group"] | "uncaptured",
  rules: Rules,
): Job {
  const keepUntil = group !== "gone" && keeps(job, outcome.state) ? now + rules.keepTime : undefined;
  const phase: TerminalPhase = {
    state: outcome.state,
    verdict: outcome.verdict,
    finishedAt: now,
    group: group === "uncaptured" ? "present" : group,
    captured: group !== "uncaptured",
    ...(keepUntil === undefined ? {} : { keepUntil }),
    tidy: false,
  };
  return move(attempted(job, outcome.state, outcome.verdict, now), phase, outcome.verdict.reason, now);
}

/** A group of an ended job that was gone is there again: what proved its absence then proves nothing now. */
export function reappeared(phase: TerminalPhase): TerminalPhase {
  const { state, verdict, finishedAt, captured } = phase;
  return { state, verdict, finishedAt, captured, group: "present", tidy: false };
}

function attempted(job: Job, state: string, verdict: Verdict, now: number): Job {
  if (job.provisioningAt === undefined) return job;
  const pull = pullSeconds(job.events);
  return {
    ...job,
    attempts: [
      ...job.attempts,
      {
        number: job.attempt,
        state,
        verdict,
        provisioningAt: job.provisioningAt,
        finishedAt: now,
        ...(job.startedAt === undefined ? {} : { startedAt: job.startedAt }),
        ...(pull === undefined ? {} : { pullSeconds: pull }),
        ...(job.placed === undefined ? {} : { location: job.placed.location }),
      },
    ].slice(-20),
  };
}

export function accepted({ refused: _refused, refusals: _refusals, ...job }: Job, now: number): Job {
  const ending = endingOf(job.phase);
  const observed = { ...job.observed, acceptedAt: job.observed.acceptedAt ?? now };
  return move(
    { ...job, observed },
    { state: "Pending", acceptedAt: now, ...(ending ? { ending } : {}) },
    "Accepted",
    now,
  );
}

/** The only setter of the phase: it keeps the history. */
export function move(before: Job, phase: Phase, reason: ReasonWord, now: number, attempt = before.attempt): Job {
  const job = afterWait(before, phase, now);
  if (phase.state === job.phase.state) return { ...job, phase };
  const line = { at: now, from: job.phase.state, to: phase.state, reason, attempt };
  return { ...job, phase, history: [...job.history, line].slice(-maxHistory) };
}

/** Shorter waits are no news, and of an attempt's longer ones the first few tell enough. */
const [leastWait, maxWaits] = [minute, 3];

/** A line of the history for a wait that is over in this phase, from when it began: it says what made a job late. */
function afterWait(job: Job, next: Phase, now: number): Job {
  const { phase, attempt, history } = job;
  if (phase.state !== "Queued" || phase.waiting === undefined) return job;
  const { reason, since } = phase.waiting;
  if (now < since + leastWait || (next.state === "Queued" && next.waiting?.reason === reason)) return job;
  const waits = history.filter((line) => line.from === line.to && line.to === "Queued" && line.attempt === attempt);
  // The refusal of a create stands there already.
  return waits.length >= maxWaits || since < (history.at(-1)?.at ?? 0) ? job : note(job, reason, since);
}

/** A line of the history for something that happened within a state. */
export function note(job: Job, reason: ReasonWord, at: number): Job {
  const line = { at, from: job.phase.state, to: job.phase.state, reason, attempt: job.attempt };
  return { ...job, history: [...job.history, line].slice(-maxHistory) };
}

export function withEnding(job: Job, phase: LivePhase, ending: Ending): Job {
  return { ...job, phase: { ...phase, ending } };
}

export function endOf(outcome: Outcome, now: number): Ending {
  const { state, verdict } = outcome;
  return { to: state, verdict, since: now, captured: false, free: false, wait: false, observeStopped: false };
}

export function keeps(job: Job, state: TerminalState): boolean {
  if (job.yield) return false;
  return job.options.keep === "always" || (job.options.keep === "failed" && state !== "Succeeded");
}

export function claimed(job: Job, now: number): Job {
  return { ...job, claimUntil: now + claimTime };
}

/** The job without its claim. */
export function unclaimed(job: Job): Job {
  const { claimUntil: _claim, ...rest } = job;
  return rest;
}
