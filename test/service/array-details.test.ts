/** What is easily overlooked of arrays: secret items, a new priority, why nothing runs. */
import { expect, it } from "vitest";
import { z } from "zod";
import { getGroup } from "../../src/http/operate/groups.ts";
import { setPriority } from "../../src/http/operate/priority.ts";
import { second } from "../../src/shared/base/duration.ts";
import { hasEnded } from "../../src/shared/job/job.ts";
import { parseJobId, type JobId } from "../../src/shared/base/ids.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { childrenOf, followAll, postArray } from "./arrays-kit.ts";
import { ask, del, get, groupsOf, jobOf, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

useAzurite();

it("what a program writes of a secret item is masked, though the definition has only more than the item", async () => {
  const bench = await openBench({ MASK_OUTPUT: "true" });
  const more = `
          - {name: TOKEN, secureValue: "pre-\${item}-post"}`;
  const { id } = await post(bench.deps, yaml("nightly", { output: "it is ${item}", more }), 'array=["hunter2-token"]');
  await followAll(bench);
  const [child] = await childrenOf(bench, id);
  const { body } = await get(bench.deps, child?.id ?? "");
  expect(body["containers"]).toMatchObject({ app: { output: expect.stringContaining("it is ***") as unknown } });
});

it("an array's priority is that of its children, of those that wait too", async () => {
  const bench = await openBench();
  const { deps, clock } = bench;
  const array = await postArray(bench, { size: 4, parallelism: 3, query: "group=g&groupLimit=1" });
  await reconcile(deps, array, { at: undefined });
  clock.advance(second);
  const [first, ...others] = await childrenOf(bench, array);
  if (first === undefined) throw new Error("The array made no child.");
  await reconcile(deps, first.id, { at: undefined });
  const { id: rival } = await post(deps, yaml("rival"), "group=g&groupLimit=1&priority=60");
  for (const id of [rival, ...others.map((child) => child.id)]) await reconcile(deps, id, { at: undefined });
  const waiting = async (): Promise<JobId[]> => {
    const shown = await ask(getGroup(deps), { params: { group: "g" } });
    return z
      .array(z.looseObject({ id: z.string() }))
      .parse(shown.body["waiting"])
      .flatMap(({ id }) => parseJobId(id) ?? []);
  };
  expect((await waiting())[0]).toBe(rival);
  expect((await ask(setPriority(deps), { params: { id: array }, text: '{"priority":3600}' })).status).toBe(200);
  expect((await waiting()).at(-1)).toBe(rival);
  await followAll(bench);
  expect((await childrenOf(bench, array)).map(({ options }) => options.priority)).toEqual([3600, 3600, 3600, 3600]);
});

/** The children have got their messages. */
async function requeued(bench: Bench, id: JobId): Promise<void> {
  for (let looks = 0; looks < 5; looks++) {
    for (const child of await childrenOf(bench, id)) await reconcile(bench.deps, child.id, { at: undefined });
    bench.clock.advance(30 * second);
  }
}

it("a DELETE of an array takes the groups of its children that are kept, whether it runs or has ended", async () => {
  const bench = await openBench();
  const { deps } = bench;
  const text = yaml("nightly", { seconds: 0 }).replace('value: "0"', 'value: "${item}"');
  const { id } = await post(deps, text, 'array=["10","3600","3600"]&keep=always');
  await followAll(bench, async () => (await deps.jobs.outcomesOf(await jobOf(deps, id))).kept === 1);
  expect((await del(deps, id, "polling=true")).status).toBe(202);
  await followAll(bench, async () => hasEnded((await jobOf(deps, id)).phase));
  await requeued(bench, id);
  expect(groupsOf(bench)).toEqual([]);

  const ended = await postArray(bench, { size: 2, name: "weekly", query: "keep=always" });
  await followAll(bench, async () => hasEnded((await jobOf(deps, ended)).phase));
  expect(groupsOf(bench)).toHaveLength(2);
  expect(await del(deps, ended, "polling=true")).toMatchObject({ status: 202, body: { groupDeleted: false } });
  expect((await get(deps, ended, "poll=1&until=deleted")).status).toBe(202);
  await requeued(bench, ended);
  expect(groupsOf(bench)).toEqual([]);
  expect((await get(deps, ended, "poll=1&until=deleted")).status).toBe(200);
  expect(await del(deps, ended)).toMatchObject({ status: 200, body: { groupDeleted: true } });
});

it("an array says what its children wait for, until the first of them starts", async () => {
  const bench = await openBench();
  bench.aci.faults.add({
    match: { kind: "put" },
    effect: { type: "status", status: 400, code: "InaccessibleImage" },
    probability: 1,
  });
  const id = await postArray(bench, { size: 3, parallelism: 2 });
  await reconcile(bench.deps, id, { at: undefined });
  const children = await childrenOf(bench, id);
  for (const child of children) await reconcile(bench.deps, child.id, { at: undefined });
  const [first] = await childrenOf(bench, id);
  if (first === undefined) throw new Error("The array made no child.");
  const { body } = await get(bench.deps, first.id);
  expect(body["reason"]).not.toBe("Accepted");
  await reconcile(bench.deps, id, { at: undefined });
  expect((await get(bench.deps, id)).body).toMatchObject({ state: "Queued", reason: body["reason"] });
});
