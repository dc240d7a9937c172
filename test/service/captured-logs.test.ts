/** Captured logs on real blobs: ceilings, gaps, many writers, and what a storage that refuses them does to a job. */
import { HttpRequest, InvocationContext } from "@azure/functions";
import { once } from "node:events";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { faultSchema } from "../../local/aci/control/faults.ts";
import { Deadline } from "../../src/shared/base/deadline.ts";
import { minute, second } from "../../src/shared/base/duration.ts";
import { logs } from "../../src/http/logs.ts";
import { hasEnded } from "../../src/shared/job/job.ts";
import { blobContainers } from "../../src/shared/store/blobs.ts";
import type { CapturedLogs } from "../../src/shared/store/captured-logs.ts";
import { linesFrom } from "../../src/shared/store/log-reader.ts";
import { isMark, type LogRead } from "../../src/shared/store/log-merge.ts";
import { captureAttempt } from "../../src/workers/reconcile/capture.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import type { Gate, ProxiedCall } from "../kit/proxy.ts";
import { jobId, target, start } from "../kit/kit.ts";
import { countedCalls, del, follow, get, jobOf, openBench, post, useAzurite, yaml, type Bench } from "./kit.ts";

vi.setConfig({ testTimeout: 60_000 });
useAzurite();

const running: LogRead = { container: "running", restarted: false };
const id = jobId();

/** Numbered lines with their times, a millisecond apart. */
function numbered(from: number, to: number, width: number): string {
  const lines: string[] = [];
  for (let n = from; n < to; n++)
    lines.push(`${new Date(start + n).toISOString().replace("Z", "000000Z")} ${`line ${n} `.padEnd(width, ".")}\n`);
  return lines.join("");
}

const numberIn = (line: string): number => Number(/ line (\d+) /.exec(line)?.[1]);

async function allOf(store: CapturedLogs, container = "app"): Promise<readonly string[]> {
  const all: string[] = [];
  for await (const { lines } of linesFrom(store, await store.pieces(id, 1, container), 0)) all.push(...lines);
  return all;
}

const blobCalls = (bench: Bench, from: number): readonly ProxiedCall[] =>
  bench
    .calls()
    .slice(from)
    .filter(({ service }) => service === "blob");

it("a container whose name every object has a member of is read as any other", async () => {
  const bench = await openBench();
  const text = yaml("nightly", { seconds: 400 }).replace("- name: app", "- name: constructor");
  const posted = await post(bench.deps, text);
  expect((await follow(bench, posted.id)).phase).toMatchObject({ state: "Succeeded" });
  expect((await get(bench.deps, posted.id)).body).toMatchObject({
    containers: { constructor: { output: "Hello World!\n", log: "complete" } },
  });
});

describe("a log that is longer than its ceiling", () => {
  it("keeps its beginning and at least its newest MiB, and says how much is missing between", async () => {
    const bench = await openBench({ LOG_MAX_BYTES: String(8 * 1024 * 1024) });
    const store = bench.deps.blobs.logs;
    const width = 968; // a line of 1,000 bytes
    let last;
    for (let n = 0; n < 12_000; n += 1500) {
      const content = numbered(Math.max(0, n - 5), n + 1500, width);
      last = await store.capture(id, 1, "app", content, running);
    }
    const pieces = await store.pieces(id, 1, "app");
    const stored = pieces.reduce((sum, piece) => sum + piece.end - piece.start, 0);
    expect(stored).toBeLessThanOrEqual(8 * 1024 * 1024);
    expect(last).toMatchObject({ verdict: "truncated", bytes: 12_000_000 });
    const lines = await allOf(store);
    const at = lines.findIndex(isMark);
    const [before, after] = [lines.slice(0, at), lines.slice(at + 1)];
    expect(before.map(numberIn)).toEqual(before.map((_, n) => n));
    expect(after.map(numberIn)).toEqual(after.map((_, n) => 12_000 - after.length + n));
    expect(after.length * 1000).toBeGreaterThanOrEqual(1024 * 1024);
    const missing = 12_000 - before.length - after.length;
    expect(lines[at]).toContain(`${(missing * 1000).toLocaleString("en-US")} bytes are missing here`);
    expect(lines.filter(isMark)).toHaveLength(1);
  });

  it("takes no more blocks than an append blob has", async () => {
    // As storage answers the 50,001st block.
    let full = true;
    const gate: Gate = {
      before: ({ method, url }) =>
        full &&
        method === "PUT" &&
        url.searchParams.get("comp") === "appendblock" &&
        url.pathname.endsWith("/app.log") &&
        blocks++ >= 3
          ? 409
          : "pass",
    };
    let blocks = 0;
    const bench = await openBench({}, gate);
    const store = bench.deps.blobs.logs;
    for (let n = 0; n < 10; n++) await store.capture(id, 1, "app", numbered(0, n + 1, 40), running);
    full = false;
    const { verdict } = await store.capture(id, 1, "app", numbered(0, 11, 40), running);
    expect(verdict).toBe("complete");
    expect((await allOf(store)).map(numberIn)).toEqual(Array.from({ length: 11 }, (_, n) => n));
    const pieces = await store.pieces(id, 1, "app");
    expect(pieces.map(({ blob }) => blob.split("/").at(-1))).toEqual(["app.log", "app.log.1"]);

    // Somebody removes its open part, then all of it.
    const container = bench.storage.blobs.getContainerClient(blobContainers.logs);
    await container.deleteBlob(pieces[1]?.blob ?? "");
    expect(await store.capture(id, 1, "app", numbered(0, 12, 40), running)).toMatchObject({ verdict: "truncated" });
    expect((await allOf(store)).map(numberIn).at(-1)).toBe(11);
    for (const { blob } of pieces) await container.deleteBlob(blob);
    await store.capture(id, 1, "app", numbered(0, 13, 40), running);
    expect((await allOf(store)).map(numberIn).at(-1)).toBe(12);
  });
});

