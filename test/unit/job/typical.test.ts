import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { minute, second } from "../../../src/shared/base/duration.ts";
import { hasEnded, type Job } from "../../../src/shared/job/job.ts";
import { expectedEndOf, isLate, runOf, typicalOf, typicalTime } from "../../../src/shared/job/typical.ts";
import { ended, job, start } from "../../kit/kit.ts";

const runs = (count: number, runSeconds = 600) =>
  Array.from({ length: count }, () => ({ startSeconds: 30, runSeconds }));

describe("what a name usually takes", () => {
  it("is unknown before the first success", () => {
    expect(typicalOf([])).toBeUndefined();
    expect(typicalTime(undefined)).toBeUndefined();
  });

  it("is the median of its successes; 95 of 100 take no longer than the percentile says", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 20 }), (seconds) => {
        const typical = typicalOf(seconds.map((runSeconds) => ({ startSeconds: 1, runSeconds })));
        const within = (ms = 0) => seconds.filter((each) => each * second <= ms).length / seconds.length;
        expect(within(typical?.run)).toBeGreaterThanOrEqual(0.5);
        expect(within((typical?.run ?? 0) - 1)).toBeLessThan(0.5);
        expect(within(typical?.most)).toBeGreaterThanOrEqual(0.95);
        expect(within((typical?.most ?? 0) - 1)).toBeLessThan(0.95);
      }),
    );
  });

  it("counts a job that succeeded, from its create and from its start, and no other", () => {
    const succeeded: Job = { ...ended(), provisioningAt: start, startedAt: start + 20_500 };
    const { phase } = succeeded;
    if (!hasEnded(phase)) throw new Error("It has ended.");
    const done = { ...succeeded, phase: { ...phase, finishedAt: start + 80_000 } };
    expect(runOf(done)).toEqual({ startSeconds: 21, runSeconds: 60 });
    expect(runOf({ ...done, phase: { ...done.phase, state: "Failed" } })).toBeUndefined();
    expect(runOf(job())).toBeUndefined();
  });
});

describe("a job that has begun", () => {
  const begun = (count: number, phase: Job["phase"]): Job =>
    job({ phase, provisioningAt: start, typical: typicalOf(runs(count)) });
  const pending: Job["phase"] = { state: "Pending", acceptedAt: start };
  const running: Job["phase"] = { state: "Running", startedAt: start + minute };

  it("is expected to end once five of its name have succeeded: from its create, then from its start", () => {
    expect(expectedEndOf(begun(4, pending))).toBeUndefined();
    expect(expectedEndOf(begun(5, pending))).toBe(start + 630 * second);
    expect(expectedEndOf(begun(5, running))).toBe(start + 660 * second);
    expect(expectedEndOf(ended())).toBeUndefined();
  });

  it("is late once it runs for longer than the 95th percentile of ten", () => {
    const end = start + 660 * second;
    expect(isLate(begun(9, running), end + 1)).toBe(false);
    expect(isLate(begun(10, running), end)).toBe(false);
    expect(isLate(begun(10, running), end + 1)).toBe(true);
    expect(isLate(begun(10, pending), end + minute)).toBe(false);
  });
});
