import { describe, expect, it } from "vitest";
import { minute } from "../../../src/shared/base/duration.ts";
import { hasEnded, stateWord, type Job } from "../../../src/shared/job/job.ts";
import { nextStep } from "../../../src/shared/job/next-step.ts";
import { blame, describe as sentenceOf } from "../../../src/shared/job/describe.ts";
import { retryAsked } from "../../../src/shared/job/transitions.ts";
import { fromRow, jobKey, toRow, type Prices } from "../../../src/shared/store/job-row.ts";
import { absent, ended, job, live, present, rules, running, start } from "../../kit/kit.ts";

/**
 * Rows as an invented next release writes them, with states, reasons, options, members and columns that this one does not know. After a
 * rollback they are read, shown, and saved with nothing lost.
 */
const prices: Prices = { vcpuHour: 1, gbHour: 1, currency: "USD" };
const none = { definition: undefined, callbacks: undefined };

type Written = Readonly<Record<string, unknown>>;

/** The row of a job, its record and columns changed as the next release would. */
function rowOf(of: Job, record: Written, columns: Written = {}): Written {
  const row = toRow(of, jobKey(of.id, of.createdAt), none, prices);
  return { ...row, record: JSON.stringify({ ...of, ...record }), ...columns };
}

/** The row after this release read it, changed something of its own, and saved it. */
function savedOver(row: Written): Written {
  const { job: read, sealed, kept } = fromRow(row);
  return toRow({ ...read, leaseSeenAt: start + minute }, jobKey(read.id, read.createdAt), sealed, prices, kept);
}

const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const recordOf = (row: Written): unknown => JSON.parse(String(row["record"]));

describe("a state that only the next release knows", () => {
  const phase = { state: "Hibernating", until: start + minute, image: { id: "snapshot-1" } };
  const columns = { state: "Hibernating", reason: "Saved", message: "It sleeps.", fault: "platform", runSeconds: 3 };
  const row = rowOf(job(), { phase }, columns);

  it("is read and shown by its own word", () => {
    const { job: read } = fromRow(row);
    expect(stateWord(read.phase)).toBe("Hibernating");
    expect(hasEnded(read.phase)).toBe(false);
    expect(sentenceOf(read)).toContain("Hibernating");
  });

  it("is saved whole, with the columns that say how the job stands", () => {
    const saved = savedOver(row);
    expect(recordOf(saved)).toMatchObject({ phase, leaseSeenAt: start + minute });
    expect(saved).toMatchObject({ ...columns, runSeconds: { type: "Double", value: 3 } });
  });

  it("leaves the job alone, whatever is seen, canceled or overdue", () => {
    const { job: read } = fromRow(row);
    for (const seen of [undefined, absent, present(running)]) {
      const overdue: Job = { ...read, deadlineAt: 0, claimUntil: 1, cancel: { at: 1, reason: "CanceledByCaller" } };
      expect(nextStep(overdue, seen, false, start, rules)).toEqual({ do: "leave alone" });
    }
  });
});

it("an end that can't be read is shown as Unknown, so that it passes for no end", () => {
  const { job: read } = fromRow(rowOf(job(), { phase: { state: "Failed", summary: "of a new kind" } }));
  expect(stateWord(read.phase)).toBe("Unknown");
  expect(hasEnded(read.phase)).toBe(false);
});

it("an ending that leads to a new state leaves the job alone", () => {
  const phase = { state: "Running", startedAt: start, ending: { to: "Hibernating", since: start } };
  const { job: read } = fromRow(rowOf(job(), { phase }));
  expect(stateWord(read.phase)).toBe("Running");
  expect(nextStep(read, present(running), true, start, rules)).toEqual({ do: "leave alone" });
});

it("a word for the group that only the next release knows keeps the group", () => {
  const of = ended({ tidy: false });
  const { job: read } = fromRow(rowOf(of, { phase: { ...of.phase, group: "archived" } }));
  expect(hasEnded(read.phase)).toBe(true);
  expect(nextStep(read, present(running), true, start, rules)).toEqual({ do: "leave alone" });
});

