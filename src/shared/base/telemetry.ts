import { AsyncLocalStorage } from "node:async_hooks";

/**
 * What is measured, in terms that need no OpenTelemetry: whoever makes a span or counts something says only what this file allows. So
 * nothing else of a call (an address with a key, a body) can get into a trace. Names follow OpenTelemetry's semantic conventions where
 * they have one (faas, http, messaging, cicd), else begin with `aciproxy.`.
 */
export interface SpanAttributes {
  readonly "faas.name"?: string;
  readonly "faas.trigger"?: "http" | "pubsub" | "timer" | "other";
  readonly "faas.invocation_id"?: string;
  readonly "http.request.method"?: string;
  readonly "http.route"?: string;
  /** A route with placeholders, never a whole address. */
  readonly "url.template"?: string;
  readonly "http.response.status_code"?: number;
  readonly "server.address"?: string;
  readonly "messaging.system"?: "azure_storage_queues";
  readonly "messaging.destination.name"?: string;
  readonly "error.type"?: string;
  readonly "cicd.pipeline.name"?: string;
  readonly "cicd.pipeline.run.id"?: string;
  readonly "cicd.pipeline.result"?: "success" | "failure" | "timeout" | "cancellation" | "error";
  readonly "aciproxy.job.attempt"?: number;
  readonly "aciproxy.job.kind"?: "job" | "array" | "child";
  readonly "aciproxy.job.state"?: string;
  readonly "aciproxy.job.reason"?: string;
  readonly "aciproxy.job.fault"?: string;
  readonly "aciproxy.job.exit_code"?: number;
  readonly "aciproxy.pipeline"?: string;
  readonly "aciproxy.pipeline.run.id"?: string;
}

export interface SpanOptions {
  readonly name: string;
  readonly kind: "server" | "consumer" | "producer" | "client" | "internal";
  readonly attributes: SpanAttributes;
  /** `traceparent` of what it is part of; else the span that is open now. */
  readonly parent?: string | undefined;
}

/** A span that is known when it is over. */
export interface PastSpan extends SpanOptions {
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  /** 16 hex digits, where others refer to it. */
  readonly id?: string;
  /** The id of the trace that begins with it, if it has no parent. */
  readonly trace?: string;
  readonly failed: boolean;
}

/** A span that is open. */
export interface OpenSpan {
  /** Adds what is known only now; `failed` marks the span as an error. */
  set(attributes: SpanAttributes, failed?: boolean): void;
}

/** What distinguishes counts and times: words of fixed sets, never an id. */
export type MetricAttributes = Readonly<Record<string, string | number | undefined>>;
type CounterName = keyof typeof counters;
type DurationName = keyof typeof durations;
export type GaugeName = keyof typeof gauges;

/** What is counted, its unit and what it means. */
export const counters = {
  "aciproxy.jobs.ended": { unit: "{job}", description: "Jobs that ended, by state, reason, fault and kind" },
  "aciproxy.job.retries": { unit: "{attempt}", description: "Further attempts, by the reason of the one before" },
  "aciproxy.jobs.cost": { unit: "{money}", description: "Estimated cost of ended jobs, in the currency of the prices" },
  "aciproxy.jobs.vcpu": { unit: "s", description: "vCPU seconds of ended jobs" },
  "aciproxy.arm.calls": { unit: "{call}", description: "Calls to Azure Resource Manager, by method and status" },
  "aciproxy.arm.throttles": { unit: "{call}", description: "Calls that Azure Resource Manager answered with 429" },
} as const;

/** Times in seconds. */
export const durations = {
  "cicd.pipeline.run.duration": "Jobs from accept to end, by name and result",
  "aciproxy.job.queue.duration": "Jobs from accept to their first create",
  "aciproxy.job.start.duration": "Attempts from create to start",
  "aciproxy.job.pull.duration": "Pulls of images",
  "aciproxy.job.run.duration": "Jobs from start to end",
  "aciproxy.storage.call.duration": "Calls to tables and blobs, by method and status",
} as const;

