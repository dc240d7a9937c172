import { minute } from "../../shared/base/duration.ts";
import { defined } from "../../shared/base/defined.ts";
import { indexLost } from "../../shared/base/errors.ts";
import type { CreateLease } from "../../shared/aci/governed-client.ts";
import type { Reason } from "../../shared/job/reasons.ts";
import type { Target } from "../../shared/config/settings.ts";
import { rulesOf, type Deps } from "../../shared/deps.ts";
import { isMinted } from "../../shared/base/ids.ts";
import type { AzureError, Job, JobTarget } from "../../shared/job/job.ts";
import { enterCeiling, withoutCeiling } from "./ceiling.ts";
import { budgetsOf, chargesOf } from "./capacity.ts";
import { capacityQueue, createQueue, poolOf } from "../../shared/limits/region-queues.ts";
import { takeSlots } from "./group-slot.ts";
import { lockName, positionIn } from "./name-lock.ts";
import { scopeOf } from "../../shared/limits/placement.ts";
import { slotUntil, queueTimeOf } from "../../shared/job/slot.ts";
import { isOpenToMessages, teamOf } from "../../shared/intake/team.ts";
import { nextTimeout } from "../../shared/job/timing.ts";
import { afterUnread } from "../../shared/job/arm-answers.ts";
import { fitting, isOfTarget, withRefusalBy } from "../../shared/job/targets.ts";
import { move } from "../../shared/job/transitions.ts";

/**
 * What a queued job needs before its group is created, in this order, so that no two wait for each other: that the service is not paused, a
 * place below the ceilings, its name, slots of its group and team, something left of the day's budgets, a target, and a create where others
 * wait for one too; the create's token is taken when it is about to be sent. Whatever is missing is a wait with a reason. A job in a wait
 * queue holds no message: whoever frees capacity requeues the first, and the sweep finds what was forgotten.
 */
export type Admission =
  | Admitted
  /** It has ended: no target is left. */
  | { readonly kind: "over"; readonly job: Job };
type Admitted =
  | { readonly kind: "admitted"; readonly job: Job }
  | { readonly kind: "wait"; readonly job: Job; readonly until: number; readonly ownMessage: boolean };

/** How long a job that somebody else will requeue waits before the sweep does it. Few wait for one name, many may wait for capacity. */
const forgottenTime = 5 * minute;
const forgottenNameTime = minute;

export async function admit(deps: Deps, given: Job): Promise<Admission> {
  const now = deps.now();
  const early = await heldBack(deps, given, now);
  if (early) return early;

  const queue = await enterCeiling(deps, given);
  if (queue !== undefined) return wait(deps, { ...given, line: queue }, { reason: "TooManyJobs", queue });
  const ready = withoutCeiling(given);

  const named = await lockName(deps, ready);
  if (named.kind === "no index") {
    await deps.jobs.hasIndex();
    return wait(deps, ready, { reason: "Paused", until: now + minute, detail: indexLost.message });
  }
  if (named.kind === "busy") return wait(deps, ready, { reason: "NameBusy", queue: ready.groupName });
  if (named.kind === "replaced")
    return { kind: "admitted", job: { ...ready, cancel: { at: now, reason: "Replaced", by: named.by } } };

  const slot = await takeSlots(deps, ready);
  if (slot.kind === "no index")
    return wait(deps, ready, { reason: "Paused", until: now + minute, detail: indexLost.message });
  if (slot.kind === "full") return wait(deps, slot.job, { reason: slot.reason, ...slot.shown });
  for (const budget of budgetsOf(deps, slot.job)) {
    const left = await budget.left(now);
    if (left.ok) continue;
    if (left.team === undefined) return wait(deps, slot.job, { reason: "Budget", until: left.at });
    // What an attempt takes less than was expected of it, others may have.
    const detail = `The team ${left.team} has used up its vCPU seconds of the day.`;
    return wait(deps, slot.job, { reason: "Budget", until: Math.min(left.at, now + forgottenTime), detail });
  }

  const { job, placing } = await place(deps, slot.job, now);
  if (placing.kind === "later") {
    const step = afterUnread(job, placing, now, rulesOf(deps));
    if (step.do === "requeue") return { kind: "wait", job: step.job, until: step.until, ownMessage: true };
    return { kind: "over", job: step.do === "save" ? step.job : job };
  }
  if (placing.kind === "full") return enqueue(deps, job, capacityQueue(placing.placed, poolOf(job)), placing.reason);
  const { placed } = placing;
  if (placing.kind === "limited")
    return enqueue(deps, { ...job, placed }, createQueue(placed, payerOf(deps, job)), "CreateLimit");
  if (sameTarget(job.placed, placed) && job.line === undefined) return { kind: "admitted", job };
  const { line: left, ...admitted } = job;
  if (left !== undefined) await deps.jobs.index.dequeue(left, job.id, queueTimeOf(job.createdAt, job.options.priority));
  return { kind: "admitted", job: { ...admitted, placed, ...(await historyFor(deps, job)) } };
}

