import { describe, expect, it, test, vi } from "vitest";
import { minute, second } from "../../../src/shared/base/duration.ts";
import { pace } from "../../../src/shared/job/timing.ts";
import { part } from "../../kit/document.ts";
import { job, rules, start } from "../../kit/kit.ts";
import { simulate, type Observed } from "../../model/pace.ts";

vi.setConfig({ testTimeout: 60_000 });

describe("between two observations", () => {
  const even = { ...rules, random: 0.5 };
  const running = (age: number, run?: number): number => {
    const typical = run === undefined ? undefined : { runs: 1, start: 0, run, most: run };
    return pace(job({ phase: { state: "Running", startedAt: start }, typical }), start + age, even) / second;
  };

  it.each([
    ["nothing is known", undefined, [2, 3, 30, 60, 60]],
    ["it usually takes ten minutes", 10 * minute, [2, 3, 30, 10, 60]],
    ["it usually takes five minutes and some seconds", 304 * second, [2, 3, 3.75, 60, 60]],
    ["it usually takes no time", 0, [2, 3, 30, 60, 60]],
  ])("lies a tenth of the age, or half of the time to the usual end: %s", (_, usual, waits) => {
    expect([1, 30, 300, 620, 7200].map((age) => running(age * second, usual))).toEqual(waits);
  });
});

test("nobody is observed again before those whose observation was refused", () => {
  const running = job({ phase: { state: "Running", startedAt: start } });
  const waits = [0, 5, 90].map((backlog) =>
    pace(running, start + minute, { ...rules, backlog: backlog * second, random: 0.5 }),
  );
  expect(waits).toEqual([6 * second, 6 * second, 90 * second]);
});

/** ARM's published limit of reads is the only budget there is; two containers a group, whose logs are read from it too. */
test.each([
  { active: 500, limit: 30 },
  { active: 1000, limit: 60 },
])("with $active active groups an end shows in the table within $limit s at p95, log reads counted", async (row) => {
  const seen = await simulated(row.active);
  expect(seen.p95).toBeLessThanOrEqual(row.limit);
  expect(seen.observationsPerSecond + seen.logReadsPerSecond).toBeLessThanOrEqual(25.1);
  expect(seen.logReadsPerSecond).toBeGreaterThan(1);
});

test.each([100, 500, 1000])("with %i active groups what earlier jobs took only improves it", async (active) => {
  const [without, known] = await Promise.all([simulated(active), simulated(active, true)]);
  expect(known.p50).toBeLessThan(without.p50);
  // Which of the two draws the rarer token is chance: a second of it.
  expect(known.p95).toBeLessThanOrEqual(without.p95 + 1);
});

test("docs/costs.md says how soon an end shows", async () => {
  const plans = [false, true].flatMap((known) => [100, 500, 1000].map((active) => ({ active, known })));
  const rows = await Promise.all(
    plans.map(async ({ active, known }) => {
      const { p50, p95, observationsPerSecond, logReadsPerSecond } = await simulated(active, known);
      const cells = [active.toLocaleString("en"), known ? "yes" : "no", `${p50} s`, `${p95} s`];
      return `| ${[...cells, observationsPerSecond, logReadsPerSecond].join(" | ")} |`;
    }),
  );
  const names = ["active groups", "ran before", "p50", "p95", "observations a second", "log reads a second"];
  const head = `| ${names.join(" | ")} |\n| ${names.map(() => "---").join(" | ")} |`;
  const table = [head, ...rows].join("\n");
  expect(part("docs/costs.md", "pace", table)).toBe(table);
});

const runs = new Map<string, Promise<Observed>>();

function simulated(active: number, known = false): Promise<Observed> {
  const key = `${active} ${known}`;
  const run = runs.get(key) ?? simulate({ active, containers: 2, minutes: 40, known });
  runs.set(key, run);
  return run;
}
