import { defined } from "../base/defined.ts";
import { backOff, minute, second } from "../base/duration.ts";
import { clip } from "../base/errors.ts";
import { entryOf, type Reason } from "./reasons.ts";
import { endingOf, hasEnded, type AzureError, type Ending, type Job, type TerminalPhase, type Verdict } from "./job.ts";
import { nothingRuns, type ObservedGroup, type Observation } from "./observation.ts";
import { requeueAt, settleTime, skew, type Rules, type Step } from "./step.ts";
import { isOfTarget, isRefusedEverywhere, withRefusalBy } from "./targets.ts";
import { nextTimeout } from "./timing.ts";
import { accepted, afterFailure, conclude, finish, postpone, unclaimed, withEnding } from "./transitions.ts";
import { failed } from "./verdict.ts";

/** What the world's answers mean for a job. Each clears the claim under which the question was asked. */

export type CreateAnswer =
  | { readonly kind: "accepted"; readonly operation?: string | undefined }
  /** Nothing was created, and why. */
  | ({ readonly kind: "refused" } & CreateRefusal)
  /** Azure answered with a failure of its own: something may have been created all the same. */
  | ({ readonly kind: "failed" } & CreateRefusal)
  /** No answer: it may have been created, or may be yet. */
  | { readonly kind: "unclear"; readonly azure: AzureError | undefined };

interface CreateRefusal {
  readonly reason: Reason;
  readonly azure: AzureError | undefined;
  readonly retryAfter: number | undefined;
  readonly detail?: string;
  /** Nobody knows whether this passes: coming again, it ends the job in the end. */
  readonly doubtful?: boolean;
  /** When another create was accepted in the region last: then the region is not the cause. */
  readonly othersAcceptedAt?: number;
}

/** What the answer to a create means. Clears the claim. */
export function afterCreate(claimedJob: Job, answer: CreateAnswer, now: number, rules: Rules): Step {
  const job = unclaimed(claimedJob);
  const { phase } = job;
  if (phase.state !== "Provisioning") return { do: "save", job };
  switch (answer.kind) {
    case "accepted":
      return { do: "save", job: accepted(withOperation(job, answer.operation), now) };
    case "unclear":
      return requeueAt(withAzure(job, answer.azure), now + settleTime);
    case "failed": {
      const { mayLandUntil: _answered, ...answered } = phase;
      return requeueAt(
        { ...withRefusal(job, answer, now, rules), phase: { ...answered, answered: true } },
        now + settleTime,
      );
    }
    case "refused":
      return afterRefusal(withRefusal(job, { ...answer, reason: reasonFor(job, answer, now) }, now, rules), now, rules);
  }
}

/** How long ARM's own list may show a resource that was deleted (azure-rest-api-specs#21221). */
const staleTime = 10 * minute;

/** What Azure's words mean depends on what the job says and did. */
function reasonFor(job: Job, answer: CreateRefusal, now: number): Reason {
  if (isStale(job, answer, now)) return "GroupBusy";
  const isNoRegion = /^LocationNotAvailableForResourceType$/i.test(answer.azure?.code ?? "");
  // The location is the target's, not the definition's.
  return isNoRegion && job.wantedLocation === undefined ? "TargetGone" : answer.reason;
}

/** A group of the name in another region, which ARM refuses a create for, is not somebody else's where we deleted one lately. */
function isStale({ lastDeleteAt }: Job, { reason }: CreateRefusal, now: number): boolean {
  return reason === "NameTaken" && lastDeleteAt !== undefined && now < lastDeleteAt + staleTime;
}

function withOperation(job: Job, operation: string | undefined): Job {
  return operation === undefined ? job : { ...job, observed: { ...job.observed, operation } };
}

function withAzure(job: Job, azure: AzureError | undefined): Job {
  return azure === undefined ? job : { ...job, azure };
}

/** The job with one more refusal of its create: the same reason counts on, another begins anew. */
function withRefusal(job: Job, answer: CreateRefusal, now: number, rules: Rules): Job {
  const { reason, azure, retryAfter, detail, doubtful = false, othersAcceptedAt = 0 } = answer;
  const before = job.refused?.reason === reason ? job.refused : undefined;
  const refused = {
    reason,
    since: before?.since ?? now,
    times: (before?.times ?? 0) + 1,
    ...(doubtful || isOfTarget(reason) ? { inRow: (job.refused?.inRow ?? 0) + 1 } : {}),
    doubtful,
    othersAccepted: othersAcceptedAt > (before?.since ?? now),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(detail === undefined ? {} : { detail: clip(detail, 500) }),
  };
  const told = job.placed === undefined ? job : withRefusalBy(job.placed, job, { reason, doubtful }, now, rules);
  return { ...withAzure(told, azure), refused };
}

