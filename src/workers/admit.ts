import { minute, second } from "../shared/backoff.ts";
import type { Reason } from "../shared/catalogue.ts";
import type { Deps } from "../shared/deps.ts";
import type { JobId } from "../shared/ids.ts";
import { hasEnded, type Job, type Placed } from "../shared/job.ts";
import { nextTimeout } from "../shared/times.ts";
import { postpone } from "../shared/transitions.ts";
import { rulesOf } from "../shared/deps.ts";
import type { Target } from "../shared/settings.ts";

/**
 * What a queued job needs before its group is created: that the service is not paused, its name, and a place. Each that is missing is
 * a wait with a reason. A wait for a name or for a resume holds no message: whoever ends it wakes the job; the timer finds what was
 * forgotten.
 */
export type Admission =
  | { readonly kind: "admitted"; readonly job: Job }
  | { readonly kind: "wait"; readonly job: Job; readonly until: number; readonly wake: boolean };

/** How long a job that somebody else will wake rests before it looks for itself. */
const forgottenTime = 5 * minute;

export async function admit(deps: Deps, job: Job): Promise<Admission> {
  const { installation } = await deps.aci();
  if (installation.refusal !== undefined || deps.settings.faults.length > 0)
    return waitFor(deps, job, "Paused", { wake: true, delay: minute });
  const pause = await deps.control.paused();
  if (pause) return waitFor(deps, job, "Paused", { wake: false, delay: forgottenTime, detail: pause.reason });

  const named = await holdName(deps, job);
  if (named.kind === "busy")
    return waitFor(deps, job, "NameBusy", { wake: false, delay: forgottenTime, position: named.position });

  const placed = await place(deps, job);
  if (placed.kind === "unknown") return later(deps, job, placed.reason, placed.retryAfter);
  return { kind: "admitted", job: samePlace(job.placed, placed.placed) ? job : { ...job, placed: placed.placed } };
}

async function holdName(deps: Deps, job: Job): Promise<{ kind: "held" } | { kind: "busy"; position: number }> {
  const { index } = deps.jobs;
  const stoodInLine = job.options.onConflict !== "reject";
  for (;;) {
    const hold = await index.hold(job.groupName);
    if (hold?.holder === job.id) {
      if (stoodInLine) await index.leaveLine(job.groupName, job.id, job.createdAt);
      return { kind: "held" };
    }
    if (hold === undefined) {
      if (await index.take(job.groupName, job.id, job.createdAt)) return { kind: "held" };
      continue;
    }
    await index.joinLine(job.groupName, job.id, job.createdAt);
    await askToYield(deps, hold.holder, job);
    const line = await index.line(job.groupName, 100);
    return { kind: "busy", position: Math.max(1, line.indexOf(job.id) + 1) };
  }
}

/** A kept group yields to whoever needs its name; `replace` cancels a running one. A holder without a row holds nothing. */
async function askToYield(deps: Deps, holder: JobId, job: Job): Promise<void> {
  const look = { needed: false };
  const stored = await deps.jobs.change(holder, (other) => {
    look.needed = true;
    if (hasEnded(other.phase)) return other.yield ? undefined : { job: { ...other, yield: true } };
    if (job.options.onConflict !== "replace" || other.cancel) return undefined;
    return { job: { ...other, cancel: { at: deps.now(), reason: "Replaced", by: job.id } } };
  });
  if (stored === undefined) await deps.jobs.index.handOver(job.groupName, holder);
  else if (look.needed) await deps.queues.wake(holder, undefined, 0);
}

type Placing = { kind: "placed"; placed: Placed } | { kind: "unknown"; reason: Reason; retryAfter: number | undefined };

/** The first target that fits; a definition that names its location stays there. */
async function place(deps: Deps, job: Job): Promise<Placing> {
  if (job.placed !== undefined) return { kind: "placed", placed: job.placed };
  const wanted = job.wantedLocation?.toLowerCase();
  const { targets } = deps.settings;
  const target: Target | undefined =
    targets.find(({ location }) => wanted !== undefined && location?.toLowerCase() === wanted) ?? targets[0];
  if (target === undefined) return { kind: "unknown", reason: "NotAuthorized", retryAfter: undefined };
  const { subscriptionId, resourceGroup } = target;
  if (job.wantedLocation !== undefined)
    return { kind: "placed", placed: { subscriptionId, resourceGroup, location: job.wantedLocation } };
  const { aci } = await deps.aci();
  const location = await aci.locationOf(target);
  if (location.kind === "value")
    return { kind: "placed", placed: { subscriptionId, resourceGroup, location: location.value } };
  const { reason, retryAfter } =
    location.kind === "unknown" ? location : { reason: "NotAuthorized" as const, retryAfter: undefined };
  return { kind: "unknown", reason, retryAfter };
}

function samePlace(a: Placed | undefined, b: Placed): boolean {
  return a?.subscriptionId === b.subscriptionId && a.resourceGroup === b.resourceGroup && a.location === b.location;
}

function waitFor(
  deps: Deps,
  job: Job,
  reason: Reason,
  how: { wake: boolean; delay: number; detail?: string; position?: number },
): Admission {
  const now = deps.now();
  const { phase } = job;
  if (phase.state !== "Queued") return { kind: "admitted", job };
  const since = phase.waiting?.reason === reason ? phase.waiting.since : now;
  const { detail, position } = how;
  const waiting = {
    reason,
    since,
    ...(detail === undefined ? {} : { detail }),
    ...(position === undefined ? {} : { position }),
  };
  const until = Math.min(now + how.delay, nextTimeout(job));
  // Its own times must end it even if nobody wakes it.
  return {
    kind: "wait",
    job: { ...job, phase: { ...phase, waiting } },
    until,
    wake: how.wake || until < now + how.delay,
  };
}

function later(deps: Deps, job: Job, reason: Reason, retryAfter: number | undefined): Admission {
  const step = postpone(job, reason, deps.now(), rulesOf(deps), retryAfter ?? 5 * second);
  return step.do === "rest"
    ? { kind: "wait", job: step.job, until: step.until, wake: true }
    : { kind: "admitted", job };
}
