import { expect, it } from "vitest";
import { minute } from "../../src/shared/base/duration.ts";
import type { Log, LogFields } from "../../src/shared/base/log.ts";
import { noTelemetry, type Telemetry } from "../../src/shared/base/telemetry.ts";
import { cancel } from "../../src/shared/intake/cancel.ts";
import { nothingEnded } from "../../src/shared/job/array-outcomes.ts";
import { hasEnded } from "../../src/shared/job/job.ts";
import { outcomesAction } from "../../src/shared/store/array-outcomes.ts";
import { arrayPartition } from "../../src/shared/store/job-row.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { aliveIn, childrenOf, endedOf, followAll, postArray } from "./arrays-kit.ts";
import { results } from "../../src/http/jobs/results.ts";
import { ask, countersOf, get, groupsOf, indexOf, jobOf, openBench, post, useAzurite, yaml } from "./kit.ts";

useAzurite();

it("an array runs each of its children once, no more than its parallelism at a time, and ends with their sums", async () => {
  const bench = await openBench();
  const id = await postArray(bench, { size: 7, parallelism: 3 });
  let most = 0;
  const states = new Set<string>();
  await followAll(bench, async () => {
    most = Math.max(most, aliveIn(await childrenOf(bench, id)));
    states.add((await jobOf(bench.deps, id)).phase.state);
    return false;
  });
  const array = await jobOf(bench.deps, id);
  const children = await childrenOf(bench, id);
  expect(array).toMatchObject({
    phase: { state: "Succeeded", verdict: { reason: "Completed" } },
    array: { made: 7, counts: { Succeeded: 7 } },
  });
  expect(most).toBe(3);
  expect([...states]).toEqual(["Queued", "Running", "Succeeded"]);
  expect(children.map(({ groupName, phase }) => `${groupName} ${phase.state}`)).toEqual(
    Array.from({ length: 7 }, (_, index) => `nightly-${index} Succeeded`),
  );
  expect(Object.values(countersOf(bench).deploymentsByGroup)).toEqual(Array.from({ length: 7 }, () => 1));
  const billed = children
    .flatMap(({ attempts }) => attempts)
    .reduce((sum, { provisioningAt = 0, finishedAt }) => sum + finishedAt - provisioningAt, 0);
  expect(array.array?.vcpuSeconds).toBeCloseTo(billed / 1000, 3);
  expect(groupsOf(bench)).toEqual([]);
  expect((await indexOf(bench)).filter((key) => /^(job|hold|wait)_/.test(key))).toEqual([]);
});

it("an array whose children fail ends Failed, and knows which", async () => {
  const bench = await openBench();
  const id = await postArray(bench, { size: 3, text: yaml("nightly", { exitCode: 7 }) });
  await followAll(bench);
  const { phase, array } = await jobOf(bench.deps, id);
  expect(phase).toMatchObject({ state: "Failed", verdict: { reason: "ChildrenFailed" } });
  expect(array?.failures.map(({ index, exitCode }) => [index, exitCode])).toEqual([
    [0, 7],
    [1, 7],
    [2, 7],
  ]);
});

it("an array that has begun says what its children wait for while no child runs", async () => {
  const bench = await openBench();
  const id = await postArray(bench, { size: 3, query: "group=db&groupLimit=1" });
  const ended = async (): Promise<number> => endedOf(await jobOf(bench.deps, id));
  await followAll(bench, async () => (await ended()) === 1);
  await bench.deps.groups.steer("db", { paused: true });
  const shows = async (): Promise<string | undefined> => (await jobOf(bench.deps, id)).array?.waiting?.reason;
  await followAll(bench, async () => (await shows()) !== undefined);
  expect((await get(bench.deps, id)).body).toMatchObject({
    state: "Running",
    reason: "GroupFull",
    waiting: { reason: "GroupFull" },
    message: expect.stringMatching(/^nightly: [12] of 3 ended; no child runs: GroupFull\. /) as unknown,
  });
  await bench.deps.groups.steer("db", { paused: false });
  await followAll(bench, async () => (await ended()) === 3);
  expect(await shows()).toBeUndefined();
});

it("an array that has begun says that the service is paused while no child is left", async () => {
  const bench = await openBench();
  const id = await postArray(bench, { size: 2, parallelism: 1 });
  await followAll(bench, async () => (await jobOf(bench.deps, id)).phase.state === "Running");
  await bench.deps.control.pause("a test", bench.clock.now());
  const shows = async () => (await jobOf(bench.deps, id)).array?.waiting;
  await followAll(bench, async () => (await shows()) !== undefined);
  const before = await shows();
  for (let n = 0; n < 3; n++) {
    bench.clock.advance(minute);
    await reconcile(bench.deps, id, { at: undefined });
  }
  expect([before?.reason, await shows()]).toEqual(["Paused", before]);
  await bench.deps.control.resume();
  await followAll(bench);
  expect((await jobOf(bench.deps, id)).phase.state).toBe("Succeeded");
});

/** The first item succeeds. */
const failing = yaml("nightly", { exitCode: "${index}" });

it("with minSuccess an array succeeds that has enough", async () => {
  const bench = await openBench();
  const id = await postArray(bench, { size: 2, minSuccess: 1, text: failing });
  await followAll(bench);
  expect((await jobOf(bench.deps, id)).phase.state).toBe("Succeeded");
});

it("with failFast the first failure cancels the rest, and nothing more is made", async () => {
  const bench = await openBench();
  const id = await postArray(bench, {
    size: 50,
    parallelism: 4,
    failFast: true,
    text: yaml("nightly", { exitCode: 7 }),
  });
  await followAll(bench);
  const { phase, array } = await jobOf(bench.deps, id);
  expect(phase.state).toBe("Failed");
  expect(array?.made).toBeLessThan(10);
  expect(groupsOf(bench)).toEqual([]);
});

