import fc from "fast-check";
import { z } from "zod";
import { describe, expect, it } from "vitest";
import { day, minute, second } from "../../../src/shared/base/duration.ts";
import { isMinted, parseJobId } from "../../../src/shared/base/ids.ts";
import {
  columnsOf,
  dayPartition,
  fromRow,
  jobKey,
  keyOfMinted,
  maxEntityBytes,
  sizeOf,
  toRow,
  type Prices,
} from "../../../src/shared/store/job-row.ts";
import { nothingObserved, type Job } from "../../../src/shared/job/job.ts";
import { ended, ending, job, jobId, live, target, start } from "../../kit/kit.ts";
import { phases } from "../job/machine-table.ts";

const prices: Prices = { vcpuHour: 0.0405, gbHour: 0.00445, currency: "USD" };
const none = { definition: undefined, callbacks: undefined };
const columns = (of: Job) => columnsOf(of, prices);
const rowOf = (of: Job) => toRow(of, jobKey(of.id, of.createdAt), none, prices);

/** The columns that the contract names. */
const documented =
  "id name state reason message fault attempt createdAt queuedAt provisioningAt startedAt finishedAt deadlineAt queueSeconds startSeconds pullSeconds runSeconds durationSeconds exitCode failedContainer containerCount images cpu memoryGB vcpuSeconds gbSeconds costEstimate currency location resourceGroup groupName groupDeleted stopping requestedBy via factory pipeline pipelineRunId activity tags rerunOf warnings callbackState version".split(
    " ",
  );

const full = ended(
  {
    state: "Failed",
    verdict: { reason: "OutOfMemory", exitCode: 137, container: "app2" },
    group: "gone",
    finishedAt: start + 100 * second,
  },
  {
    startedAt: start + 40 * second,
    provisioningAt: start + 10 * second,
    firstCreateAt: start + 10 * second,
    requestedBy: "someone",
    rerunOf: jobId(7),
    events: [
      { at: start + 11 * second, name: "Pulling", type: "Normal", count: 1, message: "" },
      { at: start + 31 * second, name: "Pulled", type: "Normal", count: 1, message: "" },
    ],
    attempts: [
      {
        number: 1,
        state: "Failed",
        verdict: { reason: "OutOfMemory" },
        provisioningAt: start + 10 * second,
        finishedAt: start + 100 * second,
      },
    ],
    options: { tags: { team: "data" }, source: { factory: "f", pipeline: "p", pipelineRunId: "r", activity: "a" } },
  },
);

it("a message has at most 300 characters, and contains a code once, however much Azure said", () => {
  const detail = `InaccessibleImage: ${"x".repeat(1000)}`;
  const waits = job({
    phase: { state: "Queued", waiting: { reason: "InaccessibleImage", since: start, detail }, refusals: 0 },
  });
  const message = z.string().parse(columns(waits)["message"]);
  expect(message).toMatch(/ is waiting: InaccessibleImage\. x+/);
  expect(message.length).toBe(300);
});

it("the reason says why a job does not run yet", () => {
  const event = (name: string) => ({ name, type: "Normal", count: 1, message: "", at: start });
  const pending = (...names: string[]) =>
    columns(live({ state: "Pending", acceptedAt: start }, { events: names.map(event) }))["reason"];
  expect(columns(job())["reason"]).toBe("Accepted");
  expect(pending()).toBe("Starting");
  expect(pending("Pulling")).toBe("ImagePull");
  expect(pending("Pulling", "Pulled")).toBe("Starting");
});

