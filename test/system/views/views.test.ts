import { beforeAll, describe, expect, it } from "vitest";
import { playAll, type Outcome } from "./stage.ts";
import { givenFile, givenTrials, hasGiven, ownTrials } from "./trials.ts";

/** Those that are played here; `npm run views` plays all. */
const ready = new Set([
  "gone-while-it-ran",
  "init-loop-onfailure",
  "killed-for-memory",
  "loop-onfailure",
  "main-fails-beside-a-sidecar",
  "mount-recovers",
  "one-fails-the-other-goes-on",
  "platform-ends-it",
  "reads-fail-for-a-while",
  "spot-evicted",
  "succeeded-without-code",
  "unheard-words",
]);

const trials = [...givenTrials(), ...ownTrials()].filter(({ name, slow }) => ready.has(name) && !slow);

describe("what a container group shows, played through the real stack ten times as fast", () => {
  let outcomes: readonly Outcome[] = [];

  beforeAll(async () => {
    // Half a minute is enough on a machine that has nothing else to do.
    outcomes = await playAll({ factor: 10, patience: 90_000, trials });
  }, 180_000);

  it.each(trials.map(({ name }) => name))("%s ends as its caller is to see it", (name) => {
    expect(outcomes.find((outcome) => outcome.name === name)).toMatchObject({ name, faults: [] });
  });

  if (!hasGiven) it.skip(`the given views: there is no ${givenFile} (VIEWS_FILE names another)`, () => undefined);
});
