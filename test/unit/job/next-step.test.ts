// Longer than 350 lines: the table of every phase under every observation.
import { describe, expect, it } from "vitest";
import { day, hour, minute, second } from "../../../src/shared/base/duration.ts";
import { afterCapture, afterCreate, afterDelete, afterRefusal } from "../../../src/shared/job/arm-answers.ts";
import { endingOf, hasEnded, nothingObserved, type Job } from "../../../src/shared/job/job.ts";
import type { ObservedGroup } from "../../../src/shared/job/observation.ts";
import type { Reason } from "../../../src/shared/job/reasons.ts";
import { nextStep } from "../../../src/shared/job/next-step.ts";
import { lateTime, requestTimeout, skew } from "../../../src/shared/job/step.ts";
import { describe as describeJob } from "../../../src/shared/job/describe.ts";
import {
  absent,
  container,
  ended,
  ending,
  exited,
  group,
  job,
  live,
  ours,
  present,
  rules,
  running,
  start,
  succeeded,
  target,
  unseen,
} from "../../kit/kit.ts";
import { now, observations, phases, described } from "./machine-table.ts";

/** What happens next: for each phase, each step and the observations that lead to it. */
const table: Readonly<Record<string, Readonly<Record<string, readonly string[] | "whatever is seen">>>> = {
  Queued: {
    admit: "whatever is seen",
  },
  "Queued, not yet its time": {
    "requeue in 20 s, waiting for nothing": "whatever is seen",
  },
  "Queued, canceled": {
    "save Canceled CanceledByCaller, group gone": "whatever is seen",
  },
  "Queued, admitted": {
    observe: ["not looked"],
    "requeue in 5 s, ArmUnavailable": ["unknown"],
    create: ["absent"],
    "save Pending": [
      "running",
      "succeeded",
      "failed",
      "ended, one without an exit code",
      "stopped",
      "never seen before",
    ],
    delete: ["an earlier attempt's"],
    "requeue in 5 s, NameBusy": ["another job's"],
    "save Failed NameTaken, group gone": ["foreign", "untagged"],
  },
  Provisioning: {
    observe: ["not looked"],
    "requeue in 5 s": ["unknown"],
    "requeue in 5 s, missed 1": ["absent", "an earlier attempt's"],
    "save Pending": [
      "running",
      "succeeded",
      "failed",
      "ended, one without an exit code",
      "stopped",
      "never seen before",
    ],
    "requeue in 5 s, NameBusy": ["another job's"],
    "save Failed NameTaken, group gone": ["foreign", "untagged"],
  },
  "Provisioning, missed once": {
    observe: ["not looked"],
    "requeue in 5 s, missed 1": ["unknown"],
    "requeue in 10 s, missed 2": ["absent", "an earlier attempt's"],
    "save Pending": [
      "running",
      "succeeded",
      "failed",
      "ended, one without an exit code",
      "stopped",
      "never seen before",
    ],
    "requeue in 5 s, NameBusy": ["another job's"],
    "save Failed NameTaken, group gone": ["foreign", "untagged"],
  },
  "Provisioning, answered with a failure, missed once": {
    observe: ["not looked"],
    "requeue in 5 s, missed 1": ["unknown"],
    "requeue in 5 s, ArmUnavailable": ["absent", "an earlier attempt's"],
    "save Pending": [
      "running",
      "succeeded",
      "failed",
      "ended, one without an exit code",
      "stopped",
      "never seen before",
    ],
    "requeue in 5 s, NameBusy": ["another job's"],
    "save Failed NameTaken, group gone": ["foreign", "untagged"],
  },
  "Provisioning, missed four times over three minutes": {
    observe: ["not looked"],
    "requeue in 5 s, missed 4": ["unknown"],
    "requeue in 5 s, ArmUnavailable": ["absent", "an earlier attempt's"],
    "save Pending": [
      "running",
      "succeeded",
      "failed",
      "ended, one without an exit code",
      "stopped",
      "never seen before",
    ],
    "requeue in 5 s, NameBusy": ["another job's"],
    "save Failed NameTaken, group gone": ["foreign", "untagged"],
  },
  "Provisioning, missed long enough, create still on its way": {
    observe: ["not looked"],
    "requeue in 5 s, missed 4": ["unknown"],
    "requeue in 15 s, missed 5": ["absent", "an earlier attempt's"],
    "save Pending": [
      "running",
      "succeeded",
      "failed",
      "ended, one without an exit code",
      "stopped",
      "never seen before",
    ],
    "requeue in 5 s, NameBusy": ["another job's"],
    "save Failed NameTaken, group gone": ["foreign", "untagged"],
  },
  Pending: {
    observe: ["not looked"],
    "requeue in 5 s": ["unknown", "never seen before"],
    "requeue in 5 s, missed 1": ["absent", "an earlier attempt's"],
    "save Running": ["running", "ended, one without an exit code"],
    "capture the group, then Succeeded": ["succeeded"],
    "capture the group, then Failed": ["failed"],
    "capture the group, then Stopped": ["stopped"],
    "capture without a group, then Failed": ["another job's", "foreign", "untagged"],
  },
  "Pending, past its startTimeout": {
    observe: ["not looked"],
    "requeue in 5 s": ["unknown"],
    "save Pending, ending TimedOut StartTimeout": ["absent", "an earlier attempt's"],
    "save Running": ["running", "ended, one without an exit code"],
    "capture the group, then Succeeded": ["succeeded"],
    "capture the group, then Failed": ["failed"],
    "capture the group, then Stopped": ["stopped"],
    "capture the group, then TimedOut": ["never seen before"],
    "capture without a group, then Failed": ["another job's", "foreign", "untagged"],
  },
  "Pending, an hour past its startTimeout": {
    observe: ["not looked"],
    "save Pending, ending TimedOut StartTimeout": ["unknown", "absent", "an earlier attempt's"],
    "save Running": ["running", "ended, one without an exit code"],
    "capture the group, then Succeeded": ["succeeded"],
    "capture the group, then Failed": ["failed"],
    "capture the group, then Stopped": ["stopped"],
    "capture the group, then TimedOut": ["never seen before"],
    "capture without a group, then Failed": ["another job's", "foreign", "untagged"],
  },
  Running: {
    observe: ["not looked"],
    "requeue in 4 s": ["unknown", "running", "ended, one without an exit code", "never seen before"],
    "requeue in 5 s, missed 1": ["absent", "an earlier attempt's"],
    "capture the group, then Succeeded": ["succeeded", "untagged"],
    "capture the group, then Failed": ["failed"],
    "capture the group, then Stopped": ["stopped"],
    "capture without a group, then Failed": ["another job's", "foreign"],
  },
  "Running, missed once": {
    observe: ["not looked"],
    "requeue in 4 s, missed 1": ["unknown"],
    "requeue in 10 s, missed 2": ["absent", "an earlier attempt's"],
    "requeue in 4 s": ["running", "ended, one without an exit code", "never seen before"],
    "capture the group, then Succeeded": ["succeeded"],
    "capture the group, then Failed": ["failed"],
    "capture the group, then Stopped": ["stopped"],
    "capture without a group, then Failed": ["another job's", "foreign", "untagged"],
  },
  "Running, missed four times over three minutes": {
    observe: ["not looked"],
    "requeue in 4 s, missed 4": ["unknown"],
    "capture without a group, then Failed": ["absent", "an earlier attempt's", "another job's", "foreign", "untagged"],
    "requeue in 4 s": ["running", "ended, one without an exit code", "never seen before"],
    "capture the group, then Succeeded": ["succeeded"],
    "capture the group, then Failed": ["failed"],
    "capture the group, then Stopped": ["stopped"],
  },
  "Running, canceled": {
    observe: ["not looked"],
    "save Running, ending Canceled CanceledByCaller": ["unknown", "absent", "an earlier attempt's"],
    "capture the group, then Canceled": ["running", "failed", "ended, one without an exit code", "never seen before"],
    "capture the group, then Succeeded": ["succeeded", "untagged"],
    "capture the group, then Stopped": ["stopped"],
    "capture without a group, then Canceled": ["another job's", "foreign"],
  },
  "Running, past its deadline": {
    observe: ["not looked"],
    "save Running, ending TimedOut DeadlineExceeded": ["unknown", "absent", "an earlier attempt's"],
    "capture the group, then TimedOut": ["running", "ended, one without an exit code", "never seen before"],
    "capture the group, then Succeeded": ["succeeded", "untagged"],
    "capture the group, then Failed": ["failed"],
    "capture the group, then Stopped": ["stopped"],
    "capture without a group, then Failed": ["another job's", "foreign"],
  },
  "Running, past its runTimeout": {
    observe: ["not looked"],
    "requeue in 4 s": ["unknown"],
    "save Running, ending TimedOut RunTimeout": ["absent", "an earlier attempt's"],
    "capture the group, then TimedOut": ["running", "ended, one without an exit code", "never seen before"],
    "capture the group, then Succeeded": ["succeeded", "untagged"],
    "capture the group, then Failed": ["failed"],
    "capture the group, then Stopped": ["stopped"],
    "capture without a group, then Failed": ["another job's", "foreign"],
  },
  "canceling, not captured": {
    observe: ["not looked"],
    "requeue in 5 s": ["unknown"],
    "requeue in 5 s, missed 1": ["absent"],
    "capture the group, then Canceled": [
      "running",
      "succeeded",
      "failed",
      "ended, one without an exit code",
      "stopped",
      "never seen before",
      "an earlier attempt's",
      "untagged",
    ],
    "capture without a group, then Canceled": ["another job's", "foreign"],
  },
  canceling: {
    observe: ["not looked"],
    "requeue in 5 s": ["unknown"],
    "requeue in 5 s, missed 1": ["absent"],
    delete: ["running", "ended, one without an exit code", "never seen before", "an earlier attempt's"],
    "save Canceled CanceledByCaller, group stopped": ["succeeded", "failed", "stopped", "untagged"],
    "save Canceled CanceledByCaller, group gone": ["another job's", "foreign"],
  },
  "canceling, delete sent": {
    observe: ["not looked"],
    "requeue in 5 s": ["unknown"],
    "requeue in 5 s, missed 1": ["absent"],
    "requeue in 2 s": ["running", "ended, one without an exit code", "never seen before", "an earlier attempt's"],
    "save Canceled CanceledByCaller, group stopped": ["succeeded", "failed", "stopped", "untagged"],
    "save Canceled CanceledByCaller, group gone": ["another job's", "foreign"],
  },
  "canceling, delete accepted, missed once": {
    observe: ["not looked"],
    "requeue in 5 s, missed 1": ["unknown"],
    "save Canceled CanceledByCaller, group gone": ["absent", "another job's", "foreign", "untagged"],
    "requeue in 2 s": ["running", "ended, one without an exit code", "never seen before", "an earlier attempt's"],
    "save Canceled CanceledByCaller, group stopped": ["succeeded", "failed", "stopped"],
  },
  "canceling, Azure says that it is gone": {
    observe: ["not looked"],
    "save Canceled CanceledByCaller, group gone": [
      "unknown",
      "absent",
      "running",
      "succeeded",
      "failed",
      "ended, one without an exit code",
      "stopped",
      "never seen before",
      "an earlier attempt's",
      "another job's",
      "foreign",
      "untagged",
    ],
  },
  "canceling, a lock refused the delete": {
    observe: ["not looked"],
    "requeue in 5 s": ["unknown"],
    "requeue in 5 s, missed 1": ["absent"],
    stop: ["running", "ended, one without an exit code", "never seen before", "an earlier attempt's"],
    "save Canceled CanceledByCaller, group stopped": ["succeeded", "failed", "stopped", "untagged"],
    "save Canceled CanceledByCaller, group gone": ["another job's", "foreign"],
  },
  "canceling, Azure is busy with it": {
    observe: ["not looked"],
    "requeue in 5 s": ["unknown"],
    "requeue in 5 s, missed 1": ["absent"],
    "requeue in 2 s": ["running", "ended, one without an exit code", "never seen before", "an earlier attempt's"],
    "save Canceled CanceledByCaller, group stopped": ["succeeded", "failed", "stopped", "untagged"],
    "save Canceled CanceledByCaller, group gone": ["another job's", "foreign"],
  },
  "canceling, delete sent long ago": {
    observe: ["not looked"],
    "requeue in 5 s": ["unknown"],
    "requeue in 5 s, missed 1": ["absent"],
    delete: ["running", "ended, one without an exit code", "never seen before", "an earlier attempt's"],
    "save Canceled CanceledByCaller, group stopped": ["succeeded", "failed", "stopped", "untagged"],
    "save Canceled CanceledByCaller, group gone": ["another job's", "foreign"],
  },
  "canceling, missed once": {
    observe: ["not looked"],
    "requeue in 5 s, missed 1": ["unknown"],
    "requeue in 10 s, missed 2": ["absent"],
    delete: ["running", "ended, one without an exit code", "never seen before", "an earlier attempt's"],
    "save Canceled CanceledByCaller, group stopped": ["succeeded", "failed", "stopped"],
    "save Canceled CanceledByCaller, group gone": ["another job's", "foreign", "untagged"],
  },
  "canceling, overdue": {
    observe: ["not looked"],
    "save Canceled CanceledByCaller, group present": [
      "unknown",
      "running",
      "ended, one without an exit code",
      "never seen before",
      "an earlier attempt's",
    ],
    "requeue in 5 s, missed 1": ["absent"],
    "save Canceled CanceledByCaller, group stopped": ["succeeded", "failed", "stopped", "untagged"],
    "save Canceled CanceledByCaller, group gone": ["another job's", "foreign"],
  },
  "canceling, kept": {
    observe: ["not looked"],
    "requeue in 5 s": ["unknown"],
    "requeue in 5 s, missed 1": ["absent"],
    stop: ["running", "ended, one without an exit code", "never seen before", "an earlier attempt's"],
    "save Canceled CanceledByCaller, group stopped": ["succeeded", "failed", "stopped", "untagged"],
    "save Canceled CanceledByCaller, group gone": ["another job's", "foreign"],
  },
  "canceling while Pending, never seen": {
    observe: ["not looked"],
    "requeue in 5 s": ["unknown"],
    delete: ["absent", "running", "ended, one without an exit code", "never seen before", "an earlier attempt's"],
    "save Canceled CanceledByCaller, group stopped": ["succeeded", "failed", "stopped"],
    "save Canceled CanceledByCaller, group gone": ["another job's", "foreign", "untagged"],
  },
  "canceling while Provisioning": {
    observe: ["not looked"],
    "requeue in 5 s, missed 1": ["unknown"],
    "requeue in 10 s, missed 2": ["absent"],
    delete: ["running", "ended, one without an exit code", "never seen before", "an earlier attempt's"],
    "save Canceled CanceledByCaller, group stopped": ["succeeded", "failed", "stopped"],
    "save Canceled CanceledByCaller, group gone": ["another job's", "foreign", "untagged"],
  },
  "ended without an exit code": {
    observe: ["not looked"],
    "requeue in 5 s": ["unknown"],
    "requeue in 5 s, missed 1": ["absent"],
    stop: ["running", "ended, one without an exit code", "never seen before", "an earlier attempt's"],
    "capture the group, then Succeeded": ["succeeded", "untagged"],
    "capture the group, then Failed": ["failed", "stopped"],
    "save Failed ExitUnknown, group gone": ["another job's", "foreign"],
  },
  "ended without an exit code, stop sent": {
    observe: ["not looked"],
    "requeue in 5 s": ["unknown"],
    "requeue in 5 s, missed 1": ["absent"],
    "requeue in 2 s": ["running", "ended, one without an exit code", "never seen before", "an earlier attempt's"],
    "capture the group, then Succeeded": ["succeeded", "untagged"],
    "capture the group, then Failed": ["failed", "stopped"],
    "save Failed ExitUnknown, group gone": ["another job's", "foreign"],
  },
  retrying: {
    observe: ["not looked"],
    "requeue in 5 s": ["unknown"],
    "requeue in 5 s, missed 1": ["absent"],
    delete: [
      "running",
      "succeeded",
      "failed",
      "ended, one without an exit code",
      "stopped",
      "never seen before",
      "an earlier attempt's",
      "untagged",
    ],
    "save Queued, attempt 2": ["another job's", "foreign"],
  },
  "retrying, overdue": {
    observe: ["not looked"],
    "save Failed ExitCode, group present": [
      "unknown",
      "running",
      "succeeded",
      "failed",
      "ended, one without an exit code",
      "stopped",
      "never seen before",
      "an earlier attempt's",
      "untagged",
    ],
    "requeue in 5 s, missed 1": ["absent"],
    "save Queued, attempt 2": ["another job's", "foreign"],
  },
  "ended, group present": {
    observe: ["not looked"],
    "requeue in 10 s": ["unknown"],
    "requeue in 5 s, missed 1": ["absent"],
    delete: [
      "running",
      "succeeded",
      "failed",
      "ended, one without an exit code",
      "stopped",
      "never seen before",
      "an earlier attempt's",
      "untagged",
    ],
    "save Succeeded Completed, group gone": ["another job's", "foreign"],
  },
  "ended, not captured": {
    observe: ["not looked"],
    "requeue in 10 s": ["unknown"],
    "requeue in 5 s, missed 1": ["absent"],
    "capture the group, then as it is": [
      "running",
      "succeeded",
      "failed",
      "ended, one without an exit code",
      "stopped",
      "never seen before",
      "an earlier attempt's",
      "untagged",
    ],
    "save Succeeded Completed, group gone": ["another job's", "foreign"],
  },
  "ended, missed once": {
    observe: ["not looked"],
    "requeue in 10 s, missed 1": ["unknown"],
    "requeue in 10 s, missed 2": ["absent"],
    delete: [
      "running",
      "succeeded",
      "failed",
      "ended, one without an exit code",
      "stopped",
      "never seen before",
      "an earlier attempt's",
    ],
    "save Succeeded Completed, group gone": ["another job's", "foreign", "untagged"],
  },
  "ended, delete accepted, missed once": {
    observe: ["not looked"],
    "requeue in 10 s, missed 1": ["unknown"],
    "save Succeeded Completed, group gone": ["absent", "another job's", "foreign", "untagged"],
    "requeue in 2 s": [
      "running",
      "succeeded",
      "failed",
      "ended, one without an exit code",
      "stopped",
      "never seen before",
      "an earlier attempt's",
    ],
  },
  "ended, delete sent": {
    observe: ["not looked"],
    "requeue in 10 s": ["unknown"],
    "requeue in 5 s, missed 1": ["absent"],
    "requeue in 2 s": [
      "running",
      "succeeded",
      "failed",
      "ended, one without an exit code",
      "stopped",
      "never seen before",
      "an earlier attempt's",
      "untagged",
    ],
    "save Succeeded Completed, group gone": ["another job's", "foreign"],
  },
  "ended, delete sent long ago": {
    observe: ["not looked"],
    "requeue in 10 s": ["unknown"],
    "requeue in 5 s, missed 1": ["absent"],
    delete: [
      "running",
      "succeeded",
      "failed",
      "ended, one without an exit code",
      "stopped",
      "never seen before",
      "an earlier attempt's",
      "untagged",
    ],
    "save Succeeded Completed, group gone": ["another job's", "foreign"],
  },
  "ended, kept": {
    "requeue in 60 s": "whatever is seen",
  },
  "ended, kept, but must yield": {
    observe: ["not looked"],
    "requeue in 10 s": ["unknown"],
    "requeue in 5 s, missed 1": ["absent"],
    delete: [
      "running",
      "succeeded",
      "failed",
      "ended, one without an exit code",
      "stopped",
      "never seen before",
      "an earlier attempt's",
      "untagged",
    ],
    "save Succeeded Completed, group gone": ["another job's", "foreign"],
  },
  "ended, group gone": {
    finalize: "whatever is seen",
  },
  "ended, tidy": {
    done: "whatever is seen",
  },
  "ended, somebody to tell": {
    notify: "whatever is seen",
  },
  "ended, tidy, to tell later": {
    "requeue in 7 s": "whatever is seen",
  },
  claimed: {
    "requeue in 15 s": "whatever is seen",
  },
  "claim run out": {
    "save Provisioning": "whatever is seen",
  },
};

