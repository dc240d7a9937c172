import { describe, expect, it } from "vitest";
import { sentence } from "../../../src/shared/job/describe.ts";
import type { Verdict } from "../../../src/shared/job/job.ts";
import { catalogue } from "../../../src/shared/job/reasons.ts";

describe("the sentence for people", () => {
  it("says what, whose fault and what to do", () => {
    const verdict = { reason: "OutOfMemory", exitCode: 137, container: "app2" } as const;
    expect(sentence("bellaciao", "Failed", verdict)).toBe(
      "bellaciao Failed: app2 exit 137 OutOfMemory (program). Raise memoryInGB.",
    );
  });

  it("has one blank before the advice where there is no more to say", () => {
    expect(sentence("a", "Failed", { reason: "SealKeyUnknown", detail: "" })).toMatch(/\(platform\)\. The key/);
  });

  it("of success is the original's", () => {
    expect(sentence("bellaciao", "Succeeded", { reason: "Completed", exitCode: 0 })).toBe(
      "Container Group bellaciao finished",
    );
  });

  it("is at most 300 characters, because Data Factory shows little more", () => {
    const verdict = { reason: "InvalidDefinition", detail: "x".repeat(400) } as const;
    expect(Array.from(sentence("a".repeat(63), "Failed", verdict))).toHaveLength(300);
  });

  it.each(Object.keys(catalogue))("exists for %s", (reason) => {
    const text = sentence("job", "Failed", { reason: reason as Verdict["reason"] }); // a key of the catalogue
    expect(text).toContain(reason);
    expect(text.length).toBeLessThanOrEqual(300);
  });
});
