/** An array is one job wherever jobs are listed, counted and summed; its children are found by the array alone. */
import { HttpRequest, InvocationContext } from "@azure/functions";
import { expect, it } from "vitest";
import { z } from "zod";
import { jobs } from "../../src/http/jobs/list.ts";
import { summary } from "../../src/http/jobs/summary.ts";
import { minute, second } from "../../src/shared/base/duration.ts";
import { readHealth } from "../../src/shared/health/state.ts";
import { cancelSelected } from "../../src/shared/intake/cancel-selected.ts";
import { dayPartition, jobKey } from "../../src/shared/store/job-row.ts";
import { leaveIndex } from "../../src/workers/reconcile/let-go.ts";
import { jobId, start } from "../kit/kit.ts";
import { arrayOf, childOf, endedAs, enter, insertAll, insertEnded, nothingSealed } from "./array-rows-kit.ts";
import { ask, countedCalls, del, indexOf, openBench, useAzurite, type Bench } from "./kit.ts";

useAzurite();

const page = z.looseObject({
  jobs: z.array(z.looseObject({ id: z.string(), state: z.string(), arrayIndex: z.number().optional() })),
  continuation: z.string().optional(),
});
type Page = z.infer<typeof page>;
const listed = async ({ deps }: Bench, query: string): Promise<Page> =>
  page.parse((await ask(jobs(deps), { query })).body);
const indexes = ({ jobs: rows }: Page) => rows.map(({ arrayIndex }) => arrayIndex);
/** Lines of text, the last of which ends too. */
async function lines({ deps }: Bench, query: Record<string, string>): Promise<readonly string[]> {
  const url = `http://localhost/api/jobs?${new URLSearchParams(query).toString()}`;
  const reply = await jobs(deps)(new HttpRequest({ method: "GET", url, query }), new InvocationContext());
  const { body } = z.looseObject({ body: z.unknown() }).parse(reply);
  const text = typeof body === "string" ? body : await new Response(streamOf(body)).text();
  return text.trimEnd().split(/\r?\n/);
}
const streamOf = (body: unknown): ReadableStream => ReadableStream.from(body as AsyncIterable<Uint8Array>); // as `all` gives it

it("300 children cost their sum once: in a list, in the summary, as CSV and in a query of the day's partition", async () => {
  const bench = await openBench();
  const { deps, storage, clock } = bench;
  const running = arrayOf(300);
  const children = Array.from({ length: 300 }, (_, index) => endedAs(childOf(running, index), "Succeeded"));
  const sums = { vcpuSeconds: 300 * 30, gbSeconds: 300 * 45 };
  const array = arrayOf(300, { phase: endedAs(running, "Succeeded").phase, array: sums });
  await insertAll(deps, [array, ...children]);
  clock.advance(minute);

  expect((await listed(bench, "")).jobs).toMatchObject([{ id: array.id, ...sums }]);
  const { rows } = z.looseObject({ rows: z.unknown() }).parse((await ask(summary(deps), {})).body);
  expect(rows).toMatchObject([{ key: "Succeeded", count: 1, ...sums }]);
  const [head = "", ...rest] = await lines(bench, { format: "csv", all: "true" });
  expect(rest.map((line) => line.split(",").length > 1 && line.includes(array.id))).toEqual([true]);
  expect(head).toContain("vcpuSeconds");
  let sum = 0;
  const filter = `PartitionKey eq '${dayPartition(start)}'`;
  for await (const row of storage.table("jobs").listEntities({ queryOptions: { filter } }))
    sum += Number(row["vcpuSeconds"]);
  expect(sum).toBe(9000);

  const ofArray = await ask(summary(deps), { query: `array=${array.id}` });
  expect(ofArray.body["rows"]).toMatchObject([{ key: "Succeeded", count: 300, ...sums }]);
});