describe("every phase under every observation", () => {
  it.each(Object.keys(phases))("%s", (name) => {
    const expected = table[name];
    const row = phases[name];
    if (expected === undefined || row === undefined) throw new Error(`The table has no row ${name}.`);
    for (const [look, seen] of Object.entries(observations)) {
      const step = Object.entries(expected).find(([, looks]) => looks === "whatever is seen" || looks.includes(look));
      expect([look, described(nextStep(row.job, seen, row.admitted, now, rules))]).toEqual([look, step?.[0]]);
    }
  });
});

const runningPhase = { state: "Running", startedAt: start + 20 * second } as const;
const provisioning = {
  state: "Provisioning",
  sentAt: start + 10 * second,
  mayLandUntil: start + 10 * second + lateTime,
} as const;
const sent = { at: start + 10 * second, from: "Queued", to: "Provisioning", reason: "Accepted", attempt: 1 };
const claimed = (phase: Parameters<typeof live>[0]): Job =>
  live(phase, { claimUntil: start + 70 * second, history: [sent] });

describe("what is never done", () => {
  const everything = Object.values(phases).flatMap((row) =>
    Object.values(observations).map((seen) => ({
      ...row,
      seen,
      step: nextStep(row.job, seen, row.admitted, now, rules),
    })),
  );

  it("a terminal state never changes", () => {
    for (const { job: before, step } of everything) {
      if (hasEnded(before.phase) && "job" in step) expect(step.job.phase.state).toBe(before.phase.state);
    }
  });

  it("nothing is created, deleted or stopped without a claim", () => {
    for (const { step } of everything) {
      if (step.do === "create" || step.do === "delete" || step.do === "stop")
        expect(step.job.claimUntil).toBe(now + minute);
    }
  });

  it("nothing is created unless the group was seen to be absent", () => {
    for (const { step, seen } of everything) if (step.do === "create") expect(seen?.group).toBe("absent");
  });

  it("a group of somebody else's is never deleted or stopped", () => {
    for (const { job: before, step, seen } of everything) {
      if (step.do !== "delete" && step.do !== "stop") continue;
      // Only the group of a create that was accepted and not seen yet is deleted without being seen.
      const isBlind = seen?.group === "absent" && before.phase.state === "Pending";
      expect(isBlind || (seen?.group === "present" && seen.owner.kind !== "foreign")).toBe(true);
    }
  });

  it("a failed read is never a verdict on the group", () => {
    for (const { job: before, step, seen } of everything) {
      if (seen?.group !== "unknown" || !("job" in step) || !hasEnded(step.job.phase) || hasEnded(before.phase))
        continue;
      // A cancel before anything was created, or an end whose confirmation did not come in time.
      expect(step.job.phase.verdict.reason).toBe(
        before.cancel ? "CanceledByCaller" : (endingOf(before.phase)?.verdict.reason ?? ""),
      );
    }
  });

  it("a group is not deleted before its logs and exit codes were captured", () => {
    for (const { job: before, step } of everything) {
      if (step.do !== "delete" || before.phase.state === "Queued") continue;
      const captured = hasEnded(before.phase) ? before.phase.captured : endingOf(before.phase)?.captured;
      // A group of an earlier attempt was captured when that attempt ended.
      expect(captured ?? true).toBe(true);
    }
  });

  it("while a claim and a margin for skew stand, nobody acts or observes", () => {
    const until = start + 70 * second + skew;
    for (const seen of Object.values(observations)) {
      expect(nextStep(claimed(runningPhase), seen, true, until - 1, rules)).toMatchObject({ do: "requeue", until });
      expect(nextStep(claimed(runningPhase), seen, true, until, rules)).toMatchObject({ do: "save" });
    }
  });

  it("a request under a claim is given up well before the claim ends", () => {
    expect(requestTimeout).toBeLessThan(lateTime - 20 * second);
  });
});

