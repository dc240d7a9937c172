import { describe, expect, it } from "vitest";
import { chaos } from "./chaos.ts";

/** The small size of `npm run chaos`. */
describe("30 jobs, a tenth of all calls going wrong, the host killed twice", () => {
  it("none is lost, doubled or leaked, and every exit code is right", { timeout: 240_000 }, async () => {
    const seed = Number(process.env["CHAOS_SEED"] ?? 1);
    const figures = await chaos({ jobs: 30, kills: 2, faults: 0.1, seed, factor: 20, tell: () => undefined });
    expect(figures).toMatchObject({
      succeeded: 20,
      failed: 10,
      kills: 2,
      lost: 0,
      doubled: 0,
      leaked: 0,
      wrongExitCodes: 0,
    });
    expect(figures.armFaults).toBeGreaterThan(0);
    expect(figures.storageFaults).toBeGreaterThan(0);
  });
});
