// Longer than 350 lines: what a pack's end means, what its array does next, and both together in any order.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { minute, second } from "../../../src/shared/base/duration.ts";
import { childJobId } from "../../../src/shared/base/ids.ts";
import {
  countEnd,
  countWaiting,
  endedIn,
  endOfIndex,
  nothingEnded,
  triesOf,
  waits,
  type ArrayOutcomes,
  type CountedEnd,
} from "../../../src/shared/job/array-outcomes.ts";
import { gatherTime } from "../../../src/shared/job/array-packs.ts";
import { arrayEnd, arrayStep, stepMade, type NewChild } from "../../../src/shared/job/array-step.ts";
import {
  hasEnded,
  nothingObserved,
  type ArrayState,
  type Job,
  type TerminalPhase,
} from "../../../src/shared/job/job.ts";
import { itemEndsOf } from "../../../src/shared/job/pack-ends.ts";
import { afterFailure } from "../../../src/shared/job/transitions.ts";
import { failed } from "../../../src/shared/job/verdict.ts";
import { job, jobId, live, rules, start } from "../../kit/kit.ts";

const freeRetries = 2;

/** How a pack ended: a code for each container that is known to have ended, in order, and what is said of the whole. */
interface PackEnd {
  readonly codes: readonly (number | undefined)[];
  readonly phase?: Partial<TerminalPhase>;
}

function pack(
  items: readonly number[],
  { codes, phase = {} }: PackEnd,
  { number = 0, retries = 0 }: { readonly number?: number; readonly retries?: number } = {},
): Job {
  const isGood = codes.every((code) => code === 0);
  const ends = items.flatMap((index, at) => {
    const exitCode = codes[at];
    return exitCode === undefined ? [] : [{ container: `app-${index}`, init: false, exitCode, restartCount: 0 }];
  });
  return job({
    id: childJobId(jobId(), start, number),
    child: { array: jobId(), arrayAt: start, index: number, size: 300, items: [...items], freeRetries },
    containers: items.map((index) => ({ name: `app-${index}`, init: false })),
    options: { retries },
    observed: { ...nothingObserved, anyStarted: true, ends },
    phase: {
      state: isGood ? "Succeeded" : "Failed",
      verdict: { reason: isGood ? "Completed" : "ExitCode" },
      finishedAt: start + minute,
      group: "stopped",
      captured: true,
      tidy: false,
      ...phase,
    },
  });
}

const counted = (before: ArrayOutcomes, ended: Job): CountedEnd => countEnd(before, ended, start);

const evicted = { state: "Failed", verdict: { reason: "SpotEvicted" } } as const;

function array(changes: Partial<ArrayState> & { size: number; pack: number }): Job {
  const { pack: size, ...state } = changes;
  const { counts, vcpuSeconds, gbSeconds } = nothingEnded;
  return job({
    array: {
      parallelism: 100,
      failFast: false,
      made: 0,
      counts,
      failures: [],
      vcpuSeconds,
      gbSeconds,
      packing: { size, next: 0, packs: [] },
      ...state,
    },
  });
}

const asked = { admitted: true, mayMake: true };

function stepOf(of: Job, outcomes: ArrayOutcomes, now = start) {
  if (of.array === undefined) throw new Error("It is no array.");
  return arrayStep(of, of.array, outcomes, asked, now, rules);
}

/** What the next step makes, and the array once that is made. */
function making(
  of: Job,
  outcomes: ArrayOutcomes,
  now = start,
): { readonly packs: readonly NewChild[]; readonly of: Job } {
  const step = stepOf(of, outcomes, now);
  if (step.do !== "make") throw new Error(`It does ${step.do}.`);
  return { packs: step.children, of: stepMade(step.job) };
}