describe("ADOPT_FINISHED_GROUPS", () => {
  const adopting = { ...rules, adoptFinishedGroups: true };
  const old = { ...succeeded, owner: { kind: "untagged" } } as const;

  it("lets a job replace a finished group of its own name that nobody tagged", () => {
    expect(nextStep(job(), present(old), true, now, adopting).do).toBe("create");
  });

  it.each([
    ["one that runs", { ...running, owner: { kind: "untagged" } }],
    ["another installation's", { ...succeeded, owner: { kind: "foreign" } }],
  ] as const)("never replaces %s", (_, seen) => {
    expect(described(nextStep(job(), present(seen), true, now, adopting))).toBe("save Failed NameTaken, group gone");
  });

  it("waits for a create whose answer got lost, as if the old group were not there", () => {
    expect(nextStep(live(provisioning), present(old), false, now, adopting)).toMatchObject({
      do: "requeue",
      job: { phase: { absentAt: now } },
    });
  });
});

describe("following a group", () => {
  it("a job runs since its first container started", () => {
    const seen = group("Running", [
      container("app1", { startTime: start + 15 * second }),
      container("app2", { state: "Waiting", startTime: undefined }),
    ]);
    const step = nextStep(live({ state: "Pending", acceptedAt: start }), present(seen), false, now, rules);
    expect(step).toMatchObject({
      do: "save",
      job: { startedAt: start + 15 * second, phase: { state: "Running", startedAt: start + 15 * second } },
    });
  });

  it("a group whose containers have all ended is over, though ACI does not say so yet", () => {
    const seen = group("Running", [exited("app1", 0), exited("app2", 2)]);
    expect(described(nextStep(live(runningPhase), present(seen), false, now, rules))).toBe(
      "capture the group, then Failed",
    );
  });

  it("with restartPolicy OnFailure a failed container is not over", () => {
    const seen = group("Running", [exited("app1", 0), exited("app2", 2)]);
    expect(nextStep(live(runningPhase, { restartPolicy: "OnFailure" }), present(seen), false, now, rules).do).toBe(
      "requeue",
    );
  });

  it("with main its first end is the job's end, though the others run on", () => {
    const seen = group("Running", [
      container("app1", { restartCount: 1, previous: { exitCode: 4, startTime: start, finishTime: now } }),
      container("app2"),
    ]);
    const step = nextStep(
      live(runningPhase, { options: { main: "app1" }, restartPolicy: "Always" }),
      present(seen),
      false,
      now,
      rules,
    );
    expect(step).toMatchObject({
      do: "capture",
      job: { phase: { ending: { to: "Failed", verdict: { reason: "ExitCode", exitCode: 4, container: "app1" } } } },
    });
  });

  it("provisioningState Failed does not end a group that runs", () => {
    expect(nextStep(live(runningPhase), present({ ...running, provisioning: "Failed" }), false, now, rules).do).toBe(
      "requeue",
    );
  });

  it("provisioningState Failed with nothing started is tried again at nobody's expense", () => {
    const waiting = group("Pending", [container("app1", { state: "Waiting", startTime: undefined })], {
      provisioning: "Failed",
    });
    const step = nextStep(live({ state: "Pending", acceptedAt: start }), present(waiting), false, now, rules);
    expect(step).toMatchObject({
      do: "capture",
      job: { phase: { ending: { to: "Queued", free: true, verdict: { reason: "ProvisioningFailed" } } } },
    });
  });

  it("the next observation comes sooner when a time of the job's runs out", () => {
    const step = nextStep(
      live(runningPhase, { options: { runTimeout: 41 * second } }),
      present(running),
      false,
      now,
      rules,
    );
    expect(step).toMatchObject({ do: "requeue", until: start + 61 * second });
  });

  it.each([
    ["startTimeout", { state: "Pending", acceptedAt: start } as const, { startTimeout: 40 * second }, "StartTimeout"],
    ["runTimeout", runningPhase, { runTimeout: 30 * second }, "RunTimeout"],
    ["timeout", runningPhase, { timeout: 30 * second }, "DeadlineExceeded"],
    ["lease", runningPhase, { lease: 30 * second }, "LeaseExpired"],
  ])("%s ends what still runs", (_, phase, wanted, reason) => {
    const step = nextStep(live(phase, { options: wanted }), present(group("Pending", [])), false, now, rules);
    expect(step).toMatchObject({ do: "capture", job: { phase: { ending: { verdict: { reason } } } } });
  });

  it("queueTimeout ends what was never created, and nothing else", () => {
    const late = job({ options: { queueTimeout: 30 * second } });
    expect(described(nextStep(late, undefined, false, now, rules))).toBe("save TimedOut QueueTimeout, group gone");
    expect(nextStep({ ...late, firstCreateAt: start }, undefined, false, now, rules).do).toBe("admit");
  });

  it.each([
    ["queueTimeout", { options: { queueTimeout: 30 * second } }],
    ["timeout", { deadlineAt: start + 30 * second }],
  ])("%s of a job that waits is put down to what it waits for", (_, late) => {
    const after = (reason: Reason): string => {
      const waits = job({ ...late, phase: { state: "Queued", waiting: { reason, since: start }, refusals: 0 } });
      const step = nextStep(waits, undefined, false, now, rules);
      return step.do === "save" ? describeJob(step.job) : step.do;
    };
    expect(after("NameBusy")).toMatch(
      / \(caller\)\. It .* It waited for NameBusy: Another job holds .* side by side\.$/,
    );
    expect(after("QuotaReached")).toMatch(/ \(quota\)\. .* It waited for QuotaReached: /);
    expect(after("RetryDelay")).not.toContain("It waited for");
  });

  it("a timeout while ARM can't be read for an hour still spends the caller's retries", () => {
    const job = live(runningPhase, { options: { runTimeout: 30 * second, retries: 1 } });
    const step = nextStep(job, unseen, false, now + 60 * minute, rules);
    expect(step).toMatchObject({ do: "save", job: { phase: { ending: { to: "Queued" } } } });
  });

  it("a job whose time ran out while its group vanished keeps what was captured of it", () => {
    const step = nextStep(
      live({ ...runningPhase, absentAt: start - 3 * minute, absences: 4 }, { deadlineAt: now }),
      absent,
      false,
      now,
      rules,
    );
    expect(step).toMatchObject({ do: "capture", group: undefined, job: { phase: { ending: { to: "TimedOut" } } } });
  });
});

