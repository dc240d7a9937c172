import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hour, minute, second } from "../../../src/shared/base/duration.ts";
import { nothingEnded } from "../../../src/shared/job/array-outcomes.ts";
import { arrayEnd, arrayStep, arrayWaiting, stepMade, wantsNothing } from "../../../src/shared/job/array-step.ts";
import type { ArrayState, Job } from "../../../src/shared/job/job.ts";
import { job, rules, start } from "../../kit/kit.ts";
import { ArrayWorld, type Happening } from "./array-world.ts";

const state: ArrayState = {
  size: 10,
  parallelism: 4,
  failFast: false,
  made: 0,
  counts: nothingEnded.counts,
  failures: [],
  vcpuSeconds: 0,
  gbSeconds: 0,
};

function array(changes: Partial<ArrayState> = {}, of: Parameters<typeof job>[0] = {}): Job {
  return job({ ...of, array: { ...state, ...changes } });
}

const ends = (letters: string): typeof nothingEnded => {
  const count = (letter: string): number => letters.split(letter).length - 1;
  const counts = { Succeeded: count("S"), Failed: count("F"), Stopped: 0, TimedOut: 0, Canceled: count("C") };
  return { ...nothingEnded, ends: letters, counts };
};

const step = (
  of: Job,
  outcomes = nothingEnded,
  asked: Partial<{ admitted: boolean; mayMake: boolean }> = {},
  now = start + second,
): ReturnType<typeof arrayStep> => {
  if (of.array === undefined) throw new Error("The job is no array.");
  return arrayStep(of, of.array, outcomes, { admitted: true, mayMake: true, ...asked }, now, rules);
};

