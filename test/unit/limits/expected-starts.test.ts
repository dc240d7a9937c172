import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hour, minute } from "../../../src/shared/base/duration.ts";
import { expectedStarts, type Holding } from "../../../src/shared/limits/expected-starts.ts";
import { emptyWindows, nextUses, takeFromWindows, type WindowLimits } from "../../../src/shared/limits/windows.ts";
import { start } from "../../kit/kit.ts";

describe("who waits for slots", () => {
  const line = fc.record({
    most: fc.oneof(fc.constant(Infinity), fc.integer({ min: 1, max: 20 })),
    ends: fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 20 }),
    unknown: fc.integer({ min: 0, max: 3 }),
    time: fc.integer({ min: 0, max: 3000 }),
    limits: fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 60 }),
  });

  it("starts in the order of the line, never beside more than its own limit allows, and as soon as that is so", () => {
    fc.assert(
      fc.property(line, ({ most, ends, unknown, time, limits }) => {
        const holding: Holding = { held: ends.length + unknown, most, ends: ends.map((end) => start + end), time };
        const waiters = limits.map((limit) => ({ limit }));
        const starts = expectedStarts(waiters, holding, start).map((at) => at ?? NaN);
        expect(starts).toEqual(starts.toSorted((a, b) => a - b));
        const busy = [...holding.ends, ...Array<number>(unknown).fill(start + time)];
        for (const [n, at] of starts.entries()) {
          const own = Math.min(limits[n] ?? 0, most);
          const heldAt = (moment: number) =>
            busy.filter((end) => end > moment).length +
            starts.slice(0, n).filter((begun) => begun <= moment && begun + time > moment).length;
          expect(heldAt(at)).toBeLessThan(own);
          const floor = Math.max(start, starts[n - 1] ?? start);
          if (at > floor) expect(heldAt(at - 1)).toBeGreaterThanOrEqual(own);
        }
      }),
    );
  });

  it("waits without an expected start where there is never a slot, and so do all behind it", () => {
    const waiters = [{ limit: 3 }, { limit: 0 }, { limit: 3 }];
    const holding = { held: 2, most: Infinity, ends: [start + minute], time: hour };
    expect(expectedStarts(waiters, holding, start)).toEqual([start, undefined, undefined]);
  });
});

describe("who waits for creates", () => {
  const limits: WindowLimits = { perHour: 300, perFiveMinutes: 100 };

  it("is expected to have them at the times at which they are granted", () => {
    const count = fc.integer({ min: 0, max: 400 });
    fc.assert(
      fc.property(count, count, fc.integer({ min: 0, max: 2 * hour }), (used, waiting, later) => {
        let windows = emptyWindows;
        let at = start;
        const take = (): number => {
          for (;;) {
            const taken = takeFromWindows(windows, limits, at);
            if (taken.ok) {
              windows = taken.state;
              return at;
            }
            at += minute;
          }
        };
        for (let n = 0; n < used; n++) take();
        at += later;
        const expected = nextUses(windows, limits, waiting, at);
        expect(expected).toHaveLength(waiting);
        // Each minute somebody asks; capacity comes with a full minute.
        for (const time of expected) expect(take() - time).toBeLessThan(minute);
      }),
      { numRuns: 30 },
    );
  });

  it("is expected to get nothing where no create is allowed", () => {
    expect(nextUses(emptyWindows, { perHour: 0, perFiveMinutes: 0 }, 5, start)).toEqual([]);
  });
});
