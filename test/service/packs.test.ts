import { HttpRequest, InvocationContext } from "@azure/functions";
import { expect, it } from "vitest";
import { results } from "../../src/http/jobs/results.ts";
import { logs } from "../../src/http/logs.ts";
import { rerun } from "../../src/http/operate/rerun.ts";
import { day, minute, second } from "../../src/shared/base/duration.ts";
import { cancel } from "../../src/shared/intake/cancel.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { sweepRetention } from "../../src/workers/sweep/retention.ts";
import { aliveIn, followAll } from "./arrays-kit.ts";
import { ask, countersOf, get, groupsOf, jobOf, openBench, useAzurite } from "./kit.ts";
import { itemsOf, packsOf, packYaml, postPacks, type SimulatedItem } from "./packs-kit.ts";

useAzurite();

const items = (count: number, of: (index: number) => SimulatedItem = () => ({})): readonly SimulatedItem[] =>
  Array.from({ length: count }, (_, index) => of(index));

const repeated = (text: string, times: number): string[] => Array.from({ length: times }, () => text);

it("an array of packs runs each of its items once, several in a group, and ends with their sums", async () => {
  const bench = await openBench();
  const id = await postPacks(bench, items(8), { query: "pack=3&parallelism=2" });
  let most = 0;
  await followAll(bench, async () => {
    most = Math.max(most, aliveIn(await packsOf(bench, id)));
    return false;
  });
  const { phase, array } = await jobOf(bench.deps, id);
  const packs = await packsOf(bench, id);
  expect(phase).toMatchObject({ state: "Succeeded", verdict: { reason: "Completed" } });
  expect(array).toMatchObject({ made: 8, counts: { Succeeded: 8 }, packing: { next: 3 } });
  expect(most).toBe(2);
  expect(packs.map(({ groupName, containers }) => [groupName, ...containers.map(({ name }) => name)])).toEqual([
    ["nightly-p0", "app-0", "app-1", "app-2"],
    ["nightly-p1", "app-3", "app-4", "app-5"],
    ["nightly-p2", "app-6", "app-7"],
  ]);
  expect(Object.values(countersOf(bench).deploymentsByGroup)).toEqual([1, 1, 1]);
  const rows = await itemsOf(bench, id);
  expect(rows.map(({ state }) => state)).toEqual(repeated("Succeeded", 8));
  expect(rows[4]).toMatchObject({ arrayIndex: 4, exitCode: 0, tries: 1, packNumber: 1, container: "app-4" });
  const [first] = packs;
  const captured = first && (await bench.deps.attempts.find(first.id, 1));
  expect(captured?.containers.map(({ result }) => result)).toEqual([{ of: 0 }, { of: 1 }, { of: 2 }]);
  expect(captured?.result).toBeUndefined();
  expect(groupsOf(bench)).toEqual([]);
});

it("items that fail are tried again in a later pack, as often as they may; those that ended with 0 are not", async () => {
  const bench = await openBench();
  const id = await postPacks(
    bench,
    items(6, (index) => ({ exit: index % 3 === 1 ? 7 : 0 })),
    {
      query: "pack=3&retries=2",
    },
  );
  await followAll(bench);
  const { phase, array } = await jobOf(bench.deps, id);
  expect(phase).toMatchObject({ state: "Failed", verdict: { reason: "ChildrenFailed" } });
  expect(array?.counts).toMatchObject({ Succeeded: 4, Failed: 2 });
  expect(array?.failures).toEqual([1, 4].map((index) => ({ index, state: "Failed", reason: "ExitCode", exitCode: 7 })));
  expect((await packsOf(bench, id)).map(({ child }) => child?.items)).toEqual([
    [0, 1, 2],
    [3, 4, 5],
    [1, 4],
    [1, 4],
  ]);
  expect((await itemsOf(bench, id)).map(({ tries, state }) => [tries, state])).toEqual(
    items(6).map((_, index) => (index % 3 === 1 ? [3, "Failed"] : [1, "Succeeded"])),
  );
});

