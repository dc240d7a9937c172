import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { freePorts, isFree } from "../../../local/stack/ports.ts";
import { controlPort, stackSettings } from "../../../local/stack/settings.ts";
import { startStack, type Stack } from "../../../local/stack/stack.ts";
import { minute, second } from "../../../src/shared/base/duration.ts";
import { parseJson } from "../../../src/shared/base/json.ts";
import { alerts, fires, traceOf, type Tables } from "../../kit/alerts.ts";
import { metrics } from "../../kit/otlp.ts";
import { fastClock, programs } from "../../kit/part.ts";
import { startReceiver, type Receiver } from "../../kit/receiver.ts";
import { until } from "../../kit/until.ts";
import { definition } from "../simulated.ts";
import type { Incident } from "./incidents.ts";

/** When an incident was seen, in seconds of the stack's time: the fault's own line after the drill began, the others after that line. */
export interface Sighting {
  readonly drill: string;
  readonly line: number | undefined;
  readonly health: number | undefined;
  readonly metric: number | undefined;
  readonly alert: number | undefined;
  /** When health no longer showed it, in seconds after the drill was over. */
  readonly over: number | undefined;
  /** What is not as it should be, a sentence each. */
  readonly faults: readonly string[];
}

/** An operator is to know within this time of the fault's own line. */
const soon = 5 * minute;
/** No line comes later than this, or it never does. */
const patience = 15 * minute;
/** Of our time: for whatever is waited for, on a machine that is busy with other things. */
const limit = 5 * minute;

export const client = fileURLToPath(new URL("../../../bin/aci-proxy.mjs", import.meta.url));
const logged = z.object({ time: z.coerce.date(), message: z.string() });
const line = z.looseObject({ level: z.enum(["debug", "info", "warn", "error"]), event: z.string() });
const details = z.record(z.string(), z.unknown());
const headers = { "x-functions-key": "local" };

/** A local stack of its own for each incident, that many at a time, whose time runs that many times as fast as ours. */
export async function playIncidents(
  incidents: readonly Incident[],
  { factor, atOnce, told = () => undefined }: { factor: number; atOnce: number; told?: (seen: Sighting) => void },
): Promise<readonly Sighting[]> {
  const left = [...incidents];
  const sightings: Sighting[] = [];
  const work = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const seen = await playIncident(next, factor);
      sightings.push(seen);
      told(seen);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return sightings;
}

async function playIncident(incident: Incident, factor: number): Promise<Sighting> {
  const folder = await mkdtemp(join(tmpdir(), `incident-${incident.drill}-`));
  const receiver = await startReceiver();
  const epoch = Date.now();
  const port = await portForStack();
  let stack: Stack | undefined;
  try {
    const env = {
      ...process.env,
      NODE_OPTIONS: `--import=${fastClock(factor, 0, epoch)}`,
      ACI_ENGINE: "simulated",
      // Of its time; the stack's own half a second would be many polls in each real second.
      AzureFunctionsJobHost__extensions__queues__maxPollingInterval: "00:00:05",
      LOOK_INTERVAL_MIN: "PT5S",
      OTEL_METRIC_EXPORT_INTERVAL: "10000",
    };
    const flags = { port: String(port), host: "embedded", verbose: false, control: true, otlp: receiver.url };
    const settings = stackSettings(flags, env, folder, () => "");
    if ("faults" in settings) throw new Error(settings.faults.join("; "));
    stack = await startStack(settings, programs, new AbortController().signal);
    const now = (): number => epoch + (Date.now() - epoch) * factor;
    return await watch(incident, { url: stack.url, port, receiver, now, log: join(settings.folder, "logs/host.log") });
  } finally {
    await stack?.stop();
    await receiver.stop();
    if (process.env["KEEP_LOGS"] === undefined) await rm(folder, { recursive: true, force: true });
  }
}

