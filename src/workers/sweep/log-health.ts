import { second } from "../../shared/base/duration.ts";
import type { Gauge, GaugeName, MetricAttributes } from "../../shared/base/telemetry.ts";
import type { Deps } from "../../shared/deps.ts";
import { readHealth, type Health } from "../../shared/health/state.ts";
import { probeServices } from "./probes.ts";
import type { RunEnd } from "../../shared/store/periodic-runs.ts";

/** One line a minute with the numbers of health, for alerts and the workbook: an error while the service is not well. */
export async function logHealth(deps: Deps): Promise<RunEnd> {
  await probeServices(deps);
  const health = await readHealth(deps);
  const isWell = Object.values(upOf(health)).every((ok) => ok) && health.status === "ok";
  const budget = await deps.daily.parts(deps.now());
  const dailyLimitReached = Object.values(budget).some((left) => left === 0);
  deps.log(isWell ? "info" : "error", "health", { ...numbersOf(health, deps.now()), dailyLimitReached });
  deps.telemetry.gauges([...gaugesOf(health, budget, deps.now()), ...(await teamGauges(deps))]);
  return { kind: "completed", cursor: undefined };
}

/** What is left of the day's budget of each team that has one: a read for each of them, once a minute. */
async function teamGauges({ teamBudgets, now }: Deps): Promise<readonly Gauge[]> {
  const gauges: Gauge[] = [];
  for (const [team, budget] of teamBudgets) {
    const { dailyVcpuSeconds: value } = await budget.parts(now());
    const attributes = { "aciproxy.limit": "vcpuSecondsPerDay", "aciproxy.team": team };
    if (value !== undefined) gauges.push({ name: "aciproxy.budget.left", value, attributes });
  }
  return gauges;
}

function numbersOf(health: Health, now: number) {
  const {
    status,
    heartbeat,
    timer,
    queue,
    lastPass,
    throttledUntil,
    blocked,
    lengths,
    counts,
    oldestQueued,
    held,
    unreadable,
    services,
    pause,
    faults,
  } = health;
  const age = (at: number | undefined): number | undefined => secondsSince(at, now);
  return {
    status,
    ...counts,
    blockedBy: Object.keys(blocked).join(" "),
    oldestQueuedSeconds: age(oldestQueued),
    ...lengths,
    waitingMessages: held.count,
    unreadableRows: unreadable.length,
    paused: pause !== undefined,
    armOk: upOf(health)["arm"],
    armAgeSeconds: age(heartbeat?.armAt),
    throttled: heartbeat?.arm === "throttled" || (throttledUntil ?? 0) > now,
    storageOk: services.get("storage")?.ok,
    logStorageOk: services.get("logStorage")?.ok,
    sealKeyOk: services.get("sealKey")?.ok,
    vaultOk: services.get("vault")?.ok,
    eventTopicOk: services.get("eventTopic")?.ok,
    webhookOk: services.get("webhook")?.ok,
    timerOk: timer.ok,
    queueOk: queue.ok,
    sweepAgeSeconds: age(lastPass),
    settingFaults: faults.length,
  };
}

/** What the service needs, by name, and whether it works. */
function upOf({ heartbeat, armOk, timer, queue, services }: Health): Readonly<Record<string, boolean>> {
  const probed = [...services].map(([name, { ok }]) => [name, ok] as const);
  // Nobody has asked ARM before the first pass.
  const arm = heartbeat === undefined ? {} : { arm: armOk };
  return { ...arm, timer: timer.ok, queue: queue.ok, ...Object.fromEntries(probed) };
}

function secondsSince(at: number | undefined, now: number): number | undefined {
  return at === undefined ? undefined : Math.max(0, Math.round((now - at) / second));
}

/** The same as gauges, and active jobs by state and reason. */
function gaugesOf(health: Health, budget: Readonly<Record<string, number>>, now: number): readonly Gauge[] {
  const { counts, byState, lengths, unreadable, oldestQueued, lastPass, heartbeat } = health;
  const gauge = (name: GaugeName, value: number | undefined, attributes?: MetricAttributes): Gauge[] =>
    value === undefined ? [] : [{ name, value, ...(attributes === undefined ? {} : { attributes }) }];
  const queues = {
    "aci-jobs": lengths.queueLength,
    "aci-wake": lengths.wakeLength,
    "aci-events": lengths.eventsLength,
  };
  const poison = {
    "aci-jobs": lengths.poisonLength,
    "aci-wake": lengths.wakePoisonLength,
    "aci-events": lengths.eventsPoisonLength,
  };
  const byQueue = (name: GaugeName, numbers: Readonly<Record<string, number>>): Gauge[] =>
    Object.entries(numbers).flatMap(([queue, value]) => gauge(name, value, { "messaging.destination.name": queue }));
  return [
    ...byState.flatMap(({ state, reason, jobs }) =>
      gauge("aciproxy.jobs.active", jobs, { "aciproxy.job.state": state, "aciproxy.job.reason": reason }),
    ),
    ...Object.entries(health.blocked).flatMap(([reason, jobs]) =>
      gauge("aciproxy.jobs.blocked", jobs, { "aciproxy.job.reason": reason }),
    ),
    ...Object.entries(upOf(health)).flatMap(([service, ok]) =>
      gauge("aciproxy.service.up", Number(ok), { "aciproxy.service": service }),
    ),
    ...byQueue("aciproxy.queue.messages", queues),
    ...byQueue("aciproxy.poison.messages", poison),
    ...gauge("aciproxy.groups.leaked", counts.leakedGroups),
    ...gauge("aciproxy.rows.unreadable", unreadable.length),
    ...gauge("aciproxy.notifications.undelivered", counts.undeliveredNotifications),
    ...gauge("aciproxy.oldest_queued.age", secondsSince(oldestQueued, now)),
    ...gauge("aciproxy.heartbeat.age", secondsSince(lastPass, now)),
    ...gauge("aciproxy.arm.age", secondsSince(heartbeat?.armAt, now)),
    ...Object.entries(budget).flatMap(([limit, left]) =>
      gauge("aciproxy.budget.left", left, { "aciproxy.limit": limit }),
    ),
  ];
}