describe("an array's next step", () => {
  it("is to get its name before it makes a child", () => {
    expect(step(array(), nothingEnded, { admitted: false })).toEqual({ do: "admit" });
  });

  it("is to make as many children as may exist, in a step that is saved first", () => {
    expect(step(array())).toMatchObject({
      do: "make",
      children: [0, 1, 2, 3].map((number) => ({ number, at: start + second })),
      job: { array: { made: 0, step: { from: 0, to: 4, at: start + second } } },
    });
  });

  it("is to make a step again that may not have been made, with its own time, paused or not", () => {
    const begun = array({ made: 2, step: { from: 2, to: 4, at: start } });
    expect(step(begun, ends("SS"), { mayMake: false })).toMatchObject({
      do: "make",
      children: [2, 3].map((number) => ({ number, at: start })),
    });
  });

  it("is to make as many as have ended", () => {
    expect(step(array({ made: 4 }), ends(".S.F"))).toMatchObject({
      do: "make",
      children: [{ number: 4 }, { number: 5 }],
    });
  });

  it("makes at most a hundred children at once", () => {
    expect(step(array({ size: 10_000, parallelism: 10_000 }))).toMatchObject({ job: { array: { step: { to: 100 } } } });
  });

  it("makes nothing while the service is paused, and looks again soon", () => {
    const running = array({ made: 4 }, { phase: { state: "Running", startedAt: start } });
    expect(step(running, ends("SS"), { mayMake: false })).toMatchObject({
      do: "requeue",
      until: start + 11 * second,
      job: { array: { counts: { Succeeded: 2 } } },
    });
  });

  it("makes those indexes that are to run, and no others", () => {
    const some = array({
      only: [
        [2, 3],
        [7, 7],
      ],
      made: 1,
      parallelism: 2,
    });
    expect(step(some)).toMatchObject({ do: "make", children: [{ number: 3 }] });
    expect(step(array({ only: [[7, 7]], made: 1 }), ends(".......S"))).toMatchObject({ do: "end" });
  });

  it("looks again when its time is over, and not later", () => {
    const short = array({ made: 4 }, { options: { timeout: 1500 } });
    expect(step(short)).toMatchObject({ do: "requeue", until: start + 1500 });
  });

  it("comes the later the longer nothing has ended, within a minute at last", () => {
    const running = array({ made: 4, parallelism: 4 }, { phase: { state: "Running", startedAt: start } });
    const pause = (now: number, endedAt = 0): number => {
      const next = step(running, { ...ends("...."), requeueAt: endedAt }, {}, now);
      return next.do === "requeue" ? next.until - now : NaN;
    };
    expect(pause(start + second)).toBe(10 * second);
    expect(pause(start + 5 * minute)).toBe(30 * second);
    expect(pause(start + 5 * hour)).toBe(minute);
    expect(pause(start + 5 * hour, start + 5 * hour - second)).toBe(10 * second);
  });

  it("is the end once all have been made and have ended", () => {
    expect(step(array({ made: 10 }), ends("SSSSSSSSSS"))).toMatchObject({ do: "end" });
    const last = array({ made: 9, step: { from: 9, to: 10, at: start } });
    const over = step(last, ends("SSSSSSSSSF"));
    expect(over).toMatchObject({ do: "end", job: { array: { made: 10 } } });
    expect(over).not.toHaveProperty("job.array.step");
  });

  it("with a cancel is to cancel what exists, and nothing is made any more", () => {
    const canceled = array({ made: 4 }, { cancel: { at: start, reason: "CanceledByCaller" } });
    expect(step(canceled, ends("S..F"))).toMatchObject({
      do: "cancel",
      indexes: [1, 2],
      endsFrom: start + second,
      job: { array: { ending: { state: "Canceled", verdict: { reason: "CanceledByCaller" } } } },
    });
  });

  it("with a cancel waits for whoever may still be making the children of a step", () => {
    const canceled = array(
      { made: 2, step: { from: 2, to: 4, at: start } },
      { cancel: { at: start, reason: "CanceledByCaller" } },
    );
    expect(step(canceled)).toMatchObject({
      do: "cancel",
      indexes: [0, 1, 2, 3],
      endsFrom: start + second + 2 * minute,
    });
  });

  it("keeps the verdict of its children once all have ended, though a cancel or a timeout came at the same moment", () => {
    const all = ends("SSSSSSSSSS");
    expect(step(array({ made: 10 }, { cancel: { at: start, reason: "CanceledByCaller" } }), all).do).toBe("end");
    expect(step(array({ made: 10 }, { options: { timeout: 500 } }), all).do).toBe("end");
  });

  it("with failFast is to cancel the rest after the first failure", () => {
    expect(step(array({ made: 4, failFast: true }), ends("S.F."))).toMatchObject({
      do: "cancel",
      indexes: [1, 3],
      job: { array: { ending: { state: "Failed", verdict: { reason: "ChildrenFailed" } } } },
    });
    expect(step(array({ made: 4, failFast: true }), ends("SSSS"))).toMatchObject({ do: "make" });
  });

  it("follows from an ending that was decided, whatever has come since", () => {
    const ending = { state: "TimedOut", verdict: { reason: "DeadlineExceeded" }, since: start } as const;
    const late = array({ made: 4, ending }, { cancel: { at: start, reason: "CanceledByCaller" } });
    expect(step(late, ends("S..F"))).toMatchObject({ do: "cancel", job: { array: { ending } } });
  });
});

describe("an array's end", () => {
  const endOf = (of: Job, letters: string): Job => arrayEnd(of, of.array ?? state, ends(letters), start + minute);

  it("is Succeeded when as many succeeded as had to, and Failed else", () => {
    const phases = ["SSSSSSSSSS", "SSSSSSSSSF", "FFFFFFFFFF"].map((all) => endOf(array({ made: 10 }), all).phase.state);
    expect(phases).toEqual(["Succeeded", "Failed", "Failed"]);
    const enough = ["SSSSSSSFFF", "SSSSSSSSFF"].map(
      (all) => endOf(array({ made: 10, minSuccess: 8 }), all).phase.state,
    );
    expect(enough).toEqual(["Failed", "Succeeded"]);
  });

  it("counts only those indexes that were to run", () => {
    expect(endOf(array({ only: [[8, 9]], made: 2 }), "........SS").phase.state).toBe("Succeeded");
    expect(endOf(array({ only: [[8, 9]], made: 2 }), "........SC").phase.state).toBe("Failed");
  });

  it("with failFast counts those that succeeded before their cancel came", () => {
    const ending = { state: "Failed", verdict: { reason: "ChildrenFailed" }, since: start } as const;
    const failFast = array({ made: 4, failFast: true, minSuccess: 2, ending });
    expect(endOf(failFast, "SF.C").phase).toMatchObject({ state: "Failed" });
    expect(endOf(failFast, "SFSC").phase).toMatchObject({ state: "Succeeded", verdict: { reason: "Completed" } });
  });

  it("is Succeeded where all children did before the cancel or the timeout reached them", () => {
    const ending = { state: "TimedOut", verdict: { reason: "DeadlineExceeded" }, since: start } as const;
    expect(endOf(array({ made: 10, ending }), "SSSSSSSSSS").phase.state).toBe("Succeeded");
    expect(endOf(array({ made: 10, ending, minSuccess: 9 }), "SSSSSSSSSC").phase.state).toBe("TimedOut");
  });

  it("leaves no group, and keeps the counts that were read last", () => {
    expect(endOf(array({ made: 10 }), "SSSSSSSSSF")).toMatchObject({
      phase: { state: "Failed", verdict: { reason: "ChildrenFailed" }, finishedAt: start + minute, group: "gone" },
      array: { counts: { Succeeded: 9, Failed: 1 } },
    });
  });
});

