// Longer than 350 lines: every fact about HTTP on the real host, against one running host.
/** How the real host was seen to answer, HTTP and keys: one row for each fact (shared facts, "The real Functions host, observed"). */
import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Azurite, startAzurite } from "../kit/azurite.ts";
import { until } from "../kit/until.ts";
import { buildApp, type BuiltApp, type Kit, startKit, when } from "./kit.ts";

let azurite: Azurite;
let app: BuiltApp;
let kit: Kit;

beforeAll(async () => {
  [azurite, app] = await Promise.all([startAzurite(), buildApp("index")]);
  kit = await startKit(app, azurite, {
    hostKey: "host-key",
    masterKey: "master-key",
    systemKey: "system-key",
    functionKeys: { keyed: "keyed-key", otherKeyed: "other-key" },
  });
});

afterAll(async () => {
  await kit.host.stop();
  await Promise.all([azurite.stop(), app.remove()]);
});

interface Row {
  readonly fact: string;
  readonly path: string;
  readonly init?: RequestInit;
  readonly status: number;
  /** The whole text, or a part of the JSON. */
  readonly body?: string | object;
}

const EMPTY = "";
const key = (value: string): RequestInit => ({ headers: { "x-functions-key": value } });
const post = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  body: JSON.stringify(body),
  headers,
});

const ROUTES: readonly Row[] = [
  {
    fact: "a route that begins with admin is in error: 404",
    path: "/api/admin/pause",
    init: post({}),
    status: 404,
    body: EMPTY,
  },
  { fact: "so is one that begins with runtime", path: "/api/runtime/x", status: 404, body: EMPTY },
  { fact: "and one that only begins with those letters", path: "/api/administration", status: 404, body: EMPTY },
  { fact: "an unknown route is 404 and empty", path: "/api/nowhere", status: 404, body: EMPTY },
  { fact: "a path outside the prefix is 404", path: "/echo/1", status: 404, body: EMPTY },
  {
    fact: "a wrong method is 404, never 405",
    path: "/api/echo/1",
    init: { method: "DELETE" },
    status: 404,
    body: EMPTY,
  },
  { fact: "HEAD of a known route is 404", path: "/api/echo/1", init: { method: "HEAD" }, status: 404, body: EMPTY },
  {
    fact: "OPTIONS of a known route is 404",
    path: "/api/echo/1",
    init: { method: "OPTIONS" },
    status: 404,
    body: EMPTY,
  },
  { fact: "a handler that throws is 500 and empty", path: "/api/throws", status: 500, body: EMPTY },
  { fact: "a handler that returns nothing is 204", path: "/api/nothing", status: 204, body: EMPTY },
  { fact: "a function without a route has its name", path: "/api/noroute", status: 200, body: { name: "NoRoute" } },
  {
    fact: "routes match without regard to case",
    path: "/API/Jobs/7",
    status: 200,
    body: { name: "job", params: { id: "7" } },
  },
  { fact: "a parameter keeps its case", path: "/api/jobs/AbC", status: 200, body: { params: { id: "AbC" } } },
  {
    fact: "a literal beats a parameter",
    path: "/api/jobs/cancel",
    init: post({}),
    status: 200,
    body: { name: "cancel" },
  },
  { fact: "with another method the parameter has it", path: "/api/jobs/cancel", status: 200, body: { name: "job" } },
  { fact: "an optional parameter may be there", path: "/api/optional/1", status: 200, body: { params: { x: "1" } } },
  { fact: "an optional parameter may be absent", path: "/api/optional", status: 200, body: { params: {} } },
  { fact: "a slash at the end makes no difference", path: "/api/optional/", status: 200, body: { params: {} } },
  { fact: "a catch-all takes the rest", path: "/api/rest/a/b.txt", status: 200, body: { params: { path: "a/b.txt" } } },
  { fact: "a catch-all works with nothing after it", path: "/api/rest", status: 200, body: { params: {} } },
  { fact: "a route may look like a file", path: "/api/openapi.json", status: 200, body: { name: "openapi" } },
  {
    fact: "parameters are percent-decoded",
    path: "/api/jobs/a%20%C3%A9",
    status: 200,
    body: { params: { id: "a é" } },
  },
  { fact: "but %2F stays", path: "/api/jobs/a%2fb%20c", status: 200, body: { params: { id: "a%2fb c" } } },
  { fact: "a disabled function is 404", path: "/api/switchedOff", status: 404, body: EMPTY },
  {
    fact: "several values of one name are joined",
    path: "/api/echo/1?a=1&a=2",
    status: 200,
    body: { query: { a: "1,2" } },
  },
  {
    fact: "of two functions with one route and method the second is in error",
    path: "/api/jobs/cancel",
    init: post({}),
    status: 200,
    body: { name: "cancel" },
  },
  {
    fact: "x-forwarded headers have no effect on the URL",
    path: "/api/echo/1",
    init: { headers: { "x-forwarded-host": "evil", "x-forwarded-proto": "https" } },
    status: 200,
  },
];

