/** `GET /api/jobs`: its pages, its filters, and what it says of a query that is wrong. */
import { HttpRequest, InvocationContext } from "@azure/functions";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { jobs } from "../../src/http/jobs/list.ts";
import { PageEnds } from "../../src/http/jobs/paging.ts";
import { hour } from "../../src/shared/base/duration.ts";
import { listedColumns } from "../../src/shared/store/job-row.ts";
import { start } from "../kit/kit.ts";
import { ask, follow, openBench, post, useAzurite, yaml, type Bench, type Reply } from "./kit.ts";

useAzurite();

const page = z.looseObject({
  jobs: z.array(z.looseObject({ name: z.string() })),
  continuation: z.string().optional(),
});

const list = (bench: Bench, query: string): Promise<Reply> => ask(jobs(bench.deps), { query });

/** As the service gives it. */
const sealed = async ({ deps }: Bench, end: string): Promise<string> => (await PageEnds.of(deps)).seal(end);

/** Each page's names, until there is no other. */
async function pagesOf(bench: Bench, query: string): Promise<readonly (readonly string[])[]> {
  const pages: (readonly string[])[] = [];
  let next: string | undefined = "";
  while (next !== undefined) {
    const read: z.infer<typeof page> = page.parse((await list(bench, `${query}${next}`)).body);
    pages.push(read.jobs.map(({ name }) => name));
    next = read.continuation === undefined ? undefined : `&continuation=${encodeURIComponent(read.continuation)}`;
  }
  return pages;
}

describe("the list of jobs that have not ended", () => {
  it("comes in pages as every list does, newest first, each job once", async () => {
    const bench = await openBench();
    for (const name of ["a", "b", "c", "d", "e"]) {
      await post(bench.deps, yaml(name));
      bench.clock.advance(name === "c" ? 0 : 1);
    }
    const pages = await pagesOf(bench, "state=active&top=2");
    expect(pages.map(({ length }) => length)).toEqual([2, 2, 1]);
    expect(pages.flat()).toEqual((await pagesOf(bench, "")).flat());
    expect(pages.flat().toSorted()).toEqual(["a", "b", "c", "d", "e"]);
  });

  it("has no job that has ended, and its second page starts where the first one stopped", async () => {
    const bench = await openBench();
    const posted = [];
    for (const name of ["a", "b", "c"]) {
      posted.push(await post(bench.deps, yaml(name)));
      bench.clock.advance(1);
    }
    const first = page.parse((await list(bench, "state=active&top=1")).body);
    expect(first.jobs).toMatchObject([{ name: "c" }]);
    if (posted[2]) await follow(bench, posted[2].id);
    const second = page.parse((await list(bench, `state=active&top=1&continuation=${first.continuation ?? ""}`)).body);
    expect(second.jobs).toMatchObject([{ name: "b" }]);
    expect(await pagesOf(bench, "state=active")).toEqual([["b", "a"]]);
  });

  it("is filtered by tag and time before it is cut", async () => {
    const bench = await openBench();
    for (const [name, team] of [
      ["old", "x"],
      ["wanted", "x"],
      ["other", "y"],
      ["new", "x"],
    ] as const) {
      await post(bench.deps, yaml(name), `tags=team%3D${team}`);
      bench.clock.advance(hour);
    }
    expect(await pagesOf(bench, "state=active&tag=team%3Dx&top=1")).toEqual([["new"], ["wanted"], ["old"]]);
    const [from, to] = [start + hour, start + 3 * hour].map((at) => new Date(at).toISOString());
    const between = `since=${from ?? ""}&until=${to ?? ""}`;
    expect(await pagesOf(bench, `state=active&${between}`)).toEqual([["other", "wanted"]]);
    expect(await pagesOf(bench, `state=active&${between}&tag=team%3Dx`)).toEqual([["wanted"]]);
  });
});

it("is filtered by as many of the longest words as there are parameters", async () => {
  const bench = await openBench();
  const word = "\u{1F6A2}".repeat(240);
  const long = encodeURIComponent(word);
  await post(bench.deps, yaml("a"), `source=${long}/${long}/run/activity`);
  await post(bench.deps, yaml("b"), `source=${long}/x/run/activity`);
  const ofPipeline = `factory=${long}&pipeline=${long}`;
  expect((await list(bench, ofPipeline)).body).toMatchObject({ jobs: [{ name: "a" }] });
  const others = ["runId", "activity", "group", "team", "template", "name"].map((each) => `&${each}=${long}`);
  expect((await list(bench, `${ofPipeline}${others.join("")}`)).body).toMatchObject({ jobs: [] });
});

