import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maxShown, parseAnsi, withoutAnsi } from "../../../src/dashboard/logic/ansi.ts";
import {
  allOf,
  appended,
  emptyLog,
  found,
  matches,
  maxKept,
  roundTo,
  shownAtOnce,
  windowOf,
} from "../../../src/dashboard/logic/log-text.ts";

describe("Colours of a line", () => {
  const shown = (line: string): string =>
    parseAnsi(line)
      .map(({ text, style }) => `${text}${style && `(${style})`}`)
      .join("|");

  test.each([
    ["plain <b>text</b>", "plain <b>text</b>"],
    ["\u001b[31mred\u001b[0m plain", "red(a-red)| plain"],
    ["\u001b[1;92mbold\u001b[22m green\u001b[39m x", "bold(a-bold a-green)| green(a-green)| x"],
    ["\u001b[41;30mon red\u001b[m x", "on red(a-on-red)| x"],
    ["\u001b[38;5;1mindexed\u001b[38;2;1;2;3mexact", "indexed(a-red)|exact"],
    ["\u001b[38;5;200mtone", "tone"],
    ["a\u001b[2K\u001b[1Gb\u001b]0;title\u0007c\u001b(Bd", "a|b|c|d"],
    ["nul\u0000 bell\u0007 \u001b", "nul| bell| "],
    ["\u009b31mred\u009b0m", "red(a-red)"],
    ["invoice-\u202egnp.exe\u202c", "invoice-|gnp.exe"],
    ["\u2067a\u2066b\u2069", "a|b"],
  ])("%j shows %j", (line, wanted) => expect(shown(line)).toBe(wanted));

  test("styles are classes of the page alone, whatever a program writes", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("\u001b", "[", "3", "1", "8", ";", "m", "x", "]", "\u0007", "4") }),
        (line) => {
          const parts = parseAnsi(line);
          expect(parts.map(({ text }) => text).join("")).toBe(withoutAnsi(line));
          for (const { style } of parts) expect(style).toMatch(/^(?:a-[a-z-]+(?: |$))*$/);
        },
      ),
    );
  });

  test("a line of megabytes is cut", () => {
    const parts = parseAnsi("x".repeat(4_000_000));
    expect(parts.map(({ text }) => text.length)).toEqual([maxShown]);
  });
});

describe("A log's text", () => {
  const textOf = (chunks: readonly string[]) => allOf(chunks.reduce(appended, emptyLog));

  test("comes in pieces that are cut anywhere", () => {
    expect(textOf(["on", "e\r\ntw", "o\n", "\nopen"]).map(({ number, text }) => `${number} ${text}`)).toEqual([
      "1 one",
      "2 two",
      "3 ",
      "4 open",
    ]);
  });

  test("knows the service's own lines, also with a container's name in front", () => {
    const lines = textOf(["[aci-proxy] Lines may be missing here.\napp | [aci-proxy] x\nI say [aci-proxy] x\n"]);
    expect(lines.map(({ isMark }) => isMark)).toEqual([true, true, false]);
  });

  test("keeps the last lines, with their numbers", () => {
    const log = appended(emptyLog, "x\n".repeat(maxKept + 5));
    expect(log.lines).toHaveLength(maxKept);
    expect(log.dropped).toBe(5);
    expect(appended(log, "y\n").lines.at(-1)).toEqual({ number: maxKept + 6, text: "y", isMark: false });
  });

  test("is searched without regard to letter case and colours, and round", () => {
    const lines = textOf(["Er\u001b[31mror\u001b[0m one\nfine\nERROR two\n"]);
    expect(matches(lines, "error")).toEqual([0, 2]);
    expect(matches(lines, "")).toEqual([]);
    expect([0, 1, 2, -1].map((hit) => roundTo(hit, 2))).toEqual([0, 1, 0, 1]);
    expect(roundTo(3, 0)).toBe(0);
  });

  test("is in the page with its last lines, those around what was found, and as many earlier ones as are asked for", () => {
    expect(windowOf(10, undefined, 0)).toEqual({ from: 0, to: 10 });
    expect(windowOf(6000, undefined, 0)).toEqual({ from: 6000 - shownAtOnce, to: 6000 });
    expect(windowOf(6000, undefined, 5 * shownAtOnce)).toEqual({ from: 0, to: 6000 });
    expect(windowOf(6000, 10, 0)).toEqual({ from: 0, to: shownAtOnce });
    expect(windowOf(6000, 3000, 0)).toEqual({ from: 3500 - shownAtOnce, to: 3500 });
  });

  test("shows what was found in a line of megabytes with what stands around it alone", () => {
    const line = `${"x".repeat(4_000_000)}Needle${"y".repeat(4_000_000)}`;
    const { before = "", match, after = "" } = found(line, "needle") ?? {};
    expect([before.length, match, after.length]).toEqual([maxShown / 2, "Needle", maxShown / 2 - 6]);
    expect(found("a \u001b[31mRed\u001b[0m hat", "red h")).toEqual({ before: "a ", match: "Red h", after: "at" });
    expect(found("x", "y")).toBeUndefined();
    expect(found("x", "")).toBeUndefined();
  });
});
