import { InvocationContext } from "@azure/functions";
import { describe, expect, it, vi } from "vitest";
import { minute } from "../../src/shared/base/duration.ts";
import { jobKey, toRow } from "../../src/shared/store/job-row.ts";
import { sweep } from "../../src/workers/sweep.ts";
import { part } from "../kit/document.ts";
import { ended, jobId, start } from "../kit/kit.ts";
import {
  costOfJob,
  costTable,
  formula,
  lives,
  maxBytes,
  maxChecks,
  maxShared,
  thousandTable,
  workTable,
  type CostRow,
} from "./job-cost.ts";
import { countedCalls, openBench, useAzurite, type Bench } from "./kit.ts";

vi.setConfig({ testTimeout: 90_000 });
useAzurite();

describe("what a job costs", () => {
  let measured: Promise<readonly Measured[]> | undefined;
  const lines = (): Promise<readonly Measured[]> => (measured ??= measure());

  it("is a sum for the job and one for each observation, whatever its length", async () => {
    for (const { cost } of await lines()) expect(cost.storage).toEqual(formula(cost));
  });

  it("is one create, one delete, a log read a minute and three for its beginning and its end, and observations that get rarer", async () => {
    for (const { cost, seconds } of await lines()) {
      const minutes = seconds / 60;
      expect(cost.arm).toMatchObject({ creates: 1, deletes: 1 });
      expect(cost.arm.logReads).toBeLessThanOrEqual(3 + minutes);
      expect(cost.arm.observations).toBeLessThanOrEqual(45 + 2.4 * minutes);
    }
  });

  it("is a word to the sweep each 20 s at the most, and a bounded share of what an instance's jobs share", async () => {
    for (const { cost, seconds } of await lines()) {
      expect(cost.checks).toBeLessThanOrEqual(maxChecks(seconds * 1000));
      expect(cost.shared).toBeLessThanOrEqual(maxShared(seconds * 1000));
    }
  });

  it("is few bytes: its definition once, and its row and its log as often as they are written", async () => {
    for (const { cost, life } of await lines()) expect(cost.bytes, life).toBeLessThanOrEqual(maxBytes(cost));
  });

  it("is what docs/costs.md says", async () => {
    const [table, work] = [costTable(await lines()), workTable(await lines())];
    expect(part("docs/costs.md", "job cost", table)).toBe(table);
    expect(part("docs/costs.md", "job work", work)).toBe(work);
    const fiveMinutes = (await lines()).find(({ seconds }) => seconds === 300);
    const thousand = fiveMinutes && thousandTable(fiveMinutes);
    expect(part("docs/costs.md", "thousand jobs", thousand)).toBe(thousand);
  });
});

type Measured = CostRow & { readonly seconds: number };

async function measure(): Promise<readonly Measured[]> {
  const lines: Measured[] = [];
  for (const { life, seconds } of lives) {
    let logged = 0;
    const bench = await openBench({}, countedCalls, { log: () => logged++ });
    await costOfJob(bench, "warm-up", 1); // what an instance does once is not the job's
    const before = logged;
    const cost = await costOfJob(bench, "job", seconds);
    lines.push({ life, seconds, cost, lines: logged - before });
  }
  return lines;
}

it("a job of a name that ran before is observed more often around its usual end, and so its end is seen sooner", async () => {
  const bench = await openBench({}, countedCalls);
  const [first, second] = [await costOfJob(bench, "nightly", 600), await costOfJob(bench, "nightly", 600)];
  expect(second.storage).toEqual(formula(second));
  expect(second.arm.observations).toBeGreaterThanOrEqual(first.arm.observations);
  expect(second.arm.observations).toBeLessThan(first.arm.observations + 16);
  const all = {
    states: undefined,
    name: undefined,
    columns: {},
    since: undefined,
    until: undefined,
  };
  const { rows } = await bench.deps.jobs.list(all, 2, undefined);
  const [later, earlier] = rows.map((row) => Number(row["runSeconds"]));
  expect(later).toBeLessThan(earlier ?? 0);
});

describe("a table with many finished jobs", () => {
  it("makes neither a job nor a run of the timer dearer", async () => {
    const bench = await openBench({}, countedCalls);
    await costOfJob(bench, "warm-up", 1);
    const measured = async (name: string) => {
      const { shared: _byTheClock, bytes: _ofItsName, ...job } = await costOfJob(bench, name, 60);
      return { job, timer: await tick(bench) };
    };
    const few = await measured("before");
    await addFinished(bench, 500);
    expect(await measured("after")).toEqual(few);
  });
});

/** How many calls to storage a run of the timer makes, its hourly and ten-minutely parts left out. */
async function tick(bench: Bench): Promise<number> {
  const schedule = { isPastDue: false, schedule: { adjustForDST: false } };
  const run = () =>
    sweep(bench.deps)(
      { ...schedule, scheduleStatus: { last: "", lastUpdated: "", next: "" } },
      new InvocationContext(),
    );
  await run();
  bench.clock.advance(minute);
  const before = bench.calls().length;
  await run();
  return bench.calls().length - before;
}

async function addFinished({ storage, deps }: Bench, count: number): Promise<void> {
  const table = storage.table("jobs");
  const sealed = { definition: undefined, callbacks: undefined };
  for (let from = 0; from < count; from += 100) {
    const rows = Array.from({ length: 100 }, (_, n) => {
      const id = jobId(from + n, start - from - n);
      const job = ended({ group: "gone", tidy: true }, { id, createdAt: start - from - n });
      return toRow(job, jobKey(id, job.createdAt), sealed, deps.jobs.prices);
    });
    await table.submitTransaction(rows.map((row) => ["create", row]));
  }
}
