import { second } from "../../shared/base/duration.ts";
import type { Deps } from "../../shared/deps.ts";
import { readHealth, type Health } from "../../shared/health/state.ts";
import { probeServices } from "./probes.ts";
import type { RunEnd } from "../../shared/store/periodic-runs.ts";

/** One line a minute with the numbers of health, for alerts and the workbook: an error while the service is not well. */
export async function logHealth(deps: Deps): Promise<RunEnd> {
  await probeServices(deps);
  const health = await readHealth(deps);
  const isWell = health.status === "ok" && [...health.services.values()].every(({ ok }) => ok);
  deps.log(isWell ? "info" : "error", "health", numbersOf(health, deps.now()));
  return { kind: "completed", cursor: undefined };
}

function numbersOf(health: Health, now: number) {
  const {
    status,
    heartbeat,
    timer,
    lastPass,
    throttledUntil,
    lengths,
    active,
    held,
    unreadable,
    services,
    pause,
    faults,
  } = health;
  const age = (at: number | undefined): number | undefined =>
    at === undefined ? undefined : Math.max(0, Math.round((now - at) / second));
  const { oldestQueued, ...counts } = active;
  return {
    status,
    ...counts,
    oldestQueuedSeconds: age(oldestQueued),
    ...lengths,
    waitingMessages: held.count,
    unreadableRows: unreadable.length,
    paused: pause !== undefined,
    armOk: heartbeat?.arm === "ok",
    armAgeSeconds: age(heartbeat?.armAt),
    throttled: (throttledUntil ?? 0) > now,
    sealKeyOk: services.get("sealKey")?.ok,
    vaultOk: services.get("vault")?.ok,
    eventTopicOk: services.get("eventTopic")?.ok,
    webhookOk: services.get("webhook")?.ok,
    timerOk: timer.ok,
    sweepAgeSeconds: age(lastPass),
    settingFaults: faults.length,
  };
}
