/** The real core on a real Azurite and a local ACI with simulated containers, with time in the test's hands. */
import { InstallationTag } from "../../src/shared/aci/installation-tag.ts";
import { HttpRequest, InvocationContext, type HttpHandler } from "@azure/functions";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, onTestFinished } from "vitest";
import { z } from "zod";
import { startAci, type RunningAci } from "../../local/aci/aci.ts";
import { virtualClock, type Clock } from "../../local/aci/clock.ts";
import { remove } from "../../src/http/delete.ts";
import { status } from "../../src/http/status.ts";
import { trigger } from "../../src/http/trigger.ts";
import { makeDeps, type Deps } from "../../src/shared/deps.ts";
import { parseJobId, type JobId } from "../../src/shared/base/ids.ts";
import { hasEnded, type Job } from "../../src/shared/job/job.ts";
import { queueNames } from "../../src/shared/store/queues.ts";
import { noTelemetry, type Telemetry } from "../../src/shared/base/telemetry.ts";
import type { Log } from "../../src/shared/base/log.ts";
import { connectStorage, type Storage } from "../../src/shared/store/connect.ts";
import { provisioner } from "../../src/workers/provisioner.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { startAzurite, type Azurite } from "../kit/azurite.ts";
import { compare } from "../kit/describes.ts";
import { target, settings, start } from "../kit/kit.ts";
import { startProxy, type Gate, type Proxy, type ProxiedCall } from "../kit/proxy.ts";

/** Accounts of one Azurite: each test has one of its own, and this many fit into an environment. Their key is no secret. */
const key = Buffer.from("a key that everybody may know").toString("base64");
const accounts = Array.from({ length: 1000 }, (_, n) => `account${n}`);

const realTimeout = globalThis.setTimeout;

export interface Bench {
  readonly deps: Deps;
  readonly storage: Storage;
  readonly aci: RunningAci;
  readonly clock: Clock;
  /** Calls to storage so far. */
  calls(): readonly ProxiedCall[];
  /** The same storage and ACI, used by another instance of the app. */
  again(environment?: Readonly<Record<string, string>>): Promise<Deps>;
}

let starting: Promise<Azurite> | undefined;
let azurite: Azurite | undefined;
let used = 0;

/** In a file's head: its tests get storage from here. One Azurite serves all files of a worker, and ends with it. */
export function useAzurite(): void {
  beforeAll(async () => {
    starting ??= startAzurite({ accounts: accounts.map((account) => `${account}:${key}`).join(";") });
    azurite = await starting;
  });
}

/** A gate that lets all calls pass, for tests that count them. */
export const countedCalls: Gate = {};

/**
 * Everything anew, for the test that asks.
 *
 * @param gate stands before storage; without one the calls go there at once, and are not counted
 */
export async function openBench(
  environment: Readonly<Record<string, string>> = {},
  gate?: Gate,
  { log = () => undefined, telemetry = noTelemetry }: { log?: Log; telemetry?: Telemetry } = {},
): Promise<Bench> {
  if (azurite === undefined) throw new Error("The file does not call useAzurite().");
  const { ports } = azurite;
  const account = accounts[used++];
  if (account === undefined) throw new Error("There are more tests than accounts.");
  const clock = virtualClock(start);
  const folder = mkdtempSync(join(tmpdir(), "service-test-"));
  const aci = await startAci({ engine: "simulated", clock, limits: false });
  const services = ["blob", "queue", "table"] as const;
  const proxies: Proxy[] = [];
  if (gate !== undefined) for (const service of services) proxies.push(await startProxy(service, ports[service], gate));
  onTestFinished(async () => {
    await aci.stop();
    await Promise.all(proxies.map((proxy) => proxy.stop()));
    rmSync(folder, { recursive: true });
  });
  const endpoint = (name: string, n: 0 | 1 | 2): string =>
    `${name}Endpoint=http://127.0.0.1:${proxies[n]?.port ?? ports[services[n]]}/${account}`;
  const connection = [
    `DefaultEndpointsProtocol=http;AccountName=${account};AccountKey=${key}`,
    endpoint("Blob", 0),
    endpoint("Queue", 1),
    endpoint("Table", 2),
  ].join(";");
  const again = async (more: Readonly<Record<string, string>> = {}): Promise<Deps> => {
    const own = settings({
      AzureWebJobsStorage: connection,
      AZURE_RESOURCE_MANAGER_ENDPOINT: aci.url,
      AZURE_LOCATION: "westeurope",
      SEAL_KEY_FILE: join(folder, "seal.key"),
      ...environment,
      ...more,
    });
    const deps = makeDeps({ settings: own, log, telemetry, now: () => clock.now(), random: () => 0.5 });
    await deps.control.installation();
    // Its own pauses are not of the clock that the test holds, nor of timers that it faked.
    return { ...deps, sleep: (ms) => new Promise((resolve) => void realTimeout(resolve, ms / 10)) };
  };
  return {
    deps: await again(),
    storage: connectStorage({ kind: "connectionString", setting: "AzureWebJobsStorage", value: connection }),
    aci,
    clock,
    calls: () => {
      if (gate === undefined) throw new Error("This bench counts no calls: open it with a gate.");
      return proxies.flatMap(({ calls }) => calls).sort((a, b) => a.startedAt - b.startedAt);
    },
    again,
  };
}

