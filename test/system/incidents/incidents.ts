import type { DrillName } from "../../../local/drills/drills.ts";

/** A member of `/api/health/details`, of a log line or of a metric's point, and what it is while the incident lasts. */
interface Sign {
  readonly name: string;
  readonly isSeen: (value: unknown) => boolean;
}

/** An incident, and where operators see it: docs/operations.md has the same as a table. */
export interface Incident {
  readonly drill: DrillName;
  readonly title: string;
  /** A job that is submitted once the drill is on: it runs for a second; with a callback where one is wanted. */
  readonly job?: "plain" | "callback";
  /** A member of the details; the second name is one of its own members. */
  readonly health: Sign & { readonly of?: string };
  /** The fault's own line: the event, and a field of it. */
  readonly line: Sign & { readonly event: string };
  readonly metric: {
    readonly name: string;
    readonly attributes: Readonly<Record<string, string | number>>;
    readonly isSeen: (value: number) => boolean;
  };
  /** Without its `aci-proxy-`. */
  readonly alert: string;
  /** What to do, for the table. */
  readonly todo: string;
}

const isNotOk = (value: unknown): boolean => value === false;
const isThere = (value: unknown): boolean => value !== null && value !== undefined;
const isPositive = (value: unknown): boolean => typeof value === "number" && value > 0;
const is =
  (wanted: string) =>
  (value: unknown): boolean =>
    value === wanted;

/** A service that does not work: its member of health, and its field of the line `health`. */
const down = (member: string, field = `${member}Ok`) => ({
  health: { of: member, name: "ok", isSeen: isNotOk },
  line: { event: "health", name: field, isSeen: isNotOk },
  metric: {
    name: "aciproxy.service.up",
    attributes: { "aciproxy.service": member },
    isSeen: (value: number) => value === 0,
  },
});

/** Jobs that wait for a reason. */
const blocked = (reason: string, event: "create" | "delete") => ({
  job: "plain" as const,
  health: { of: "blocked", name: reason, isSeen: isPositive },
  line: { event, name: "reason", isSeen: is(reason) },
  metric: { name: "aciproxy.jobs.blocked", attributes: { "aciproxy.job.reason": reason }, isSeen: isPositive },
  alert: "jobs-blocked",
});

export const incidents: readonly Incident[] = [
  {
    drill: "arm-403",
    title: "ARM 403",
    todo: "`az role assignment list --all --assignee IDENTITY`; deploy again where a role is missing",
    ...down("arm"),
    metric: { name: "aciproxy.arm.calls", attributes: { "http.response.status_code": 403 }, isSeen: isPositive },
    alert: "arm",
  },
  {
    drill: "arm-gone",
    title: "ARM gone",
    todo: "the platform's status, or your network; running groups go on, jobs wait",
    ...down("arm"),
    alert: "arm",
  },
  {
    drill: "arm-throttling",
    title: "ARM throttling",
    todo: "find who else uses the subscription; jobs go on when the time is over",
    health: { name: "throttledUntil", isSeen: isThere },
    line: { event: "health", name: "throttled", isSeen: (value) => value === true },
    metric: { name: "aciproxy.arm.throttles", attributes: {}, isSeen: isPositive },
    alert: "throttled",
  },
  {
    drill: "region-full",
    title: "region full",
    todo: "`npx aci-proxy list --state active --reason NoCapacity`; another place (`extraTargets`) or size",
    ...blocked("NoCapacity", "create"),
  },
  {
    drill: "quota-full",
    title: "quota full",
    todo: "`npx aci-proxy list --state active --reason QuotaReached`; ask for more, or add places",
    ...blocked("QuotaReached", "create"),
  },
  {
    drill: "registry-refusing",
    title: "registry refusing",
    todo: "`npx aci-proxy describe JOB`; credentials, or a registry of your own, then `npx aci-proxy rerun JOB`",
    ...blocked("RegistryBusy", "create"),
    alert: "pipeline-failed",
  },
  {
    drill: "seal-key-gone",
    title: "seal key gone",
    todo: "`az keyvault key show --vault-name VAULT --name seal`; jobs that run go on",
    ...down("sealKey"),
    alert: "key-vault",
  },
  {
    drill: "vault-gone",
    title: "vault gone",
    todo: "`az keyvault show --name VAULT`; jobs that refer to a secret wait",
    ...down("vault"),
    alert: "key-vault",
  },
  {
    drill: "table-slow",
    title: "table slow",
    todo: "the storage account's metrics: who else uses it?",
    ...down("storage"),
    alert: "storage",
  },
  {
    drill: "queue-frozen",
    title: "queue frozen",
    todo: "`az functionapp restart --resource-group GROUP --name APP`; the sweep moves jobs meanwhile",
    ...down("queue"),
    alert: "storage",
  },
  {
    drill: "timer-dead",
    title: "timer dead",
    todo: "`az functionapp restart --resource-group GROUP --name APP`; messages run the sweep meanwhile",
    ...down("timer"),
    alert: "timer",
  },
  {
    drill: "poison-message",
    title: "poison message",
    todo: "`npx aci-proxy poison list`, then `replay` or `drop`",
    health: { name: "poisonLength", isSeen: isPositive },
    line: { event: "health", name: "poisonLength", isSeen: isPositive },
    metric: {
      name: "aciproxy.poison.messages",
      attributes: { "messaging.destination.name": "aci-jobs" },
      isSeen: isPositive,
    },
    alert: "poison",
  },
  {
    drill: "group-undeletable",
    title: "group that can't be deleted",
    todo: "`az lock list --resource-group GROUPS`, `az lock delete --ids ID`",
    ...blocked("ResourceLocked", "delete"),
  },
  {
    drill: "callback-dead",
    title: "callback dead",
    todo: "`npx aci-proxy describe JOB`; the caller's own service is down",
    job: "callback",
    health: { name: "lateNotifications", isSeen: isPositive },
    line: { event: "notifying a caller failed", name: "event", isSeen: isThere },
    metric: { name: "aciproxy.notifications.undelivered", attributes: {}, isSeen: isPositive },
    alert: "endpoints",
  },
  {
    drill: "log-storage-refusing",
    title: "log storage refusing",
    todo: "the app's role on blobs, the account's firewall, a policy on `aci-logs`",
    ...down("logStorage"),
    job: "plain",
    line: { event: "log not stored", name: "service", isSeen: is("storage") },
    alert: "storage",
  },
];

/** As docs/operations.md shows them. */
export function incidentTable(): string {
  const rows = incidents.map(({ drill, title, health, line, metric, alert, todo }) => {
    const member = health.of === undefined ? health.name : `${health.of}.${health.name}`;
    const event = line.name === "event" ? `\`${line.event}\`` : `\`${line.event}\`: \`${line.name}\``;
    return `| ${title} | \`${drill}\` | \`${member}\` | ${event} | \`${metric.name}\` | \`aci-proxy-${alert}\` | ${todo} |`;
  });
  const head = "| incident | drill | health | log line | metric | alert | do |";
  return [head, head.replaceAll(/[^|]+/g, " --- "), ...rows].join("\n");
}
