import { minute, second } from "../shared/base/duration.ts";
import { Unavailable } from "../shared/base/errors.ts";
import type { Deps } from "../shared/deps.ts";
import { terminalStates } from "../shared/job/job.ts";
import { timerSilence, type Heartbeat } from "../shared/store/control.ts";
import { queueNames } from "../shared/store/queues.ts";
import { vitalParts, type PeriodicRun } from "../shared/store/periodic-runs.ts";
import { handler, json } from "./lib/reply.ts";
import type { Reply } from "./openapi/replies.ts";

/** `GET /api/health` (anonymous: does storage answer) and `GET /api/health/details` (for operators). */
type HealthDeps = Pick<
  Deps,
  "settings" | "now" | "log" | "control" | "periodicRuns" | "unreadable" | "held" | "queues" | "jobs" | "aci"
>;

export const version = "0.1.0";

/** A load balancer waits no longer. */
const maxWait = 2 * second;

export function health({ log, control }: Pick<HealthDeps, "log" | "control">) {
  return handler(log, async () => {
    await within(maxWait, control.lastHeartbeat());
    const reply: Reply<"Health"> = { status: "ok" };
    return json(200, reply);
  });
}

async function within<T>(time: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Unavailable("storage", `No answer in ${time / second} s.`)), time);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A sweep that completed no pass, and an ARM that gave no answer, for this long are in trouble. */
const maxSilence = 5 * minute;

/** Counted up to here. */
const maxUnreadable = 1000;

export function healthDetails(deps: HealthDeps) {
  const began = deps.now();
  return handler(deps.log, async () => {
    const { control, queues, settings, now } = deps;
    const [heartbeat, turns, pause, lengths, unreadable, active, held, { aci, installation }, hasIndex] =
      await Promise.all([
        control.lastHeartbeat(),
        deps.periodicRuns.all(),
        control.paused(),
        queueLengths(queues),
        deps.unreadable.list(maxUnreadable),
        activeCounts(deps),
        deps.held.summary(now()),
        deps.aci(),
        deps.jobs.hasIndex(),
      ]);
    const faults = [...settings.faults, ...(installation.refusal === undefined ? [] : [installation.refusal])];
    const lastPass = lastPassOf(heartbeat, turns);
    const silent = (since: number | undefined): boolean => now() - Math.max(since ?? 0, began) > maxSilence;
    const status =
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
    const reply: Reply<"HealthDetails"> = {
      status,
      version,
      lastReconcile: iso(lastPass),
      timer: timerState(heartbeat, now(), began),
      sweep: Object.fromEntries([...turns].map(([part, turn]) => [part, shown(turn)])),
      index: { ok: hasIndex },
      arm: { ok: heartbeat?.arm === "ok", since: iso(heartbeat?.armSince) },
      lastArmSuccess: iso(heartbeat?.armAt),
      throttledUntil: iso(aci.heldUntil),
      ...lengths,
      ...active,
      waitingMessages: { ...held, oldest: iso(held.oldest) },
      unreadableRows: unreadable.length,
      unreadable: unreadable.slice(0, 10),
      paused: pause ? { reason: pause.reason, since: iso(pause.since) } : null,
      faults,
    };
    return json(status === "ok" ? 200 : 503, reply);
  });
}

/** All that jobs hang on was done by then, whoever did it. An earlier release wrote no turns. */
function lastPassOf(heartbeat: Heartbeat | undefined, turns: ReadonlyMap<string, PeriodicRun>): number | undefined {
  const completed = vitalParts.map((part) => turns.get(part)?.completedAt);
  return completed.every((at) => at !== undefined) ? Math.min(...completed) : heartbeat?.at;
}

/** @param began when this instance did: until the timer can have run, it counts as running */
function timerState(
  { timerAt, timerSince }: Partial<Heartbeat> = {},
  now: number,
  began: number,
): Reply<"HealthDetails">["timer"] {
  const ok = now - Math.max(timerAt ?? 0, began) <= timerSilence;
  return { ok, since: iso(ok ? timerSince : timerAt) };
}

function shown({ begunAt, completedAt, by, unfinished, error }: PeriodicRun): Reply<"HealthDetails">["sweep"][string] {
  return {
    begunAt: iso(begunAt),
    completedAt: iso(completedAt),
    by,
    ...(unfinished ? { unfinished } : {}),
    ...(error === undefined ? {} : { error }),
  };
}

type QueueLength =
  "queueLength" | "wakeLength" | "eventsLength" | "poisonLength" | "wakePoisonLength" | "eventsPoisonLength";

async function queueLengths(queues: Deps["queues"]): Promise<Pick<Reply<"HealthDetails">, QueueLength>> {
  const { jobs, wake, events } = queueNames;
  const poison = (queue: string) => queues.length(`${queue}-poison`);
  const [queueLength, wakeLength, eventsLength, poisonLength, wakePoisonLength, eventsPoisonLength] = await Promise.all(
    [queues.length(jobs), queues.length(wake), queues.length(events), poison(jobs), poison(wake), poison(events)],
  );
  return { queueLength, wakeLength, eventsLength, poisonLength, wakePoisonLength, eventsPoisonLength };
}

/** Active jobs, the oldest that waits, and groups that should be gone and are not. */
async function activeCounts({
  jobs,
  now,
}: HealthDeps): Promise<Pick<Reply<"HealthDetails">, "activeJobs" | "leakedGroups" | "oldestQueued">> {
  let [activeJobs, leakedGroups, oldestQueued] = [0, 0, Infinity];
  for await (const { state, columns } of jobs.index.active()) {
    const ended = terminalStates.some((terminal) => terminal === state);
    const { createdAt, finishedAt } = columns;
    if (!ended) activeJobs++;
    if (state === "Queued" && createdAt instanceof Date) oldestQueued = Math.min(oldestQueued, createdAt.getTime());
    const overdue = finishedAt instanceof Date && now() - finishedAt.getTime() > 30 * minute;
    if (ended && columns["groupDeleted"] === false && !(columns["keptUntil"] instanceof Date) && overdue)
      leakedGroups++;
  }
  return { activeJobs, leakedGroups, oldestQueued: iso(oldestQueued === Infinity ? undefined : oldestQueued) };
}

function iso(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
