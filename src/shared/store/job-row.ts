// Longer than 350 lines: the columns of a row, written and read back in one place.
import type { Edm } from "@azure/data-tables";
import { defined } from "../base/defined.ts";
import { day, second } from "../base/duration.ts";
import { endingOf, hasEnded, jobSchema, recordOf, stateWord, type ArrayState, type Job } from "../job/job.ts";
import { arrayHashOf, childIn, isMinted, mintedAt, nameKey, type JobId } from "../base/ids.ts";
import { blame, deleteRefusedOf, describe, stoppingOf, waitingOf } from "../job/describe.ts";
import { runsIn } from "../job/array-outcomes.ts";
import { pullSeconds } from "../job/timing.ts";
import { expectedEndOf } from "../job/typical.ts";
import { usageOf } from "../job/usage.ts";

/**
 * Rows of the table `jobs`: flat columns for dashboards, documented in docs/tables.md, and the whole job as JSON in `record`, which
 * is what we read back. A column is never renamed or retyped. A column that has no value yet is absent.
 */
export interface JobKey {
  readonly partitionKey: string;
  readonly rowKey: string;
}

/** Bytes that travel with a job's row, sealed: the definition (unless it is too large and lies in a blob) and the callers to tell. */
export interface Sealed {
  readonly definition: Uint8Array | "blob" | undefined;
  readonly callbacks: Uint8Array | undefined;
}

/** Price per hour of a vCPU and of a GB, for the estimate. */
export interface Prices {
  readonly vcpuHour: number;
  readonly gbHour: number;
  readonly currency: string;
}

/** A day's partition, newest first: 99999999 less the day, then the day itself, both UTC (`79738875-20261124`). */
export function dayPartition(at: number): string {
  const number = Math.floor(at / day);
  if (number === latest.number) return latest.partition;
  const date = new Date(at).toISOString().slice(0, 10).replaceAll("-", "");
  latest = { number, partition: `${99_999_999 - Number(date)}-${date}` };
  return latest.partition;
}

/** Nearly every call asks for the same day as the one before. */
let latest = { number: NaN, partition: "" };

/** Where the children of an array have their rows. No day's partition begins with a letter. */
export function arrayPartition(array: JobId, arrayAt: number): string {
  return childrenOf(arrayAt, arrayHashOf(array));
}

/** Every partition of a day is before it, every array's after it. */
export const afterDays = "a";

/** In an array's partition: after all children, what is counted of their ends. */
export const countsRow = "~counts";

/** A filter of the rows of an array's children, from an index on. */
export function childRows({ partition, from = 0 }: { readonly partition: string; readonly from?: number }): string {
  return `PartitionKey eq '${partition}' and RowKey ge '${numberText(from)}' and RowKey lt '${countsRow}'`;
}

/** A filter of the partitions of arrays that were accepted since. */
export function arraysSince(at: number): string {
  return `PartitionKey ge '${childrenOf(Math.max(0, at), "")}'`;
}

function numberText(number: number): string {
  return String(number).padStart(6, "0");
}

/** In an array's partition, after that: the items of an array of packs, each by its index. */
export function itemRow(index: number): string {
  return `${itemPrefix}${numberText(index)}`;
}

const itemPrefix = "~item-";

/** A filter of those rows, from an index on. */
export function itemRows(partition: string, from = 0): string {
  return `PartitionKey eq '${partition}' and RowKey ge '${itemRow(from)}' and RowKey lt '${itemPrefix}~'`;
}

function childrenOf(arrayAt: number, arrayHash: string): string {
  return `array-${String(arrayAt).padStart(13, "0")}-${arrayHash}`;
}

/** Where a job's row stands: its creation's day, newest first within it; a child's in the partition of its array, by its number. */
export function jobKey(id: JobId, createdAt: number): JobKey {
  const child = childIn(id);
  if (child !== undefined)
    return {
      partitionKey: childrenOf(child.arrayAt, child.arrayHash),
      rowKey: `${numberText(child.number)}-${id}`,
    };
  return {
    partitionKey: dayPartition(createdAt),
    rowKey: `${String(9_999_999_999_999 - createdAt).padStart(13, "0")}-${id}`,
  };
}

/** Whose row stands there. */
export function idIn({ rowKey }: JobKey): string {
  return rowKey.slice(-36);
}

