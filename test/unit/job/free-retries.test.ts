import { expect, it } from "vitest";
import { minute } from "../../../src/shared/base/duration.ts";
import { nothingObserved, type Job } from "../../../src/shared/job/job.ts";
import { catalogue, type Reason } from "../../../src/shared/job/reasons.ts";
import { afterFailure } from "../../../src/shared/job/transitions.ts";
import { failed } from "../../../src/shared/job/verdict.ts";
import { live, rules, start } from "../../kit/kit.ts";

const free = (Object.keys(catalogue) as Reason[]) // the table's own keys
  .filter((reason) => catalogue[reason].rule === "free");

it.each(free)("after %s as many times in a row as the setting allows, there is no further free attempt", (reason) => {
  const after = (freeInRow: number) =>
    afterFailure(
      live({ state: "Pending", acceptedAt: start }, { freeInRow }),
      failed({ reason }),
      start + minute,
      rules,
    );
  expect(after(rules.freeRetries - 1)).toMatchObject({ to: "Queued", free: true });
  expect(after(rules.freeRetries)).toMatchObject({ to: "Failed", free: false });
});

const ran = { ...nothingObserved, anyStarted: true };
const failedWith = (reason: Reason, changes: Partial<Job> = {}) =>
  afterFailure(live({ state: "Pending", acceptedAt: start }, changes), failed({ reason }), start + minute, rules);

it("a program that ran is never run again for free, unless the platform or an eviction ended it", () => {
  for (const reason of ["ProvisioningFailed", "GroupDisappeared", "ExitUnknown"] as const)
    expect(failedWith(reason, { observed: ran, lastDeleteAt: start })).toMatchObject({ to: "Failed" });
  for (const reason of ["PlatformRestart", "SpotEvicted"] as const)
    expect(failedWith(reason, { observed: ran })).toMatchObject({ to: "Queued", free: true });
});

it("a group that disappears before any start is created again where an earlier delete may have taken it", () => {
  const accepted = { ...nothingObserved, acceptedAt: start };
  expect(failedWith("GroupDisappeared", { observed: accepted, lastDeleteAt: start - 4 * minute })).toMatchObject({
    free: true,
  });
  expect(failedWith("GroupDisappeared", { observed: accepted, lastDeleteAt: start - 6 * minute })).toMatchObject({
    to: "Failed",
  });
  expect(failedWith("GroupDisappeared", { observed: accepted })).toMatchObject({ to: "Failed" });
});

it("retryOn: SpotEvicted goes on when the free attempts are used up", () => {
  const options = { retries: 3, retryOn: [{ when: { reason: "SpotEvicted" }, retry: true }] } as const;
  const job = live({ state: "Running", startedAt: start }, { options, freeInRow: rules.freeRetries });
  expect(afterFailure(job, failed({ reason: "SpotEvicted" }), start + minute, rules)).toMatchObject({
    to: "Queued",
    free: false,
  });
});