describe("the end of a pack", () => {
  it("gives each item the end of its own container", () => {
    expect(itemEndsOf(pack([3, 4, 5], { codes: [0, 7, 0] }))).toMatchObject([
      { index: 3, container: "app-3", state: "Succeeded", verdict: { exitCode: 0 }, again: [] },
      {
        index: 4,
        container: "app-4",
        state: "Failed",
        verdict: { reason: "ExitCode", exitCode: 7 },
        again: ["caller"],
      },
      { index: 5, state: "Succeeded" },
    ]);
  });

  it("with runTimeout counts those as timed out that ran, and the others as they ended", () => {
    const phase = { state: "TimedOut", verdict: { reason: "RunTimeout" } } as const;
    const { outcomes } = counted(nothingEnded, pack([0, 1, 2], { codes: [0, 7, undefined], phase }));
    expect([0, 1, 2].map((index) => endOfIndex(outcomes, index))).toEqual(["Succeeded", "Failed", "TimedOut"]);
    expect(outcomes.failures).toMatchObject([
      { index: 1, exitCode: 7 },
      { index: 2, reason: "RunTimeout" },
    ]);
  });

  it("by the platform costs those nothing that still ran, a few times in a row", () => {
    let outcomes = nothingEnded;
    for (let number = 0; number <= freeRetries; number++) {
      expect(waits(outcomes, 1)).toBe(number > 0);
      outcomes = counted(outcomes, pack([1, 10 + number], { codes: [undefined, 0], phase: evicted })).outcomes;
    }
    expect(endOfIndex(outcomes, 1)).toBe("Failed");
    expect(triesOf(outcomes, 1)).toBe(freeRetries + 1);
    expect(outcomes.failures).toEqual([{ index: 1, state: "Failed", reason: "SpotEvicted" }]);
  });

  it("by one item costs the others nothing", () => {
    const looping = { verdict: { reason: "CrashLoop", container: "app-0", exitCode: 9 } } as const;
    const { items } = counted(nothingEnded, pack([0, 1, 2], { codes: [undefined, undefined, 0], phase: looping }));
    expect(items).toMatchObject([
      { index: 0, state: "Failed", verdict: { reason: "CrashLoop", exitCode: 9 }, waits: false },
      { index: 1, waits: true },
      { index: 2, state: "Succeeded", waits: false },
    ]);
  });

  it("gives no item another try beside a group that may still run", () => {
    const phase = { ...evicted, group: "present" } as const;
    const { items } = counted(nothingEnded, pack([0, 1], { codes: [7, undefined], phase }, { retries: 3 }));
    expect(items.map(({ waits: again }) => again)).toEqual([false, false]);
  });

  it("by a cancel cancels what ran", () => {
    const phase = { state: "Canceled", verdict: { reason: "CanceledByCaller" } } as const;
    const { outcomes } = counted(nothingEnded, pack([0, 1], { codes: [0, undefined], phase }, { retries: 3 }));
    expect(outcomes.counts).toMatchObject({ Succeeded: 1, Canceled: 1 });
  });

  it("is no reason for another attempt of the whole once a container started", () => {
    const { child } = pack([0, 1], { codes: [] });
    const after = (anyStarted: boolean) =>
      afterFailure(
        live(
          { state: "Running", startedAt: start },
          { child, options: { retries: 3 }, observed: { ...nothingObserved, anyStarted } },
        ),
        failed({ reason: "ProvisioningFailed" }),
        start + minute,
        rules,
      );
    expect(after(false)).toMatchObject({ to: "Queued", free: true });
    expect(after(true)).toMatchObject({ to: "Failed" });
  });
});

