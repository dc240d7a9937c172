import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Span,
} from "@opentelemetry/api";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  RandomIdGenerator,
  type IdGenerator,
  type ReadableSpan,
  type Span as SdkSpan,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { Deadline } from "../base/deadline.ts";
import { minute, second } from "../base/duration.ts";
import { currentTrace, withinTrace, type OpenSpan, type SpanOptions, type Telemetry } from "../base/telemetry.ts";
import { Metrics } from "./metrics.ts";
import { azureMonitor, type AzureMonitorOptions } from "./azure-monitor.ts";

/**
 * Traces and metrics by OpenTelemetry: to an OTLP endpoint (`OTEL_EXPORTER_OTLP_ENDPOINT`), to Azure Monitor
 * (`APPLICATIONINSIGHTS_CONNECTION_STRING`), or both. Nothing is instrumented automatically: that would write whole addresses.
 */
export interface TelemetryOptions {
  readonly otlp: boolean;
  readonly azureMonitor: AzureMonitorOptions | undefined;
  readonly service: { readonly name: string; readonly version: string; readonly instance: string | undefined };
  /** Milliseconds between two exports of metrics. */
  readonly metricInterval: number;
  readonly now: () => number;
}

/** Between two exports of metrics to Azure Monitor, where each series costs. */
const sparingInterval = 5 * minute;

/** A host that stops does not wait longer for a receiver. */
const flushTime = 3 * second;

const kinds = {
  server: SpanKind.SERVER,
  consumer: SpanKind.CONSUMER,
  producer: SpanKind.PRODUCER,
  client: SpanKind.CLIENT,
  internal: SpanKind.INTERNAL,
} as const;

export function openTelemetry(options: TelemetryOptions): Telemetry {
  const { service } = options;
  const resource = resourceFromAttributes({
    "service.name": service.name,
    "service.version": service.version,
    ...(service.instance === undefined ? {} : { "service.instance.id": service.instance }),
  });
  const azure = options.azureMonitor === undefined ? undefined : azureMonitor(options.azureMonitor);
  const ids = new KnownIds();
  const spanProcessors: SpanProcessor[] = [
    ...(options.otlp ? [new BatchSpanProcessor(new OTLPTraceExporter(), { scheduledDelayMillis: 2 * second })] : []),
    ...(azure === undefined ? [] : [new Sparing(new BatchSpanProcessor(azure.traces))]),
  ];
  const provider = new BasicTracerProvider({
    resource,
    spanProcessors,
    idGenerator: ids,
    // The host's own trace is not sampled, and it is the parent of each invocation.
    sampler: new AlwaysOnSampler(),
  });
  const metrics = [
    ...(options.otlp
      ? [new Metrics(new OTLPMetricExporter(), { resource, interval: options.metricInterval, now: options.now })]
      : []),
    ...(azure === undefined
      ? []
      : [new Metrics(azure.metrics, { resource, interval: sparingInterval, now: undefined })]),
  ];
  const tracer = provider.getTracer("aci-proxy", service.version);

  const span = async <T>(what: SpanOptions, work: (span: OpenSpan) => Promise<T>): Promise<T> => {
    const parent = parentOf(what.parent ?? currentTrace());
    const open = tracer.startSpan(what.name, { kind: kinds[what.kind], attributes: attributesOf(what) }, parent);
    try {
      return await withinTrace(traceparentFrom(open), () => work(opened(open)));
    } catch (error) {
      open.setAttribute("error.type", kindOf(error));
      open.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      open.end();
    }
  };

  return {
    span,
    past: ({ from, to, id, trace: ownTrace, failed, ...what }) => {
      ids.next = { span: id, trace: ownTrace };
      const options = { kind: kinds[what.kind], attributes: attributesOf(what), startTime: from };
      const done = tracer.startSpan(what.name, options, parentOf(what.parent));
      ids.next = undefined;
      if (failed) done.setStatus({ code: SpanStatusCode.ERROR });
      done.end(to);
    },
    count: (name, by, attributes) => metrics.forEach((each) => each.count(name, by, attributes)),
    duration: (name, seconds, attributes) => metrics.forEach((each) => each.duration(name, seconds, attributes)),
    gauges: (readings) => metrics.forEach((each) => each.read(readings)),
    flush: async () => {
      const sent = Promise.allSettled([provider.forceFlush(), ...metrics.map((each) => each.flush())]);
      await Deadline.in(options.now, flushTime).limit(sent);
    },
  };
}

function parentOf(traceparent: string | undefined): Context {
  if (traceparent === undefined) return ROOT_CONTEXT;
  const [, traceId = "", spanId = "", flags = "01"] = traceparent.split("-");
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

function traceparentFrom(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-0${traceFlags & TraceFlags.SAMPLED}`;
}

const attributesOf = ({ attributes }: SpanOptions): Attributes => ({ ...attributes });

function opened(span: Span): OpenSpan {
  return {
    set: (attributes, failed = false) => {
      span.setAttributes({ ...attributes });
      if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
    },
  };
}

function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

/** Random ids, but for a span whose id others know already. */
class KnownIds implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  next: { readonly span: string | undefined; readonly trace: string | undefined } | undefined;

  generateTraceId(): string {
    return this.next?.trace ?? this.#random.generateTraceId();
  }

  generateSpanId(): string {
    return this.next?.span ?? this.#random.generateSpanId();
  }
}

/** A call that took longer than this is worth its bytes. */
const slow = second;

/**
 * Azure Monitor is paid by the byte, and the host sends it the runs that fail: of our spans it gets jobs, creates and deletes, calls that
 * were refused, and whatever failed or was slow.
 */
class Sparing implements SpanProcessor {
  readonly #inner: SpanProcessor;

  constructor(inner: SpanProcessor) {
    this.#inner = inner;
  }

  onStart(span: SdkSpan, parent: Context): void {
    this.#inner.onStart(span, parent);
  }

  onEnd(span: ReadableSpan): void {
    if (isWorthIt(span)) this.#inner.onEnd(span);
  }

  forceFlush(): Promise<void> {
    return this.#inner.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.#inner.shutdown();
  }
}

function isWorthIt({ kind, status, duration, attributes }: ReadableSpan): boolean {
  if (kind === SpanKind.SERVER) return Number(attributes["http.response.status_code"]) >= 400;
  if (kind === SpanKind.CONSUMER) return false;
  if (kind === SpanKind.INTERNAL || status.code === SpanStatusCode.ERROR) return true;
  const [seconds, nanoseconds] = duration;
  const isArmChange =
    attributes["url.template"]?.toString().includes("/containerGroups/") === true &&
    attributes["http.request.method"] !== "GET";
  return isArmChange || seconds * second + nanoseconds / 1e6 > slow;
}
