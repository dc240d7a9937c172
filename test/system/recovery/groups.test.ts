import { expect, it } from "vitest";
import { groupTrial } from "./groups.ts";

/** The small size of `npm run groups`: each kind of job four times at least. */
it(
  "of 40 jobs of a group no more run than its limits allow, and nobody overtakes, whoever is killed and whatever an operator says",
  { timeout: 480_000 },
  async () => {
    const figures = await groupTrial({ jobs: 40, kills: 2, factor: 20, tell: () => undefined });
    expect(figures.wrong).toEqual([]);
    // Four have a second attempt.
    expect(figures).toMatchObject({ mostLive: 3, creates: 44 });
  },
);