describe("a running group that lost its tags", () => {
  const untagged = { ...running, owner: { kind: "untagged" } } as const;
  const next = (seen: ObservedGroup, phase = runningPhase, changes = {}) =>
    described(nextStep(live(phase, changes), present(seen), false, now, rules));

  it("stays the job's where it was seen with them, and is the same", () => {
    expect(next(untagged)).toBe("requeue in 4 s");
  });

  const replacedBy = "capture without a group, then Failed";
  it.each<[string, ObservedGroup]>([
    ["another container", { ...untagged, containers: [container("app1"), container("other")] }],
    ["another image", { ...untagged, containers: [container("app1", { image: "x" }), container("app2")] }],
    ["another start", { ...untagged, containers: [container("app1", { startTime: now }), container("app2")] }],
    [
      "no start any more",
      { ...untagged, containers: [container("app1", { startTime: undefined }), container("app2")] },
    ],
  ])("is somebody else's with %s: the job ends, and nothing is done to it", (_, seen) => {
    expect(next(seen)).toBe(replacedBy);
  });

  it("is somebody else's once it was absent, or where it never was seen with them", () => {
    expect(next(untagged, { ...runningPhase, absentAt: now - 5 * second } as typeof runningPhase)).toBe(replacedBy);
    expect(next(untagged, runningPhase, { observed: nothingObserved })).toBe(replacedBy);
  });
});

