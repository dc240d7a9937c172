import type { HttpResponseInit } from "@azure/functions";
import { formatDuration, parseDuration } from "../shared/backoff.ts";
import type { Deps } from "../shared/deps.ts";
import { no, ok, type Result } from "../shared/errors.ts";
import { parseJobId } from "../shared/ids.ts";
import { columnsOf } from "../shared/job-row.ts";
import { activeStates, endingOf, terminalStates, type Job } from "../shared/job.ts";
import type { JobOptions } from "../shared/options.ts";
import type { JobColumns, JobFilter } from "../shared/jobs.ts";
import { handler, json, refuse } from "./reply.ts";
import { containerReply, isoTime } from "./status.ts";

/** `GET /api/jobs` (newest first, filtered, in pages) and `GET /api/jobs/{id}` (the whole record). */
type JobsDeps = Pick<Deps, "log" | "now" | "jobs" | "attempts">;

export function jobs(deps: JobsDeps) {
  return handler(deps.log, async (request, context) => {
    const asked = filterOf(request.query, deps.now());
    if (!asked.ok) return refuse({ code: "InvalidRequest", message: asked.error }, context);
    const { filter, tag, top, format, active } = asked.value;
    const continuation = decode(request.query.get("continuation"));
    const page = active ? await activeJobs(deps, filter, top) : await deps.jobs.list(filter, top, continuation);
    const rows = page.rows.filter((row) => tag === undefined || hasTag(row, tag));
    return shaped(rows, page.continuation, format);
  });
}

export function job(deps: JobsDeps) {
  return handler(deps.log, async (request, context) => {
    const id = parseJobId(request.params["id"] ?? "");
    const stored = id && (await deps.jobs.peek(id));
    if (!stored) return refuse({ code: "JobNotFound", message: "No job of that id is known." }, context);
    return json(200, await record(deps, stored.job));
  });
}

/** The columns of the row, and everything that does not fit into columns. */
async function record({ attempts, jobs }: JobsDeps, job: Job): Promise<Record<string, unknown>> {
  const { phase } = job;
  const ending = endingOf(phase);
  const waiting = phase.state === "Queued" ? phase.waiting : undefined;
  const results = new Map((await attempts.all(job.id)).map((result) => [result.attempt, result]));
  return {
    ...jobs.shown(plainColumns(columnsOf(job, jobs.prices))),
    apiVersion: job.apiVersion,
    containers: Object.fromEntries(
      job.containers.map(({ name, init }) => {
        const result = results.get(job.attempt)?.containers.find((each) => each.name === name && each.init === init);
        return [name, { ...(init ? { init } : {}), ...(result ? containerReply(result) : {}) }];
      }),
    ),
    options: shownOptions(job.options),
    warnings: job.warnings,
    lookAt: isoTime(job.lookAt),
    ...(waiting ? { waiting: { ...waiting, since: isoTime(waiting.since) } } : {}),
    ...(ending ? { stopping: { reason: ending.verdict.reason, since: isoTime(ending.since) } } : {}),
    ...(job.cancel ? { cancel: { ...job.cancel, at: isoTime(job.cancel.at) } } : {}),
    history: job.history.map(({ at, ...line }) => ({ at: isoTime(at), ...line })),
    events: job.events.map(({ at, ...event }) => ({ ...(at === undefined ? {} : { at: isoTime(at) }), ...event })),
    attempts: job.attempts.map((attempt) => {
      const result = results.get(attempt.number);
      const containers = (result?.containers ?? []).map((each) => [each.name, containerReply(each)] as const);
      return {
        ...withTimes(attempt),
        containers: Object.fromEntries(containers),
        ...(result?.result ? { result: result.result } : {}),
      };
    }),
    ...(job.azure ? { azure: job.azure } : {}),
    ...(job.correlationId === undefined ? {} : { correlationId: job.correlationId }),
    replyState: job.reply.state,
  };
}

function plainColumns(columns: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(columns).map(([name, value]) => [
      name,
      typeof value === "object" && value !== null && "type" in value && "value" in value ? value.value : value,
    ]),
  );
}

function withTimes({
  verdict,
  provisioningAt,
  startedAt,
  finishedAt,
  ...attempt
}: Job["attempts"][number]): Record<string, unknown> {
  return {
    ...attempt,
    ...verdict,
    ...(provisioningAt === undefined ? {} : { provisioningAt: isoTime(provisioningAt) }),
    ...(startedAt === undefined ? {} : { startedAt: isoTime(startedAt) }),
    finishedAt: isoTime(finishedAt),
  };
}

function shownOptions(options: JobOptions): Record<string, unknown> {
  const durations = new Set(["timeout", "queueTimeout", "startTimeout", "runTimeout", "lease"]);
  return Object.fromEntries(
    Object.entries(options).map(([name, value]: [string, unknown]) => [
      name,
      durations.has(name) && typeof value === "number" ? formatDuration(value) : value,
    ]),
  );
}

