import { expect, test, vi } from "vitest";
import { part } from "../document.ts";
import { simulate, type Seen } from "../model/pace.ts";

vi.setConfig({ testTimeout: 60_000 });

/** ARM's published limit of reads is the only budget there is; two containers a group, whose logs are read from it too. */
test.each([
  { active: 500, limit: 30 },
  { active: 1000, limit: 60 },
])("with $active active groups an end shows in the table within $limit s at p95, log reads counted", async (row) => {
  const seen = await simulated(row.active);
  expect(seen.p95).toBeLessThanOrEqual(row.limit);
  expect(seen.looksPerSecond + seen.logReadsPerSecond).toBeLessThanOrEqual(25.1);
  expect(seen.logReadsPerSecond).toBeGreaterThan(1);
});

test("docs/costs.md says how soon an end shows", async () => {
  const rows = await Promise.all(
    [100, 500, 1000].map(async (active) => {
      const { p50, p95, looksPerSecond, logReadsPerSecond } = await simulated(active);
      return `| ${active.toLocaleString("en")} | ${p50} s | ${p95} s | ${looksPerSecond} | ${logReadsPerSecond} |`;
    }),
  );
  const head = "| active groups | p50 | p95 | looks a second | log reads a second |\n| --- | --- | --- | --- | --- |";
  const table = [head, ...rows].join("\n");
  expect(part("docs/costs.md", "pace", table)).toBe(table);
});

const runs = new Map<number, Promise<Seen>>();

function simulated(active: number): Promise<Seen> {
  const run = runs.get(active) ?? simulate({ active, containers: 2, minutes: 60 });
  runs.set(active, run);
  return run;
}
