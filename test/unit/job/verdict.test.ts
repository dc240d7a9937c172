import { describe, expect, it } from "vitest";
import { catalogue } from "../../../src/shared/job/reasons.ts";
import type { GroupSeen, Verdict } from "../../../src/shared/job/job.ts";
import {
  allExited,
  callerRetries,
  firstEnd,
  nothingRuns,
  outcomeOf,
  sentence,
} from "../../../src/shared/job/verdict.ts";
import { container, exited, group, start } from "../../kit/kit.ts";

const failed = (...containers: GroupSeen["containers"]): GroupSeen => group("Failed", containers);

describe("the job's exit code", () => {
  it("is 0 when all containers succeeded", () => {
    expect(outcomeOf(group("Succeeded", [exited("a", 0), exited("b", 0)]), undefined)).toEqual({
      state: "Succeeded",
      verdict: { reason: "Completed", exitCode: 0 },
    });
  });

  it("is that of the container that failed first by finish time", () => {
    const { state, verdict } = outcomeOf(failed(exited("a", 5, 40), exited("b", 3, 30), exited("c", 0, 10)), undefined);
    expect({ state, ...verdict }).toEqual({ state: "Failed", reason: "ExitCode", exitCode: 3, container: "b" });
  });

  it("at the same finish time is that of the container that stands first", () => {
    expect(outcomeOf(failed(exited("a", 5), exited("b", 3)), undefined).verdict.container).toBe("a");
  });

  it("counts init containers too, before the others", () => {
    const init = exited("setup", 9, 30, { init: true });
    expect(outcomeOf(failed(exited("a", 5), init), undefined).verdict).toMatchObject({
      exitCode: 9,
      container: "setup",
    });
  });

  it("of a container without a finish time comes last", () => {
    const timeless = exited("a", 5, 30, { finishTime: undefined });
    expect(outcomeOf(failed(timeless, exited("b", 3)), undefined).verdict.container).toBe("b");
    expect(outcomeOf(failed(timeless), undefined).verdict.container).toBe("a");
  });

  it("with main is main's, whatever the others did", () => {
    expect(outcomeOf(failed(exited("side", 1, 10), exited("app", 0, 40)), "app").state).toBe("Succeeded");
    expect(outcomeOf(group("Running", [container("side"), exited("app", 4)]), "app").verdict.exitCode).toBe(4);
  });

  it("with main is that of its first end, the one before a restart", () => {
    const restarted = exited("app", 0, 60, { restartCount: 1, previous: { exitCode: 7, finishTime: start } });
    expect(outcomeOf(group("Succeeded", [restarted]), "app")).toMatchObject({
      state: "Failed",
      verdict: { exitCode: 7 },
    });
  });

  it("with a main that never ended is decided as without one", () => {
    const never = container("app", { state: "Waiting" });
    expect(outcomeOf(failed(exited("side", 2), never), "app").verdict).toMatchObject({
      exitCode: 2,
      container: "side",
    });
  });

  it("main names no init container", () => {
    const init = exited("app", 1, 10, { init: true });
    expect(outcomeOf(group("Succeeded", [init, exited("app", 0)]), "app").state).toBe("Succeeded");
  });
});

describe("a group that was stopped", () => {
  it("is Stopped, whatever exit codes the stop left", () => {
    const seen = group("Stopped", [exited("a", 137), exited("b", 143)]);
    expect(outcomeOf(seen, undefined)).toEqual({ state: "Stopped", verdict: { reason: "StoppedExternally" } });
  });

  it("after its main ended has main's outcome", () => {
    expect(outcomeOf(group("Stopped", [exited("app", 0), exited("side", 137, 50)]), "app").state).toBe("Succeeded");
  });
});

it("a group that failed without a container's exit code could not be provisioned", () => {
  expect(outcomeOf(failed(container("a", { state: "Waiting" })), undefined).verdict.reason).toBe("ProvisioningFailed");
});

