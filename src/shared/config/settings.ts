// Longer than 350 lines: the table of every setting, from which docs/settings.md is made, and what reads it.
import { day, hour, minute, second } from "../base/duration.ts";
import { Secret } from "../base/errors.ts";
import { isUuidLike } from "../base/ids.ts";
import { contradictionsOf, openedLocally, securitySettings } from "./security-settings.ts";
import { misspeltIn } from "./misspelt.ts";
import {
  bucket,
  decimal,
  duration,
  integer,
  isSetIn,
  optionalInteger,
  row,
  unresolved,
  url,
  words,
  writtenIn,
  yes,
  type BucketLimits,
  type Environment,
  type Read,
  type Row,
} from "./readers.ts";
import { parseStorage, type StorageConnection } from "./storage-settings.ts";

/** One place where container groups may be created. */
export interface Target {
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  /** Absent: the resource group's own location. */
  readonly location: string | undefined;
}

const endpoint: Read<string> = (value) => {
  const checked = url(value);
  return checked ?? { fault: "must be an absolute http(s) URL" };
};
const isResourceGroup = (name: string): boolean => /^[-\p{L}\p{Nd}_.()]{1,90}$/u.test(name) && !name.endsWith(".");
const isRegion = (name: string): boolean => /^[a-z\d][a-z\d -]{0,89}$/i.test(name);

const targets: Read<readonly Target[]> = (value) => {
  const list: Target[] = [];
  for (const entry of value.split(",").map((part) => part.trim())) {
    const [subscriptionId, resourceGroup, location, ...rest] = entry.split("/");
    const isPlace = isUuidLike(subscriptionId ?? "") && isResourceGroup(resourceGroup ?? "");
    if (!subscriptionId || !resourceGroup || rest.length > 0 || !isPlace || (location && !isRegion(location))) {
      return { fault: "must be a comma-separated list of SUBSCRIPTION/RESOURCE-GROUP[/REGION]" };
    }
    list.push({ subscriptionId, resourceGroup, location: location === "" ? undefined : location });
  }
  return list;
};

/** Whoever adds a parameter of a gateway must not shut out the callers whose key the host takes from the query. */
const gateways: Read<readonly string[]> = (value) => {
  const names = words(value);
  return "fault" in names ? names : [...new Set(["code", ...names])];
};

/** "Naming queues and metadata": 3 to 63 lower-case letters, digits and single hyphens, which stand neither first nor last. */
const queues: Read<readonly string[]> = (value) => {
  const names = words(value);
  if ("fault" in names) return names;
  return names.every((name) => /^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(name))
    ? names
    : { fault: "must be queue names: 3 to 63 lower-case letters, digits and single hyphens" };
};