describe("the columns of the table", () => {
  it("are all that the contract names", () => {
    const stopping = columns(live({ state: "Running", startedAt: start, ending: ending("Canceled") }));
    expect(documented.filter((name) => !(name in columns(full)) && !(name in stopping))).toEqual([]);
  });

  it("say what happened", () => {
    expect(columns(full)).toMatchObject({
      state: "Failed",
      reason: "OutOfMemory",
      fault: "program",
      message: "bellaciao Failed: app2 exit 137 OutOfMemory (program). Raise memoryInGB.",
      exitCode: 137,
      failedContainer: "app2",
      containerCount: 2,
      groupDeleted: true,
      factory: "f",
      pipelineRunId: "r",
      tags: '{"team":"data"}',
      rerunOf: jobId(7),
      createdAt: new Date(start),
      finishedAt: new Date(start + 100 * second),
    });
  });

  it("have fractions as doubles always, whole ones too", () => {
    const double = (value: number) => ({ type: "Double", value });
    expect(columns(full)).toMatchObject({
      cpu: double(1),
      memoryGB: double(1.5),
      queueSeconds: double(10),
      startSeconds: double(30),
      pullSeconds: double(20),
      runSeconds: double(60),
      durationSeconds: double(100),
      vcpuSeconds: double(90),
      gbSeconds: double(135),
    });
    expect(columns(full)["costEstimate"]).toEqual(double(0.001179)); // 90 / 3600 * (0.0405 + 1.5 * 0.00445)
    expect(columns({ ...full, cpu: 0.1, memoryGB: 0.7 })).toMatchObject({
      vcpuSeconds: double(9),
      gbSeconds: double(63),
      costEstimate: double(0.000179),
    });
  });

  it("have counts and codes as integers", () => {
    for (const name of ["attempt", "exitCode", "containerCount", "warnings", "version"])
      expect(columns(full)[name], name).toSatisfy(Number.isInteger);
  });

  it("that have no value yet are absent", () => {
    const early = columns(job());
    for (const name of ["exitCode", "finishedAt", "startedAt", "fault", "stopping", "pullSeconds", "costEstimate"])
      expect(early).not.toHaveProperty(name);
    expect(Object.values(early)).not.toContain(undefined);
  });

  it("of a job that waits say why", () => {
    const waiting = job({
      phase: { state: "Queued", refusals: 1, waiting: { reason: "QuotaReached", since: start, detail: "Limit: 100." } },
    });
    expect(columns(waiting)).toMatchObject({
      state: "Queued",
      reason: "QuotaReached",
      message: "Container Group bellaciao is waiting: QuotaReached. Limit: 100.",
    });
  });

  it("of a job that is being stopped say why and since when, and no terminal state", () => {
    const stopping = live({ state: "Running", startedAt: start, ending: ending("Canceled") });
    expect(columns(stopping)).toMatchObject({
      state: "Running",
      reason: "CanceledByCaller",
      groupDeleted: false,
      stopping: '{"reason":"CanceledByCaller","since":"2026-11-24T08:01:00.000Z"}',
    });
  });

  it("of a job that was refused by quota and never created cost nothing", () => {
    const never = ended({ state: "TimedOut", verdict: { reason: "QueueTimeout" }, group: "gone" }, { placed: target });
    expect(columns(never)).toMatchObject({ vcpuSeconds: { value: 0 }, costEstimate: { value: 0 } });
  });
});

