import type { LogFields } from "../base/log.ts";
import { traceIdOf, traceparentOf } from "../base/traceparent.ts";
import type { Job } from "./job.ts";

/** By these the lines of one job are found, and join its caller's trace. Pure. */
export function logFieldsOf({ id, name, attempt, options, traceparent }: Job): LogFields {
  const trace = traceIdOf(traceparent ?? traceparentOf(id));
  return { job: id, name, attempt, pipeline: options.source?.pipeline, trace };
}
