import { describe, expect, it } from "vitest";
import { day, hour, minute } from "../../src/shared/base/duration.ts";
import { deriveJobId, parseJobId, type JobId } from "../../src/shared/base/ids.ts";
import { definition } from "../../src/http/jobs/definition.ts";
import { rerun } from "../../src/http/operate/rerun.ts";
import { listPoison, takePoison } from "../../src/http/operate/poison.ts";
import type { Deps } from "../../src/shared/deps.ts";
import { cancel } from "../../src/shared/intake/cancel.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { start } from "../kit/kit.ts";
import type { Gate, ProxiedCall } from "../kit/proxy.ts";
import {
  countedCalls,
  ask,
  countersOf,
  deliver,
  follow,
  get,
  jobOf,
  openBench,
  useAzurite,
  yaml,
  type Bench,
} from "./kit.ts";

useAzurite();

const poison = "aci-jobs-poison";
const everyJob = { states: undefined, name: undefined, columns: {}, since: undefined, until: undefined };

/** The texts that were sent to a queue, hidden or not, as the service got them. */
function sentTo(bench: Bench, queue = "aci-jobs"): string[] {
  return bench
    .calls()
    .filter(({ service, method, url }) => {
      return service === "queue" && method === "POST" && url.pathname.endsWith(`/${queue}/messages`);
    })
    .map(({ body }) => /<MessageText>([\s\S]*)<\/MessageText>/.exec(body)?.[1] ?? "")
    .map((xml) =>
      xml.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&"),
    );
}

function lastSent(bench: Bench, queue?: string): string {
  const text = sentTo(bench, queue).at(-1);
  if (text === undefined) throw new Error("nothing was sent");
  return text;
}

/** As the host hands a message over: JSON is parsed. */
const asHanded = (text: string): unknown => (text.startsWith("{") ? JSON.parse(text) : text);

let deliveries = 0;
/** A message that was sent again is another one to the queue. */
const redeliver = (deps: Deps, text: string, dequeueCount = 1): Promise<void> =>
  deliver(deps, asHanded(text), {
    id: `resent-${++deliveries}`,
    dequeueCount,
    insertedAt: start + deliveries * minute,
  });

const isTable = ({ service }: ProxiedCall): boolean => service === "table";
const idOf = (messageId: string): JobId => deriveJobId(start, messageId);
const names = async ({ deps }: Bench): Promise<unknown[]> =>
  (await deps.jobs.list(everyJob, 50, undefined)).rows.map(({ name }) => name);

/** An instance that was started while the sealing key can't be reached. */
const withoutKey = (bench: Bench): Promise<Deps> => bench.again({ SEAL_KEY_FILE: "/dev/null/seal.key" });

async function blobs({ storage }: Bench, prefix: string): Promise<{ name: string; bytes: Buffer }[]> {
  const container = storage.blobs.getContainerClient("aci-sealed");
  const found: { name: string; bytes: Buffer }[] = [];
  for await (const { name } of container.listBlobsFlat({ prefix }))
    found.push({ name, bytes: await container.getBlobClient(name).downloadToBuffer() });
  return found;
}

describe("while the tables can't be reached", () => {
  it("a message is sent again before the host would give it up, and both it and the new one are one job", async () => {
    const gate: Gate = {};
    const bench = await openBench({}, gate);
    gate.before = (call) => (isTable(call) ? "cut" : "pass");
    for (const dequeueCount of [1, 2, 3])
      await expect(deliver(bench.deps, yaml("posted"), { dequeueCount })).rejects.toThrow();
    expect(sentTo(bench)).toEqual([]);
    await deliver(bench.deps, yaml("posted"), { dequeueCount: 4 });
    delete gate.before;
    const again = lastSent(bench);
    await redeliver(bench.deps, again);
    await deliver(bench.deps, yaml("posted"), { dequeueCount: 5 });
    await redeliver(bench.deps, again);
    expect(await names(bench)).toEqual(["posted"]);
    const job = await follow(bench, idOf("message-1"));
    expect(job).toMatchObject({ createdAt: start, messageId: "message-1", phase: { state: "Succeeded" } });
    expect(countersOf(bench).calls["put"]).toBe(1);
  });

  it("for however long, every later try is sent again too, and no delivery is the last", async () => {
    const gate: Gate = {};
    const bench = await openBench({}, gate);
    gate.before = (call) => (isTable(call) ? "cut" : "pass");
    await deliver(bench.deps, yaml("posted"), { dequeueCount: 4 });
    for (let n = 0; n < 5; n++) await redeliver(bench.deps, lastSent(bench), 4);
    expect(sentTo(bench, poison)).toEqual([]);
    delete gate.before;
    await redeliver(bench.deps, lastSent(bench));
    expect((await follow(bench, idOf("message-1"))).phase.state).toBe("Succeeded");
    expect((await bench.deps.held.summary(bench.clock.now())).count).toBe(0);
  });
});