it("many that capture one log at once store each line once", async () => {
  const bench = await openBench({ LOG_MAX_BYTES: String(8 * 1024 * 1024) });
  const stores = [bench.deps.blobs.logs, (await bench.again()).blobs.logs, (await bench.again()).blobs.logs];
  for (let round = 1; round <= 6; round++)
    await Promise.all(
      stores.map((store, n) => store.capture(id, 1, "app", numbered(0, round * 400 - n * 30, 967), running)),
    );
  const [store] = stores;
  if (store === undefined) throw new Error("There is no store.");
  expect((await allOf(store)).map(numberIn)).toEqual(Array.from({ length: 2400 }, (_, n) => n));
});

it("the last line of a log of 64 MiB is read with a few requests for at most 256 KiB", async () => {
  const bench = await openBench({}, countedCalls);
  const { deps } = bench;
  const { id: job } = await post(deps, yaml("large"));
  await follow(bench, job);
  const blob = bench.storage.blobs.getContainerClient("aci-logs").getAppendBlobClient(`${job}/1/app.log`);
  const text = Buffer.from(numbered(0, 4000, 967));
  await blob.deleteIfExists();
  await blob.create();
  for (let n = 0; n < 16; n++) await blob.appendBlock(text, text.length);
  const ask = async (query: string): Promise<string> => {
    const fields = Object.fromEntries(new URLSearchParams(query));
    const url = `http://localhost/api/logs/${job}/app?${query}`;
    const request = new HttpRequest({ method: "GET", url, query: fields, params: { idOrName: job, container: "app" } });
    const reply = await logs(deps)(request, new InvocationContext());
    return new Response((reply as { body: ConstructorParameters<typeof Response>[0] }).body).text(); // our own reply
  };
  const before = bench.calls().length;
  expect((await ask("tail=1")).slice(0, 10)).toBe("line 3999 ");
  const reads = blobCalls(bench, before);
  expect(reads.length).toBeLessThanOrEqual(3);
  expect(reads.reduce((sum, { answered }) => sum + answered, 0)).toBeLessThanOrEqual(256 * 1024);
  // Whole, it comes a range at a time.
  expect((await ask("")).length).toBeGreaterThan(16 * 4000 * 900);
});

