import { formatDuration } from "../../shared/base/duration.ts";
import { Unreadable } from "../../shared/base/errors.ts";
import { parseJobId, type JobId } from "../../shared/base/ids.ts";
import type { Deps } from "../../shared/deps.ts";
import { endingOf, hasEnded, type Attempt, type Job } from "../../shared/job/job.ts";
import type { JobOptions } from "../../shared/job/options.ts";
import type { AttemptResult } from "../../shared/store/attempts.ts";
import { columnsOf } from "../../shared/store/job-row.ts";
import type { Stored } from "../../shared/store/jobs.ts";
import type { JobColumns } from "../../shared/store/job-filter.ts";
import { withStopped } from "../../shared/store/stopped-containers.ts";
import { readQuery } from "../lib/query.ts";
import { VisibleJobs } from "../lib/visible.ts";
import { handler, json, refuse } from "../lib/reply.ts";
import type { Reply } from "../openapi/replies.ts";
import { containerNow, containerReply, isoTime } from "../lib/job-reply.ts";
import { recordMembers } from "../lib/array-reply.ts";
import { outlookOf, shownWaiting, type Outlook } from "../lib/outlook.ts";

/** `GET /api/jobs/{id}`: the columns of the row, and everything that does not fit into columns. */
type RecordDeps = Pick<Deps, "log" | "now" | "settings" | "jobs" | "attempts" | "waitQueues">;

export function job(deps: RecordDeps) {
  return handler(deps.log, async (request, context) => {
    const asked = readQuery(request.query, {}, deps.settings, deps.now());
    if (!asked.ok) return refuse(asked.error, context);
    const id = parseJobId(request.params["id"] ?? "");
    const found = id && (await peekOrColumns(new VisibleJobs(deps.jobs, context), id));
    if (!found) return refuse({ code: "JobNotFound", message: "No job of that id is known." }, context);
    if ("unreadable" in found) return json(200, found);
    const { job } = found;
    // What an attempt's containers did is stored at its end.
    const isFirst = job.attempts.length === 0 && !hasEnded(job.phase) && endingOf(job.phase) === undefined;
    const kept = isFirst ? [] : await deps.attempts.all(job.id);
    const results = kept.map((result) => withStopped(job, result));
    const columns = deps.jobs.shown(plainColumns(columnsOf(job, deps.jobs.prices)));
    const outlook = await outlookOf(deps, job);
    const beside = record(job, outlook, new Map(results.map((result) => [result.attempt, result])));
    const { expectedStartAt } = outlook.queue ?? {};
    const outcomes = job.array && (await deps.jobs.outcomesOf(job));
    const ofArray = recordMembers(job, outcomes, deps.settings);
    return json(200, {
      ...columns,
      ...(expectedStartAt === undefined ? {} : { expectedStartAt }),
      ...beside,
      ...ofArray,
    });
  });
}

/** Of a row that can't be read the columns are shown, and why there is no more. */
async function peekOrColumns(
  visible: VisibleJobs,
  id: JobId,
): Promise<Stored | (JobColumns & { readonly unreadable: string }) | undefined> {
  try {
    return await visible.peek(id);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { id, ...(await visible.columns(id)), unreadable: error.why };
  }
}

/** What a record has beside the row's columns, or in their place. */
type Beside = Omit<Reply<"JobRecord">, Exclude<keyof Reply<"JobRow">, "warnings" | "stopping" | "array">>;

function record(job: Job, outlook: Outlook, results: ReadonlyMap<number, AttemptResult>): Beside {
  const { phase, cancel } = job;
  const ending = endingOf(phase);
  const waiting = phase.state === "Queued" ? phase.waiting : undefined;
  // Of an array its children run them.
  const own = job.array === undefined ? job.containers : [];
  return {
    apiVersion: job.apiVersion,
    containers: Object.fromEntries(
      own.map(({ name, init }) => {
        const result = results.get(job.attempt)?.containers.find((each) => each.name === name && each.init === init);
        const view = hasEnded(phase)
          ? undefined
          : job.observed.containers.find((each) => each.container === name && each.init === init);
        const shown = result ? containerReply(result) : view ? containerNow(view) : {};
        return [name, { ...(init ? { init } : {}), ...shown }];
      }),
    ),
    options: shownOptions(job.options),
    warnings: job.warnings,
    lookAt: isoTime(job.lookAt),
    ...(waiting ? { waiting: shownWaiting(waiting, outlook) } : {}),
    ...outlook,
    ...(ending ? { stopping: { reason: ending.verdict.reason, since: isoTime(ending.since) } } : {}),
    ...(cancel ? { cancel: { ...cancel, at: isoTime(cancel.at) } } : {}),
    history: job.history.map(({ at, ...line }) => ({ at: isoTime(at), ...line })),
    events: job.events.map(({ at, ...event }) => ({ ...(at === undefined ? {} : { at: isoTime(at) }), ...event })),
    attempts: job.attempts.map((attempt) => shownAttempt(attempt, results.get(attempt.number))),
    ...(job.azure ? { azure: job.azure } : {}),
    ...(job.correlationId === undefined ? {} : { correlationId: job.correlationId }),
    replyState: job.reply.state,
  };
}

function shownAttempt(
  { verdict, provisioningAt, startedAt, finishedAt, ...attempt }: Attempt,
  result: AttemptResult | undefined,
): Reply<"Attempt"> {
  return {
    ...attempt,
    ...verdict,
    ...(provisioningAt === undefined ? {} : { provisioningAt: isoTime(provisioningAt) }),
    ...(startedAt === undefined ? {} : { startedAt: isoTime(startedAt) }),
    finishedAt: isoTime(finishedAt),
    containers: Object.fromEntries((result?.containers ?? []).map((each) => [each.name, containerReply(each)])),
    ...(result?.result ? { result: result.result } : {}),
  };
}

/** Columns as the table's client takes them, as plain values. */
function plainColumns(columns: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(columns).map(([name, value]) => [
      name,
      typeof value === "object" && value !== null && "type" in value && "value" in value ? value.value : value,
    ]),
  );
}

function shownOptions(options: JobOptions): Reply<"JobRecord">["options"] {
  const { timeout, queueTimeout, startTimeout, runTimeout, lease, main, source, retryOn, ...rest } = options;
  const shown = (name: string, ms: number | undefined) => (ms === undefined ? {} : { [name]: formatDuration(ms) });
  return {
    ...rest,
    timeout: formatDuration(timeout),
    ...shown("queueTimeout", queueTimeout),
    startTimeout: formatDuration(startTimeout),
    ...shown("runTimeout", runTimeout),
    ...shown("lease", lease),
    retryOn: retryOn.map(({ when, retry }) => ({
      when: typeof when === "object" && "exitCodes" in when ? { exitCodes: [...when.exitCodes] } : when,
      retry,
    })),
    ...(main === undefined ? {} : { main }),
    ...(source === undefined ? {} : { source }),
  };
}