/** A definition whose one container runs for that time and ends with that exit code. */
export function yaml(
  name: string,
  {
    seconds = 10,
    exitCode = 0,
    output = "Hello World!\\n",
    more = "",
  }: { seconds?: number; exitCode?: number | string; output?: string; more?: string } = {},
): string {
  return `
name: ${name}
apiVersion: 2023-05-01
properties:
  osType: Linux
  restartPolicy: Never
  containers:
    - name: app
      properties:
        image: registry.example/team/app:1
        resources: {requests: {cpu: 1, memoryInGB: 1}}
        environmentVariables:
          - {name: SIM_RUN_SECONDS, value: "${seconds}"}
          - {name: SIM_EXIT_CODE, value: "${exitCode}"}
          - {name: SIM_OUTPUT, value: "${output}"}
${more}`;
}

const body = z.looseObject({
  message: z.string().default(""),
  id: z.string().default(""),
  state: z.string().default(""),
});

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: z.infer<typeof body>;
  /** The job's id, where the reply names one. */
  readonly id: JobId;
}

async function call(handler: HttpHandler, request: HttpRequest): Promise<Reply> {
  const init = await handler(request, new InvocationContext());
  if (init instanceof Object && "status" in init && "body" in init && typeof init.body === "string") {
    const { status = 200, body: text } = init;
    compare(Object.keys(request.params), { method: request.method, status, headers: new Headers(init.headers), text });
    const read = body.parse(JSON.parse(init.body));
    const id = parseJobId(read.id);
    const headers = new Headers(init.headers); // ours are plain records
    return { status: init.status ?? 200, headers, body: read, id: id ?? ("" as JobId) }; // "" is no id, and no test takes it for one
  }
  throw new Error("no reply");
}

export function post(deps: Deps, text: string, query = "", headers: Record<string, string> = {}): Promise<Reply> {
  const url = `http://localhost/api/trigger?${query}`;
  return call(
    trigger(deps),
    new HttpRequest({ method: "POST", url, headers, query: queryOf(query), body: { string: text } }),
  );
}

export function get(deps: Deps, idOrName: string, query = ""): Promise<Reply> {
  const url = `http://localhost/api/status/${idOrName}?${query}`;
  return call(status(deps), new HttpRequest({ method: "GET", url, query: queryOf(query), params: { idOrName } }));
}

export function del(deps: Deps, idOrName: string, query = ""): Promise<Reply> {
  const url = `http://localhost/api/delete/${idOrName}?${query}`;
  return call(remove(deps), new HttpRequest({ method: "DELETE", url, query: queryOf(query), params: { idOrName } }));
}

/** A call of any other handler. */
export function ask(
  handler: HttpHandler,
  { query = "", params = {}, text }: { query?: string; params?: Readonly<Record<string, string>>; text?: string },
): Promise<Reply> {
  const url = `http://localhost/api/asked?${query}`;
  const body = text === undefined ? {} : { method: "POST", body: { string: text } };
  return call(handler, new HttpRequest({ method: "GET", url, query: queryOf(query), params: { ...params }, ...body }));
}

const queryOf = (query: string): Record<string, string> => Object.fromEntries(new URLSearchParams(query));

export interface Delivered {
  readonly id?: string;
  readonly dequeueCount?: number;
  readonly insertedAt?: number;
}

/** A message on `aci-jobs` as the host hands it over. */
export async function deliver(
  deps: Deps,
  message: unknown,
  { id = "message-1", dequeueCount = 1, insertedAt = start }: Delivered = {},
): Promise<void> {
  const triggerMetadata = { id, dequeueCount, insertionTime: new Date(insertedAt).toISOString() };
  await provisioner(deps)(message, new InvocationContext({ triggerMetadata }));
}

export async function jobOf(deps: Deps, id: JobId): Promise<Job> {
  const stored = await deps.jobs.find(id);
  if (stored === undefined) throw new Error(`There is no job ${id}.`);
  return stored.job;
}

/** Looks at a job whenever its row says so, time going on in between, until `enough` or until there is nothing more to do. */
export async function follow(bench: Bench, id: JobId, enough: (job: Job) => boolean = () => false): Promise<Job> {
  const { deps, clock } = bench;
  for (let looks = 0; looks < 300; looks++) {
    const job = await jobOf(deps, id);
    if (enough(job) || (hasEnded(job.phase) && job.phase.tidy)) return job;
    clock.advance(Math.max(0, job.lookAt - clock.now()));
    await reconcile(deps, id, { at: undefined });
  }
  throw new Error(`Job ${id} does not come to an end: ${JSON.stringify((await jobOf(deps, id)).phase)}`);
}

/** What lies in a queue, hidden or not, oldest first. Azurite shows what is visible only. */
export async function messagesIn(storage: Storage, queue: string = queueNames.wake): Promise<readonly string[]> {
  const { peekedMessageItems } = await storage.queues.getQueueClient(queue).peekMessages({ numberOfMessages: 32 });
  return peekedMessageItems.map(({ messageText }) => messageText);
}

/** Row keys of the table `jobindex`, in order. */
export async function indexOf({ storage }: Bench): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { rowKey } of storage.table("jobindex").listEntities()) if (rowKey) keys.push(rowKey);
  return keys.sort();
}

/** Every group that ACI has. */
export function groupsOf({
  aci,
}: Bench): readonly { readonly name: string; readonly tags: Readonly<Record<string, string>> }[] {
  return [...aci.provider.all()].map(({ id, definition }) => ({ name: id.name, tags: definition.tags ?? {} }));
}

const counters = z.object({
  calls: z.record(z.string(), z.number()),
  deploymentsByGroup: z.record(z.string(), z.number()),
});

/** ARM calls by kind, and how often each group was made to run. */
export function countersOf({ aci }: Bench): z.infer<typeof counters> {
  return counters.parse(aci.counters.view(null));
}

/** What the installation tag of a group of this name is worth. */
export async function installationTagOf({ deps }: Bench, name: string): Promise<string> {
  return new InstallationTag(await deps.control.installation()).valueFor({ ...target, name });
}
