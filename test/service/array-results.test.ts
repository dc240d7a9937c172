/** What came of each index of an array: in pages, in its final status, and in its children's logs. */
import { HttpRequest, InvocationContext } from "@azure/functions";
import { expect, it } from "vitest";
import { z } from "zod";
import { job as record } from "../../src/http/jobs/record.ts";
import { results } from "../../src/http/jobs/results.ts";
import { logs } from "../../src/http/logs.ts";
import { nothingEnded, withResult } from "../../src/shared/job/array-outcomes.ts";
import type { Job } from "../../src/shared/job/job.ts";
import { captureArray } from "../../src/workers/reconcile/array-results.ts";
import { job, jobId } from "../kit/kit.ts";
import { arrayOf, childOf, endedAs, insertAll } from "./array-rows-kit.ts";
import { ask, countedCalls, get, openBench, useAzurite, type Bench, type Reply } from "./kit.ts";

useAzurite();

const page = z.looseObject({
  size: z.number(),
  results: z.array(z.looseObject({ index: z.number() })),
  continuation: z.string().optional(),
});
const asked = ({ deps }: Bench, id: string, query = ""): Promise<Reply> =>
  ask(results(deps), { params: { id }, query });
const pageOf = async (bench: Bench, id: string, query = ""): Promise<z.infer<typeof page>> =>
  page.parse((await asked(bench, id, query)).body);
const indexes = (read: z.infer<typeof page>): readonly number[] => read.results.map(({ index }) => index);

/** Six of ten indexes have a job: 0 to 5, of which 1 and 4 failed, and 5 waits. */
function family(): { readonly array: Job; readonly children: readonly Job[] } {
  const failures = [1, 4].map((index) => ({ index, state: "Failed", reason: "ExitCode", exitCode: 7 }) as const);
  const counts = { ...nothingEnded.counts, Succeeded: 3, Failed: 2 };
  const array = arrayOf(10, { array: { made: 6, counts, failures } });
  const children = [0, 1, 2, 3, 4].map((index) => {
    const isFailed = index === 1 || index === 4;
    const child = endedAs(childOf(array, index), isFailed ? "Failed" : "Succeeded", isFailed ? 7 : 0);
    return withResult(child, isFailed ? undefined : { rows: index });
  });
  return { array, children: [...children, childOf(array, 5)] };
}

