import { expect, it } from "vitest";
import { minute, second } from "../../src/shared/base/duration.ts";
import { cancelMany } from "../../src/http/operate/cancel-many.ts";
import { rerunMany } from "../../src/http/operate/rerun-many.ts";
import { resume } from "../../src/http/operate/resume.ts";
import type { Deps } from "../../src/shared/deps.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { noProgress } from "../../src/shared/store/bulk-reruns.ts";
import { runPass } from "../../src/workers/sweep/pass.ts";
import { ask, follow, jobOf, openBench, post, useAzurite, yaml } from "./kit.ts";

useAzurite();

it("a cancel of many that takes longer than 20 s is answered 202 with the count so far, and the sweep goes on with it", async () => {
  const bench = await openBench();
  const { deps, clock } = bench;
  const jobs = await Promise.all(Array.from({ length: 30 }, (_, n) => post(deps, yaml(`job-${n}`))));
  // Each reading of the clock takes a second.
  let readings = 0;
  const slow = { ...deps, now: () => clock.now() + readings++ * second };
  const reply = await ask(cancelMany(slow), { text: JSON.stringify({ state: "active" }) });
  expect([reply.status, reply.body["more"]]).toEqual([202, true]);
  expect(Number(reply.body["canceled"])).toBeLessThan(30);
  clock.advance(minute);
  const later = await post(deps, yaml("later"));
  await runPass(deps, "timer");
  for (const { id } of jobs) expect((await jobOf(deps, id)).cancel).toBeDefined();
  expect((await jobOf(deps, later.id)).cancel).toBeUndefined();
  expect(await deps.bulk.all()).toEqual([]);
});

it("a cancel of many whose host dies in its first seconds is finished by the sweep", async () => {
  const bench = await openBench();
  const { deps, clock } = bench;
  const jobs = await Promise.all(Array.from({ length: 16 }, (_, n) => post(deps, yaml(`job-${n}`))));
  const other = await bench.again();
  // The host dies when it has enqueued five of the jobs: nothing of what it waits for comes any more.
  let left = 5;
  const died = new Promise<void>((resolve) => {
    const requeue: Deps["queues"]["requeue"] = (...message) => {
      if (left-- > 0) return deps.queues.requeue(...message);
      resolve();
      return new Promise(() => undefined);
    };
    const queues = Object.assign(Object.create(deps.queues) as Deps["queues"], { requeue });
    void ask(cancelMany({ ...deps, queues }), { text: JSON.stringify({ state: "active" }) });
  });
  await died;
  // While the call may still be at it, the sweep leaves it alone.
  await runPass(other, "timer");
  const canceled = async (): Promise<number> => {
    const all = await Promise.all(jobs.map(({ id }) => jobOf(deps, id)));
    return all.filter(({ cancel }) => cancel !== undefined).length;
  };
  expect(await canceled()).toBeLessThan(16);
  clock.advance(minute);
  await runPass(other, "timer");
  expect(await canceled()).toBe(16);
  expect(await deps.bulk.all()).toEqual([]);
});

it("a cancel of many that storage interrupts is answered 202, and the sweep goes on with it", async () => {
  let fails = false;
  const bench = await openBench({}, { before: ({ service }) => (fails && service === "queue" ? 503 : "pass") });
  const { deps, clock } = bench;
  const jobs = await Promise.all(Array.from({ length: 8 }, (_, n) => post(deps, yaml(`job-${n}`))));
  fails = true;
  const reply = await ask(cancelMany(deps), { text: JSON.stringify({ state: "active" }) });
  fails = false;
  expect([reply.status, reply.body["more"]]).toEqual([202, true]);
  clock.advance(minute);
  await runPass(deps, "timer");
  for (const { id } of jobs) expect((await jobOf(deps, id)).cancel).toBeDefined();
  expect(await deps.bulk.all()).toEqual([]);
});

