import { second } from "../../shared/base/duration.ts";
import type { Telemetry } from "../../shared/base/telemetry.ts";
import type { Deps } from "../../shared/deps.ts";
import type { CreateAnswer, DeleteAnswer } from "../../shared/job/arm-answers.ts";
import { blame } from "../../shared/job/describe.ts";
import { hasEnded, type Job } from "../../shared/job/job.ts";
import { logFieldsOf } from "../../shared/job/log-fields.ts";
import { jobSpans, kindOf, resultOf } from "../../shared/job/job-spans.ts";
import { pullSeconds } from "../../shared/job/timing.ts";
import { columnsOf, type Prices } from "../../shared/store/job-row.ts";

/** What a job's move, just saved, adds to log, traces and metrics: a further attempt, a start, an end with the whole job's spans. */
export function reportMove(
  { log, telemetry, jobs }: Pick<Deps, "log" | "telemetry" | "jobs">,
  before: Job,
  job: Job,
): void {
  if (before.phase.state === job.phase.state && before.attempt === job.attempt) return;
  const moved = { job: job.id, name: job.name, from: before.phase.state, to: job.phase.state, attempt: job.attempt };
  log("info", "job moved", { ...moved, reason: job.history.at(-1)?.reason });
  measureStart(telemetry, before, job);
  if (hasEnded(job.phase) && !hasEnded(before.phase)) reportEnd({ log, telemetry, jobs }, job);
}

/** A job runs for longer than its name nearly always does: one line for each attempt, written at the next observation. */
export function reportLate({ log, now }: Pick<Deps, "log" | "now">, before: Job, job: Job): void {
  const isMarked = ({ phase }: Job): boolean => phase.state === "Running" && phase.late === true;
  if (!isMarked(job) || isMarked(before) || job.typical === undefined || job.startedAt === undefined) return;
  const { run, most } = job.typical;
  const inSeconds = (ms: number): number => Math.round(ms / second);
  log("warn", "job late", {
    ...logFieldsOf(job),
    ...{ job: job.id, name: job.name, runSeconds: inSeconds(now() - job.startedAt) },
    ...{ typicalSeconds: inSeconds(run), mostSeconds: inSeconds(most) },
  });
}

/** What ACI answered to a change of a job's group, and why it did not do it as far as it says: its code, never its text. */
export function reportAnswer(
  { log }: Pick<Deps, "log">,
  what: "create" | "delete" | "stop",
  { id, groupName, attempt }: Job,
  answer: CreateAnswer | DeleteAnswer,
): void {
  const isWell = answer.kind === "accepted" || answer.kind === "absent";
  log(isWell ? "info" : "warn", what, {
    ...{ job: id, group: groupName, attempt, answer: answer.kind },
    ...("reason" in answer ? { reason: answer.reason } : {}),
    ...("azure" in answer ? { code: answer.azure?.code, httpStatus: answer.azure?.httpStatus } : {}),
  });
}

/** An end, also of a job that never was anything else. */
export function reportEnd({ log, telemetry, jobs }: Pick<Deps, "log" | "telemetry" | "jobs">, job: Job): void {
  const end = endFields(job, jobs.prices);
  log("info", "job ended", { ...logFieldsOf(job), kind: kindOf(job), ...end });
  measureEnd(telemetry, job, end);
}

/**
 * One line says all of a job that workbook and alerts add up. Times in seconds; cost in the currency of the prices. What an array cost
 * stands in its children's lines.
 */
function endFields(job: Job, prices: Prices) {
  const { vcpuSeconds, costEstimate, currency, ...others } = columnsOf(job, prices);
  const columns: Readonly<Record<string, unknown>> =
    job.array === undefined ? { ...others, vcpuSeconds, costEstimate, currency } : others;
  const number = (name: string): number | undefined =>
    columns[name] === undefined ? undefined : numberIn(columns[name]);
  const word = (name: string): string | undefined => (typeof columns[name] === "string" ? columns[name] : undefined);
  return {
    state: word("state"),
    reason: word("reason"),
    fault: word("fault"),
    exitCode: typeof columns["exitCode"] === "number" ? columns["exitCode"] : undefined,
    queueSeconds: number("queueSeconds"),
    startSeconds: number("startSeconds"),
    pullSeconds: number("pullSeconds"),
    runSeconds: number("runSeconds"),
    durationSeconds: number("durationSeconds"),
    vcpuSeconds: number("vcpuSeconds"),
    cost: number("costEstimate"),
    currency: word("currency"),
    factory: word("factory"),
    activity: word("activity"),
    runId: word("pipelineRunId"),
    tags: word("tags"),
  };
}

function measureStart(telemetry: Telemetry, before: Job, job: Job): void {
  const { phase } = job;
  if (job.attempt > before.attempt)
    telemetry.count("aciproxy.job.retries", 1, { "aciproxy.job.reason": job.history.at(-1)?.reason });
  if (phase.state === "Running" && before.phase.state !== "Running") {
    if (job.provisioningAt !== undefined)
      telemetry.duration("aciproxy.job.start.duration", (phase.startedAt - job.provisioningAt) / second);
    const pull = pullSeconds(job.events);
    if (pull !== undefined) telemetry.duration("aciproxy.job.pull.duration", pull);
  }
}

function measureEnd(telemetry: Telemetry, job: Job, end: ReturnType<typeof endFields>): void {
  const { phase } = job;
  if (!hasEnded(phase)) return;
  for (const span of jobSpans(job)) telemetry.past(span);
  const result = resultOf(phase.state);
  const { reason } = phase.verdict;
  const kind = { "aciproxy.job.kind": kindOf(job) };
  const ended = { ...kind, "cicd.pipeline.result": result, ...(result === "success" ? {} : { "error.type": reason }) };
  telemetry.count("aciproxy.jobs.ended", 1, {
    ...kind,
    "aciproxy.job.state": phase.state,
    "aciproxy.job.reason": reason,
    ...(result === "success" ? {} : { "aciproxy.job.fault": blame(phase.verdict).party }),
  });
  telemetry.duration("cicd.pipeline.run.duration", (phase.finishedAt - job.createdAt) / second, {
    "cicd.pipeline.name": job.name,
    ...ended,
  });
  if (job.firstCreateAt !== undefined)
    telemetry.duration("aciproxy.job.queue.duration", (job.firstCreateAt - job.createdAt) / second, kind);
  if (job.startedAt !== undefined)
    telemetry.duration("aciproxy.job.run.duration", (phase.finishedAt - job.startedAt) / second, ended);
  telemetry.count("aciproxy.jobs.cost", end.cost ?? 0, { "aciproxy.currency": end.currency });
  telemetry.count("aciproxy.jobs.vcpu", end.vcpuSeconds ?? 0);
}

/** A column of the type double. */
function numberIn(column: unknown): number {
  const value = typeof column === "object" && column !== null && "value" in column ? column.value : 0;
  return typeof value === "number" ? value : 0;
}