const KEYS: readonly Row[] = [
  { fact: "anonymous needs no key", path: "/api/echo/1", status: 200 },
  { fact: "function level without a key is 401 and empty", path: "/api/keyed", status: 401, body: EMPTY },
  { fact: "with a wrong key too", path: "/api/keyed?code=wrong", status: 401, body: EMPTY },
  { fact: "the host key in the header", path: "/api/keyed", init: key("host-key"), status: 200 },
  { fact: "the host key as code", path: "/api/keyed?code=host-key", status: 200 },
  { fact: "the function's own key", path: "/api/keyed?code=keyed-key", status: 200 },
  { fact: "another function's key is 401", path: "/api/keyed?code=other-key", status: 401, body: EMPTY },
  { fact: "the master key opens every function", path: "/api/keyed", init: key("master-key"), status: 200 },
  {
    fact: "a wrong header is 401 even with a right code",
    path: "/api/keyed?code=host-key",
    init: key("wrong"),
    status: 401,
    body: EMPTY,
  },
  {
    fact: "an empty header is 401 even with a right code",
    path: "/api/keyed?code=host-key",
    init: key(""),
    status: 401,
    body: EMPTY,
  },
  {
    fact: "a right header is 200 even with a wrong code",
    path: "/api/keyed?code=wrong",
    init: key("host-key"),
    status: 200,
  },
  { fact: "the system key opens no function", path: "/api/keyed?code=system-key", status: 401, body: EMPTY },
  { fact: "admin level refuses the host key", path: "/api/keyed/admin?code=host-key", status: 401, body: EMPTY },
  { fact: "admin level takes the master key", path: "/api/keyed/admin?code=master-key", status: 200 },
  { fact: "ping needs no key", path: "/admin/host/ping", status: 200, body: EMPTY },
  {
    fact: "host status needs the master key",
    path: "/admin/host/status",
    init: key("host-key"),
    status: 401,
    body: EMPTY,
  },
  {
    fact: "host status with it",
    path: "/admin/host/status",
    init: key("master-key"),
    status: 200,
    body: { state: "Running" },
  },
  { fact: "the list of functions needs the master key", path: "/admin/functions", status: 401, body: EMPTY },
  { fact: "the list of functions with it", path: "/admin/functions?code=master-key", status: 200 },
  {
    fact: "one function's description",
    path: "/admin/functions/Keyed?code=master-key",
    status: 200,
    body: { name: "keyed", isDisabled: false },
  },
  {
    fact: "a function's errors",
    path: "/admin/functions/missingName/status?code=master-key",
    status: 200,
    body: { errors: ["'%NOT_SET%' does not resolve to a value."] },
  },
  { fact: "an unknown admin route is 404", path: "/admin/elsewhere?code=master-key", status: 404, body: EMPTY },
  {
    fact: "running a function needs the master key",
    path: "/admin/functions/seen",
    init: post({ input: "by hand" }),
    status: 401,
    body: EMPTY,
  },
  {
    fact: "running an unknown one is 404",
    path: "/admin/functions/nobody",
    init: post({ input: "" }, { "x-functions-key": "master-key" }),
    status: 404,
    body: EMPTY,
  },
];

const validation = [
  { eventType: "Microsoft.EventGrid.SubscriptionValidationEvent", data: { validationCode: "512d38b6" } },
];
const event = (type: string, data: object): RequestInit =>
  post([{ id: "1", eventType: "x", data }], { "aeg-event-type": type });
const HOOK = "/runtime/webhooks/EventGrid?functionName=events";

