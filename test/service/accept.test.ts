// Longer than 350 lines: every way in which a submission is accepted or refused, on one bench.
import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { minute, second } from "../../src/shared/base/duration.ts";
import { deriveJobId, parseJobId, type JobId } from "../../src/shared/base/ids.ts";
import { queueNames } from "../../src/shared/store/queues.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { roundTrips, type Gate, type ProxiedCall } from "../kit/proxy.ts";
import { jobId, start } from "../kit/kit.ts";
import { jobs } from "../../src/http/jobs/list.ts";
import { link } from "../../src/http/link.ts";
import { hasEnded } from "../../src/shared/job/job.ts";
import {
  countedCalls,
  ask,
  countersOf,
  deliver,
  follow,
  get,
  groupsOf,
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

function parsedId(text: string): JobId {
  const id = parseJobId(text);
  if (id === undefined) throw new Error("no id");
  return id;
}

/** What a call of the app costs of storage. */
async function cost<T>(bench: Bench, work: () => Promise<T>): Promise<{ calls: readonly ProxiedCall[]; result: T }> {
  const before = bench.calls().length;
  const result = await work();
  return { calls: bench.calls().slice(before), result };
}
const told = (calls: readonly ProxiedCall[]): string[] =>
  calls.map(
    ({ service, method, url }) => `${service} ${method} ${url.pathname.replace(/^\/\w+\//, "").replace(/\(.*/, "")}`,
  );

const everyJob = {
  states: undefined,
  name: undefined,
  columns: {},
  since: undefined,
  until: undefined,
};

describe("the price of a call", () => {
  it("accept makes three calls of storage, one after another: the reservation, the row, the message", async () => {
    const bench = await openBench({}, countedCalls);
    const { calls, result } = await cost(bench, () => post(bench.deps, yaml("bellaciao"), "polling=true"));
    expect(result.status).toBe(202);
    expect(told(calls)).toEqual(["table POST $batch", "table POST jobs", "queue POST aci-jobs/messages"]);
    expect(roundTrips(calls)).toBe(3);
  });

  it("a definition too large for a row costs a fourth, beside the reservation", async () => {
    const bench = await openBench({}, countedCalls);
    const noise = Array.from({ length: 90_000 }, () => String.fromCharCode(97 + Math.floor(Math.random() * 26))).join(
      "",
    );
    const { calls, result } = await cost(bench, () => post(bench.deps, yaml("large", { output: noise })));
    expect(result.status).toBe(200);
    expect([calls.length, roundTrips(calls)]).toEqual([4, 3]);
    expect((await follow(bench, result.id)).phase.state).toBe("Succeeded");
  });

  it("no option makes an accept dearer", async () => {
    const bench = await openBench({}, countedCalls);
    const queries = [
      ...["polling=true", "polling=started", "polling=link", "timeout=PT1H", "queueTimeout=PT1H", "startTimeout=PT5M"],
      ...["runTimeout=PT1H", "retries=2&retryOn=3", "onConflict=wait", "onConflict=replace", "onConflict=attach"],
      ...["uniqueName=true", "main=app", "keep=always", "lease=PT10M", "env=true", "tags=team=a", "failureStatus=422"],
      ...["outputLimit=1024", "strict=true"],
    ];
    // The first link makes the key, the next reads it; then an instance has it for five minutes.
    for (const name of ["first-link", "second-link"]) await post(bench.deps, yaml(name), "polling=link");
    for (const [n, query] of queries.entries()) {
      const headers = { "idempotency-key": query, "x-adf-run": "factory/pipeline/run/activity" };
      const { calls, result } = await cost(bench, () => post(bench.deps, yaml(`option-${n}`), query, headers));
      expect(result.status, query).toBeLessThan(300);
      expect([calls.length, roundTrips(calls)], query).toEqual([3, 3]);
    }
  });

  it("accept never calls ACI", async () => {
    const bench = await openBench();
    await post(bench.deps, yaml("bellaciao"));
    expect(countersOf(bench).calls).toEqual({});
  });

  it("status is one point read by id, two by name, one more once the job has ended", async () => {
    const bench = await openBench({}, countedCalls);
    const { id } = await post(bench.deps, yaml("bellaciao"));
    const reads = async (which: string): Promise<string[]> =>
      told((await cost(bench, () => get(bench.deps, which))).calls);
    expect(await reads(id)).toEqual(["table GET jobs"]);
    expect(await reads("bellaciao")).toEqual(["table GET jobindex", "table GET jobs"]);
    await follow(bench, id);
    expect(await reads(id)).toEqual(["table GET jobs", "table GET attempts"]);
    expect((await reads("BellaCiao")).length).toBe(3);
  });

  it("status through a capability link is one point read too, once an instance knows the links' key", async () => {
    const bench = await openBench({}, countedCalls);
    const { headers } = await post(bench.deps, yaml("bellaciao"), "polling=link");
    const { pathname } = new URL(headers.get("location") ?? "");
    const params = { token: pathname.split("/").at(-1) ?? "" };
    const read = () => ask(link(bench.deps), { params, query: "poll=1" });
    expect((await read()).status).toBe(202);
    const { calls } = await cost(bench, read);
    expect(told(calls)).toEqual(["table GET jobs"]);
  });
});

describe("one name", () => {
  const names = async (bench: Bench, query = "", name = "bellaciao"): Promise<Reply> =>
    post(bench.deps, yaml(name), query);

  it("is rejected while a job has it, which the reply names with the other choices", async () => {
    const bench = await openBench();
    const first = await names(bench);
    const second = await names(bench);
    expect([second.status, second.body["code"], second.id]).toEqual([409, "NameActive", first.id]);
    expect(second.body.message).toMatch(/onConflict=wait, replace or attach.*uniqueName=true/);
  });

  it("is one name in any letter case", async () => {
    const bench = await openBench();
    await names(bench);
    expect((await names(bench, "", "BELLAciao")).status).toBe(409);
    expect((await get(bench.deps, "bellaCIAO")).body["name"]).toBe("bellaciao");
  });

  it("attach: the id of the job that has it is the answer, and nothing else runs", async () => {
    const bench = await openBench();
    const first = await names(bench);
    const second = await names(bench, "onConflict=attach");
    expect([second.status, second.id, second.body["attached"]]).toEqual([200, first.id, true]);
  });

  it("wait: the next job begins when the one before is done, oldest first", async () => {
    const bench = await openBench();
    const ids = [];
    for (let n = 0; n < 3; n++) {
      ids.push((await names(bench, "onConflict=wait")).id);
      bench.clock.advance(second);
    }
    const [first, second_, third] = ids;
    if (!first || !second_ || !third) throw new Error("three jobs");
    for (const id of ids) await reconcile(bench.deps, id, { at: undefined });
    expect((await jobOf(bench.deps, second_)).phase).toMatchObject({
      state: "Queued",
      waiting: { reason: "NameBusy", position: 1 },
    });
    expect((await jobOf(bench.deps, third)).phase).toMatchObject({
      state: "Queued",
      waiting: { reason: "NameBusy", position: 2 },
    });
    await follow(bench, first);
    await reconcile(bench.deps, third, { at: undefined });
    expect((await jobOf(bench.deps, third)).phase.state).toBe("Queued");
    expect((await follow(bench, second_)).phase.state).toBe("Succeeded");
    expect((await follow(bench, third)).phase.state).toBe("Succeeded");
  });

  it("replace: the job that has it is canceled, and ACI confirms before the next begins", async () => {
    const bench = await openBench();
    const first = await post(bench.deps, yaml("bellaciao", { seconds: 3600 }));
    await follow(bench, first.id, ({ phase }) => phase.state === "Running");
    const second = await names(bench, "onConflict=replace");
    await reconcile(bench.deps, second.id, { at: undefined });
    expect((await jobOf(bench.deps, second.id)).phase.state).toBe("Queued");
    expect((await follow(bench, first.id)).phase).toMatchObject({
      state: "Canceled",
      verdict: { reason: "Replaced" },
      group: "gone",
    });
    expect((await follow(bench, second.id)).phase.state).toBe("Succeeded");
  });

  it("of a job that is already stopping doesn't count: the new one waits", async () => {
    const bench = await openBench();
    const first = await post(bench.deps, yaml("bellaciao", { seconds: 3600 }));
    await follow(bench, first.id, ({ phase }) => phase.state === "Running");
    await bench.deps.jobs.change(first.id, (job) => ({
      job: { ...job, cancel: { at: start, reason: "CanceledByCaller" } },
    }));
    const second = await names(bench);
    expect(second.status).toBe(200);
    await follow(bench, first.id);
    expect((await follow(bench, second.id)).phase.state).toBe("Succeeded");
  });

  it("of a job that has ended is free, though its group is kept: the group yields", async () => {
    const bench = await openBench();
    const first = await names(bench, "keep=always");
    await follow(bench, first.id, ({ phase }) => phase.state === "Succeeded");
    const second = await names(bench);
    expect(second.status).toBe(200);
    await reconcile(bench.deps, second.id, { at: undefined });
    expect((await follow(bench, first.id)).phase).toMatchObject({ state: "Succeeded", group: "gone" });
    expect((await follow(bench, second.id)).phase.state).toBe("Succeeded");
  });

  it("with uniqueName runs side by side", async () => {
    const bench = await openBench();
    const jobs = [await names(bench, "uniqueName=true"), await names(bench, "uniqueName=true")];
    for (const { id } of jobs) await reconcile(bench.deps, id, { at: undefined });
    expect(groupsOf(bench).map(({ name }) => name.slice(0, 10))).toEqual(["bellaciao-", "bellaciao-"]);
  });
});

describe("an Idempotency-Key", () => {
  const key = { "idempotency-key": "run 42" };

  it("that is repeated is the same job, and no second run", async () => {
    const bench = await openBench();
    const first = await post(bench.deps, yaml("keyed"), "", key);
    const second = await post(bench.deps, yaml("keyed"), "", key);
    expect([second.status, second.id, second.body["attached"]]).toEqual([200, first.id, true]);
    await follow(bench, first.id);
    expect((await post(bench.deps, yaml("keyed"), "", key)).id).toBe(first.id);
    expect(countersOf(bench).calls["put"]).toBe(1);
  });

  it("of a job that failed starts a new one, which says of which it is the rerun", async () => {
    const bench = await openBench();
    const failing = yaml("keyed", { exitCode: 3 });
    const first = await post(bench.deps, failing, "", key);
    await follow(bench, first.id);
    const second = await post(bench.deps, failing, "", key);
    expect([second.id === first.id, second.body["rerunOf"]]).toEqual([false, first.id]);
    expect((await post(bench.deps, failing, "", key)).id).toBe(second.id);
  });

  it("with another definition is refused with the path that differs, secret values apart", async () => {
    const bench = await openBench();
    const secret = (value: string): string =>
      yaml("keyed").replace(
        "{name: SIM_RUN_SECONDS",
        `{name: TOKEN, secureValue: ${value}}\n          - {name: SIM_RUN_SECONDS`,
      );
    await post(bench.deps, secret("one"), "", key);
    expect((await post(bench.deps, secret("two"), "", key)).body["attached"]).toBe(true);
    const refused = await post(bench.deps, secret("two").replace("app:1", "app:2"), "", key);
    expect([refused.status, refused.body["path"]]).toEqual([422, "properties.containers[0].properties.image"]);
  });

  it("with a definition that had a secret for a property's name is refused without it", async () => {
    const bench = await openBench();
    const misplaced = yaml("keyed").replace("image:", '"PASSWORD=hunter2": x\n        image:');
    expect((await post(bench.deps, misplaced, "", key)).status).toBe(200);
    const { status, body } = await post(bench.deps, yaml("keyed"), "", key);
    expect([status, body["path"]]).toEqual([422, "properties.containers[0].properties.?"]);
    expect(JSON.stringify(body)).not.toContain("hunter2");
  });

  it("of a job whose definition is no longer kept is refused for another name all the same", async () => {
    const bench = await openBench();
    const { id } = await post(bench.deps, yaml("keyed"), "", key);
    const sealed = { definition: undefined, callbacks: undefined };
    await bench.deps.jobs.change(id, (job) => ({ job, sealed }));
    expect((await post(bench.deps, yaml("keyed"), "", key)).id).toBe(id);
    const refused = await post(bench.deps, yaml("other"), "", key);
    expect([refused.status, refused.body["path"]]).toEqual([422, "name"]);
  });

  it("belongs to one of many callers at once", async () => {
    const bench = await openBench();
    const replies = await Promise.all(Array.from({ length: 8 }, () => post(bench.deps, yaml("keyed"), "", key)));
    expect(new Set(replies.map(({ id }) => id)).size).toBe(1);
    expect(replies.filter(({ body }) => body["attached"] !== true)).toHaveLength(1);
  });
});

describe("a message on the queue", () => {
  it("gives the queue's own id of it to the row, where no member of its text hides that id", async () => {
    const bench = await openBench();
    await deliver(bench.deps, yaml("posted"), { id: "message-7" });
    await deliver(bench.deps, JSON.stringify(["no definition"]), { id: "message-8" });
    await deliver(bench.deps, { version: 1, id: "6f9619ff-8b86-4011-b42d-00c04fc964ff", definition: yaml("own") });
    const { rows } = await bench.deps.jobs.list(everyJob, 10, undefined);
    expect(rows.map(({ name, messageId }) => [name, messageId]).sort()).toEqual([
      ["own", undefined],
      ["posted", "message-7"],
      ["unnamed", "message-8"],
    ]);
  });

  it("that comes again, even after its job's end, is the same job and starts nothing", async () => {
    const bench = await openBench();
    await deliver(bench.deps, yaml("posted"));
    const first = await get(bench.deps, "posted");
    await follow(bench, first.id);
    await deliver(bench.deps, yaml("posted"), { dequeueCount: 2 });
    await deliver(bench.deps, yaml("posted"), { dequeueCount: 3 });
    expect((await get(bench.deps, "posted")).id).toBe(first.id);
    expect(countersOf(bench).deploymentsByGroup).toEqual({
      [Object.keys(countersOf(bench).deploymentsByGroup)[0] ?? ""]: 1,
    });
    expect((await post(bench.deps, yaml("posted"))).status).toBe(200);
  });

  it("with a poster's own id is found by it, and a known id is never run again", async () => {
    const bench = await openBench({}, countedCalls);
    const id = "6f9619ff-8b86-4011-b42d-00c04fc964ff";
    expect((await get(bench.deps, id)).status).toBe(404);
    const envelope = { version: 1, id, definition: yaml("posted") };
    await deliver(bench.deps, envelope);
    await deliver(bench.deps, envelope, { id: "message-2" });
    expect((await get(bench.deps, id)).body["name"]).toBe("posted");
    expect(told((await cost(bench, () => get(bench.deps, id))).calls)).toEqual(["table GET jobs"]);
    const byHttp = await post(bench.deps, JSON.stringify(envelope));
    expect([byHttp.id, byHttp.body["attached"]]).toEqual([id, true]);
    expect(countersOf(bench).calls["put"]).toBe(1);
  });

  it("with an id that the service gave is that job, also once it has ended and nothing of it is reserved", async () => {
    const bench = await openBench();
    bench.clock.advance(second);
    const { id } = await post(bench.deps, yaml("first"));
    await follow(bench, id, ({ phase }) => hasEnded(phase) && phase.tidy);
    const envelope = { version: 1, id, definition: yaml("second") };
    await deliver(bench.deps, envelope);
    await deliver(bench.deps, { ...envelope, definition: "{" }, { id: "message-2" });
    await deliver(bench.deps, { ...envelope, definition: 1 }, { id: "message-3" });
    const byHttp = await post(bench.deps, JSON.stringify(envelope));
    expect(byHttp.body).toMatchObject({ id, name: "first", state: "Succeeded", attached: true });
    const { body } = await ask(jobs(bench.deps), {});
    expect(body["jobs"]).toMatchObject([{ id, name: "first" }]);
    expect(countersOf(bench).calls["put"]).toBe(1);
  });

  it("is canceled by a cancel that came before it", async () => {
    const bench = await openBench();
    const id = parsedId("6f9619ff-8b86-4011-b42d-00c04fc964fe");
    await deliver(bench.deps, { version: 1, op: "cancel", id: id.toUpperCase() });
    await deliver(bench.deps, { version: 1, id, definition: yaml("too-late") });
    expect((await jobOf(bench.deps, id)).phase).toMatchObject({
      state: "Canceled",
      verdict: { reason: "CanceledByCaller" },
    });
    expect(countersOf(bench).calls["put"]).toBeUndefined();
  });

  it("is canceled by a cancel of the id that follows from it, too", async () => {
    const bench = await openBench();
    const id = deriveJobId(start, "message-1");
    await deliver(bench.deps, { version: 1, op: "cancel", id }, { id: "message-2" });
    await deliver(bench.deps, yaml("too-late"), { id: "message-1" });
    expect((await jobOf(bench.deps, id)).phase).toMatchObject({
      state: "Canceled",
      verdict: { reason: "CanceledByCaller" },
    });
    expect(countersOf(bench).calls["put"]).toBeUndefined();
  });

  it("that attaches to another job is found by its own id, and its poster is notified of the end", async () => {
    const bench = await openBench({ REPLY_QUEUES: "replies" });
    await bench.storage.queues.getQueueClient("replies").createIfNotExists();
    const first = await post(bench.deps, yaml("shared"));
    const attached = parsedId("6f9619ff-8b86-4011-b42d-00c04fc964fa");
    const envelope = {
      version: 1,
      id: attached,
      definition: yaml("shared"),
      options: { onConflict: "attach" },
      replyTo: { queue: "replies" },
      correlationId: "mine",
    };
    await deliver(bench.deps, envelope);
    await deliver(bench.deps, envelope, { id: "again" });
    expect((await get(bench.deps, attached)).body["id"]).toBe(first.id);
    await follow(bench, first.id);
    const told = (await messagesIn(bench.storage, "replies")).map((text) => JSON.parse(text) as object);
    expect(told).toMatchObject([
      {
        id: `${first.id}/finished/${attached}`,
        subject: first.id,
        data: { id: first.id, correlationId: "mine", state: "Succeeded" },
      },
    ]);
  });

  it("that attaches to a job which has notified its callers of its end is the only one notified", async () => {
    const bench = await openBench({ CALLBACK_HOSTS: "adf.example" });
    const called: string[] = [];
    const call = (uri: string): Promise<number> => Promise.resolve(called.push(uri) && 200);
    const own = { ...bench, deps: { ...bench.deps, post: call } };
    const posted = (n: number) =>
      post(own.deps, `${yaml("told")}\ncallBackUri: https://adf.example/${n}`, "", { "idempotency-key": "told" });
    const { id } = await posted(1);
    expect((await posted(2)).id).toBe(id);
    await follow(own, id);
    expect(called.toSorted()).toEqual(["https://adf.example/1", "https://adf.example/2"]);
    expect((await posted(3)).id).toBe(id);
    await reconcile(own.deps, id, { at: undefined });
    expect(called.slice(2)).toEqual(["https://adf.example/3"]);
    expect((await jobOf(own.deps, id)).callback).toMatchObject({ state: "delivered" });
  });

  it("POSTed under a known id calls every address that was given for it, and answers its replyTo once", async () => {
    const bench = await openBench({ CALLBACK_HOSTS: "adf.example", REPLY_QUEUES: "replies" });
    await bench.storage.queues.getQueueClient("replies").createIfNotExists();
    const called: string[] = [];
    const call = (uri: string): Promise<number> => Promise.resolve(called.push(uri) && 200);
    const own = { ...bench, deps: { ...bench.deps, post: call } };
    for (const id of ["6f9619ff-8b86-4011-b42d-00c04fc964f7", "01a22c8e-ca12-75a6-bc31-4ad8ad705d6e"]) {
      const posted = (attempt: number) => {
        const callBackUri = `https://adf.example/${id}/${attempt}`;
        const envelope = { version: 1, id, definition: yaml("web-hook"), replyTo: { queue: "replies" }, callBackUri };
        return post(own.deps, JSON.stringify(envelope));
      };
      expect((await posted(1)).body["attached"]).toBeUndefined();
      expect((await posted(2)).body).toMatchObject({ id, attached: true });
      expect((await posted(2)).body).toMatchObject({ id, attached: true });
      await follow(own, parsedId(id), ({ phase }) => hasEnded(phase) && phase.tidy);
      expect(called.splice(0).toSorted()).toEqual([1, 2].map((attempt) => `https://adf.example/${id}/${attempt}`));
    }
    expect(await messagesIn(bench.storage, "replies")).toHaveLength(2);
  });

  it("is refused when a hundred have joined that job, and before their addresses fill its row", async () => {
    const bench = await openBench({ REPLY_QUEUES: "replies", CALLBACK_HOSTS: "adf.example" });
    const { id } = await post(bench.deps, yaml("shared"));
    const joining = (more: object) => ({
      version: 1,
      definition: yaml("shared"),
      options: { onConflict: "attach" },
      ...more,
    });
    const address = () => `https://adf.example/${randomBytes(3000).toString("base64url")}`;
    const addresses = JSON.stringify(Array.from({ length: 20 }, address));
    const callbacks = await bench.deps.sealer.seal(addresses, id);
    await bench.deps.jobs.change(id, (job, sealed) => ({
      job: { ...job, joined: Array.from({ length: 99 }, (_, n) => ({ correlationId: String(n) })) },
      sealed: { ...sealed, callbacks },
    }));
    await deliver(bench.deps, joining({ replyTo: { queue: "replies" } }));
    const job = await jobOf(bench.deps, id);
    expect(job.joined).toHaveLength(100);
    const late = parsedId("6f9619ff-8b86-4011-b42d-00c04fc964f1");
    await deliver(bench.deps, joining({ id: late, replyTo: { queue: "replies" } }), { id: "late" });
    expect(await get(bench.deps, late)).toMatchObject({ status: 500, body: { reason: "NameActive" } });
    const refused = await post(bench.deps, `${yaml("shared")}\ncallBackUri: ${address()}`, "onConflict=attach");
    expect(refused).toMatchObject({ status: 409, body: { code: "NameActive", id } });
    expect(await post(bench.deps, yaml("shared"), "onConflict=attach")).toMatchObject({ status: 200, id });
    expect((await jobOf(bench.deps, id)).joined).toHaveLength(100);
  });

  it.each([
    ["a malformed definition", { definition: '{"name":"nobody","properties":5}' }, "InvalidDefinition", "nobody"],
    ["an envelope with faults", { definition: { name: "nobody" }, options: 5 }, "InvalidMessage", "nobody"],
    ["an unknown option", { definition: yaml("nobody"), options: { retries: "many" } }, "InvalidOptions", "nobody"],
    ["a name that is taken", { definition: yaml("taken"), options: { onConflict: "reject" } }, "NameActive", "taken"],
    ["a key of another definition", { definition: yaml("other"), idempotencyKey: "one" }, "KeyReused", "other"],
    ["a dry run", { definition: yaml("nobody"), options: { dryRun: true } }, "InvalidOptions", "nobody"],
  ])(
    "that is refused (%s) leads its poster to a row that says why, and to an event",
    async (_, message, reason, name) => {
      const bench = await openBench({ REPLY_QUEUES: "replies" });
      await bench.storage.queues.getQueueClient("replies").createIfNotExists();
      await post(bench.deps, yaml("taken"), "", { "idempotency-key": "one" });
      const id = parsedId("6f9619ff-8b86-4011-b42d-00c04fc964fd");
      await deliver(bench.deps, { version: 1, id, replyTo: { queue: "replies" }, ...message });
      await deliver(bench.deps, { version: 1, id, replyTo: { queue: "replies" }, ...message }, { id: "again" });
      const job = await jobOf(bench.deps, id);
      expect([job.name, job.phase]).toMatchObject([name, { state: "Failed", verdict: { reason } }]);
      const [told] = (await messagesIn(bench.storage, "replies")).map((text) => JSON.parse(text) as object);
      expect(told).toMatchObject({ data: { id, name, state: "Failed", reason } });
      expect(await bench.deps.jobs.index.has(id)).toBe(false);
    },
  );

  it("under the id of a job that runs is refused, and that job goes on", async () => {
    const bench = await openBench();
    const id = parsedId("6f9619ff-8b86-4011-b42d-00c04fc964fc");
    await deliver(bench.deps, { version: 1, id, definition: yaml("first") });
    await deliver(bench.deps, { version: 1, id, definition: 5 }, { id: "message-2" });
    expect(await bench.deps.jobs.index.has(id)).toBe(true);
    expect((await follow(bench, id)).phase.state).toBe("Succeeded");
  });

  it("with members that no envelope has is taken, with a warning", async () => {
    const bench = await openBench();
    const id = parsedId("6f9619ff-8b86-4011-b42d-00c04fc964fb");
    await deliver(bench.deps, { version: 1, id, definition: yaml("odd"), callBackAddress: "https://example.com" });
    expect((await jobOf(bench.deps, id)).warnings).toMatchObject([{ path: "callBackAddress" }]);
    const odd = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`${n}${"x".repeat(300)}`, n]));
    const many = await post(bench.deps, JSON.stringify({ version: 1, definition: yaml("odder"), ...odd }));
    expect(many.status).toBe(200);
    const { warnings } = await jobOf(bench.deps, many.id);
    expect(warnings.map(({ path }) => path)).toEqual(Array.from({ length: 50 }, () => "member"));
  });

  it.each([
    ["no definition", "name: [", "InvalidDefinition"],
    ["an unknown option", { version: 1, definition: yaml("posted"), options: { pooling: true } }, "InvalidOptions"],
    ["an envelope that lacks everything", { version: 1 }, "InvalidMessage"],
    [
      "a blob whose name no address can have",
      { version: 1, definitionBlob: "aci-definitions/\ud800" },
      "InvalidMessage",
    ],
    ["a blob that is not there", { version: 1, definitionBlob: "aci-definitions/none.yaml" }, "InvalidMessage"],
  ])("that can never work (%s) ends as a Failed row that says why", async (_, message, reason) => {
    const bench = await openBench();
    await deliver(bench.deps, message);
    const { rows } = await bench.deps.jobs.list(
      { states: undefined, name: undefined, columns: {}, since: undefined, until: undefined },
      10,
      undefined,
    );
    expect(rows).toMatchObject([{ state: "Failed", reason }]);
  });

  it("of a newer release is sent again, later, and never judged", async () => {
    const bench = await openBench();
    await deliver(bench.deps, { version: 2, shape: "unknown" });
    expect(await bench.deps.queues.length(queueNames.jobs)).toBe(1);
    const { rows } = await bench.deps.jobs.list(
      { states: undefined, name: undefined, columns: {}, since: undefined, until: undefined },
      10,
      undefined,
    );
    expect(rows).toEqual([]);
  });

  it("may bring its definition in a blob", async () => {
    const bench = await openBench();
    const text = yaml("blobbed");
    await bench.storage.blobs
      .getContainerClient("aci-definitions")
      .getBlockBlobClient("a/b.yaml")
      .upload(text, text.length);
    await deliver(bench.deps, { version: 1, definitionBlob: "aci-definitions/a/b.yaml" });
    expect((await follow(bench, (await get(bench.deps, "blobbed")).id)).phase.state).toBe("Succeeded");
  });

  it("may not bring it in a blob of the archive tier: its row says where to move it", async () => {
    const bench = await openBench();
    const blob = bench.storage.blobs.getContainerClient("aci-definitions").getBlockBlobClient("old.yaml");
    const text = yaml("archived");
    await blob.upload(text, text.length);
    await blob.setAccessTier("Archive");
    const id = jobId();
    await deliver(bench.deps, { version: 1, id, definitionBlob: "aci-definitions/old.yaml" });
    expect((await get(bench.deps, id)).body).toMatchObject({ state: "Failed", reason: "InvalidMessage" });
    expect((await get(bench.deps, id)).body.message).toContain("archive tier");
  });
});