describe("as CSV", () => {
  const textReply = z.looseObject({ status: z.literal(200), body: z.string() });
  const csv = async (bench: Bench): Promise<string> => {
    const query = { format: "csv" };
    const request = new HttpRequest({ method: "GET", url: "http://localhost/api/jobs?format=csv", query });
    return textReply.parse(await jobs(bench.deps)(request, new InvocationContext())).body;
  };

  it("has the same columns whatever the jobs, and without any", async () => {
    const bench = await openBench();
    expect(await csv(bench)).toBe(`${listedColumns.join(",")}\r\n`);
    const posted = await post(bench.deps, yaml("ends"));
    await follow(bench, posted.id);
    bench.clock.advance(1);
    await post(bench.deps, yaml("waits"));
    const [head, waits, ends, after] = (await csv(bench)).split("\r\n");
    expect(head).toBe(listedColumns.join(","));
    expect(waits).toContain(",waits,waits,Queued,");
    expect(ends).toContain(",ends,ends,Succeeded,");
    expect(after).toBe("");
  });
});

describe("a time", () => {
  it.each(["99999999999999", "P99999999999D", "1969-01-01", "2026-11-24T00:00:00Z"])("since=%s", async (since) => {
    const bench = await openBench();
    await post(bench.deps, yaml("a"));
    expect(await list(bench, `since=${since}`)).toMatchObject({ status: 200, body: { jobs: [{ name: "a" }] } });
    expect((await list(bench, `until=${since}`)).status).toBe(200);
  });
});

it("where a page ends does not tell which job comes next", async () => {
  const bench = await openBench();
  const ids: string[] = [];
  for (const name of ["a", "b", "c"]) {
    ids.push((await post(bench.deps, yaml(name))).id);
    bench.clock.advance(1);
  }
  const [next = ""] = ids;
  for (const query of ["top=2", "top=2&state=active"]) {
    const { continuation = "" } = page.parse((await list(bench, query)).body);
    for (const text of [continuation, Buffer.from(continuation, "base64url").toString("latin1")])
      expect(text).not.toContain(next.slice(-12));
    expect((await list(bench, `${query}&continuation=${continuation}`)).body["jobs"]).toMatchObject([{ name: "a" }]);
  }
});

it("before anything was written there are no jobs", async () => {
  const bench = await openBench();
  for (const table of ["jobs", "jobindex"]) await bench.storage.table(table).deleteTable();
  for (const query of ["", "state=active"])
    expect(await list(bench, query)).toMatchObject({ status: 200, body: { jobs: [] } });
});

describe("a query that is wrong", () => {
  const keys = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64");
  const unsealed = (end: string): string => Buffer.from(end).toString("base64url");

  it.each([
    ["", "not our token"],
    ["", keys({ nextRowKey: "alone" })],
    ["", keys("text")],
    ["", "active 1 01a20c6c-c13a-7ab1-a14f-5d162eaef33c"],
    ["state=active&", keys({ nextPartitionKey: "p" })],
    ["state=active&", "active 1 nobody-nobody-nobody-nobody-nobody-no"],
  ])("is a 400 that says continuation for the end of another list's page (%s%s)", async (query, end) => {
    const bench = await openBench();
    const { status, body } = await list(bench, `${query}continuation=${await sealed(bench, end)}`);
    expect({ status, body }).toMatchObject({ status: 400, body: { errors: [{ path: "continuation" }] } });
  });

  it("is a 400 for what another installation sealed", async () => {
    const [bench, other] = [await openBench(), await openBench()];
    const end = keys({ nextPartitionKey: "p", nextRowKey: "r" });
    expect((await list(bench, `continuation=${await sealed(bench, end)}`)).status).toBe(200);
    expect((await list(bench, `continuation=${await sealed(other, end)}`)).status).toBe(400);
  });

  it.each([
    ["continuation", "continuation=garbage"],
    ["continuation", "continuation="],
    ["continuation", `continuation=${unsealed(keys({ nextPartitionKey: "p", nextRowKey: "r" }))}`],
    ["continuation", "state=active&continuation=garbage"],
    ["continuation", `state=active&continuation=${unsealed("active 1 01a20c6c-c13a-7ab1-a14f-5d162eaef33c")}`],
    ["state", "state=sleeping"],
    ["name", `name=${"a".repeat(1025)}`],
    ["array", "array=nightly"],
    ["group", `group=${"a".repeat(40_000)}`],
    ["state", "state=active,Failed"],
    ["since", "since=yesterday"],
    ["since", "since=hello%205"],
    ["since", "since=-5"],
    ["until", "until=tomorrow"],
    ["top", "top=1001"],
    ["top", "top="],
    ["format", "format=xml"],
  ])("is a 400 that says %s (%s)", async (path, query) => {
    const bench = await openBench();
    await post(bench.deps, yaml("a"));
    const { status, body } = await list(bench, query);
    expect({ status, body }).toMatchObject({ status: 400, body: { code: "InvalidRequest", errors: [{ path }] } });
    expect(body.message).toMatch(new RegExp(`^${path} must be .*\\.$`));
  });

  it("is one also where only storage knows that a continuation is invalid", async () => {
    let refuses = false;
    const bench = await openBench(
      {},
      {
        after: (call) => {
          if (refuses) call.status = 400;
          return "pass";
        },
      },
    );
    const continuation = await sealed(bench, keys({ nextPartitionKey: "p", nextRowKey: "r" }));
    refuses = true;
    expect((await list(bench, `continuation=${continuation}`)).status).toBe(400);
    expect((await list(bench, "")).status).toBe(503);
  });
});
