import { expect, it } from "vitest";
import { childJobId, type JobId } from "../../src/shared/base/ids.ts";
import { nothingEnded } from "../../src/shared/job/array-outcomes.ts";
import { queueNames } from "../../src/shared/store/queues.ts";
import { outcomesAction } from "../../src/shared/store/array-outcomes.ts";
import { arrayPartition } from "../../src/shared/store/job-row.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { aliveIn, childrenOf, postArray } from "./arrays-kit.ts";
import { countedCalls, follow, jobOf, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

useAzurite();

/** Calls to storage while that is done, by what they do to what; without what all jobs of an instance share. */
async function callsOf(bench: Bench, work: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = bench.calls().length;
  await work();
  const counted: Record<string, number> = {};
  for (const { method, url, service } of bench.calls().slice(before)) {
    const what = url.pathname.split("/")[2]?.replace(/\(.*/, "") ?? "";
    if (what === "control") continue;
    const key = `${method} ${service} ${what}`;
    counted[key] = (counted[key] ?? 0) + 1;
  }
  return counted;
}

function difference(more: Record<string, number>, less: Record<string, number>): Record<string, number> {
  const keys = [...new Set([...Object.keys(more), ...Object.keys(less)])];
  const all = keys.map((key): [string, number] => [key, (more[key] ?? 0) - (less[key] ?? 0)]);
  return Object.fromEntries(all.filter(([, count]) => count !== 0));
}

it("making a child takes four calls to storage", async () => {
  const bench = await openBench({}, countedCalls);
  const few = await postArray(bench, { size: 2, name: "few" });
  const many = await postArray(bench, { size: 12, name: "many" });
  const [first, second] = [
    await callsOf(bench, () => reconcile(bench.deps, few, { at: undefined })),
    await callsOf(bench, () => reconcile(bench.deps, many, { at: undefined })),
  ];
  expect(difference(second, first)).toMatchObject({
    "GET table jobs": 10,
    "POST table $batch": 10,
    "POST table jobs": 10,
    "POST queue aci-wake": 10,
  });
});

it("to look at an array costs the same with 10 and with 10,000 children", async () => {
  const bench = await openBench({}, countedCalls);
  const costs = [];
  for (const size of [10, 10_000]) {
    const id = await postArray(bench, { size, made: size, name: `nightly-${size}` });
    const { createdAt } = await jobOf(bench.deps, id);
    const ended = {
      ...nothingEnded,
      ends: "S".repeat(size - 1),
      counts: { ...nothingEnded.counts, Succeeded: size - 1 },
    };
    const key = { partitionKey: arrayPartition(id, createdAt) };
    await bench.storage
      .table("jobs")
      .submitTransaction([outcomesAction(key, { outcomes: nothingEnded, etag: undefined }, ended)]);
    costs.push(await callsOf(bench, () => reconcile(bench.deps, id, { at: undefined })));
    expect((await jobOf(bench.deps, id)).array?.counts.Succeeded).toBe(size - 1);
  }
  expect(costs[1]).toEqual(costs[0]);
});

it("a child costs what a job costs, a read of its array and of the counts, and a message to its array", async () => {
  const bench = await openBench({}, countedCalls);
  const id = await postArray(bench, { size: 1 });
  await reconcile(bench.deps, id, { at: undefined });
  const child = childJobId(id, (await jobOf(bench.deps, id)).createdAt, 0);
  const { id: plain } = await post(bench.deps, yaml("plain"), "onConflict=wait");
  const run = (job: JobId): Promise<Record<string, number>> => callsOf(bench, () => follow(bench, job));
  const ordinary = await run(plain);
  const more = difference(await run(child), ordinary);
  // Its last save is a transaction.
  expect(more).toMatchObject({ "GET table jobs": 2, "POST queue aci-wake": 1, "PUT table jobs": -1 });
  expect(Object.values(more).reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(3);
});

it("an array is requeued once for children that end together", async () => {
  const bench = await openBench({}, countedCalls);
  const { deps, clock } = bench;
  const id = await postArray(bench, { size: 20, parallelism: 10, text: yaml("nightly", { seconds: 60 }) });
  await reconcile(deps, id, { at: undefined });
  const reconcileAll = async (): Promise<void> => {
    const children = await childrenOf(bench, id);
    await Promise.all(children.map((child) => reconcile(deps, child.id, { at: undefined })));
  };
  for (let n = 0; n < 3; n++) {
    await reconcileAll();
    clock.advance(5000);
  }
  clock.advance(60_000);
  const before = bench.calls().length;
  await reconcileAll();
  expect(aliveIn(await childrenOf(bench, id))).toBe(0);
  const sent = bench
    .calls()
    .slice(before)
    .filter(
      ({ method, url, body }) => method === "POST" && url.pathname.includes(queueNames.wake) && body.includes(id),
    );
  expect(sent).toHaveLength(1);
});
