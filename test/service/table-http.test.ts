import { createHttpHeaders, createPipelineRequest } from "@azure/core-rest-pipeline";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { buffer } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { connectStorage } from "../../src/shared/store/connect.ts";
import { tableHttp } from "../../src/shared/store/table-http.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("not listening");
  return `http://127.0.0.1:${address.port}`;
}

const asking = (url: string, more: object = {}) =>
  createPipelineRequest({ url, allowInsecureConnection: true, ...more });

describe("what is sent for the tables' client", () => {
  it("arrives with its method, path, headers and body, and the answer comes back, whatever its status", async () => {
    const url = await serve((request, response) => {
      void buffer(request).then((body) => {
        response.writeHead(412, { etag: "W/x", "content-type": "text/plain" });
        response.end(`${request.method} ${request.url} ${request.headers["if-match"]} ${body.toString()}`);
      });
    });
    const answer = await tableHttp(15_000).sendRequest(
      asking(`${url}/a/jobs(x='ä')?$select=b`, {
        method: "PUT",
        headers: createHttpHeaders({ "If-Match": "*" }),
        body: "grün",
      }),
    );
    expect(answer).toMatchObject({ status: 412, bodyAsText: "PUT /a/jobs(x='%C3%A4')?$select=b * grün" });
    expect(answer.headers.get("ETag")).toBe("W/x");
  });

  it("is given up when no answer comes", async () => {
    const url = await serve(() => undefined);
    await expect(tableHttp(50).sendRequest(asking(url))).rejects.toMatchObject({ code: "UND_ERR_HEADERS_TIMEOUT" });
  });

  it("opens at most 64 connections, on which the others wait their turn", async () => {
    const url = await serve((_, response) => response.end("done"));
    let opened = 0;
    servers.at(-1)?.on("connection", () => opened++);
    const client = tableHttp(15_000);
    const answers = await Promise.all(Array.from({ length: 200 }, () => client.sendRequest(asking(url))));
    expect(new Set(answers.map(({ bodyAsText }) => bodyAsText))).toEqual(new Set(["done"]));
    expect(opened).toBe(64);
  });

  it("goes by the SDK's own client where a proxy or a signal has its say, and is given up as soon", async () => {
    const url = await serve(() => undefined);
    const { signal } = new AbortController();
    await expect(tableHttp(50).sendRequest(asking(url, { abortSignal: signal }))).rejects.toMatchObject({
      name: "AbortError",
    });
  });

  it("is never sent in the clear unless that was asked for", async () => {
    const url = await serve((_, response) => response.end());
    await expect(tableHttp(15_000).sendRequest(createPipelineRequest({ url }))).rejects.toThrow(
      "allowInsecureConnection",
    );
  });

  it.each([
    ["closed", "ECONNRESET", 3],
    ["refused", "ECONNREFUSED", 0],
  ])("is tried again, twice, when the connection is %s", async (how, code, tries) => {
    let seen = 0;
    const url = await serve((request) => {
      seen++;
      request.socket.destroy();
    });
    if (how === "refused") servers.splice(0).forEach((server) => server.close());
    const account = "AccountName=a;AccountKey=a2V5";
    const value = `DefaultEndpointsProtocol=http;${account};TableEndpoint=${url}/a;QueueEndpoint=${url}/a;BlobEndpoint=${url}/a`;
    const jobs = connectStorage({ kind: "connectionString", setting: "AzureWebJobsStorage", value }).table("jobs");
    await expect(jobs.getEntity("p", "r")).rejects.toMatchObject({ code });
    expect(seen).toBe(tries);
  });
});
