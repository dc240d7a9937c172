/**
 * host.json: what this host honours of it, with the real host's defaults. Settings `AzureFunctionsJobHost__a__b` override `a.b`,
 * as in Azure ("Override host.json values").
 */
import { availableParallelism } from "node:os";
import { z } from "zod";
import { type LogLevel, parseLevel } from "./logs.ts";
import { MINIMUM_POLLING_MS } from "./poll.ts";
import type { Settings } from "./settings.ts";

export interface QueueOptions {
  readonly batchSize: number;
  readonly newBatchThreshold: number;
  readonly maxDequeueCount: number;
  readonly visibilityTimeoutMs: number;
  readonly maxPollingIntervalMs: number;
  readonly messageEncoding: "base64" | "none";
}

export interface HostJson {
  /** Without slashes; empty for no prefix. */
  readonly routePrefix: string;
  readonly queues: QueueOptions;
  /** Undefined for no limit. */
  readonly functionTimeoutMs: number | undefined;
  readonly logLevels: Readonly<Record<string, LogLevel>>;
}

const TIMESPAN = /^(?:(\d+)\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,7}))?)?$/;

/** Reads .NET's `[d.]hh:mm[:ss[.fffffff]]` as milliseconds; undefined when it is no such thing (a bare number is not). */
export function parseTimeSpan(text: string): number | undefined {
  const parts = TIMESPAN.exec(text);
  if (parts === null) return undefined;
  const [days, hours, minutes, seconds] = [parts[1], parts[2], parts[3], parts[4]].map((part) => Number(part ?? 0));
  if ((hours ?? 0) > 23 || (minutes ?? 0) > 59 || (seconds ?? 0) > 59) return undefined;
  const whole = (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0);
  return whole * 1000 + Number(`0.${parts[5] ?? "0"}`) * 1000;
}

const timeSpan = z.string().transform((text, context) => {
  const milliseconds = parseTimeSpan(text);
  if (milliseconds !== undefined) return milliseconds;
  context.addIssue({ code: "custom", message: `"${text}" is not a time span: write hh:mm:ss or hh:mm:ss.fff` });
  return z.NEVER;
});
const integer = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

const QueuesSchema = z.looseObject({
  batchSize: integer(1, 32).default(16),
  newBatchThreshold: integer(-1, 1_000_000).default(-1),
  maxDequeueCount: integer(1, 1_000_000).default(5),
  visibilityTimeout: timeSpan.default(0),
  maxPollingInterval: timeSpan.pipe(z.number().min(MINIMUM_POLLING_MS, "must be 00:00:00.100 or more")).optional(),
  messageEncoding: z
    .string()
    .transform((text) => text.toLowerCase())
    .pipe(z.enum(["base64", "none"]))
    .default("base64"),
});

const HostJsonSchema = z.looseObject({
  version: z.literal("2.0"),
  functionTimeout: z.union([z.literal("-1"), timeSpan]).default(30 * 60_000),
  logging: z
    .looseObject({
      logLevel: z
        .record(
          z.string(),
          z.string().transform((text, context) => {
            const level = parseLevel(text);
            if (level !== undefined) return level;
            context.addIssue({ code: "custom", message: `"${text}" is not a log level` });
            return z.NEVER;
          }),
        )
        .default({}),
    })
    .default({ logLevel: {} }),
  extensions: z
    .looseObject({
      http: z.looseObject({ routePrefix: z.string().default("api") }).default({ routePrefix: "api" }),
      queues: QueuesSchema.prefault({}),
    })
    .prefault({}),
});

/**
 * @param json the parsed file.
 * @throws {Error} naming every property that can't be honoured; the real host doesn't start with such a file either.
 */
export function parseHostJson(json: unknown, settings: Settings): HostJson {
  const parsed = HostJsonSchema.safeParse(override(json, settings));
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    throw Object.assign(new Error(`host.json is not valid: ${faults.join("; ")}`), { code: "InvalidHostJson" });
  }
  const { extensions, functionTimeout, logging } = parsed.data;
  const queues = extensions.queues;
  const development = settings["AZURE_FUNCTIONS_ENVIRONMENT"]?.toLowerCase() === "development";
  return {
    routePrefix: extensions.http.routePrefix.replace(/^\/+|\/+$/g, ""),
    functionTimeoutMs: functionTimeout === "-1" ? undefined : functionTimeout,
    logLevels: logging.logLevel,
    queues: {
      batchSize: queues.batchSize,
      newBatchThreshold:
        queues.newBatchThreshold < 0
          ? Math.floor(queues.batchSize / 2) * availableParallelism()
          : queues.newBatchThreshold,
      maxDequeueCount: queues.maxDequeueCount,
      visibilityTimeoutMs: queues.visibilityTimeout,
      maxPollingIntervalMs: queues.maxPollingInterval ?? (development ? 2_000 : 60_000),
      messageEncoding: queues.messageEncoding,
    },
  };
}

const OVERRIDE = /^AzureFunctionsJobHost(?:__|:)/i;

function override(json: unknown, settings: Settings): unknown {
  let result = json;
  for (const [name, value] of Object.entries(settings)) {
    if (value !== undefined && OVERRIDE.test(name))
      result = withValue(result, name.replace(OVERRIDE, "").split(/__|:/), value);
  }
  return result;
}

function withValue(json: unknown, path: readonly string[], value: string): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return value;
  const object: Record<string, unknown> =
    typeof json === "object" && json !== null && !Array.isArray(json) ? { ...json } : {};
  const key = Object.keys(object).find((name) => name.toLowerCase() === head.toLowerCase()) ?? head;
  object[key] = withValue(object[key], rest, value);
  return object;
}
