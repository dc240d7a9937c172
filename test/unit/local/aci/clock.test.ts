import { describe, expect, it } from "vitest";
import { virtualClock } from "../../../../local/aci/clock.ts";

describe("the virtual clock", () => {
  it("runs what falls due on the way in order, each at its own time", () => {
    const clock = virtualClock(1000);
    const seen: [string, number][] = [];
    clock.at(1300, () => seen.push(["late", clock.now()]));
    clock.at(1100, () => {
      seen.push(["early", clock.now()]);
      clock.at(1200, () => seen.push(["made by early", clock.now()]));
    });
    clock.at(9000, () => seen.push(["not yet", clock.now()]));
    clock.advance(500);
    expect(seen).toEqual([
      ["early", 1100],
      ["made by early", 1200],
      ["late", 1300],
    ]);
    expect(clock.now()).toBe(1500);
  });

  it("never runs what was taken back", () => {
    const clock = virtualClock(0);
    let ran = false;
    const cancel = clock.at(10, () => (ran = true));
    cancel();
    clock.advance(20);
    expect(ran).toBe(false);
  });

  it("keeps the order of asking among what is due at the same time", () => {
    const clock = virtualClock(0);
    const seen: number[] = [];
    for (let index = 0; index < 100; index += 1) clock.at(5, () => seen.push(index));
    clock.advance(5);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen).toHaveLength(100);
  });
});
