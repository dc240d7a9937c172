import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { csvLine } from "../../../src/http/lib/csv.ts";

/** Cells as a spreadsheet reads them that takes any of these for the end of a cell, and knows no quotes. */
const cellsOf = (line: string): string[] => line.split(/[;|\t\r\n]/);
/** What a spreadsheet takes for a formula, whatever blanks, quotes and invisible signs stand before it. */
const isFormula = (cell: string): boolean =>
  /^[=+\-@]/.test(
    cell
      .normalize("NFKC")
      .replaceAll("\u2212", "-")
      .replace(/^[\s\p{Cc}\p{Cf}"]+/u, ""),
  );

describe("a cell of CSV", () => {
  test.each([
    ["plain", "plain"],
    ["a,b", '"a,b"'],
    ['say "x"', '"say ""x"""'],
    ["=1+1", "'=1+1"],
    ["  \t=1", `"  \t'=1"`],
    ["\t1", `"'\t1"`],
    ["＝1＋1", "'＝1＋1"],
    ["\u200b＠SUM(A1)", "\u200b'＠SUM(A1)"],
    ["ok;=cmd", `"ok;'=cmd"`],
    ["ok\t-2", `"ok\t'-2"`],
    ["a-b + c = d", "a-b + c = d"],
    [-3.5, "-3.5"],
    [true, "true"],
    [undefined, ""],
    [new Date(0), "1970-01-01T00:00:00.000Z"],
    [{ team: "x;=1" }, `"{""team"":""x;'=1""}"`],
  ])("%j is written as %s", (value, written) => {
    expect(csvLine([value])).toBe(`${written}\r\n`);
  });

  test("is no formula, in whatever locale the file is opened", () => {
    const hostile = fc.array(
      fc.constantFrom(...Array.from("=+-@＝＋－＠﹦﹢﹣﹫\u2212;,|\t\r\n '\"a1\u00a0\ufeff\u200b\u0000")),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(hostile, (parts) => {
        const line = csvLine([parts.join("")]).slice(0, -2);
        expect(isFormula(line.replace(/^"/, ""))).toBe(false);
        expect(cellsOf(line).filter(isFormula)).toEqual([]);
      }),
      { numRuns: 5000 },
    );
  });

  test("takes time in proportion to its text", () => {
    const began = performance.now();
    csvLine([`${"\t ".repeat(100_000)}x`, "= ".repeat(100_000)]);
    expect(performance.now() - began).toBeLessThan(500);
  });
});
