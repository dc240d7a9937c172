import { describe, expect, it } from "vitest";
import { minute, second } from "../../../src/shared/base/duration.ts";
import { nextStep } from "../../../src/shared/job/next-step.ts";
import { container, ending, group, live, ours, present, rules, start } from "../../kit/kit.ts";

/** An end without an exit code: the group is stopped, and observed once more for the code. */
const now = start + 10 * minute;
const silent = present(
  group("Running", [container("app", { state: "Terminated", startTime: start, finishTime: start + minute })], {
    owner: ours,
  }),
);
const stopping = (since: number, changes = {}): ReturnType<typeof live> =>
  live(
    { state: "Running", startedAt: start + 20 * second, ending: { ...ending("Failed", { since }), ...changes } },
    {},
  );
const unknownExit = { verdict: { reason: "ExitUnknown" }, observeStopped: true, captured: true };

describe("a group that is stopped for its exit code", () => {
  it("is stopped again when Azure refused the stop for longer than a stop is watched", () => {
    const refused = { reason: "GroupBusy", since: now - 70 * second, times: 3 };
    const job = stopping(now - 70 * second, { ...unknownExit, sendAt: now, refused });
    expect(nextStep(job, silent, false, now, rules)).toMatchObject({ do: "stop" });
    const waits = stopping(now - 70 * second, { ...unknownExit, sendAt: now + 10 * second, refused });
    expect(nextStep(waits, silent, false, now, rules)).toMatchObject({ do: "requeue" });
  });

  it("is given up a minute after the stop was sent, or when half of STOP_TIMEOUT is over", () => {
    const sent = stopping(now - 70 * second, { ...unknownExit, sentAt: now - 60 * second });
    const refused = stopping(now - rules.stopTimeout / 2, { ...unknownExit, sendAt: now + second });
    for (const job of [sent, refused])
      expect(nextStep(job, silent, false, now, rules)).toMatchObject({
        do: "save",
        job: { phase: { ending: { observeStopped: false, verdict: { reason: "ExitUnknown" } } } },
      });
  });
});
