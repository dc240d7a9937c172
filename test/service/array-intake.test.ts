import { hash } from "node:crypto";
import { HttpRequest, InvocationContext } from "@azure/functions";
import { expect, it } from "vitest";
import { Cursor } from "../../src/shared/definition/cursor.ts";
import { childJobId } from "../../src/shared/base/ids.ts";
import type { JsonObject, JsonValue } from "../../src/shared/base/json.ts";
import { definition } from "../../src/http/jobs/definition.ts";
import { openDefinition } from "../../src/shared/security/opened-definition.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { childrenOf, followAll } from "./arrays-kit.ts";
import {
  countedCalls,
  deliver,
  groupsOf,
  indexOf,
  jobOf,
  openBench,
  post,
  useAzurite,
  yaml,
  type Bench,
} from "./kit.ts";
import { jobId } from "../kit/kit.ts";
import { packYaml } from "./packs-kit.ts";
import { put } from "./templates-kit.ts";

useAzurite();

/** A definition with an item in three of its values. */
const resize = (name: string): string =>
  yaml(name, {
    output: "${item}",
    more: `
          - {name: FILE, value: "in/\${item}"}
          - {name: OUT, value: "\${index}-\${item}"}`,
  });

const envelope = (array: JsonValue, options: JsonObject = {}, text = resize("nightly")): string =>
  JSON.stringify({ version: 1, definition: text, options: { array, ...options } });

const simulated = [0, 1, 2].map((exit) => ({ seconds: 10, exit }));

const send = (bench: Bench, body: string, headers: Record<string, string> = {}) =>
  post(bench.deps, body, "polling=true", headers);

it("ten thousand items are accepted in four storage calls, and no row shows one of them", async () => {
  const bench = await openBench({}, countedCalls);
  const items = Array.from({ length: 10_000 }, (_, n) => hash("sha1", String(n)));
  const body = envelope(items);
  const before = bench.calls().length;
  const reply = await send(bench, body);
  expect(reply.status, reply.body.message).toBe(202);
  const calls = bench.calls().slice(before);
  expect(calls.map(({ service, method }) => `${service} ${method}`).sort()).toEqual([
    "blob PUT",
    "queue POST",
    "table POST",
    "table POST",
  ]);
  const job = await jobOf(bench.deps, reply.id);
  expect(job.array).toMatchObject({ size: 10_000, parallelism: 100, failFast: false, made: 0 });
  expect(JSON.stringify(job)).not.toContain(items[0]);
});

it("each child's containers have its item where the definition says, and its index, size and item as variables", async () => {
  const bench = await openBench();
  const { id } = await send(bench, envelope(["a.png", "${keyvault:job-b} ${item}"]));
  const bodies: unknown[] = [];
  await followAll(bench, () => {
    for (const group of groupsOf(bench)) bodies.push(group);
    return Promise.resolve(false);
  });
  expect((await jobOf(bench.deps, id)).phase.state).toBe("Succeeded");
  const children = await childrenOf(bench, id);
  expect(children.map(({ groupName, options }) => [groupName, options.array])).toEqual([
    ["nightly-0", undefined],
    ["nightly-1", undefined],
  ]);
  const { createdAt } = await jobOf(bench.deps, id);
  const stored = await bench.deps.jobs.find(childJobId(id, createdAt, 1));
  const opened = stored && (await openDefinition(bench.deps, stored));
  if (opened?.kind !== "open") throw new Error("The child's definition can't be opened.");
  const [container] = Cursor.over(opened.definition.body).get("properties").get("containers").items;
  const values = container
    ?.get("properties")
    .get("environmentVariables")
    .items.map((each) => each.get("value").value);
  expect(values?.slice(2)).toEqual([
    "${keyvault:job-b} ${item}",
    "in/${keyvault:job-b} ${item}",
    "1-${keyvault:job-b} ${item}",
  ]);
  expect(opened.definition.view.vaultReferences).toEqual([]);
  expect(opened.children).toEqual([{ index: 1, size: 2, item: "${keyvault:job-b} ${item}", isSecret: false }]);
});

it("bad input is a 400 with its index, and nothing is stored", async () => {
  const bench = await openBench();
  const long = "n".repeat(61);
  const bad: readonly [string, string][] = [
    [envelope(0), "array must be"],
    [envelope(10_001), "array must be"],
    [envelope(["a", 1]), "item 1 is a number"],
    [
      envelope([{ a: 1 }, {}], {}, resize("nightly").replace("in/${item}", "${item.a}")),
      "Index 1: The item has no member a",
    ],
    [
      envelope(
        Array.from({ length: 11 }, () => "a"),
        {},
        resize(long),
      ),
      "Index 10: the group's name",
    ],
    [envelope(["a"], {}, resize("nightly-${index}")), "NAME-INDEX"],
  ];
  for (const [body, message] of bad) {
    const reply = await send(bench, body);
    expect([reply.status, reply.body.message]).toEqual([400, expect.stringContaining(message)]);
  }
  expect(await indexOf(bench)).toEqual(["index"]);
});

