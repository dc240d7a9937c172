import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Json, Scope } from "./expressions.ts";
import { webActivity, webHook } from "./pipeline.ts";
import { runWeb, type World } from "./web.ts";
import { runWebHook } from "./webhook.ts";

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

let server: Server;
let base: string;
let asked: Asked[];
let answers: ((response: ServerResponse, asked: Asked) => void)[];

beforeEach(async () => {
  asked = [];
  answers = [];
  server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      const one = { method: request.method ?? "", path: request.url ?? "", headers: request.headers, body };
      asked.push(one);
      (answers.shift() ?? ((last) => void last.writeHead(404).end()))(response, one);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  base = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const scope: Scope = { pipeline: {}, activity: () => ({}) };
const token = (audience: string): Promise<string> => Promise.resolve(`identity-of-the-factory-for-${audience}`);
const world: World = { resolve: (url) => url, token, pollMs: 1, retryMs: 1, rows: () => [] };
const reply =
  (status: number, body: string, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void =>
    void response.writeHead(status, headers).end(body);

function web(typeProperties: Readonly<Record<string, Json>>, policy: Readonly<Record<string, Json>> = {}) {
  const activity = {
    name: "Web",
    type: "WebActivity",
    policy,
    typeProperties: { method: "GET", url: `${base}/a`, ...typeProperties },
  };
  return runWeb(webActivity.parse(activity), scope, world);
}

describe("A Web activity", () => {
  test("polls the Location of a 202 by GET with its headers repeated, until the answer is something else", async () => {
    answers.push(
      reply(202, "{}", { location: `${base}/b` }),
      reply(202, "{}", { location: `${base}/c` }),
      reply(200, '{"state":"Succeeded"}'),
    );
    const outcome = await web({ method: "POST", headers: { "x-functions-key": "k" }, body: "name: x" });
    expect(outcome).toMatchObject({ status: "Succeeded", output: { state: "Succeeded" } });
    expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual(["POST /a", "GET /b", "GET /c"]);
    expect(asked.map(({ headers }) => headers["x-functions-key"])).toEqual(["k", "k", "k"]);
    expect(asked.map(({ body }) => body)).toEqual(["name: x", "", ""]);
  });

  test("with turnOffAsync takes a 202 as the end, and shows its headers", async () => {
    answers.push(reply(202, '{"id":"1"}', { location: `${base}/b` }));
    const outcome = await web({ turnOffAsync: true });
    expect(outcome).toMatchObject({ output: { id: "1", ADFWebActivityResponseHeaders: { location: `${base}/b` } } });
    expect(asked).toHaveLength(1);
  });

  test.each([
    [404, "{}", "404 {}"],
    [500, '{"message":"x Failed"}', '500 {"message":"x Failed"}'],
    [200, "[1]", "The response is no JSON object."],
    [200, "hello", "The response is no JSON object."],
    [200, JSON.stringify({ text: "x".repeat(4 * 1024 * 1024) }), "The response is larger than 4 MB."],
  ])("fails on an answer of %i with %.30s", async (status, body, message) => {
    answers.push(reply(status, body));
    expect(await web({})).toMatchObject({ status: "Failed", error: { message } });
  });

  test("fails when no answer comes within httpRequestTimeout, or no end within its timeout", async () => {
    answers.push(() => undefined);
    expect(await web({ httpRequestTimeout: "00:00:01" })).toMatchObject({ status: "Failed" });
    answers.push(...Array.from({ length: 2000 }, () => reply(202, "{}", { location: `${base}/b` })));
    expect(await web({}, { timeout: "0.00:00:01" })).toMatchObject({ error: { errorCode: "ActivityTimeout" } });
  });

  test("asks with the factory's identity where the activity says so", async () => {
    answers.push(reply(200, '{"value":"s"}'));
    await web({ authentication: { type: "MSI", resource: "https://vault.azure.net" } });
    expect(asked[0]?.headers.authorization).toBe("Bearer identity-of-the-factory-for-https://vault.azure.net");
  });
});

describe("A WebHook activity", () => {
  const run = (reportStatusOnCallBack: boolean, timeout = "00:01:00") => {
    const typeProperties = {
      method: "POST",
      url: `${base}/a`,
      headers: {},
      body: '{"name":"x"}',
      timeout,
      reportStatusOnCallBack,
    };
    return runWebHook(webHook.parse({ name: "Hook", type: "WebHook", typeProperties }), scope, world);
  };
  const callBack =
    (body: Json) =>
    (response: ServerResponse, { body: sent }: Asked) => {
      response.writeHead(200).end("{}");
      const parsed: unknown = JSON.parse(sent);
      const uri =
        typeof parsed === "object" && parsed !== null && "callBackUri" in parsed ? String(parsed.callBackUri) : "";
      void fetch(uri, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    };

  test("waits for its callBackUri, and takes the Output", async () => {
    answers.push(callBack({ Output: { exitCode: 0 }, StatusCode: "200" }));
    expect(await run(true)).toEqual({ status: "Succeeded", output: { exitCode: 0 } });
  });

  test("fails with the caller's words only when it reports the status", async () => {
    const body = { Output: {}, Error: { ErrorCode: "ExitCode1", Message: "x Failed" }, StatusCode: "500" };
    answers.push(callBack(body), callBack(body));
    expect(await run(true)).toEqual({ status: "Failed", error: { errorCode: "ExitCode1", message: "x Failed" } });
    expect(await run(false)).toMatchObject({ status: "Succeeded" });
  });

  test("fails when nobody calls back in time", async () => {
    answers.push(reply(200, "{}"));
    expect(await run(true, "00:00:01")).toMatchObject({ error: { errorCode: "ActivityTimeout" } });
  });
});
