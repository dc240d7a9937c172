import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

interface Received {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

/** A server that keeps the JSON that is POSTed to it, and answers as the test says: a status, or `silence`. */
export interface Receiver {
  readonly url: string;
  /** Tries, taken or not. */
  readonly tries: Received[];
  /** What it answered with a 2xx. */
  readonly taken: Received[];
  answer: number | "silence";
  stop(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const server = createServer((request, response) => {
    void text(request).then((sent) => {
      const body: unknown = JSON.parse(sent);
      const received = { path: request.url ?? "", headers: request.headers, body };
      receiver.tries.push(received);
      if (receiver.answer === "silence") return;
      if (receiver.answer < 300) receiver.taken.push(received);
      response.writeHead(receiver.answer).end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a server that listens on TCP has one
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}`,
    tries: [],
    taken: [],
    answer: 200,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return receiver;
}