describe("a reason that only the next release knows", () => {
  it("of an end is read, shown with advice, and saved", () => {
    const of = ended({ state: "Failed" });
    const verdict = { reason: "DiskFull", exitCode: 28, disk: "/data" };
    const row = rowOf(of, { phase: { ...of.phase, verdict }, cancel: { at: 1, reason: "Superseded" } });
    const { job: read } = fromRow(row);
    if (!hasEnded(read.phase)) throw new Error("It has ended.");
    expect(read.phase.verdict.reason).toBe("DiskFull");
    expect(blame(read.phase.verdict)).toMatchObject({ party: "platform" });
    expect(sentenceOf(read)).toContain("DiskFull");
    expect(recordOf(savedOver(row))).toMatchObject({ phase: { verdict }, cancel: { reason: "Superseded" } });
    expect(savedOver(row)).toMatchObject({ state: "Failed", reason: "DiskFull", exitCode: 28 });
  });

  it("of a wait is shown, and the job goes on", () => {
    const phase = { state: "Queued", waiting: { reason: "LicenseBusy", since: start }, refusals: 0 };
    const { job: read } = fromRow(rowOf(job(), { phase }));
    expect(sentenceOf(read)).toContain("LicenseBusy");
    expect(nextStep(read, undefined, false, start, rules)).toEqual({ do: "admit" });
  });
});

describe("options that only the next release knows", () => {
  const newer = {
    ...job().options,
    onConflict: "merge",
    keep: "archive",
    polling: "stream",
    group: "ware/house",
    groupLimit: 3,
    onGroupFull: "evict",
    priority: 60,
    retries: 1,
    retryOn: [
      { when: "weekend", retry: true },
      { when: { signal: 9 }, retry: true },
      { when: { reason: "DiskFull" }, retry: true },
    ],
    checkpoint: { every: 60 },
  };
  const row = rowOf(job(), { options: newer });

  it("are read and saved as they were", () => {
    expect(fromRow(row).job.options).toEqual(newer);
    expect(recordOf(savedOver(row))).toMatchObject({ options: asJson(newer) });
  });

  it("match nothing of what this release does", () => {
    const { retryOn } = fromRow(row).job.options;
    expect(retryAsked(retryOn, { reason: "ExitCode", exitCode: 1 })).toBe(false);
  });

  it("of a wrong kind are reported by their position", () => {
    expect(() => fromRow(rowOf(job(), { options: { ...newer, timeout: "long" } }))).toThrow(/at options/);
  });
});

it("further words of a job are kept: how it came, its restart policy, how far its callers were notified", () => {
  const words = { via: "schedule", restartPolicy: "OnNodeFailure", callback: { state: "paused", tries: 2 } };
  const row = rowOf(job(), words);
  expect(fromRow(row).job).toMatchObject(words);
  expect(recordOf(savedOver(row))).toMatchObject(words);
});

it("members that it added anywhere stay through a change of state", () => {
  const of = live({ state: "Running", startedAt: start });
  const [line] = of.history;
  const added = {
    colour: { name: "blue" },
    history: [{ ...line, actor: "scheduler" }],
    containers: of.containers.map((each) => ({ ...each, gpu: 1 })),
    placed: { ...of.placed, zone: "2" },
  };
  const { job: read } = fromRow(rowOf(of, added));
  const step = nextStep(
    { ...read, cancel: { at: 1, reason: "CanceledByCaller" } },
    present(running),
    true,
    start,
    rules,
  );
  if (!("job" in step)) throw new Error(`A canceled job is not left at ${step.do}.`);
  expect(recordOf(toRow(step.job, jobKey(of.id, of.createdAt), none, prices))).toMatchObject(added);
});

it("columns that it added are written back, with a fraction's type where the name says so", () => {
  const added = { division: "data", gpuSeconds: 2, hops: 3, plannedAt: new Date(start), night: true };
  expect(savedOver(rowOf(job(), {}, added))).toMatchObject({ ...added, gpuSeconds: { type: "Double", value: 2 } });
});

it("our own column that has no value any more goes, also from a row of the next release", () => {
  const row = { ...rowOf(job(), {}, { exitCode: 3, "odata.metadata": "http://localhost" }), timestamp: "2026" };
  expect(Object.keys(savedOver(row))).not.toEqual(expect.arrayContaining(["exitCode"]));
  expect(savedOver(row)).not.toHaveProperty("timestamp");
  expect(savedOver(row)).not.toHaveProperty(["odata.metadata"]);
});