/** So often is tried again what is usually permanent. */
const maxFewTries = 4;
/** An answered failure that came this often, over this time, is not a passing one. */
const maxDoubtfulTries = 4;
const doubtfulTime = 15 * minute;

/** ACI wants 10 s between two operations of a group ("Container group transitioning state"); a delay may be a twentieth shorter. */
const shortestWaits: ReadonlyMap<string, number> = new Map([
  ["Throttled", 10 * second],
  ["GroupBusy", 11 * second],
]);

/** Nothing was created: what the refusal that came last leads to. Needs no proof, or has it. */
export function afterRefusal(job: Job, now: number, rules: Rules): Step {
  const { refused, phase } = job;
  if (refused === undefined || phase.state !== "Provisioning") return { do: "save", job };
  const { reason, detail, times, since } = refused;
  if (phase.ending) return { do: "save", job: conclude(job, { ...phase.ending, captured: true }, now, "gone", rules) };
  const end = (verdict: Verdict): Step => ({
    do: "save",
    job: conclude(job, afterFailure(job, failed(verdict), now, rules), now, "gone", rules),
  });
  const verdict: Verdict = { reason, ...(detail === undefined ? {} : { detail }) };
  if (refused.doubtful) {
    const isStubborn = times >= maxDoubtfulTries && now >= since + doubtfulTime && refused.othersAccepted;
    if (isStubborn || now >= since + rules.createFailedTime || isRefusedEverywhere(job, rules))
      return end({ ...verdict, reason: "CreateFailed" });
    return again(job, now, rules, 20 * second, 15 * minute);
  }
  switch (entryOf(reason).rule) {
    case "wait":
      return again(job, now, rules, shortestWaits.get(reason) ?? 20 * second);
    case "few":
      return times < maxFewTries ? again(job, now, rules, 15 * second) : end(verdict);
    case "hour":
      return isRefusedEverywhere(job, rules) ? end(verdict) : again(job, now, rules, 20 * second);
    default:
      return isOfTarget(reason) && !isRefusedEverywhere(job, rules) ? again(job, now, rules, second) : end(verdict);
  }
}

/** What is read before a create could not be read. Where reads are refused as creates are, that ends the job as well. */
export function afterUnread(job: Job, { reason, azure, retryAfter }: Unread, now: number, rules: Rules): Step {
  const told = isOfTarget(reason) ? withAzure(job, azure) : job;
  if (!isOfTarget(reason) || !isRefusedEverywhere(job, rules)) return postpone(told, reason, now, rules, retryAfter);
  return { do: "save", job: finish(told, failed({ reason }), now, "gone", rules) };
}

type Unread = Pick<Extract<Observation, { group: "unknown" }>, "reason" | "azure" | "retryAfter">;

function again(job: Job, now: number, rules: Rules, floor: number, ceiling = 5 * minute): Step {
  const { refused } = job;
  if (refused === undefined) return { do: "save", job };
  const step = postpone(job, refused.reason, now, rules, refused.retryAfter, refused.detail);
  if (step.do !== "requeue" || step.job.phase.state !== "Queued") return step;
  const { retryAfter = 0, times, inRow = 0 } = refused;
  const delay = Math.max(retryAfter, backOff(Math.max(times, inRow) - 1, floor, ceiling, rules.random));
  return requeueAt(
    { ...step.job, phase: { ...step.job.phase, notBefore: now + delay } },
    Math.min(now + delay, nextTimeout(job)),
  );
}

/** ACI takes some seconds to delete a group: to observe sooner costs reads. */
const deleteTime = 5 * second;

export type DeleteAnswer =
  | { readonly kind: "accepted" }
  /** ARM says that no such group is there. */
  | { readonly kind: "absent" }
  /** It may have been done, or may be done yet. */
  | { readonly kind: "unclear"; readonly azure: AzureError | undefined }
  | {
      readonly kind: "refused";
      readonly reason: Reason;
      readonly azure: AzureError | undefined;
      readonly retryAfter: number | undefined;
    };

/**
 * What the answer to a delete or stop means: observe again, soon or when ARM said so. Clears the claim, unless the request may still
 * take effect: until then nobody may have the name, or a late delete would take the next job's group.
 */
