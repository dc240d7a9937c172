import { afterAll, beforeAll, expect, test } from "vitest";
import { calls } from "../../../src/http/openapi/calls.ts";
import { definition } from "../simulated.ts";
import { hostKey, startService, until, type Service } from "./kit.ts";

const readKey = "a-key-that-only-reads";
let service: Service;
beforeAll(async () => (service = await startService({ READ_KEY: readKey })), 120_000);
afterAll(() => service.stop());

test("polling=link: the Location needs no key, and shows this job to its end", async () => {
  const accepted = await service.call(
    "POST",
    "/api/trigger?polling=link",
    definition("linked", { app: { seconds: 1 } }),
  );
  expect(accepted.status).toBe(202);
  const location = accepted.headers.get("location") ?? "";
  expect(location).toMatch(/^http:\/\/localhost:7071\/api\/link\/[\w-]{72}\?poll=1$/);
  expect(location).not.toContain(hostKey);
  const first = await service.call("GET", location, undefined, {});
  expect(first.status).toBe(202);
  expect(first.headers.get("location")).toBe(location);
  const last = await until("the job's end", async () => {
    const reply = await service.call("GET", location, undefined, {});
    return reply.status === 202 ? undefined : reply;
  });
  expect(last).toMatchObject({ status: 200, body: { id: accepted.body["id"], state: "Succeeded" } });
});

test("a link opens nothing else: another job, another route, or after a change of one letter", async () => {
  const accepted = await service.call(
    "POST",
    "/api/trigger?polling=link",
    definition("sealed", { app: { seconds: 60 } }),
  );
  const id = String(accepted.body["id"]);
  const token = /link\/([\w-]+)/.exec(accepted.headers.get("location") ?? "")?.[1] ?? "";
  const forged = token.slice(0, 40) + (token[40] === "A" ? "B" : "A") + token.slice(41);
  for (const path of [
    `/api/link/${forged}`,
    "/api/link/x",
    `/api/link/${token}x`,
    `/api/link/${encodeURIComponent("../jobs")}`,
  ])
    expect(await service.call("GET", path, undefined, {})).toMatchObject({ status: 404 });
  for (const path of [`/api/status/${id}`, `/api/status/${id}?code=${token}`, `/api/logs/${id}`, "/api/jobs"])
    expect(await service.call("GET", path, undefined, {})).toMatchObject({ status: 401, text: "" });
  expect(await service.call("DELETE", `/api/link/${token}`, undefined, {})).toMatchObject({ status: 404 });
  for (const path of [`/api/result/${token}`, "/api/result/x"])
    expect(await service.call("PUT", path, "{}", {})).toMatchObject({ status: 404, body: { code: "JobNotFound" } });
  await service.call("DELETE", `/api/delete/${id}`);
});

test("READ_KEY opens the reading routes, whose replies lead to reading routes", async () => {
  const accepted = await service.call("POST", "/api/trigger", definition("read", { app: { seconds: 60 } }));
  const id = String(accepted.body["id"]);
  const key = { "x-functions-key": readKey };
  const status = await service.call("GET", `/api/read/status/${id}`, undefined, key);
  expect(status.status).toBe(202);
  expect(status.headers.get("location")).toBe(`http://localhost:7071/api/read/status/${id}?poll=1`);
  expect(status.body["logsUrl"]).toBe(`http://localhost:7071/api/read/logs/${id}`);
  for (const path of [
    "caller",
    "jobs",
    `jobs/${id}`,
    `jobs/${id}/definition`,
    `logs/${id}`,
    `status/${id}`,
    "health/details",
  ]) {
    expect((await service.call("GET", `/api/read/${path}?code=${readKey}`, undefined, {})).status).not.toBe(401);
    expect(await service.call("GET", `/api/read/${path}`, undefined, {})).toMatchObject({ status: 401, text: "" });
    expect(await service.call("GET", `/api/read/${path}`, undefined, { "x-functions-key": hostKey })).toMatchObject({
      status: 401,
    });
  }
  expect((await service.call("GET", "/api/read/caller", undefined, key)).body).toEqual({ may: ["read"] });
  expect((await service.call("GET", "/api/caller")).body).toEqual({
    may: ["read", "submit", "cancel", "steer", "operate"],
  });
  await service.call("DELETE", `/api/delete/${id}`);
});

const described = calls().filter(({ id }) => id !== "dashboard");

test.each(described)("$method $path refuses a parameter that it does not know, by its name", async (call) => {
  const path = call.path.replaceAll(/\{\w+\}/g, "some");
  const key = { "x-functions-key": path.startsWith("/api/read/") ? readKey : hostKey };
  const body = call.method === "post" ? "{}" : undefined;
  const refused = await service.call(call.method.toUpperCase(), `${path}?colour=red`, body, key);
  expect(refused.status).toBe(400);
  expect(refused.body["errors"]).toContainEqual(expect.objectContaining({ path: "colour" }));
  expect(refused.text).not.toContain("red");
});

test("READ_KEY opens nothing else", async () => {
  const key = { "x-functions-key": readKey };
  for (const [method, path] of [
    ["POST", "/api/trigger"],
    ["DELETE", "/api/delete/read"],
    ["POST", "/api/jobs/cancel"],
    ["POST", "/api/pause"],
    ["POST", "/api/poison/drop"],
    ["GET", "/api/status/read"],
    ["GET", "/admin/functions"],
  ] as const)
    expect(await service.call(method, path, method === "POST" ? "{}" : undefined, key)).toMatchObject({ status: 401 });
  for (const path of ["/api/read/trigger", "/api/read/delete/read", "/api/read/pause"])
    expect(await service.call("POST", path, "{}", key)).toMatchObject({ status: 404 });
});

test.each(["%27%20or%201%20eq%201", "..%2f..%2fadmin", "x'; drop", "%00", "name%0d%0aset-cookie:x", "a".repeat(300)])(
  "an id or name is never a path, a filter or a header: %s",
  async (name) => {
    for (const path of [`/api/status/${name}`, `/api/logs/${name}`, `/api/delete/${name}`, `/api/logs/read/${name}`]) {
      const reply = await service.call(path.includes("delete") ? "DELETE" : "GET", path);
      expect(reply.status).toBe(404);
      expect(reply.headers.get("set-cookie")).toBeNull();
    }
    const { status, body } = await service.call("GET", `/api/jobs?name=${name}&runId=${name}&tag=${name}`);
    expect(status).toBe(200);
    expect(body["jobs"]).toEqual([]);
    expect(await service.call("GET", `/api/jobs?reason=${name}`)).toMatchObject({ status: 400 });
  },
);

test("a request's own host and scheme never reach the Location", async () => {
  const headers = { "x-functions-key": hostKey, "x-forwarded-host": "evil.example", "x-forwarded-proto": "ftp" };
  const reply = await service.call(
    "POST",
    "/api/trigger?polling=true",
    definition("host-header", { app: { seconds: 0 } }),
    headers,
  );
  expect(reply.headers.get("location")).toMatch(/^http:\/\/localhost:7071\/api\/status\//);
});