it("a dry run that storage interrupts fails, since nobody goes on with it", async () => {
  let fails = false;
  // Not the lists, but each row that is read.
  const isRow = (path: string): boolean => path.includes("/jobs(PartitionKey");
  const bench = await openBench({}, { before: ({ url }) => (fails && isRow(url.pathname) ? 503 : "pass") });
  for (const name of ["job-1", "job-2", "job-3"])
    await follow(bench, (await post(bench.deps, yaml(name, { exitCode: 1 }))).id);
  for (const name of ["job-4", "job-5", "job-6"]) await post(bench.deps, yaml(name));
  fails = true;
  for (const [many, state] of [
    [cancelMany(bench.deps), "active"],
    [rerunMany(bench.deps), "Failed"],
  ] as const)
    expect(await ask(many, { text: JSON.stringify({ state, dryRun: true }) })).toMatchObject({ status: 503 });
});

it("a cancel of many finds jobs that were accepted a moment ago, by what their rows say", async () => {
  const { deps } = await openBench();
  const mine = await post(deps, yaml("mine"), "tags=team=data&source=factory/nightly/run/copy");
  const other = await post(deps, yaml("other"), "tags=team=ops&source=factory/daily/run/copy");
  const canceled = async (selection: object): Promise<unknown> =>
    (await ask(cancelMany(deps), { text: JSON.stringify({ ...selection, dryRun: true }) })).body["ids"];
  for (const selection of [{ tag: "team=data" }, { pipeline: "nightly" }, { tag: "team", pipeline: "nightly" }])
    expect(await canceled(selection)).toEqual([mine.id]);
  for (const selection of [{ state: "Queued" }, { state: "active" }, { tag: "team" }])
    expect((await canceled(selection)) as string[]).toHaveLength(2);
  for (const selection of [{ state: "Running" }, { tag: "team=data", pipeline: "daily" }])
    expect(await canceled(selection)).toEqual([]);
  await reconcile(deps, other.id, { at: undefined });
  expect(await canceled({ tag: "team=ops" })).toEqual([other.id]);
  expect(await canceled({ pipeline: "daily", state: "Queued" })).toEqual([]);
});

it("a row that can't be read stops no cancel of the others, and is counted", async () => {
  const { deps, storage } = await openBench();
  const [one, two] = [await post(deps, yaml("one")), await post(deps, yaml("two"))];
  const stored = await deps.jobs.find(one.id);
  if (stored === undefined) throw new Error("no row");
  await storage.table("jobs").updateEntity({ ...stored.key, record: "{" }, "Merge");
  const reply = await ask(cancelMany(deps), { text: JSON.stringify({ state: "active" }) });
  expect(reply.body).toMatchObject({ canceled: 1, unreadable: 1 });
  expect(await deps.bulk.all()).toEqual([]);
  expect((await jobOf(deps, two.id)).cancel).toBeDefined();
});

it("a resume that takes longer than 20 s is answered 202", async () => {
  const { deps, clock } = await openBench();
  await Promise.all(Array.from({ length: 30 }, (_, n) => post(deps, yaml(`job-${n}`))));
  let readings = 0;
  const slow = { ...deps, now: () => clock.now() + readings++ * second };
  expect((await ask(resume(slow), { text: "{}" })).status).toBe(202);
});

it("a cancel or rerun of many with a condition that only a newer release knows waits for that release", async () => {
  const { deps, storage, clock } = await openBench();
  const { id } = await post(deps, yaml("other"));
  const newer = { until: clock.now() + 1, states: ["Queued"], columns: {}, image: "registry.example/mine" };
  const row = { selection: JSON.stringify(newer), progress: JSON.stringify(noProgress), callUntil: new Date(0) };
  for (const partitionKey of ["bulk", "reruns"])
    await storage.table("control").createEntity({ partitionKey, rowKey: "1", ...row });
  clock.advance(minute);
  await runPass(deps, "timer");
  expect((await jobOf(deps, id)).cancel).toBeUndefined();
  for (const partitionKey of ["bulk", "reruns"])
    expect(await storage.table("control").getEntity(partitionKey, "1")).toMatchObject({ progress: row.progress });
});
