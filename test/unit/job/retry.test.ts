import { describe, expect, it } from "vitest";
import type { Verdict } from "../../../src/shared/job/job.ts";
import { retryAsked } from "../../../src/shared/job/transitions.ts";

describe("whether the caller's rules ask for another attempt", () => {
  const exit = (exitCode: number): Verdict => ({ reason: "ExitCode", exitCode });

  it("without rules nothing is said", () => {
    expect(retryAsked([], exit(1))).toBeUndefined();
  });

  it("the first rule that matches decides", () => {
    const rules = [
      { when: { exitCodes: [2, 4] }, retry: false },
      { when: "anything", retry: true },
    ] as const;
    expect(retryAsked(rules, exit(3))).toBe(false);
    expect(retryAsked(rules, exit(5))).toBe(true);
  });

  it("no match stops", () => {
    expect(retryAsked([{ when: { reason: "OutOfMemory" }, retry: true }], exit(1))).toBe(false);
  });

  it("a rule may name whose fault it was", () => {
    const rules = [{ when: { party: "program" }, retry: true }] as const;
    expect(retryAsked(rules, exit(1))).toBe(true);
    expect(retryAsked(rules, { reason: "GroupDisappeared" })).toBe(false);
  });

  it("a range of exit codes includes both ends and matches no failure without one", () => {
    const rules = [{ when: { exitCodes: [1, 3] }, retry: true }] as const;
    expect([0, 1, 3, 4].map((code) => retryAsked(rules, exit(code)))).toEqual([false, true, true, false]);
    expect(retryAsked(rules, { reason: "StartTimeout" })).toBe(false);
  });
});
