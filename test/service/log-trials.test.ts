/**
 * What is kept of a container's log, what is marked as missing, and what the verdict says, by how the container writes; with the clock
 * in the test's hands. The last test writes the outcome as the table of docs/logs.md.
 */
import { HttpRequest, InvocationContext } from "@azure/functions";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { logs } from "../../src/http/logs.ts";
import { result } from "../../src/http/result.ts";
import { hasEnded } from "../../src/shared/job/job.ts";
import type { JobId } from "../../src/shared/base/ids.ts";
import { mintResultLink } from "../../src/shared/security/link-token.ts";
import { isMark } from "../../src/shared/store/log-merge.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { part } from "../kit/document.ts";
import { countersOf, get, jobOf, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

vi.setConfig({ testTimeout: 120_000 });
useAzurite();

interface Writing {
  readonly seconds: number;
  /** Until it starts. */
  readonly startSeconds?: number;
  readonly linesPerSecond?: number;
  readonly output?: string;
  readonly lastOutput?: string;
  readonly exitCode?: number;
  readonly query?: string;
  /** A result that it sends to its address while it runs. */
  readonly sends?: string;
}

/** A job whose container writes so, from its accept to its end. */
async function run(bench: Bench, name: string, writing: Writing): Promise<JobId> {
  const {
    seconds,
    startSeconds = 0,
    linesPerSecond = 0,
    output = "",
    lastOutput = "",
    exitCode = 0,
    query = "",
  } = writing;
  const variables = {
    SIM_START_SECONDS: String(startSeconds),
    SIM_LINES_PER_SECOND: String(linesPerSecond),
    SIM_LAST_OUTPUT: lastOutput,
  };
  const more = Object.entries(variables).map(
    ([variable, value]) => `          - {name: ${variable}, value: ${JSON.stringify(value)}}\n`,
  );
  const text = yaml(name, { seconds, exitCode, output: JSON.stringify(output).slice(1, -1), more: more.join("") });
  const { id } = await post(bench.deps, text, query);
  let sends = writing.sends;
  for (let wakes = 0; wakes < 500; wakes++) {
    const { phase, lookAt } = await jobOf(bench.deps, id);
    if (hasEnded(phase) && phase.tidy) return id;
    if (sends !== undefined && phase.state === "Running") {
      await send(bench, id, sends);
      sends = undefined;
    }
    bench.clock.advance(Math.max(0, Math.ceil(lookAt - bench.clock.now())));
    await reconcile(bench.deps, id, { at: lookAt });
  }
  throw new Error(`Job ${id} does not end.`);
}

async function send({ deps }: Bench, id: JobId, body: string): Promise<void> {
  const token = mintResultLink(await deps.links.current(), id, 1);
  const url = `http://localhost/api/result/${token}`;
  const request = new HttpRequest({ method: "PUT", url, params: { token }, body: { string: body } });
  expect(await result(deps)(request, new InvocationContext())).toMatchObject({ status: 200 });
}

/** The text of `GET /api/logs`. */
async function logOf({ deps }: Bench, id: JobId, query = ""): Promise<string> {
  const url = `http://localhost/api/logs/${id}/app?${query}`;
  const params = { idOrName: id, container: "app" };
  const fields = Object.fromEntries(new URLSearchParams(query));
  const reply = await logs(deps)(
    new HttpRequest({ method: "GET", url, query: fields, params }),
    new InvocationContext(),
  );
  return new Response((reply as { body: ConstructorParameters<typeof Response>[0] }).body).text(); // our own reply
}

const shown = z.looseObject({ log: z.string(), output: z.string(), output_truncated: z.boolean() });

interface Kept {
  readonly lines: readonly string[];
  readonly marks: readonly string[];
  readonly app: z.infer<typeof shown>;
  readonly body: Readonly<Record<string, unknown>>;
}

async function kept(bench: Bench, id: JobId): Promise<Kept> {
  const all = (await logOf(bench, id)).split("\n").slice(0, -1);
  const { body } = await get(bench.deps, id);
  const { app } = z.looseObject({ app: shown }).parse(body["containers"]);
  return { lines: all.filter((line) => !isMark(line)), marks: all.filter(isMark), app, body };
}

/** The table of docs/logs.md: what a container writes, and what of it is kept. */
const table: (readonly [writes: string, kept: string, verdict: string])[] = [];

/** @param written each line, without its end */
function record(writes: string, written: readonly string[], { lines, marks, app, body }: Kept): void {
  const whole = lines.filter((line) => written.includes(line)).length;
  const cut = lines.find((line) => !written.includes(line));
  const total = written.length;
  const some = whole === 0 ? [] : [`${cut === undefined ? "the last " : ""}${whole} of ${total} lines`];
  const end = cut === undefined ? [] : [`the last ${cut.length / 1024} KB of ${total === 1 ? "it" : "another"}`];
  const parts = whole === total ? ["all"] : [...some, ...end];
  recordRow(writes, parts, marks.length, app.log, body);
}

function recordRow(writes: string, parts: readonly string[], marks: number, verdict: string, body: Kept["body"]): void {
  const dropped = JSON.stringify(body["warnings"] ?? []).includes('"path":"result"');
  const kept = [
    parts.join(" and "),
    marks === 0 ? "" : marks === 1 ? "a mark where lines are missing" : `${marks} marks where lines are missing`,
    "result" in body ? "the result in whole" : "",
    dropped ? "no result, and a warning" : "",
  ];
  table.push([writes, kept.filter((each) => each !== "").join("; "), `\`${verdict}\``]);
}

const numberIn = (line: string): number => Number(/^line (\d+) /.exec(line)?.[1]);

/** Lines in order, each once; those that are missing lie where the marks are. */
function expectSteady(writes: string, { lines, app, body }: Kept, total: number, gaps: number): number {
  const numbers = lines.map(numberIn);
  const jumps = numbers.filter((number, index) => number !== (numbers[index - 1] ?? -1) + 1);
  expect(numbers.every((number, index) => number > (numbers[index - 1] ?? -1))).toBe(true);
  expect([numbers.at(-1), jumps.length]).toEqual([total - 1, gaps]);
  const share = Math.floor((100 * lines.length) / total);
  const kept = lines.length === total ? "all" : `${share} % of ${total.toLocaleString("en-GB")} lines`;
  recordRow(writes, [kept], gaps, app.log, body);
  return lines.length;
}

describe("a container that runs for two minutes", () => {
  it("and writes 25 lines a second: all of them are kept", async () => {
    const bench = await openBench();
    const shown = await kept(bench, await run(bench, "slow", { seconds: 120, linesPerSecond: 25 }));
    expectSteady("25 lines a second, two minutes", shown, 3000, 0);
    expect([shown.marks, shown.app.log]).toEqual([[], "complete"]);
    expect(countersOf(bench).calls["logs"]).toBeLessThan(40);
  });

  it("and writes 500 lines a second: all but what came between the last read and the tail that ACI keeps", async () => {
    const bench = await openBench();
    const shown = await kept(bench, await run(bench, "quick", { seconds: 121, linesPerSecond: 500 }));
    const { marks, app } = shown;
    const count = expectSteady("500 lines a second, two minutes", shown, 60_500, marks.length);
    expect(count).toBeGreaterThan(60_500 - 500 * 4);
    expect([marks.length, app.log]).toEqual([1, "truncated"]);
    expect(marks[0]).toMatch(/^\[aci-proxy\] Lines may be missing here: .* between 2026-.*Z and 2026-.*Z \(\d\.\d s\)/);
  });

  it("and writes 5,000 lines a second, for one: the same, of 18 MB", { timeout: 400_000 }, async () => {
    const bench = await openBench();
    const shown = await kept(bench, await run(bench, "fast", { seconds: 61, linesPerSecond: 5000 }));
    const { marks, app } = shown;
    // What is read first may be nearly 4 MB: then nobody can tell whether it is all.
    const gaps = marks.filter((mark) => !mark.includes("Earlier lines may be missing"));
    const count = expectSteady("5,000 lines a second, one minute (18 MB)", shown, 305_000, gaps.length);
    expect(count).toBeGreaterThan(305_000 - 5000 * 4);
    expect([gaps.length, app.log]).toEqual([1, "truncated"]);
  });
});

describe("a container that has ended before its log was read for the first time", () => {
  it("with 10 lines of 6 KB: ACI's tail, and that lines may be missing before", async () => {
    const bench = await openBench();
    const output = Array.from({ length: 10 }, (_, n) => `${n}${"x".repeat(6 * 1024 - 2)}\n`).join("");
    const shown = await kept(bench, await run(bench, "wide", { startSeconds: 1, seconds: 0.5, output }));
    const { lines, marks, app } = shown;
    record("10 lines of 6 KB, within a second", output.trimEnd().split("\n"), shown);
    expect(lines.map((line) => line.slice(0, 1))).toEqual(["8", "9"]);
    expect(marks).toEqual([
      "[aci-proxy] Earlier lines may be missing here: Container Instances had only the last 16 KB or 1,000 lines when the log was first read.",
    ]);
    expect([app.log, app.output.startsWith(marks[0] ?? "?")]).toEqual(["truncated", true]);
  });

  it("with one line of 300 KB: its end", async () => {
    const bench = await openBench();
    const output = `${"x".repeat(300 * 1024)}end\n`;
    const shown = await kept(bench, await run(bench, "long", { startSeconds: 1, seconds: 0.5, output }));
    const { lines, marks, app } = shown;
    record("one line of 300 KB, within a second", [output.trimEnd()], shown);
    expect([lines.length, lines[0]?.length, lines[0]?.endsWith("xend")]).toEqual([1, 16 * 1024, true]);
    expect([marks.length, app.log]).toEqual([1, "truncated"]);
  });

  it("with a few lines: all of them", async () => {
    const bench = await openBench();
    const { lines, marks, app } = await kept(
      bench,
      await run(bench, "short", { startSeconds: 1, seconds: 0.5, output: "one\ntwo\n" }),
    );
    expect([lines, marks, app.log]).toEqual([["one", "two"], [], "complete"]);
  });
});

describe("a container whose log is read while it runs", () => {
  it("with one line of 300 KB, which is longer than what is read of a stored log to go on: all of it, once", async () => {
    const bench = await openBench();
    const output = `first\n${"x".repeat(300 * 1024)}\n`;
    const { lines, marks, app } = await kept(
      bench,
      await run(bench, "long", { seconds: 60, output, lastOutput: "last\n" }),
    );
    expect(lines.map((line) => line.length)).toEqual([5, 300 * 1024, 4]);
    // The end that ACI shows then does not reach back to what is stored.
    expect([marks.length, app.log]).toEqual([1, "truncated"]);
    const quiet = await kept(bench, await run(bench, "quiet", { seconds: 60, output }));
    record("a line and one of 300 KB, and goes on running", output.trimEnd().split("\n"), quiet);
    expect(quiet.lines.map((line) => line.length)).toEqual([5, 300 * 1024]);
    expect([quiet.marks, quiet.app.log]).toEqual([[], "complete"]);
  });

  it("with a JSON result: up to 12 KB as its last line, a larger one that was sent to its address", async () => {
    const bench = await openBench();
    const large = JSON.stringify({ rows: "x".repeat(20 * 1024 - 11) });
    const ended = async (name: string, writing: Partial<Writing>): Promise<Kept> =>
      kept(bench, await run(bench, name, { seconds: 60, output: "working\n", ...writing }));
    const cut = await ended("json", { lastOutput: `${large}\n` });
    // ACI shows the last 16 KB of it once it has ended, which is no JSON.
    expect([cut.marks.length, cut.app.log, cut.body["result"]]).toEqual([1, "truncated", undefined]);
    record("a line, and a JSON line of 20 KB as its last", ["working", large], cut);
    const small = JSON.stringify({ rows: "x".repeat(12 * 1024 - 11) });
    const whole = await ended("json12", { lastOutput: `${small}\n` });
    expect(whole.body["result"]).toEqual(JSON.parse(small));
    record("a line, and a JSON line of 12 KB as its last", ["working", small], whole);
    const sent = await ended("sends", { sends: large, query: "env=true" });
    expect(sent.body["result"]).toEqual(JSON.parse(large));
    record("a line, and sends a JSON object of 20 KB to its [address](#results)", ["working"], sent);
  });
});

it("three attempts of 6 lines: each has its own log, complete", async () => {
  const bench = await openBench();
  const output = Array.from({ length: 6 }, (_, n) => `line ${n} of six\n`).join("");
  const id = await run(bench, "thrice", { seconds: 20, output, exitCode: 3, query: "retries=2" });
  for (const attempt of [1, 2, 3]) expect(await logOf(bench, id, `attempt=${attempt}`)).toBe(output);
  const verdicts = (await bench.deps.attempts.all(id)).map(({ containers }) => containers[0]?.log);
  expect(verdicts).toEqual(["complete", "complete", "complete"]);
  recordRow("6 lines in each of three attempts", ["all, each attempt separately"], 0, "complete", {});
});

it("docs/logs.md shows what these trials showed", () => {
  const rows = table.map((cells) => `| ${cells.join(" | ")} |`);
  const computed = ["| a container that writes | what is kept | `log` |", "| --- | --- | --- |", ...rows].join("\n");
  expect(part("docs/logs.md", "log trials", computed)).toBe(computed);
});
