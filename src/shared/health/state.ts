import { minute, second } from "../base/duration.ts";
import type { GovernedAci } from "../aci/governed-client.ts";
import type { Settings } from "../config/settings.ts";
import { childIn, type JobId } from "../base/ids.ts";
import { terminalStates } from "../job/job.ts";
import { outsideWaits } from "../job/reasons.ts";
import { clockSilence, type Heartbeat, type Control, type Installation } from "../store/control.ts";
import type { HeldMessages } from "../store/held-messages.ts";
import type { JobStore } from "../store/jobs.ts";
import { queueNames, type Queues } from "../store/queues.ts";
import { vitalParts, type PeriodicRun, type PeriodicRuns } from "../store/periodic-runs.ts";
import type { ServiceStates } from "../store/service-states.ts";
import type { UndeliveredEvents } from "../store/undelivered-events.ts";
import type { UnreadableRows } from "../store/unreadable.ts";

/** How the service is: what `GET /api/health/details` shows, and what the log has once a minute. */
export interface HealthDeps {
  readonly settings: Pick<Settings, "faults">;
  readonly now: () => number;
  /** When this instance began: until others can have acted, they count as acting. */
  readonly startedAt: number;
  readonly control: Control;
  readonly periodicRuns: PeriodicRuns;
  readonly unreadable: UnreadableRows;
  readonly services: ServiceStates;
  readonly undelivered: UndeliveredEvents;
  readonly held: HeldMessages;
  readonly queues: Queues;
  readonly jobs: JobStore;
  readonly aci: () => Promise<{ readonly aci: GovernedAci; readonly installation: Installation }>;
}

/** A sweep that completed no pass, and an ARM that gave no answer, for this long are in trouble. */
const maxSilence = 5 * minute;
/** Storage that takes longer for a read is slow. */
export const maxReadTime = 2 * second;
/** Unreadable rows are counted up to here. */
const maxUnreadable = 1000;
/** So are jobs whose events an endpoint has not taken. */
const maxUndelivered = 1000;
/** A caller that is still not reached this long after its job's end was tried before. */
const lateAfter = minute;
/** A group that is still there this long after its job's end is leaked. */
const leakedAfter = 30 * minute;

type HealthStatus =
  | "ok"
  | "misconfigured"
  | "the job index is lost"
  | "late"
  | "refused by Azure Resource Manager"
  | "no answer from Azure Resource Manager";

export async function readHealth(deps: HealthDeps) {
  const { control, queues, settings, now, startedAt } = deps;
  const [
    heartbeat,
    periodicRuns,
    pause,
    lengths,
    unreadable,
    counted,
    held,
    { aci, installation },
    hasIndex,
    services,
    undeliveredEvents,
    droppedNotifications,
  ] = await Promise.all([
    control.lastHeartbeat(),
    deps.periodicRuns.all(),
    control.paused(),
    queueLengths(queues),
    deps.unreadable.list(maxUnreadable),
    activeCounts(deps),
    deps.held.summary(now()),
    deps.aci(),
    deps.jobs.hasIndex(),
    deps.services.all(),
    deps.undelivered.count(maxUndelivered),
    deps.undelivered.dropped(),
  ]);
  const { oldestQueued, byState, blocked } = counted;
  const counts = {
    ...counted.counts,
    undeliveredNotifications: counted.counts.undeliveredNotifications + undeliveredEvents,
    droppedNotifications,
  };
  const faults = [...settings.faults, ...(installation.refusal === undefined ? [] : [installation.refusal])];
  const lastPass = lastPassOf(heartbeat, periodicRuns);
  const silent = (since: number | undefined): boolean => now() - Math.max(since ?? 0, startedAt) > maxSilence;
  const status: HealthStatus =
    faults.length > 0
      ? "misconfigured"
      : !hasIndex
        ? "the job index is lost"
        : silent(lastPass)
          ? "late"
          : heartbeat?.arm === "refused"
            ? "refused by Azure Resource Manager"
            : silent(heartbeat?.armAt)
              ? "no answer from Azure Resource Manager"
              : "ok";
  const clock = (at: number | undefined, since: number | undefined) => clockState(at, since, now(), startedAt);
  return {
    status,
    faults,
    lastPass,
    heartbeat,
    timer: clock(heartbeat?.timerAt, heartbeat?.timerSince),
    queue: clock(heartbeat?.queueAt, heartbeat?.queueSince),
    periodicRuns,
    hasIndex,
    services,
    armOk: heartbeat?.arm === "ok" || heartbeat?.arm === "throttled",
    throttledUntil: aci.heldUntil,
    blocked,
    lengths,
    counts,
    oldestQueued,
    byState,
    held,
    unreadable,
    pause,
  };
}
export type Health = Awaited<ReturnType<typeof readHealth>>;

