import { expect, it } from "vitest";
import { minute, second } from "../../src/shared/base/duration.ts";
import { deriveJobId, type JobId } from "../../src/shared/base/ids.ts";
import { hasEnded } from "../../src/shared/job/job.ts";
import { runPass } from "../../src/workers/sweep/pass.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { start } from "../kit/kit.ts";
import {
  countedCalls,
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
} from "./kit.ts";

useAzurite();

const idOf = (messageId: string): JobId => deriveJobId(start, messageId);
const stateOf = async ({ deps }: Bench, name: string): Promise<unknown> => {
  const { body } = await get(deps, name);
  return [body.state, body["reason"]];
};
const pass = async (bench: Bench): Promise<void> => {
  bench.clock.advance(minute);
  await runPass(bench.deps, "timer");
};

it("MAX_ACTIVE_JOBS holds under 50 calls at once, by two instances", async () => {
  const bench = await openBench({ MAX_ACTIVE_JOBS: "7" });
  const instances = [bench.deps, await bench.again()];
  const replies = await Promise.all(
    Array.from({ length: 50 }, (_, n) => post(instances[n % 2] ?? bench.deps, yaml(`job-${n}`))),
  );
  const count = (status: number): number => replies.filter((reply) => reply.status === status).length;
  expect([count(200), count(429)]).toEqual([7, 43]);
});

it("MAX_ACTIVE_PER_NAME holds under 20 calls at once, and other names go on", async () => {
  const bench = await openBench({ MAX_ACTIVE_PER_NAME: "3" });
  const replies = await Promise.all(
    Array.from({ length: 20 }, () => post(bench.deps, yaml("Same"), "uniqueName=true")),
  );
  expect(replies.filter(({ status }) => status === 200)).toHaveLength(3);
  expect((await post(bench.deps, yaml("other"))).status).toBe(200);
});

it("a job that has ended counts no more, though its group is kept", async () => {
  const bench = await openBench({ MAX_ACTIVE_JOBS: "1" });
  const { id } = await post(bench.deps, yaml("kept"), "keep=always");
  expect((await post(bench.deps, yaml("second"))).status).toBe(429);
  await follow(bench, id, ({ phase }) => hasEnded(phase));
  expect(groupsOf(bench)).toHaveLength(1);
  expect((await post(bench.deps, yaml("second"))).status).toBe(200);
});

it("a call that repeats its Idempotency-Key is attached, not refused", async () => {
  const bench = await openBench({ MAX_ACTIVE_JOBS: "1" });
  const key = { "idempotency-key": "once" };
  const first = await post(bench.deps, yaml("only"), "", key);
  expect(await post(bench.deps, yaml("only"), "", key)).toMatchObject({ status: 200, id: first.id });
});

it("posted messages above it are rows at once, begin in their order when others end, and are never overtaken", async () => {
  const bench = await openBench({ MAX_ACTIVE_JOBS: "1" });
  const { deps, clock } = bench;
  for (const [n, id] of ["one", "two", "three"].entries())
    await deliver(deps, yaml(id), { id, insertedAt: start + n * second });
  expect(await stateOf(bench, "two")).toEqual(["Queued", "TooManyJobs"]);
  expect(await stateOf(bench, "three")).toEqual(["Queued", "TooManyJobs"]);
  await follow(bench, idOf("one"));
  const ids = ["two", "three"].map((id, n) => ({ id: deriveOf(id, n + 1), name: id }));
  // The last in the line does not begin before the first, whoever looks at it first; and no call by HTTP either.
  await reconcile(deps, deriveOf("three", 2), { at: undefined });
  expect(await stateOf(bench, "three")).toEqual(["Queued", "TooManyJobs"]);
  expect((await post(deps, yaml("late"))).status).toBe(429);
  for (const { id } of ids) {
    await reconcile(deps, id, { at: undefined });
    expect((await follow(bench, id)).phase.state).toBe("Succeeded");
  }
  expect((await post(deps, yaml("late"))).status).toBe(200);
  expect(clock.now()).toBeGreaterThan(start);
});

const deriveOf = (messageId: string, n: number): JobId => deriveJobId(start + n * second, messageId);

it("the clock of a job that waits for capacity runs, and a cancel reaches it", async () => {
  const bench = await openBench({ MAX_ACTIVE_JOBS: "1" });
  const { deps, clock } = bench;
  await deliver(deps, yaml("long", { seconds: 3600 }), { id: "long" });
  await deliver(deps, { version: 1, definition: yaml("late"), options: { queueTimeout: "PT10M" } }, { id: "late" });
  await deliver(deps, yaml("unwanted"), { id: "unwanted" });
  expect((await del(deps, "unwanted")).status).toBe(200);
  clock.advance(11 * minute);
  for (const id of ["late", "unwanted"]) await reconcile(deps, idOf(id), { at: undefined });
  expect((await jobOf(deps, idOf("late"))).phase.state).toBe("TimedOut");
  expect((await jobOf(deps, idOf("unwanted"))).phase.state).toBe("Canceled");
});