describe("while the sealing key can't be reached", () => {
  it("a message is a row at once that says so, and is sent again as often as it comes", async () => {
    const bench = await openBench({}, countedCalls);
    const away = await withoutKey(bench);
    await deliver(away, yaml("posted"));
    expect((await get(bench.deps, "posted")).body).toMatchObject({ state: "Queued", reason: "SealKeyUnavailable" });
    for (let n = 0; n < 15; n++) await redeliver(away, lastSent(bench), n + 1 < 8 ? n + 1 : 1);
    expect(sentTo(bench, poison)).toEqual([]);
    expect(await bench.deps.held.summary(bench.clock.now())).toMatchObject({
      count: 1,
      reasons: { SealKeyUnavailable: 1 },
    });
    const params = { id: idOf("message-1") };
    for (const asked of [ask(rerun(bench.deps), { params, text: "" }), ask(definition(bench.deps), { params })])
      expect(await asked).toMatchObject({ status: 503, body: { code: "SealKeyUnavailable" } });
    await redeliver(bench.deps, lastSent(bench));
    await deliver(bench.deps, yaml("posted"), { dequeueCount: 2 });
    expect(await names(bench)).toEqual(["posted"]);
    expect((await follow(bench, idOf("message-1"))).phase.state).toBe("Succeeded");
    expect((await bench.deps.held.summary(bench.clock.now())).count).toBe(0);
  });

  it("its job's clock runs, and a cancel reaches it", async () => {
    const bench = await openBench({}, countedCalls);
    const away = await withoutKey(bench);
    const posted = (name: string, queueTimeout?: string) => ({
      version: 1,
      definition: yaml(name),
      options: queueTimeout === undefined ? {} : { queueTimeout },
    });
    await deliver(away, posted("late", "PT10M"), { id: "late" });
    const late = lastSent(bench);
    await deliver(away, posted("unwanted"), { id: "unwanted" });
    await cancel(bench.deps, idOf("unwanted"), undefined);
    bench.clock.advance(11 * minute);
    for (const id of ["late", "unwanted"]) await reconcile(bench.deps, idOf(id), { at: undefined });
    expect((await jobOf(bench.deps, idOf("late"))).phase).toMatchObject({ state: "TimedOut" });
    expect((await jobOf(bench.deps, idOf("unwanted"))).phase).toMatchObject({ state: "Canceled" });
    const sent = sentTo(bench).length;
    await redeliver(bench.deps, late);
    expect((await jobOf(bench.deps, idOf("late"))).phase.state).toBe("TimedOut");
    // Its message has nothing to bring any more, and is not sent again.
    expect(sentTo(bench)).toHaveLength(sent);
    expect(await ask(rerun(bench.deps), { params: { id: idOf("late") }, text: "" })).toMatchObject({ status: 409 });
    expect(await ask(definition(bench.deps), { params: { id: idOf("late") } })).toMatchObject({ status: 404 });
    expect((await bench.deps.held.summary(bench.clock.now())).reasons).toEqual({ SealKeyUnavailable: 1 });
    expect(countersOf(bench).calls["put"]).toBeUndefined();
  });

  it("another message under a poster's id does not bring the definition of the first", async () => {
    const bench = await openBench({}, countedCalls);
    const away = await withoutKey(bench);
    const id = parseJobId("6f9619ff-8b86-4011-b42d-00c04fc96601");
    if (id === undefined) throw new Error("no id");
    const message = (exitCode: number) => ({ version: 1, id, definition: yaml("posted", { exitCode }) });
    await deliver(away, message(0), { id: "one" });
    const first = lastSent(bench);
    await deliver(bench.deps, message(7), { id: "two", insertedAt: start + minute });
    expect((await jobOf(bench.deps, id)).awaitsDefinition).toBe(true);
    await redeliver(bench.deps, first);
    expect((await follow(bench, id)).phase).toMatchObject({ state: "Succeeded" });
  });

  it("a poster's blob is read once: its text travels with the message", async () => {
    const bench = await openBench({}, countedCalls);
    const away = await withoutKey(bench);
    const blob = bench.storage.blobs.getContainerClient("aci-definitions").getBlockBlobClient("a.yaml");
    await blob.upload(yaml("blobbed"), yaml("blobbed").length);
    await deliver(away, { version: 1, definitionBlob: "aci-definitions/a.yaml" });
    await blob.delete();
    await redeliver(away, lastSent(bench));
    await redeliver(bench.deps, lastSent(bench));
    expect((await follow(bench, idOf("message-1"))).phase.state).toBe("Succeeded");
  });
});

