/** A rerun is judged again by the settings of today: those of the day that its job was accepted may be others. */
import { describe, expect, it } from "vitest";
import { rerun } from "../../src/http/operate/rerun.ts";
import type { Deps } from "../../src/shared/deps.ts";
import { minute } from "../../src/shared/base/duration.ts";
import { rerunMany, rerunProgress } from "../../src/http/operate/rerun-many.ts";
import type { JobId } from "../../src/shared/base/ids.ts";
import type { Gate } from "../kit/proxy.ts";
import { runPass } from "../../src/workers/sweep/pass.ts";
import {
  ask,
  del,
  deliver,
  follow,
  jobOf,
  messagesIn,
  openBench,
  post,
  useAzurite,
  yaml,
  type Bench,
  type Reply,
} from "./kit.ts";

useAzurite();

const again = (deps: Deps, id: string): Promise<Reply> => ask(rerun(deps), { params: { id }, text: "" });
const poster = "0198f000-0000-4000-8000-000000000001";

describe("a rerun", () => {
  it("notifies no queue of the old job's, which may no longer be allowed", async () => {
    const bench = await openBench({ REPLY_QUEUES: "answers" });
    await bench.storage.queues.getQueueClient("answers").create();
    await deliver(bench.deps, { version: 1, id: poster, definition: yaml("told"), replyTo: { queue: "answers" } });
    const { id } = await jobOf(bench.deps, poster as never); // a UUID
    await follow(bench, id);
    expect(await messagesIn(bench.storage, "answers")).toHaveLength(1);
    const { status, id: rerunId } = await again(await bench.again({ REPLY_QUEUES: "" }), id);
    expect(status).toBe(200);
    await follow(bench, rerunId);
    expect(await messagesIn(bench.storage, "answers")).toHaveLength(1);
    expect((await jobOf(bench.deps, rerunId)).reply.state).toBe("none");
  });

  it("has an id that nobody can take before it", async () => {
    const [bench, other] = [await openBench(), await openBench()];
    const ids: string[] = [];
    for (const { deps } of [bench, other]) {
      await deliver(deps, { version: 1, id: poster, definition: yaml("same") });
      const [one, two] = await Promise.all([again(deps, poster), again(deps, poster)]);
      expect(one.id).toBe(two.id);
      ids.push(one.id);
    }
    // It follows from the job's id and from what only the installation knows.
    expect(ids[0]).not.toBe(ids[1]);
  });

  it("is refused where this storage belongs to another installation", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("bound"));
    await follow(bench, id);
    const other = await bench.again({ AZURE_SUBSCRIPTION_ID: "99999999-2222-3333-4444-555555555555" });
    expect(await again(other, id)).toMatchObject({ status: 503, body: { code: "InvalidSettings" } });
  });

  it("is refused by a policy that came since, and gets no longer than today's ceiling", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("judged"));
    await follow(bench, id);
    const strict = await bench.again({ POLICY_REGISTRIES: "contoso.azurecr.io" });
    expect(await again(strict, id)).toMatchObject({ status: 400, body: { code: "PolicyRefused" } });
    const short = await again(await bench.again({ MAX_TIMEOUT: "PT1H", DEFAULT_TIMEOUT: "PT1H" }), id);
    expect((await jobOf(bench.deps, short.id)).options.timeout).toBe(3_600_000);
  });

  it("has its job's lease only where its caller polls: else nobody would renew it", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("leased", { exitCode: 1 }), "lease=PT10M");
    await follow(bench, id);
    const unasked = await again(bench.deps, id);
    expect((await jobOf(bench.deps, unasked.id)).options.lease).toBeUndefined();
    await follow(bench, unasked.id);
    const polled = await ask(rerun(bench.deps), { params: { id: unasked.id }, text: "", query: "polling=true" });
    expect((await jobOf(bench.deps, polled.id)).options.lease).toBeUndefined();
    const other = await post(bench.deps, yaml("polled", { exitCode: 1 }), "lease=PT10M");
    await follow(bench, other.id);
    const asked = await ask(rerun(bench.deps), { params: { id: other.id }, text: "", query: "polling=true" });
    expect((await jobOf(bench.deps, asked.id)).options.lease).toBe(10 * minute);
  });

  it("is one job however often it is asked for, waits for its name, and can be rerun itself", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("once", { exitCode: 1 }));
    await follow(bench, id);
    const blocker = await post(bench.deps, yaml("once", { seconds: 600 }));
    const replies = await Promise.all([again(bench.deps, id), again(bench.deps, id)]);
    const [first] = replies;
    expect(new Set(replies.map((reply) => reply.id)).size).toBe(1);
    expect(first).toMatchObject({ status: 200, body: { rerunOf: id } });
    expect((await jobOf(bench.deps, first.id)).options.onConflict).toBe("wait");
    await del(bench.deps, blocker.id);
    await follow(bench, blocker.id);
    await follow(bench, first.id);
    expect(await again(bench.deps, id)).toMatchObject({ id: first.id, body: { attached: true } });
    const second = await again(bench.deps, first.id);
    expect(second.id).not.toBe(first.id);
    expect(second).toMatchObject({ body: { rerunOf: first.id } });
  });
});

