/** An app with `enableHttpStream`: replies that stream do, all others go the short way. */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { discardBody } from "../../local/host/body.ts";
import { type RunningHost, startHost } from "../../local/host/host.ts";
import { until } from "../kit/until.ts";
import { buildApp, type BuiltApp } from "./kit.ts";

let app: BuiltApp;
let host: RunningHost;

beforeAll(async () => {
  app = await buildApp("streaming");
  host = await startHost({ appFolder: app.folder, port: 0 }, { write: () => undefined, close: () => undefined });
});

afterAll(async () => {
  await host.stop();
  await app.remove();
});

test("a chunk reaches the caller before the next one is made", async () => {
  const reply = await fetch(`${host.url}/api/stream/a%20name`);
  expect(reply.headers.get("x-name")).toBe("a name");
  const reader = reply.body?.pipeThrough(new TextDecoderStream()).getReader();
  expect((await reader?.read())?.value).toBe("first\n");
  const go = await until("the run that waits", () => globalThis.fixtureGates?.get("chunk"));
  go();
  expect((await reader?.read())?.value).toBe("second\n");
  expect((await reader?.read())?.done).toBe(true);
});

test("a whole reply has its length, and values of one query name stay apart", async () => {
  const reply = await fetch(`${host.url}/api/whole?a=1&a=2`, { method: "POST", body: "posted" });
  expect(reply.headers.get("content-length")).not.toBeNull();
  expect(await reply.json()).toEqual({ text: "posted", query: ["1", "2"], url: `${host.url}/api/whole?a=1&a=2` });
});

test("a body can be read as it comes", async () => {
  const reply = await fetch(`${host.url}/api/counted`, { method: "POST", body: "x".repeat(200_000) });
  expect(await reply.text()).toBe("200000");
});

test("a handler that throws is 500 and empty, one that returns nothing 204", async () => {
  const broken = await fetch(`${host.url}/api/broken`);
  expect([broken.status, await broken.text()]).toEqual([500, ""]);
  expect((await fetch(`${host.url}/api/nothing`)).status).toBe(204);
});

const BODY = "x".repeat(5_000_000);

describe.each([
  { encoding: "chunked", header: "transfer-encoding: chunked", body: `4c4b40\r\n${BODY}\r\n0\r\n\r\n` },
  { encoding: "of known length", header: "content-length: 5000000", body: BODY },
])("an answer before the whole body was read ($encoding)", ({ header, body }) => {
  test.each([
    { handler: "stops reading", path: "/api/stops", status: 413 },
    { handler: "holds on to what it read of", path: "/api/refuses", status: 413 },
    { handler: "never sees", path: "/api/nowhere", status: 404 },
  ])("of a request that the handler $handler leaves the connection to the next request", async ({ path, status }) => {
    const socket = connect(host.port, "127.0.0.1");
    let text = "";
    socket.setEncoding("utf8").on("data", (part: string) => (text += part));
    const statuses = () => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, number]) => Number(number));
    socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\n${header}\r\n\r\n${body}`);
    await until("the early answer", () => statuses()[0]);
    socket.write("GET /api/nowhere HTTP/1.1\r\nhost: x\r\n\r\n");
    await until("the next answer", () => statuses()[1]);
    expect(statuses()).toEqual([status, 404]);
    socket.destroy();
  });
});

test("a caller that goes on sending what nobody wants is cut off after a while", { timeout: 15_000 }, async () => {
  const socket = connect(host.port, "127.0.0.1");
  socket.resume();
  socket.write("POST /api/stops HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\nbegun");
  await once(socket, "close");
});

test("a caller whose body comes whole after its answer is not cut off, nor is the next request on that connection", async () => {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    response.once("finish", () => discardBody(request)).writeHead(413, { "content-length": 0 });
    response.end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = z.object({ port: z.number() }).parse(server.address());
  const body = Buffer.alloc(1024 * 1024);
  const { status } = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body });
  expect(status).toBe(413);
  await until("the end of the body", () => requests[0]?.readableEnded === true || undefined);
  server.close();
  server.closeAllConnections();
});