const EVENT_GRID: readonly Row[] = [
  { fact: "without the key it is 401", path: HOOK, init: event("Notification", {}), status: 401, body: EMPTY },
  {
    fact: "the host key is no system key",
    path: `${HOOK}&code=host-key`,
    init: event("Notification", {}),
    status: 401,
    body: EMPTY,
  },
  {
    fact: "a batch of events is 202",
    path: `${HOOK}&code=system-key`,
    init: event("Notification", { fail: false }),
    status: 202,
    body: EMPTY,
  },
  {
    fact: "names are compared without case",
    path: "/runtime/webhooks/eventgrid?functionName=EVENTS&code=system-key",
    init: event("Notification", {}),
    status: 202,
  },
  {
    fact: "one cloud event is 202",
    path: `${HOOK}&code=system-key`,
    init: post({ specversion: "1.0", id: "2", type: "x" }, { "content-type": "application/cloudevents+json" }),
    status: 202,
  },
  {
    fact: "a failing run is 500, so that it is sent again",
    path: `${HOOK}&code=system-key`,
    init: event("Notification", { fail: true }),
    status: 500,
    body: EMPTY,
  },
  {
    fact: "an unknown function is 404",
    path: "/runtime/webhooks/EventGrid?functionName=nobody&code=system-key",
    init: event("Notification", {}),
    status: 404,
    body: EMPTY,
  },
  {
    fact: "the validation handshake answers with the code",
    path: `${HOOK}&code=system-key`,
    init: post(validation, { "aeg-event-type": "SubscriptionValidation" }),
    status: 200,
    body: { validationResponse: "512d38b6" },
  },
  {
    fact: "a body that is no JSON is 400",
    path: `${HOOK}&code=system-key`,
    init: { method: "POST", body: "{", headers: { "aeg-event-type": "Notification" } },
    status: 400,
    body: EMPTY,
  },
  {
    fact: "the cloud events handshake allows the origin",
    path: `${HOOK}&code=system-key`,
    init: { method: "OPTIONS", headers: { "WebHook-Request-Origin": "eventemitter.example.com" } },
    status: 200,
    body: EMPTY,
  },
];

const titled = (rows: readonly Row[]): [string, Row][] => rows.map((row) => [row.fact, row]);

async function check(row: Row): Promise<void> {
  const reply = await kit.call(row.path, row.init);
  expect(reply.status).toBe(row.status);
  if (typeof row.body === "string") expect(reply.text).toBe(row.body);
  else if (row.body !== undefined) expect(JSON.parse(reply.text)).toMatchObject(row.body);
}

describe("routes and replies", () => {
  test.each(titled(ROUTES))("%s", (_, row) => check(row));
});

describe("keys and the host's own routes", () => {
  test.each(titled(KEYS))("%s", (_, row) => check(row));
});

describe("the Event Grid webhook", () => {
  test.each(titled(EVENT_GRID))("%s", (_, row) => check(row));

  test("hands each event of a batch to a run of its own", async () => {
    const batch = [{ id: "batch-1" }, { id: "batch-2" }];
    await kit.call(`${HOOK}&code=system-key`, post(batch, { "aeg-event-type": "Notification" }));
    expect(kit.runs("events").map((run) => run.event)).toEqual(expect.arrayContaining(batch));
  });

  test("says in the handshake which origin may send", async () => {
    const reply = await kit.call(`${HOOK}&code=system-key`, {
      method: "OPTIONS",
      headers: { "WebHook-Request-Origin": "eventemitter.example.com" },
    });
    expect(reply.headers.get("webhook-allowed-origin")).toBe("eventemitter.example.com");
  });
});

