import { minute } from "../shared/backoff.ts";
import type { Deps } from "../shared/deps.ts";
import { queueNames } from "../shared/queue.ts";
import { handler, json } from "./reply.ts";

/** `GET /api/health` (anonymous: does storage answer) and `GET /api/health/details` (for operators). */
type HealthDeps = Pick<Deps, "settings" | "now" | "log" | "control" | "queues" | "jobs">;

export const version = "0.1.0";

export function health({ log, control }: HealthDeps) {
  return handler(log, async () => {
    await control.lastBeat();
    return json(200, { status: "ok" });
  });
}

export function healthDetails(deps: HealthDeps) {
  return handler(deps.log, async () => {
    const { control, queues, settings, now } = deps;
    const [beat, pause, queued, woken, poison, installation] = await Promise.all([
      control.lastBeat(),
      control.paused(),
      queues.length(queueNames.jobs),
      queues.length(queueNames.wake),
      queues.length(`${queueNames.jobs}-poison`),
      control.installation(),
    ]);
    const late = beat === undefined || now() - beat > 5 * minute;
    const faults = [...settings.faults, ...(installation.refusal === undefined ? [] : [installation.refusal])];
    return json(late || faults.length > 0 ? 503 : 200, {
      status: late ? "late" : faults.length > 0 ? "misconfigured" : "ok",
      version,
      lastReconcile: beat === undefined ? null : new Date(beat).toISOString(),
      queueLength: queued,
      wakeLength: woken,
      poisonLength: poison,
      paused: pause ? { reason: pause.reason, since: new Date(pause.since).toISOString() } : null,
      faults,
    });
  });
}
