import { backOff, second } from "../base/duration.ts";
import { catalogue, type Reason } from "./reasons.ts";
import { endingOf, hasEnded, type AzureError, type Ending, type GroupSeen, type Job, type Verdict } from "./job.ts";
import { nothingRuns } from "./verdict.ts";
import { rest, settleTime, skew, type Rules, type Step } from "./step.ts";
import { nextTimeout } from "./timing.ts";
import { accepted, afterFailure, conclude, failed, postpone, unclaimed, withEnding } from "./transitions.ts";

/** What the world's answers mean for a job. Each clears the claim under which the question was asked. */

export type CreateAnswer =
  | { readonly kind: "accepted" }
  /** Nothing was created, and why. */
  | {
      readonly kind: "refused";
      readonly reason: Reason;
      readonly azure: AzureError | undefined;
      readonly retryAfter: number | undefined;
      readonly detail?: string;
    }
  /** It may have been created. */
  | { readonly kind: "unclear"; readonly azure: AzureError | undefined };

/** What the answer to a create means. Clears the claim. */
export function afterCreate(claimedJob: Job, answer: CreateAnswer, now: number, rules: Rules): Step {
  const job = unclaimed(claimedJob);
  if (job.phase.state !== "Provisioning") return { do: "save", job };
  switch (answer.kind) {
    case "accepted":
      return { do: "save", job: accepted(job, now) };
    case "unclear": {
      const told: Job = { ...job, ...(answer.azure ? { azure: answer.azure } : {}) };
      if (mayLand(answer.azure)) return rest(told, now + settleTime);
      const { mayLandUntil: _answered, ...phase } = job.phase;
      return rest({ ...told, phase }, now + settleTime);
    }
    case "refused": {
      const told: Job = { ...job, ...(answer.azure ? { azure: answer.azure } : {}) };
      const verdict: Verdict = {
        reason: answer.reason,
        ...(answer.detail === undefined ? {} : { detail: answer.detail }),
      };
      const { rule } = catalogue[answer.reason];
      const refusals = told.history.filter(
        ({ to, attempt }) => to === "Provisioning" && attempt === told.attempt,
      ).length;
      if (job.phase.ending)
        return { do: "save", job: conclude(told, { ...job.phase.ending, captured: true }, now, "gone", rules) };
      if (rule === "wait" || (rule === "few" && refusals < 4)) {
        const step = postpone(told, answer.reason, now, rules, answer.retryAfter, answer.detail);
        if (step.do !== "rest" || step.job.phase.state !== "Queued") return step;
        const floor =
          rule === "few"
            ? 15 * second
            : answer.reason === "Throttled" || answer.reason === "GroupBusy"
              ? 10 * second
              : 20 * second;
        const delay = Math.max(answer.retryAfter ?? 0, backOff(refusals - 1, floor, 5 * 60 * second, rules.random));
        return rest(
          { ...step.job, phase: { ...step.job.phase, notBefore: now + delay } },
          Math.min(now + delay, nextTimeout(told)),
        );
      }
      const ending = afterFailure(told, failed(verdict), now, rules);
      return { do: "save", job: conclude(told, ending, now, "gone", rules) };
    }
  }
}

export type DeleteAnswer =
  | { readonly kind: "accepted" | "absent" }
  /** It may have been done, or may be done yet. */
  | { readonly kind: "unclear"; readonly azure: AzureError | undefined }
  | {
      readonly kind: "refused";
      readonly reason: Reason;
      readonly azure: AzureError | undefined;
      readonly retryAfter: number | undefined;
    };

/**
 * What the answer to a delete, a stop or new tags means: look again, soon or when told to. Clears the claim, unless the request may still have its
 * effect: then nobody may have the name before that, lest a late delete takes the next job's group.
 */
export function afterDelete(claimedJob: Job, answer: DeleteAnswer, now: number, rules: Rules): Step {
  const { claimUntil } = claimedJob;
  if (answer.kind === "unclear" && mayLand(answer.azure) && claimUntil !== undefined)
    return rest(claimedJob, claimUntil + skew);
  const job = unclaimed(claimedJob);
  const delay =
    answer.kind === "refused" ? Math.max(answer.retryAfter ?? 0, 10 * second) : Math.max(second, rules.lookFloor / 2);
  return rest(answer.kind === "refused" && answer.azure ? { ...job, azure: answer.azure } : job, now + delay);
}

/** Without an answer, or with a gateway's, whoever does the work may still be at it. */
function mayLand(azure: AzureError | undefined): boolean {
  return azure === undefined || [0, 408, 502, 504].includes(azure.httpStatus);
}

/** What is saved once logs and exit codes are stored. Without a group it is known to be gone. */
export function afterCapture(job: Job, group: GroupSeen | undefined, now: number, rules: Rules): Job {
  const { phase } = job;
  if (hasEnded(phase)) return { ...job, phase: { ...phase, captured: true } };
  const ending = endingOf(phase);
  if (ending === undefined || phase.state === "Queued" || phase.state === "Unknown") return job;
  const captured: Ending = { ...ending, captured: true };
  if (group === undefined) return conclude(job, captured, now, "gone", rules);
  if (captured.to !== "Queued" && nothingRuns(group)) return conclude(job, captured, now, "stopped", rules);
  return withEnding(job, phase, captured);
}
