import { expect, it } from "vitest";
import { arrayTrial } from "./arrays.ts";

/** The small size of `npm run arrays`. */
it(
  "of an array of 12, 4 at a time, each index ends once, whoever is killed, and what failed runs again alone",
  { timeout: 480_000 },
  async () => {
    const tell = (): void => undefined;
    const figures = await arrayTrial({
      size: 12,
      failing: 2,
      parallelism: 4,
      kills: 1,
      faults: 0.05,
      factor: 20,
      tell,
    });
    expect(figures.wrong).toEqual([]);
    expect(figures.mostLive).toBeLessThanOrEqual(4);
    expect(figures.rerun).toBe(2);
  },
);
