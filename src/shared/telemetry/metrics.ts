import type { Resource } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader, type PushMetricExporter } from "@opentelemetry/sdk-metrics";
import { defined } from "../base/defined.ts";
import { second } from "../base/duration.ts";
import { counters, durations, gauges, type Gauge, type Telemetry } from "../base/telemetry.ts";

interface MetricsOptions {
  readonly resource: Resource;
  /** Milliseconds between two exports. */
  readonly interval: number;
  /**
   * Of the gauges; `undefined` for a receiver that is paid by the byte: it gets what jobs do, and neither gauges, which the line `health`
   * has, nor the times of calls to storage.
   */
  readonly now: (() => number) | undefined;
}

/** Readings of gauges that are older than this come from an instance that reads them no more. */
const gaugeTime = 150 * second;
/** Upper limits of a histogram's buckets, in seconds: from a call to a day. */
const buckets = [0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14_400, 43_200, 86_400];

/** The metrics of one receiver. */
export class Metrics {
  readonly #provider: MeterProvider;
  readonly #counters;
  readonly #durations;
  readonly #now: (() => number) | undefined;
  #readings: { readonly at: number; readonly gauges: readonly Gauge[] } = { at: 0, gauges: [] };

  constructor(exporter: PushMetricExporter, { resource, interval, now }: MetricsOptions) {
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: interval });
    this.#provider = new MeterProvider({ resource, readers: [reader] });
    const meter = this.#provider.getMeter("aci-proxy");
    this.#now = now;
    this.#counters = mapped(counters, (name, options) => meter.createCounter(name, options));
    this.#durations = mapped(durations, (name, description) =>
      meter.createHistogram(name, { unit: "s", description, advice: { explicitBucketBoundaries: buckets } }),
    );
    if (now === undefined) return;
    for (const [name, options] of Object.entries(gauges))
      meter.createObservableGauge(name, options).addCallback((observer) => {
        if (now() - this.#readings.at > gaugeTime) return;
        for (const reading of this.#readings.gauges)
          if (reading.name === name) observer.observe(reading.value, defined(reading.attributes ?? {}));
      });
  }

  count: Telemetry["count"] = (name, by, attributes = {}) => this.#counters[name].add(by, defined(attributes));

  duration: Telemetry["duration"] = (name, seconds, attributes = {}) => {
    if (this.#now === undefined && name === "aciproxy.storage.call.duration") return;
    this.#durations[name].record(seconds, defined(attributes));
  };

  read(readings: readonly Gauge[]): void {
    if (this.#now !== undefined) this.#readings = { at: this.#now(), gauges: readings };
  }

  flush(): Promise<void> {
    return this.#provider.forceFlush();
  }
}

function mapped<K extends string, V, R>(from: Readonly<Record<K, V>>, make: (name: K, value: V) => R): Record<K, R> {
  const entries = (Object.entries(from) as [K, V][]).map(([name, value]) => [name, make(name, value)]);
  return Object.fromEntries(entries) as Record<K, R>; // the same names
}
