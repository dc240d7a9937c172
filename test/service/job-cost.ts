import { minute, second } from "../../src/shared/base/duration.ts";
import type { JobId } from "../../src/shared/base/ids.ts";
import { hasEnded } from "../../src/shared/job/job.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import type { ProxiedCall } from "../kit/proxy.ts";
import { countersOf, deliver, jobOf, post, yaml, type Bench } from "./kit.ts";

/**
 * What a job of one container costs, from its accept to the end of its cleaning up, as the services behind the real clients count it.
 * What all jobs of an instance share (draws on the budget, the load) is counted apart.
 */
export interface JobCost {
  readonly arm: {
    readonly observations: number;
    readonly logReads: number;
    readonly creates: number;
    readonly deletes: number;
  };
  readonly storage: StorageCost;
  /** Of the bodies that storage was sent and that it answered with. */
  readonly bytes: number;
  /** How often the sweep got a later time for the job's next observation. */
  readonly checks: number;
  readonly shared: number;
}

export interface StorageCost {
  readonly tableReads: number;
  readonly tableWrites: number;
  /** Messages sent; the host gets and deletes each. */
  readonly messages: number;
  readonly blobReads: number;
  readonly blobWrites: number;
}

/** What a job costs: once, and for each look, log read and word to the timer. A transaction counts as one write, as Azure bills it. */
export function formula({ arm: { observations, logReads }, checks }: JobCost): StorageCost {
  return {
    tableReads: 4 + observations,
    tableWrites: 15 + observations + checks,
    messages: observations - 1,
    blobReads: 2 * logReads - 1,
    blobWrites: 2,
  };
}

export async function costOfJob(bench: Bench, name: string, seconds: number): Promise<JobCost> {
  const before = { calls: bench.calls().length, arm: countersOf(bench).calls };
  const { id } = await post(bench.deps, yaml(name, { seconds }), "polling=true");
  await deliver(bench.deps, JSON.stringify({ version: 1, op: "run", id }));
  const ownReads = await live(bench, id);
  const calls = bench.calls().slice(before.calls);
  const shared = calls.filter(isShared);
  const own = calls.filter((call) => !isShared(call));
  const arm = countersOf(bench).calls;
  const asked = (kind: string): number => (arm[kind] ?? 0) - (before.arm[kind] ?? 0);
  const count = (service: ProxiedCall["service"], reads: boolean): number =>
    own.filter((call) => call.service === service && isRead(call) === reads).length;
  return {
    arm: { observations: asked("get"), logReads: asked("logs"), creates: asked("put"), deletes: asked("delete") },
    storage: {
      tableReads: count("table", true) - ownReads,
      tableWrites: count("table", false),
      messages: count("queue", false),
      blobReads: count("blob", true),
      blobWrites: count("blob", false),
    },
    bytes: own.reduce((sum, { body, answered }) => sum + Buffer.byteLength(body) + answered, 0),
    checks: own.filter(({ method }) => method === "PATCH").length,
    shared: shared.length,
  };
}

/** Reconciles the job when its row says so, and returns how often that row was read only to know when. */
async function live({ deps, clock }: Bench, id: JobId): Promise<number> {
  for (let reads = 1; reads < 1000; reads++) {
    const { phase, lookAt } = await jobOf(deps, id);
    if (hasEnded(phase) && phase.tidy) return reads;
    clock.advance(Math.max(0, Math.ceil(lookAt - clock.now())));
    await reconcile(deps, id, { at: lookAt });
  }
  throw new Error(`Job ${id} does not end.`);
}

const isRead = ({ method }: ProxiedCall): boolean => method === "GET" || method === "HEAD";
const isShared = ({ url }: ProxiedCall): boolean => /\/control\b/.test(url.pathname);

export interface CostRow {
  readonly life: string;
  readonly cost: JobCost;
  /** Log lines of the job. */
  readonly lines: number;
}

const pricePerCall = 0.004 / 10_000;

