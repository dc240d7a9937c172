import { expect, it } from "vitest";
import { sizeOf } from "../../kit/size.ts";
import { groupTrial } from "./groups.ts";

/** The small size of `npm run groups`: each kind of job once at least. Of ten jobs one has a second attempt. */
const jobs = sizeOf(13, 25);

it(
  `of ${jobs} jobs of a group no more run than its limits allow, and nobody overtakes, whoever is killed and whatever an operator says`,
  { timeout: 480_000 },
  async () => {
    const figures = await groupTrial({ jobs, kills: sizeOf(1, 2), factor: 20, tell: () => undefined });
    expect(figures.wrong).toEqual([]);
    expect(figures.mostLive).toBeLessThanOrEqual(3);
    expect(figures.creates).toBeGreaterThanOrEqual(jobs + Math.floor((jobs + 3) / 10));
  },
);