describe("a log that can't be stored", () => {
  const appends = ({ service, method, url }: ProxiedCall): boolean =>
    service === "blob" && method === "PUT" && url.pathname.includes("aci-logs/");

  it.each([
    ["is refused by a policy", 409],
    ["is refused", 403],
    ["is lost on the way", "cut"],
  ] as const)(
    "because it %s: the job ends within two minutes of its end, with output and result",
    async (_, answer) => {
      const gate: Gate = { before: (call) => (appends(call) ? answer : "pass") };
      const bench = await openBench({}, gate);
      const { id: job } = await post(bench.deps, yaml("unstored", { seconds: 30, output: '{\\"rows\\": 7}\\n' }));
      const ended = await follow(bench, job);
      expect(ended.phase).toMatchObject({ state: "Succeeded", group: "gone" });
      expect(ended.phase.state === "Succeeded" && ended.phase.finishedAt).toBeLessThan(
        (ended.startedAt ?? 0) + 30 * second + 2 * minute,
      );
      const { body } = await get(bench.deps, job);
      expect(body["containers"]).toMatchObject({ app: { log: "missing", exit_code: 0, output: '{"rows": 7}\n' } });
      expect(body["result"]).toEqual({ rows: 7 });
    },
  );

  it("because storage hangs: what was read is in the status, and nobody waits longer than the deadline", async () => {
    const released = new AbortController();
    const gate: Gate = {
      before: async (call) => {
        if (appends(call) && !released.signal.aborted) await once(released.signal, "abort");
        return "pass" as const;
      },
    };
    const bench = await openBench({}, gate);
    const { deps } = bench;
    const { id: job } = await post(deps, yaml("hangs", { seconds: 3600, output: '{\\"rows\\": 7}\\n' }));
    const running = await follow(bench, job, ({ phase }) => phase.state === "Running");
    const group = await deps.aci().then(({ aci }) => aci.observe(target, running.groupName, true));
    if (group.group !== "present") throw new Error("The group is there.");
    const begun = performance.now();
    const decided = deps.now() - 2 * minute;
    const captured = await captureAttempt(deps, running, group, decided, Deadline.in(deps.now, 3 * second));
    expect(performance.now() - begun).toBeLessThan(3 * second);
    expect(captured).not.toBe("again");
    expect(await deps.attempts.find(job, 1)).toMatchObject({
      containers: [{ log: "missing", output: '{"rows": 7}\n', settled: false }],
      result: { rows: 7 },
    });
    released.abort();
  });

  it("lets cancels and timeouts work, and observations go on", async () => {
    const gate: Gate = { before: (call) => (appends(call) ? 403 : "pass") };
    const bench = await openBench({}, gate);
    const canceled = await post(bench.deps, yaml("canceled", { seconds: 3600 }));
    await follow(bench, canceled.id, ({ phase }) => phase.state === "Running");
    await reconcile(bench.deps, canceled.id, { at: undefined });
    await del(bench.deps, canceled.id);
    expect((await follow(bench, canceled.id)).phase).toMatchObject({ state: "Canceled", group: "gone" });
    const late = await post(bench.deps, yaml("late", { seconds: 3600 }), "runTimeout=PT2M");
    const { phase } = await follow(bench, late.id);
    expect(phase).toMatchObject({ state: "TimedOut", verdict: { reason: "RunTimeout" }, group: "gone" });
  });
});

it("a job of 40 containers whose logs are slow to come goes on where it stopped, and loses no line", async () => {
  const bench = await openBench();
  const more = Array.from(
    { length: 39 },
    (_, n) => `    - name: side${n}
      properties:
        image: registry.example/team/side:1
        resources: {requests: {cpu: 0.1, memoryInGB: 0.1}}
        environmentVariables: [{name: SIM_RUN_SECONDS, value: "10"}, {name: SIM_OUTPUT, value: "side ${n}\\n"}]
`,
  ).join("");
  const { id: job } = await post(bench.deps, yaml("forty", { seconds: 10, more }));
  await follow(bench, job, ({ phase }) => phase.state === "Running");
  // Every other read of a log gets no answer the first time.
  bench.aci.faults.add(
    faultSchema.parse({ match: { kind: "logs" }, effect: { type: "status", status: 503 }, count: 20 }),
  );
  const read = bench.aci.counters.view(null);
  const ended = await follow(bench, job);
  expect(hasEnded(ended.phase) && ended.phase.state).toBe("Succeeded");
  const containers = z
    .record(z.string(), z.looseObject({ log: z.string(), output: z.string() }))
    .parse((await get(bench.deps, job)).body["containers"]);
  expect(Object.values(containers).map(({ log }) => log)).toEqual(Array.from({ length: 40 }, () => "complete"));
  expect(containers["side7"]?.output).toBe("side 7\n");
  const calls = z.looseObject({ calls: z.record(z.string(), z.number()) });
  const count = (view: unknown): number => calls.parse(view).calls["logs"] ?? 0;
  // Those that had been read are not read again.
  expect(count(bench.aci.counters.view(null)) - count(read)).toBeLessThanOrEqual(40 + 20 + 40);
  expect((await jobOf(bench.deps, job)).phase.state).toBe("Succeeded");
});

it("a host that comes to a log when another one has stored it, and the group is gone, changes nothing of it", async () => {
  const bench = await openBench();
  const other = await bench.again();
  const { id } = await post(bench.deps, yaml("nightly"));
  const { aci } = await bench.deps.aci();
  const read = aci.logs.bind(aci);
  await follow(bench, id, ({ phase }) => phase.state === "Running");
  bench.clock.advance(minute);
  vi.spyOn(aci, "logs").mockImplementation(async (...of) => {
    vi.restoreAllMocks();
    await follow({ ...bench, deps: other }, id);
    return read(...of);
  });
  await reconcile(bench.deps, id, { at: undefined });
  expect((await jobOf(other, id)).phase).toMatchObject({ state: "Succeeded", group: "gone" });
  expect((await get(other, id)).body).toMatchObject({
    containers: { app: { output: "Hello World!\n", log: "complete" } },
  });
  const lines: string[] = [];
  const { logs: store } = other.blobs;
  for await (const part of linesFrom(store, await store.pieces(id, 1, "app"), 0)) lines.push(...part.lines);
  expect(lines.filter(isMark)).toEqual([]);
});