/** The key that our own id contains. */
export function keyOfMinted(id: JobId): JobKey | undefined {
  return isMinted(id) ? jobKey(id, mintedAt(id)) : undefined;
}

/** Whether an id alone leads to its row; one that a poster chose does not. */
export function leadsToItself(id: JobId, key: JobKey): boolean {
  const minted = keyOfMinted(id);
  return minted?.partitionKey === key.partitionKey && minted.rowKey === key.rowKey;
}

/** Columns of a row that this release did not write and must not lose. */
export type KeptColumns = Readonly<Record<string, Value>>;

type Value = string | number | boolean | Date | Uint8Array | Edm<"Double">;

/** A column that may have a fraction is a double always: the SDK would write a whole number as an integer. */
const double = (value: number | undefined): Edm<"Double"> | undefined =>
  value === undefined ? undefined : { type: "Double", value };

/** The columns of the contract. */
export function columnsOf(job: Job, prices: Prices): Readonly<Record<string, Value>> {
  const columns: Record<string, Value> = {};
  for (const part of [identityColumns(job), stateColumns(job), timeColumns(job), costColumns(job, prices)]) {
    for (const [name, value] of Object.entries(part)) if (value !== undefined) columns[name] = value;
  }
  return columns;
}

/** Those that a list of jobs shows, in their order in docs/tables.md. */
export const listedColumns = [
  "id",
  "name",
  "groupName",
  "state",
  "reason",
  "message",
  "fault",
  "attempt",
  "createdAt",
  "queuedAt",
  "provisioningAt",
  "startedAt",
  "finishedAt",
  "keptUntil",
  "deadlineAt",
  "expectedStartAt",
  "expectedEndAt",
  "queueSeconds",
  "startSeconds",
  "pullSeconds",
  "runSeconds",
  "durationSeconds",
  "exitCode",
  "failedContainer",
  "containerCount",
  "images",
  "cpu",
  "memoryGB",
  "vcpuSeconds",
  "gbSeconds",
  "costEstimate",
  "currency",
  "location",
  "resourceGroup",
  "groupDeleted",
  "stopping",
  "requestedBy",
  "via",
  "factory",
  "pipeline",
  "pipelineRunId",
  "activity",
  "tags",
  "group",
  "priority",
  "team",
  "rerunOf",
  "template",
  "templateVersion",
  "array",
  "arrayId",
  "arrayIndex",
  "messageId",
  "warnings",
  "callbackState",
  "evictions",
  "version",
] as const;

/** Of an array's child, beside those: its result as JSON, or where a longer one is. So those of all are read without their records. */
export const resultColumns = ["result", "resultIn"] as const;

/** What `resultIn` says where the attempt has it; of an item of a pack its container follows. */
export const inAttempt = "attempt";

type Columns = Readonly<Record<string, Value | undefined>>;

function identityColumns(job: Job): Columns {
  const { options } = job;
  return {
    id: job.id,
    name: job.name,
    nameKey: nameKey(job.name),
    groupName: job.groupName,
    containerCount: job.containers.filter(({ init }) => !init).length,
    images: job.images.join(",").slice(0, 8000),
    cpu: double(job.cpu),
    memoryGB: double(job.memoryGB),
    location: job.placed?.location ?? job.wantedLocation,
    resourceGroup: job.placed?.resourceGroup,
    requestedBy: job.requestedBy,
    via: job.via,
    factory: options.source?.factory,
    pipeline: options.source?.pipeline,
    pipelineRunId: options.source?.pipelineRunId,
    activity: options.source?.activity,
    tags: JSON.stringify(options.tags),
    group: options.group,
    priority: options.priority,
    team: options.team,
    rerunOf: job.rerunOf,
    template: job.template?.name,
    templateVersion: job.template?.version,
    array: job.array && JSON.stringify(shownCounts(job.array)),
    arrayId: job.child?.array,
    arrayIndex: job.child?.index,
    messageId: job.messageId,
    warnings: job.warnings.length,
    version: job.version,
  };
}

function shownCounts(array: ArrayState): object {
  const { size, counts } = array;
  const { Succeeded: succeeded, Failed: failed, Stopped: stopped, TimedOut: timedOut, Canceled: canceled } = counts;
  return { size, runs: runsIn(array), succeeded, failed, stopped, timedOut, canceled };
}

