import { minute } from "../shared/base/duration.ts";
import type { Deps } from "../shared/deps.ts";
import { terminalStates } from "../shared/job/job.ts";
import { queueNames } from "../shared/store/queues.ts";
import { handler, json } from "./lib/reply.ts";

/** `GET /api/health` (anonymous: does storage answer) and `GET /api/health/details` (for operators). */
type HealthDeps = Pick<Deps, "settings" | "now" | "log" | "control" | "queues" | "jobs" | "aci">;

export const version = "0.1.0";

export function health({ log, control }: Pick<HealthDeps, "log" | "control">) {
  return handler(log, async () => {
    await control.lastBeat();
    return json(200, { status: "ok" });
  });
}

/** A reconciler that has not looked around for so long is not at work. */
const mostSilence = 5 * minute;

export function healthDetails(deps: HealthDeps) {
  const began = deps.now();
  return handler(deps.log, async () => {
    const { control, queues, settings, now } = deps;
    const [beat, pause, queueLength, wakeLength, poisonLength, active, { aci, installation }] = await Promise.all([
      control.lastBeat(),
      control.paused(),
      queues.length(queueNames.jobs),
      queues.length(queueNames.wake),
      queues.length(`${queueNames.jobs}-poison`),
      activeCounts(deps),
      deps.aci(),
    ]);
    const faults = [...settings.faults, ...(installation.refusal === undefined ? [] : [installation.refusal])];
    const late = now() - Math.max(beat?.at ?? 0, began) > mostSilence;
    const status =
      faults.length > 0
        ? "misconfigured"
        : late
          ? "late"
          : beat?.arm === "refused"
            ? "refused by Azure Resource Manager"
            : "ok";
    return json(status === "ok" ? 200 : 503, {
      status,
      version,
      lastReconcile: iso(beat?.at),
      lastArmSuccess: iso(beat?.armAt),
      throttledUntil: iso(aci.heldUntil),
      queueLength,
      wakeLength,
      poisonLength,
      ...active,
      paused: pause ? { reason: pause.reason, since: iso(pause.since) } : null,
      faults,
    });
  });
}

/** Active jobs, the oldest that waits, and groups that should be gone and are not. */
async function activeCounts({ jobs, now }: HealthDeps): Promise<Record<string, unknown>> {
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