it("array=ID lists its children by index, in pages, with every other filter, in one query", async () => {
  const bench = await openBench({}, countedCalls);
  const { deps, clock } = bench;
  const array = arrayOf(12);
  await deps.jobs.insert(array, nothingSealed);
  for (let index = 0; index < 12; index++)
    if (index % 3 === 0) await insertEnded(deps, childOf(array, index), "Failed");
    else await deps.jobs.insert(childOf(array, index), nothingSealed);
  clock.advance(minute);

  const first = await listed(bench, `array=${array.id}&top=5`);
  const second = await listed(bench, `array=${array.id}&top=5&continuation=${first.continuation ?? ""}`);
  expect(indexes(first)).toEqual([0, 1, 2, 3, 4]);
  expect(indexes(second)).toEqual([5, 6, 7, 8, 9]);
  const another = { ...arrayOf(12), id: jobId(7) };
  await deps.jobs.insert(another, nothingSealed);
  for (const other of [`array=${another.id}&`, ""])
    expect(await ask(jobs(deps), { query: `${other}continuation=${first.continuation ?? ""}` })).toMatchObject({
      status: 400,
    });
  expect(indexes(await listed(bench, `array=${array.id}&state=Failed`))).toEqual([0, 3, 6, 9]);
  expect(indexes(await listed(bench, `array=${array.id}&name=BELLACIAO&since=2026-11-24&fault=program`))).toHaveLength(
    4,
  );
  expect(indexes(await listed(bench, `array=${array.id}&until=2026-11-24`))).toEqual([]);
  expect(await lines(bench, { array: array.id, format: "ndjson", all: "true" })).toHaveLength(12);

  const before = bench.calls().length;
  await listed(bench, `array=${array.id}`);
  const calls = bench.calls().slice(before);
  expect(calls).toHaveLength(2); // its own row, which says whose it is, and the partition
});

it("array=ID of a job that is no array, or that nobody knows, lists nothing", async () => {
  const bench = await openBench();
  const array = arrayOf(1);
  await insertAll(bench.deps, [array, childOf(array, 0)]);
  expect((await listed(bench, `array=${jobId(77)}`)).jobs).toEqual([]);
  expect((await listed(bench, `array=${childOf(array, 0).id}`)).jobs).toEqual([]);
});

it("the jobs that have not ended are the array, or its children where they are asked for", async () => {
  const bench = await openBench();
  const { deps } = bench;
  const array = arrayOf(3);
  const all = [array, childOf(array, 0), childOf(array, 1), endedAs(childOf(array, 2), "Succeeded")];
  await insertAll(deps, all);
  for (const each of all) await enter(deps, each);
  expect((await listed(bench, "state=active")).jobs).toMatchObject([{ id: array.id }]);
  expect(indexes(await listed(bench, `state=active&array=${array.id}`)).toSorted()).toEqual([0, 1]);
});

it("a cancel of many, a name, and health count an array once", async () => {
  const bench = await openBench();
  const { deps, clock } = bench;
  const array = arrayOf(3);
  const waiting = { reason: "NotAuthorized", since: start } as const;
  const children = [0, 1, 2].map((index) =>
    childOf(array, index, { phase: { state: "Queued", refusals: 0, waiting } }),
  );
  await insertAll(deps, [array, ...children]);
  for (const each of [array, ...children]) await enter(deps, each);
  clock.advance(minute);

  const { counts, oldestQueued, blocked } = await readHealth(deps);
  expect([counts.activeJobs, counts.blockedJobs, oldestQueued]).toEqual([1, 1, undefined]);
  expect(Object.values(blocked)).toEqual([1]);
  const selection = { states: undefined, until: clock.now() };
  const { ids } = await cancelSelected(deps, selection, { by: undefined, until: Infinity, dryRun: true });
  expect(ids).toEqual([array.id]);
  const removed = await del(deps, "bellaciao");
  expect([removed.status, removed.id]).toEqual([200, array.id]);
});

it("a child has no entry of its name, and its array leaves what its children took", async () => {
  const bench = await openBench();
  const { deps } = bench;
  const array = arrayOf(2);
  const child = childOf(array, 0);
  const reserved = await deps.jobs.index.reserve({
    ...{ id: child.id, key: jobKey(child.id, child.createdAt), name: child.name, groupName: child.groupName },
    ...{ want: "hold", replaces: false, keyEntry: undefined, foreignId: false, createdAt: child.createdAt },
    ...{ turn: start, checkAt: start, reservedAt: start, columns: {}, further: [] },
  });
  expect(reserved).toBe("reserved");
  await insertEnded(deps, child, "Succeeded");
  await insertEnded(deps, childOf(array, 1), "Failed");
  const stored = await deps.jobs.find(child.id);
  if (stored) await leaveIndex(deps, stored);
  expect((await indexOf(bench)).filter((key) => key.startsWith("name_"))).toEqual([]);
  expect(await deps.jobs.index.has(child.id)).toBe(false);

  const phase = endedAs(array, "Succeeded").phase;
  await deps.jobs.insert({ ...array, phase }, nothingSealed);
  await enter(deps, array);
  const parent = await deps.jobs.find(array.id);
  if (parent) await leaveIndex(deps, parent);
  const history = await deps.jobs.index.historyOf(array.name);
  expect(history.typical).toMatchObject({ runs: 1, start: 5 * second, run: 25 * second });
  expect(history.lastDeleteAt).toBe(start + 40 * second);
  expect((await deps.jobs.peekNewest(array.name))?.job.id).toBe(array.id);
});
