import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { servePart } from "../local/part.ts";
import { floorCalls, floorShape } from "./floor-calls.ts";

/** What the app is measured against: a bare `node:http` server. `POST /api/trigger` accepts, `GET /api/status/{id}` reads. */
await servePart(async (options) => {
  const { accept, read, answer } = await floorCalls(floorShape.parse(options));
  const server = createServer((request, response) => {
    const work = request.method === "POST" ? drained(request).then(accept) : read();
    work.then(
      () =>
        response.writeHead(request.method === "POST" ? 200 : 202, { "content-type": "application/json" }).end(answer),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // it listens on a TCP port
  return {
    url: `http://localhost:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
});

async function drained(request: IncomingMessage): Promise<void> {
  for await (const _ of request);
}