async function portForStack(): Promise<number> {
  for (;;) {
    const [port = 0] = await freePorts(1);
    if (controlPort(port) <= 65_535 && (await isFree(controlPort(port)))) return port;
  }
}

interface Scene {
  readonly url: string;
  readonly port: number;
  readonly receiver: Receiver;
  readonly now: () => number;
  readonly log: string;
}

async function watch(incident: Incident, scene: Scene): Promise<Sighting> {
  const { drill, job } = incident;
  await submit(scene, definition("runs", { app: { seconds: 7200 } }));
  const watched = new Watched(incident, scene);
  // A machine that is busy with other things is slow itself, and shows that for a while.
  await until(
    "a job that runs, and health without the incident",
    async () => ((await isRunning(scene)) && (await watched.isQuiet())) || undefined,
    limit,
  );
  const began = scene.now();
  await command(scene, "drill", drill);
  if (job !== undefined) {
    const callback = job === "callback" ? { callBackUri: `http://localhost:${controlPort(scene.port)}/callback` } : {};
    await submit(scene, definition("short", { app: { seconds: 1, output: "a line\n" } }, {}, callback));
  }
  const seen = await until(
    "the incident to be seen everywhere",
    async () => {
      const all = await watched.look(began);
      const isSeen = Object.values(all).every((at) => at !== undefined);
      return isSeen || scene.now() > began + patience ? all : undefined;
    },
    limit,
  );
  await command(scene, "drill", drill, "off");
  const ended = scene.now();
  const over = await until(
    "health without the incident",
    async () => ((await watched.isOver()) ? scene.now() : scene.now() > ended + patience ? Infinity : undefined),
    limit,
  );
  const own = seen.line ?? began;
  const faults = Object.entries(seen).flatMap(([what, at]) => {
    if (at === undefined) return [`${what} does not show it.`];
    return at - own > soon ? [`${what} shows it ${Math.round((at - own) / second)} s after its own line.`] : [];
  });
  if (over === Infinity) faults.push("Health still shows it when the drill has long been over.");
  const after = (from: number, at: number | undefined): number | undefined =>
    at === undefined ? undefined : Math.round(Math.max(0, at - from) / second);
  return {
    drill,
    line: after(began, seen.line),
    health: after(own, seen.health),
    metric: after(own, seen.metric),
    alert: after(own, seen.alert),
    over: over === Infinity ? undefined : after(ended, over),
    faults,
  };
}

type Seen = Readonly<Record<"line" | "health" | "metric" | "alert", number | undefined>>;

/** Where an incident was seen first, by the stack's time. */
class Watched {
  readonly #incident: Incident;
  readonly #scene: Scene;
  #seen: Seen = { line: undefined, health: undefined, metric: undefined, alert: undefined };
  #evaluated = 0;

  constructor(incident: Incident, scene: Scene) {
    this.#incident = incident;
    this.#scene = scene;
  }

