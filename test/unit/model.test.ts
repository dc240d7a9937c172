import fc from "fast-check";
import { describe, it } from "vitest";
import { commands } from "../model/commands.ts";
import { World } from "../model/world.ts";

/**
 * Contract §6 under random crashes, duplicates, losses, delays, reorderings, lost answers and late effects: the real code on
 * simulated services (test/model). A failure prints its seed and the shortest list of happenings that shows it. MODEL_SEED makes it
 * happen again; MODEL_SECONDS looks longer.
 */
const seconds = Number(process.env["MODEL_SECONDS"] ?? 20);
const seed = process.env["MODEL_SEED"];

describe("whatever happens, in whatever order", () => {
  it(
    "every accepted job ends, with one live group at most, and nothing leaks",
    { timeout: 60_000 + seconds * 1000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(commands, fc.integer(), async (list, worldSeed) => {
          const world = new World(worldSeed);
          await fc.asyncModelRun(() => ({ model: {}, real: world }), list);
          await world.finish();
          world.judge.verdict();
          const [first] = world.judge.violations;
          if (first !== undefined) throw new Error(first);
        }),
        {
          numRuns: 200 * seconds,
          interruptAfterTimeLimit: seconds * 1000,
          ...(seed === undefined ? {} : { seed: Number(seed) }),
        },
      );
    },
  );
});