describe("rows and jobs", () => {
  it.each(Object.entries(phases))("a job comes back as it was written: %s", (_, row) => {
    expect(fromRow(rowOf(row.job)).job).toEqual(JSON.parse(JSON.stringify(row.job)));
  });

  it("a record that is larger than a property spreads over several", () => {
    const large = job({
      warnings: Array.from({ length: 50 }, (_, n) => ({
        path: `p${n}`,
        line: n,
        column: 1,
        message: "m".repeat(2000),
      })),
    });
    const row = rowOf(large);
    expect(row).toHaveProperty("record3");
    for (const value of Object.values(row))
      if (typeof value === "string") expect(value.length).toBeLessThanOrEqual(32_768);
    expect(fromRow(row).job).toEqual(JSON.parse(JSON.stringify(large)));
  });

  it("a job of which Azure says more than fits is saved without its sentences", () => {
    const names = Array.from({ length: 60 }, (_, n) => `app${n}`);
    const [name, init] = ["Failed", false];
    const words = "OOMKilled ".repeat(30);
    const ends = names.map((container) => ({ container, init, exitCode: 137, detailStatus: words, restartCount: 0 }));
    const large = live(
      { state: "Running", startedAt: start },
      {
        containers: names.map((each) => ({ name: each, init })),
        images: names.map((each) => each + "x".repeat(1000)),
        events: names.map((container) => ({ container, name, type: "Warning", count: 1, message: words })),
        observed: { ...nothingObserved, ends, containers: ends.map((end) => ({ ...end, state: "Terminated" })) },
        azure: { code: "Conflict", message: "m".repeat(50_000), httpStatus: 409 },
      },
    );
    const read = fromRow(rowOf(large)).job;
    expect(read).toMatchObject({ phase: large.phase, containers: large.containers, events: [] });
    expect(read.observed.ends.map(({ exitCode, detailStatus }) => [exitCode, detailStatus?.slice(0, 9)])).toEqual(
      names.map(() => [137, "OOMKilled"]),
    );
  });

  it("an entity larger than Azure takes is refused by our own code", () => {
    const sealed = { ...none, definition: new Uint8Array(maxEntityBytes) };
    expect(() => toRow(job(), jobKey(jobId(), start), sealed, prices)).toThrow(RangeError);
  });

  it("sizes are counted as the service counts them: 4 bytes, names and texts twice, binaries once", () => {
    expect(sizeOf({ partitionKey: "ab", data: new Uint8Array(10), n: 1 })).toBe(
      4 + (8 + 24 + 4 + 4) + (8 + 8 + 4 + 10) + (8 + 2 + 8),
    );
  });

  it("sealed bytes travel with the job", () => {
    const sealed = { definition: new Uint8Array([1, 2]), callbacks: new Uint8Array([3]) };
    expect(fromRow(toRow(job(), jobKey(jobId(), start), sealed, prices)).sealed).toEqual(sealed);
    expect(fromRow({ ...rowOf(job()), definition: "blob" }).sealed.definition).toBe("blob");
  });

  it.each([
    ["a record that was edited by hand", { record: '{"version":1,' }, /no JSON/],
    ["a record that is gone", {}, /no JSON/],
    ["a phase without a state", { record: JSON.stringify({ ...job(), phase: {} }) }, /at phase/],
    ["a malformed time", { record: JSON.stringify({ ...job(), lookAt: "soon" }) }, /at lookAt/],
    ["a record of a newer version", { record: JSON.stringify({ ...job(), version: 2 }) }, /at version/],
  ])("%s is refused with a sentence", (_, row, sentence) => {
    expect(() => fromRow(row)).toThrow(sentence);
  });

  it("a place of a child's result that only a newer release knows is kept", () => {
    const child = { array: jobId(), arrayAt: start, index: 0, size: 2, resultIn: "blob" };
    expect(fromRow({ record: JSON.stringify({ ...job(), child }) }).job.child).toEqual(child);
  });

  it("members that a newer release added are tolerated", () => {
    const newer = { ...job(), colour: "blue", phase: { ...job().phase, shade: 3 } };
    expect(fromRow({ record: JSON.stringify(newer) }).job.id).toBe(job().id);
  });
});

describe("where a row stands", () => {
  it("a day is one partition, newer days and newer jobs come first", () => {
    expect(dayPartition(start)).toBe("79738875-20261124");
    const keys = [start, start + 1, start + day, start + 40 * day].map((at, n) => {
      const { partitionKey, rowKey } = jobKey(jobId(n, at), at);
      return `${partitionKey}/${rowKey}`;
    });
    expect([...keys].sort()).toEqual([...keys].reverse());
  });

  it("our own id contains its key; a poster's does not", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), fc.nat(), (at, n) => {
        expect(keyOfMinted(jobId(n, at))).toEqual(jobKey(jobId(n, at), at));
      }),
    );
    const foreign = parseJobId("6f9619ff-8b86-4011-b42d-00c04fc964ff");
    expect(foreign && isMinted(foreign)).toBe(false);
    expect(foreign && keyOfMinted(foreign)).toBeUndefined();
  });

  it("keys have no character that Azure forbids", () => {
    const { partitionKey, rowKey } = jobKey(jobId(), start + minute);
    expect(`${partitionKey}${rowKey}`).not.toMatch(/[/\\#?\p{Cc}]/u);
  });
});