describe("a rerun of many", () => {
  const many = (deps: Deps, body: object): Promise<Reply> => ask(rerunMany(deps), { text: JSON.stringify(body) });

  /** Four jobs, of which one succeeded. */
  async function night(environment: Record<string, string> = {}, gate?: Gate): Promise<Bench> {
    const bench = await openBench(environment, gate);
    for (const [name, exitCode, tag] of [
      ["fine", 0, "team=a"],
      ["bad", 1, "team=a"],
      ["worse", 2, "team=b"],
      ["killed", 137, "team=a"],
    ] as const) {
      const { id } = await post(bench.deps, yaml(name, { exitCode }), `tags=${tag}`);
      await follow(bench, id);
    }
    return bench;
  }
  const rerunsIn = async ({ deps }: Bench): Promise<readonly string[]> => {
    const all = { states: undefined, name: undefined, columns: { via: "rerun" }, since: undefined, until: undefined };
    const { rows } = await deps.jobs.list(all, 1000, undefined);
    return rows.map(({ name }) => String(name)).toSorted();
  };

  it("runs those again that match and did not succeed, each once, however often and by how many it is asked for", async () => {
    const bench = await night();
    expect(await many(bench.deps, { tag: "team=a", dryRun: true })).toMatchObject({
      status: 200,
      body: { matched: 2, rerun: 0, dryRun: true },
    });
    expect(await rerunsIn(bench)).toEqual([]);
    const both = await Promise.all([many(bench.deps, { tag: "team=a" }), many(bench.deps, { tag: "team=a" })]);
    for (const reply of both) expect(reply).toMatchObject({ status: 200, body: { matched: 2 } });
    expect(await rerunsIn(bench)).toEqual(["bad", "killed"]);
    bench.clock.advance(1000);
    expect(await many(bench.deps, { reason: "OUTOFmemory", dryRun: true })).toMatchObject({
      body: { message: "0 jobs would be rerun.", matched: 1, known: 1, rerun: 0 },
    });
    expect(await many(bench.deps, { reason: "OutOfMemory" })).toMatchObject({
      body: { matched: 1, known: 1, rerun: 0 },
    });
    expect(await many(bench.deps, { state: "Failed", name: "worse", since: "PT1H" })).toMatchObject({
      body: { rerun: 1 },
    });
    expect(await rerunsIn(bench)).toEqual(["bad", "killed", "worse"]);
  });

  it("says what is wrong with its body", async () => {
    const { deps } = await openBench();
    for (const body of [
      {},
      { state: "Succeeded" },
      { state: "active" },
      { reason: "NoSuch" },
      { since: "x" },
      { until: "1 May" },
      { who: 1 },
    ])
      expect(await many(deps, body), JSON.stringify(body)).toMatchObject({ status: 400 });
  });

  it("is carried on by the sweep after its host died, and its Location says when it is over", async () => {
    const bench = await night();
    const seen: string[] = [];
    const dying = {
      ...bench.deps,
      queues: Object.assign(Object.create(bench.deps.queues) as Deps["queues"], {
        run: (id: JobId): Promise<void> => {
          seen.push(id);
          return seen.length === 2 ? Promise.reject(new Error("killed")) : bench.deps.queues.run(id);
        },
      }),
    };
    await expect(many(dying, { state: "Failed" })).resolves.toMatchObject({ status: 500 });
    const [{ key } = { key: "" }] = await bench.deps.reruns.all();
    const progress = () => ask(rerunProgress(bench.deps), { params: { key } });
    expect(await progress()).toMatchObject({ status: 202, body: { more: true } });
    bench.clock.advance(60_000);
    await runPass(bench.deps, "timer");
    expect(await progress()).toMatchObject({ status: 200, body: { matched: 3 } });
    expect(await rerunsIn(bench)).toEqual(["bad", "killed", "worse"]);
    bench.clock.advance(25 * 3_600_000);
    await runPass(bench.deps, "timer");
    expect(await progress()).toMatchObject({ status: 404 });
  });

  it("answers 202 when storage gives no list, and goes on", async () => {
    let fails = false;
    const bench = await night({}, { before: ({ url }) => (fails && url.pathname.endsWith("/jobs()") ? 503 : "pass") });
    fails = true;
    expect(await many(bench.deps, { state: "Failed" })).toMatchObject({ status: 202, body: { more: true } });
    fails = false;
    bench.clock.advance(30_000);
    await runPass(bench.deps, "timer");
    expect(await rerunsIn(bench)).toEqual(["bad", "killed", "worse"]);
  });

  it("answers 202 when a call is not enough, and goes on", async () => {
    const bench = await night();
    const slow = { ...bench.deps, now: () => bench.clock.now() };
    const list = bench.deps.jobs.list.bind(bench.deps.jobs);
    const jobs = Object.assign(Object.create(bench.deps.jobs) as Deps["jobs"], {
      list: async (...asked: Parameters<typeof list>) => {
        const page = await list(...asked);
        bench.clock.advance(21_000);
        return page;
      },
    });
    const reply = await many({ ...slow, jobs }, { state: "Failed" });
    expect(reply).toMatchObject({ status: 202, body: { more: true } });
    expect(reply.headers.get("location")).toMatch(/\/api\/reruns\/\d{13}-[0-9a-f]{16}$/);
    bench.clock.advance(30_000);
    await runPass(bench.deps, "timer");
    expect(await rerunsIn(bench)).toEqual(["bad", "killed", "worse"]);
  });
});
