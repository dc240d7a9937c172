import { expect, test } from "vitest";
import { earliestCreates, largestBacklog, leastWaits } from "../../../bench/scale/bound.ts";

const minute = 60_000;
const limits = { regions: 1, perFiveMinutes: 2, perHour: 5 };
const atOnce = (count: number): number[] => Array.from({ length: count }, () => 0);

test("creates within the limits wait for nothing", () => {
  expect(leastWaits([0, 0, 10 * minute, 10 * minute], limits)).toEqual([0, 0, 0, 0]);
});

test("what is over the limit of five minutes waits for them, and what is over the hour's for the hour", () => {
  expect(earliestCreates(atOnce(7), limits).map((at) => at / minute)).toEqual([0, 0, 5, 5, 10, 60, 60]);
});

test("two regions take twice as many", () => {
  expect(earliestCreates(atOnce(4), { ...limits, regions: 2 })).toEqual([0, 0, 0, 0]);
  expect(earliestCreates(atOnce(12), { ...limits, regions: 2 }).at(-1)).toBe(60 * minute);
});

test("no window of the bound holds more creates than it may", () => {
  const creates = earliestCreates(
    Array.from({ length: 500 }, (_, n) => n * 700),
    { regions: 3, perFiveMinutes: 10, perHour: 30 },
  );
  for (const at of creates) {
    expect(creates.filter((other) => other >= at && other < at + 5 * minute).length).toBeLessThanOrEqual(3 * 10);
    expect(creates.filter((other) => other >= at && other < at + 60 * minute).length).toBeLessThanOrEqual(3 * 30);
  }
});

test("the backlog is what has come and is not created yet", () => {
  const arrivals = [0, 0, 0, 0, 6 * minute];
  expect(largestBacklog(arrivals, earliestCreates(arrivals, limits))).toBe(2);
});
