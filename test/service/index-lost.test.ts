import { InvocationContext } from "@azure/functions";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { minute, second } from "../../src/shared/base/duration.ts";
import { groupName, mintJobId, parseJobId, type JobId } from "../../src/shared/base/ids.ts";
import { healthDetails } from "../../src/http/health.ts";
import { reindex } from "../../src/http/operate/reindex.ts";
import { readProgress } from "../../src/shared/store/index-rebuild.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { wake } from "../../src/workers/wake.ts";
import { runPass } from "../../src/workers/sweep/pass.ts";
import { target } from "../kit/kit.ts";
import type { Gate } from "../kit/proxy.ts";
import {
  ask,
  countersOf,
  del,
  deliver,
  follow,
  get,
  groupsOf,
  indexOf,
  jobOf,
  messagesIn,
  openBench,
  post,
  useAzurite,
  yaml,
  type Bench,
  type Reply,
} from "./kit.ts";

/** Somebody wiped the table `jobindex`: nobody takes what a running job has until `POST /api/reindex` has written it anew. */
useAzurite();

async function wipe(bench: Bench): Promise<void> {
  for (const key of await indexOf(bench)) await bench.storage.table("jobindex").deleteEntity("jobs", key);
}

/** As the command does: calls until all is done, each with so little time that it must stop in between. */
async function rebuild({ deps, clock }: Bench): Promise<readonly Reply[]> {
  const replies: Reply[] = [];
  for (let calls = 0; calls < 20; calls++) {
    let reads = 0;
    const hurried = { ...deps, now: () => clock.now() + reads++ * 10 * second };
    const reply = await ask(reindex(hurried), { text: "" });
    replies.push(reply);
    if (reply.status === 200) return replies;
    expect(reply).toMatchObject({ status: 202, body: { complete: false } });
    clock.advance(minute);
  }
  throw new Error("The rebuild does not come to an end.");
}

const isRunning = ({ phase }: { readonly phase: { readonly state: string } }): boolean => phase.state === "Running";
const postersId = parseJobId("6f9619ff-8b86-4011-b42d-00c04fc96501") ?? ("" as JobId); // it is a UUID
const groupId = (name: string): string => `${target.subscriptionId}/${target.resourceGroup}/${name}`;
const wait = "polling=true&onConflict=wait";