export const settingsTable = {
  publicUrl: row<string | undefined>(
    "PUBLIC_URL",
    "the platform's host name",
    undefined,
    url,
    "Base address that callers reach; the `Location` of replies is built from it.",
  ),
  armEndpoint: row(
    "AZURE_RESOURCE_MANAGER_ENDPOINT",
    "https://management.azure.com",
    "https://management.azure.com",
    endpoint,
    "Azure Resource Manager to use (a sovereign cloud, a local ACI).",
  ),
  subscriptionId: row<string | undefined>(
    "AZURE_SUBSCRIPTION_ID",
    "",
    undefined,
    (value) => (isUuidLike(value) ? value : { fault: "must be a subscription's id (a UUID)" }),
    "Subscription of the container groups. Required unless `TARGETS` is set.",
  ),
  resourceGroup: row<string | undefined>(
    "AZURE_RESOURCE_GROUP",
    "",
    undefined,
    (value) => (isResourceGroup(value) ? value : { fault: "must be a resource group's name" }),
    "Resource group of the container groups. Required unless `TARGETS` is set.",
  ),
  location: row<string | undefined>(
    "AZURE_LOCATION",
    "the resource group's own",
    undefined,
    (value) => (isRegion(value) ? value : { fault: "must be a region's name, like westeurope" }),
    "Region for definitions without a `location`.",
  ),
  targets: row<readonly Target[]>(
    "TARGETS",
    "the two settings above",
    [],
    targets,
    "Ordered targets for groups, `SUBSCRIPTION/RESOURCE-GROUP[/REGION]`, comma-separated: a definition without `location` goes to the first that has capacity and may create a group now; else it waits for one of them.",
  ),
  defaultApiVersion: row<string>(
    "DEFAULT_API_VERSION",
    "2025-09-01",
    "2025-09-01",
    (value) => (/^\d{4}-\d{2}-\d{2}(-preview)?$/.test(value) ? value : { fault: "must look like 2025-09-01" }),
    "ACI API version for definitions without an `apiVersion`.",
  ),
  maxBodyBytes: row(
    "MAX_BODY_BYTES",
    "524288",
    512 * 1024,
    integer(1024, 4 * 1024 * 1024),
    "Largest body of a POST; larger ones get 413.",
  ),
  gatewayParameters: row<readonly string[]>(
    "GATEWAY_PARAMETERS",
    "code,clientId,subscription-key",
    ["code", "clientId", "subscription-key"],
    gateways,
    "Query parameters that belong to gateways and are no options; `code`, which may hold the key, always counts as one.",
  ),
  defaultTimeout: row(
    "DEFAULT_TIMEOUT",
    "P7D",
    7 * day,
    duration(minute, 30 * day),
    "A job's time from accept to end when it sets no `timeout`.",
  ),
  maxTimeout: row("MAX_TIMEOUT", "P7D", 7 * day, duration(minute, 30 * day), "Ceiling of the option `timeout`."),
  defaultStartTimeout: row(
    "DEFAULT_START_TIMEOUT",
    "PT35M",
    35 * minute,
    duration(minute, 1 * day),
    "An attempt's time from create to running; ACI itself gives up after 30 minutes.",
  ),
  stopTimeout: row(
    "STOP_TIMEOUT",
    "PT15M",
    15 * minute,
    duration(10 * second, 1 * day),
    "How long an ending job waits for ACI to confirm that nothing runs any more.",
  ),
  keepTime: row(
    "KEEP_TIME",
    "PT24H",
    24 * hour,
    duration(0, 30 * day),
    "How long a finished group stays when the option `keep` asks for it.",
  ),
  maxKeptOutput: row(
    "DEFAULT_OUTPUT_LIMIT",
    "16384",
    16 * 1024,
    integer(0, 256 * 1024),
    "Bytes of each container's output in a status reply when the job sets no `outputLimit`.",
  ),
  rowRetention: row("ROW_RETENTION", "P90D", 90 * day, duration(day, 3650 * day), "How long rows of ended jobs stay."),
  logRetention: row(
    "LOG_RETENTION",
    "P30D",
    30 * day,
    duration(hour, 3650 * day),
    "How long captured logs stay after a job's end.",
  ),
  definitionRetention: row(
    "DEFINITION_RETENTION",
    "P7D",
    7 * day,
    duration(0, 3650 * day),
    "How long a sealed definition stays after its job's end, so that it can be run again; 0 = removed at once.",
  ),
  observationFloor: row(
    "LOOK_INTERVAL_MIN",
    "PT2S",
    2 * second,
    duration(100, 1 * minute),
    "Shortest time between two observations of a group.",
  ),
  observationCeiling: row(
    "LOOK_INTERVAL_MAX",
    "PT60S",
    minute,
    duration(1 * second, 10 * minute),
    "Longest time between two observations of a running group.",
  ),
  logInterval: row(
    "LOG_INTERVAL",
    "PT1M",
    minute,
    duration(second, 1 * day),
    "How often a quiet container's log is read while it runs; one that writes is read as often as every 2 seconds. A stopped container keeps only its tail.",
  ),
  maxLogBytes: row(
    "LOG_MAX_BYTES",
    "67108864",
    64 * 1024 * 1024,
    integer(8 * 1024 * 1024, 4 * 1024 * 1024 * 1024),
    "Ceiling of each container's captured log; of a longer one the beginning and at least the newest MiB are kept.",
  ),
  freeRetries: row(
    "FREE_RETRIES",
    "5",
    5,
    integer(0, 100),
    "How many evictions and platform faults in a row are retried without spending the caller's retries.",
  ),
  maxRestarts: row(
    "MAX_RESTARTS",
    "10",
    10,
    integer(0, 1000),
    "How often a container with restartPolicy OnFailure may be started again before the job ends as `CrashLoop`.",
  ),
  absenceTime: row(
    "ABSENCE_TIME",
    "PT3M",
    3 * minute,
    duration(10 * second, 1 * hour),
    "How long a group must be missing, over five observations, before the job believes that it is gone.",
  ),
  exitCodeTime: row(
    "EXIT_CODE_TIME",
    "PT10M",
    10 * minute,
    duration(10 * second, 1 * day),
    "How long a program that ended without an exit code is watched for one before the job ends as `ExitUnknown`.",
  ),
  refusalTime: row(
    "REFUSAL_TIME",
    "PT1H",
    hour,
    duration(minute, 7 * day),
    "How long a job waits for what an administrator must change: a missing role, a resource lock, an unregistered provider. Where it may go to several of `TARGETS`, each must have refused it for that long.",
  ),
  createFailedTime: row(
    "CREATE_FAILED_TIME",
    "PT6H",
    6 * hour,
    duration(minute, 7 * day),
    "After this time a create that Azure keeps answering with an internal error ends its job as `CreateFailed`.",
  ),
  targetGoneTime: row(
    "TARGET_GONE_TIME",
    "PT24H",
    24 * hour,
    duration(minute, 30 * day),
    "After this time a missing resource group or subscription counts as the end of the container groups in it.",
  ),
  spotFallbackAfter: row(
    "SPOT_FALLBACK_AFTER",
    "0",
    0,
    integer(0, 100),
    "After this many Spot evictions a job's next attempt asks for priority Regular; 0 = never.",
  ),
  createsPerHour: row(
    "ACI_CREATES_PER_HOUR",
    "300",
    300,
    integer(1, 100_000),
    "Creates, and as many deletes, that ACI allows per hour, subscription and region.",
  ),
  createsPerFiveMinutes: row(
    "ACI_CREATES_PER_5_MINUTES",
    "100",
    100,
    integer(1, 100_000),
    "The same per five minutes.",
  ),
  armReads: row<BucketLimits>(
    "ARM_READS",
    "250/25",
    { capacity: 250, perSecond: 25 },
    bucket,
    "Reads that ARM allows a subscription: how many at once, and how many more each second. A cloud that still counts by the hour (12,000 reads) is `12000/3.3`.",
  ),
  armWrites: row<BucketLimits>(
    "ARM_WRITES",
    "200/10",
    { capacity: 200, perSecond: 10 },
    bucket,
    "The same for creates, stops and tags.",
  ),
  armDeletes: row<BucketLimits>(
    "ARM_DELETES",
    "200/10",
    { capacity: 200, perSecond: 10 },
    bucket,
    "The same for deletes.",
  ),
  adoptFinishedGroups: row(
    "ADOPT_FINISHED_GROUPS",
    "false",
    false,
    yes,
    "For the migration from the original: a job may replace a finished group of exactly its own name that this service did not create.",
  ),
  maxActiveJobs: row<number | undefined>(
    "MAX_ACTIVE_JOBS",
    "none",
    undefined,
    optionalInteger,
    "Ceiling of jobs that have not ended: above it a POST gets 429, a posted message is a row that waits its turn (`TooManyJobs`).",
  ),
  maxActivePerName: row<number | undefined>(
    "MAX_ACTIVE_PER_NAME",
    "none",
    undefined,
    optionalInteger,
    "The same for one name.",
  ),
  dailyVcpuSeconds: row<number | undefined>(
    "DAILY_VCPU_SECONDS",
    "none",
    undefined,
    optionalInteger,
    "vCPU seconds of the attempts that start on one UTC day, counted while they run; once they are used up, jobs wait for the next day (`Budget`).",
  ),
  dailyGbSeconds: row<number | undefined>(
    "DAILY_GB_SECONDS",
    "none",
    undefined,
    optionalInteger,
    "The same for GB seconds of memory.",
  ),
  replyQueues: row<readonly string[]>(
    "REPLY_QUEUES",
    "none",
    [],
    queues,
    "Queues that a message's `replyTo` may name.",
  ),
  priceVcpuHour: row(
    "PRICE_VCPU_HOUR",
    "0.0405",
    0.0405,
    decimal,
    "Price of a vCPU hour, for the estimate of a job's cost.",
  ),
  priceGbHour: row("PRICE_GB_HOUR", "0.00445", 0.00445, decimal, "Price of a GB hour of memory."),
  currency: row<string>(
    "PRICE_CURRENCY",
    "USD",
    "USD",
    (value) => (/^[A-Z]{3}$/.test(value) ? value : { fault: "must be a currency code of three capitals" }),
    "Currency of the two prices.",
  ),
  otlpEndpoint: row<string | undefined>(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "",
    undefined,
    url,
    "Where traces and metrics go by OTLP over HTTP ([telemetry.md](telemetry.md)); `OTEL_EXPORTER_OTLP_HEADERS` and OpenTelemetry's other variables are read too.",
  ),
  insights: row<Secret | undefined>(
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "",
    undefined,
    (value) => new Secret(value),
    "Application Insights: where the host sends its telemetry, and the app its traces and metrics.",
  ),
  ...securitySettings,
} satisfies Record<string, Row<unknown>>;

