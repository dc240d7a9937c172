import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { connectionString } from "../local/azurite/connection.ts";
import type { AciOptions } from "../local/aci/options.ts";
import { startAzurite } from "../test/kit/azurite.ts";
import { startPart as startProgram } from "../test/kit/part.ts";
import { startProxy, type Gate, type ProxiedCall } from "../test/kit/proxy.ts";
import { startPart, type Part } from "./part.ts";

/** The app whole, its queues and timer included: hosts, Azurite and the simulated ACI as processes, and a proxy before each service that counts. */
export interface LiveStack {
  readonly hosts: readonly Part[];
  /** The file of what the first host prints. */
  readonly hostLog: string;
  /** Base address of its ACI, past the proxy. */
  readonly arm: string;
  /** Connection string of its storage, past the proxies. */
  readonly storage: string;
  /** Since the start, or since the last time that they were forgotten. */
  readonly seen: Seen;
  forget(): void;
  /** What ACI itself has counted since its start. */
  counters(): Promise<z.infer<typeof countersShape>>;
  stop(): Promise<void>;
}

export interface Seen {
  /** When ARM had accepted the last PUT of a group, by its name; milliseconds since 1970. */
  readonly puts: Map<string, number>;
  /** By service and whether they read. */
  readonly calls: Record<"table read" | "table write" | "queue" | "blob" | "arm", number>;
  /** Reads of queues that gave nothing. */
  emptyPolls: number;
  /** Writes to tables that were refused because somebody else had written before (409, 412), by what they wrote. */
  readonly conflicts: Map<string, number>;
}

const countersShape = z.object({ calls: z.record(z.string(), z.number()), statuses: z.record(z.string(), z.number()) });

export interface LiveOptions {
  readonly hosts?: number;
  readonly aci?: Omit<AciOptions, "engine" | "control" | "eventQueue">;
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds before each call to storage or ARM, as far away services have them. */
  readonly delay?: number;
  /** Of Node, for the hosts. */
  readonly flags?: readonly string[];
}

export const hostKey = "bench";

export async function startLive({
  hosts = 1,
  aci = {},
  env = {},
  delay = 0,
  flags = [],
}: LiveOptions): Promise<LiveStack> {
  const folder = await mkdtemp(join(tmpdir(), "aci-proxy-bench-"));
  const running: { stop(): Promise<unknown> }[] = [];
  const stop = async (): Promise<void> => {
    for (const each of running.reverse()) await each.stop();
    await rm(folder, { recursive: true, force: true });
  };
  const calls = { "table read": 0, "table write": 0, queue: 0, blob: 0, arm: 0 };
  const seen: Seen = { puts: new Map(), calls, emptyPolls: 0, conflicts: new Map() };
  const gate: Gate = {
    forgets: true,
    ...(delay === 0 ? {} : { before: () => sleep(delay, "pass" as const) }),
    after: (call) => {
      note(seen, call);
      return "pass";
    },
  };
  const proxied = async (service: ProxiedCall["service"], port: number): Promise<number> => {
    const proxy = await startProxy(service, port, gate);
    running.push(proxy);
    return proxy.port;
  };
  try {
    const azurite = await startAzurite();
    running.push(azurite);
    const { blob, queue, table } = azurite.ports;
    const storage = connectionString({
      blob: await proxied("blob", blob),
      queue: await proxied("queue", queue),
      table: await proxied("table", table),
    });
    const program = await startProgram("aci", {
      engine: "simulated",
      control: true,
      eventQueue: { connectionString: azurite.connectionString, queueName: "aci-events" },
      ...aci,
    });
    running.push({ stop: () => program.end("SIGTERM") });
    const arm = await proxied("arm", Number(new URL(program.url).port));
    const started: Part[] = [];
    for (let n = 0; n < hosts; n++) {
      const options = {
        appFolder: fileURLToPath(new URL("..", import.meta.url)),
        port: 0,
        hostKey,
        hostId: "bench",
        env: {
          AzureWebJobsStorage: storage,
          AZURE_RESOURCE_MANAGER_ENDPOINT: `http://127.0.0.1:${arm}`,
          AZURE_SUBSCRIPTION_ID: "00000000-0000-0000-0000-000000000000",
          AZURE_RESOURCE_GROUP: "bench",
          AZURE_LOCATION: "westeurope",
          PUBLIC_URL: "http://localhost:7071",
          SEAL_KEY_FILE: join(folder, "seal.key"),
          ...env,
        },
      };
      const log = join(folder, `host-${n}.log`);
      const host = await startPart(new URL("../dist-local/host.mjs", import.meta.url), options, log, flags);
      running.push(host);
      started.push(host);
    }
    return {
      hosts: started,
      hostLog: join(folder, "host-0.log"),
      arm: program.url,
      storage: azurite.connectionString,
      seen,
      forget: () => {
        for (const name of Object.keys(calls) as (keyof typeof calls)[]) calls[name] = 0; // its own keys
        seen.puts.clear();
        seen.emptyPolls = 0;
        seen.conflicts.clear();
      },
      counters: async () => countersShape.parse(await (await fetch(`${program.url}/local/counters`)).json()),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function note(seen: Seen, { service, method, url, status, answered }: ProxiedCall): void {
  const at = url.pathname.split("/").at(-1) ?? "";
  if (service === "arm" && method === "PUT" && status < 300) seen.puts.set(at, Date.now());
  if (service === "table") {
    const reads = method === "GET";
    seen.calls[reads ? "table read" : "table write"]++;
    if (reads || (status !== 409 && status !== 412)) return;
    // Of a job's own row the key says nothing.
    const what = `${method} ${/^jobs\(/.test(at) ? "jobs" : decodeURIComponent(at)}`;
    seen.conflicts.set(what, (seen.conflicts.get(what) ?? 0) + 1);
    return;
  }
  // An empty queue answers with an empty list.
  if (service === "queue" && method === "GET" && url.pathname.endsWith("/messages") && answered < 100)
    seen.emptyPolls++;
  else if (service === "queue" || service === "blob" || service === "arm") seen.calls[service]++;
}

export interface Simulated {
  readonly name: string;
  readonly startSeconds?: number;
  readonly runSeconds?: number;
}

/** A definition whose one container does as it is said. */
export function definitionOf({ name, startSeconds = 0, runSeconds = 0 }: Simulated): string {
  const variable = (key: string, value: number) => ({ name: key, value: String(value) });
  return JSON.stringify({
    name,
    location: "westeurope",
    apiVersion: "2023-05-01",
    properties: {
      osType: "Linux",
      restartPolicy: "Never",
      containers: [
        {
          name: "app",
          properties: {
            image: "registry.example/team/job:1",
            resources: { requests: { cpu: 1, memoryInGB: 1 } },
            environmentVariables: [
              variable("SIM_START_SECONDS", startSeconds),
              variable("SIM_RUN_SECONDS", runSeconds),
              { name: "SIM_OUTPUT", value: "Hello World!\n" },
            ],
          },
        },
      ],
    },
  });
}
