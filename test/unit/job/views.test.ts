import { describe, expect, it } from "vitest";
import { second } from "../../../src/shared/base/duration.ts";
import { shownOf } from "../../kit/views/driver.ts";
import { faultsIn, givenTrials, inventedTrials, ownTrials } from "../../kit/views/trials.ts";

describe.each([
  ["what people reported of container groups", givenTrials()],
  ["more of the same kinds", ownTrials()],
  ["what nobody reported yet", inventedTrials()],
])("%s", (_, trials) => {
  it.each(trials.map((trial) => [trial.name, trial] as const))("%s gets the verdict that it should", (_name, trial) => {
    const shown = shownOf(trial);
    expect(faultsIn(shown, trial)).toEqual([]);
    expect(shown.took).toBeLessThanOrEqual(trial.secs * second);
  });
});
