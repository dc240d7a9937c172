import { hasEnded, stateWord, type Job } from "./job.ts";
import { defined } from "../base/defined.ts";
import { blame, describe } from "./describe.ts";
import type { JobResult } from "./result.ts";

/** The event that reports a job's end to others. Pure. */

/** The body that Data Factory's WebHook activity expects ("Webhook activity", `reportStatusOnCallBack`); `StatusCode` is text. */
export interface CallbackBody {
  readonly Output: Readonly<Record<string, unknown>>;
  readonly Error?: { readonly ErrorCode: string; readonly Message: string };
  readonly StatusCode: string;
}

export function callbackBody(job: Job, result: JobResult | undefined, logsUrl: string): CallbackBody {
  const output = { ...endOf(job), ...blameOf(job), logsUrl, ...(result ? { result } : {}) };
  if (job.phase.state === "Succeeded") return { Output: output, StatusCode: "200" };
  const reason = hasEnded(job.phase) ? job.phase.verdict.reason : "InternalError";
  // A status below 400 would let the activity succeed: only a caller that asked for it gets that.
  const { failureStatus } = job.options;
  if (failureStatus === 200) return { Output: output, StatusCode: "200" };
  return { Output: output, Error: { ErrorCode: reason, Message: describe(job) }, StatusCode: String(failureStatus) };
}

/**
 * CloudEvents 1.0, structured JSON: `aciproxy.job.finished.v1`. The same id each time, so that a reader can drop a repeat.
 *
 * @param reader whom it is for: the job's own poster, or one that attached to it
 */
export function finishedEvent(
  job: Job,
  result: JobResult | "too large" | undefined,
  statusUrl: string,
  reader: { readonly id?: string | undefined; readonly correlationId?: string | undefined } = job,
): Readonly<Record<string, unknown>> {
  const { phase } = job;
  return {
    specversion: "1.0",
    type: "aciproxy.job.finished.v1",
    source: "/aciproxy/jobs",
    subject: job.id,
    id: `${job.id}/finished${reader.id === job.id ? "" : `/${reader.id ?? reader.correlationId ?? "joined"}`}`,
    time: new Date(hasEnded(phase) ? phase.finishedAt : job.createdAt).toISOString(),
    datacontenttype: "application/json",
    ...(job.traceparent === undefined ? {} : { traceparent: job.traceparent }),
    data: {
      ...endOf({ ...job, correlationId: reader.correlationId }),
      ...(result === "too large" ? { resultTooLarge: true } : result ? { result } : {}),
      statusUrl,
    },
  };
}

/** Whose fault a failure is, and what to do, like in the status. */
function blameOf({ phase }: Job): Record<string, unknown> {
  if (!hasEnded(phase) || phase.state === "Succeeded") return {};
  const { party, advice } = blame(phase.verdict);
  return { fault: party, advice, ...defined({ failedContainer: phase.verdict.container }) };
}

/** How a job ended, as every event says it. */
export function endOf(job: Job): Record<string, unknown> {
  const { phase } = job;
  const verdict = hasEnded(phase) ? phase.verdict : undefined;
  return {
    id: job.id,
    ...(job.correlationId === undefined ? {} : { correlationId: job.correlationId }),
    name: job.name,
    state: stateWord(phase),
    reason: verdict?.reason,
    exitCode: verdict?.exitCode ?? null,
    attempt: job.attempt,
    message: describe(job),
  };
}