describe("a lost job index", () => {
  it("is rebuilt in one call by a storage that fails longer than its client repeats", async () => {
    let fails = false;
    const tries = new Map<string, number>();
    /** The first three tries to add entries fail: the client makes no more for a call. */
    const gate: Gate = {
      before({ method, url, body }) {
        if (!fails || method !== "POST" || !/jobindex|batch/.test(url.pathname)) return "pass";
        const entries = body.match(/"RowKey":"[^"]+"/g)?.join() ?? "";
        tries.set(entries, (tries.get(entries) ?? 0) + 1);
        return (tries.get(entries) ?? 0) <= 3 ? 503 : "pass";
      },
    };
    const bench = await openBench({}, gate);
    for (let n = 0; n < 30; n++) await post(bench.deps, yaml(`job-${n}`));
    const before = await indexOf(bench);
    await wipe(bench);
    fails = true;
    const { status } = await ask(reindex(bench.deps), { text: "" });
    fails = false;
    expect(status).toBe(200);
    expect(await indexOf(bench)).toEqual(before);
  });

  it("is rebuilt in calls that end in time while each call to storage takes 24 seconds, and go on where they stopped", async () => {
    let isSlow = false;
    const bench: Bench = await openBench({}, { before: () => (isSlow ? slowly() : "pass") });
    const { clock, deps } = bench;
    const waiting = new Set<symbol>();
    /** The first of those that wait at once moves the clock. */
    async function slowly(): Promise<"pass"> {
      const me = Symbol();
      waiting.add(me);
      const answersAt = clock.now() + 24 * second;
      while (clock.now() < answersAt) {
        await delay(10);
        if (waiting.values().next().value === me) clock.advance(second / 2);
      }
      waiting.delete(me);
      return "pass";
    }
    for (let n = 0; n < 40; n++) await post(deps, yaml(`job-${n}`), "", { "idempotency-key": `key-${n}` });
    const before = await indexOf(bench);
    await wipe(bench);
    isSlow = true;
    const replies: Reply[] = [];
    for (let calls = 0; calls < 3; calls++) {
      const began = clock.now();
      replies.push(await ask(reindex(deps), { text: "" }));
      expect(clock.now() - began).toBeLessThan(90 * second);
    }
    isSlow = false;
    expect(replies.map(({ status }) => status)).toEqual([202, 202, 202]);
    replies.push(await ask(reindex(deps), { text: "" }));
    expect(replies.at(-1)).toMatchObject({ status: 200, body: { jobs: 40 } });
    expect(await indexOf(bench)).toEqual(before);
  });

  it("lets no job be accepted, by HTTP or by the queue, and running jobs end", async () => {
    const bench = await openBench();
    const { deps, storage } = bench;
    const running = await post(deps, yaml("runs"), "polling=true");
    await follow(bench, running.id, isRunning);
    await wipe(bench);
    const refused = await post(deps, yaml("runs"), "polling=true");
    expect(refused).toMatchObject({ status: 503, body: { code: "IndexLost" } });
    expect(refused.body.message).toContain("aci-proxy reindex");
    expect(refused.headers.get("retry-after")).toBe("60");
    const jobs = storage.queues.getQueueClient("aci-jobs");
    await jobs.clearMessages();
    await deliver(deps, { version: 1, id: postersId, definition: yaml("posted") }, { dequeueCount: 4 });
    expect((await jobs.getProperties()).approximateMessagesCount).toBe(1);
    expect(await ask(healthDetails(deps), {})).toMatchObject({
      status: 503,
      body: { status: "the job index is lost", index: { ok: false } },
    });
    expect((await follow(bench, running.id)).phase.state).toBe("Succeeded");
    expect(await post(deps, yaml("runs"))).toMatchObject({ status: 503 });
    await rebuild(bench);
    expect(await post(deps, yaml("runs"), "polling=true")).toMatchObject({ status: 202 });
    await deliver(deps, { version: 1, id: postersId, definition: yaml("posted") }, { dequeueCount: 2 });
    expect((await follow(bench, postersId)).phase.state).toBe("Succeeded");
  });

  it("is rebuilt with a row that came meanwhile, by a host whose clock is three minutes ahead", async () => {
    const bench = await openBench();
    const { deps, clock } = bench;
    const first = await jobOf(deps, (await post(deps, yaml("first"))).id);
    await wipe(bench);
    let progress = readProgress(undefined, clock.now() + 3 * minute);
    while (progress.pass !== "newest") progress = await deps.rebuild.step(progress, Infinity);
    // Reserved before the index was lost, and written now.
    const id = mintJobId(clock.now(), new Uint8Array(10));
    const late = { ...first, id, name: groupName("late"), groupName: groupName("late"), createdAt: clock.now() };
    await deps.jobs.insert(late, { definition: undefined, callbacks: undefined });
    while (progress.pass !== "whole") progress = await deps.rebuild.step(progress, Infinity);
    expect(await indexOf(bench)).toEqual(expect.arrayContaining([`job_${id}`, `job_${first.id}`]));
  });

  it("lets jobs go on whose message is lost, also under a poster's own id", async () => {
    const bench = await openBench();
    const { deps, clock, storage } = bench;
    const { id } = await post(deps, yaml("runs"), "polling=true");
    await deliver(deps, { version: 1, id: postersId, definition: yaml("posted") });
    for (const each of [id, postersId]) await follow(bench, each, isRunning);
    await wipe(bench);
    const messages = storage.queues.getQueueClient("aci-wake");
    await messages.clearMessages();
    for (let passes = 0; passes < 3; passes++) {
      clock.advance(2 * minute);
      await runPass(deps, "timer");
      for (const text of await messagesIn(storage)) await wake(deps)(text, new InvocationContext());
      await messages.clearMessages();
    }
    for (const each of [id, postersId]) expect((await jobOf(deps, each)).phase.state).toBe("Succeeded");
  });

  it("gives a name to nobody until the rebuild, and then first to the job that has a group", async () => {
    const bench = await openBench();
    const { deps, clock } = bench;
    const first = await post(deps, yaml("shared", { seconds: 600 }), wait);
    await follow(bench, first.id, isRunning);
    const others: JobId[] = [];
    for (let n = 0; n < 2; n++) {
      clock.advance(second);
      others.push((await post(deps, yaml("shared"), wait)).id);
    }
    const [second_ = first.id, third = first.id] = others;
    await wipe(bench);
    await reconcile(deps, second_, { at: undefined });
    const waiting = await jobOf(deps, second_);
    expect(waiting.phase).toMatchObject({ state: "Queued", waiting: { reason: "Paused" } });
    expect(JSON.stringify(waiting.phase)).toContain("aci-proxy reindex");
    const replies = await rebuild(bench);
    expect(replies.length).toBeGreaterThan(2);
    expect((await bench.deps.jobs.index.lockOf((await jobOf(deps, first.id)).groupName))?.lockedBy).toBe(first.id);
    expect(await post(deps, yaml("shared"))).toMatchObject({ status: 409, body: { id: first.id } });
    for (const id of [third, second_]) {
      await reconcile(deps, id, { at: undefined });
      expect((await jobOf(deps, id)).phase).toMatchObject({ state: "Queued", waiting: { reason: "NameBusy" } });
    }
    expect((await follow(bench, first.id)).phase.state).toBe("Succeeded");
    // In their old order.
    expect((await follow(bench, second_)).phase.state).toBe("Succeeded");
    expect((await follow(bench, third)).phase.state).toBe("Succeeded");
    expect((await jobOf(deps, third)).firstCreateAt).toBeGreaterThan((await jobOf(deps, second_)).firstCreateAt ?? 0);
    expect(countersOf(bench).deploymentsByGroup).toEqual({ [groupId("shared")]: 3 });
  });

  it("gives the name to the job that has waited the longest where no job has a group", async () => {
    const bench = await openBench();
    const { deps, clock } = bench;
    const older = await post(deps, yaml("idle"), wait);
    clock.advance(second);
    const newer = await post(deps, yaml("idle"), wait);
    await wipe(bench);
    await rebuild(bench);
    expect((await deps.jobs.index.lockOf((await jobOf(deps, older.id)).groupName))?.lockedBy).toBe(older.id);
    await reconcile(deps, newer.id, { at: undefined });
    expect((await jobOf(deps, newer.id)).phase).toMatchObject({ waiting: { reason: "NameBusy" } });
    await follow(bench, older.id);
    expect((await follow(bench, newer.id)).phase.state).toBe("Succeeded");
  });

  it("hides a poster's job without losing it: polls go on, nothing is deleted or run twice, and its id and key lead to it again", async () => {
    const bench = await openBench();
    const { deps, clock } = bench;
    const message = { version: 1, id: postersId, definition: yaml("posted", { seconds: 3600 }) };
    await deliver(deps, message);
    await follow(bench, postersId, isRunning);
    const keyed = await post(deps, yaml("keyed", { seconds: 3600 }), "polling=true", { "idempotency-key": "once" });
    await follow(bench, keyed.id, isRunning);
    const before = (await indexOf(bench)).filter((key) => !key.startsWith("name_"));
    await wipe(bench);

    expect(await get(deps, postersId, "poll=1")).toMatchObject({ status: 202, body: { state: "Unknown" } });
    for (const which of [postersId, "posted"])
      expect(await get(deps, which)).toMatchObject({ status: 503, body: { code: "IndexLost" } });
    expect(await del(deps, postersId)).toMatchObject({ status: 503 });
    await reconcile(deps, postersId, { at: undefined });
    clock.advance(20 * minute);
    for (let passes = 0; passes < 3; passes++) {
      await runPass(deps, "timer");
      clock.advance(20 * minute);
    }
    expect(groupsOf(bench).map(({ name }) => name)).toEqual(["posted", "keyed"]);

    await rebuild(bench);
    expect((await indexOf(bench)).filter((key) => !key.startsWith("name_"))).toEqual(before);
    expect(await get(deps, "posted")).toMatchObject({ body: { id: postersId } });
    await deliver(deps, message, { dequeueCount: 2 });
    const again = await post(deps, yaml("keyed", { seconds: 3600 }), "polling=true", { "idempotency-key": "once" });
    expect(again).toMatchObject({ id: keyed.id, body: { attached: true } });
    expect((await follow(bench, postersId)).phase.state).toBe("Succeeded");
    expect(countersOf(bench).deploymentsByGroup).toEqual({ [groupId("posted")]: 1, [groupId("keyed")]: 1 });
  });

  it("keeps the name of a job whose row can't be read for it", async () => {
    const bench = await openBench();
    const { deps, storage } = bench;
    const { id } = await post(deps, yaml("spoilt", { seconds: 600 }), "polling=true");
    const job = await follow(bench, id, isRunning);
    const key = (await deps.jobs.find(id))?.key;
    await storage.table("jobs").updateEntity({ partitionKey: "", rowKey: "", ...key, record: "{" }, "Merge");
    await wipe(bench);
    const replies = await rebuild(bench);
    expect(replies.at(-1)).toMatchObject({ body: { complete: true, jobs: 1, skipped: 1 } });
    expect((await deps.jobs.index.lockOf(job.groupName))?.lockedBy).toBe(id);
  });
});

