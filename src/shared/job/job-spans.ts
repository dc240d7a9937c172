import { defined } from "../base/defined.ts";
import type { PastSpan, SpanAttributes } from "../base/telemetry.ts";
import { traceIdOf, traceparentOf } from "../base/traceparent.ts";
import { blame } from "./describe.ts";
import { hasEnded, type Job, type TerminalState } from "./job.ts";

/** A job in its caller's trace: a span for the whole of it, and in it one for each state that it was in. Pure. */

const results = {
  Succeeded: "success",
  Failed: "failure",
  Stopped: "cancellation",
  TimedOut: "timeout",
  Canceled: "cancellation",
} as const satisfies Record<TerminalState, SpanAttributes["cicd.pipeline.result"]>;

/** What a job is to those who count: an array and its children are counted apart, or its items would count twice. */
export function kindOf({ array, child }: Pick<Job, "array" | "child">): "job" | "array" | "child" {
  return array !== undefined ? "array" : child !== undefined ? "child" : "job";
}

/** As OpenTelemetry calls how a run of a pipeline ended. */
export function resultOf(state: TerminalState): (typeof results)[TerminalState] {
  return results[state];
}

/**
 * The `traceparent` of a job's own span, for what is part of it. The span's id follows from the job's id, so that whoever works for the job
 * knows it long before the span is written.
 */
export function jobTrace({ id, traceparent }: Pick<Job, "id" | "traceparent">): string {
  const own = traceparentOf(id);
  if (traceparent === undefined) return own;
  return `00-${traceIdOf(traceparent)}-${spanIdOf(id)}-${traceparent.slice(-2)}`;
}

const spanIdOf = (id: Job["id"]): string => traceparentOf(id).slice(36, 52);

/** Of a job that has ended. */
export function jobSpans(job: Job): readonly PastSpan[] {
  const { id, name, phase, history, createdAt, options, traceparent } = job;
  if (!hasEnded(phase)) return [];
  const { verdict, finishedAt } = phase;
  const common: SpanAttributes = { "cicd.pipeline.name": name, "cicd.pipeline.run.id": id };
  const isFailure = phase.state !== "Succeeded";
  const whole: PastSpan = {
    name: `RUN ${name}`,
    kind: "internal",
    ...(traceparent === undefined ? { trace: traceIdOf(traceparentOf(id)) } : { parent: traceparent }),
    id: spanIdOf(id),
    from: createdAt,
    to: finishedAt,
    failed: isFailure,
    attributes: {
      ...common,
      "cicd.pipeline.result": resultOf(phase.state),
      "aciproxy.job.state": phase.state,
      "aciproxy.job.reason": verdict.reason,
      "aciproxy.job.attempt": job.attempt,
      "aciproxy.job.kind": kindOf(job),
      ...(isFailure ? { "error.type": verdict.reason, "aciproxy.job.fault": blame(verdict).party } : {}),
      ...defined({
        "aciproxy.job.exit_code": verdict.exitCode,
        "aciproxy.pipeline": options.source?.pipeline,
        "aciproxy.pipeline.run.id": options.source?.pipelineRunId,
      }),
    },
  };
  const moves = history.filter(({ from, to }) => from !== to);
  const states = moves.flatMap(({ to, at, attempt }, index): PastSpan[] => {
    const until = moves[index + 1]?.at;
    if (until === undefined) return [];
    const attributes = { ...common, "aciproxy.job.state": to, "aciproxy.job.attempt": attempt };
    return [{ name: to, kind: "internal", parent: jobTrace(job), from: at, to: until, failed: false, attributes }];
  });
  return [whole, ...states];
}
