/** Callers are notified of a job's end: each once, whoever else can't be reached, and whatever happens to the row meanwhile. */
import { describe, expect, it } from "vitest";
import { parseJobId, type JobId } from "../../src/shared/base/ids.ts";
import { hour, minute } from "../../src/shared/base/duration.ts";
import type { Deps } from "../../src/shared/deps.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { deliver, follow, jobOf, messagesIn, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

useAzurite();

const idOf = (n: number): JobId => {
  const id = parseJobId(`6f9619ff-8b86-4011-b42d-00c04fc9${String(n).padStart(4, "0")}`);
  if (id === undefined) throw new Error("no id");
  return id;
};

/** A bench whose callers' addresses give these answers, and the calls that they got. */
async function withCallers(environment: Record<string, string>, answer: (uri: string) => number | Promise<number>) {
  const bench = await openBench({ CALLBACK_HOSTS: "adf.example", ...environment });
  const called: string[] = [];
  const call: Deps["post"] = (uri) => {
    called.push(uri.replace("https://adf.example/", ""));
    return Promise.resolve(answer(uri));
  };
  return { ...bench, deps: { ...bench.deps, post: call }, called };
}

const submit = (bench: Bench, caller: string, name = "told") =>
  post(bench.deps, `${yaml(name)}\ncallBackUri: https://adf.example/${caller}`, "", { "idempotency-key": name });

/** Reconciles the job whenever its row says so, for this time after its end. */
async function followFor(bench: Bench, id: JobId, time: number): Promise<void> {
  await follow(bench, id);
  for (const until = bench.clock.now() + time; bench.clock.now() < until;) {
    const job = await jobOf(bench.deps, id);
    bench.clock.advance(Math.max(minute, job.lookAt - bench.clock.now()));
    await reconcile(bench.deps, id, { at: undefined });
  }
}

const answers = async (bench: Bench, queue: string): Promise<Record<string, unknown>[]> =>
  (await messagesIn(bench.storage, queue)).map((text) => JSON.parse(text) as Record<string, unknown>);

describe("one caller who can't be reached", () => {
  it("makes no other hear twice, and is notified once it can be reached", async () => {
    const dead = { still: true };
    const bench = await withCallers({}, (uri) => (uri.endsWith("dead") && dead.still ? 503 : 200));
    const { id } = await submit(bench, "a");
    for (const caller of ["dead", "b"]) expect((await submit(bench, caller)).id).toBe(id);
    await followFor(bench, id, hour);
    expect(bench.called.filter((caller) => caller !== "dead").toSorted()).toEqual(["a", "b"]);
    expect(bench.called.filter((caller) => caller === "dead").length).toBeGreaterThan(3);
    expect((await jobOf(bench.deps, id)).callback.state).toBe("pending");
    dead.still = false;
    bench.called.length = 0;
    await followFor(bench, id, hour);
    expect(bench.called).toEqual(["dead"]);
    expect((await jobOf(bench.deps, id)).callback.state).toBe("delivered");
  });

  it("is given up after a day", async () => {
    const bench = await withCallers({}, (uri) => (uri.endsWith("dead") ? 500 : 200));
    const { id } = await submit(bench, "dead");
    await submit(bench, "a");
    await followFor(bench, id, 26 * hour);
    expect(bench.called.filter((caller) => caller === "a")).toHaveLength(1);
    expect((await jobOf(bench.deps, id)).callback.state).toBe("failed");
  });

  it("because its queue is gone, makes no other queue hear twice", async () => {
    const bench = await openBench({ REPLY_QUEUES: "first,gone,last" });
    for (const queue of ["first", "last"]) await bench.storage.queues.getQueueClient(queue).create();
    const message = { version: 1, definition: yaml("shared"), options: { onConflict: "attach" } };
    for (const [n, queue] of ["first", "gone", "last"].entries())
      await deliver(bench.deps, { ...message, id: idOf(n), replyTo: { queue } }, { id: `message-${n}` });
    await followFor(bench, idOf(0), hour);
    expect(await answers(bench, "first")).toHaveLength(1);
    expect(await answers(bench, "last")).toHaveLength(1);
    await bench.storage.queues.getQueueClient("gone").create();
    await followFor(bench, idOf(0), hour);
    expect(await answers(bench, "gone")).toMatchObject([{ id: `${idOf(0)}/finished/${idOf(1)}` }]);
    expect(await answers(bench, "first")).toHaveLength(1);
    expect(await answers(bench, "last")).toHaveLength(1);
  });
});

