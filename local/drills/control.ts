import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { QueueServiceClient } from "@azure/storage-queue";
import { z } from "zod";
import { isThisMachine } from "../aci/control/this-machine.ts";
import type { Running } from "../part.ts";
import { startVault } from "../vault/vault.ts";
import { drillNames, drills, type Drill, type DrillName } from "./drills.ts";
import { startProxy, type Gate, type Proxy } from "./proxy.ts";

const port = z.number().int().min(1).max(65_535);
const proxied = z.strictObject({ port, target: port });

/** What stands between the app and its services, and where. */
export const drillOptions = z.strictObject({
  /** Of the control endpoint. */
  port,
  /** Address of the local ACI, which serves its own control endpoint. */
  aci: z.url(),
  /** Absent where the storage is not this stack's own. */
  storage: z.strictObject({ blob: proxied, queue: proxied, table: proxied, connectionString: z.string() }).optional(),
  /** The stand-in vault, as the app sees it; which of its parts the app uses; and where its key is kept. */
  vault: z.strictObject({ port, folder: z.string(), serves: z.array(z.enum(["sealKey", "vault"])) }),
});
type Options = z.output<typeof drillOptions>;

/** How a drill that is on is ended. */
type End = () => Promise<void>;

/**
 * The control endpoint of the local stack: what its services do wrong, on demand. On 127.0.0.1, and answered only where the `Host` is
 * this machine. Every change is a PUT or DELETE, which a web page can't send here without being allowed to.
 *
 * | GET /drills | `[{name, says, on}]`, those that this stack can do |
 * | PUT /drills/NAME, DELETE /drills/NAME | switches it on or off; both may be repeated |
 * | POST /callback | takes a callback, unless the drill `callback-dead` is on |
 *
 * @throws EADDRINUSE and the like when a port is not available
 */
export async function startControl(options: Options): Promise<Running> {
  const on = new Map<DrillName, End>();
  const gate: Gate = {
    forgets: true,
    before: async (call) => {
      for (const name of on.keys()) {
        const drill: Drill = drills[name];
        const decision = drill.kind === "calls" ? await drill.decide(call) : "pass";
        if (decision !== "pass") return decision;
      }
      return "pass";
    },
  };
  const available = drillNames.filter((name) => isAvailable(drills[name], options));
  const server = createServer((request, response) => {
    answer({ options, on, available }, request).then(
      (reply) => send(response, reply),
      (error: unknown) => send(response, { status: 500, body: { message: messageOf(error) } }),
    );
  });
  server.listen(options.port, "127.0.0.1");
  await once(server, "listening");
  const { storage, vault } = options;
  const keyVault = await startVault({ keys: ["seal"], secrets: { "job-drill": "drill" }, folder: vault.folder });
  const proxies: Proxy[] = [];
  const stop = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await Promise.all([...proxies.map((proxy) => proxy.stop()), keyVault.stop()]);
  };
  try {
    proxies.push(await startProxy("vault", Number(new URL(keyVault.url).port), gate, vault.port));
    for (const service of ["blob", "queue", "table"] as const)
      if (storage) proxies.push(await startProxy(service, storage[service].target, gate, storage[service].port));
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `http://127.0.0.1:${options.port}`, stop };
}

function isAvailable(drill: Drill, { storage, vault }: Options): boolean {
  if (drill.kind === "message" || (drill.kind === "calls" && drill.to === "storage")) return storage !== undefined;
  return drill.kind !== "calls" || vault.serves.some((part) => part === drill.to);
}

interface Reply {
  readonly status: number;
  readonly body?: object;
}

interface State {
  readonly options: Options;
  readonly on: Map<DrillName, End>;
  readonly available: readonly DrillName[];
}

async function answer({ options, on, available }: State, request: IncomingMessage): Promise<Reply> {
  const [address, base] = [request.url ?? "/", `http://${request.headers.host ?? ""}`];
  if (!URL.canParse(address, base)) return notFound(address);
  const url = new URL(address, base);
  if (!isThisMachine(url.hostname))
    return { status: 403, body: { message: "This endpoint answers this machine only." } };
  const [, what, wanted] = url.pathname.split("/");
  if (request.method === "POST" && what === "callback") {
    await buffer(request);
    return { status: on.has("callback-dead") ? 500 : 200 };
  }
  if (what !== "drills") return notFound(url.pathname);
  const shown = (name: DrillName) => ({
    name,
    says: drills[name].says.replace("PORT", String(options.port)),
    on: on.has(name),
  });
  if (request.method === "GET" && wanted === undefined) return { status: 200, body: available.map(shown) };
  const name = available.find((each) => each === wanted);
  if (name === undefined)
    return { status: 404, body: { message: `This stack has no drill ${wanted ?? "without a name"}.` } };
  switch (request.method) {
    case "PUT":
      if (!on.has(name)) on.set(name, await begin(drills[name], options));
      return { status: 200, body: shown(name) };
    case "DELETE": {
      const end = on.get(name);
      await end?.();
      on.delete(name);
      return { status: 200, body: shown(name) };
    }
    default:
      return notFound(url.pathname);
  }
}

const notFound = (path: string): Reply => ({ status: 404, body: { message: `There is no ${path} on this stack.` } });

async function begin(drill: Drill, { aci, storage }: Options): Promise<End> {
  switch (drill.kind) {
    case "arm": {
      const { id } = z.object({ id: z.number() }).parse(await toAci(aci, "POST", "faults", drill.fault));
      return async () => {
        await toAci(aci, "DELETE", `faults/${id}`);
      };
    }
    case "message": {
      const queue = QueueServiceClient.fromConnectionString(storage?.connectionString ?? "").getQueueClient(
        drill.queue,
      );
      const { messageId, popReceipt } = await queue.sendMessage(drill.text, { messageTimeToLive: -1 });
      // An operator may have replayed or dropped it.
      return async () => {
        await queue.deleteMessage(messageId, popReceipt).catch(() => undefined);
      };
    }
    case "calls":
    case "callback":
      return () => Promise.resolve();
  }
}

async function toAci(aci: string, method: string, path: string, body?: object): Promise<unknown> {
  const answer = await fetch(`${aci}/local/${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`The local ACI answered ${answer.status}: ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}

function send(response: ServerResponse, { status, body }: Reply): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(body === undefined ? "" : JSON.stringify(body));
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
