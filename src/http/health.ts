import manifest from "../../package.json" with { type: "json" };
import { second } from "../shared/base/duration.ts";
import { Unavailable } from "../shared/base/errors.ts";
import { errorFields } from "../shared/base/log.ts";
import type { Deps } from "../shared/deps.ts";
import { readHealth } from "../shared/health/state.ts";
import type { ServiceState } from "../shared/store/service-states.ts";
import type { PeriodicRun } from "../shared/store/periodic-runs.ts";
import { handler, json, refuse } from "./lib/reply.ts";
import { storagePatience } from "./lib/second-clock.ts";
import { seesEverything } from "./lib/visible.ts";
import type { Reply } from "./openapi/replies.ts";

/** `GET /api/health` (anonymous: does storage answer) and `GET /api/health/details` (for operators). */
type HealthDeps = Pick<
  Deps,
  | "settings"
  | "now"
  | "startedAt"
  | "log"
  | "control"
  | "periodicRuns"
  | "unreadable"
  | "services"
  | "undelivered"
  | "held"
  | "queues"
  | "jobs"
  | "aci"
>;

export const { version } = manifest;

export function health({ log, control }: Pick<HealthDeps, "log" | "control">) {
  return handler(log, async () => {
    await within(storagePatience, control.lastHeartbeat());
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

export function healthDetails(deps: HealthDeps) {
  const storage = new StorageWatch(deps.now);
  return handler(deps.log, async (_request, context) => {
    const health = await readHealth(deps).catch((error: unknown) => {
      if (error instanceof Unavailable && error.service === "storage") return error;
      throw error;
    });
    const since = new Date(storage.note(!(health instanceof Unavailable))).toISOString();
    if (health instanceof Unavailable) {
      deps.log("warn", "unavailable", { requestId: context.invocationId, service: "storage", ...errorFields(health) });
      // A faulty setting may be why.
      const { faults } = deps.settings;
      const message = [`Storage has not answered since ${since}.`, ...faults].join(" ");
      return refuse({ code: "StorageUnavailable", message, retryAfter: 10 * second, more: { faults } }, context);
    }
    const { status, heartbeat, timer, queue, services, hasIndex, unreadable, pause, held, counts, oldestQueued } =
      health;
    const slow = services.get("storage");
    const reply: Reply<"HealthDetails"> = {
      status,
      version,
      lastReconcile: iso(health.lastPass),
      timer: { ok: timer.ok, since: iso(timer.since) },
      queue: { ok: queue.ok, since: iso(queue.since) },
      sweep: Object.fromEntries([...health.periodicRuns].map(([part, turn]) => [part, shown(turn)])),
      index: { ok: hasIndex },
      storage: (slow?.ok === false ? stateOf(slow) : undefined) ?? { ok: true, since },
      logStorage: stateOf(services.get("logStorage")),
      sealKey: stateOf(services.get("sealKey")),
      vault: stateOf(services.get("vault")),
      eventTopic: stateOf(services.get("eventTopic")),
      webhook: stateOf(services.get("webhook")),
      arm: { ok: health.armOk, since: iso(heartbeat?.armSince) },
      lastArmSuccess: iso(heartbeat?.armAt),
      throttledUntil: iso(health.throttledUntil),
      ...health.lengths,
      ...counts,
      blocked: health.blocked,
      oldestQueued: iso(oldestQueued),
      waitingMessages: { ...held, oldest: iso(held.oldest) },
      unreadableRows: unreadable.length,
      // Ids of everybody's jobs.
      unreadable: seesEverything(context) ? unreadable.slice(0, 10) : [],
      paused: pause ? { reason: pause.reason, since: iso(pause.since) } : null,
      faults: health.faults,
      misspelt: [...deps.settings.misspelt],
    };
    return json(status === "ok" ? 200 : 503, reply);
  });
}

/** Since when this instance can read storage, or can't. */
class StorageWatch {
  readonly #now: () => number;
  #state: { readonly ok: boolean; readonly since: number } | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  note(ok: boolean): number {
    if (this.#state?.ok !== ok) this.#state = { ok, since: this.#now() };
    return this.#state.since;
  }
}

function stateOf(state: ServiceState | undefined): Reply<"HealthDetails">["sealKey"] {
  if (state === undefined) return null;
  const { ok, since, error } = state;
  return { ok, since: iso(since), ...(error === undefined ? {} : { error }) };
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

function iso(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