/** What earlier jobs of its name left, asked once; a child has it of its array. */
async function historyFor({ jobs }: Deps, { attempt, child, name }: Job): Promise<Partial<Job>> {
  return attempt > 1 || child !== undefined ? {} : defined({ ...(await jobs.index.historyOf(name)) });
}

/** What an array needs before it makes children: its name. The rest its children get for themselves. */
export async function admitArray(deps: Deps, job: Job): Promise<Admitted> {
  const now = deps.now();
  const early = await heldBack(deps, job, now);
  if (early) return early;
  const named = await lockName(deps, job);
  switch (named.kind) {
    case "no index":
      await deps.jobs.hasIndex();
      return wait(deps, job, { reason: "Paused", until: now + minute, detail: indexLost.message });
    case "busy":
      return wait(deps, job, { reason: "NameBusy", queue: job.groupName });
    case "replaced":
      return { kind: "admitted", job: { ...job, cancel: { at: now, reason: "Replaced", by: named.by } } };
    case "held": {
      const { typical } = await deps.jobs.index.historyOf(job.name);
      return { kind: "admitted", job: { ...withoutWait(job, now), ...defined({ typical }) } };
    }
  }
}

function withoutWait(job: Job, now: number): Job {
  if (job.phase.state !== "Queued" || job.phase.waiting === undefined) return job;
  const { waiting: _over, ...phase } = job.phase;
  return move(job, phase, "Accepted", now);
}

/** What keeps a job from beginning whatever it needs: wrong settings, a pause, a cancel that came before it. */
async function heldBack(deps: Deps, job: Job, now: number): Promise<Admitted | undefined> {
  const { installation } = await deps.aci();
  if (installation.refusal !== undefined || deps.settings.faults.length > 0) {
    return wait(deps, job, {
      reason: "Paused",
      until: now + minute,
      detail: "The service is misconfigured; an operator must fix its settings.",
    });
  }
  const pause = await deps.control.paused();
  if (pause) return wait(deps, job, { reason: "Paused", detail: pause.reason });

  // Only an id that its poster chose, or computed from its message, can be canceled before its job is there.
  const isKnown = job.messageId !== undefined || !isMinted(job.id);
  const mayBeKept = isKnown && job.firstCreateAt === undefined && isOpenToMessages(job, deps.settings);
  if (mayBeKept && (await deps.jobs.index.hasCancel(job.id)))
    return { kind: "admitted", job: { ...job, cancel: { at: now, reason: "CanceledByCaller" } } };
  if (job.awaitsDefinition) return wait(deps, job, { reason: "SealKeyUnavailable" });
  return undefined;
}

// ----------------------------------------------------------------------------------------------------------- The place

type Placing =
  /** It may create there now. */
  | { readonly kind: "placed"; readonly placed: JobTarget }
  /** It waits there for a create. */
  | { readonly kind: "limited"; readonly placed: JobTarget }
  /** It is left out until then. */
  | { readonly kind: "full"; readonly placed: JobTarget; readonly reason: Reason; readonly until: number }
  | {
      readonly kind: "later";
      readonly reason: Reason;
      readonly retryAfter: number | undefined;
      readonly azure: AzureError | undefined;
    };

/**
 * The first target that is not known to be full and has a create. A queued job has no group, so it may go elsewhere than it was refused. The
 * target where it waits for a create comes first, since it may have been called up there. One whose resource group is gone, can't be
 * read now, refused the job's last create for a cause of its own, or failed at it, keeps no job from the others.
 */