/** As docs/costs.md shows it. */
export function costTable(lines: readonly CostRow[]): string {
  const rows = lines.map(({ life, cost: { arm, storage } }) => {
    const { tableReads, tableWrites, messages, blobReads, blobWrites } = storage;
    const calls = tableReads + tableWrites + 3 * messages + blobReads + blobWrites;
    return [
      life,
      arm.observations,
      arm.logReads,
      `${arm.creates}, ${arm.deletes}`,
      `${tableReads}, ${tableWrites}`,
      3 * messages,
      `${blobReads}, ${blobWrites}`,
      `$${(calls * pricePerCall).toFixed(5)}`,
    ];
  });
  const head = [
    "runs for",
    "observations",
    "log reads",
    "creates, deletes",
    "table reads, writes",
    "queue calls",
    "blob reads, writes",
    "storage, example price",
  ];
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Each message that is sent is got by one execution; the accept is one, and Azure sends an event of the create and one of the delete. */
const executionsOf = ({ storage }: JobCost): number => storage.messages + 3;

/** The job, its four states, its create and its delete. */
const spans = 7;

const prices = { gbSecond: 0.000026, execution: 0.4 / 1e6, gbOfTelemetry: 2.3 } as const;

/** What it keeps the app busy with, as docs/costs.md shows it: an execution is billed for a second of 2 GB, if it has an instance to itself. */
export function workTable(lines: readonly CostRow[]): string {
  const rows = lines.map(({ life, cost, lines: logged }) => {
    const executions = executionsOf(cost);
    const gbSeconds = 2 * executions;
    const telemetry = logged + spans;
    return [
      life,
      executions,
      gbSeconds,
      `$${(gbSeconds * prices.gbSecond + executions * prices.execution).toFixed(5)}`,
      `${logged}, ${spans}`,
      `${telemetry} KB`,
      `$${((telemetry / 1e6) * prices.gbOfTelemetry).toFixed(5)}`,
    ];
  });
  const head = [
    "runs for",
    "executions",
    "GB-s, at most",
    "example price",
    "log lines, spans",
    "telemetry",
    "example price",
  ];
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** A thousand jobs of five minutes with 1 vCPU and 2 GB, each polled every 30 s. */
const thousand = { jobs: 1000, seconds: 300, polls: 11, gb: 2 } as const;
const containerPrices = {
  instances: { vcpuSecond: 0.0405 / 3600, gbSecond: 0.00445 / 3600 },
  apps: { vcpuSecond: 0.000024, gbSecond: 0.000003 },
} as const;

/** What one job of five minutes takes of the service that runs it. */
interface Way {
  readonly way: string;
  readonly executions: number;
  readonly gbSeconds: number;
  readonly storage: number;
  /** Kilobytes. */
  readonly telemetry: number;
  readonly arm: number;
  readonly containers: keyof typeof containerPrices;
}

/**
 * The bill of a thousand jobs of five minutes, as docs/costs.md shows it: this service by the counts of a measured one; the others by what
 * their way makes them do, which is said there.
 */
export function thousandTable({ cost, lines }: CostRow): string {
  const { tableReads, tableWrites, messages, blobReads, blobWrites } = cost.storage;
  const { observations, logReads, creates, deletes } = cost.arm;
  const { polls } = thousand;
  const own = executionsOf(cost) + polls;
  // The POST waits 20 s for the group and asks for it every 2 s; each poll asks ARM, the last one for the log too; a DELETE of the caller's.
  const provisioning = { seconds: 20, reads: 10 };
  // An orchestration that asks ARM every 30 s: an activity each for create, logs and delete and for each look; a replay after each of them,
  // after each timer between looks, and at the start. A replay reads the history and writes it, the instance and a message, which is got and
  // deleted; an activity's message is three calls too.
  const [activities, timers] = [3 + 10, 10];
  const replays = 1 + activities + timers;
  const ways: readonly Way[] = [
    {
      way: "this service",
      executions: own,
      gbSeconds: 2 * own,
      storage: tableReads + tableWrites + 3 * messages + blobReads + blobWrites + polls + 1,
      telemetry: lines + spans,
      arm: observations + logReads + creates + deletes,
      containers: "instances",
    },
    {
      way: "the original's way",
      executions: 2 + polls,
      gbSeconds: 2 * (provisioning.seconds + 1 + polls),
      storage: 0,
      telemetry: 2 + polls,
      arm: 1 + provisioning.reads + polls + 1 + 1,
      containers: "instances",
    },
    {
      way: "Durable Functions, with Container Instances",
      executions: 1 + activities + replays,
      gbSeconds: 2 * (1 + activities + replays),
      storage: 6 * replays + 3 * activities + polls,
      telemetry: 1 + activities + replays,
      arm: activities,
      containers: "instances",
    },
    {
      way: "Container Apps jobs",
      executions: 0,
      gbSeconds: 0,
      storage: 0,
      telemetry: 0,
      arm: 1 + polls,
      containers: "apps",
    },
  ];
  const { jobs, seconds, gb } = thousand;
  const whole = (value: number): string => Math.round(value * jobs).toLocaleString("en-US");
  const dollars = (value: number): string => `$${value.toFixed(2)}`;
  const rows = ways.map(({ way, executions, gbSeconds, storage, telemetry, arm, containers }) => {
    const service =
      jobs *
      (gbSeconds * prices.gbSecond +
        executions * prices.execution +
        storage * pricePerCall +
        (telemetry / 1e6) * prices.gbOfTelemetry);
    const { vcpuSecond, gbSecond } = containerPrices[containers];
    const run = jobs * seconds * (vcpuSecond + gb * gbSecond);
    return [
      way,
      whole(executions),
      whole(gbSeconds),
      whole(storage),
      `${Math.round((telemetry * jobs) / 1000)} MB`,
      whole(arm),
      dollars(service),
      dollars(run),
    ];
  });
  const head = [
    "way",
    "executions",
    "GB-s, at most",
    "storage calls",
    "telemetry",
    "ARM calls",
    "the service, at most",
    "the containers",
  ];
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

export const lives = [
  { life: "10 s", seconds: 10 },
  { life: "5 minutes", seconds: 300 },
  { life: "1 hour", seconds: 3600 },
] as const;

/** The maximum number of updates for the sweep in that time: a dead host's jobs are to go on within 90 s. */
export const maxChecks = (milliseconds: number): number => 4 + milliseconds / (20 * second);

/**
 * The draws on the budget (two calls for each 30 s or 40 reads, for creates and deletes too) and the load, read once a minute: of a job
 * that has its instance to itself, the most that there can be.
 */
export const maxShared = (milliseconds: number): number => 10 + (5 * milliseconds) / minute + 8;

/** The maximum of {@link JobCost.bytes}: each observation reads the row and writes it, at some eight kilobytes. */
export const maxBytes = ({ arm: { observations } }: JobCost): number => 50_000 + 16_000 * observations;
