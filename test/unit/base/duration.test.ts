import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  backOff,
  day,
  formatDuration,
  hour,
  minute,
  parseDuration,
  retryAfter,
  second,
} from "../../../src/shared/base/duration.ts";
import { start } from "../../kit/kit.ts";

describe("durations", () => {
  it.each([
    ["90", 90 * second],
    ["1.5", 1500],
    ["PT10M", 10 * minute],
    ["pt10m", 10 * minute],
    [" PT1H30M ", 90 * minute],
    ["P7D", 7 * day],
    ["P2W", 14 * day],
    ["P1DT2H3M4.5S", day + 2 * hour + 3 * minute + 4500],
    ["PT0S", 0],
  ])("%j is an ISO 8601 duration or a number of seconds", (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(["", "P", "PT", "P1DT", "P1Y", "P1M", "10m", "-5", "PT-5S", "1e3", "PT5S5M", "Infinity", "NaN"])(
    "%j is no duration",
    (text) => expect(parseDuration(text)).toBeUndefined(),
  );

  it("are shown so that they can be read again", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400 * 86_400 }), (seconds) => {
        expect(parseDuration(formatDuration(seconds * second))).toBe(seconds * second);
      }),
    );
  });
});

describe("Retry-After", () => {
  it.each([
    ["17", 17 * second],
    ["0", 0],
    ["1.5", 1.5 * second],
    ["-5", 0],
    ["86400", hour],
    [new Date(start + 30 * second).toUTCString(), 30 * second],
    [new Date(start - 30 * second).toUTCString(), 0],
    [new Date(start + day).toUTCString(), hour],
    ["soon", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("%j", (header, ms) => expect(retryAfter(header, start)).toBe(ms));
});

describe("growing delays", () => {
  it("double up to a ceiling", () => {
    expect([0, 1, 2, 3, 9, 1000].map((attempt) => backOff(attempt, 5 * second, minute, 0.5))).toEqual(
      [5, 10, 20, 40, 60, 60].map((n) => n * second),
    );
  });

  it("differ by at most a tenth, so that many do not come back together", () => {
    expect([0, 1].map((random) => backOff(0, 100 * second, hour, random))).toEqual([95 * second, 105 * second]);
  });
});