type Values = { readonly [K in keyof typeof settingsTable]: (typeof settingsTable)[K]["fallback"] };

export interface Settings extends Omit<
  Values,
  "targets" | "subscriptionId" | "resourceGroup" | "location" | "publicUrl"
> {
  readonly publicUrl: string;
  readonly targets: readonly Target[];
  readonly storage: StorageConnection;
  /** Whether a caller sees and steers the jobs of its own teams only. So it is while `TEAMS` has faults, too. */
  readonly teamsGuard: boolean;
  /** What is wrong with the environment, a sentence each; empty when all is well. Never a value, which may be a secret. */
  readonly faults: readonly string[];
  /** Settings that are likely misspelt, a sentence each. They stop nothing. */
  readonly misspelt: readonly string[];
}

/** True where no Entra token is needed: plain http to this machine. */
export function isLoopback(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === "http:" && (hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127."));
}

/**
 * The environment, read once and turned into typed values. All faults are reported at once; a faulty value is replaced by its default,
 * so that reading jobs goes on while submitting stands still.
 *
 * The table in docs/settings.md is generated from {@link settingsTable}.
 */
export function parseSettings(environment: Environment): Settings {
  const faults: string[] = [];
  const written = writtenIn(environment, faults);
  const read = <T>({ name, fallback, read: parse }: Row<T>): T => {
    const value = written(name);
    if (value === undefined || value === unresolved) return fallback;
    const result = parse(value);
    if (typeof result === "object" && result !== null && "fault" in result) {
      faults.push(`${name} ${result.fault}.`);
      return fallback;
    }
    return result;
  };
  const table: { readonly [K in keyof Values]: Row<Values[K]> } = settingsTable;
  const values: Record<string, unknown> = {};
  for (const [key, entry] of Object.entries<Row<unknown>>(table)) values[key] = read(entry);
  const parsed = values as unknown as Values; // one entry for each key of the table, read by that key's own reader
  const { publicUrl, targets: listed, subscriptionId, resourceGroup, location, ...rest } = parsed;

  const storage = parseStorage(written, faults);
  const single =
    subscriptionId !== undefined && resourceGroup !== undefined ? [{ subscriptionId, resourceGroup, location }] : [];
  if (listed.length === 0 && single.length === 0) {
    faults.push(
      "AZURE_SUBSCRIPTION_ID and AZURE_RESOURCE_GROUP (or TARGETS) must say where container groups are created.",
    );
  }
  const sealKeyFile = rest.sealKeyFile ?? (isLoopback(rest.armEndpoint) ? ".local/seal.key" : undefined);
  if (rest.sealKeyId === undefined && sealKeyFile === undefined) {
    faults.push(
      "SEAL_KEY_ID must name the Key Vault key that seals definitions (or SEAL_KEY_FILE a file, for development).",
    );
  }
  const isSet = isSetIn(environment);
  faults.push(...contradictionsOf(rest, isSet));
  if (rest.replyQueues.some((name) => /^aci-(jobs|wake|events)(-poison)?$/.test(name)))
    faults.push("REPLY_QUEUES must not name a queue of this service's own.");
  const host = environment["WEBSITE_HOSTNAME"];
  if (!isSet(settingsTable.publicUrl.name) && !host) faults.push("PUBLIC_URL must say where callers reach this app.");
  return {
    ...(isLoopback(rest.armEndpoint) ? openedLocally(rest, isSet) : rest),
    sealKeyFile,
    publicUrl:
      publicUrl ?? (host ? `${/^(localhost|127\.)/.test(host) ? "http" : "https"}://${host}` : "http://localhost:7071"),
    targets: listed.length > 0 ? listed : single,
    storage,
    teamsGuard: rest.authMode === "entra" && isSet(settingsTable.teams.name),
    faults,
    misspelt: misspeltIn(
      environment,
      Object.values<Row<unknown>>(table).map(({ name }) => name),
    ),
  };
}