describe("what the answer to a create means", () => {
  const refused = (reason: Parameters<typeof afterCreate>[1] & { kind: "refused" }) =>
    afterCreate(claimed(provisioning), reason, now, rules);
  const answer = { kind: "refused", azure: undefined, retryAfter: undefined } as const;

  it("accepted: the job is Pending and the claim is over", () => {
    const step = afterCreate(claimed(provisioning), { kind: "accepted" }, now, rules);
    expect(step).toMatchObject({ do: "save", job: { phase: { state: "Pending", acceptedAt: now } } });
    expect("job" in step && step.job.claimUntil).toBeUndefined();
  });

  it("a refusal for now: Queued again, with its reason and since when", () => {
    const step = refused({ ...answer, reason: "QuotaReached", detail: "Limit: 100" });
    expect(step).toMatchObject({
      do: "requeue",
      until: now + 20 * second,
      job: { phase: { state: "Queued", waiting: { reason: "QuotaReached", since: now, detail: "Limit: 100" } } },
    });
    expect("job" in step && step.job.provisioningAt).toBeUndefined();
  });

  it("refused again for the same reason, it has waited since the first time", () => {
    const again = claimed({ ...provisioning, waiting: { reason: "QuotaReached", since: start } });
    const step = afterCreate(again, { ...answer, reason: "QuotaReached" }, now, rules);
    expect(step).toMatchObject({ job: { phase: { waiting: { since: start } } } });
  });

  it("a group that is still transitioning is left alone for at least 10 s, whatever the jitter", () => {
    const busy = { ...answer, reason: "GroupBusy" } as const;
    const step = afterCreate(claimed(provisioning), busy, now, { ...rules, random: 0 });
    expect("until" in step && step.until).toBeGreaterThanOrEqual(now + 10 * second);
  });

  it("Retry-After is honoured when it is longer", () => {
    expect(refused({ ...answer, reason: "Throttled", retryAfter: 77 * second })).toMatchObject({
      do: "requeue",
      until: now + 77 * second,
    });
  });

  it("what is usually permanent is tried four times, then fails", () => {
    const tried = (times: number): Job => ({
      ...claimed(provisioning),
      refused: { reason: "InaccessibleImage", since: start, times, doubtful: false, othersAccepted: false },
    });
    const image = { ...answer, reason: "InaccessibleImage" } as const;
    expect(afterCreate(tried(2), image, now, rules).do).toBe("requeue");
    expect(described(afterCreate(tried(3), image, now, rules))).toBe("save Failed InaccessibleImage, group gone");
  });

  it("a name that is taken in another region is waited for while a group of it was deleted lately, and ends the job after that", () => {
    const deleted = (ago: number): Job => ({ ...claimed(provisioning), lastDeleteAt: now - ago });
    const taken = { ...answer, reason: "NameTaken" } as const;
    expect(afterCreate(deleted(9 * minute), taken, now, rules)).toMatchObject({
      do: "requeue",
      until: now + 11 * second,
      job: { phase: { state: "Queued", waiting: { reason: "GroupBusy" } } },
    });
    for (const job of [deleted(10 * minute), claimed(provisioning)])
      expect(described(afterCreate(job, taken, now, rules))).toBe("save Failed NameTaken, group gone");
  });

  it("a refusal for good fails the job at once", () => {
    expect(described(refused({ ...answer, reason: "InvalidDefinition" }))).toBe(
      "save Failed InvalidDefinition, group gone",
    );
  });

  it("silence: the group is observed, and its absence is trusted only after three minutes", () => {
    const step = afterCreate(claimed(provisioning), { kind: "unclear", azure: undefined }, now, rules);
    if (step.do !== "requeue") throw new Error(step.do);
    let [missed, at] = [step.job, step.until];
    for (let times = 0; times < 10; times++) {
      const next = nextStep(missed, absent, false, at, rules);
      if (next.do !== "requeue" || next.job.phase.state !== "Provisioning") break;
      [missed, at] = [next.job, next.until];
    }
    expect(missed.phase).toMatchObject({ state: "Provisioning", absences: 5 });
    expect(at).toBe(step.until + 3 * minute);
    expect(nextStep(missed, absent, false, at, rules)).toMatchObject({ job: { phase: { state: "Queued" } } });
  });

  const trouble = { ...answer, kind: "failed", reason: "ArmUnavailable", doubtful: true } as const;

  it("a failure that ACI itself answered: two observations prove that nothing was made, and it is tried again", () => {
    const azure = { code: "InternalServerError", message: "", httpStatus: 500 };
    const step = afterCreate(claimed(provisioning), { ...trouble, azure }, now, rules);
    expect(step).toMatchObject({ do: "requeue", job: { azure, phase: { state: "Provisioning", answered: true } } });
    if (step.do !== "requeue") throw new Error(step.do);
    const missed = nextStep(step.job, absent, false, step.until, rules);
    expect(missed).toMatchObject({ do: "requeue", until: step.until + 10 * second });
    if (missed.do !== "requeue") throw new Error(missed.do);
    expect(nextStep(missed.job, absent, false, missed.until, rules)).toMatchObject({
      job: { phase: { state: "Queued", waiting: { reason: "ArmUnavailable" } }, refused: { times: 1 } },
    });
  });

  it.each([
    ["goes on with a growing delay while other creates fail too", 20, 10 * minute, false, "Queued"],
    ["ends the job after four tries over 15 minutes while others are accepted", 4, 15 * minute, true, "Failed"],
    ["not before the fourth", 3, 15 * minute, true, "Queued"],
    ["not before 15 minutes", 9, 14 * minute, true, "Queued"],
    ["ends the job after six hours", 30, 6 * hour, false, "Failed"],
  ])("a failure that comes again %s", (_, times, after, othersAccepted, state) => {
    const refused = { reason: "ArmUnavailable", since: now - after, times, doubtful: true, othersAccepted } as const;
    const proved = live(
      { state: "Provisioning", sentAt: start, answered: true, absentAt: now - 10 * second, absences: 1 },
      { refused },
    );
    const step = nextStep(proved, absent, false, now, rules);
    expect(step).toMatchObject({ job: { phase: { state } } });
    if (state === "Failed") expect(step).toMatchObject({ job: { phase: { verdict: { reason: "CreateFailed" } } } });
    if (times === 20) expect(step).toMatchObject({ do: "requeue", until: now + 15 * minute });
  });

  it("what an administrator must change is waited for, an hour at most", () => {
    const since = (at: number, changes: object = {}): Job => ({
      ...claimed(provisioning),
      refusals: [{ ...target, reason: "NotAuthorized", since: at, lastAt: now - 5 * minute, ...changes }],
    });
    const denied = { ...answer, reason: "NotAuthorized" } as const;
    const waits = { job: { phase: { waiting: { reason: "NotAuthorized" } } } };
    expect(afterCreate(since(now - 59 * minute), denied, now, rules)).toMatchObject(waits);
    const over = "save Failed NotAuthorized, group gone";
    expect(described(afterCreate(since(now - hour), denied, now, rules))).toBe(over);
    // Another cause, or one from long ago, begins the hour anew; so does another target that refused nothing yet.
    expect(afterCreate(since(now - hour, { reason: "TargetGone" }), denied, now, rules)).toMatchObject(waits);
    expect(afterCreate(since(now - day, { lastAt: now - 2 * hour }), denied, now, rules)).toMatchObject(waits);
    const [first, second_] = [target, { ...target, resourceGroup: "rg-2" }];
    const two = { ...rules, targets: [first, second_] };
    expect(afterCreate(since(now - hour), denied, now, two)).toMatchObject(waits);
    const both = since(now - hour);
    const lost = { ...second_, reason: "TargetGone", since: now - 2 * hour, lastAt: now - minute } as const;
    expect(described(afterCreate({ ...both, refusals: [...(both.refusals ?? []), lost] }, denied, now, two))).toBe(
      over,
    );
  });

  it("a region that Azure doesn't have for container groups is the definition's fault only where the definition names it", () => {
    const code = "LocationNotAvailableForResourceType";
    const azure = { code, message: "The provided location 'mars' is not available.", httpStatus: 400 };
    const refused = { ...answer, reason: "InvalidDefinition", azure } as const;
    const { wantedLocation: _none, ...anywhere } = claimed(provisioning);
    const over = "save Failed InvalidDefinition, group gone";
    expect(described(afterCreate(claimed(provisioning), refused, now, rules))).toBe(over);
    expect(afterCreate(anywhere, refused, now, rules)).toMatchObject({
      do: "requeue",
      job: { phase: { waiting: { reason: "TargetGone" } } },
    });
  });

  it("two targets that refuse in turn, for causes of their own or unknown ones, are asked ever more rarely, and end the job in the end", () => {
    const places = [target, { ...target, resourceGroup: "rg-2" }];
    const answers = [
      { ...answer, kind: "failed", reason: "ArmUnavailable", doubtful: true },
      { ...answer, kind: "refused", reason: "NotAuthorized" },
    ] as const;
    let [job, at, creates] = [claimed(provisioning), now, 0];
    for (; !hasEnded(job.phase) && creates < 1000; creates++) {
      const turn = creates % 2;
      const placed = places[turn] ?? target;
      const sent: Job = { ...job, placed, deadlineAt: now + day, phase: { ...provisioning, sentAt: at } };
      const told = afterCreate(sent, answers[turn] ?? answers[0], at, { ...rules, targets: places });
      const proved = turn === 0 && "job" in told ? afterRefusal(told.job, at, { ...rules, targets: places }) : told;
      if (!("job" in proved)) throw new Error("no job");
      job = proved.job;
      at = proved.do === "requeue" ? proved.until : at;
    }
    expect(hasEnded(job.phase) && job.phase.verdict.reason).toMatch(/^(?:CreateFailed|NotAuthorized)$/);
    expect(at - now).toBeGreaterThanOrEqual(6 * hour);
    expect(at - now).toBeLessThan(7 * hour);
    expect(creates).toBeLessThan(100);
  });

  it("a quota that is smaller than the group ends the job only where every target's is", () => {
    const small = { ...answer, reason: "QuotaTooSmall" } as const;
    const two = { ...rules, targets: [target, { ...target, resourceGroup: "rg-2" }] };
    const step = afterCreate(claimed(provisioning), small, now, two);
    expect(described(step)).toBe("requeue in 1 s, QuotaTooSmall");
    const refusals = [{ ...target, resourceGroup: "rg-2", reason: "QuotaTooSmall", since: now, lastAt: now } as const];
    const over = "save Failed QuotaTooSmall, group gone";
    expect(described(afterCreate({ ...claimed(provisioning), refusals }, small, now, two))).toBe(over);
    expect(described(afterCreate(claimed(provisioning), small, now, rules))).toBe(over);
  });

  it("a refusal while the job is ending ends it", () => {
    const canceling = claimed({ ...provisioning, ending: ending("Canceled") });
    expect(described(afterCreate(canceling, { ...answer, reason: "Throttled" }, now, rules))).toBe(
      "save Canceled CanceledByCaller, group gone",
    );
  });
});

