/** A proxy before a service, for drills and tests: it records the calls, and may cut a call off before the service sees it or after it answered. */
import { Agent, createServer, request as send, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";

export type Service = "table" | "queue" | "blob" | "arm" | "vault";

export interface ProxiedCall {
  readonly service: Service;
  readonly method: string;
  readonly url: URL;
  readonly startedAt: number;
  /** What was sent. */
  body: string;
  endedAt: number;
  status: number;
  /** Bytes of the answer's body. */
  answered: number;
}

/** An answer of the proxy's own, in the service's place. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type Decision = "pass" | "cut" | number | Refusal;
const empty = { headers: {}, body: "" };

/** What becomes of a call; `cut` ends the connection without an answer, a number is the status of an empty one. */
export interface Gate {
  before?(call: ProxiedCall): Decision | Promise<Decision>;
  after?(call: ProxiedCall): "pass" | "cut" | Promise<"pass" | "cut">;
  /** Nobody reads the list of calls: over minutes it would fill the memory. */
  readonly forgets?: true;
}

export interface Proxy {
  readonly url: string;
  readonly port: number;
  /** All calls that came, in order. */
  readonly calls: ProxiedCall[];
  stop(): Promise<void>;
}

/** @param listenPort 0 takes a free one. @throws EADDRINUSE and the like when the port is not available */
export async function startProxy(
  service: Service,
  targetPort: number,
  gate: Gate = {},
  listenPort = 0,
): Promise<Proxy> {
  const agent = new Agent({ keepAlive: true });
  const calls: ProxiedCall[] = [];
  const server = createServer((incoming, outgoing) => {
    const call = callOf(incoming);
    if (!gate.forgets) calls.push(call);
    forward(call, incoming, outgoing).catch(() => {
      // Its caller gave up, or the service did.
      call.endedAt = performance.now();
      outgoing.destroy();
    });
  });

  function callOf(incoming: IncomingMessage): ProxiedCall {
    const url = new URL(incoming.url ?? "/", `http://127.0.0.1:${targetPort}`);
    return {
      service,
      method: incoming.method ?? "",
      url,
      startedAt: performance.now(),
      body: "",
      endedAt: Infinity,
      status: 0,
      answered: 0,
    };
  }

  async function forward(call: ProxiedCall, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await bodyOf(incoming);
    call.body = body.toString();
    const decided = (await gate.before?.(call)) ?? "pass";
    if (decided === "cut") {
      call.endedAt = performance.now();
      cut(incoming);
      return;
    }
    if (decided !== "pass") {
      const { status, headers, body } = typeof decided === "number" ? { ...empty, status: decided } : decided;
      call.status = status;
      call.endedAt = performance.now();
      outgoing.writeHead(status, headers).end(body);
      return;
    }
    const { method, headers } = incoming;
    const forwarded = send({ port: targetPort, host: "127.0.0.1", path: incoming.url, method, headers, agent });
    forwarded.end(body);
    const [answer] = (await once(forwarded, "response")) as [IncomingMessage]; // node:http's own event
    const answered = await bodyOf(answer);
    call.status = answer.statusCode ?? 0;
    call.answered = answered.length;
    call.endedAt = performance.now();
    if ((await gate.after?.(call)) === "cut") {
      cut(incoming);
      return;
    }
    outgoing.writeHead(call.status, answer.rawHeaders);
    outgoing.end(answered);
  }

  server.keepAliveTimeout = 60_000;
  server.listen(listenPort, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    calls,
    async stop() {
      server.closeAllConnections();
      server.close();
      agent.destroy();
      await once(server, "close");
    },
  };
}

/** Node's own `buffer` makes a Blob of it first, which takes longer than all else that is done here. */
function bodyOf(message: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    message.on("data", (chunk: Buffer) => chunks.push(chunk));
    message.once("end", () => resolve(Buffer.concat(chunks)));
    message.once("error", reject);
  });
}

function cut(incoming: IncomingMessage): void {
  incoming.socket.destroy();
}
