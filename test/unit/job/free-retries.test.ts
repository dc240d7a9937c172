import { expect, it } from "vitest";
import { minute } from "../../../src/shared/base/duration.ts";
import { catalogue, type Reason } from "../../../src/shared/job/reasons.ts";
import { afterFailure, failed } from "../../../src/shared/job/transitions.ts";
import { live, rules, start } from "../../kit/kit.ts";

const free = (Object.keys(catalogue) as Reason[]) // the table's own keys
  .filter((reason) => catalogue[reason].rule === "free");

it.each(free)("after %s in a row so many times as the setting says, nobody pays for another attempt", (reason) => {
  const after = (freeInRow: number) =>
    afterFailure(
      live({ state: "Running", startedAt: start }, { freeInRow }),
      failed({ reason }),
      start + minute,
      rules,
    );
  expect(after(rules.freeRetries - 1)).toMatchObject({ to: "Queued", free: true });
  expect(after(rules.freeRetries)).toMatchObject({ to: "Failed", free: false });
});