describe("requests and replies on the wire", () => {
  test("the request's URL has the scheme and host of the request itself", async () => {
    const text = await raw("/api/echo/1?q=%20x", { host: "proxy.example:8080" });
    expect(JSON.parse(text.body)).toMatchObject({
      url: "http://proxy.example:8080/api/echo/1?q=%20x",
      query: { q: " x" },
    });
  });

  test("a request line with the whole address is the call of its path", async () => {
    const { status, body } = await raw("http://proxy.example/api/echo/1?q=2", {});
    expect([status, JSON.parse(body)]).toMatchObject([200, { params: { id: "1" }, query: { q: "2" } }]);
  });

  test("a body over 100 MB is 500 and empty, and is not waited for", async () => {
    const reply = await raw("/api/huge", { "content-length": String(100 * 1024 * 1024 + 1) }, "POST");
    expect(reply).toEqual({ status: 500, body: "" });
  });

  test("a body of a megabyte arrives whole", async () => {
    const reply = await kit.call("/api/huge", { method: "POST", body: "x".repeat(1_000_000) });
    expect(reply.text).toBe("1000000");
  });

  test("a byte order mark is not part of the text, as in fetch", async () => {
    const reply = await kit.call("/api/echo/1", { method: "POST", body: "\uFEFFtext" });
    expect(JSON.parse(reply.text)).toMatchObject({ body: "text" });
  });

  test("cookies are set", async () => {
    const reply = await kit.call("/api/cookies");
    expect(reply.status).toBe(201);
    expect(reply.headers.get("set-cookie")).toBe("a=b%20c; Path=/; HttpOnly");
    expect(reply.headers.get("content-type")).toBe("text/plain;charset=UTF-8");
  });

  test("a run joins the caller's trace with a span of its own", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const reply = await kit.call("/api/seenBy", { headers: { traceparent } });
    const { trace } = JSON.parse(reply.text) as { trace: { traceParent: string } };
    expect(trace.traceParent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/);
    expect(trace.traceParent).not.toBe(traceparent);
  });

  test("nobody is signed in, whatever the headers say", async () => {
    const reply = await kit.call("/api/seenBy", { headers: { "x-ms-client-principal": "e30=" } });
    expect(JSON.parse(reply.text)).toMatchObject({ user: null });
  });
});

describe("runs by hand", () => {
  test("POST /admin/functions/NAME runs a queue function with the input as its message: 202", async () => {
    const reply = await kit.call(
      "/admin/functions/seen",
      post({ input: '{"by":"hand"}' }, { "x-functions-key": "master-key" }),
    );
    expect(reply.status).toBe(202);
    await until("the run by hand", () =>
      kit.runs("seen").find((run) => JSON.stringify(run.message) === '{"by":"hand"}'),
    );
  });

  test("and a timer function", async () => {
    const before = kit.runs("hourly").length;
    expect((await kit.call("/admin/functions/hourly", post({}, { "x-functions-key": "master-key" }))).status).toBe(202);
    await until("the timer's run", () => when(kit.runs("hourly").length > before, true));
  });
});

test("a run over functionTimeout is given up: 500, and the host goes on", async () => {
  const impatient = await startKit(app, azurite, { env: { AzureFunctionsJobHost__functionTimeout: "00:00:00.100" } });
  expect(await impatient.call("/api/hangs")).toMatchObject({ status: 500, text: "" });
  expect(impatient.log.some((line) => line.message.includes("exceeded by function: hangs"))).toBe(true);
  expect((await impatient.call("/api/openapi.json")).status).toBe(200);
  await impatient.host.stop();
});

describe("the log", () => {
  test("the levels of host.json hold for one function's own lines", async () => {
    await kit.call("/api/quiet");
    const lines = kit.log.filter((line) => line.category === "Function.quiet.User").map((line) => line.message);
    expect(lines).toEqual(["written"]);
  });

  test("every run has one line with its invocation id", async () => {
    await kit.call("/api/openapi.json");
    const line = kit.log.findLast((entry) => entry.category === "Function.openapi");
    expect(line?.message).toMatch(/^Executed 'Functions\.openapi' \(Succeeded, Id=[0-9a-f-]{36}, Duration=\d+ms\)$/);
  });

  test("a function in error is named at start, with its reason", () => {
    const line = kit.log.find((entry) => entry.message.includes("'missingConnection'"));
    expect(line?.level).toBe("error");
    expect(line?.message).toContain("'NoSuchStorage' does not exist");
  });
});

/** A request as it is written here, Host header included. */
function raw(path: string, headers: Record<string, string>, method = "GET"): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const call = httpRequest({ host: "127.0.0.1", port: kit.host.port, path, method, headers }, (reply) => {
      let body = "";
      reply.setEncoding("utf8");
      reply.on("data", (chunk: string) => (body += chunk));
      reply.on("end", () => {
        resolve({ status: reply.statusCode ?? 0, body });
        call.destroy();
      });
    });
    call.on("error", reject);
    if (headers["content-length"] === undefined) call.end();
    else call.flushHeaders();
  });
}