describe("a message of 64,000 bytes of line breaks and quotes", () => {
  const filled = (name: string): string => {
    const text = `${yaml(name)}\n`;
    return text + '#"\n'.repeat(Math.floor((64_000 - text.length) / 3));
  };

  it.each(["with the key", "without the key"])("is sent again %s, sealed, and is the same job", async (which) => {
    const gate: Gate = {};
    const bench = await openBench({}, gate);
    const deps = which === "with the key" ? bench.deps : await withoutKey(bench);
    const text = filled("odd");
    gate.before = (call) => (isTable(call) ? "cut" : "pass");
    await deliver(deps, text, { dequeueCount: 4 });
    delete gate.before;
    const again = lastSent(bench);
    expect(Buffer.byteLength(again)).toBeLessThan(1000);
    const [parcel] = await blobs(bench, "messages/");
    expect(parcel?.bytes.includes("registry.example")).toBe(false);
    await redeliver(bench.deps, again);
    await redeliver(bench.deps, again);
    expect(await names(bench)).toEqual(["odd"]);
    expect((await follow(bench, idOf("message-1"))).phase.state).toBe("Succeeded");
    expect((await blobs(bench, "messages/")).map(({ bytes }) => bytes.length)).toEqual([0]);
  });
});

describe("what claims to have been sent again", () => {
  it("is not trusted once a word of it was changed: it is what it is without that member", async () => {
    const bench = await openBench({}, countedCalls);
    await deliver(bench.deps, { version: 2, shape: "unknown" });
    const wire = JSON.parse(lastSent(bench)) as { version: 1; resent: Record<string, unknown> };
    const forged = { ...wire, resent: { ...wire.resent, text: yaml("forged") } };
    await deliver(bench.deps, forged, { id: "forged" });
    expect((await jobOf(bench.deps, idOf("forged"))).phase).toMatchObject({ state: "Failed" });
    expect((await get(bench.deps, "forged")).status).toBe(404);
    await deliver(bench.deps, { ...forged, definition: yaml("own") }, { id: "own" });
    expect((await follow(bench, idOf("own"))).phase.state).toBe("Succeeded");
  });

  it("by a parcel is not trusted where that parcel is missing, or opens to another key", async () => {
    const gate: Gate = {};
    const bench = await openBench({}, gate);
    gate.before = (call) => (isTable(call) ? "cut" : "pass");
    await deliver(bench.deps, yaml("posted"), { dequeueCount: 4 });
    delete gate.before;
    const wire = JSON.parse(lastSent(bench)) as { version: 1; resent: Record<string, unknown> };
    const secret = Buffer.alloc(32).toString("base64url");
    const nowhere = { ...wire, resent: { ...wire.resent, parcel: "messages/00" } };
    for (const [n, forged] of [{ ...wire, resent: { ...wire.resent, secret } }, nowhere].entries()) {
      await deliver(bench.deps, forged, { id: `forged-${n}` });
      expect((await jobOf(bench.deps, idOf(`forged-${n}`))).phase.state).toBe("Failed");
    }
  });
});