it("an array can't be called as a child of another one that is active", async () => {
  const bench = await openBench();
  const { id } = await send(bench, envelope(6, {}, yaml("nightly")));
  const named = (name: string) => send(bench, envelope(2, {}, yaml(name)));
  expect(await named("nightly-5")).toMatchObject({
    status: 400,
    body: { message: expect.stringContaining("index 5") as unknown, errors: [{ path: "name" }] },
  });
  expect((await named("nightly-6")).status).toBe(202);
  expect((await named("other-5")).status).toBe(202);
  const packs = JSON.stringify({ version: 1, definition: packYaml("packed"), options: { array: simulated, pack: 2 } });
  expect((await send(bench, packs)).status).toBe(202);
  expect((await named("packed-1")).status).toBe(202);
  await bench.deps.jobs.change(id, (job) => ({
    job: { ...job, cancel: { at: bench.clock.now(), reason: "CanceledByCaller" } },
  }));
  await reconcile(bench.deps, id, { at: undefined });
  await reconcile(bench.deps, id, { at: undefined });
  expect((await named("nightly-5")).status).toBe(202);
});

it("an array that was there before another one that has children of its name is found by its key and its id", async () => {
  const bench = await openBench();
  const poster = "0198f000-0000-4000-8000-000000000001";
  const key = { "idempotency-key": "night" };
  const earlier = JSON.stringify({ version: 1, id: poster, definition: yaml("nightly-2"), options: { array: 2 } });
  const { id } = await send(bench, envelope(2, {}, yaml("nightly-1")), key);
  await send(bench, earlier);
  expect((await send(bench, envelope(3, {}, yaml("nightly")))).status).toBe(202);
  const again = [await send(bench, envelope(2, {}, yaml("nightly-1")), key), await send(bench, earlier)];
  expect(again).toMatchObject([
    { status: 202, id, body: { attached: true } },
    { status: 202, id: poster, body: { attached: true } },
  ]);
});

it("the same key with the same items is the same array, and with other items a 422 that names the first", async () => {
  const bench = await openBench();
  const key = { "idempotency-key": "night" };
  const first = await send(bench, envelope([{ a: "x" }, { a: "y" }]), key);
  const again = await send(bench, envelope([{ a: "x" }, { a: "y" }]), key);
  expect([again.status, again.id, again.body["attached"]]).toEqual([202, first.id, true]);
  const other = await send(bench, envelope([{ a: "x" }, { a: "z" }]), key);
  expect([other.status, other.body["path"]]).toEqual([422, "array[1].a"]);
  expect((await send(bench, envelope(3, {}, yaml("nightly")), key)).body["path"]).toBe("array");
  expect((await send(bench, yaml("nightly"), key)).body["path"]).toBe("array");
});

it("an array neither takes a slot of its group nor counts as an active job, where its children do", async () => {
  const bench = await openBench({ MAX_ACTIVE_JOBS: "1" });
  const { id } = await send(bench, envelope(2, { group: "g", groupLimit: 1 }, yaml("nightly")));
  await followAll(bench);
  expect((await jobOf(bench.deps, id)).phase.state).toBe("Succeeded");
});

it("a message brings an array as a POST does, and one that is faulty leaves a row that says why", async () => {
  const bench = await openBench();
  const [good, bad] = [jobId(1), jobId(2)];
  await deliver(bench.deps, { version: 1, id: good, definition: resize("posted"), options: { array: ["a", "b"] } });
  await deliver(bench.deps, { version: 1, id: bad, definition: resize("posted"), options: { array: ["a", null] } });
  expect((await jobOf(bench.deps, good)).array?.size).toBe(2);
  expect((await jobOf(bench.deps, bad)).phase).toMatchObject({
    state: "Failed",
    verdict: { reason: "InvalidOptions", detail: expect.stringContaining("item 1 is null") as unknown },
  });
});

it("the definition of an array is shown as it was written, a child's with its item, and secrets of neither", async () => {
  const bench = await openBench();
  const text = resize("nightly").replace('value: "in/${item}"', 'secureValue: "in/${item}"');
  const { id } = await send(bench, envelope(["a-secret-file"], {}, text));
  await reconcile(bench.deps, id, { at: undefined });
  const shown = async (of: string): Promise<string> => {
    const request = new HttpRequest({ method: "GET", url: "http://localhost/api/jobs", params: { id: of } });
    return JSON.stringify(await definition(bench.deps)(request, new InvocationContext()));
  };
  const [array, child] = [await shown(id), await shown(childJobId(id, (await jobOf(bench.deps, id)).createdAt, 0))];
  expect(array).toContain("${index}-${item}");
  expect(array).not.toContain("a-secret-file");
  expect(array).not.toContain("in/");
  expect(child).toContain("0-");
  expect(child).not.toContain("in/");
});

it("a stored template's author writes the gaps, and its caller the items, in which nothing is one", async () => {
  const bench = await openBench();
  const written = `x-aciproxy-parameters: {folder: {}}\n${resize("nightly")}`
    .replace("in/${item}", "${param:folder}/${item}")
    .replace("team/app:1", "team/${item}:1");
  expect((await put(bench, "resize", written)).status).toBe(200);
  const array = ["a", "${index}"];
  const body = JSON.stringify({ parameters: { folder: "${item}" }, options: { array } });
  const run = (of: string) => post(bench.deps, of, "template=resize&polling=true");
  const refused = await run(body);
  expect([refused.status, refused.body.message]).toEqual([
    400,
    expect.stringContaining("Index 1: A template placeholder"),
  ]);
  const { id } = await run(body.replace("${index}", "b"));
  await followAll(bench);
  const { createdAt, phase } = await jobOf(bench.deps, id);
  expect(phase.state).toBe("Succeeded");
  const stored = await bench.deps.jobs.find(childJobId(id, createdAt, 1));
  const opened = stored && (await openDefinition(bench.deps, stored));
  expect(JSON.stringify(opened)).toContain('{"name":"FILE","value":"${item}/b"}');
});