describe("an array that waits", () => {
  it("says why and since when", () => {
    const waiting = arrayWaiting(array(), "SealKeyUnavailable", start);
    const again = arrayWaiting(waiting, "SealKeyUnavailable", start + minute);
    expect(again.phase).toMatchObject({ waiting: { reason: "SealKeyUnavailable", since: start } });
  });

  it("has no step to have made", () => {
    expect(stepMade(array({ made: 3 })).array?.made).toBe(3);
  });
});

it("an array wants nothing of its children that ends, was canceled, or whose time is over", () => {
  const ending = { state: "Failed", verdict: { reason: "ChildrenFailed" }, since: start } as const;
  const wants = [
    wantsNothing(array(), start, start + hour),
    wantsNothing(array({ ending }), start, start + hour),
    wantsNothing(array({}, { cancel: { at: start, reason: "CanceledByCaller" } }), start, start + hour),
    wantsNothing(array(), start + hour, start + hour),
  ];
  expect(wants).toEqual([false, true, true, true]);
});

describe("whatever happens to an array, in whatever order", () => {
  const happening: fc.Arbitrary<Happening> = fc.oneof(
    { weight: 12, arbitrary: fc.record({ kind: fc.constant("work" as const), actor: fc.nat(1), steps: fc.nat(12) }) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant("end" as const),
        child: fc.nat(20),
        as: fc.constantFrom("Succeeded", "Succeeded", "Failed", "Canceled", "TimedOut"),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("kill" as const), actor: fc.nat(1) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("pause" as const), paused: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(2 * minute) }) },
    { weight: 1, arbitrary: fc.constant({ kind: "cancel" } as const) },
  );
  const definition = fc.record(
    {
      size: fc.integer({ min: 1, max: 12 }),
      parallelism: fc.integer({ min: 1, max: 6 }),
      failFast: fc.boolean(),
      minSuccess: fc.nat(12),
      only: fc.uniqueArray(fc.nat(11), { minLength: 1, maxLength: 6 }),
      timeout: fc.integer({ min: second, max: hour }),
    },
    { requiredKeys: ["size", "parallelism", "failFast"] },
  );

  it("its children are made once, in order, never too many; its ending stands; and its end says what became of them", () => {
    fc.assert(
      fc.property(definition, fc.array(happening, { maxLength: 80 }), ({ timeout, only, ...given }, list) => {
        const indexes = only?.filter((index) => index < given.size).toSorted((a, b) => a - b) ?? [];
        const ranges = indexes.map((index): [number, number] => [index, index]);
        const some = ranges.length === 0 ? {} : { only: ranges };
        const minSuccess = given.minSuccess === undefined ? {} : { minSuccess: given.minSuccess };
        const changes = { size: given.size, parallelism: given.parallelism, failFast: given.failFast };
        const world = new ArrayWorld(
          array({ ...changes, ...some, ...minSuccess }, { options: timeout === undefined ? {} : { timeout } }),
        );
        for (const each of list) world.happen(each);
        world.finish();
        expect(world.violations).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
