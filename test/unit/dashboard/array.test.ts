import { describe, expect, it } from "vitest";
import {
  columnsIn,
  countsOf,
  countsText,
  indexesOf,
  outcomeOf,
  stepFrom,
  shares,
} from "../../../src/dashboard/logic/array.ts";

describe("an array's cells", () => {
  it("are counted by what became of them, what needs a look first", () => {
    expect(countsOf("SS.AFS").map(([{ label }, count]) => [label, count])).toEqual([
      ["Failed", 1],
      ["Active", 1],
      ["Not started", 1],
      ["Succeeded", 3],
    ]);
  });

  it("are filtered by a letter", () => {
    expect(indexesOf("SF.F", "F")).toEqual([1, 3]);
    expect(indexesOf("SF", undefined)).toEqual([0, 1]);
  });

  it("of a newer service's letter are shown as not known", () => {
    expect(outcomeOf("Z").label).toBe("Not known");
  });

  it("stand in rows of tens where there is room for ten", () => {
    expect([columnsIn(800, 24), columnsIn(250, 24), columnsIn(100, 24), columnsIn(3, 24)]).toEqual([30, 10, 4, 1]);
  });

  it("are walked by arrow keys, which stop at the first and the last", () => {
    const grid = { count: 95, columns: 10, rows: 4 };
    const keys = ["ArrowRight", "ArrowUp", "ArrowDown", "PageDown", "Home", "End", "x"];
    expect(keys.map((key) => stepFrom(key, 5, grid))).toEqual([6, 0, 15, 45, 0, 94, undefined]);
    expect(stepFrom("ArrowDown", 94, grid)).toBe(94);
  });
});

describe("a row of the list that is an array", () => {
  const array = { runs: 300, succeeded: 270, failed: 14, stopped: 1, timedOut: 2, canceled: 3 };

  it("says how many succeeded, failed and were canceled", () => {
    expect(countsText(array)).toBe("270 of 300, 17 failed, 3 canceled");
    expect(countsText({ ...array, failed: 0, stopped: 0, timedOut: 0, canceled: 0 })).toBe("270 of 300");
  });

  it("has a bar whose parts are its counts", () => {
    expect(shares(array)).toEqual({ good: 270, bad: 17, quiet: 3 });
  });
});