describe("a caller is notified once", () => {
  it("when the row is changed between the call and its outcome", async () => {
    const bench = await withCallers({}, async () => {
      await bench.deps.jobs.change(id, (job) => ({ job: { ...job, yield: !job.yield } }));
      return 200;
    });
    const { id } = await submit(bench, "a");
    await followFor(bench, id, 10 * minute);
    expect(bench.called).toEqual(["a"]);
    expect((await jobOf(bench.deps, id)).callback).toMatchObject({ state: "delivered", tries: 1 });
  });

  it("when several instances reconcile the ended job at once", async () => {
    const bench = await withCallers(
      { REPLY_QUEUES: "answers" },
      () => new Promise((settle) => setTimeout(() => settle(200), 50)),
    );
    await bench.storage.queues.getQueueClient("answers").create();
    const { id } = await submit(bench, "a");
    await deliver(bench.deps, {
      version: 1,
      definition: yaml("told"),
      options: { onConflict: "attach" },
      replyTo: { queue: "answers" },
    });
    await follow(bench, id, ({ phase }) => phase.state === "Running");
    for (let rounds = 0; rounds < 20 && bench.called.length === 0; rounds++) {
      bench.clock.advance(10_000);
      await Promise.all(Array.from({ length: 6 }, () => reconcile(bench.deps, id, { at: undefined })));
    }
    await followFor(bench, id, 10 * minute);
    expect(bench.called).toEqual(["a"]);
    expect(await answers(bench, "answers")).toHaveLength(1);
  });

  it("and again only when an instance died before it could say that it had", async () => {
    const bench = await withCallers({}, () => 200);
    const { id } = await submit(bench, "a");
    const dying = { ...bench, deps: { ...bench.deps, post: () => new Promise<number>(() => undefined) } };
    const died = follow(dying, id);
    await expect.poll(async () => (await jobOf(bench.deps, id)).callback.tries, { timeout: 10_000 }).toBe(1);
    await reconcile(bench.deps, id, { at: undefined });
    expect(bench.called).toEqual([]);
    await followFor(bench, id, 10 * minute);
    expect(bench.called).toEqual(["a"]);
    void died;
  });
});

describe("who attaches to a job", () => {
  it("is notified once for each message, however often that is delivered", async () => {
    const bench = await openBench({ REPLY_QUEUES: "answers" });
    await bench.storage.queues.getQueueClient("answers").create();
    const message = { version: 1, idempotencyKey: "k", definition: yaml("once"), replyTo: { queue: "answers" } };
    await deliver(bench.deps, message, { id: "first" });
    await deliver(bench.deps, message, { id: "second" });
    await deliver(bench.deps, message, { id: "second", dequeueCount: 2 });
    const [active] = [
      ...(
        await bench.deps.jobs.list(
          {
            states: undefined,
            name: "once",
            columns: {},
            since: undefined,
            until: undefined,
          },
          10,
          undefined,
        )
      ).rows,
    ];
    const id = parseJobId(String(active?.["id"]));
    if (id === undefined) throw new Error("no job");
    await follow(bench, id);
    expect(await answers(bench, "answers")).toHaveLength(2);
    await deliver(bench.deps, message, { id: "second", dequeueCount: 3 });
    await deliver(bench.deps, message, { id: "third" });
    await reconcile(bench.deps, id, { at: undefined });
    await reconcile(bench.deps, id, { at: undefined });
    const events = await answers(bench, "answers");
    expect(events).toHaveLength(3);
    expect(new Set(events.map((event) => event["id"])).size).toBe(3);
  });

  it("after its callers were notified is the only one notified", async () => {
    const bench = await withCallers({}, () => 200);
    const { id } = await submit(bench, "a");
    await follow(bench, id);
    await submit(bench, "b");
    await submit(bench, "a");
    await followFor(bench, id, 10 * minute);
    expect(bench.called).toEqual(["a", "b", "a"]);
  });

  it("finds the callers of a row of an older release as they were", async () => {
    const bench = await withCallers({ REPLY_QUEUES: "answers" }, () => 200);
    await bench.storage.queues.getQueueClient("answers").create();
    const { id } = await submit(bench, "old");
    await follow(bench, id);
    await bench.deps.jobs.change(id, (job) => ({ job: { ...job, notified: { callbacks: [], replies: [] } } }));
    await submit(bench, "new");
    await deliver(bench.deps, {
      version: 1,
      idempotencyKey: "told",
      definition: yaml("told"),
      replyTo: { queue: "answers" },
    });
    await followFor(bench, id, 10 * minute);
    expect(bench.called).toEqual(["old", "new"]);
    expect(await answers(bench, "answers")).toHaveLength(1);
  });
});