describe("what the answer to a delete means", () => {
  const deleting = claimed({ ...runningPhase, ending: ending("Canceled", { sentAt: now }) });
  const claimOf = (step: ReturnType<typeof afterDelete>) => ("job" in step ? step.job.claimUntil : 0);

  it("accepted: from now on two absences prove that the group is gone", () => {
    const step = afterDelete("delete", deleting, { kind: "accepted" }, now, rules);
    expect(step).toMatchObject({ do: "requeue", job: { lastDeleteAt: now, phase: { ending: { deletedAt: now } } } });
    expect(claimOf(step)).toBeUndefined();
  });

  it("absent: proves it for a group that this attempt has seen", () => {
    const step = afterDelete("delete", deleting, { kind: "absent" }, now, rules);
    expect(step).toMatchObject({ do: "requeue", job: { phase: { ending: { gone: true } } } });
  });

  it("absent: proves nothing for one that was accepted less than three minutes ago and never seen", () => {
    const acceptedAt = (at: number): Job =>
      live(
        { state: "Pending", acceptedAt: at, ending: ending("Canceled", { sentAt: now }) },
        { claimUntil: now + minute, observed: { ...nothingObserved, acceptedAt: at } },
      );
    const gone = (at: number): unknown => {
      const step = afterDelete("delete", acceptedAt(at), { kind: "absent" }, now, rules);
      return "job" in step && endingOf(step.job.phase)?.gone;
    };
    expect(gone(now - 3 * minute + 1)).toBeUndefined();
    expect(gone(now - 3 * minute)).toBe(true);
  });

  it("a stop that finds nothing proves nothing", () => {
    const step = afterDelete("stop", deleting, { kind: "absent" }, now, rules);
    expect("job" in step && endingOf(step.job.phase)?.gone).toBeUndefined();
  });

  it("refused: sent again when Azure says so, and the row says why it does not go on", () => {
    const azure = { code: "ContainerGroupTransitioning", message: "", httpStatus: 409 };
    const refusal = { kind: "refused", reason: "GroupBusy", azure, retryAfter: 13 * second } as const;
    const step = afterDelete("delete", deleting, refusal, now, rules);
    expect(step).toMatchObject({
      do: "requeue",
      until: now + 13 * second,
      job: { azure, phase: { ending: { sendAt: now + 13 * second, refused: { reason: "GroupBusy", times: 1 } } } },
    });
    if (step.do !== "requeue") throw new Error(step.do);
    expect(nextStep(step.job, present(running), false, now + 12 * second, rules).do).toBe("requeue");
    expect(nextStep(step.job, present(running), false, now + 13 * second, rules).do).toBe("delete");
    expect(describeJob(step.job)).toContain("Azure does not delete it now: GroupBusy.");
  });

  it("refused by a lock: a stop is tried at once, and where it stops the job ends with its group left", () => {
    const azure = { code: "ScopeLocked", message: "", httpStatus: 409 };
    const refusal = { kind: "refused", reason: "ResourceLocked", azure, retryAfter: undefined } as const;
    const step = afterDelete("delete", deleting, refusal, now, rules);
    if (step.do !== "requeue") throw new Error(step.do);
    const next = nextStep(step.job, present(running), false, step.until, rules);
    expect(next.do).toBe("stop");
    const stopped = present({ ...running, state: "Stopped", containers: [exited("app1", 137), exited("app2", 137)] });
    expect(described(nextStep(step.job, stopped, false, step.until, rules))).toBe(
      "save Canceled CanceledByCaller, group stopped",
    );
  });

  it("silence: the claim stands, so that a late delete can't take the next job's group of that name", () => {
    const step = afterDelete("delete", deleting, { kind: "unclear", azure: undefined }, now, rules);
    expect(step).toMatchObject({ do: "requeue", until: start + 70 * second + skew });
    expect(claimOf(step)).toBe(start + 70 * second);
  });

  it("an error that ACI itself answered is over: the claim ends", () => {
    const azure = { code: "InternalServerError", message: "", httpStatus: 500 };
    expect(claimOf(afterDelete("delete", deleting, { kind: "unclear", azure }, now, rules))).toBeUndefined();
  });
});

