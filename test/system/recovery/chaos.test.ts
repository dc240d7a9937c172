import { describe, expect, it } from "vitest";
import { sizeOf } from "../../kit/size.ts";
import { chaos } from "./chaos.ts";
import { troubles } from "./troubles.ts";

/** The small size of `npm run chaos`: two jobs of three have a trouble, and in the long form every trouble befalls one. */
const jobs = sizeOf(12, Math.ceil(troubles.length * 1.5));
const kills = sizeOf(1, 2);

describe(`${jobs} jobs, a tenth of all calls going wrong, trouble for two groups of three, the host killed meanwhile`, () => {
  it("no job is lost, doubled or leaked, and every verdict is right", { timeout: 480_000 }, async () => {
    const seed = Number(process.env["CHAOS_SEED"] ?? 1);
    const figures = await chaos({ jobs, kills, faults: 0.1, seed, factor: 10, tell: () => undefined });
    expect(figures).toMatchObject({ kills, lost: 0, doubled: 0, leaked: 0, overLimit: 0, alive: 0, wrong: [] });
    expect(figures.armFaults).toBeGreaterThan(0);
    expect(figures.storageFaults).toBeGreaterThan(0);
  });
});
