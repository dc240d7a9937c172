import { second } from "../base/duration.ts";
import { messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { noTelemetry, type Telemetry } from "../base/telemetry.ts";
import type { Settings } from "../config/settings.ts";

interface StartOptions {
  readonly settings: Pick<Settings, "otlpEndpoint" | "insights">;
  /** What the platform and OpenTelemetry name themselves. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly log: Log;
}

/** Telemetry as the settings ask for it. What it takes is loaded only then: an app without it starts no slower. */
export function startTelemetry({ settings, environment, version, log }: StartOptions): Telemetry {
  const { otlpEndpoint, insights } = settings;
  if (otlpEndpoint === undefined && insights === undefined) return noTelemetry;
  let real = noTelemetry;
  const interval = Number(environment["OTEL_METRIC_EXPORT_INTERVAL"]);
  const options = {
    otlp: otlpEndpoint !== undefined,
    azureMonitor: insights && {
      connectionString: insights.reveal(),
      authentication: environment["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"],
    },
    service: {
      name: environment["OTEL_SERVICE_NAME"] ?? environment["WEBSITE_SITE_NAME"] ?? "aci-proxy",
      version,
      instance: environment["WEBSITE_INSTANCE_ID"],
    },
    metricInterval: interval >= second ? interval : 60 * second,
    now: () => performance.timeOrigin + performance.now(),
  };
  // A connection string that can't be read ends telemetry, and nothing else.
  import("./open-telemetry.ts")
    .then(({ openTelemetry }) => (real = openTelemetry(options)))
    .catch((error: unknown) => log("error", "no telemetry", { error: messageOf(error) }));
  return {
    span: (what, work) => real.span(what, work),
    past: (span) => real.past(span),
    count: (name, by, attributes) => real.count(name, by, attributes),
    duration: (name, seconds, attributes) => real.duration(name, seconds, attributes),
    gauges: (readings) => real.gauges(readings),
    flush: () => real.flush(),
  };
}
