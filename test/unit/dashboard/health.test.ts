import { describe, expect, test } from "vitest";
import { skewOf, waitOf } from "../../../src/dashboard/logic/clock.ts";
import { everyDay } from "../../../src/dashboard/logic/grouping.ts";
import { factsOf, wellness } from "../../../src/dashboard/logic/health.ts";
import { health } from "../../kit/page/service.ts";

const now = Date.parse("2026-11-28T06:00:00Z");
const at = (ago: number): string => new Date(now - ago * 60_000).toISOString();

describe("Health", () => {
  const well = health(now, []);
  const bad = (more: Partial<typeof well>): readonly string[] =>
    factsOf({ ...well, ...more }, now).flatMap(({ name, value, isBad }) => (isBad ? [`${name}: ${value}`] : []));

  test("is ok where nothing is in trouble", () => {
    expect(bad({})).toEqual([]);
    expect(wellness(well, factsOf(well, now))).toBe("ok");
  });

  test("names everything that is in trouble, also what jobs only wait for", () => {
    expect(bad({ sealKey: { ok: false, since: at(7), error: "Forbidden" } })).toEqual([
      "Sealing key: in trouble since 7 min ago: Forbidden",
    ]);
    expect(bad({ webhook: { ok: false, since: null }, leakedGroups: 2, wakePoisonLength: 1 })).toEqual([
      "Poison messages: 1",
      "Webhook: in trouble since never",
      "Groups that should be gone: 2",
    ]);
    const two = { ...well, leakedGroups: 2, paused: { reason: "maintenance", since: at(1) } };
    expect(wellness(two, factsOf(two, now))).toBe("2 troubles");
    expect(wellness({ ...two, status: "late" }, factsOf(two, now))).toBe("late");
  });

  test("counts ages to when it was read, however old that is", () => {
    const facts = factsOf({ ...well, lastReconcile: at(1) }, now);
    expect(facts.find(({ name }) => name === "Last pass of the sweep")?.value).toBe("1 min ago");
  });
});

describe("Days", () => {
  const row = (key: string) => ({
    key,
    succeeded: 3,
    failed: 0,
    cost: 1,
    queueSeconds: { p50: 1, p95: 2 },
    runSeconds: { p50: 1, p95: 2 },
  });
  const rows = [row("2026-11-26")];

  test("without a job stand among the others", () => {
    const days = everyDay({ rows, until: at(0), truncated: false }, 3);
    expect(days.map(({ key, succeeded }) => `${key} ${succeeded}`)).toEqual([
      "2026-11-25 0",
      "2026-11-26 3",
      "2026-11-27 0",
      "2026-11-28 0",
    ]);
  });

  test("before the oldest row that was read are not said to be empty", () => {
    expect(everyDay({ rows, until: at(0), truncated: true }, 3).map(({ key }) => key)[0]).toBe("2026-11-26");
  });
});

describe("The service's clock", () => {
  const date = new Date(now).toUTCString();

  test.each([
    ["a right clock", now - 100, now + 900, 0],
    ["a clock that is a second off", now - 1100, now - 900, 0],
    ["a slow answer", now - 20_000, now + 20_000, 0],
    ["a clock an hour ahead", now + 3_600_000, now + 3_600_200, -3_599_500],
    ["a clock an hour behind", now - 3_600_200, now - 3_600_000, 3_600_500],
  ])("%s", (_, sent, received, skew) => expect(skewOf(date, sent, received)).toBe(skew));

  test("is not known where an answer does not say it", () => {
    expect(skewOf(null, 0, 1)).toBeUndefined();
    expect(skewOf("soon", 0, 1)).toBeUndefined();
  });

  test("an answer may say how long to wait, within reason", () => {
    expect(["30", "0", "-1", "soon", null, "86400"].map(waitOf)).toEqual([30_000, 0, 0, 0, 0, 600_000]);
  });
});