/** All that jobs hang on was done by then, whoever did it. An earlier release wrote no periodicRuns. */
function lastPassOf(
  heartbeat: Heartbeat | undefined,
  periodicRuns: ReadonlyMap<string, PeriodicRun>,
): number | undefined {
  const completed = vitalParts.map((part) => periodicRuns.get(part)?.completedAt);
  return completed.every((at) => at !== undefined) ? Math.min(...completed) : heartbeat?.at;
}

/** Of the timer or the queue: since when it brings on passes, or when it last did. */
function clockState(at: number | undefined, since: number | undefined, now: number, began: number) {
  const ok = now - Math.max(at ?? 0, began) <= clockSilence;
  return { ok, since: ok ? since : at };
}

async function queueLengths(queues: Queues) {
  const { jobs, wake, events } = queueNames;
  const poison = (queue: string): Promise<number> => queues.length(`${queue}-poison`);
  const [queueLength, wakeLength, eventsLength, poisonLength, wakePoisonLength, eventsPoisonLength] = await Promise.all(
    [queues.length(jobs), queues.length(wake), queues.length(events), poison(jobs), poison(wake), poison(events)],
  );
  return { queueLength, wakeLength, eventsLength, poisonLength, wakePoisonLength, eventsPoisonLength };
}

const countedColumns = ["finishedAt", "deleteRefused", "stopping", "callbackState", "keptUntil", "groupDeleted"];

/** Active jobs, when the oldest that waits was accepted, groups that should be gone and are not, and ends that a caller still has to hear of. */
async function activeCounts({ jobs, now }: HealthDeps) {
  let [activeJobs, leakedGroups, undeliveredNotifications, lateNotifications] = [0, 0, 0, 0];
  let oldestQueued: number | undefined;
  /** Active jobs by state and reason. */
  const byState = new Map<string, { readonly state: string; readonly reason: string | undefined; jobs: number }>();
  /** Jobs, ended ones whose group can't be deleted included, and arrays, once for all children, by what outside holds them up. */
  const blocked = new Map<JobId, string>();
  for await (const { id, state, createdAt, array, columns } of jobs.index.active(undefined, countedColumns)) {
    const isChild = childIn(id) !== undefined;
    const ended = terminalStates.some((terminal) => terminal === state);
    const { finishedAt, deleteRefused } = columns;
    const reason = typeof columns["reason"] === "string" ? columns["reason"] : undefined;
    // An end's own reason is no wait.
    const blockedBy = outsideWaits.find((wait) => wait === (columns["stopping"] || ended ? deleteRefused : reason));
    if (blockedBy !== undefined) blocked.set(array ?? id, blockedBy);
    if (!ended && !isChild) {
      activeJobs++;
      const key = `${state} ${reason ?? ""}`;
      const sum = byState.get(key) ?? { state, reason, jobs: 0 };
      sum.jobs++;
      byState.set(key, sum);
    }
    // One that was only just accepted has no state here yet; neither has one whose message does not arrive.
    if (!isChild && ["Queued", ""].includes(state)) oldestQueued = Math.min(oldestQueued ?? Infinity, createdAt);
    const endedFor = finishedAt instanceof Date ? now() - finishedAt.getTime() : 0;
    if (ended && columns["callbackState"] === "pending") {
      undeliveredNotifications++;
      if (endedFor > lateAfter) lateNotifications++;
    }
    const isKept = columns["keptUntil"] instanceof Date;
    if (ended && columns["groupDeleted"] === false && !isKept && endedFor > leakedAfter) leakedGroups++;
  }
  return {
    counts: { activeJobs, blockedJobs: blocked.size, leakedGroups, undeliveredNotifications, lateNotifications },
    oldestQueued,
    byState: [...byState.values()],
    blocked: countsOf(blocked.values()),
  };
}

function countsOf(words: Iterable<string>): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