async function place(deps: Deps, given: Job, now: number): Promise<{ readonly job: Job; readonly placing: Placing }> {
  const { aci } = await deps.aci();
  const exclusions = await deps.placement.exclusions(now);
  let job = given;
  const { phase } = job;
  const waitsAt = phase.state === "Queued" && phase.waiting?.reason === "CreateLimit" ? job.placed : undefined;
  const limited: JobTarget[] = [];
  let closed: Closed | undefined;
  const refused = refusedBy(job);
  for (const target of lastOf(ownFirst(fitting(job, deps.settings, now), waitsAt), refused)) {
    // A line at another target ends with a create; there it would end with another refusal.
    if (refused !== undefined && isAt(refused)(target) && (limited.length > 0 || closed?.kind === "full")) break;
    const location = await aci.locationOf(target);
    if (location.kind !== "value") {
      const { reason, retryAfter, azure } = location.kind === "absent" ? noGroup : location;
      if (isOfTarget(reason)) job = withRefusalBy(target, job, { reason }, now, deps.settings);
      closed = sooner(closed, { kind: "later", reason, retryAfter, azure });
      continue;
    }
    const { subscriptionId, resourceGroup } = target;
    const placed = { subscriptionId, resourceGroup, location: location.value };
    const exclusion = exclusions.get(scopeOf(placed, poolOf(job)));
    if (exclusion !== undefined) closed = sooner(closed, { kind: "full", placed, ...exclusion });
    else if (await mayCreate(deps, job, placed, sameTarget(waitsAt, placed), now))
      return { job, placing: { kind: "placed", placed } };
    else limited.push(placed);
  }
  // By its id, so that as many wait at each.
  const [first, chosen] = [limited[0], limited[Number.parseInt(job.id.slice(-4), 16) % limited.length]];
  const placed = first !== undefined && sameTarget(waitsAt, first) ? first : chosen;
  return { job, placing: placed === undefined ? (closed ?? noGroup) : { kind: "limited", placed } };
}

type Closed = Extract<Placing, { kind: "full" | "later" }>;

/** What passes is waited for before what somebody has to change, and of several full regions the one that is tried again first. */
function sooner(a: Closed | undefined, b: Closed): Closed {
  if (a === undefined) return b;
  if (a.kind === "full" && b.kind === "full") return b.until < a.until ? b : a;
  return patience(b) < patience(a) ? b : a;
}

function patience({ kind, reason }: Closed): number {
  return kind === "full" ? 1 : isOfTarget(reason) ? 2 : 0;
}

const noGroup = { kind: "later", reason: "NotAuthorized", retryAfter: undefined, azure: undefined } as const;

function ownFirst(targets: readonly Target[], own: JobTarget | undefined): readonly Target[] {
  if (own === undefined) return targets;
  return [...targets.filter(isAt(own)), ...targets.filter((target) => !isAt(own)(target))];
}

/** The target that refused the job last for a cause of its own, or answered with a failure that nobody can explain. */
function refusedBy({ placed, phase, refused }: Job): JobTarget | undefined {
  const reason = phase.state === "Queued" ? phase.waiting?.reason : undefined;
  if (reason === undefined) return undefined;
  const isDoubtful = refused?.doubtful === true && refused.reason === reason;
  return isDoubtful || isOfTarget(reason) ? placed : undefined;
}

/** The targets from the one behind it on, and it last. */
function lastOf(targets: readonly Target[], refused: JobTarget | undefined): readonly Target[] {
  const at = refused === undefined ? -1 : targets.findIndex(isAt(refused));
  return at < 0 ? targets : [...targets.slice(at + 1), ...targets.slice(0, at + 1)];
}

const isAt =
  (placed: JobTarget) =>
  ({ location = placed.location, ...target }: Target): boolean =>
    sameTarget(placed, { ...target, location });

/**
 * Whether a job may create now. A job that comes while others wait enters the wait queue too.
 *
 * @param hasWaited whether it is there that the job waits
 */
