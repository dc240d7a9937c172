import { describe, expect, it } from "vitest";
import { printedResult, resultOfMany, sentResult, whyDropped, type Dropped } from "../../../src/shared/job/result.ts";

const pretty = (value: object): string => JSON.stringify(value, null, 2);
const nested = (depth: number): string => `{"a": ${"[".repeat(depth)}${"]".repeat(depth)}}`;

describe("a printed result", () => {
  it.each([
    ['working\n{"rows": 12}\n', { rows: 12 }],
    ['{"a": {"b": [1]}}', { a: { b: [1] } }],
    ["{}", {}],
  ])("is the last line of the log when that is a JSON object: %j", (log, value) =>
    expect(printedResult(log)).toEqual({ kind: "result", value }),
  );

  it.each(["[1]\n", '{"a": 1}\nbye\n', "{broken}\n", "", "}\n", "if (a) {\n  b();\n}\n", "x}", "{\n[1]\n}\n"])(
    "is not in %j",
    (log) => expect(printedResult(log)).toEqual({ kind: "none" }),
  );

  const dropped: readonly [string, string, Dropped][] = [
    ["is longer than 64 KiB", `{"a": "${"x".repeat(70_000)}"}`, "tooLong"],
    ["lost its beginning", `${"x".repeat(15_000)}"}`, "cut"],
    ["has several lines", `working\n${pretty({ rows: [1, { a: 2 }] })}\n`, "severalLines"],
    ["is nested too deeply", nested(101), "tooDeep"],
  ];
  it.each(dropped)("that %s is dropped, and says why", (_, log, why) => {
    expect(printedResult(log)).toEqual({ kind: "dropped", why });
    expect(whyDropped[why]).toMatch(/^[a-zA-Z].*\.$/);
  });
});

it("with several containers there is no result, and one that was printed is reported as dropped", () => {
  expect(resultOfMany(["bye\n", '{"a": 1}\n'])).toEqual({ kind: "dropped", why: "noMain" });
  expect(resultOfMany(["bye\n", ""])).toEqual({ kind: "none" });
});

it("whatever nests as deep as a stack is refused without an overflow", () => {
  for (const depth of [100, 5_000, 100_000])
    expect(sentResult(nested(depth))).toEqual({ kind: "dropped", why: "tooDeep" });
  expect(sentResult(nested(98)).kind).toBe("result");
});