it("what the platform takes from a pack goes on in another, and nothing of it that ended with 0", async () => {
  const bench = await openBench();
  const id = await postPacks(
    bench,
    items(3, (index) => ({ seconds: index === 0 ? 5 : 600 })),
  );
  await followAll(bench, async () => {
    const [pack] = await packsOf(bench, id);
    return pack?.observed.ends.length === 1;
  });
  for (const group of bench.aci.provider.all()) group.deployment.interrupt("Platform");
  await followAll(bench);
  expect((await jobOf(bench.deps, id)).phase.state).toBe("Succeeded");
  expect((await packsOf(bench, id)).map(({ child }) => child?.items)).toEqual([
    [0, 1, 2],
    [1, 2],
  ]);
  expect((await itemsOf(bench, id)).map(({ tries }) => tries)).toEqual([1, 2, 2]);
});

it("runTimeout ends the items that still run, and those alone", async () => {
  const bench = await openBench();
  const id = await postPacks(
    bench,
    items(3, (index) => ({ seconds: index === 2 ? 6000 : 10, exit: index })),
    {
      query: "pack=3&runTimeout=PT5M",
    },
  );
  await followAll(bench);
  expect((await itemsOf(bench, id)).map(({ state, reason, exitCode }) => [state, reason, exitCode])).toEqual([
    ["Succeeded", "Completed", 0],
    ["Failed", "ExitCode", 1],
    ["TimedOut", "RunTimeout", undefined],
  ]);
  expect((await jobOf(bench.deps, id)).array?.counts).toMatchObject({ Succeeded: 1, Failed: 1, TimedOut: 1 });
});

it("with failFast what waits for another try ends as its last one did", async () => {
  const bench = await openBench();
  const id = await postPacks(
    bench,
    items(6, (index) => ({ seconds: index < 3 ? 10 : 6000, exit: index === 1 ? 7 : 0 })),
    {
      query: "pack=3&retries=1&failFast=true",
    },
  );
  await followAll(bench, async () => (await itemsOf(bench, id)).some(({ state }) => state === "Queued"));
  await cancel(bench.deps, id, "somebody");
  await followAll(bench);
  const { phase, array } = await jobOf(bench.deps, id);
  expect(phase.state).toBe("Canceled");
  expect(array?.counts).toMatchObject({ Succeeded: 2, Failed: 1, Canceled: 3 });
  expect((await itemsOf(bench, id)).map(({ state }) => state)).toEqual([
    "Succeeded",
    "Failed",
    "Succeeded",
    ...repeated("Canceled", 3),
  ]);
  expect(groupsOf(bench)).toEqual([]);
});

it("under OnFailure an item that ended with 0 is known as such when its pack ends otherwise", async () => {
  const bench = await openBench();
  const id = await postPacks(
    bench,
    items(2, (index) => ({ seconds: index === 0 ? 5 : 6000 })),
    {
      query: "pack=2&runTimeout=PT5M",
      text: packYaml("nightly", { restartPolicy: "OnFailure" }),
    },
  );
  await followAll(bench);
  expect((await itemsOf(bench, id)).map(({ state }) => state)).toEqual(["Succeeded", "TimedOut"]);
});

it("a pack that an interrupted step had made already is made once", async () => {
  const bench = await openBench();
  const id = await postPacks(bench, items(4), { query: "pack=2" });
  await reconcile(bench.deps, id, { at: undefined });
  await bench.deps.jobs.change(id, (job) => {
    const { array } = job;
    if (array?.packing === undefined) return undefined;
    const packs = array.packing.packs.map((pack) => ({ ...pack, at: job.createdAt }));
    return { job: { ...job, array: { ...array, packing: { ...array.packing, packs } } } };
  });
  await followAll(bench);
  expect(Object.values(countersOf(bench).deploymentsByGroup)).toEqual([1, 1]);
  expect((await jobOf(bench.deps, id)).array?.counts).toMatchObject({ Succeeded: 4 });
});

