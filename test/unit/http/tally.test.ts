import { expect, it, test } from "vitest";
import type { Grouping } from "../../../src/http/jobs/groupings.ts";
import { Tally } from "../../../src/http/jobs/tally.ts";
import type { JobColumns } from "../../../src/shared/store/job-filter.ts";

const row = (more: JobColumns): JobColumns => ({
  name: "nightly",
  state: "Succeeded",
  reason: "Completed",
  createdAt: new Date("2026-11-24T08:30:00Z"),
  ...more,
});

const tallied = (by: Grouping, ...rows: readonly JobColumns[]) => {
  const tally = new Tally(by);
  for (const each of rows) tally.add(row(each));
  return tally.rows();
};

test("jobs are counted by how they ended; one that has not is neither succeeded nor failed", () => {
  const states = ["Succeeded", "Succeeded", "Failed", "TimedOut", "Stopped", "Canceled", "Queued", "Running"];
  const [all] = tallied("name", ...states.map((state) => ({ state })));
  expect(all).toMatchObject({ key: "nightly", count: 8, succeeded: 2, failed: 4 });
});

test("percentiles are those of the nearest rank, of the jobs that have such a time", () => {
  const times = Array.from({ length: 100 }, (_, n) => ({ runSeconds: n + 1 }));
  const [all] = tallied("name", ...times.toReversed(), {});
  expect(all).toMatchObject({ count: 101, runSeconds: { p50: 50, p95: 95 }, queueSeconds: { p50: null, p95: null } });
  expect(tallied("name", { runSeconds: 7 })[0]?.runSeconds).toEqual({ p50: 7, p95: 7 });
});

test("costs are added up, without the last digits of binary fractions", () => {
  const [all] = tallied("name", { costEstimate: 0.1, gbSeconds: 1.5 }, { costEstimate: 0.2, vcpuSeconds: 2 });
  expect(all).toMatchObject({ cost: 0.3, vcpuSeconds: 2, gbSeconds: 1.5 });
});

it("puts the largest first, and hours and days in their order", () => {
  const at = (hour: number) => ({ createdAt: new Date(Date.UTC(2026, 10, 24, hour, 59)) });
  const keys = (by: Grouping, ...rows: readonly JobColumns[]) => tallied(by, ...rows).map(({ key }) => key);
  expect(keys("reason", { reason: "A" }, { reason: "C" }, { reason: "B" }, { reason: "C" })).toEqual(["C", "A", "B"]);
  expect(keys("hour", at(9), at(9), at(8))).toEqual(["2026-11-24T08:00:00Z", "2026-11-24T09:00:00Z"]);
  expect(keys("day", at(9), at(25))).toEqual(["2026-11-24", "2026-11-25"]);
});

it("takes names and regions without regard to case, and jobs without one together", () => {
  expect(tallied("name", { name: "A" }, { name: "a" })).toMatchObject([{ key: "A", count: 2 }]);
  expect(tallied("pipeline", { pipeline: "P" }, { pipeline: "p" }, {})).toMatchObject([
    { key: "" },
    { key: "P" },
    { key: "p" },
  ]);
  expect(tallied("run", { pipelineRunId: "r" })).toMatchObject([{ key: "r" }]);
});
