import { describe, expect, it } from "vitest";
import { day, hour } from "../../src/shared/base/duration.ts";
import { settings } from "../kit/kit.ts";
import { Year, type YearFigures, type YearOptions } from "../model/year/year.ts";

/**
 * What docs/settings.md promises about how long things stay, over simulated days with the real retention (test/model/year). The suite
 * looks at twenty days under short settings; `YEAR_DAYS=365` looks at a year of 7,200 jobs a day under the settings' own defaults.
 */
const days = Number(process.env["YEAR_DAYS"] ?? 0);

function judge({ jobsPerDay, settings: kept, silence, every }: YearOptions, figures: YearFigures): void {
  const { most } = figures;
  expect(figures).toMatchObject({ late: [], early: [], astray: [] });
  expect(figures.catchUpTime).toBeLessThan(hour);
  // What ends on a day goes within the next sweep after its time; one job in fifty runs for five days more.
  const jobsFor = (time: number): number => jobsPerDay * ((time + every) / day + silence.to - silence.from + 1.2);
  const rows = jobsFor(kept.rowRetention);
  expect(most.rows).toBeLessThan(rows);
  expect(most.attempts).toBeLessThan(1.1 * rows);
  // Names, keys, ids of posters, and 300 names with what they left.
  expect(most.index).toBeLessThan(1.3 * rows + 600);
  const leftOver = 50 * (40 + silence.to - silence.from);
  const blobs = 1.3 * jobsFor(kept.logRetention) + 0.05 * jobsFor(kept.definitionRetention) + leftOver;
  expect(most.blobs).toBeLessThan(blobs);
  expect(most.control).toBeLessThan(leftOver);
  // A text property of a table.
  expect(most.cursor).toBeLessThan(32_000);
  expect(figures.callsPerJob).toBeLessThan(6);
}

describe("what is kept only for a time", () => {
  it(
    "goes after its time and within a day, also after ten days without a sweep; nothing goes early, nothing is left over",
    { timeout: 60_000 },
    async () => {
      const short = settings({ ROW_RETENTION: "P3D", LOG_RETENTION: "P2D", DEFINITION_RETENTION: "P1D" });
      const options = { days: 20, jobsPerDay: 720, settings: short, every: 2 * hour, silence: { from: 6, to: 16 } };
      const figures = await new Year(options).run();
      judge(options, figures);
      expect(figures.jobs).toBe(14_400);
      expect(figures.rowsLeft).toBeLessThan(720 * 4.2);
    },
  );

  if (days === 0) return;
  it("keeps to it for a year of 7,200 jobs a day", { timeout: 3_600_000 }, async () => {
    const silence = { from: Math.floor(days * 0.6), to: Math.floor(days * 0.6) + 10 };
    const options = { days, jobsPerDay: 7200, settings: settings(), every: 6 * hour, silence };
    const began = performance.now();
    const figures = await new Year(options).run();
    console.info(JSON.stringify({ ...figures, seconds: Math.round((performance.now() - began) / 1000) }));
    judge(options, figures);
  });
});