it("results are by item, whatever pack it was in, and stay when the array has ended", async () => {
  const bench = await openBench();
  const id = await postPacks(
    bench,
    items(5, (index) => ({ exit: index === 1 ? 7 : 0 })),
    { query: "pack=3&retries=1" },
  );
  await followAll(bench);
  const last = (await packsOf(bench, id)).at(-1);
  const asked = await ask(results(bench.deps), { query: "from=1&top=2", params: { id } });
  expect(asked.body).toMatchObject({
    size: 5,
    results: [
      { index: 1, id: last?.id, state: "Failed", reason: "ExitCode", exitCode: 7, result: { of: 1 } },
      { index: 2, state: "Succeeded", exitCode: 0, result: { of: 2 } },
    ],
  });
  const failed = await ask(results(bench.deps), { query: "state=Failed", params: { id } });
  expect(failed.body).toMatchObject({ results: [{ index: 1 }] });
  const { status, body } = await get(bench.deps, id);
  expect(status).toBe(500);
  expect(body.message).toBe("nightly Failed: 1 of 5: #1 exit 7 ExitCode.");
  expect(body).toMatchObject({
    array: { size: 5, succeeded: 4, failed: 1, active: 0 },
    results: [0, 1, 2, 3, 4].map((index) => ({ index, result: { of: index } })),
  });
});

it("logs are by index: those of the item's container in the pack that had it last", async () => {
  const bench = await openBench();
  const id = await postPacks(
    bench,
    items(3, (index) => ({ exit: index === 2 ? 7 : 0 })),
    { query: "pack=3&retries=1" },
  );
  const textOf = async (index: number): Promise<unknown> => {
    const request = new HttpRequest({
      method: "GET",
      url: "http://localhost/api/logs",
      query: { index: String(index) },
      params: { idOrName: id },
    });
    const reply = await logs(bench.deps)(request, new InvocationContext());
    return reply instanceof Object && "body" in reply ? reply.body : undefined;
  };
  await followAll(bench, async () => (await jobOf(bench.deps, id)).phase.state === "Running");
  expect(await textOf(1)).toContain('{"of": 1}');
  await followAll(bench);
  expect(await textOf(2)).toContain('{"of": 2}');
  expect(await textOf(0)).not.toContain('{"of": 1}');
});

it("what came of items goes with the packs, after the time that rows stay", async () => {
  const bench = await openBench({ ROW_RETENTION: "P2D", LOG_RETENTION: "P1D", DEFINITION_RETENTION: "P1D" });
  const id = await postPacks(bench, items(4), { query: "pack=2" });
  await followAll(bench);
  bench.clock.advance(5 * day);
  for (let cursor: string | undefined, n = 0; n < 10; n++) {
    const end = await sweepRetention(bench.deps, bench.clock.now() + minute, cursor);
    cursor = end.kind === "failed" ? undefined : end.cursor;
  }
  const rows: unknown[] = [];
  for await (const row of bench.storage.table("jobs").listEntities()) rows.push(row);
  expect(rows).toEqual([]);
  expect(await bench.deps.jobs.find(id)).toBeUndefined();
});

it("a rerun packs the items that failed, and no others", async () => {
  const bench = await openBench();
  const id = await postPacks(
    bench,
    items(9, (index) => ({ exit: index % 4 === 1 ? 7 : 0 })),
    { query: "pack=3" },
  );
  await followAll(bench);
  bench.clock.advance(second);
  const strict = await bench.again({ POLICY_MAX_CONTAINERS: "1" });
  const refused = await ask(rerun(strict), { params: { id }, text: "" });
  expect([refused.status, refused.body.message]).toEqual([
    400,
    expect.stringContaining("POLICY_MAX_CONTAINERS allows 1"),
  ]);
  const again = await ask(rerun(bench.deps), { params: { id }, text: "" });
  expect(again.status).toBe(200);
  await followAll(bench);
  expect((await packsOf(bench, again.id)).map(({ child }) => child?.items)).toEqual([[1, 5]]);
  expect((await jobOf(bench.deps, again.id)).array).toMatchObject({ counts: { Failed: 2 }, packing: { next: 1 } });
});
