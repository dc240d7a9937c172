import { describe, expect, it } from "vitest";
import { catalogue, isReason } from "../../../src/shared/job/reasons.ts";

const every = Object.keys(catalogue).filter(isReason);

describe("every reason", () => {
  it.each(every)("%s says whose fault it is, what is done, and what to do", (reason) => {
    const { party, rule, advice } = catalogue[reason];
    expect(party).toMatch(/^(definition|image|quota|capacity|network|identity|platform|program|caller)$/);
    expect(rule).toMatch(/^(end|caller|free|wait|few|hour)$/);
    if (reason !== "Completed") expect(advice).toMatch(/^[A-Z].*\.$/);
    expect(advice.length).toBeLessThan(160);
  });

  it("names only reasons", () => {
    expect(isReason("Completed")).toBe(true);
    for (const other of ["", "completed", "toString", "__proto__"]) expect(isReason(other)).toBe(false);
  });
});