describe("what a first end is", () => {
  it.each([
    ["the current end", exited("a", 3), 3],
    ["the previous one after a restart", container("a", { previous: { exitCode: 2, finishTime: start } }), 2],
    ["none while it runs", container("a"), undefined],
    ["none without an exit code", container("a", { state: "Terminated" }), undefined],
    [
      "none when the previous state had no exit code",
      container("a", { previous: { exitCode: undefined, finishTime: undefined } }),
      undefined,
    ],
  ])("%s", (_, seen, exitCode) => {
    expect(firstEnd(seen)?.exitCode).toBe(exitCode);
  });
});

describe("whether anything can still run", () => {
  it.each([
    ["Succeeded", [exited("a", 0)], true],
    ["Failed", [exited("a", 1)], true],
    ["Stopped", [container("a", { state: "Unknown" })], true],
    ["Failed, while a container is still running", [exited("a", 1), container("b")], false],
    ["Running", [exited("a", 0)], false],
    ["Pending", [], false],
    ["Unknown", [exited("a", 0)], false],
  ] as const)("%s", (state, containers, expected) => {
    const word = state.split(",", 1)[0];
    expect(nothingRuns(group(word as GroupSeen["state"], [...containers]))).toBe(expected); // the rows' first words are states
  });

  it.each([
    ["Never", [exited("a", 0), exited("b", 1)], true],
    ["Never", [exited("a", 0), container("b")], false],
    ["OnFailure", [exited("a", 0), exited("b", 0)], true],
    ["OnFailure", [exited("a", 0), exited("b", 1)], false],
    ["Always", [exited("a", 0)], false],
    ["Never", [], false],
    ["Never", [exited("setup", 0, 10, { init: true }), container("a")], false],
  ] as const)("%s: all containers ended", (policy, containers, expected) => {
    expect(allExited(group("Running", [...containers]), policy)).toBe(expected);
  });
});

describe("whether the caller's rules ask for another attempt", () => {
  const exit = (exitCode: number): Verdict => ({ reason: "ExitCode", exitCode });

  it("without rules: every failure that another attempt may mend", () => {
    expect(callerRetries([], exit(1))).toBe(true);
    for (const reason of ["InvalidDefinition", "NameTaken", "DeadlineExceeded", "CanceledByCaller"] as const)
      expect(callerRetries([], { reason })).toBe(false);
  });

  it("the first rule that matches decides", () => {
    const rules = [
      { when: { exitCodes: [2, 4] }, retry: false },
      { when: "anything", retry: true },
    ] as const;
    expect(callerRetries(rules, exit(3))).toBe(false);
    expect(callerRetries(rules, exit(5))).toBe(true);
  });

  it("no match stops", () => {
    expect(callerRetries([{ when: { reason: "OutOfMemory" }, retry: true }], exit(1))).toBe(false);
  });

  it("a rule may name whose fault it was", () => {
    const rules = [{ when: { party: "program" }, retry: true }] as const;
    expect(callerRetries(rules, exit(1))).toBe(true);
    expect(callerRetries(rules, { reason: "GroupDisappeared" })).toBe(false);
  });

  it("a range of exit codes includes both ends and matches no failure without one", () => {
    const rules = [{ when: { exitCodes: [1, 3] }, retry: true }] as const;
    expect([0, 1, 3, 4].map((code) => callerRetries(rules, exit(code)))).toEqual([false, true, true, false]);
    expect(callerRetries(rules, { reason: "StartTimeout" })).toBe(false);
  });
});

describe("the sentence for people", () => {
  it("says what, whose fault and what to do", () => {
    const verdict = { reason: "OutOfMemory", exitCode: 137, container: "app2" } as const;
    expect(sentence("bellaciao", "Failed", verdict)).toBe(
      "bellaciao Failed: app2 exit 137 OutOfMemory (program). Raise memoryInGB.",
    );
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