describe("an array of packs", () => {
  it("puts its indexes into packs in order, and the rest into a smaller one", () => {
    const { packs, of } = making(array({ size: 7, pack: 3 }), nothingEnded);
    expect(packs.map(({ number, items }) => [number, items])).toEqual([
      [0, [0, 1, 2]],
      [1, [3, 4, 5]],
      [2, [6]],
    ]);
    expect(of.array).toMatchObject({ made: 7, packing: { next: 3 } });
  });

  it("makes the same packs again where it is not known whether they were made", () => {
    const step = stepOf(array({ size: 7, pack: 3 }), nothingEnded);
    if (step.do !== "make") throw new Error(step.do);
    expect(stepOf(step.job, nothingEnded, start + minute)).toEqual(step);
  });

  it("counts packs for its parallelism", () => {
    const { packs, of } = making(array({ size: 100, pack: 10, parallelism: 2 }), nothingEnded);
    expect(packs).toHaveLength(2);
    expect(stepOf(of, nothingEnded).do).toBe("requeue");
    const { outcomes } = counted(nothingEnded, pack(packs[0]?.items ?? [], { codes: Array<number>(10).fill(0) }));
    expect(making(of, outcomes).packs.map(({ items }) => items?.[0])).toEqual([20]);
  });

  it("gathers what is to be tried again until a pack is full, nothing else runs, or it has waited for long", () => {
    const { of } = making(array({ size: 8, pack: 4 }), nothingEnded);
    const half = counted(nothingEnded, pack([0, 1, 2, 3], { codes: [0, 7, 0, 7] }, { retries: 1 })).outcomes;
    const resting = stepOf(of, half);
    expect(resting.do).toBe("requeue");
    if (resting.do !== "requeue") return;
    expect(making(resting.job, half, start + gatherTime).packs).toMatchObject([{ number: 2, items: [1, 3] }]);
    const all = counted(half, pack([4, 5, 6, 7], { codes: [7, 0, 0, 7] }, { number: 1, retries: 1 })).outcomes;
    expect(making(resting.job, all).packs).toMatchObject([{ number: 2, items: [1, 3, 4, 7] }]);
    const last = counted(half, pack([4, 5, 6, 7], { codes: [0, 0, 0, 0] }, { number: 1, retries: 1 })).outcomes;
    expect(making(resting.job, last).packs).toMatchObject([{ number: 2, items: [1, 3] }]);
  });

  it("rests as any array does while as many packs run as may, however long items have waited for another try", () => {
    const { of } = making(array({ size: 4, pack: 2, parallelism: 1 }), nothingEnded);
    const half = counted(nothingEnded, pack([0, 1], { codes: [7, 0] }, { retries: 1 })).outcomes;
    const last = making(of, half);
    expect(last.packs).toMatchObject([{ items: [2, 3] }]);
    const later = start + gatherTime;
    const gathered = stepOf(last.of, half, later);
    if (gathered.do !== "requeue") throw new Error(gathered.do);
    const again = stepOf(gathered.job, half, later + gatherTime);
    expect(again).toMatchObject({ do: "requeue" });
    if (again.do === "requeue") expect(again.until - (later + gatherTime)).toBeGreaterThanOrEqual(10 * second);
  });

  it("with failFast cancels the packs that exist, and what waits ends as its last try did", () => {
    const { of } = making(array({ size: 6, pack: 2, failFast: true }), nothingEnded);
    const waiting = counted(nothingEnded, pack([0, 1], { codes: [0, 7] }, { retries: 1 })).outcomes;
    expect(stepOf(of, waiting).do).toBe("requeue");
    const over = counted(waiting, pack([2, 3], { codes: [7, 0] }, { number: 1 })).outcomes;
    expect(stepOf(of, over)).toMatchObject({ do: "cancel", indexes: [2] });
    const closed = countWaiting(over, [
      { index: 1, state: "Failed", verdict: { reason: "ExitCode", exitCode: 7 } },
      { index: 2, state: "Failed", verdict: { reason: "ExitCode", exitCode: 7 } },
    ]);
    expect(closed.counts).toMatchObject({ Succeeded: 2, Failed: 2 });
    expect(waits(closed, 1)).toBe(false);
  });

  it("ends each item once, never runs one again that ended with 0, and grants no more than its retries", () => {
    const ends = fc.record({
      codes: fc.array(fc.option(fc.constantFrom(0, 0, 0, 7), { nil: undefined }), { minLength: 6, maxLength: 6 }),
      phase: fc.constantFrom<Partial<TerminalPhase>>(
        {},
        evicted,
        { state: "Failed", verdict: { reason: "PlatformRestart" }, group: "gone" },
        { state: "TimedOut", verdict: { reason: "RunTimeout" } },
        { state: "Failed", verdict: { reason: "ExitUnknown" } },
        { state: "Stopped", verdict: { reason: "StoppedExternally" } },
        { ...evicted, group: "present" },
      ),
      crash: fc.boolean(),
      which: fc.nat(),
      wait: fc.constantFrom(0, second, gatherTime),
    });
    fc.assert(
      fc.property(
        fc.record({
          size: fc.integer({ min: 1, max: 40 }),
          pack: fc.integer({ min: 2, max: 6 }),
          parallelism: fc.integer({ min: 1, max: 5 }),
        }),
        fc.integer({ min: 0, max: 3 }),
        fc.infiniteStream(ends),
        (shape, retries, stream) => {
          const { of, outcomes, world } = simulate(array(shape), retries, stream);
          expect(endedIn(outcomes.counts)).toBe(shape.size);
          for (let index = 0; index < shape.size; index++) {
            expect(world.ranAfter0.has(index)).toBe(false);
            expect(triesOf(outcomes, index)).toBe(world.runs.get(index));
            expect((world.paid.get(index) ?? 0) <= retries + 1).toBe(true);
            expect(endOfIndex(outcomes, index) === "Succeeded").toBe(world.good.has(index));
          }
          expect(of.phase).toMatchObject({ state: world.good.size === shape.size ? "Succeeded" : "Failed" });
        },
      ),
      { numRuns: 300 },
    );
  });
});