async function mayCreate(deps: Deps, job: Job, placed: JobTarget, hasWaited: boolean, now: number): Promise<boolean> {
  const { jobs, budget } = deps;
  const payer = payerOf(deps, job);
  if (payer !== undefined)
    return (
      (await isNext(deps, job, createQueue(placed, payer), placed)) && (await budget.hasCreate(placed, now, payer))
    );
  if (!hasWaited && (await jobs.index.waiting(createQueue(placed), 1)).length > 0) return false;
  return budget.hasCreate(placed, now);
}

/** Where teams share, who was called up stands in no line any more, and nobody goes before who waits. */
async function isNext({ jobs: { index } }: Deps, job: Job, own: string, placed: JobTarget): Promise<boolean> {
  const { id, createdAt, options, line } = job;
  if (line === own) return !(await index.waits(own, id, queueTimeOf(createdAt, options.priority)));
  return !(await index.anyWaits(`${createQueue(placed)}~`));
}

/** The team that pays for a job's creates, where teams share. */
function payerOf({ settings }: Pick<Deps, "settings">, job: Job): string | undefined {
  return settings.teams.length === 0 ? undefined : teamOf(job);
}

/**
 * The create's token, taken when everything else is ready and the create is about to be sent, with what the attempt counts for its day.
 *
 * @param claimed the job as its claim will be saved
 * @returns its lease, or the wait of a job that got no token
 */
export async function leaseCreate(
  deps: Deps,
  job: Job,
  claimed: Job,
  placed: JobTarget,
): Promise<{ readonly kind: "drawn"; readonly lease: CreateLease } | Admitted> {
  const { aci } = await deps.aci();
  const payer = payerOf(deps, job);
  const taken = await aci.leaseCreate(placed, payer, await chargesOf(deps, claimed));
  if (taken.ok) return { kind: "drawn", lease: taken.lease };
  return taken.reason === "CreateLimit"
    ? enqueue(deps, job, createQueue(placed, payer), "CreateLimit")
    : wait(deps, job, { reason: taken.reason, until: taken.at });
}

function sameTarget(a: JobTarget | undefined, b: JobTarget): boolean {
  return a?.subscriptionId === b.subscriptionId && a.resourceGroup === b.resourceGroup && a.location === b.location;
}

// ------------------------------------------------------------------------------------------------------------- Waiting

async function enqueue(deps: Deps, job: Job, queue: string, reason: Reason): Promise<Admitted> {
  const { id, createdAt, options, line } = job;
  const turn = queueTimeOf(createdAt, options.priority);
  await deps.jobs.index.enqueue(queue, { id, createdAt, turn });
  // It stands in one line: where TEAMS was changed it may have stood in another.
  if (line !== undefined && line !== queue) await deps.jobs.index.dequeue(line, id, turn);
  return wait(deps, { ...job, line: queue }, { reason, queue });
}

interface Wait {
  readonly reason: Reason;
  readonly detail?: string;
  readonly position?: number;
  /** Where its place is counted, unless the instance's copy of that wait queue says it. */
  readonly queue?: string;
  /** When the job is reconciled by its own message; absent for one that somebody else requeues. */
  readonly until?: number;
}

async function wait(deps: Deps, job: Job, { reason, detail, position, queue, until }: Wait): Promise<Admitted> {
  const now = deps.now();
  const { phase } = job;
  if (phase.state !== "Queued") return { kind: "admitted", job };
  const since = phase.waiting?.reason === reason ? phase.waiting.since : now;
  const { notBefore: _passed, ...queued } = phase;
  const own = until ?? now + (reason === "NameBusy" ? forgottenNameTime : forgottenTime);
  const standing = await deps.waitQueues.standing({ ...job, phase: { ...queued, waiting: { reason, since } } });
  const place = standing?.position ?? (queue === undefined ? position : await positionIn(deps, queue, job.id));
  const known = defined({ detail, position: place, expectedStartAt: standing?.expectedStartAt });
  const waiting = { reason, since, ...known };
  // Its own times must end it even if nobody requeues it.
  const waits = move(job, { ...queued, waiting }, reason, now);
  const at = Math.min(own, nextTimeout(job), slotUntil(waits));
  return {
    kind: "wait",
    job: waits,
    until: at,
    ownMessage: until !== undefined || at < own,
  };
}
