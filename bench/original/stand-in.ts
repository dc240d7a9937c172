import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { text } from "node:stream/consumers";
import { z } from "zod";

/**
 * A service of the original's shape, written from its description: a POST makes the group and answers when it is provisioned, and each
 * status asks ARM. What it does beside that (names, YAML, secrets) costs neither time nor calls, and is left out.
 */
export interface StandIn {
  readonly url: string;
  /** Requests that have no answer yet. */
  readonly open: number;
  stop(): Promise<void>;
}

const groupShape = z.object({
  properties: z.object({
    provisioningState: z.string(),
    instanceView: z.object({ state: z.string() }).optional(),
    containers: z.array(z.object({ name: z.string() })),
  }),
});

const definitionShape = z.object({ name: z.string(), location: z.string(), properties: z.unknown() });

/** As the SDK's poller asks by default. */
const pollTime = 2000;

export async function startStandIn(arm: string): Promise<StandIn> {
  let open = 0;
  const address = (name: string, more = ""): string =>
    `${arm}/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/bench/providers/Microsoft.ContainerInstance/containerGroups/${name}${more}?api-version=2023-05-01`;

  async function trigger(request: IncomingMessage): Promise<Reply> {
    const { name, location, properties } = definitionShape.parse(JSON.parse(await text(request)));
    const made = await fetch(address(name), { method: "PUT", body: JSON.stringify({ location, properties }) });
    await made.arrayBuffer();
    if (!made.ok) return { status: made.status, body: { name } };
    for (;;) {
      await sleep(pollTime);
      const asked = await fetch(address(name));
      if (!asked.ok) continue;
      const group = groupShape.parse(await asked.json());
      if (["Succeeded", "Failed"].includes(group.properties.provisioningState)) return { status: 200, body: { name } };
    }
  }

  async function status(name: string): Promise<Reply> {
    const asked = await fetch(address(name));
    if (!asked.ok) return { status: asked.status, body: { name } };
    const { containers, instanceView } = groupShape.parse(await asked.json()).properties;
    if (!["Succeeded", "Failed", "Stopped"].includes(instanceView?.state ?? "")) return { status: 202, body: { name } };
    const logs: unknown[] = [];
    for (const container of containers)
      logs.push(await (await fetch(address(name, `/containers/${container.name}/logs`))).json());
    return { status: 200, body: { name, logs } };
  }

  const server = createServer((request, response) => {
    open++;
    const [, , call, name = ""] = new URL(request.url ?? "", "http://localhost").pathname.split("/");
    const work = call === "trigger" ? trigger(request) : status(name);
    work
      .then((reply) => answer(response, reply))
      .catch((error: unknown) => answer(response, { status: 500, body: { message: String(error) } }))
      .finally(() => open--);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const at = server.address();
  const port = typeof at === "object" && at !== null ? at.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    get open() {
      return open;
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

interface Reply {
  readonly status: number;
  readonly body: object;
}

function answer(response: ServerResponse, { status, body }: Reply): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
