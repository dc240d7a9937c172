/** An app with `enableHttpStream`: replies that stream do, all others go the short way. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningHost, startHost } from "../../../local/host/host.ts";
import { buildApp, type BuiltApp, until } from "./kit.ts";

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