function stateColumns(job: Job): Columns {
  const { phase } = job;
  const ended = hasEnded(phase) ? phase : undefined;
  const ending = endingOf(phase);
  const verdict = ended?.verdict ?? ending?.verdict;
  const stopping = stoppingOf(job);
  // A job that runs has no reason.
  const reason = ended?.verdict.reason ?? stopping?.reason ?? waitingOf(job)?.reason;
  return {
    state: stateWord(phase),
    reason,
    message: describe(job),
    fault: verdict === undefined || reason === "Completed" ? undefined : blame(verdict).party,
    attempt: job.attempt,
    exitCode: ended?.verdict.exitCode,
    failedContainer: ended?.verdict.container,
    groupDeleted: ended?.group === "gone",
    stopping: stopping && JSON.stringify({ ...stopping, since: new Date(stopping.since).toISOString() }),
    deleteRefused: deleteRefusedOf(job),
    evictions: job.evictions,
    callbackState: job.callback.state,
  };
}

function timeColumns(job: Job): Columns {
  const finishedAt = hasEnded(job.phase) ? job.phase.finishedAt : undefined;
  const date = (at: number | undefined): Date | undefined => (at === undefined ? undefined : new Date(at));
  const seconds = (from: number | undefined, to: number | undefined) => double(secondsBetween(from, to));
  return {
    createdAt: date(job.createdAt),
    queuedAt: date(job.queuedAt),
    provisioningAt: date(job.provisioningAt),
    startedAt: date(job.startedAt),
    finishedAt: date(finishedAt),
    keptUntil: date(hasEnded(job.phase) ? job.phase.keepUntil : undefined),
    deadlineAt: date(job.deadlineAt),
    expectedStartAt: date(job.phase.state === "Queued" ? job.phase.waiting?.expectedStartAt : undefined),
    expectedEndAt: date(expectedEndOf(job)),
    queueSeconds: seconds(job.createdAt, job.firstCreateAt),
    startSeconds: seconds(job.provisioningAt, job.startedAt),
    pullSeconds: double(pullSeconds(job.events)),
    runSeconds: seconds(job.startedAt, finishedAt),
    durationSeconds: seconds(job.createdAt, finishedAt),
  };
}

/** ACI bills from the first pull to the end of the group, for what was asked for; so this is an estimate. An array's is its children's. */
function costColumns(job: Job, { vcpuHour, gbHour, currency }: Prices): Columns {
  if (!hasEnded(job.phase)) return { currency };
  const { vcpuSeconds, gbSeconds } = job.array ?? usageOf(job);
  return {
    vcpuSeconds: double(rounded(vcpuSeconds, 3)),
    gbSeconds: double(rounded(gbSeconds, 3)),
    costEstimate: double(rounded((vcpuSeconds * vcpuHour + gbSeconds * gbHour) / 3600, 6)),
    currency,
  };
}

/** A string property holds 32,768 UTF-16 units; an entity 1 MiB in all ("Understanding the Table service data model"). */
const chunk = 30_000;
export const maxEntityBytes = 1_000_000;
/** Beside the documented columns: what our own code reads. */
const ownColumns = new Set<string>([
  ...["partitionKey", "rowKey", "etag", "timestamp", "nameKey", "hasDefinition", "hasLogs", "definition", "callbacks"],
  "deleteRefused",
  ...resultColumns,
  ...listedColumns,
]);

function ownResult({ child }: Job): Columns {
  return defined({ result: child?.result, resultIn: child?.resultIn });
}

/** The properties that the job's JSON is spread over, as many as it needs. */
export const recordColumns = ["record", "record1", "record2", "record3", "record4"] as const;

function recordColumnsOf(job: Job): Record<string, string> {
  const whole = JSON.stringify(recordOf(job));
  const json = whole.length > chunk * recordColumns.length ? JSON.stringify(recordOf(withoutSentences(job))) : whole;
  if (json.length > chunk * recordColumns.length)
    throw new RangeError(`A job of ${json.length} characters does not fit into its row.`);
  const used = recordColumns.slice(0, Math.ceil(json.length / chunk));
  return Object.fromEntries(used.map((name, part) => [name, json.slice(part * chunk, (part + 1) * chunk)]));
}

/** A word of Azure's is that long; a sentence is longer. */
const maxWord = 30;

