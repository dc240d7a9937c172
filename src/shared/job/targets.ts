import type { Target } from "../config/settings.ts";
import type { Job } from "./job.ts";
import { entryOf, type ReasonWord } from "./reasons.ts";

/** Where a job's group may go, and which of these targets refuse it for a cause of their own. Pure. */

interface TargetRules {
  readonly targets: readonly Target[];
  readonly refusalTime: number;
}

/** `West Europe` and `westeurope` are one region. */
export function regionKey(location: string): string {
  return location.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

/** The targets that a definition may go to, in order. One that names its location stays there. */
function candidates(job: Pick<Job, "wantedLocation">, targets: readonly Target[]): readonly Target[] {
  const { wantedLocation } = job;
  if (wantedLocation === undefined) return targets;
  const there = targets.filter(
    ({ location }) => location !== undefined && regionKey(location) === regionKey(wantedLocation),
  );
  const [first] = targets;
  const open = there.length > 0 ? there : first === undefined ? [] : [first];
  return open.map((target) => ({ ...target, location: wantedLocation }));
}

/** Those of them whose quota was not smaller than the group lately; all where each was. */
export function fitting(
  job: Pick<Job, "wantedLocation" | "refusals">,
  { targets, refusalTime }: TargetRules,
  now: number,
): readonly Target[] {
  const all = candidates(job, targets);
  const left = all.filter((target) => {
    const { reason, lastAt = 0 } = refusalOf(job, target) ?? {};
    return reason !== "QuotaTooSmall" || now > lastAt + refusalTime;
  });
  return left.length > 0 ? left : all;
}

/** Whether a refusal says something about the target, so that another may take the group. */
export function isOfTarget(reason: ReasonWord): boolean {
  return reason === "QuotaTooSmall" || entryOf(reason).rule === "hour";
}

/** The job after one more refusal by a target: for the same reason as before, and not long after, it counts on. */
export function withRefusalBy(
  target: Target,
  job: Job,
  { reason, doubtful = false }: { readonly reason: ReasonWord; readonly doubtful?: boolean },
  now: number,
  { refusalTime }: Pick<TargetRules, "refusalTime">,
): Job {
  const before = refusalOf(job, target);
  const { refusals = [], ...rest } = job;
  const others = refusals.filter((each) => each !== before);
  if (!doubtful && !isOfTarget(reason)) return others.length === 0 ? rest : { ...rest, refusals: others };
  const goesOn = before?.reason === reason && now <= before.lastAt + refusalTime;
  const { subscriptionId, resourceGroup, location = "" } = target;
  const since = goesOn ? before.since : now;
  const refusal = { subscriptionId, resourceGroup, location, reason, since, lastAt: now, doubtful };
  return { ...rest, refusals: [...others, refusal] };
}

/** Whether no target is left: each has a quota that is too small, or has refused the job for long enough. */
export function isRefusedEverywhere(
  job: Job,
  { targets, refusalTime, createFailedTime }: TargetRules & { readonly createFailedTime: number },
): boolean {
  return candidates(job, targets).every((target) => {
    const refusal = refusalOf(job, target);
    if (refusal === undefined) return false;
    const { reason, since, lastAt, doubtful } = refusal;
    return reason === "QuotaTooSmall" || lastAt >= since + (doubtful ? createFailedTime : refusalTime);
  });
}

function refusalOf({ refusals }: Pick<Job, "refusals">, target: Target) {
  return refusals?.find(
    ({ subscriptionId, resourceGroup, location }) =>
      subscriptionId === target.subscriptionId &&
      resourceGroup === target.resourceGroup &&
      // Of a target whose location nobody could read yet it is not known.
      (location === "" || target.location === undefined || regionKey(location) === regionKey(target.location)),
  );
}
