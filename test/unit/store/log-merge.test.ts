import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isMark, mergeLog, plainLog, tailOf, type LogRead } from "../../../src/shared/store/log-merge.ts";

/** Lines of a log with their timestamps: `at` in seconds. */
const line = (at: number, text: string): string =>
  `2026-11-24T08:00:${String(at).padStart(2, "0")}.000000000Z ${text}\n`;
const running: LogRead = { container: "running", restarted: false };
const ended: LogRead = { container: "ended", restarted: false };

const stamps = (count: number, width = 60): string =>
  Array.from(
    { length: count },
    (_, n) => `2026-11-24T08:00:00.${String(n).padStart(9, "0")}Z ${"x".repeat(width)}\n`,
  ).join("");

/** The mark of missing lines, and the lines around it. */
const marksIn = (text: string): readonly string[] => text.split("\n").filter(isMark);

describe("merging what ACI still has into what is stored", () => {
  it("the first read is stored whole", () => {
    expect(mergeLog("", line(1, "a") + line(2, "b"), running)).toEqual({
      append: line(1, "a") + line(2, "b"),
      gap: false,
    });
  });

  it("a line is stored once, however often it was read", () => {
    const stored = line(1, "a") + line(2, "b");
    expect(mergeLog(stored, stored, running)).toEqual({ append: "", gap: false });
    expect(mergeLog(stored, stored + line(3, "c"), running)).toEqual({ append: line(3, "c"), gap: false });
  });

  it("lines of the same moment are distinguished by their text, and by how many are stored where that is alike too", () => {
    const stored = line(1, "a") + line(2, "b") + line(2, "b");
    expect(mergeLog(stored, line(1, "a") + line(2, "b").repeat(3) + line(3, "e"), running)).toEqual({
      append: line(2, "b") + line(3, "e"),
      gap: false,
    });
    const numbered = Array.from({ length: 30 }, (_, n) => line(2, `line ${n}`));
    const [first, tail] = [numbered.slice(0, 12).join(""), numbered.slice(9).join("")];
    expect(first + mergeLog(first, tail, ended).append).toBe(numbered.join(""));
  });

  it("lines whose times are out of order are stored once too", () => {
    const all = [line(1, "a"), line(3, "c"), line(2, "b"), line(4, "d"), line(3, "e"), line(5, "f")];
    const stored = all.slice(0, 4).join("");
    expect(mergeLog(stored, all.slice(2).join(""), running)).toEqual({ append: all.slice(4).join(""), gap: false });
  });

  it("lines whose secrets are masked otherwise by now are recognized by their times", () => {
    const stored = line(1, "key=abc") + line(2, "done");
    expect(mergeLog(stored, line(1, "key=***") + line(2, "do**") + line(3, "c"), running)).toEqual({
      append: line(3, "c"),
      gap: false,
    });
  });

  it("a piece of a long line is not taken for an earlier piece of the same moment where only the end of the log is left", () => {
    const piece = line(2, "x".repeat(16_384));
    const { append, gap } = mergeLog(piece.repeat(18), line(2, "x".repeat(5_088)), ended);
    expect(append).toMatch(/^\S+ \[aci-proxy\] .*missing.*\n/);
    expect([append.endsWith(line(2, "x".repeat(5_088))), gap]).toEqual([true, true]);
    expect(mergeLog(piece, line(2, "last"), { ...ended, part: true }).tooLittle).toBe(true);
  });

  it("a log that was cut at its front goes on where the stored one ends", () => {
    const all = stamps(1200);
    const lines = all.split("\n");
    const stored = `${lines.slice(0, 800).join("\n")}\n`;
    const kept = `${lines.slice(201, 1200).join("\n")}\n`;
    const { append, gap } = mergeLog(stored, kept, ended);
    expect(stored + append).toBe(all);
    expect(gap).toBe(false);
  });

  it("a gap is marked with its times where ACI had dropped lines that were not stored", () => {
    const stored = line(1, "a") + line(2, "b");
    const { append, gap } = mergeLog(stored, line(9, "y") + line(10, "z"), ended);
    expect(gap).toBe(true);
    expect(append).toBe(
      line(
        9,
        "[aci-proxy] Lines may be missing here: Container Instances no longer showed what was written between 2026-11-24T08:00:02.000Z and 2026-11-24T08:00:09.000Z (7.0 s).",
      ) +
        line(9, "y") +
        line(10, "z"),
    );
    // Later reads go on as if the mark were not there.
    expect(mergeLog(stored + append, line(10, "z") + line(11, "!"), ended)).toEqual({
      append: line(11, "!"),
      gap: false,
    });
  });

  it.each([
    ["10 lines of 6 KB, of which 2 are left", line(1, "x".repeat(6000)).repeat(2), true],
    ["1,000 lines", stamps(1000, 1), true],
    ["16 KB", stamps(160, 100), true],
    ["the end of a line of 300 KB that was cut in pieces", line(1, "x".repeat(5088)), true],
    ["a line of 20 KB, of which a piece is left", line(1, "x".repeat(3616)), true],
    ["a few lines", line(1, "Hello World!") + line(2, "Good bye"), false],
    ["600 short lines", stamps(600, 15), false],
    ["nothing", "", false],
  ])("that a first read after the end may have been cut: %s", (_, text, cut) => {
    const { append, gap } = mergeLog("", text, ended);
    expect(gap).toBe(cut);
    expect(marksIn(append)).toHaveLength(cut ? 1 : 0);
    expect(append.endsWith(text)).toBe(true);
  });

  it("a first read of a running container is whole below 4 MB, and perhaps not from there on", () => {
    expect(mergeLog("", stamps(10_000), running).gap).toBe(false);
    expect(mergeLog("", stamps(45_000), running).gap).toBe(true);
  });

  it("a first read is left to the next observation where nobody knows whether the container runs, and it may be a tail", () => {
    const unknown: LogRead = { container: "unknown", restarted: false };
    expect(mergeLog("", stamps(1000, 1), unknown)).toEqual({ append: "", gap: false });
    expect(mergeLog("", line(1, "a"), unknown)).toEqual({ append: line(1, "a"), gap: false });
    expect(mergeLog(line(1, "a"), line(1, "a") + stamps(0) + line(2, "b"), unknown).append).toBe(line(2, "b"));
  });

  it("the last lines alone are appended where they meet what is stored; else all must be read", () => {
    const part: LogRead = { ...running, part: true };
    const stored = line(1, "a") + line(2, "b");
    expect(mergeLog(stored, line(2, "b") + line(3, "c"), part).append).toBe(line(3, "c"));
    expect(mergeLog(stored, line(3, "c") + line(4, "d"), part)).toEqual({ append: "", gap: false, tooLittle: true });
  });

  it("the log of a container that was started anew is appended after a mark", () => {
    const restarted: LogRead = { container: "running", restarted: true };
    const { append, gap } = mergeLog(line(1, "a"), line(5, "again"), restarted);
    expect([gap, marksIn(append)[0]]).toEqual([true, expect.stringContaining("was started again here") as unknown]);
    expect(mergeLog("", line(5, "again"), restarted).gap).toBe(true);
  });

  it("an empty read adds nothing", () => {
    expect(mergeLog(line(1, "a"), "", running)).toEqual({ append: "", gap: false });
    expect(mergeLog("", "", ended)).toEqual({ append: "", gap: false });
  });

  it("a line without its end is stored when it has one, or when the container has ended", () => {
    const begun = line(1, "a") + line(2, "progress...").trimEnd();
    expect(mergeLog("", begun, running).append).toBe(line(1, "a"));
    expect(mergeLog(line(1, "a"), line(1, "a") + line(2, "progress... done"), running).append).toBe(
      line(2, "progress... done"),
    );
    expect(mergeLog("", begun, ended).append).toBe(line(1, "a") + line(2, "progress..."));
  });

  it("half a surrogate pair is what storage makes of it, and no new line each time", () => {
    const broken = line(1, "\ud83d");
    const { append } = mergeLog("", broken, running);
    const stored = Buffer.from(append).toString("utf8");
    expect(mergeLog(stored, broken + line(2, "b"), running).append).toBe(line(2, "b"));
  });

  it("reading at any moments stores every line once and in order, whatever is alike", () => {
    const log = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 2 })), { maxLength: 60 });
    fc.assert(
      fc.property(log, fc.array(fc.nat(60)), (gaps, moments) => {
        let at = 0;
        const lines = gaps
          .map(([gap, text], n) => line((at += gap === 0 ? 0 : 1) % 60, `${n < 3 ? n : text}`))
          .slice(0, 55);
        let stored = "";
        for (const moment of [...moments.sort((a, b) => a - b), lines.length])
          stored += mergeLog(stored, lines.slice(0, moment).join(""), running).append;
        expect(stored).toBe(lines.join(""));
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

  it("keeps a line that has no timestamp", () => {
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
