import { hash } from "node:crypto";
import { day, hour, minute, second } from "../../../src/shared/base/duration.ts";
import { groupName, mintJobId, type JobId } from "../../../src/shared/base/ids.ts";
import { leadsTo, nameEntry, partition, type Entity } from "../../../src/shared/store/index-partition.ts";
import type { Job } from "../../../src/shared/job/job.ts";
import { jobKey, toRow, type JobKey } from "../../../src/shared/store/job-row.ts";
import { ended, live } from "../../kit/kit.ts";

/** A job of the simulated year: what it leaves in storage. A fixed share is of a kind that retention must know. */
export interface YearJob {
  readonly id: JobId;
  readonly name: string;
  readonly createdAt: number;
  readonly finishedAt: number;
  readonly key: JobKey;
  /** Its `Idempotency-Key`. */
  readonly keyHash: string | undefined;
  /** Its id was chosen by its poster. */
  readonly hasOwnId: boolean;
  /** The id of a message that attached to it. */
  readonly joined: JobId | undefined;
  /** Its definition lies in a blob. */
  readonly isLarge: boolean;
  readonly attempts: number;
  readonly containers: readonly string[];
  /** Azure does not confirm that its group is gone, for months. */
  readonly groupStays: boolean;
}

const names = 300;
/** One in a thousand. */
const stuck = 5;

export function yearJob(n: number, createdAt: number): YearJob {
  const hasOwnId = n % 10 === 1;
  const id = hasOwnId ? uuid(n) : idOf(n, createdAt);
  const runTime = n % 50 === 6 ? 5 * day + (n % 7) * hour : minute + (n % 540) * second;
  return {
    id,
    // Most are run again and again, some have a name of their own.
    name: n % 20 === 7 ? `once-${n}` : `pipeline-${(n * 7) % names}`,
    createdAt,
    finishedAt: createdAt + runTime,
    key: jobKey(id, createdAt),
    keyHash: n % 10 === 0 ? hash("sha256", `key ${n}`) : undefined,
    hasOwnId,
    joined: n % 100 === 2 ? uuid(-n) : undefined,
    isLarge: n % 25 === 3,
    attempts: n % 20 === 4 ? 2 : 1,
    containers: n % 5 === 0 ? ["app", "sidecar"] : ["app"],
    groupStays: n % 1000 === stuck,
  };
}

function idOf(n: number, at: number): JobId {
  const random = new Uint8Array(10);
  new DataView(random.buffer).setInt32(2, n);
  return mintJobId(at, random);
}

/** A version 4. */
function uuid(n: number): JobId {
  const digits = (n >>> 0).toString(16).padStart(12, "0");
  return `6f9619ff-8b86-4011-b42d-${digits}` as JobId; // of its form
}

const definition = new Uint8Array(1000);

/**
 * The row of a job while it runs and at its end: the columns that retention reads, compares or takes out, as the store writes them.
 * Those of a year would not fit into memory whole.
 */
export function rowOf(job: YearJob, state: "running" | "ended" | "ended, group not gone"): Entity {
  const written = states[state];
  const { keyHash, joined } = job;
  const isPlain = keyHash === undefined && joined === undefined;
  return {
    partitionKey: job.key.partitionKey,
    rowKey: job.key.rowKey,
    id: job.id,
    name: job.name,
    attempt: job.attempts,
    finishedAt: state === "running" ? undefined : new Date(job.finishedAt),
    groupDeleted: written["groupDeleted"],
    hasDefinition: written["hasDefinition"],
    hasLogs: written["hasLogs"],
    callbackState: written["callbackState"],
    definition: job.isLarge ? "blob" : definition,
    record: isPlain ? written["record"] : recordWith(written["record"], keyHash, joined),
  };
}

const attempt = {
  number: 1,
  state: "Succeeded",
  verdict: { reason: "Completed", exitCode: 0 },
  finishedAt: 0,
} as const;
const states = {
  running: columnsOf(live({ state: "Running", startedAt: 0 })),
  ended: columnsOf(ended({ group: "gone", tidy: true }, { attempts: [attempt] })),
  "ended, group not gone": columnsOf(ended({ group: "present", tidy: false }, { attempts: [attempt] })),
};

function columnsOf(job: Job): Readonly<Record<string, unknown>> {
  const prices = { vcpuHour: 0, gbHour: 0, currency: "EUR" };
  return toRow(job, jobKey(job.id, job.createdAt), { definition, callbacks: undefined }, prices);
}

/** As the store would write it of a job with a key, or that another attached to. */
function recordWith(record: unknown, keyHash: string | undefined, joined: JobId | undefined): string {
  const more = [
    ...(keyHash === undefined ? [] : [`"keyHash":"${keyHash}"`]),
    ...(joined === undefined ? [] : [`"joined":[{"id":"${joined}"}]`]),
  ];
  return `${String(record).slice(0, -1)},${more.join(",")}}`;
}

/** The entries of the job index that stay when a job is done with. */
export function indexEntriesOf({ id, name, key, keyHash, hasOwnId, joined }: YearJob): Entity[] {
  const entries: [string, Readonly<Record<string, unknown>>][] = [[nameEntry(groupName(name), key), leadsTo(key)]];
  if (keyHash !== undefined) entries.push([`key_${keyHash}`, { jobId: id }]);
  if (hasOwnId) entries.push([`id_${id}`, leadsTo(key)]);
  if (joined !== undefined) entries.push([`id_${joined}`, leadsTo(key)]);
  return entries.map(([rowKey, more]) => ({ ...more, partitionKey: partition, rowKey }));
}

/** What a release before kept of a name. */
export function nameHistoryOf({ name, createdAt, finishedAt }: YearJob): Entity {
  const usualTime = finishedAt - createdAt;
  return { partitionKey: partition, rowKey: `name_${name}`, usualTime, lastDeleteAt: new Date(finishedAt) };
}

const outcome = new Uint8Array(300);

export function attemptEntitiesOf({ id, attempts }: YearJob): Entity[] {
  return Array.from({ length: attempts }, (_, n) => ({
    partitionKey: id,
    rowKey: String(n + 1).padStart(3, "0"),
    data0: outcome,
  }));
}

export function logBlobsOf({ id, attempts, containers }: YearJob): string[] {
  return Array.from({ length: attempts }, (_, n) =>
    containers.map((name) => `aci-logs/${id}/${n + 1}/${name}.log`),
  ).flat();
}