it("the sweep calls up who was forgotten, and counts anew what a crash left behind", async () => {
  const bench = await openBench({ MAX_ACTIVE_JOBS: "2", MAX_ACTIVE_PER_NAME: "2" }, countedCalls);
  const { deps } = bench;
  for (const id of ["one", "two", "three"]) await deliver(deps, yaml(id), { id });
  const waiting = (await Promise.all(["one", "two", "three"].map((name) => jobOf(deps, idOf(name))))).find(
    ({ line }) => line !== undefined,
  );
  if (waiting === undefined) throw new Error("nobody waits");
  for (const name of ["one", "two", "three"]) if (name !== waiting.name) await follow(bench, idOf(name));
  await pass(bench);
  const checks = bench.calls().filter(({ method, url, service }) => {
    return service === "queue" && method === "POST" && url.pathname.endsWith("/aci-wake/messages");
  });
  expect(checks.some(({ body }) => body.includes(waiting.id))).toBe(true);
  await reconcile(deps, waiting.id, { at: undefined });
  expect((await follow(bench, waiting.id)).phase.state).toBe("Succeeded");
  await pass(bench);
  for (const name of ["four", "five"]) expect((await post(deps, yaml(name))).status).toBe(200);
  expect((await post(deps, yaml("six"))).status).toBe(429);
});

it("the sweep reconciles who waits itself where the queue delivers nothing", async () => {
  const bench = await openBench({ MAX_ACTIVE_JOBS: "1" });
  const { deps } = bench;
  await deliver(deps, yaml("one"), { id: "one" });
  await deliver(deps, yaml("two"), { id: "two" });
  await follow(bench, idOf("one"));
  for (let passes = 0; passes < 4; passes++) await pass(bench);
  expect((await jobOf(deps, idOf("two"))).phase.state).not.toBe("Queued");
});

it("a ceiling that is taken away lets all in", async () => {
  const bench = await openBench({ MAX_ACTIVE_JOBS: "1" });
  for (const id of ["one", "two"]) await deliver(bench.deps, yaml(id), { id });
  const without = await bench.again({ MAX_ACTIVE_JOBS: "" });
  for (const id of ["one", "two"]) await reconcile(without, idOf(id), { at: undefined });
  for (const id of ["one", "two"]) expect((await jobOf(without, idOf(id))).line).toBeUndefined();
});

it("a job that waits for a ceiling does not get a name for which others wait, who have their places below it", async () => {
  const bench = await openBench({ MAX_ACTIVE_PER_NAME: "1" });
  const { deps } = bench;
  const { ids, send } = posting(bench);
  await send("kept", { keep: "always" });
  await follow(bench, idIn(ids, 0), ({ phase }) => hasEnded(phase));
  // The second one has the only place, and waits until the first one's group is gone; the third has a head start.
  await send("second", {});
  await send("urgent", { priority: 600 });
  expect(await stateOf(bench, idIn(ids, 1))).toEqual(["Queued", "NameBusy"]);
  expect(await stateOf(bench, idIn(ids, 2))).toEqual(["Queued", "TooManyJobs"]);
  for (const id of ids) await follow(bench, id);
  expect(await Promise.all(ids.map(async (id) => (await jobOf(deps, id)).phase.state))).toEqual(
    ids.map(() => "Succeeded"),
  );
  expect((await indexOf(bench)).filter((key) => /^(hold|wait|job)_/.test(key))).toEqual([]);
});

it("a job that waits for a ceiling and has its name does not wait for one that waits for that name", async () => {
  const bench = await openBench({ MAX_ACTIVE_JOBS: "1" });
  const { deps } = bench;
  const { ids, send } = posting(bench);
  await send("one", {}, "first");
  await send("rejecting", { onConflict: "reject" });
  await send("urgent", { priority: 600 });
  await follow(bench, idIn(ids, 0));
  await reconcile(deps, idIn(ids, 2), { at: undefined });
  expect(await stateOf(bench, idIn(ids, 2))).toEqual(["Queued", "NameBusy"]);
  expect((await messagesIn(bench.storage)).some((text) => text.includes(idIn(ids, 1)))).toBe(true);
  await reconcile(deps, idIn(ids, 1), { at: undefined });
  for (const id of ids) await follow(bench, id);
  expect(await Promise.all(ids.map(async (id) => (await jobOf(deps, id)).phase.state))).toEqual(
    ids.map(() => "Succeeded"),
  );
  expect((await indexOf(bench)).filter((key) => /^(hold|wait|job)_/.test(key))).toEqual([]);
});

it("jobs that wait for an array's name keep its children from no place below a ceiling", async () => {
  const bench = await openBench({ MAX_ACTIVE_JOBS: "2", MAX_ACTIVE_PER_NAME: "2" });
  const { deps } = bench;
  const { ids, send } = posting(bench);
  await send("array", { array: 3, parallelism: 1 });
  for (const id of ["again", "and again", "and yet again"]) await send(id, {});
  expect(await stateOf(bench, idIn(ids, 1))).toEqual(["Queued", "NameBusy"]);
  for (let passes = 0; passes < 40; passes++) {
    await pass(bench);
    for await (const { id } of deps.jobs.index.watched()) await reconcile(deps, id, { at: undefined });
    const begun = groupsOf(bench).length;
    expect(begun).toBeLessThanOrEqual(1);
  }
  expect(await Promise.all(ids.map(async (id) => (await jobOf(deps, id)).phase.state))).toEqual(
    ids.map(() => "Succeeded"),
  );
  expect((await indexOf(bench)).filter((key) => /^(hold|wait|job)_/.test(key))).toEqual([]);
});

/** Posts one message after the other, a second apart; the ids of their jobs, in that order. */
function posting({ deps, clock }: Bench) {
  const ids: JobId[] = [];
  const send = async (id: string, options: object, name = "nightly"): Promise<void> => {
    clock.advance(second);
    const insertedAt = clock.now();
    ids.push(deriveJobId(insertedAt, id));
    await deliver(deps, { version: 1, definition: yaml(name), options }, { id, insertedAt });
  };
  return { ids, send };
}

function idIn(ids: readonly JobId[], at: number): JobId {
  const id = ids[at];
  if (id === undefined) throw new Error("There are not as many jobs.");
  return id;
}
