import type { HttpResponseInit } from "@azure/functions";
import { formatDuration } from "../../shared/base/duration.ts";
import type { Deps } from "../../shared/deps.ts";
import { Unreadable } from "../../shared/base/errors.ts";
import { parseJobId, type JobId } from "../../shared/base/ids.ts";
import { columnsOf, listedColumns } from "../../shared/store/job-row.ts";
import { endingOf, type Job } from "../../shared/job/job.ts";
import type { JobOptions } from "../../shared/job/options.ts";
import type { JobColumns, JobPage, Stored } from "../../shared/store/jobs.ts";
import { withStopped } from "../../shared/store/stopped-containers.ts";
import { activePage } from "../lib/active-jobs.ts";
import { csvLine } from "../lib/csv.ts";
import { readRows, writeRows } from "./paging.ts";
import { hasTag, readFilter, type Asked } from "./filter.ts";
import { faulty, handler, json, refuse } from "../lib/reply.ts";
import { containerReply, isoTime } from "../status.ts";

/** `GET /api/jobs` (newest first, filtered, in pages) and `GET /api/jobs/{id}` (the whole record). */
type JobsDeps = Pick<Deps, "log" | "now" | "jobs" | "attempts">;

export function jobs(deps: JobsDeps) {
  return handler(deps.log, async (request, context) => {
    const asked = readFilter(request.query, deps.now());
    if (!asked.ok) return refuse(asked.error, context);
    const list = asked.value.active ? activePage : rowsPage;
    const page = await list(deps.jobs, asked.value, request.query.get("continuation"));
    return page === "no such page" ? refuse(noSuchPage, context) : shaped(page, asked.value.format);
  });
}

async function rowsPage(
  jobs: Deps["jobs"],
  { filter, tag, top }: Asked,
  continuation: string | null,
): Promise<JobPage | "no such page"> {
  const token = continuation === null ? undefined : readRows(continuation);
  if (continuation !== null && token === undefined) return "no such page";
  const page = await jobs.list(filter, top, token);
  if (page === "no such page") return page;
  return {
    ...page,
    rows: page.rows.filter((row) => tag === undefined || hasTag(row, tag)),
    continuation: page.continuation && writeRows(page.continuation),
  };
}

const noSuchPage = faulty("continuation", "must be what the page before gave, unchanged, for the same state");

export function job(deps: JobsDeps) {
  return handler(deps.log, async (request, context) => {
    const id = parseJobId(request.params["id"] ?? "");
    const found = id && (await peekOrColumns(deps, id));
    if (!found) return refuse({ code: "JobNotFound", message: "No job of that id is known." }, context);
    return json(200, "unreadable" in found ? found : await record(deps, found.job));
  });
}

/** Of a row that can't be read the columns are shown, and why there is no more. */
async function peekOrColumns(
  { jobs }: JobsDeps,
  id: JobId,
): Promise<Stored | (JobColumns & { readonly unreadable: string }) | undefined> {
  try {
    return await jobs.peek(id);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { id, ...(await jobs.columns(id)), unreadable: error.why };
  }
}

/** The columns of the row, and everything that does not fit into columns. */
async function record({ attempts, jobs }: JobsDeps, job: Job): Promise<Record<string, unknown>> {
  const { phase } = job;
  const ending = endingOf(phase);
  const waiting = phase.state === "Queued" ? phase.waiting : undefined;
  const results = new Map((await attempts.all(job.id)).map((result) => [result.attempt, withStopped(job, result)]));
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

function shaped({ rows, skipped, continuation }: JobPage, format: Asked["format"]): HttpResponseInit {
  const next = continuation === undefined ? {} : { continuation };
  const header: Record<string, string> = continuation === undefined ? {} : { "x-continuation": continuation };
  switch (format) {
    case "json":
      return json(200, { jobs: rows, ...(skipped > 0 ? { skipped } : {}), ...next });
    case "ndjson":
      return {
        status: 200,
        body: rows.map((row) => `${JSON.stringify(row)}\n`).join(""),
        headers: { "content-type": "application/x-ndjson", ...header },
      };
    case "csv": {
      // All columns always, so that pages and nightly exports can be put together.
      const lines = [listedColumns, ...rows.map((row) => listedColumns.map((column) => row[column]))].map(csvLine);
      return { status: 200, body: lines.join(""), headers: { "content-type": "text/csv; charset=utf-8", ...header } };
    }
  }
}