async function activeJobs(
  { jobs }: JobsDeps,
  filter: JobFilter,
  top: number,
): Promise<{ rows: readonly JobColumns[]; continuation: undefined }> {
  const rows: JobColumns[] = [];
  for await (const { columns, state, name, reason } of jobs.index.active()) {
    if (terminalStates.some((terminal) => terminal === state)) continue;
    if (filter.name !== undefined && name.toLowerCase() !== filter.name.toLowerCase()) continue;
    if (filter.reason !== undefined && reason !== filter.reason) continue;
    if (filter.runId !== undefined && columns["pipelineRunId"] !== filter.runId) continue;
    rows.push(jobs.shown(columns));
  }
  rows.sort((a, b) => String(b["id"]).localeCompare(String(a["id"])));
  return { rows: rows.slice(0, top), continuation: undefined };
}

interface Asked {
  readonly filter: JobFilter;
  readonly tag: string | undefined;
  readonly top: number;
  readonly format: "json" | "csv" | "ndjson";
  readonly active: boolean;
}

function filterOf(query: URLSearchParams, now: number): Result<Asked, string> {
  const word = (name: string): string | undefined => query.get(name) ?? undefined;
  const states = word("state")
    ?.split(",")
    .map((text) =>
      [...activeStates, ...terminalStates].find((state) => state.toLowerCase() === text.trim().toLowerCase()),
    );
  const active = word("state")?.toLowerCase() === "active";
  if (!active && states?.includes(undefined))
    return no(`state must be active or some of ${[...activeStates, ...terminalStates].join(", ")}.`);
  const time = (name: string): number | undefined => {
    const text = word(name);
    if (text === undefined) return undefined;
    const ago = parseDuration(text);
    return ago === undefined ? Date.parse(text) : now - ago;
  };
  const [since, until] = [time("since"), time("until")];
  if (Number.isNaN(since) || Number.isNaN(until))
    return no("since and until must be an ISO 8601 time, or a duration ago (PT1H).");
  const top = Number(word("top") ?? 100);
  if (!Number.isInteger(top) || top < 1 || top > 1000) return no("top must be a whole number from 1 to 1000.");
  const format = word("format")?.toLowerCase() ?? "json";
  if (format !== "json" && format !== "csv" && format !== "ndjson") return no("format must be json, csv or ndjson.");
  const filter = {
    states: active ? undefined : states?.flatMap((state) => state ?? []),
    name: word("name"),
    reason: word("reason"),
    runId: word("runId"),
    since,
    until,
  };
  return ok({ filter, tag: word("tag"), top, format, active });
}

/** `tag=KEY` or `tag=KEY=VALUE`. */
export function hasTag(row: JobColumns, tag: string): boolean {
  const [key = "", ...value] = tag.split("=");
  const tags = row["tags"];
  if (typeof tags !== "object" || tags === null) return false;
  const found = Object.entries(tags).find(([name]) => name === key);
  return found !== undefined && (value.length === 0 || found[1] === value.join("="));
}

function shaped(
  rows: readonly JobColumns[],
  continuation: string | undefined,
  format: Asked["format"],
): HttpResponseInit {
  const next = continuation === undefined ? {} : { continuation: Buffer.from(continuation).toString("base64url") };
  const header: Record<string, string> =
    continuation === undefined ? {} : { "x-continuation": next.continuation ?? "" };
  switch (format) {
    case "json":
      return json(200, { jobs: rows, ...next });
    case "ndjson":
      return {
        status: 200,
        body: rows.map((row) => `${JSON.stringify(row)}\n`).join(""),
        headers: { "content-type": "application/x-ndjson", ...header },
      };
    case "csv": {
      const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
      const lines = [columns, ...rows.map((row) => columns.map((column) => row[column]))].map(
        (cells) => `${cells.map(csvCell).join(",")}\r\n`,
      );
      return { status: 200, body: lines.join(""), headers: { "content-type": "text/csv; charset=utf-8", ...header } };
    }
  }
}

/** RFC 4180; a cell that a spreadsheet would take for a formula gets an apostrophe. */
function csvCell(value: unknown): string {
  if (value === undefined || value === null) return "";
  const text =
    value instanceof Date
      ? value.toISOString()
      : typeof value === "string"
        ? value
        : (JSON.stringify(value) as string | undefined);
  if (text === undefined) return "";
  const safe = /^[=+\-@\t\r]/.test(text) && typeof value === "string" ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function decode(continuation: string | null): string | undefined {
  return continuation === null ? undefined : Buffer.from(continuation, "base64url").toString("utf8");
}
