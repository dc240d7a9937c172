import { beforeAll, describe, expect, it } from "vitest";
import { sizeOf } from "../../kit/size.ts";
import { givenTrials, ownTrials } from "../../kit/views/trials.ts";
import { playAll, type Outcome } from "./stage.ts";

/** Each third in the short form: test/unit/job/views.test.ts plays all of them to the core. `npm run views` plays the slow ones too. */
const trials = [...givenTrials(), ...ownTrials()].filter(({ slow }, n) => !slow && n % sizeOf(3, 1) === 0);

describe("what a container group shows, played through the real stack ten times as fast", () => {
  let outcomes: readonly Outcome[] = [];

  beforeAll(async () => {
    // Half a minute is enough on a machine that has nothing else to do.
    outcomes = await playAll({ factor: 10, patience: 240_000, trials });
  }, 330_000);

  it.each(trials.map(({ name }) => name))("%s ends as its caller is to see it", (name) => {
    expect(outcomes.find((outcome) => outcome.name === name)).toMatchObject({ name, faults: [] });
  });
});
