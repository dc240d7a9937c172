/** What there was: filters, exports that run to the end, the summary. On rows as they are written, many of them. */
import {
  HttpRequest,
  HttpResponse,
  InvocationContext,
  type HttpHandler,
  type HttpResponseInit,
} from "@azure/functions";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { jobs } from "../../src/http/jobs/list.ts";
import { summary } from "../../src/http/jobs/summary.ts";
import { openedBy } from "../../src/http/lib/auth.ts";
import { cancelMany } from "../../src/http/operate/cancel-many.ts";
import { rerunMany } from "../../src/http/operate/rerun-many.ts";
import { hour, minute, second } from "../../src/shared/base/duration.ts";
import { Secret } from "../../src/shared/base/errors.ts";
import { tableNames } from "../../src/shared/store/connect.ts";
import { dayPartition, jobKey, listedColumns, toRow } from "../../src/shared/store/job-row.ts";
import { ended, jobId, start } from "../kit/kit.ts";
import { ask, countedCalls, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

useAzurite();

const source = (factory: string, pipeline: string, pipelineRunId: string, activity: string) => ({
  source: { factory, pipeline, pipelineRunId, activity },
});

/** Rows of jobs that were accepted a second apart, all on one day, the n-th with these changes. */
async function history(bench: Bench, count: number, nth: (n: number) => Parameters<typeof ended> = () => []) {
  const rows = Array.from({ length: count }, (_, n) => {
    const createdAt = start + n * second;
    const [phase, more] = nth(n);
    const id = jobId(n, createdAt);
    const job = ended(phase, { id, createdAt, startedAt: createdAt + second, firstCreateAt: createdAt, ...more });
    const key = jobKey(job.id, job.createdAt);
    return { ...toRow(job, key, { definition: undefined, callbacks: undefined }, bench.deps.jobs.prices) };
  });
  const table = bench.storage.table(tableNames.jobs);
  for (let at = 0; at < rows.length; at += 100)
    await table.submitTransaction(rows.slice(at, at + 100).map((row) => ["create", row]));
  bench.clock.advance(count * second);
}

const page = z.looseObject({ jobs: z.array(z.looseObject({ id: z.string() })) });

async function idsOf(bench: Bench, query: string): Promise<readonly string[]> {
  const reply = await ask(jobs(bench.deps), { query });
  expect(reply.status, reply.body.message).toBe(200);
  return page.parse(reply.body).jobs.map(({ id }) => id);
}

const streamed = z.looseObject({
  status: z.literal(200),
  headers: z.record(z.string(), z.string()),
  body: z.custom<AsyncIterable<Uint8Array>>((value) => typeof value === "object" && value !== null),
});

async function exported(
  handler: HttpHandler,
  query: string,
): Promise<{ readonly text: string; readonly parts: number }> {
  const url = `http://localhost/api/jobs?${query}`;
  const request = new HttpRequest({ method: "GET", url, query: Object.fromEntries(new URLSearchParams(query)) });
  const { body } = streamed.parse(await handler(request, new InvocationContext()));
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return { text: Buffer.concat(parts).toString("utf8"), parts: parts.length };
}

describe("a filter", () => {
  it("by factory, pipeline, run, activity, fault or way finds the jobs that have it", async () => {
    const bench = await openBench();
    await history(bench, 3, (n) => [
      n === 0 ? {} : { state: "Failed", verdict: { reason: n === 1 ? "ExitCode" : "NoCapacity" } },
      {
        via: n === 0 ? "http" : "queue",
        options: source(`factory${n}`, `pipeline${n}`, `run${n}`, `activity ${n}`),
      },
    ]);
    const [first, second, third] = [0, 1, 2].map((n) => jobId(n, start + n * 1000));
    for (const query of [
      "factory=factory1",
      "pipeline=pipeline1",
      "runId=run1",
      "activity=activity%201",
      "fault=Program&via=queue",
    ])
      expect(await idsOf(bench, query), query).toEqual([second]);
    expect(await idsOf(bench, "fault=capacity")).toEqual([third]);
    expect(await idsOf(bench, "via=http")).toEqual([first]);
    expect(await idsOf(bench, "reason=exitcode&state=failed,failed&factory=factory2")).toEqual([]);
  });

  it("by what no job has finds no job", async () => {
    const bench = await openBench();
    await post(bench.deps, yaml("a"));
    for (const query of ["team=x", "template=x", `array=${jobId(7)}`]) {
      expect(await idsOf(bench, query), query).toEqual([]);
      expect(await idsOf(bench, `${query}&state=active`), query).toEqual([]);
    }
  });

  it("by a group finds its jobs in any letter case, in a list, in a summary, and in bulk calls", async () => {
    const bench = await openBench();
    const mine = await post(bench.deps, yaml("a"), "group=Ware/House_1&groupLimit=3&priority=60");
    await post(bench.deps, yaml("b"), "group=ware/house");
    for (const query of ["group=ware/house_1", "group=WARE/HOUSE_1&state=active"])
      expect(await idsOf(bench, query), query).toEqual([mine.id]);
    const summed = await ask(summary(bench.deps), { query: "group=Ware/House_1" });
    expect(summed.body).toMatchObject({ rows: [{ key: "Queued", count: 1 }] });
    const body = JSON.stringify({ group: "WARE/house_1", dryRun: true });
    expect(await ask(cancelMany(bench.deps), { text: body })).toMatchObject({ body: { matched: 1, ids: [mine.id] } });
    expect(await ask(rerunMany(bench.deps), { text: body })).toMatchObject({ body: { matched: 0 } });
    const columns = await bench.deps.jobs.columns(mine.id);
    expect(columns).toMatchObject({ group: "ware/house_1", priority: 60 });
  });

  it("takes all of them at once, though storage compares no more than fifteen things", async () => {
    const bench = await openBench({}, countedCalls);
    const states = "queued,provisioning,pending,running,succeeded,failed,stopped,timedout,canceled";
    await history(bench, 1, () => [{}, { options: source("f", "p", "r", "a") }]);
    const query = `state=${states}&name=bellaciao&reason=Completed&runId=r&pipeline=p&factory=f&activity=a&via=http&since=P1D&until=PT0S`;
    expect(await idsOf(bench, query)).toHaveLength(1);
    expect(await idsOf(bench, query.replace("activity=a", "activity=b"))).toEqual([]);
    const filters = bench.calls().map(({ url }) => url.searchParams.get("$filter") ?? "");
    const comparisons = filters.map((filter) => filter.match(/ (?:eq|ne|lt|le|gt|ge) /g)?.length ?? 0);
    expect(Math.max(...comparisons)).toBe(15);
  });

  it.each([
    ["reason", "reason=Tired"],
    ["fault", "fault=mine"],
    ["via", "via=pigeon"],
    ["all", "all=true"],
    ["top", "all=true&format=csv&top=5"],
    ["by", "by=weekday"],
    ["since", "since=P32D"],
    ["since", "since=PT1H&until=PT2H"],
  ])("that can't be is a 400 that names %s (%s)", async (path, query) => {
    const bench = await openBench();
    const handler = path === "by" || path === "since" ? summary(bench.deps) : jobs(bench.deps);
    expect(await ask(handler, { query })).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  });
});

describe("an export with all=true", () => {
  it("has every job once, newest first, a page in memory at a time", async () => {
    const bench = await openBench({}, countedCalls);
    await history(bench, 2100);
    const { text, parts } = await exported(jobs(bench.deps), "format=csv&all=true");
    const [head, ...lines] = text.trimEnd().split("\r\n");
    expect(head).toBe(listedColumns.join(","));
    const ids = lines.map((line) => line.split(",")[0]);
    expect(ids).toHaveLength(2100);
    expect(new Set(ids).size).toBe(2100);
    expect([ids[0], ids.at(-1)]).toEqual([jobId(2099, start + 2099 * second), jobId(0, start)]);
    expect(parts).toBe(3);
    const pages = bench
      .calls()
      .filter(({ method, url }) => method === "GET" && url.searchParams.get("$top") === "1000");
    expect(pages).toHaveLength(3);
  });

  it("as NDJSON is of the jobs that the filters leave, the active ones too", async () => {
    const bench = await openBench();
    await history(bench, 30, (n) => [{}, { options: { tags: { odd: String(n % 2) } } }]);
    await post(bench.deps, yaml("waits"));
    const tagged = (await exported(jobs(bench.deps), "format=ndjson&all=true&tag=odd=1")).text;
    expect(tagged.trimEnd().split("\n")).toHaveLength(15);
    const active = (await exported(jobs(bench.deps), "format=ndjson&all=true&state=active")).text;
    expect(JSON.parse(active)).toMatchObject({ name: "waits", state: "Queued" });
  });

  it.each([
    ["format=ndjson&all=true", ""],
    ["format=ndjson&all=true&state=Failed", ""],
    ["format=csv&all=true", `${listedColumns.join(",")}\r\n`],
  ])("ends where no job is there: %s", async (query, body) => {
    const bench = await openBench();
    const asked = Object.fromEntries(new URLSearchParams(query));
    const request = new HttpRequest({ method: "GET", url: `http://localhost/api/jobs?${query}`, query: asked });
    const reply = await jobs(bench.deps)(request, new InvocationContext());
    // As the platform sends it.
    expect(await new HttpResponse(reply as HttpResponseInit).text()).toBe(body); // our own reply
  });

  it("reads no further page once its caller has gone", async () => {
    const bench = await openBench({}, countedCalls);
    await history(bench, 3100);
    let isGone = false;
    const handler = jobs(bench.deps, () => ({
      gone: () => isGone,
      drained: () => Promise.resolve(),
      cut: () => undefined,
    }));
    const url = "http://localhost/api/jobs?format=csv&all=true";
    const request = new HttpRequest({ method: "GET", url, query: { format: "csv", all: "true" } });
    const { body } = streamed.parse(await handler(request, new InvocationContext()));
    const before = bench.calls().length;
    for await (const part of body) {
      expect(part.length).toBeGreaterThan(0);
      isGone = true;
    }
    expect(bench.calls().length - before).toBe(0);
  });

  it("breaks off where a page can't be read, and never ends as if it were whole", async () => {
    let refuses = false;
    const bench = await openBench({}, { before: () => (refuses ? "cut" : "pass") });
    await history(bench, 1001);
    const url = "http://localhost/api/jobs?format=csv&all=true";
    const request = new HttpRequest({ method: "GET", url, query: { format: "csv", all: "true" } });
    const { body } = streamed.parse(await jobs(bench.deps)(request, new InvocationContext()));
    refuses = true;
    const all = async (): Promise<void> => {
      for await (const part of body) expect(part.length).toBeGreaterThan(0);
    };
    await expect(all()).rejects.toThrow();
  });
});

const summarized = z.looseObject({
  truncated: z.boolean(),
  rows: z.array(z.looseObject({ key: z.string(), count: z.number() })),
});

describe("the summary", () => {
  it("counts, measures and adds up the jobs of the last day by what they have in common", async () => {
    const bench = await openBench();
    await history(bench, 20, (n) => [
      n < 15 ? {} : { state: "Failed", verdict: { reason: "ExitCode", exitCode: 1 } },
      { startedAt: start + minute - n * second, options: source("f", `pipeline${n % 2}`, "r", "a") },
    ]);
    const by = async (query: string) => {
      const { status, body } = await ask(summary(bench.deps), { query });
      expect(status).toBe(200);
      return { currency: body["currency"], ...summarized.parse(body) };
    };
    expect(await by("")).toMatchObject({
      truncated: false,
      currency: bench.deps.settings.currency,
      rows: [
        { key: "Succeeded", count: 15, succeeded: 15, failed: 0 },
        { key: "Failed", count: 5, succeeded: 0, failed: 5 },
      ],
    });
    expect(await by("by=pipeline&state=failed")).toMatchObject({
      rows: [
        { key: "pipeline1", count: 3 },
        { key: "pipeline0", count: 2 },
      ],
    });
    expect(await by("by=day")).toMatchObject({
      rows: [{ key: "2026-11-24", count: 20, runSeconds: { p50: 9, p95: 18 } }],
    });
    expect(await by("by=day&since=P31D")).toMatchObject({ rows: [{ count: 20 }] });
    expect(await by("by=team")).toMatchObject({ rows: [{ key: "default", count: 20 }] });
    expect(await by("by=hour&until=PT1H")).toMatchObject({ rows: [] });
    expect(await by("state=active")).toMatchObject({ rows: [] });
  });

  it("reads no more rows than it may, the newest first, and says that it stopped", async () => {
    const bench = await openBench();
    await history(bench, 30, (n) => [{}, { name: ended().name, options: { tags: { n: String(n) } } }]);
    const limits = { maxRows: 20, maxTime: minute };
    const reply = await ask(summary(bench.deps, limits), { query: "by=name" });
    expect(summarized.parse(reply.body)).toMatchObject({ truncated: true, rows: [{ count: 20 }] });
    const all = await ask(summary(bench.deps, { ...limits, maxRows: 30 }), { query: "by=name" });
    expect(summarized.parse(all.body)).toMatchObject({ truncated: false, rows: [{ count: 30 }] });
    const tagged = await ask(summary(bench.deps, limits), { query: "tag=n=0" });
    expect(summarized.parse(tagged.body)).toMatchObject({ truncated: true, rows: [] });
  });

  it("reads the partitions of its days alone", async () => {
    const bench = await openBench({}, countedCalls);
    await post(bench.deps, yaml("a"));
    await ask(summary(bench.deps), { query: `since=${new Date(start - hour).toISOString()}` });
    const filter = bench.calls().at(-1)?.url.searchParams.get("$filter") ?? "";
    expect(filter).toContain(`PartitionKey ge '${dayPartition(start)}'`);
    expect(filter).toContain(`PartitionKey le '${dayPartition(start - hour)}'`);
  });

  const reads = (bench: Bench): number => bench.calls().filter(({ method }) => method === "GET").length;

  it("is kept for a minute, says how old it is, and is read once for those that ask at the same time", async () => {
    const bench = await openBench({}, countedCalls);
    await history(bench, 3);
    const handler = summary(bench.deps);
    const before = reads(bench);
    const asked = ["by=state&since=P1D", "since=P1D", "SINCE=P1D&by=State"];
    const first = await Promise.all(asked.map((query) => ask(handler, { query })));
    expect(reads(bench)).toBe(before + 1);
    expect(first.map(({ headers }) => headers.get("age"))).toEqual(["0", "0", "0"]);
    await history(bench, 1, () => [{}, { id: jobId(500) }]);
    bench.clock.advance(58 * second);
    const kept = await ask(handler, { query: "since=P1D" });
    expect([kept.headers.get("age"), kept.body]).toEqual(["59", first[0]?.body]);
    expect(kept.body["generatedAt"]).toBe(new Date(start + 3 * second).toISOString());
    bench.clock.advance(second);
    const anew = await ask(handler, { query: "since=P1D" });
    expect([anew.headers.get("age"), reads(bench)]).toEqual(["0", before + 2]);
    expect(summarized.parse(anew.body).rows).toMatchObject([{ count: 4 }]);
  });

  it("is kept apart for another question, and for a caller that may do less", async () => {
    const bench = await openBench({}, countedCalls);
    await history(bench, 3);
    const handler = summary(bench.deps);
    const before = reads(bench);
    for (const query of ["", "by=name", "name=x", "since=PT2H", "until=PT1H", "state=failed"])
      await ask(handler, { query });
    expect(reads(bench)).toBe(before + 6);
    const reader = openedBy(new Secret("a-key-that-only-reads"), handler);
    await ask(reader.handler, { query: "code=a-key-that-only-reads" });
    await ask(reader.handler, { query: "code=a-key-that-only-reads" });
    expect(reads(bench)).toBe(before + 7);
  });

  it("that storage did not give is not kept, nor is one of more than a thousand rows", async () => {
    let refuses = false;
    const bench = await openBench(
      {},
      { before: ({ url }) => (refuses && url.pathname.includes("/jobs(") ? 400 : "pass") },
    );
    const handler = summary(bench.deps);
    await history(bench, 1001, (n) => [{}, { options: { tags: {}, ...source("f", `p${n}`, "r", "a") } }]);
    refuses = true;
    expect((await ask(handler, { query: "by=pipeline" })).status).toBeGreaterThanOrEqual(500);
    refuses = false;
    const before = reads(bench);
    for (const _ of [1, 2]) expect((await ask(handler, { query: "by=pipeline" })).status).toBe(200);
    expect(reads(bench)).toBe(before + 4);
  });
});