/** Read once a minute, by the instance that logs health. */
export const gauges = {
  "aciproxy.jobs.active": { unit: "{job}", description: "Jobs that have not ended, by state and reason" },
  "aciproxy.jobs.blocked": { unit: "{job}", description: "Jobs that something outside holds up, by reason" },
  "aciproxy.service.up": { unit: "1", description: "Whether what the service needs works: 1 or 0, by its name" },
  "aciproxy.queue.messages": { unit: "{message}", description: "Messages, by queue" },
  "aciproxy.poison.messages": { unit: "{message}", description: "Messages on the poison queues" },
  "aciproxy.groups.leaked": { unit: "{group}", description: "Groups that should be gone and are not" },
  "aciproxy.rows.unreadable": { unit: "{row}", description: "Rows that can't be read" },
  "aciproxy.notifications.undelivered": {
    unit: "{notification}",
    description: "Callers and endpoints that were not reached yet",
  },
  "aciproxy.oldest_queued.age": { unit: "s", description: "Age of the oldest job that waits" },
  "aciproxy.heartbeat.age": { unit: "s", description: "Time since the sweep completed a pass" },
  "aciproxy.arm.age": { unit: "s", description: "Time since Azure Resource Manager answered" },
  "aciproxy.budget.left": { unit: "1", description: "Part of a limit that is left, by limit" },
} as const;

export interface Gauge {
  readonly name: GaugeName;
  readonly value: number;
  readonly attributes?: MetricAttributes;
}

export interface Telemetry {
  /** Does work as a span. A work that throws marks its span as failed, by the error's kind alone. */
  span<T>(options: SpanOptions, work: (span: OpenSpan) => Promise<T>): Promise<T>;
  /** A span that began and ended elsewhere. */
  past(span: PastSpan): void;
  count(name: CounterName, by: number, attributes?: MetricAttributes): void;
  duration(name: DurationName, seconds: number, attributes?: MetricAttributes): void;
  /** What was read now; it stands until the next reading. */
  gauges(readings: readonly Gauge[]): void;
  /** Sends what is collected. */
  flush(): Promise<void>;
}

/** What a call over HTTP is known by: no whole address, and no body. */
interface HttpCall {
  readonly method: string;
  readonly host: string;
  /** The path with placeholders. */
  readonly template: string;
  /** Whether an answer of this status is a failure. */
  readonly isFailure: (status: number) => boolean;
}

/**
 * Sends a call as a span.
 *
 * @param ended called with the answer's status; `undefined` where no answer came
 */
export function spanOfCall<R extends { readonly status: number }>(
  telemetry: Telemetry,
  { method, host, template, isFailure }: HttpCall,
  send: () => Promise<R>,
  ended: (status: number | undefined) => void,
): Promise<R> {
  const attributes = { "server.address": host, "http.request.method": method, "url.template": template };
  return telemetry.span({ name: `${method} ${template}`, kind: "client", attributes }, async (span) => {
    let status: number | undefined;
    try {
      const response = await send();
      ({ status } = response);
      span.set({ "http.response.status_code": status }, isFailure(status));
      return response;
    } finally {
      ended(status);
    }
  });
}

const silent: OpenSpan = { set: () => undefined };

/** Where nobody listens. */
export const noTelemetry: Telemetry = {
  span: (_options, work) => work(silent),
  past: () => undefined,
  count: () => undefined,
  duration: () => undefined,
  gauges: () => undefined,
  flush: () => Promise.resolve(),
};

/** Spans of a work belong to this parent (`traceparent`), whatever span is open. */
const parents = new AsyncLocalStorage<string>();

export function withinTrace<T>(traceparent: string, work: () => T): T {
  return parents.run(traceparent, work);
}

/** The `traceparent` of what is being done now. */
export function currentTrace(): string | undefined {
  return parents.getStore();
}
