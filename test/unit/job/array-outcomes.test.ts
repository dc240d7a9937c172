import { describe, expect, it } from "vitest";
import { childJobId } from "../../../src/shared/base/ids.ts";
import { hour, second } from "../../../src/shared/base/duration.ts";
import {
  countEnd,
  endOfIndex,
  lettersOf,
  endedIn,
  nothingEnded,
  type ArrayOutcomes,
} from "../../../src/shared/job/array-outcomes.ts";
import type { Job, TerminalPhase } from "../../../src/shared/job/job.ts";
import { job, jobId, start } from "../../kit/kit.ts";

function ended(index: number, phase: Partial<TerminalPhase> = {}): Job {
  const attempt = {
    number: 1,
    state: "Succeeded",
    verdict: { reason: "Completed" },
    provisioningAt: start,
    finishedAt: start + 30 * second,
  } as const;
  return job({
    id: childJobId(jobId(), start, index),
    child: { array: jobId(), arrayAt: start, index, size: 300 },
    cpu: 2,
    memoryGB: 4,
    attempts: [attempt],
    provisioningAt: start,
    startedAt: start + 10 * second,
    phase: {
      state: "Succeeded",
      verdict: { reason: "Completed" },
      finishedAt: start + 30 * second,
      group: "gone",
      captured: true,
      tidy: false,
      ...phase,
    },
  });
}

const failure = { state: "Failed", verdict: { reason: "OutOfMemory", exitCode: 137 } } as const;

function countAll(jobs: readonly Job[]): ArrayOutcomes {
  return jobs.reduce((counted, each) => countEnd(counted, each, start).outcomes, nothingEnded);
}

describe("the counts of an array", () => {
  it("know how each index ended, in whatever order the children end", () => {
    const counted = countAll([ended(4), ended(0, failure), ended(2, { state: "Canceled" })]);
    expect([0, 1, 2, 3, 4, 5].map((index) => endOfIndex(counted, index))).toEqual([
      "Failed",
      undefined,
      "Canceled",
      undefined,
      "Succeeded",
      undefined,
    ]);
    expect(counted.counts).toEqual({ Succeeded: 1, Failed: 1, Stopped: 0, TimedOut: 0, Canceled: 1 });
    expect(endedIn(counted.counts)).toBe(3);
  });

  it("sum what the children cost and keep how long those took that succeeded", () => {
    const counted = countAll([ended(0), ended(1), ended(2, failure)]);
    expect(counted).toMatchObject({ vcpuSeconds: 180, gbSeconds: 360 });
    expect(counted.runs).toEqual([
      { startSeconds: 10, runSeconds: 20 },
      { startSeconds: 10, runSeconds: 20 },
    ]);
  });

  it("name the twenty failures with the lowest indexes", () => {
    const counted = countAll(Array.from({ length: 30 }, (_, n) => ended(29 - n, failure)));
    expect(counted.failures.map(({ index }) => index)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect(counted.failures[3]).toEqual({ index: 3, state: "Failed", reason: "OutOfMemory", exitCode: 137 });
  });

  it("let twenty finished groups stay, and no more", () => {
    let counted = nothingEnded;
    const yields = Array.from({ length: 22 }, (_, index) => {
      const next = countEnd(counted, ended(index, { group: "stopped", keepUntil: start + hour }), start);
      counted = next.outcomes;
      return next.job.yield;
    });
    expect(yields.filter((each) => each)).toHaveLength(2);
    expect(yields.slice(0, 20)).not.toContain(true);
  });

  it("have the array requeued once for all that end together, and again for what may come too late for that", () => {
    let counted = nothingEnded;
    const requeues = [0, 100, 499, 501, 999, 1001, 5000].map((ms, index) => {
      const next = countEnd(counted, ended(index), start + ms);
      counted = next.outcomes;
      return next.requeues;
    });
    expect(requeues).toEqual([true, false, false, true, false, true, true]);
    expect(counted.requeueAt).toBe(start + 6000);
  });

  it("take the end of a child alone", () => {
    expect(() => countEnd(nothingEnded, job(), start)).toThrow(RangeError);
  });
});

describe("the letters of an array", () => {
  const array = {
    size: 6,
    parallelism: 2,
    failFast: false,
    made: 3,
    counts: nothingEnded.counts,
    failures: [],
    vcpuSeconds: 0,
    gbSeconds: 0,
  };

  it("say how each index ended, which are active, and which are not made yet", () => {
    expect(lettersOf(array, { ends: "SF" })).toBe("SFA...");
    expect(lettersOf({ ...array, step: { from: 3, to: 5, at: start } }, { ends: "S.F" })).toBe("SAFAA.");
  });

  it("leave out the indexes of a rerun that do not run", () => {
    expect(
      lettersOf(
        {
          ...array,
          made: 2,
          only: [
            [1, 2],
            [5, 5],
          ],
        },
        { ends: ".T" },
      ),
    ).toBe("-TA--.");
  });
});