describe("storage in trouble while a job is accepted", () => {
  const cutting = (which: (call: ProxiedCall) => boolean, when: keyof Gate): Gate => ({
    [when]: (call: ProxiedCall) => (which(call) ? "cut" : "pass"),
  });
  const isRow = ({ method, url }: ProxiedCall): boolean => method === "POST" && url.pathname.endsWith("/jobs");
  const isMessage = ({ service, method }: ProxiedCall): boolean => service === "queue" && method === "POST";

  it("a row that can't be written: 503, and nothing runs; the reservation gives way to the next", async () => {
    const gate = cutting(isRow, "before");
    const bench = await openBench({}, gate);
    const refused = await post(bench.deps, yaml("bellaciao"));
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "10"]);
    delete gate.before;
    const next = await post(bench.deps, yaml("bellaciao"));
    expect(next.status).toBe(200);
    expect((await follow(bench, next.id)).phase.state).toBe("Succeeded");
  });

  it("a row whose answer got lost is read back: the job is accepted", async () => {
    const bench = await openBench({}, cutting(isRow, "after"));
    const accepted = await post(bench.deps, yaml("bellaciao"));
    expect(accepted.status).toBe(200);
    expect(accepted.body["attached"]).toBeUndefined();
    expect((await follow(bench, accepted.id)).phase.state).toBe("Succeeded");
  });

  it("a row that comes late is waited for: a caller that attaches by name finds its job, and makes no second one", async () => {
    const isLookAtName = ({ method, url }: ProxiedCall): boolean => method === "GET" && url.pathname.includes("hold_");
    let looks = 0;
    let enough = (): void => undefined;
    const looked = new Promise<void>((resolve) => (enough = resolve));
    const bench = await openBench(
      {},
      {
        before: async (call): Promise<"pass"> => {
          if (isLookAtName(call) && ++looks === 15) enough();
          if (isRow(call)) await looked;
          return "pass";
        },
      },
    );
    const both = await Promise.all([1, 2].map(() => post(bench.deps, yaml("bellaciao"), "onConflict=attach")));
    expect(new Set(both.map(({ id }) => id)).size).toBe(1);
    expect(both.map(({ body }) => body["attached"] ?? false).sort()).toEqual([false, true]);
  });

  it("a message that can't be sent is still a 2xx: the timer requeues the job", async () => {
    const bench = await openBench({}, cutting(isMessage, "before"));
    const accepted = await post(bench.deps, yaml("bellaciao"));
    expect(accepted.status).toBe(200);
    bench.clock.advance(minute);
    const due = [];
    for await (const { id, checkAt } of bench.deps.jobs.index.watched()) if (checkAt <= bench.clock.now()) due.push(id);
    expect(due).toEqual([accepted.id]);
  });

  it("status on the Location of a 202 goes on polling: only the job's own end ends a poll", async () => {
    const gate: Gate = {};
    const bench = await openBench({}, gate);
    const { id, headers } = await post(bench.deps, yaml("bellaciao"), "polling=true");
    expect(headers.get("location")).toBe(`http://localhost:7071/api/status/${id}?poll=1`);
    gate.before = () => "cut";
    const polled = await get(bench.deps, id, "poll=1");
    expect([polled.status, polled.body.state, polled.id]).toEqual([202, "Unknown", id]);
    expect((await get(bench.deps, id)).status).toBe(503);
  });
});

it("the message of an accepted job carries its id alone", async () => {
  const bench = await openBench();
  const { id } = await post(bench.deps, yaml("bellaciao"));
  expect(await messagesIn(bench.storage, queueNames.jobs)).toEqual([JSON.stringify({ version: 1, op: "run", id })]);
});