  /** Health was written, and neither it nor the alert shows the incident. */
  async isQuiet(): Promise<boolean> {
    const tables = await tablesOf(this.#scene);
    this.#metric(Infinity);
    this.#evaluated = tables.AppTraces.length;
    const isWritten = tables.AppTraces.some(({ Message }) => String(Message).includes('"event":"health"'));
    return isWritten && !fires(this.#alertRule, tables, this.#scene.now()) && (await this.#health()) === undefined;
  }

  async isOver(): Promise<boolean> {
    return (await detailsOf(this.#scene)) !== undefined && (await this.#health()) === undefined;
  }

  async look(since: number): Promise<Seen> {
    const tables = await tablesOf(this.#scene);
    const { line, health, metric, alert } = this.#seen;
    this.#seen = {
      line: line ?? this.#line(tables, since),
      alert: alert ?? this.#alert(tables),
      metric: metric ?? this.#metric(since),
      health: health ?? (await this.#health()),
    };
    return this.#seen;
  }

  #line({ AppTraces }: Tables, since: number): number | undefined {
    const { event, name, isSeen } = this.#incident.line;
    const found = AppTraces.find((row) => {
      const fields = line.parse(parseJson(row["Message"]));
      return fields.event === event && isSeen(fields[name]) && (timeOf(row) ?? 0) >= since;
    });
    return timeOf(found);
  }

  get #alertRule() {
    const found = alerts.find(({ name }) => name === `aci-proxy-${this.#incident.alert}`);
    if (found === undefined) throw new Error(`There is no alert ${this.#incident.alert}.`);
    return found;
  }

  /** When its condition first held: it changes with lines, and a line counts from its time on. */
  #alert(tables: Tables): number | undefined {
    const times = tables.AppTraces.slice(this.#evaluated).flatMap((row) => timeOf(row) ?? []);
    this.#evaluated += times.length;
    return times.find((at) => fires(this.#alertRule, tables, at));
  }

  #metric(since: number): number | undefined {
    const { name, attributes, isSeen } = this.#incident.metric;
    const { taken, tries } = this.#scene.receiver;
    tries.length = 0;
    const points = taken
      .splice(0)
      .filter(({ path }) => path === "/v1/metrics")
      .flatMap(({ body }) => metrics.parse(body).resourceMetrics)
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics: all }) => all))
      .filter((metric) => metric.name === name)
      .flatMap(({ gauge, sum }) => [...(gauge?.dataPoints ?? []), ...(sum?.dataPoints ?? [])]);
    const found = points.find(
      (point) =>
        point.timeUnixNano / 1e6 >= since &&
        isSeen(point.asInt ?? point.asDouble ?? NaN) &&
        Object.entries(attributes).every(([key, value]) =>
          point.attributes.some((attribute) => attribute.key === key && attribute.value === value),
        ),
    );
    return found === undefined ? undefined : found.timeUnixNano / 1e6;
  }

  async #health(): Promise<number | undefined> {
    const { of, name, isSeen } = this.#incident.health;
    const all = await detailsOf(this.#scene);
    const found = of === undefined ? all : details.safeParse(all?.[of]).data;
    return found !== undefined && isSeen(found[name]) ? this.#scene.now() : undefined;
  }
}

const timeOf = (row: Tables["AppTraces"][number] | undefined): number | undefined =>
  row?.["TimeGenerated"] instanceof Date ? row["TimeGenerated"].getTime() : undefined;
/** What Application Insights would have of the host's log. */
async function tablesOf({ log }: Scene): Promise<Tables> {
  const tables: Tables = { AppTraces: [], AppRequests: [], _LogOperation: [] };
  for (const text of (await readFile(log, "utf8")).split("\n")) {
    const entry = logged.safeParse(parseJson(text)).data;
    const own = line.safeParse(parseJson(entry?.message)).data;
    if (entry && own) tables.AppTraces.push(traceOf(entry.time.getTime(), own.level, entry.message));
  }
  return tables;
}

async function detailsOf({ url }: Scene): Promise<z.infer<typeof details> | undefined> {
  const response = await fetch(`${url}/api/health/details`, { headers });
  return details.safeParse(parseJson(await response.text())).data;
}

async function isRunning({ url }: Scene): Promise<boolean> {
  const response = await fetch(`${url}/api/status/runs`, { headers });
  return (await response.text()).includes('"state":"Running"');
}

/** Storage that is slow refuses for now. */
async function submit({ url }: Scene, body: string): Promise<void> {
  await until("a job to be accepted", async () => {
    const response = await fetch(`${url}/api/trigger`, { method: "POST", headers, body });
    const text = await response.text();
    if (response.status >= 400 && response.status < 500) throw new Error(`A job was refused: ${text}`);
    return response.ok || undefined;
  });
}

/** As a person would: by the client's own command. */
async function command({ url }: Scene, ...words: string[]): Promise<void> {
  await promisify(execFile)(process.execPath, [client, "--url", url, ...words]);
}