interface Happening {
  readonly codes: readonly (number | undefined)[];
  readonly phase: Partial<TerminalPhase>;
  readonly crash: boolean;
  readonly which: number;
  readonly wait: number;
}

/** Packs that run, and what their items did. */
class World {
  readonly #running = new Map<number, readonly number[]>();
  readonly #ended = new Set<number>();
  readonly runs = new Map<number, number>();
  readonly paid = new Map<number, number>();
  readonly good = new Set<number>();
  readonly ranAfter0 = new Set<number>();

  get size(): number {
    return this.#running.size;
  }

  /** Made twice a pack is made once. */
  make({ number, items = [] }: NewChild): void {
    if (this.#running.has(number) || this.#ended.has(number)) return;
    this.#running.set(number, items);
    for (const index of items) if (this.good.has(index)) this.ranAfter0.add(index);
  }

  isOnce(): boolean {
    const items = [...this.#running.values()].flat();
    return new Set(items).size === items.length;
  }

  end(outcomes: ArrayOutcomes, { which, codes, phase }: Happening, retries: number): ArrayOutcomes {
    const [number, items] = [...this.#running][which % Math.max(1, this.size)] ?? [];
    if (number === undefined || items === undefined) return outcomes;
    this.#running.delete(number);
    this.#ended.add(number);
    const after = counted(outcomes, pack(items, { codes, phase }, { number, retries }));
    for (const { index, state, again } of after.items) {
      this.runs.set(index, (this.runs.get(index) ?? 0) + 1);
      if (!again.includes("platform")) this.paid.set(index, (this.paid.get(index) ?? 0) + 1);
      if (state === "Succeeded") this.good.add(index);
    }
    return after.outcomes;
  }
}

/** An array of packs from its first step to its end; what was to be made may be made twice, as after a crash. */
function simulate(begun: Job, retries: number, happenings: Iterable<Happening>) {
  const world = new World();
  let of = begun;
  let outcomes = nothingEnded;
  let now = start;
  for (const happening of happenings) {
    if (hasEnded(of.phase)) break;
    now += happening.wait;
    const step = stepOf(of, outcomes, now);
    if (step.do === "end" && step.job.array !== undefined) of = arrayEnd(step.job, step.job.array, outcomes, now);
    if (step.do === "requeue") of = step.job;
    if (step.do === "make") {
      for (const child of step.children) world.make(child);
      of = happening.crash ? step.job : stepMade(step.job);
    }
    expect(world.size <= (of.array?.parallelism ?? 0)).toBe(true);
    expect(world.isOnce()).toBe(true);
    outcomes = world.end(outcomes, happening, retries);
  }
  return { of, outcomes, world };
}