describe("the name of an array", () => {
  it.each([
    ["their names", { MAX_ACTIVE_JOBS: "9" }, "nightly-0"],
    ["a ceiling", { MAX_ACTIVE_JOBS: "1" }, "other"],
  ])("stays its own while its children wait for %s", async (_what, settings, first) => {
    const bench = await openBench(settings);
    const { deps, clock } = bench;
    const { id: holder } = await post(deps, yaml(first, { seconds: 3600 }));
    await follow(bench, holder, isRunning);
    const { id } = await post(deps, yaml("nightly"), "array=1&onConflict=wait");
    await reconcile(deps, id, { at: undefined });
    for await (const { id: each } of deps.jobs.index.watched()) await reconcile(deps, each, { at: undefined });
    clock.advance(minute);
    await reconcile(deps, id, { at: undefined });
    const options = { priority: 3600 };
    await deliver(deps, { version: 1, id: postersId, definition: yaml("nightly"), options });
    await wipe(bench);
    await rebuild(bench);
    expect((await deps.jobs.index.lockOf(groupName("nightly")))?.lockedBy).toBe(id);
  });
});

describe("an installation without jobs", () => {
  it("begins its index itself, also when the index was lost before the first job came", async () => {
    const bench = await openBench();
    expect(await indexOf(bench)).toEqual(["index"]);
    await wipe(bench);
    expect(await post(bench.deps, yaml("first"), "polling=true")).toMatchObject({ status: 202 });
    expect(await indexOf(bench)).toContain("index");
  });
});
