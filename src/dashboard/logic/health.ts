import type { Reply } from "../../http/openapi/replies.ts";
import { ago, plural } from "./format.ts";

/** How the service is, as facts. Pure. */
type Health = Reply<"HealthDetails">;

export interface HealthFact {
  readonly name: string;
  readonly value: string;
  readonly isBad: boolean;
}

/** What the service depends on; each is shown while it is in trouble. */
const services = [
  ["Storage", "storage"],
  ["Storage of logs", "logStorage"],
  ["Sealing key", "sealKey"],
  ["Key Vault", "vault"],
  ["Event Grid topic", "eventTopic"],
  ["Webhook", "webhook"],
  ["Delivery by the queue", "queue"],
] as const;
/** Numbers that are zero where all is well. */
const counts = [
  ["Jobs held up by Azure", "blockedJobs"],
  ["Groups that should be gone", "leakedGroups"],
  ["Callers that were not reached for a minute", "lateNotifications"],
  ["Events that were given up", "droppedNotifications"],
] as const;

/** @param at when it was so, in milliseconds since 1970: ages count to then */
export function factsOf(health: Health, at: number): readonly HealthFact[] {
  const since = (time: string | null): string => (time === null ? "never" : ago(Date.parse(time), at));
  const fact = (name: string, value: string, isBad = false): HealthFact => ({ name, value, isBad });
  const { status, paused, arm, timer, throttledUntil } = health;
  const poison = health.poisonLength + health.wakePoisonLength + health.eventsPoisonLength;
  const isThrottled = throttledUntil !== null && Date.parse(throttledUntil) > at;
  return [
    fact("Service", `${status}, version ${health.version}`, status !== "ok"),
    fact("Paused", paused ? `since ${since(paused.since)}: ${paused.reason}` : "no", paused !== null),
    fact(
      "Azure Resource Manager",
      arm.ok
        ? `answered ${since(health.lastArmSuccess)}${isThrottled ? ", and asks us to wait" : ""}`
        : `in trouble since ${since(arm.since)}`,
      !arm.ok,
    ),
    fact("Timer", timer.ok ? "runs" : `stopped ${since(timer.since)}`, !timer.ok),
    fact("Last pass of the sweep", since(health.lastReconcile)),
    fact("Messages in the queue", String(health.queueLength)),
    fact("Poison messages", String(poison), poison > 0),
    fact("Rows that can’t be read", String(health.unreadableRows), health.unreadableRows > 0),
    ...services.flatMap(([name, key]) => {
      const state = health[key];
      if (state === null || state.ok) return [];
      const why = "error" in state && state.error !== undefined ? `: ${state.error}` : "";
      return [fact(name, `in trouble since ${since(state.since)}${why}`, true)];
    }),
    ...counts.flatMap(([name, key]) => (health[key] > 0 ? [fact(name, String(health[key]), true)] : [])),
    ...(health.faults.length > 0 ? [fact("Faults of the settings", health.faults.join("; "), true)] : []),
    ...(health.misspelt && health.misspelt.length > 0
      ? [fact("Settings nobody reads", health.misspelt.join(" "), true)]
      : []),
  ];
}

/** The same in a word or two. */
export function wellness({ status }: Health, facts: readonly HealthFact[]): string {
  const bad = facts.filter(({ isBad }) => isBad).length;
  return status !== "ok" || bad === 0 ? status : plural(bad, "trouble");
}