describe("a resource group that is gone", () => {
  const gone = {
    group: "unknown",
    reason: "TargetGone",
    retryAfter: undefined,
    azure: { code: "ResourceGroupNotFound", message: "", httpStatus: 404 },
  } as const;
  const since = (at: number, reason: Reason = "TargetGone"): Job =>
    live(runningPhase, { unseen: { reason, since: at } });

  it("proves nothing for a day, and then that its groups are gone", () => {
    expect(nextStep(since(now - 23 * hour), gone, false, now, rules).do).toBe("requeue");
    expect(nextStep(since(now - 24 * hour), gone, false, now, rules)).toMatchObject({
      do: "capture",
      group: undefined,
    });
  });

  it.each([
    ["requeue", "less than an hour", hour - second, minute],
    ["save", "an hour", hour, minute],
    ["requeue", "an hour, though it was refused long ago", hour, 61 * minute],
  ])("or may not be read leads to a %s where its job has waited for it %s", (done, _, waited, ago) => {
    for (const seen of [gone, { ...gone, reason: "NotAuthorized" } as const]) {
      const refusals = [{ ...target, reason: seen.reason, since: now - waited, lastAt: now - ago }];
      const waits = job({ placed: target, refusals, deadlineAt: now + day });
      expect(nextStep(waits, seen, true, now, rules).do).toBe(done);
    }
  });

  it("begins anew when anything else was answered meanwhile, and not by silence", () => {
    const quiet = nextStep(since(now - 24 * hour), unseen, false, now, rules);
    expect("job" in quiet && quiet.job.unseen).toEqual({ reason: "TargetGone", since: now - 24 * hour });
    const denied = { ...gone, reason: "NotAuthorized" } as const;
    const other = nextStep(since(now - 24 * hour), denied, false, now, rules);
    expect("job" in other && other.job.unseen).toEqual({ reason: "NotAuthorized", since: now });
  });
});

