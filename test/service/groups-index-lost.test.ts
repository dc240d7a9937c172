import { HttpRequest, InvocationContext } from "@azure/functions";
import { expect, it } from "vitest";
import { putGroup } from "../../src/http/operate/groups.ts";
import { reindex } from "../../src/http/operate/reindex.ts";
import { minute, second } from "../../src/shared/base/duration.ts";
import type { JobId } from "../../src/shared/base/ids.ts";
import { runPass } from "../../src/workers/sweep/pass.ts";
import { reconcileEach } from "./groups-kit.ts";
import { ask, follow, indexOf, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

/** Somebody wiped the table `jobindex`, and with it the slots of groups, who waits for one, and what operators said. */
useAzurite();

async function submit(bench: Bench, name: string, query: string): Promise<JobId> {
  const reply = await post(bench.deps, yaml(name, { seconds: 600 }), query);
  expect(reply.status, reply.body.message).toBe(200);
  bench.clock.advance(second);
  return reply.id;
}

async function steer(bench: Bench, group: string, body: object): Promise<number | undefined> {
  const request = new HttpRequest({
    method: "PUT",
    url: `http://localhost/api/groups/${group}`,
    params: { group },
    body: { string: JSON.stringify(body) },
  });
  const reply = await putGroup(bench.deps)(request, new InvocationContext());
  return reply instanceof Object && "status" in reply ? reply.status : undefined;
}

const isRunning = ({ phase }: { readonly phase: { readonly state: string } }): boolean => phase.state === "Running";

async function wipe(bench: Bench): Promise<void> {
  for (const key of await indexOf(bench)) await bench.storage.table("jobindex").deleteEntity("jobs", key);
}

async function rebuild({ deps }: Bench): Promise<void> {
  expect((await ask(reindex(deps), { text: "" })).status).toBe(200);
}

/** Of the index, what is about groups. */
async function groupsIn({ deps }: Bench, group: string) {
  const { entry, queue } = await deps.groups.view(group);
  const slots = await deps.groups.slots(group, 100);
  const { held = 0, limit, paused = false } = entry ?? {};
  return { held, limit, paused, slots: slots.map(({ id }) => id), line: queue.map(({ id }) => id) };
}

it("a rebuilt index has the slots, the line in its order and its limits, and what operators said", async () => {
  const bench = await openBench();
  expect(await steer(bench, "wide/g_1", { limit: 2 })).toBe(200);
  expect(await steer(bench, "idle", { limit: 7, paused: true })).toBe(200);
  expect(await steer(bench, "given-back", { limit: 7 })).toBe(200);
  expect(await steer(bench, "given-back", { limit: null })).toBe(200);
  const query = "group=wide/g_1&groupLimit=5";
  const kept = (await post(bench.deps, yaml("kept"), `${query}&keep=always`)).id;
  await follow(bench, kept, ({ slotLeft }) => slotLeft === true);
  const runs = [await submit(bench, "first", query), await submit(bench, "second", `${query}&onGroupFull=reject`)];
  for (const id of runs) await follow(bench, id, isRunning);
  const waits = [
    await submit(bench, "third", "group=wide/g_1&groupLimit=1"),
    await submit(bench, "fourth", query),
    await submit(bench, "urgent", `${query}&priority=600`),
  ];
  await reconcileEach(bench, ...waits);
  const [third, fourth, urgent] = waits;
  const before = await groupsIn(bench, "wide/g_1");
  expect(before).toEqual({ held: 2, limit: 2, paused: false, slots: runs, line: [urgent, third, fourth] });

  await wipe(bench);
  expect(await steer(bench, "wide/g_1", { limit: 9 })).toBe(503);
  await rebuild(bench);
  expect(await groupsIn(bench, "wide/g_1")).toEqual(before);
  expect(await groupsIn(bench, "idle")).toMatchObject({ held: 0, limit: 7, paused: true });
  expect(await groupsIn(bench, "given-back")).toMatchObject({ held: 0, limit: undefined, paused: false });
  const queued = (await bench.deps.groups.view("wide/g_1")).queue;
  expect(queued.map(({ limit }) => limit)).toEqual([5, 1, 5]);

  const [first] = runs;
  if (first === undefined) throw new Error("no jobs");
  await follow(bench, first);
  expect(await groupsIn(bench, "wide/g_1")).toMatchObject({ held: 2, line: [third, fourth] });
  for (let passes = 0; passes < 2; passes++) {
    bench.clock.advance(minute);
    await runPass(bench.deps, "timer");
  }
  expect(await groupsIn(bench, "wide/g_1")).toMatchObject({ held: 2, limit: 2, line: [third, fourth] });
});

it("of a job between two attempts a rebuilt index has the slot", async () => {
  const bench = await openBench();
  const query = "group=g&groupLimit=1&retries=1";
  const between = (await post(bench.deps, yaml("again", { exitCode: 1 }), query)).id;
  await follow(bench, between, ({ phase, attempt }) => attempt === 2 && phase.state === "Queued");
  await wipe(bench);
  await rebuild(bench);
  expect(await groupsIn(bench, "g")).toMatchObject({ held: 1, slots: [between] });
  await follow(bench, between);
  expect(await groupsIn(bench, "g")).toMatchObject({ held: 0, slots: [] });
});

it("the sweep repairs the copy of what an operator said by the group's entry, and an entry that is gone by its copy", async () => {
  const bench = await openBench();
  await steer(bench, "lost", { limit: 3 });
  await steer(bench, "changed", { limit: 3 });
  await steer(bench, "by-an-older-release", { limit: 4 });
  const [index, control] = [bench.storage.table("jobindex"), bench.storage.table("control")];
  await index.deleteEntity("jobs", "group_lost_entry");
  await index.updateEntity({ partitionKey: "jobs", rowKey: "group_changed_entry", limit: 5 }, "Merge");
  await control.deleteEntity("group", "group_by-an-older-release_entry");
  await runPass(bench.deps, "timer");
  const copies = [...(await bench.deps.groupCheck.copies())].map(([group, { limit }]) => [group, limit]);
  expect(Object.fromEntries(copies)).toEqual({ lost: 3, changed: 5, "by-an-older-release": 4 });
  expect(await groupsIn(bench, "lost")).toMatchObject({ held: 0, limit: 3 });
});
