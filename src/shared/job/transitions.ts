import { backOff, second } from "../base/duration.ts";
import { clip } from "../base/errors.ts";
import { entryOf, type Reason, type ReasonWord } from "./reasons.ts";
import {
  endingOf,
  hasEnded,
  type Ending,
  type Job,
  type LivePhase,
  type Phase,
  type TerminalPhase,
  type TerminalState,
  type Verdict,
  type Waiting,
} from "./job.ts";
import { callerRetries, sentence, type Outcome } from "./verdict.ts";
import { claimTime, lateTime, rest, type Rules, type Step } from "./step.ts";
import { nextTimeout, pullSeconds } from "./timing.ts";

/** The moves of the machine: from a job and a decision to the job as it is then. */
const mostHistory = 60;

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
  reason: Reason,
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
  return rest(waiting, Math.min(notBefore, nextTimeout(job)));
}

/** What an outcome leads to: an end, or another attempt, at nobody's expense or at the caller's. */
export function afterFailure(job: Job, outcome: Outcome, now: number, rules: Rules): Ending {
  const end = endOf(outcome, now);
  if (outcome.state === "Succeeded" || outcome.state === "Stopped" || outcome.state === "Canceled") return end;
  if (job.cancel !== undefined)
    return endOf({ state: "Canceled", verdict: { ...outcome.verdict, reason: job.cancel.reason } }, now);
  if (now >= job.deadlineAt) return end;
  const { rule } = entryOf(outcome.verdict.reason);
  if (rule === "free" && job.freeInRow < rules.freeRetries) return { ...end, to: "Queued", free: true };
  if (job.retriesUsed < job.options.retries && callerRetries(job.options.retryOn, outcome.verdict))
    return { ...end, to: "Queued" };
  return end;
}

export function conclude(job: Job, ending: Ending, now: number, group: TerminalPhase["group"], rules: Rules): Job {
  const left = group !== "gone" && !ending.captured ? "uncaptured" : group;
  if (ending.to !== "Queued") return finish(job, { state: ending.to, verdict: ending.verdict }, now, left, rules);
  if (group !== "gone") return finish(job, failed(ending.verdict), now, left, rules);
  const before = attempted(job, "Failed", ending.verdict, now);
  const delay = backOff(ending.free ? job.freeInRow : job.retriesUsed, 5 * second, 120 * second, rules.random);
  const {
    startedAt: _started,
    provisioningAt: _provisioning,
    placed: _placed,
    ...fresh
  } = move(
    before,
    { state: "Queued", waiting: { reason: "RetryDelay", since: now }, notBefore: now + delay, refusals: 0 },
    ending.verdict.reason,
    now,
    job.attempt + 1,
  );
  return {
    ...fresh,
    attempt: job.attempt + 1,
    queuedAt: now,
    events: [],
    retriesUsed: ending.free ? job.retriesUsed : job.retriesUsed + 1,
    freeInRow: ending.free ? job.freeInRow + 1 : 0,
  };
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

export function accepted(job: Job, now: number): Job {
  const { phase } = job;
  const ending = endingOf(phase);
  return move(job, { state: "Pending", acceptedAt: now, ...(ending ? { ending } : {}) }, "Accepted", now);
}

/** The only setter of the phase: it keeps the history. */
export function move(job: Job, phase: Phase, reason: ReasonWord, now: number, attempt = job.attempt): Job {
  if (phase.state === job.phase.state) return { ...job, phase };
  const line = { at: now, from: job.phase.state, to: phase.state, reason, attempt };
  return { ...job, phase, history: [...job.history, line].slice(-mostHistory) };
}

export function withEnding(job: Job, phase: LivePhase, ending: Ending): Job {
  return { ...job, phase: { ...phase, ending } };
}

export function endOf(outcome: Outcome, now: number): Ending {
  return { to: outcome.state, verdict: outcome.verdict, since: now, captured: false, free: false };
}

export function failed(verdict: Verdict): Outcome {
  return { state: "Failed", verdict };
}

export function keeps(job: Job, state: TerminalState): boolean {
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

/** Why a job does not run yet, and since when; `undefined` once it does. */
export function waitingOf({ phase, events, queuedAt, provisioningAt = queuedAt }: Job): Waiting | undefined {
  switch (phase.state) {
    case "Queued":
      return phase.waiting ?? { reason: "Accepted", since: queuedAt };
    case "Provisioning":
    case "Pending": {
      const count = (name: string): number => events.filter((event) => event.name === name).length;
      return { reason: count("Pulling") > count("Pulled") ? "ImagePull" : "Starting", since: provisioningAt };
    }
    default:
      return undefined;
  }
}

/** What `message` says of a job, whatever its state, in at most 300 characters. */
export function describe(job: Job): string {
  const { phase } = job;
  if (hasEnded(phase)) return sentence(job.name, phase.state, phase.verdict);
  if (phase.state === "Unknown")
    return `Container Group ${job.name} is ${phase.written.state}, as a newer release of the service wrote`;
  const ending = endingOf(phase);
  if (ending) return `Container Group ${job.name} is being stopped: ${ending.verdict.reason}`;
  if (phase.state === "Queued" && phase.waiting) {
    const { reason, detail } = phase.waiting;
    // Azure's own text begins with its code, which often is the reason.
    const why = detail?.startsWith(`${reason}: `) ? detail.slice(reason.length + 2) : detail;
    return clip(`Container Group ${job.name} is waiting: ${reason}. ${why ?? entryOf(reason).advice}`, 300);
  }
  return `Container Group ${job.name} is in progress`;
}
