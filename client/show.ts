import pc from "picocolors";
import type { ArrayStatus, Fault, JobRow, Status } from "./api.ts";
import { containersOf, hasEnded } from "./status.ts";

/** `FILE:LINE:COL path message`, the form that editors jump to. */
export function located(file: string, { path, line, column, message }: Fault): string {
  return `${file}:${line}:${column} ${path === "" ? "" : `${path} `}${message}`;
}

export function colored(state: string): string {
  if (state === "Succeeded") return pc.green(state);
  if (state === "Running") return pc.cyan(state);
  return hasEnded({ state }) ? pc.red(state) : pc.yellow(state);
}

/** `120/300 ended, 3 failed, 20 active`. */
export function arrayWords({
  size,
  runs = size,
  succeeded = 0,
  failed = 0,
  stopped = 0,
  timedOut = 0,
  canceled = 0,
  active = 0,
}: Counts): string {
  const bad = failed + stopped + timedOut;
  const others = [
    [bad, "failed"],
    [canceled, "canceled"],
    [active, "active"],
  ] as const;
  return [
    `${succeeded + bad + canceled}/${runs} ended`,
    ...others.flatMap(([count, what]) => (count === 0 ? [] : `${count} ${what}`)),
  ].join(", ");
}

type Counts = Partial<ArrayStatus> & Pick<ArrayStatus, "size">;

/** Indexes that did not succeed, a line each. */
export function failuresOf({ failures = [] }: Partial<ArrayStatus>): readonly string[] {
  const rows = failures.map(({ index, state, exitCode, reason }) => [
    `#${index}`,
    state,
    exitWords(exitCode),
    reason ?? "",
  ]);
  return columns(rows).split("\n").filter(Boolean);
}

/** One line for a look at a job. The service's message names job and state already, where it has one. */
export function progressLine(status: Status): string {
  const { state, reason, message, attempt = 1, waiting, array } = status;
  if (array !== undefined && !hasEnded({ state }))
    return `${colored(state)}  ${status.name ?? ""}  ${arrayWords(array)}${waiting ? `  (${waiting.reason})` : ""}`;
  const ahead = aheadOf(status) === "" ? "" : `  ${aheadOf(status)}`;
  const why = message ?? reason ?? "";
  const count = attempt > 1 && !hasEnded({ state }) ? `  attempt ${attempt}` : "";
  // The service's sentence names the reason of most waits, but not of all.
  const wait = waiting && !why.includes(waiting.reason) ? `  (${waiting.reason})` : "";
  return `${colored(state)}${count}${why === "" ? "" : `  ${why}`}${wait}${ahead}`;
}

/** What is to come: `position 3 of 12, expected to start at 03:12 UTC`; empty where nothing is known. */
export function aheadOf(
  { queue, expectedEndAt, late }: Pick<Status, "queue" | "expectedEndAt" | "late">,
  now = Date.now(),
): string {
  const { position, of, expectedStartAt } = queue ?? {};
  const parts = [
    position === undefined ? "" : `position ${position} of ${of}`,
    expectedStartAt === undefined ? "" : `expected to start at ${clockTime(expectedStartAt, now)}`,
    queue !== undefined || expectedEndAt === undefined ? "" : `expected to end at ${clockTime(expectedEndAt, now)}`,
    late ? "late" : "",
  ];
  return parts.filter((part) => part !== "").join(", ");
}

/** `03:12 UTC`, and the date before it where that is not today's. */
function clockTime(iso: string, now: number): string {
  const [date = "", time = ""] = iso.split("T");
  return `${date === new Date(now).toISOString().slice(0, 10) ? "" : `${date} `}${time.slice(0, 5)} UTC`;
}

/** A job for people: its state, and a line for each container. */
export function summary(status: Status): string {
  const lines = [progressLine(status), pc.dim(`id ${status.id}`)];
  for (const [name, { state, exit_code, detail_status }] of containersOf(status)) {
    const exit = typeof exit_code === "number" ? `exit ${exit_code}` : "";
    lines.push(["  " + name, state ?? "", exit, detail_status ?? ""].filter((word) => word !== "").join("  "));
  }
  if (status.array !== undefined) lines.push(...arrayLines(status, status.array));
  return lines.join("\n");
}