it("results come by index, filtered, from an index on, and in pages", async () => {
  const bench = await openBench();
  const { array, children } = family();
  await insertAll(bench.deps, [array, ...children]);
  const all = await pageOf(bench, array.id);
  expect(all).toMatchObject({ id: array.id, state: "Running", size: 10 });
  expect(indexes(all)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(all.results[3]).toEqual({
    ...{ index: 3, id: children[3]?.id, state: "Succeeded", reason: "Completed", exitCode: 0 },
    result: { rows: 3 },
  });
  expect(all.results[1]).toMatchObject({ state: "Failed", reason: "ExitCode", exitCode: 7 });
  expect(indexes(await pageOf(bench, array.id, "state=failed"))).toEqual([1, 4]);
  expect(indexes(await pageOf(bench, array.id, "state=active"))).toEqual([5]);
  expect(indexes(await pageOf(bench, array.id, "from=4"))).toEqual([4, 5]);
  const first = await pageOf(bench, array.id, "top=4&from=1");
  const second = await pageOf(bench, array.id, `top=4&from=1&continuation=${first.continuation ?? ""}`);
  expect([indexes(first), indexes(second), second.continuation]).toEqual([[1, 2, 3, 4], [5], undefined]);
  const another = { ...array, id: jobId(7) };
  await insertAll(bench.deps, [another]);
  expect((await asked(bench, another.id, `top=4&continuation=${first.continuation ?? ""}`)).status).toBe(400);
});

it("NDJSON has all results, a line each", async () => {
  const bench = await openBench();
  const { array, children } = family();
  await insertAll(bench.deps, [array, ...children]);
  const url = `http://localhost/api/jobs/${array.id}/results`;
  const request = new HttpRequest({ method: "GET", url, params: { id: array.id }, query: { format: "ndjson" } });
  const { body } = z
    .looseObject({ body: z.custom<AsyncIterable<Uint8Array>>() })
    .parse(await results(bench.deps)(request, new InvocationContext()));
  const lines = (await new Response(ReadableStream.from(body)).text()).trimEnd().split("\n");
  expect(lines.map((line) => z.looseObject({ index: z.number() }).parse(JSON.parse(line)).index)).toEqual([
    0, 1, 2, 3, 4, 5,
  ]);
});

it("a result that is too long for a row is read where it is", async () => {
  const bench = await openBench();
  const { deps } = bench;
  const array = arrayOf(1);
  const long = { text: "x".repeat(9000) };
  const child = withResult(endedAs(childOf(array, 0), "Succeeded"), long);
  expect(child.child).toMatchObject({ resultIn: "attempt" });
  await insertAll(deps, [array, child]);
  await deps.attempts.save(child.id, { attempt: 1, containers: [], result: long });
  expect((await pageOf(bench, array.id)).results).toMatchObject([{ result: long }]);
});

it("a page of long results has at most 2 MiB of them, and the next one goes on behind the last", async () => {
  const bench = await openBench();
  const { deps } = bench;
  const array = arrayOf(12);
  const long = { text: "x".repeat(250_000) };
  const children = Array.from({ length: 12 }, (_, index) =>
    withResult(endedAs(childOf(array, index), index === 11 ? "Failed" : "Succeeded"), index < 10 ? long : undefined),
  );
  await insertAll(deps, [array, ...children]);
  for (const child of children.slice(0, 10))
    await deps.attempts.save(child.id, { attempt: 1, containers: [], result: long });
  const first = await pageOf(bench, array.id, "from=1&top=11");
  const second = await pageOf(bench, array.id, `from=1&top=2&continuation=${first.continuation ?? ""}`);
  const third = await pageOf(bench, array.id, `from=1&top=2&continuation=${second.continuation ?? ""}`);
  expect([first, second, third].map(indexes)).toEqual([[1, 2, 3, 4, 5, 6, 7, 8], [9, 10], [11]]);
  expect(third.continuation).toBeUndefined();
  const only = await pageOf(bench, array.id, "state=succeeded");
  const rest = await pageOf(bench, array.id, `state=succeeded&continuation=${only.continuation ?? ""}`);
  expect([only, rest].map(indexes)).toEqual([
    [0, 1, 2, 3, 4, 5, 6, 7],
    [8, 9, 10],
  ]);
});

it("a job that is no array has no results, and wrong queries are refused", async () => {
  const bench = await openBench();
  const { array, children } = family();
  await insertAll(bench.deps, [array, ...children]);
  expect((await asked(bench, jobId(5))).status).toBe(404);
  expect((await asked(bench, children[0]?.id ?? "")).status).toBe(404);
  for (const query of ["from=10000", "state=bad", "top=0", "format=csv", "format=ndjson&top=5", "continuation=x"])
    expect((await asked(bench, array.id, query)).status, query).toBe(400);
});

it("the status of an array that runs is one read, and says how far it is", async () => {
  const bench = await openBench({}, countedCalls);
  const { deps } = bench;
  const { array, children } = family();
  await insertAll(deps, [array, ...children]);
  const before = bench.calls().length;
  const { status, body } = await get(deps, array.id);
  expect(bench.calls().length - before).toBe(1);
  expect([status, body.message]).toEqual([202, "bellaciao: 5 of 10 ended, 2 failed"]);
  expect(body["array"]).toEqual({
    ...{ size: 10, runs: 10, succeeded: 3, failed: 2, stopped: 0, timedOut: 0, canceled: 0, active: 1 },
    failures: array.array?.failures,
  });
  expect(body["resultsUrl"]).toBe(`${deps.settings.publicUrl}/api/jobs/${array.id}/results`);
  expect(body["containers"]).toBeUndefined();
  const whole = await ask(record(deps), { params: { id: array.id } });
  expect(whole.body).toMatchObject({ array: { size: 10 }, containers: {}, resultsUrl: body["resultsUrl"] });
});

it("the final status has every result that fits, in two reads", async () => {
  const bench = await openBench({}, countedCalls);
  const { deps } = bench;
  const { array, children } = family();
  const verdict = { reason: "ChildrenFailed" } as const;
  const phase = { ...endedAs(array, "Failed").phase, verdict };
  await insertAll(deps, [job({ ...array, phase }), ...children]);
  await captureArray(deps, array);
  const before = bench.calls().length;
  const { status, body } = await get(deps, array.id);
  expect(bench.calls().length - before).toBe(2);
  expect([status, body.message]).toEqual([500, "bellaciao Failed: 2 of 10: #1 exit 7 ExitCode, #4."]);
  expect(body).toMatchObject({ containers: {}, array: { active: 0 } });
  expect(body["results"]).toHaveLength(6);
  expect(body["results"]).toContainEqual({
    index: 0,
    state: "Succeeded",
    reason: "Completed",
    exitCode: 0,
    result: { rows: 0 },
  });
  expect(body["resultsTruncated"]).toBeUndefined();
});

it("a final status has at most 256 KiB of results, and says that there are more", async () => {
  const bench = await openBench();
  const { deps } = bench;
  const array = arrayOf(50, { phase: endedAs(arrayOf(50), "Succeeded").phase });
  const text = "y".repeat(8000);
  const children = Array.from({ length: 50 }, (_, index) =>
    withResult(endedAs(childOf(array, index), "Succeeded"), { text }),
  );
  await insertAll(deps, [array, ...children]);
  await captureArray(deps, array);
  const { body } = await get(deps, array.id);
  const shown = z.array(z.looseObject({ index: z.number() })).parse(body["results"]);
  expect(body["resultsTruncated"]).toBe(true);
  expect(shown.map(({ index }) => index)).toEqual(shown.map((_, n) => n));
  const bytes = Buffer.byteLength(JSON.stringify(shown));
  expect([bytes <= 256 * 1024, bytes > 240 * 1024]).toEqual([true, true]);
});

it("an array's logs are those of the index that is asked for", async () => {
  const bench = await openBench();
  const { deps } = bench;
  const { array, children } = family();
  await insertAll(deps, [array, ...children]);
  const id = children[2]?.id ?? expect.fail("It is there.");
  const container = { container: "ended", restarted: false } as const;
  await deps.blobs.logs.capture(id, 1, "app1", "2026-11-24T08:00:00Z of index 2\n", container);
  const log = (idOrName: string, query: string): Promise<Reply> => ask(logs(deps), { params: { idOrName }, query });
  const read = await log(array.id, "index=2&format=json");
  expect(read.body).toMatchObject({ id, lines: [{ container: "app1", text: "of index 2" }, { mark: true }] });
  for (const query of ["", "index=10", "index=-1"]) expect((await log(array.id, query)).status, query).toBe(400);
  expect((await log(array.id, "index=9")).status).toBe(404);
  expect((await log(id, "index=2")).status).toBe(400);
});
