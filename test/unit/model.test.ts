import fc from "fast-check";
import { describe, it } from "vitest";
import { sizeOf } from "../kit/size.ts";
import { commands } from "../model/commands.ts";
import { finish } from "../model/finish.ts";
import { World, type Trigger } from "../model/world.ts";

/**
 * Contract §6 under random crashes, duplicates, losses, delays, reorderings, lost answers and late effects: the real code on
 * simulated services (test/model). A failure prints its seed and the shortest list of happenings that shows it. TEST_SEED tries
 * other lists; MODEL_SECONDS looks longer.
 */
const seconds = Number(process.env["MODEL_SECONDS"] ?? sizeOf(3, 6));

async function holds(happenings: typeof commands, limit: number, without?: Trigger): Promise<void> {
  const property = fc.asyncProperty(happenings, fc.integer(), async (list, worldSeed) => {
    const world = new World(worldSeed, without);
    await fc.asyncModelRun(() => ({ model: {}, real: world }), list);
    await finish(world);
    world.judge.verdict();
    const [first] = world.judge.violations;
    if (first !== undefined) throw new Error(first);
  });
  let report = await fc.check(property, { numRuns: limit * 300, interruptAfterTimeLimit: limit * 1000 });
  // A machine that is busy with other things may not have done one in that time.
  if (report.interrupted && report.numRuns === 0) report = await fc.check(property, { numRuns: 1 });
  console.info(`seed ${report.seed}: ${report.numRuns} runs`);
  if (report.failed) throw new Error(await fc.asyncDefaultReportMessage(report), { cause: report.errorInstance });
}

describe("whatever happens, in whatever order", () => {
  it(
    "every accepted job ends, with one live group at most, and nothing leaks",
    { timeout: 60_000 + 2000 * seconds },
    () => holds(commands, seconds),
  );
});

describe("with one way of requeuing taken away", () => {
  const limit = { timeout: 60_000 + 2000 * seconds };

  it("the reconcile queue: every job still ends, by the timer", limit, () => holds(commands, seconds / 5, "queue"));

  it("Event Grid: every job still ends", limit, () => holds(commands, seconds / 5, "events"));

  it("the timer: every job still ends and nothing leaks, as long as somebody calls", limit, () =>
    holds(commands, seconds / 5, "timer"),
  );
});