/** An array's first failures, and what to do about them. */
function arrayLines({ id, state }: Status, array: ArrayStatus): readonly string[] {
  const failures = failuresOf(array);
  const { failures: [first] = [], size, runs = size, succeeded = 0 } = array;
  if (first === undefined) return [];
  const more = hasEnded({ state }) ? runs - succeeded - failures.length : 0;
  return [
    ...failures.map((line) => `  ${line}`),
    ...(more > 0 ? [`  and ${more} more: aci-proxy results ${id} --state Failed,TimedOut,Stopped,Canceled`] : []),
    `Logs of one: aci-proxy logs ${id} --index ${first.index}`,
    ...(hasEnded({ state }) ? [`Run those that did not succeed again: aci-proxy rerun ${id}`] : []),
  ];
}

/** Rows in columns as wide as their widest cell; a column without any text takes no room. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = widthsOf(rows);
  return rows
    .map((row) =>
      row
        .flatMap((cell, column) => (widths[column] === 0 ? [] : [cell.padEnd(widths[column] ?? 0)]))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function widthsOf(rows: readonly (readonly string[])[]): readonly number[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  return Array.from({ length: count }, (_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
}

export function exitWords(code: number | null | undefined): string {
  return typeof code === "number" ? `exit ${code}` : "";
}

export function seconds(value: number | null | undefined): string {
  return typeof value === "number" ? `${Math.round(value)} s` : "";
}

/** The columns of the list, the most important first: the last ones go where the terminal is too narrow. */
const listColumns: readonly (readonly [title: string, cell: (job: JobRow) => string])[] = [
  ["ID", ({ id }) => id],
  ["NAME", ({ name }) => name],
  ["STATE", ({ state }) => state],
  ["ARRAY", arrayCell],
  ["EXIT", ({ exitCode }) => (typeof exitCode === "number" ? String(exitCode) : "")],
  ["REASON", ({ reason }) => reason ?? ""],
  ["CREATED", ({ createdAt }) => createdAt?.replace(/\.\d+Z$/, "Z") ?? ""],
  ["DURATION", ({ durationSeconds }) => seconds(durationSeconds)],
  ["CONTAINER GROUP", ({ name, groupName }) => (groupName === name ? "" : (groupName ?? ""))],
  ["PIPELINE", ({ pipeline }) => pipeline ?? ""],
  ["RUN", ({ pipelineRunId }) => pipelineRunId ?? ""],
  ["TAGS", ({ tags }) => tagsOf(tags)],
];

/**
 * Jobs as a table, newest first as the service gives them. A column that says nothing of any job is left out.
 *
 * @param width of the terminal; without one nothing is left out for want of room
 */
export function table(jobs: readonly JobRow[], width = Infinity): string {
  const filled = listColumns.filter(([title, cell]) => title === "ID" || title === "NAME" || jobs.some(cell));
  for (let count = filled.length; ; count--) {
    const shown = filled.slice(0, count);
    const text = columns([shown.map(([title]) => title), ...jobs.map((job) => shown.map(([, cell]) => cell(job)))]);
    const widest = Math.max(...text.split("\n").map((line) => line.length));
    if (widest <= width || count <= 3) return text;
  }
}

/** Of an array how many ended, of its child which index it is. */
function arrayCell({ array, arrayIndex }: JobRow): string {
  if (typeof array !== "object" || array.size === undefined) return arrayIndex === undefined ? "" : `#${arrayIndex}`;
  return arrayWords({ ...array, size: array.size }).replace(" ended", "");
}

function tagsOf(tags: JobRow["tags"]): string {
  if (typeof tags !== "object") return tags ?? "";
  return Object.entries(tags)
    .map(([name, value]) => (value === "" ? name : `${name}=${value}`))
    .join(",");
}