it("a canceled array makes no more children and ends when those that exist have ended", async () => {
  const bench = await openBench();
  const id = await postArray(bench, { size: 20, parallelism: 4, text: yaml("nightly", { seconds: 600 }) });
  await followAll(bench, async () => (await jobOf(bench.deps, id)).phase.state === "Running");
  await cancel(bench.deps, id, "somebody");
  await reconcile(bench.deps, id, { at: undefined });
  expect(hasEnded((await jobOf(bench.deps, id)).phase)).toBe(false);
  await followAll(bench);
  const job = await jobOf(bench.deps, id);
  expect(job.phase).toMatchObject({ state: "Canceled", verdict: { reason: "CanceledByCaller" } });
  expect(job.array).toMatchObject({ made: 4, counts: { Canceled: 4 } });
  expect(endedOf(job)).toBe(4);
  expect(groupsOf(bench)).toEqual([]);
});

it("a child that was made while its array ended creates nothing", async () => {
  const bench = await openBench();
  const id = await postArray(bench, { size: 2, parallelism: 2 });
  await reconcile(bench.deps, id, { at: undefined });
  await bench.deps.jobs.change(id, (job) => ({
    job: { ...job, cancel: { at: bench.clock.now(), reason: "CanceledByCaller" } },
  }));
  for (const child of await childrenOf(bench, id)) {
    await reconcile(bench.deps, child.id, { at: undefined });
    expect((await jobOf(bench.deps, child.id)).phase).toMatchObject({
      state: "Canceled",
      verdict: { reason: "CanceledByCaller" },
    });
  }
  expect(countersOf(bench).deploymentsByGroup).toEqual({});
});

it("an array that only some indexes of run makes those", async () => {
  const bench = await openBench();
  const id = await postArray(bench, {
    size: 100,
    only: [
      [3, 4],
      [77, 77],
    ],
  });
  await followAll(bench);
  expect((await childrenOf(bench, id)).map(({ child }) => child?.index)).toEqual([3, 4, 77]);
  expect((await jobOf(bench.deps, id)).phase.state).toBe("Succeeded");
});

it("an array that ends in time cancels what is left of it when its time is over", async () => {
  const bench = await openBench();
  const id = await postArray(bench, { size: 3, text: yaml("nightly", { seconds: 6000 }), query: "timeout=PT5M" });
  await followAll(bench);
  expect((await jobOf(bench.deps, id)).phase).toMatchObject({
    state: "TimedOut",
    verdict: { reason: "DeadlineExceeded" },
  });
  expect(groupsOf(bench)).toEqual([]);
});

it("each child runs its item, and results say which", async () => {
  const bench = await openBench();
  const text = yaml("nightly", { exitCode: "${item.code}", output: "hello ${item.who}" });
  const items = [
    { who: "ann", code: 0 },
    { who: "${item.code}", code: 3 },
  ];
  const { id } = await post(bench.deps, JSON.stringify({ version: 1, definition: text, options: { array: items } }));
  await followAll(bench);
  const { body } = await ask(results(bench.deps), { params: { id } });
  expect(body).toMatchObject({
    results: [
      { index: 0, item: items[0], state: "Succeeded", exitCode: 0 },
      { index: 1, item: items[1], state: "Failed", exitCode: 3 },
    ],
  });
  const status = await get(bench.deps, id);
  expect([status.status, status.body.message]).toEqual([500, expect.stringContaining("1 of 2: #1 exit 3")]);
});

it("each second of an array is counted once in log and metrics, with the child that took it", async () => {
  const ended: LogFields[] = [];
  const counts: number[] = [];
  const telemetry: Telemetry = {
    ...noTelemetry,
    count: (name, by) => {
      if (name === "aciproxy.jobs.vcpu") counts.push(by);
    },
  };
  const log: Log = (_level, event, fields = {}) => {
    if (event === "job ended") ended.push(fields);
  };
  const bench = await openBench({}, undefined, { log, telemetry });
  const id = await postArray(bench, { size: 2 });
  await followAll(bench);
  const seconds = (await jobOf(bench.deps, id)).array?.vcpuSeconds ?? 0;
  expect(seconds).toBeGreaterThan(10);
  const sum = (values: readonly unknown[]): number =>
    values.reduce<number>((total, each) => total + Number(each ?? 0), 0);
  expect(ended).toHaveLength(3);
  expect(sum(ended.map(({ vcpuSeconds }) => vcpuSeconds))).toBeCloseTo(seconds, 3);
  expect(sum(counts)).toBeCloseTo(seconds, 3);
});

it("of an array twenty finished groups stay, and no more", async () => {
  const bench = await openBench();
  const id = await postArray(bench, { size: 2, query: "keep=always" });
  const { createdAt } = await jobOf(bench.deps, id);
  const counted = { ...nothingEnded, kept: 19 };
  await bench.storage
    .table("jobs")
    .submitTransaction([
      outcomesAction(
        { partitionKey: arrayPartition(id, createdAt) },
        { outcomes: nothingEnded, etag: undefined },
        counted,
      ),
    ]);
  await followAll(bench, async () => hasEnded((await jobOf(bench.deps, id)).phase) && groupsOf(bench).length === 1);
  const children = await childrenOf(bench, id);
  expect(children.map(({ phase }) => phase.state)).toEqual(["Succeeded", "Succeeded"]);
  expect(children.filter((child) => child.yield)).toHaveLength(1);
});
