/** What is kept of an array's children goes with their array, and the index is rebuilt with them. */
import { expect, it } from "vitest";
import { day, hour, minute, second } from "../../src/shared/base/duration.ts";
import type { Job } from "../../src/shared/job/job.ts";
import { readProgress } from "../../src/shared/store/index-rebuild.ts";
import type { RunEnd } from "../../src/shared/store/periodic-runs.ts";
import { sweepRetention } from "../../src/workers/sweep/retention.ts";
import { start } from "../kit/kit.ts";
import { arrayOf, childOf, endedAs, insertAll, insertEnded } from "./array-rows-kit.ts";
import { countedCalls, indexOf, openBench, useAzurite, type Bench } from "./kit.ts";

useAzurite();

const keysOf = async ({ storage }: Bench, table: string): Promise<readonly string[]> => {
  const keys: string[] = [];
  for await (const { rowKey } of storage.table(table).listEntities()) keys.push(rowKey ?? "");
  return keys;
};
const pass = ({ deps }: Bench, cursor?: string): Promise<RunEnd> => sweepRetention(deps, deps.now() + minute, cursor);
const ended = (array: Job): Job => endedAs(array, "Succeeded");

/** An array with children, each of which has a log and an attempt. */
async function fill({ deps }: Bench, children: number): Promise<Job> {
  const array = arrayOf(children);
  for (let index = 0; index < children; index++) {
    const child = childOf(array, index);
    await insertEnded(deps, child, "Succeeded");
    await deps.attempts.save(child.id, { attempt: 1, containers: [] });
    await deps.blobs.logs.capture(child.id, 1, "app1", "2026-11-24T08:00:00Z a line\n", {
      container: "ended",
      restarted: false,
    });
  }
  await insertAll(deps, [ended(array)]);
  return array;
}

it("the logs of children go when their array's are due", async () => {
  const bench = await openBench();
  const { deps, clock } = bench;
  const array = await fill(bench, 3);
  const { id } = childOf(array, 2);
  expect((await deps.blobs.logs.tail(id, 1, "app1", 100)).length).toBeGreaterThan(0);
  clock.advance(deps.settings.logRetention + day);
  expect((await pass(bench)).kind).toBe("completed");
  expect(await deps.blobs.logs.tail(id, 1, "app1", 100)).toBe("");
  expect((await deps.jobs.find(id))?.job.id).toBe(id);
});

it("all of an array's partition goes before its row, also in several passes", async () => {
  const bench = await openBench({}, countedCalls);
  const { deps, clock } = bench;
  const array = arrayOf(230);
  const children = Array.from({ length: 230 }, (_, index) => endedAs(childOf(array, index), "Succeeded"));
  await insertAll(deps, [ended(array), ...children.slice(1)]);
  await insertEnded(deps, childOf(array, 0), "Failed");
  clock.advance(deps.settings.logRetention + day);
  await pass(bench);
  clock.advance(deps.settings.rowRetention);
  // Its time is up once the first hundred rows are gone.
  const batches = (): number => bench.calls().filter(({ url }) => url.pathname.includes("$batch")).length;
  const before = batches();
  const hurried = { ...deps, now: () => clock.now() + (batches() > before ? hour : 0) };
  const first = await sweepRetention(hurried, clock.now() + minute, undefined);
  expect(first.kind).toBe("unfinished");
  const left = await keysOf(bench, "jobs");
  expect(left.length).toBeLessThan(232);
  expect(left.some((key) => key.endsWith(array.id))).toBe(true);
  expect((await pass(bench, first.kind === "failed" ? undefined : first.cursor)).kind).toBe("completed");
  expect(await keysOf(bench, "jobs")).toEqual([]);
});

it("an array's row stays while a child's group may exist, and with it goes what the children left elsewhere", async () => {
  const bench = await openBench();
  const { deps, storage, clock } = bench;
  const array = await fill(bench, 2);
  const { id } = childOf(array, 1);
  const stored = await deps.jobs.find(id);
  if (stored === undefined || stored.job.phase.state !== "Succeeded") return expect.fail("The child is there.");
  await deps.jobs.save(stored, { ...stored.job, phase: { ...stored.job.phase, group: "present" } });
  clock.advance(deps.settings.rowRetention + day);
  await pass(bench);
  expect(await keysOf(bench, "jobs")).toHaveLength(3);
  const again = await deps.jobs.find(id);
  if (again) await deps.jobs.save(again, stored.job);
  clock.advance(day + second);
  await pass(bench);
  expect([await keysOf(bench, "jobs"), await keysOf(bench, "attempts")]).toEqual([[], []]);
  const names: string[] = [];
  for await (const { name } of storage.blobs.getContainerClient("aci-logs").listBlobsFlat()) names.push(name);
  expect(names).toEqual([]);
});

it("a rebuilt index has an array and its children, under the array's name alone; slots are the children's", async () => {
  const bench = await openBench();
  const { deps, storage } = bench;
  const options = { ...arrayOf(2).options, group: "etl", groupLimit: 5 };
  const array = arrayOf(2, { options });
  const live = childOf(array, 0, { options, phase: { state: "Running", startedAt: start }, firstCreateAt: start });
  await insertAll(deps, [array, live]);
  await insertEnded(deps, childOf(array, 1, { options }), "Failed");
  await storage.table("jobindex").deleteTable();
  const { found } = await deps.jobs.unfinished(start - day, undefined);
  expect(found.map(({ id }) => id).toSorted()).toEqual([array.id, live.id].toSorted());

  const rebuild = deps.rebuild;
  let progress = readProgress(undefined, deps.now());
  while (progress.pass !== "whole") progress = await rebuild.step(progress, Infinity);
  const keys = (await indexOf(bench)).filter((key) => /^(job|name|group|hold)_/.test(key));
  expect(keys.filter((key) => key.startsWith("name_")).every((key) => key.endsWith(array.id))).toBe(true);
  expect(keys).toContain(`job_${live.id}`);
  expect(keys.filter((key) => key.includes("_slot_"))).toEqual([`group_etl_slot_${live.id}`]);
});