export function afterDelete(
  how: "delete" | "stop",
  claimedJob: Job,
  answer: DeleteAnswer,
  now: number,
  rules: Rules,
): Step {
  const { claimUntil } = claimedJob;
  if (answer.kind === "unclear" && mayLand(answer.azure) && claimUntil !== undefined)
    return requeueAt(claimedJob, claimUntil + skew);
  const job = unclaimed(claimedJob);
  switch (answer.kind) {
    case "unclear":
      return requeueAt(job, now + Math.max(second, rules.observationFloor / 2));
    case "accepted": {
      const done = withRemoval(job, ({ refused: _refused, ...removal }) => ({
        ...removal,
        ...(how === "delete" ? { deletedAt: now } : {}),
      }));
      if (how === "stop") return requeueAt(done, now + Math.max(second, rules.observationFloor / 2));
      return requeueAt({ ...done, lastDeleteAt: now }, now + deleteTime);
    }
    case "absent": {
      const proves = how === "delete" && absenceIsProved(job, now, rules);
      return requeueAt(proves ? withRemoval(job, (removal) => ({ ...removal, gone: true })) : job, now + second);
    }
    case "refused": {
      const times = (removalOf(job)?.refused?.times ?? 0) + 1;
      const delay = Math.max(answer.retryAfter ?? 0, backOff(times - 1, 10 * second, 5 * minute, 0.5));
      const changed = withRemoval(withAzure(job, answer.azure), ({ sentAt: _sent, ...removal }) => ({
        ...removal,
        sendAt: now + delay,
        refused: {
          reason: answer.reason,
          since: removal.refused?.reason === answer.reason ? removal.refused.since : now,
          times,
        },
      }));
      // Another way may be open: a lock that forbids a delete allows a stop.
      const isLocked = answer.reason === "ResourceLocked" && how === "delete" && !hasEnded(job.phase);
      return requeueAt(changed, now + (isLocked ? second : delay));
    }
  }
}

/**
 * ARM answers 204 from the same view that gives 404, so it proves the absence only of a group that this attempt has seen, or whose
 * create was accepted long ago.
 */
function absenceIsProved({ observed, phase }: Job, now: number, { absenceTime }: Rules): boolean {
  if (observed.identity !== undefined || hasEnded(phase)) return true;
  return observed.acceptedAt !== undefined && now >= observed.acceptedAt + absenceTime;
}

type Removal = Pick<Ending, "sentAt" | "deletedAt" | "sendAt" | "refused" | "gone" | "absentAt" | "absences">;

function removalOf({ phase }: Job): Removal | undefined {
  return hasEnded(phase) ? phase : endingOf(phase);
}

function withRemoval(job: Job, change: (removal: Removal) => Removal): Job {
  const { phase } = job;
  if (hasEnded(phase)) {
    const { sentAt, deletedAt, sendAt, refused, gone, absentAt, absences, ...rest } = phase;
    const removal = defined({ sentAt, deletedAt, sendAt, refused, gone, absentAt, absences });
    const changed: TerminalPhase = { ...rest, ...change(removal) };
    return { ...job, phase: changed };
  }
  const ending = endingOf(phase);
  if (ending === undefined || phase.state === "Queued" || phase.state === "Unknown") return job;
  const { sentAt, deletedAt, sendAt, refused, gone, absentAt, absences, ...rest } = ending;
  const removal = defined({ sentAt, deletedAt, sendAt, refused, gone, absentAt, absences });
  return withEnding(job, phase, { ...rest, ...change(removal) });
}

/** Without an answer, or with a gateway's, whoever does the work may still be at it. */
function mayLand(azure: AzureError | undefined): boolean {
  return azure === undefined || [0, 408, 502, 504].includes(azure.httpStatus);
}

/** What is saved once logs and exit codes are stored. Without a group it is known to be gone. */
export function afterCapture(job: Job, group: ObservedGroup | undefined, now: number, rules: Rules): Job {
  const { phase } = job;
  if (hasEnded(phase)) return { ...job, phase: { ...phase, captured: true } };
  const ending = endingOf(phase);
  if (ending === undefined || phase.state === "Queued" || phase.state === "Unknown") return job;
  const captured: Ending = { ...ending, captured: true };
  if (group === undefined) return conclude(job, captured, now, "gone", rules);
  if (captured.to !== "Queued" && !captured.observeStopped && nothingRuns(group))
    return conclude(job, captured, now, "stopped", rules);
  return withEnding(job, phase, captured);
}
