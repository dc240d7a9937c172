import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { odata, RestError, type TableEntityResult } from "@azure/data-tables";
import { z } from "zod";
import { connectionString } from "../../../local/azurite/connection.ts";
import { freePorts } from "../../../local/stack/ports.ts";
import { minute, second } from "../../../src/shared/base/duration.ts";
import { queueTimeOf } from "../../../src/shared/job/slot.ts";
import { connectStorage, type Storage } from "../../../src/shared/store/connect.ts";
import { tableNames } from "../../../src/shared/store/connect.ts";
import type { JobKey } from "../../../src/shared/store/job-row.ts";
import { startAzurite, type Azurite } from "../../kit/azurite.ts";
import { resourceGroup, subscription } from "../../kit/kit.ts";
import { fastClock, programs, startPart, type Part } from "../../kit/part.ts";
import { startProxy, type Gate, type Proxy, type Service } from "../../kit/proxy.ts";

/**
 * The built app in a real host process that is killed and started again, with an Azurite and a local ACI that stay, a proxy before
 * each of them, and time that runs faster for all three. What is looked at is what lies in storage and what ACI counted.
 */
export interface WorldOptions {
  /** How much faster than ours time runs there. */
  readonly factor: number;
  /** Decides over every call of the host. */
  readonly gate: Gate;
  readonly environment?: Readonly<Record<string, string>>;
  /** Milliseconds that each host's clock is ahead; one host that is not, unless said otherwise. */
  readonly clocks?: readonly number[];
  /** Of its time: until another host runs the timer of one that was killed (15), and until one that is slow has lost it. */
  readonly timerLeaseSeconds?: number;
}

const counters = z.object({
  liveGroups: z.number(),
  calls: z.record(z.string(), z.number()),
  deploymentsByGroup: z.record(z.string(), z.number()),
  liveByTag: z.record(z.string(), z.object({ now: z.number(), most: z.number() })),
});
export type Counters = z.infer<typeof counters>;

export interface Row {
  readonly id: string;
  readonly name: string;
  readonly groupName: string;
  readonly state: string;
  readonly reason: string;
  readonly attempt: number;
  readonly exitCode: number | undefined;
  readonly groupDeleted: boolean;
  /** When its wait counts from: its age less its priority. */
  readonly turn: number;
}

/** The columns of a row. */
const columns = [
  "id",
  "name",
  "groupName",
  "state",
  "reason",
  "attempt",
  "exitCode",
  "groupDeleted",
  "createdAt",
  "priority",
];

function rowOf(row: Readonly<Record<string, unknown>>): Row {
  const text = (name: string): string => String(row[name]);
  return {
    id: text("id"),
    name: text("name"),
    groupName: text("groupName"),
    state: text("state"),
    reason: text("reason"),
    attempt: Number(row["attempt"]),
    exitCode: typeof row["exitCode"] === "number" ? row["exitCode"] : undefined,
    groupDeleted: row["groupDeleted"] === true,
    turn: queueTimeOf(Number(row["createdAt"]), Number(row["priority"] ?? 0)),
  };
}

/** A host process that is started again when it was killed. */
interface Host {
  readonly port: number;
  readonly clock: string;
  part: Part | undefined;
  starting: Promise<void> | undefined;
}

export class World {
  readonly storage: Storage;
  readonly #options: WorldOptions;
  readonly #folder: string;
  readonly #azurite: Azurite;
  readonly #aci: Part;
  readonly #proxies: readonly Proxy[];
  readonly #hosts: readonly Host[];

  private constructor(
    options: WorldOptions,
    folder: string,
    parts: { azurite: Azurite; aci: Part; proxies: readonly Proxy[]; hosts: readonly Host[]; storage: Storage },
  ) {
    this.#options = options;
    this.#folder = folder;
    this.#azurite = parts.azurite;
    this.#aci = parts.aci;
    this.#proxies = parts.proxies;
    this.#hosts = parts.hosts;
    this.storage = parts.storage;
  }

