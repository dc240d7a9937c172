import { expect, it } from "vitest";
import { groupTrial } from "./groups.ts";

/** The small size of `npm run groups`: each kind of job once at least. */
it(
  "of 25 jobs of a group no more run than its limits allow, and nobody overtakes, whoever is killed and whatever an operator says",
  { timeout: 480_000 },
  async () => {
    const figures = await groupTrial({ jobs: 25, kills: 2, factor: 20, tell: () => undefined });
    expect(figures.wrong).toEqual([]);
    expect(figures.mostLive).toBeLessThanOrEqual(3);
    // Two have a second attempt.
    expect(figures.creates).toBeGreaterThanOrEqual(27);
  },
);
