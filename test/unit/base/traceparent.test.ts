import { describe, expect, test } from "vitest";
import { parseTraceparent } from "../../../src/shared/base/traceparent.ts";

const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

describe("a traceparent", () => {
  test("of version 00 is taken as it is", () => {
    expect(parseTraceparent(good)).toBe(good);
  });

  test("of a later version counts with the part that version 00 has", () => {
    expect(parseTraceparent(`cc${good.slice(2)}-more`)).toBe(good);
    expect(parseTraceparent(`cc${good.slice(2, -2)}fe`)).toBe(`${good.slice(0, -2)}00`);
  });

  test.each([
    ["nothing", undefined],
    ["no text", ""],
    ["something else", "password=hunter2"],
    ["version ff", `ff${good.slice(2)}`],
    ["more than version 00 has", `${good}-x`],
    ["capitals", good.toUpperCase()],
    ["a trace of zeros", `00-${"0".repeat(32)}-b7ad6b7169203331-01`],
    ["a parent of zeros", `00-0af7651916cd43dd8448eb211c80319c-${"0".repeat(16)}-01`],
    ["a line break behind it", `${good}\n`],
    ["blanks around it", ` ${good} `],
    ["a later version without end", `cc${good.slice(2)}-${"x".repeat(10_000)}`],
  ])("is ignored when it is %s", (_, text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });
});