describe("a message of a newer release", () => {
  it("waits where everybody sees it, and after a day goes to the poison queue with its record", async () => {
    const bench = await openBench({}, countedCalls);
    await deliver(bench.deps, { version: 2, shape: "unknown" }, { id: "newer" });
    bench.clock.advance(12 * hour);
    await redeliver(bench.deps, lastSent(bench));
    const { reasons, oldest } = await bench.deps.held.summary(bench.clock.now());
    expect([reasons, oldest]).toEqual([{ NewerMessage: 1 }, start]);
    expect(await names(bench)).toEqual([]);
    bench.clock.advance(12 * hour + minute);
    await redeliver(bench.deps, lastSent(bench));
    const listed = await ask(listPoison(bench.deps), {});
    expect(listed.body["messages"]).toMatchObject([
      { id: idOf("newer"), reason: "NewerMessage", since: new Date(start).toISOString() },
    ]);
    expect((await bench.deps.held.summary(bench.clock.now())).count).toBe(0);
  });

  it("that is replayed waits for another day", async () => {
    const bench = await openBench({}, countedCalls);
    await deliver(bench.deps, { version: 2, shape: "unknown" }, { id: "newer" });
    bench.clock.advance(day + minute);
    await redeliver(bench.deps, lastSent(bench));
    expect((await replay(bench)).status).toBe(200);
    const sent = sentTo(bench).length;
    await redeliver(bench.deps, lastSent(bench));
    expect(sentTo(bench)).toHaveLength(sent + 1);
    expect(sentTo(bench, poison)).toHaveLength(1);
  });
});

const replay = ({ deps }: Bench) => ask(takePoison(deps, "replay"), { text: JSON.stringify({ all: true }) });

describe("a message that the host gave up", () => {
  it("is replayed as one job, however often it is sent", async () => {
    const bench = await openBench({}, countedCalls);
    const queue = bench.storage.queues.getQueueClient(poison);
    const text = yaml("given-up", { output: "kept" }).replaceAll("\n", "\r\n");
    await queue.sendMessage(Buffer.from(text).toString("base64"));
    await replay(bench);
    const again = lastSent(bench);
    await redeliver(bench.deps, again);
    await redeliver(bench.deps, again);
    expect(await names(bench)).toEqual(["given-up"]);
    expect((await queue.getProperties()).approximateMessagesCount).toBe(0);
  });

  it("is dropped with what lay beside it", async () => {
    const bench = await openBench({}, countedCalls);
    const away = await withoutKey(bench);
    await deliver(away, { version: 2, shape: "unknown" });
    bench.clock.advance(day + minute);
    await redeliver(away, lastSent(bench));
    expect((await blobs(bench, "messages/")).filter(({ bytes }) => bytes.length > 0)).toHaveLength(1);
    await ask(takePoison(bench.deps, "drop"), { text: JSON.stringify({ all: true }) });
    expect((await blobs(bench, "messages/")).filter(({ bytes }) => bytes.length > 0)).toEqual([]);
  });
});

describe("what the host says about a message", () => {
  it("whose text hides when it came, is fixed before anything is done: it is the same job at every delivery", async () => {
    const bench = await openBench({}, countedCalls);
    const body = { version: 1, insertionTime: "never", definition: yaml("timeless") };
    await deliver(bench.deps, body);
    expect(await names(bench)).toEqual([]);
    const again = lastSent(bench);
    for (let n = 0; n < 2; n++) {
      bench.clock.advance(minute);
      await redeliver(bench.deps, again);
    }
    expect(await names(bench)).toEqual(["timeless"]);
  });

  it("that came eight times without a result is copied before anything is tried", async () => {
    const bench = await openBench({}, countedCalls);
    await deliver(bench.deps, yaml("deadly"), { dequeueCount: 8 });
    expect(await names(bench)).toEqual([]);
    await redeliver(bench.deps, lastSent(bench));
    expect((await follow(bench, idOf("message-1"))).phase.state).toBe("Succeeded");
  });

  it("that came eight times again after that goes to the poison queue: it may be what ends the host", async () => {
    const bench = await openBench({}, countedCalls);
    await deliver(bench.deps, yaml("deadly"), { dequeueCount: 8 });
    await redeliver(bench.deps, lastSent(bench), 8);
    expect((await ask(listPoison(bench.deps), {})).body["messages"]).toMatchObject([
      { id: idOf("message-1"), reason: "InternalError" },
    ]);
  });
});

it("a message that meets no trouble costs what it did: nothing is asked of keys, parcels or records", async () => {
  const bench = await openBench({}, countedCalls);
  const before = bench.calls().length;
  await deliver(bench.deps, yaml("plain"));
  const calls = bench.calls().slice(before);
  const touched = calls.filter(({ url }) => /message-key|aci-sealed|held/.test(url.href));
  expect(touched).toEqual([]);
});
