import type { Reply } from "../../../src/http/openapi/replies.ts";

/** Invented jobs for the page's tests and screenshots: some nights of a few pipelines. Every call gives the same ones. */
export type JobRow = Reply<"JobRow">;
export type JobRecord = Reply<"JobRecord">;

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];

/** Marsaglia's xorshift: the same numbers each time. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** As ids are minted: the time first, so that those of one night begin alike. */
function idOf(at: number, random: () => number): string {
  const hex = at.toString(16).padStart(12, "0");
  const digits = (count: number): string =>
    Array.from({ length: count }, () => Math.floor(random() * 16).toString(16)).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7${digits(3)}-8${digits(3)}-${digits(12)}`;
}

const iso = (at: number): string => new Date(at).toISOString();

const kinds = [
  { name: "nightly-orders", pipeline: "Nightly Warehouse", activity: "Load orders", at: 1.2, seconds: 1500 },
  { name: "nightly-invoices", pipeline: "Nightly Warehouse", activity: "Load invoices", at: 1.7, seconds: 900 },
  { name: "forecast-train", pipeline: "Forecast", activity: "Train the model", at: 2.5, seconds: 5200 },
  { name: "forecast-score", pipeline: "Forecast", activity: "Score all stores", at: 4.1, seconds: 1300 },
  { name: "crm-sync", pipeline: "CRM Sync", activity: "Copy contacts", at: 3.3, seconds: 240 },
  { name: "geo-tiles", pipeline: "Maps", activity: "Render tiles", at: 0.4, seconds: 3000 },
] as const;

/** A row that succeeded; what is given stands in its place. */
export function rowOf(name: string, createdAt: number, seconds: number, more: Partial<JobRow> = {}): JobRow {
  const random = randomOf((createdAt % 1_000_003) + name.length * 7919 + 1);
  const queued = Math.round(random() * 18);
  const finishedAt = createdAt + (queued + 14 + seconds) * 1000;
  return {
    id: idOf(createdAt, random),
    name,
    groupName: name,
    state: "Succeeded",
    reason: "Completed",
    message: `Container Group ${name} finished`,
    attempt: 1,
    createdAt: iso(createdAt),
    queuedAt: iso(createdAt),
    provisioningAt: iso(createdAt + queued * 1000),
    startedAt: iso(createdAt + (queued + 14) * 1000),
    finishedAt: iso(finishedAt),
    deadlineAt: iso(createdAt + 7 * day),
    queueSeconds: queued,
    startSeconds: 14,
    pullSeconds: 9,
    runSeconds: seconds,
    durationSeconds: queued + 14 + seconds,
    exitCode: 0,
    containerCount: 1,
    images: `contoso.azurecr.io/data/${name}:4.2`,
    cpu: 2,
    memoryGB: 4,
    vcpuSeconds: seconds * 2,
    gbSeconds: seconds * 4,
    costEstimate: Number(((seconds / 3600) * 0.12).toFixed(6)),
    currency: "USD",
    location: "westeurope",
    resourceGroup: "jobs",
    groupDeleted: true,
    via: "http",
    tags: {},
    warnings: 0,
    callbackState: "none",
    version: 1,
    ...more,
  };
}

/** What a job has not yet that has not ended. */
const unfinished = {
  finishedAt: undefined,
  runSeconds: undefined,
  durationSeconds: undefined,
  exitCode: undefined,
  vcpuSeconds: undefined,
  gbSeconds: undefined,
  costEstimate: undefined,
  groupDeleted: false,
} as const;

const failures: readonly Partial<JobRow>[] = [
  { state: "Failed", reason: "OutOfMemory", fault: "program", exitCode: 137, failedContainer: "app" },
  { state: "Failed", reason: "NonZeroExit", fault: "program", exitCode: 1, failedContainer: "app" },
  { state: "TimedOut", reason: "RunTimeout", fault: "program" },
];

/** Newest first. */
export function nights(now: number, count = 10): readonly JobRow[] {
  const random = randomOf(20_261_128);
  const rows: JobRow[] = [];
  const midnight = Math.floor(now / day) * day;
  for (let night = 0; night < count; night++) {
    for (const { name, pipeline, activity, at, seconds } of kinds) {
      const createdAt = midnight - night * day + at * hour + Math.round(random() * 9) * minute;
      if (createdAt + seconds * 1200 > now - 30 * minute) continue;
      const pipelineRunId = idOf(createdAt - 30_000, random);
      const source = { factory: "contoso-data", pipeline, pipelineRunId, activity };
      const stored =
        name === "nightly-invoices" ? { template: name, templateVersion: 3, group: "warehouse", priority: 60 } : {};
      const isLast = !rows.some((row) => row.name === name);
      const isBad = random() < 0.09 || (isLast && name === "nightly-invoices");
      const failure = isBad ? failures[isLast ? 0 : Math.floor(random() * failures.length)] : undefined;
      const took = Math.round(seconds * (0.8 + random() * 0.45) * (failure ? 0.4 : 1));
      const message =
        failure &&
        `${name} ${failure.state ?? ""}: app exit ${failure.exitCode ?? "–"} ${failure.reason ?? ""} (program). Raise memoryInGB.`;
      rows.push(rowOf(name, createdAt, took, { ...source, ...stored, ...failure, ...(message ? { message } : {}) }));
    }
  }
  const running = (name: string, ago: number): JobRow =>
    rowOf(name, now - ago, 0, {
      ...unfinished,
      state: "Running",
      reason: undefined,
      pipeline: "Hourly",
      activity: "Import",
      message: `Container Group ${name} is in progress`,
    });
  const waits = (name: string, ago: number, reason: JobRow["reason"]): JobRow =>
    rowOf(name, now - ago, 0, {
      ...unfinished,
      startedAt: undefined,
      provisioningAt: undefined,
      state: "Queued",
      reason,
      pipeline: "Hourly",
      activity: "Import",
      message: `Container Group ${name} waits`,
    });
  rows.push(running("hourly-import", 17 * minute), running("reindex-search", 4 * minute));
  rows.push(
    waits("gpu-embed", 9 * minute, "QuotaExceeded"),
    waits("gpu-embed-2", 6 * minute, "QuotaExceeded"),
    waits("crm-sync-late", minute, "NameBusy"),
  );
  return rows.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1)).map(withoutAbsent);
}

/** JSON has no undefined. */
function withoutAbsent(row: JobRow): JobRow {
  return JSON.parse(JSON.stringify(row)) as JobRow; // the same members, but for those without a value
}

/** Thousands of rows, a minute apart. */
export function many(now: number, count: number): readonly JobRow[] {
  const names = ["batch-a", "batch-b", "batch-c", "a-name-that-is-somewhat-longer-than-others-are"];
  return Array.from({ length: count }, (_, index) =>
    rowOf(names[index % names.length] ?? "", now - (index + 1) * minute, 30 + (index % 50), {
      pipeline: `Pipeline ${index % 7}`,
      pipelineRunId: idOf(now - Math.floor(index / 5) * minute, randomOf(index + 1)),
      activity: "Run",
      ...(index % 9 === 0 ? failures[index % 3] : {}),
    }),
  );
}

/** The record behind a row, as of a job with two containers. */
export function recordOf(row: JobRow, more: Partial<JobRecord> = {}): JobRecord {
  const { stopping: _stopping, warnings: _warnings, array: _array, ...columns } = row;
  const at = Date.parse(row.createdAt);
  const created = Date.parse(row.provisioningAt ?? row.createdAt);
  const started = row.startedAt === undefined ? undefined : Date.parse(row.startedAt);
  const line = (time: number, from: string, to: string, reason = "") => ({
    at: iso(time),
    from,
    to,
    reason,
    attempt: row.attempt,
  });
  const plain = (time: string | undefined): string | null => time?.slice(0, 19) ?? null;
  const container = (exitCode: number | null): JobRecord["containers"][string] => ({
    start_time: plain(row.startedAt),
    finish_time: plain(row.finishedAt),
    state: row.finishedAt === undefined ? "Running" : "Terminated",
    exit_code: exitCode,
    detail_status: exitCode === 137 ? "OOMKilled" : exitCode === null ? null : "Completed",
    output: "",
    output_truncated: false,
    log: "complete",
  });
  return {
    ...columns,
    apiVersion: "2025-09-01",
    containers: { app: container(row.exitCode ?? null), sidecar: container(row.finishedAt === undefined ? null : 0) },
    options: {
      polling: "true",
      timeout: "P7D",
      startTimeout: "PT30M",
      retries: 2,
      retryOn: [],
      onConflict: "reject",
      uniqueName: false,
      keep: "never",
      env: true,
      tags: {},
      failureStatus: 500,
      outputLimit: 16_384,
      strict: false,
      dryRun: false,
    },
    warnings: [],
    lookAt: row.createdAt,
    history: [
      line(at, "", "Queued", "Accepted"),
      line(created, "Queued", "Provisioning"),
      ...(started === undefined
        ? []
        : [line(created + 3000, "Provisioning", "Pending"), line(started, "Pending", "Running")]),
      ...(row.finishedAt === undefined ? [] : [line(Date.parse(row.finishedAt), "Running", row.state, row.reason)]),
    ],
    events: [
      {
        at: iso(created + 3000),
        container: "app",
        name: "Pulling",
        type: "Normal",
        count: 1,
        message: `pulling image "${row.images}"`,
      },
      {
        at: iso(created + 12_000),
        container: "app",
        name: "Pulled",
        type: "Normal",
        count: 1,
        message: `Successfully pulled image "${row.images}"`,
      },
      {
        at: iso(created + 14_000),
        container: "app",
        name: "Started",
        type: "Normal",
        count: 1,
        message: "Started container",
      },
    ],
    attempts: [],
    replyState: "none",
    ...more,
  };
}

const [red, green, dim, plain] = ["\u001b[31m", "\u001b[32m", "\u001b[2m", "\u001b[0m"];

/** What a program wrote: colours, a gap's mark, and an error near its end. */
export const sampleLog = [
  `${dim}03:10:01${plain} ${green}INFO${plain}  connecting to warehouse`,
  ...Array.from(
    { length: 18 },
    (_, index) =>
      `${dim}03:10:${String(index + 2).padStart(2, "0")}${plain} ${green}INFO${plain}  batch ${index + 1} of 40: 25,000 rows written`,
  ),
  "[aci-proxy] Lines may be missing here: Container Instances no longer showed what was written between 03:10:19 and 03:10:26 (7 s).",
  ...Array.from(
    { length: 6 },
    (_, index) =>
      `${dim}03:10:${String(index + 26).padStart(2, "0")}${plain} ${green}INFO${plain}  batch ${index + 24} of 40: 25,000 rows written`,
  ),
  `${dim}03:10:33${plain} \u001b[33mWARN${plain}  memory at 93 %`,
  `${dim}03:10:35${plain} ${red}ERROR${plain} Killed`,
  "",
].join("\n");