describe("quota and capacity that are missing after an accepted create", () => {
  const full = group("Failed", [container("app1", { hasView: false, state: "Unknown", startTime: undefined })], {
    provisioning: "Failed",
    events: [{ name: "InsufficientCapacity.", type: "Warning", count: 1, message: "not available in the location" }],
  });

  it("are a wait: the group is deleted, and the next attempt costs nobody anything", () => {
    const pending = live({ state: "Pending", acceptedAt: start }, { freeInRow: 3, retriesUsed: 0 });
    const step = nextStep(pending, present(full), false, now, rules);
    expect(step).toMatchObject({ do: "capture", job: { phase: { ending: { to: "Queued", wait: true } } } });
    if (step.do !== "capture") throw new Error(step.do);
    expect(afterCapture(step.job, undefined, now, rules)).toMatchObject({
      attempt: 2,
      freeInRow: 3,
      retriesUsed: 0,
      waits: 1,
      phase: { state: "Queued", waiting: { reason: "NoCapacity" }, notBefore: now + 20 * second },
    });
  });
});

describe("what is saved after a capture", () => {
  it("a group in which nothing runs any more: the job has ended, its group not yet", () => {
    const after = afterCapture(
      live({ ...runningPhase, ending: ending("Succeeded", { captured: false }) }),
      succeeded,
      now,
      rules,
    );
    expect(after.phase).toMatchObject({ state: "Succeeded", group: "stopped", captured: true, tidy: false });
  });

  it("a group that still runs is to be stopped first", () => {
    const after = afterCapture(
      live({ ...runningPhase, ending: ending("Canceled", { captured: false }) }),
      running,
      now,
      rules,
    );
    expect(after.phase).toMatchObject({ state: "Running", ending: { captured: true } });
  });

  it("a next attempt begins only when the group is gone", () => {
    const retrying = live({ ...runningPhase, ending: ending("Queued", { captured: false }) });
    expect(afterCapture(retrying, succeeded, now, rules).phase.state).toBe("Running");
    expect(afterCapture(retrying, undefined, now, rules)).toMatchObject({
      attempt: 2,
      retriesUsed: 1,
      phase: { state: "Queued" },
    });
  });

  it("an end that could not wait for the logs is captured before the group is deleted", () => {
    const overdue = live({
      ...runningPhase,
      ending: ending("Canceled", { captured: false, since: start - 15 * minute }),
    });
    const step = nextStep(overdue, unseen, false, now, rules);
    if (step.do !== "save") throw new Error(step.do);
    expect(step.job.phase).toMatchObject({ state: "Canceled", group: "present", captured: false });
    expect(nextStep(step.job, present(running), false, now, rules).do).toBe("capture");
    expect(nextStep(afterCapture(step.job, running, now, rules), present(running), false, now, rules).do).toBe(
      "delete",
    );
  });
});

describe("a group that stays after the end", () => {
  /** Observations and deletes in six hours. */
  function played(seen: Parameters<typeof nextStep>[1]): { observations: number; deletes: number } {
    let after = ended();
    let [at, observations, deletes] = [now, 0, 0];
    while (at < now + 6 * hour) {
      observations++;
      const step = nextStep(after, seen, false, at, rules);
      if (step.do === "delete") {
        deletes++;
        const answered = afterDelete("delete", step.job, { kind: "accepted" }, at, rules);
        if (answered.do !== "requeue") throw new Error(answered.do);
        [after, at] = [answered.job, answered.until];
      } else if (step.do === "requeue") [after, at] = [step.job, step.until];
      else throw new Error(step.do);
    }
    return { observations, deletes };
  }

  it("though deletes are accepted is deleted ever more rarely: ACI's deletes of an hour are for all jobs", () => {
    const { observations, deletes } = played(present(running));
    expect(deletes).toBeGreaterThan(20);
    expect(deletes).toBeLessThan(40);
    expect(observations).toBeLessThan(1500);
  });

  it("and can't be read is observed ever more rarely", () => {
    expect(played(unseen).observations).toBeLessThan(150);
  });

  it("is deleted again after half a minute at first", () => {
    const sent = nextStep(ended(), present(running), false, now, rules);
    if (sent.do !== "delete") throw new Error(sent.do);
    const answered = afterDelete("delete", sent.job, { kind: "accepted" }, now, rules);
    if (answered.do !== "requeue") throw new Error(answered.do);
    expect(nextStep(answered.job, present(running), false, now + 20 * second, rules).do).toBe("requeue");
    expect(nextStep(answered.job, present(running), false, now + 31 * second, rules).do).toBe("delete");
  });
});

describe("after the end", () => {
  it("keep: the group stays for the setting's hours, unless a new job needs its name", () => {
    const keeping = live({ ...runningPhase, ending: ending("Failed") }, { options: { keep: "failed" } });
    const step = nextStep(keeping, present(group("Failed", [exited("app1", 1)])), false, now, rules);
    expect(step).toMatchObject({ do: "save", job: { phase: { group: "stopped", keepUntil: now + rules.keepTime } } });
  });

  it("keep=failed does not keep what succeeded", () => {
    const keeping = live({ ...runningPhase, ending: ending("Succeeded") }, { options: { keep: "failed" } });
    const step = nextStep(keeping, present(succeeded), false, now, rules);
    expect("job" in step && "keepUntil" in step.job.phase).toBe(false);
  });

  it("a notification that has to be repeated is repeated while the group is kept", () => {
    const kept = ended(
      { keepUntil: now + minute },
      { callback: { state: "pending", tries: 1, nextAt: now + 5 * second } },
    );
    expect(nextStep(kept, undefined, false, now, rules)).toMatchObject({ do: "requeue", until: now + 5 * second });
  });

  it("the group of a job is known by its tags, whatever its name's letter case", () => {
    expect(nextStep(ended(), present({ ...succeeded, owner: ours }), false, now, rules).do).toBe("delete");
  });
});