/** The job without what Azure said in sentences, which is for people: of many containers it may be more than a row has room for. */
function withoutSentences({ azure: _azure, ...job }: Job): Job {
  const { ends, containers } = job.observed;
  const brief = <T extends { readonly detailStatus?: string | undefined }>({ detailStatus, ...each }: T) => ({
    ...each,
    ...defined({ detailStatus: detailStatus?.slice(0, maxWord) }),
  });
  return {
    ...job,
    events: [],
    observed: { ...job.observed, ends: ends.map(brief), containers: containers.map(brief) },
    attempts: job.attempts.map(({ verdict: { detail: _detail, ...verdict }, ...each }) => ({ ...each, verdict })),
  };
}

/**
 * The whole entity.
 *
 * @param kept what {@link fromRow} found in the row beside what this release writes
 * @throws RangeError when it would not fit into an entity: Azure refuses more than 1 MiB, Azurite does not
 */
export function toRow(
  job: Job,
  key: JobKey,
  sealed: Sealed,
  prices: Prices,
  kept: KeptColumns = {},
): JobKey & Readonly<Record<string, Value>> {
  const row = {
    ...columnsOf(job, prices),
    ...kept,
    ...key,
    ...recordColumnsOf(job),
    hasDefinition: sealed.definition !== undefined,
    hasLogs: (job.attempts.length > 0 || job.array !== undefined) && !job.logsDropped,
    ...ownResult(job),
    ...(sealed.definition === undefined ? {} : { definition: sealed.definition }),
    ...(sealed.callbacks === undefined ? {} : { callbacks: sealed.callbacks }),
  };
  const size = sizeOf(row);
  if (size > maxEntityBytes) throw new RangeError(`A row of ${size} bytes does not fit into an entity.`);
  return row;
}

/** Bytes of an entity as the service counts them, rounded up. */
export function sizeOf(entity: Readonly<Record<string, unknown>>): number {
  let bytes = 4;
  for (const [name, value] of Object.entries(entity)) {
    bytes += 8 + name.length * 2;
    if (typeof value === "string") bytes += 4 + value.length * 2;
    else if (value instanceof Uint8Array) bytes += 4 + value.length;
    else bytes += 8;
  }
  return bytes;
}

/** The job as it was written into a row: JSON. */
export function recordText(row: Readonly<Record<string, unknown>>): string {
  const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
  return recordColumns.map((name) => textOf(row[name])).join("");
}

/**
 * What a row holds.
 *
 * @throws Error that says where the record can't be read: it was edited by hand, or written by a release we don't know
 */
export function fromRow(row: Readonly<Record<string, unknown>>): { job: Job; sealed: Sealed; kept: KeptColumns } {
  const json = recordText(row);
  let record: unknown;
  try {
    record = JSON.parse(json);
  } catch {
    throw new Error("The row's record is no JSON: it was edited by hand.");
  }
  const parsed = jobSchema.safeParse(record);
  if (!parsed.success) {
    const first = parsed.error.issues.at(0);
    throw new Error(
      `The row's record can't be read at ${first?.path.join(".") ?? "its top"}: ${first?.message ?? "unknown"}.`,
    );
  }
  const { definition, callbacks } = row;
  return {
    job: parsed.data,
    sealed: {
      definition: definition === "blob" ? "blob" : definition instanceof Uint8Array ? definition : undefined,
      callbacks: callbacks instanceof Uint8Array ? callbacks : undefined,
    },
    kept: keptOf(row, parsed.data),
  };
}

/** Columns of a newer release, and all that says how a job stands whose phase only that one can read. */
function keptOf(row: Readonly<Record<string, unknown>>, { phase }: Job): KeptColumns {
  const kept: Record<string, Value> = {};
  for (const [name, value] of Object.entries(row)) {
    const documented = listedColumns.some((column) => column === name);
    const isOurs = ownColumns.has(name) && !(phase.state === "Unknown" && documented);
    if (isOurs || name.startsWith("odata.") || recordColumns.some((column) => column === name)) continue;
    const column = columnAsRead(name, value);
    if (column !== undefined) kept[name] = column;
  }
  return kept;
}

/** A whole number does not say whether it was a double; its name does: seconds, GB and money may have a fraction. */
function columnAsRead(name: string, value: unknown): Value | undefined {
  if (typeof value === "number" && /Seconds|GB|cost|cpu/i.test(name)) return double(value);
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return value instanceof Date || value instanceof Uint8Array ? value : undefined;
}

function secondsBetween(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : Math.max(0, (to - from) / second);
}

/** Without the last digits of binary fractions, which nobody can read. */
function rounded(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}