  static async start(options: WorldOptions): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), "recovery-"));
    const epoch = Date.now();
    const first = { first: fastClock(options.factor, 0, epoch) };
    const clocks = options.clocks ?? [0];
    const hosts = (await freePorts(clocks.length)).map((port, n): Host => {
      return { port, clock: fastClock(options.factor, clocks[n], epoch), part: undefined, starting: undefined };
    });
    const azurite = await startAzurite(first);
    const direct = azurite.connectionString;
    const aci = await startPart(
      "aci",
      {
        engine: "simulated",
        control: true,
        limits: false,
        provisioningSeconds: 1,
        eventQueue: { connectionString: direct, queueName: "aci-events" },
      },
      first,
    );
    const before = (service: Service, target: number): Promise<Proxy> => startProxy(service, target, options.gate);
    const proxies = await Promise.all([
      before("blob", azurite.ports.blob),
      before("queue", azurite.ports.queue),
      before("table", azurite.ports.table),
      before("arm", Number(new URL(aci.url).port)),
    ]);
    // The tests' own calls wait as long as a busy machine needs.
    const storage = connectStorage({ kind: "connectionString", setting: "direct", value: direct }, 5 * minute);
    const world = new World(options, folder, { azurite, aci, proxies, hosts, storage });
    await world.boot();
    return world;
  }

  /** Of the first host. */
  get url(): string {
    return this.#urlOf(this.#hosts[0]);
  }

  get urls(): readonly string[] {
    return this.#hosts.map((host) => this.#urlOf(host));
  }

  #urlOf(host: Host | undefined): string {
    return `http://127.0.0.1:${host?.port ?? 0}`;
  }

  /** Milliseconds of its time as real milliseconds. */
  ours(milliseconds: number): number {
    return milliseconds / this.#options.factor;
  }

  /** Starts every host, unless it runs or is about to. */
  async boot(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => (host.starting ??= this.#start(host))));
  }

  async #start(host: Host): Promise<void> {
    const [blob, queue, table, arm] = this.#proxies;
    if (!blob || !queue || !table || !arm) throw new Error("a proxy is missing");
    const env = {
      AzureWebJobsStorage: connectionString({ blob: blob.port, queue: queue.port, table: table.port }),
      AZURE_SUBSCRIPTION_ID: subscription,
      AZURE_RESOURCE_GROUP: resourceGroup,
      AZURE_LOCATION: "westeurope",
      AZURE_RESOURCE_MANAGER_ENDPOINT: arm.url,
      PUBLIC_URL: this.url,
      SEAL_KEY_FILE: join(this.#folder, "seal.key"),
      ACI_CREATES_PER_HOUR: "100000",
      ACI_CREATES_PER_5_MINUTES: "100000",
      ...this.#options.environment,
    };
    const options = {
      appFolder: programs.app,
      port: host.port,
      env,
      hostId: "recovery",
      logFile: join(this.#folder, "host.log"),
      leaseSeconds: 30,
      timerLeaseSeconds: this.#options.timerLeaseSeconds ?? 15,
      drainSeconds: 0,
    };
    host.part = await startPart("host", options, { first: host.clock });
  }

  /** The process is gone, in the middle of whatever it did. */
  async kill(n = 0): Promise<void> {
    const host = this.#hosts[n];
    if (host === undefined) return;
    const { part } = host;
    host.part = undefined;
    host.starting = undefined;
    await part?.end("SIGKILL");
  }

  /** The process stands still for that long of its time, in the middle of whatever it did, and goes on. */
  async freeze(n: number, milliseconds: number): Promise<void> {
    const child = this.#hosts[n]?.part?.child;
    child?.kill("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, this.ours(milliseconds)));
    child?.kill("SIGCONT");
  }

  async stop(): Promise<void> {
    await Promise.all(this.#hosts.map((_, n) => this.kill(n)));
    await Promise.all([this.#azurite.stop(), this.#aci.end("SIGKILL")]);
    await Promise.all(this.#proxies.map((proxy) => proxy.stop()));
    if (process.env["KEEP_LOGS"] === undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  /** Submits until a 2xx is seen, as a caller with an Idempotency-Key does. */
  async submit(text: string, key: string, query = "", limit = 12 * minute): Promise<string> {
    const headers = { "x-functions-key": "local", "idempotency-key": key };
    const accepted = async (): Promise<string | undefined> => {
      const init = { method: "POST", headers, body: text, signal: this.#patience() };
      const response = await fetch(`${this.url}/api/trigger?${query}`, init).catch(() => undefined);
      const body = await response?.json().catch(() => undefined);
      if (response === undefined || response.status >= 500) return undefined;
      if (response.status >= 300) throw new Error(`refused: ${JSON.stringify(body)}`);
      return z.object({ id: z.string() }).parse(body).id;
    };
    return this.until(`the acceptance of ${key}`, accepted, limit);
  }

  async call(method: string, path: string, body?: string): Promise<{ status: number; text: string } | undefined> {
    const headers = { "x-functions-key": "local" };
    const init = { method, headers, signal: this.#patience(), ...(body === undefined ? {} : { body }) };
    try {
      const response = await fetch(`${this.url}/api/${path}`, init);
      return { status: response.status, text: await response.text() };
    } catch {
      return undefined;
    }
  }

  /** How long a caller waits for an answer: as long as Azure's front end does, and ten real seconds at least. */
  #patience(): AbortSignal {
    return AbortSignal.timeout(Math.max(this.ours(230 * second), 10 * second));
  }

  /** Of the local ACI's control endpoint. */
  async aci(method: string, path: string, body?: unknown): Promise<unknown> {
    const init = { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const response = await fetch(`${this.#aci.url}/local/${path}`, init);
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return text === "" ? undefined : JSON.parse(text);
  }

  /** Somebody else's call to Azure Resource Manager. */
  async arm(method: string, group: string, body?: unknown): Promise<{ status: number; body: unknown }> {
    const path = `/subscriptions/${subscription}/resourceGroups/${resourceGroup}/providers/Microsoft.ContainerInstance/containerGroups/${group}`;
    const headers = { authorization: "Bearer theirs", "content-type": "application/json" };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const init = { method, headers, signal: this.#patience(), ...sent };
    const response = await fetch(`${this.#aci.url}${path}?api-version=2023-05-01`, init);
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  }

  /** Functions that exceeded `functionTimeout`, one for each time: the calls that ran beside them were answered 500. */
  async timedOut(): Promise<readonly string[]> {
    const log = await readFile(join(this.#folder, "host.log"), "utf8");
    return [...log.matchAll(/Timeout value of \d+ ms exceeded by function: (\w+)/g)].map(([, name = ""]) => name);
  }

  /** @param tag whose live groups are counted */
  async counters(tag = "aciproxy-job"): Promise<Counters> {
    return counters.parse(await this.aci("GET", `counters?tag=${tag}`));
  }

  async rows(): Promise<readonly Row[]> {
    const rows: Row[] = [];
    for await (const row of this.#entities(tableNames.jobs, columns)) {
      if (typeof row["id"] === "string") rows.push(rowOf(row)); // the counts of an array have no id
    }
    return rows;
  }

  /** Of an id that the service gave. */
  async row({ partitionKey, rowKey }: JobKey): Promise<Row> {
    return rowOf(await this.storage.table(tableNames.jobs).getEntity(partitionKey, rowKey));
  }

  /** Of any job: what its row says in these columns. */
  async columns(id: string, select: string[]): Promise<Readonly<Record<string, unknown>>> {
    const filter = odata`id eq ${id}`;
    for await (const row of this.storage.table(tableNames.jobs).listEntities({ queryOptions: { filter, select } }))
      return row;
    throw new Error(`There is no job ${id}.`);
  }

  /** Entries of the index that begin so. */
  index(prefix: string): Promise<readonly string[]> {
    return this.#keys(tableNames.index, prefix);
  }

  /** Attempts that count as running in a team's budget of a day. */
  async charges(team: string): Promise<readonly string[]> {
    const keys = await this.#keys(tableNames.control, `daily~${team}~`);
    return keys.filter((key) => key.includes("_"));
  }

  async #keys(table: string, prefix: string): Promise<readonly string[]> {
    const keys: string[] = [];
    for await (const { rowKey } of this.#entities(table, ["RowKey"])) if (rowKey?.startsWith(prefix)) keys.push(rowKey);
    return keys;
  }

  /** Empty while the host has not made the table. */
  async *#entities(table: string, select: string[]): AsyncGenerator<TableEntityResult<Record<string, unknown>>> {
    try {
      yield* this.storage.table(table).listEntities({ queryOptions: { select } });
    } catch (error) {
      if (!(error instanceof RestError && error.statusCode === 404)) throw error;
    }
  }

  /** Looks until there is something; the host is started again whenever it is gone. */
  async until<T>(what: string, look: () => Promise<T | undefined>, limit = 12 * minute): Promise<T> {
    const deadline = performance.now() + Math.max(this.ours(limit), leastPatience);
    for (;;) {
      await this.boot();
      const found = await look();
      if (found !== undefined) return found;
      if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Of our time: a machine that is busy with other things gets no more done because time runs faster there. */
const leastPatience = 4 * minute;
