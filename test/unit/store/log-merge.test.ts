import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergeLog, plainLog, resultOf, tailOf } from "../../../src/shared/store/log-merge.ts";

/** Lines of a log with their timestamps: `at` in seconds. */
const line = (at: number, text: string): string =>
  `2026-11-24T08:00:${String(at).padStart(2, "0")}.000000000Z ${text}\n`;
const stamps = (count: number, width = 60): string =>
  Array.from(
    { length: count },
    (_, n) => `2026-11-24T08:00:00.${String(n).padStart(9, "0")}Z ${"x".repeat(width)}\n`,
  ).join("");

describe("merging what ACI still has into what is stored", () => {
  it("the first read is stored whole", () => {
    expect(mergeLog("", line(1, "a") + line(2, "b"))).toEqual({ append: line(1, "a") + line(2, "b"), hole: false });
  });

  it("a line is stored once, however often it was read", () => {
    const stored = line(1, "a") + line(2, "b");
    expect(mergeLog(stored, stored)).toEqual({ append: "", hole: false });
    expect(mergeLog(stored, stored + line(3, "c"))).toEqual({ append: line(3, "c"), hole: false });
  });

  it("lines of the same moment are told apart by how many are stored", () => {
    const stored = line(1, "a") + line(2, "b") + line(2, "c");
    expect(mergeLog(stored, line(2, "b") + line(2, "c") + line(2, "d") + line(3, "e"))).toEqual({
      append: line(2, "d") + line(3, "e"),
      hole: false,
    });
  });

  it("a log that was cut at its front goes on where the stored one ends", () => {
    const all = stamps(1200);
    const lines = all.split("\n");
    const stored = `${lines.slice(0, 800).join("\n")}\n`;
    const kept = `${lines.slice(201, 1200).join("\n")}\n`;
    const { append, hole } = mergeLog(stored, kept);
    expect(stored + append).toBe(all);
    expect(hole).toBe(false);
  });

  it("a hole is noticed when ACI had dropped lines that were not stored", () => {
    const lines = stamps(3000).split("\n");
    const stored = `${lines.slice(0, 800).join("\n")}\n`;
    const kept = `${lines.slice(2000, 3000).join("\n")}\n`;
    expect(mergeLog(stored, kept)).toEqual({ append: kept, hole: true });
  });

  it.each([
    ["1,000 lines", stamps(1000, 1), true],
    ["16 KB", stamps(160, 80), true],
    ["less than both", stamps(100, 20), false],
  ])("a first read of %s: that it may have been cut is %s", (_, text, hole) => {
    expect(mergeLog("", text).hole).toBe(hole);
  });

  it("the log of a container that was started anew is appended", () => {
    expect(mergeLog(line(1, "a"), line(5, "again"))).toEqual({ append: line(5, "again"), hole: false });
  });

  it("an empty read adds nothing", () => {
    expect(mergeLog(line(1, "a"), "")).toEqual({ append: "", hole: false });
    expect(mergeLog("", "")).toEqual({ append: "", hole: false });
  });

  it("a line without its end is stored as a line", () => {
    expect(mergeLog("", line(1, "a").trimEnd()).append).toBe(line(1, "a"));
  });

  it("reading at any moments stores every line once and in order", () => {
    const log = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 60 }).map((gaps) => {
      let at = 0;
      return gaps.map((gap, n) => line((at += gap === 0 ? 0 : 1) % 60, `line ${n}`));
    });
    fc.assert(
      fc.property(log, fc.array(fc.nat(60)), (lines, moments) => {
        const ordered = lines.filter((_, n) => n < 55);
        let stored = "";
        for (const moment of [...moments.sort((a, b) => a - b), ordered.length]) {
          stored += mergeLog(stored, ordered.slice(0, moment).join("")).append;
        }
        expect(stored).toBe(ordered.join(""));
      }),
    );
  });
});

describe("what people see", () => {
  it("has no timestamps", () => {
    expect(plainLog(line(1, "Hello World!") + line(2, "  indented") + line(3, ""))).toBe(
      "Hello World!\n  indented\n\n",
    );
  });

  it("keeps a line that has none", () => {
    expect(plainLog("no timestamp here\n")).toBe("no timestamp here\n");
  });
});

describe("the tail of an output", () => {
  it.each([
    ["fits", "a\nb\n", 4, "a\nb\n", false],
    ["is cut at a line", "first\nsecond\nthird\n", 14, "second\nthird\n".slice(0), true],
    ["is cut inside a line that is longer", "x".repeat(50), 10, "x".repeat(10), true],
    ["of nothing is nothing", "a\n", 0, "", true],
    ["of an empty output is whole", "", 0, "", false],
  ])("%s", (_, text, limit, expected, truncated) => expect(tailOf(text, limit)).toEqual({ text: expected, truncated }));

  it("is never cut inside a character, and never longer than asked", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), fc.nat(300), (text, limit) => {
        const tail = tailOf(text, limit).text;
        expect(Buffer.byteLength(tail)).toBeLessThanOrEqual(limit);
        expect(Buffer.from(text).toString("utf8").endsWith(tail)).toBe(true);
      }),
    );
  });
});

describe("a program's result", () => {
  it.each([
    ['working\n{"rows": 12}\n', { rows: 12 }],
    ['{"a": {"b": [1]}}', { a: { b: [1] } }],
    ["[1]\n", undefined],
    ['{"a": 1}\nbye\n', undefined],
    ["{broken}\n", undefined],
    ["", undefined],
    [`{"a": "${"x".repeat(70_000)}"}`, undefined],
  ])("is its last line when that is a JSON object", (output, result) => expect(resultOf(output)).toEqual(result));
});
