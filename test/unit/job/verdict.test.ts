// Longer than 350 lines: a row for each rule of the verdict.
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { minute, second } from "../../../src/shared/base/duration.ts";
import { nothingObserved, type GroupEvent, type Observed } from "../../../src/shared/job/job.ts";
import { nothingRuns, type ObservedContainer, type ObservedGroup } from "../../../src/shared/job/observation.ts";
import { observe, type Watched } from "../../../src/shared/job/observed-group.ts";
import { judge, type Judgement } from "../../../src/shared/job/verdict.ts";
import { container, exited, group, jobId, start } from "../../kit/kit.ts";

const limits = { maxRestarts: 3, exitCodeTime: 10 * minute, spotFallbackAfter: 0 };
const never: Watched = {
  ...{ restartPolicy: "Never", spot: false, regular: false, evictions: 0, options: {} },
  ...{ containers: [], queuedAt: start },
};
const now = start + 5 * minute;
const [a, b] = [
  { name: "a", init: false },
  { name: "b", init: false },
];
const child = { array: jobId(2), arrayAt: start, index: 0, size: 2 };

/** What views that follow each other, ten seconds apart, mean in the end. */
function verdictOn(
  views: readonly ObservedGroup[],
  job: Watched = never,
  changes: Partial<typeof limits> = {},
): Judgement {
  let observed: Observed = nothingObserved;
  let judgement: Judgement | undefined;
  for (const [index, view] of views.entries()) {
    const at = now + index * 10 * second;
    observed = observe(job, view, observed, at);
    const evictions = job.evictions + observed.evictions;
    judgement = judge({ ...job, evictions }, view, observed, at, { ...limits, ...changes });
    if (judgement.kind === "ended") return judgement;
  }
  if (judgement === undefined) throw new Error("no view");
  return judgement;
}

const ends = (judgement: Judgement) =>
  judgement.kind === "ended" ? { state: judgement.outcome.state, ...judgement.outcome.verdict } : judgement.kind;
const waiting = (name = "a", changes: Partial<ObservedContainer> = {}): ObservedContainer =>
  container(name, { state: "Waiting", startTime: undefined, ...changes });
const bare = (name: string): ObservedContainer =>
  container(name, { hasView: false, state: "Unknown", startTime: undefined });
const terminated = (
  name: string,
  exitCode: number | undefined,
  changes: Partial<ObservedContainer> = {},
): ObservedContainer => container(name, { state: "Terminated", exitCode, finishTime: start + minute, ...changes });
const restarted = (exitCode: number | undefined, changes: Partial<ObservedContainer> = {}): ObservedContainer =>
  container("a", {
    restartCount: 1,
    previous: { exitCode, startTime: start + 20 * second, finishTime: start + 30 * second },
    ...changes,
  });
const warning = (name: string, message: string, changes: Partial<GroupEvent> = {}): GroupEvent => ({
  name,
  message,
  type: "Warning",
  count: 1,
  ...changes,
});

describe("the exit codes of a group that ended", () => {
  it.each<[string, ObservedGroup, object | string]>([
    [
      "all 0 is success",
      group("Succeeded", [exited("a", 0), exited("b", 0)]),
      { state: "Succeeded", reason: "Completed", exitCode: 0 },
    ],
    [
      "the container that failed first by finish time decides",
      group("Failed", [exited("a", 5, 40), exited("b", 3, 30), exited("c", 0, 10)]),
      { reason: "ExitCode", exitCode: 3, container: "b" },
    ],
    ["at the same time the first in order", group("Failed", [exited("a", 5), exited("b", 3)]), { container: "a" }],
    [
      "an init container stands before the others",
      group("Failed", [exited("a", 5), exited("setup", 9, 30, { init: true })]),
      { container: "setup", exitCode: 9 },
    ],
    [
      "one without a finish time comes last",
      group("Failed", [exited("a", 5, 30, { finishTime: undefined }), exited("b", 3)]),
      { container: "b" },
    ],
    ["ends are counted though the group says Running", group("Running", [exited("a", 0)]), { state: "Succeeded" }],
    [
      "the group's own Succeeded is trusted where codes are missing",
      group("Succeeded", [terminated("a", undefined)]),
      { state: "Succeeded" },
    ],
    [
      "the group's own Succeeded is not trusted against a code",
      group("Succeeded", [exited("a", 4)]),
      { state: "Failed", exitCode: 4 },
    ],
    [
      "a group that says Failed without a code is no success, and not the platform's fault alone",
      group("Failed", [terminated("a", undefined)]),
      { state: "Failed", reason: "ExitUnknown", container: "a" },
    ],
    [
      "one known 0 does not hide one unknown end",
      group("Failed", [exited("a", 0), terminated("b", undefined)]),
      { reason: "ExitUnknown", container: "b" },
    ],
    [
      "a group that says Succeeded while a container runs is watched on",
      group("Succeeded", [container("a")]),
      "running",
    ],
  ])("%s", (_, view, expected) => {
    const shown = ends(verdictOn([view]));
    if (typeof expected === "string") expect(shown).toBe(expected);
    else expect(shown).toMatchObject(expected);
  });
});

describe("a view that leaves something out", () => {
  const two: Watched = { ...never, containers: [a, b] };
  const both = group("Running", [container("a"), container("b")]);

  it("is no end of the container that it doesn't show", () => {
    for (const restartPolicy of ["Never", "OnFailure"] as const) {
      const job: Watched = { ...two, restartPolicy };
      expect(verdictOn([both, group("Running", [exited("a", 0)])], job).kind).toBe("running");
      expect(verdictOn([group("Running", [exited("a", 0)])], job).kind).toBe("running");
      const rest = group("Running", [exited("a", 0), exited("b", 0)]);
      expect(ends(verdictOn([both, group("Running", [exited("a", 0)]), rest], job))).toMatchObject({
        state: "Succeeded",
      });
    }
  });

  it("is no end without a code of the container that it doesn't show", () => {
    const view = group("Running", [terminated("a", undefined)]);
    expect(
      verdictOn(
        Array.from({ length: 70 }, () => view),
        two,
      ).kind,
    ).toBe("running");
  });

  it("of a container that failed is no success, though the group says Succeeded", () => {
    const views = [group("Running", [exited("a", 3), container("b")]), group("Succeeded", [exited("b", 0)])];
    expect(ends(verdictOn(views, two))).toMatchObject({ state: "Failed", exitCode: 3, container: "a" });
  });

  it("leaves what was seen of that container last", () => {
    const once = observe(two, group("Running", [terminated("a", undefined), container("b")]), nothingObserved, now);
    const twice = observe(two, group("Running", [exited("b", 0)]), once, now);
    expect(twice.containers).toMatchObject([
      { container: "b", state: "Terminated" },
      { container: "a", state: "Terminated" },
    ]);
  });

  it.each([
    ["provisioning failed", group("Unknown", [bare("a")], { provisioning: "Failed" })],
    ["it failed", group("Failed", [bare("a")])],
    ["it failed, of main", group("Failed", [exited("b", 1)])],
  ])("is no end of containers that ran, where the group says that %s", (_, hidden) => {
    const job = { ...two, options: { main: "a" } };
    const before = group("Running", [container("a"), container("b")]);
    expect(verdictOn([before, hidden], job).kind).toBe("unclear");
    expect(ends(verdictOn([before, hidden, group("Failed", [exited("a", 0), exited("b", 1)])], job))).toMatchObject({
      state: "Succeeded",
    });
    const long = Array.from({ length: 62 }, () => hidden);
    expect(ends(verdictOn([before, ...long], job))).toMatchObject({ state: "Failed" });
    expect(verdictOn([group("Unknown", [bare("a")], { provisioning: "Failed" })], job)).toMatchObject({
      outcome: { verdict: { reason: "ProvisioningFailed" } },
    });
  });
});

describe("a view of a failed group that leaves out an item of a pack", () => {
  const pack: Watched = { ...never, child: { ...child, items: [0, 1] }, containers: [a, b] };

  it.each([
    ["another failed", exited("b", 1)],
    ["Azure took another", terminated("b", 7147)],
  ])("is no end of it, where %s: it may have ended with 0", (_, other) => {
    const views = [group("Running", [container("a"), container("b")]), group("Failed", [other])];
    expect(verdictOn(views, pack).kind).toBe("unclear");
    const whole = group("Failed", [exited("a", 0), other]);
    expect(verdictOn([...views, whole], pack).kind).toBe("ended");
    expect(observe(pack, whole, nothingObserved, now).ends).toContainEqual(expect.objectContaining({ container: "a" }));
  });

  it.each([
    ["failed", exited("b", 1), { reason: "ExitCode", exitCode: 1 }],
    ["was taken by Azure", terminated("b", 7147), { reason: "PlatformRestart" }],
  ])("of another job is its end, where what it shows %s", (_, other, verdict) => {
    const views = [group("Running", [container("a"), container("b")]), group("Failed", [other])];
    expect(ends(verdictOn(views, { ...never, containers: [a, b] }))).toMatchObject(verdict);
  });

  it("is the end where the item's own is known", () => {
    const views = [group("Running", [exited("a", 0), container("b")]), group("Failed", [exited("b", 1)])];
    expect(ends(verdictOn(views, pack))).toMatchObject({ exitCode: 1, container: "b" });
  });
});

describe("a view that lags behind", () => {
  const ended = group("Running", [exited("a", 2), container("b")]);

  it("and shows a container that ended still running is no restart", () => {
    const before = group("Running", [container("a"), container("b")]);
    expect(verdictOn([before, ended, before, ended, before]).kind).toBe("running");
  });

  it("does not hide a restart: a container that started after its end", () => {
    const again = group("Running", [container("a", { startTime: start + 30 * second }), container("b")]);
    expect(ends(verdictOn([ended, again]))).toMatchObject({ state: "Failed", exitCode: 2, container: "a" });
  });

  it("does not hide a restart after an end without a time", () => {
    const untimed = group("Running", [terminated("a", 2, { finishTime: undefined }), container("b")]);
    const again = group("Running", [container("a", { startTime: start + 30 * second }), container("b")]);
    expect(ends(verdictOn([untimed, again]))).toMatchObject({ state: "Failed", exitCode: 2, container: "a" });
  });

  it("does not end a pack whose item ended with 0", () => {
    const pack: Watched = { ...never, child: { ...child, items: [0, 1] } };
    const before = group("Running", [container("a"), container("b")]);
    expect(verdictOn([before, group("Running", [exited("a", 0), container("b")]), before], pack).kind).toBe("running");
  });
});

describe("a start time that can't be", () => {
  it.each([0, start - 2 * minute, Date.UTC(9999, 11, 31)])("counts as missing: %d", (startTime) => {
    expect(verdictOn([group("Running", [container("a", { startTime })])])).toEqual({ kind: "running", startedAt: now });
  });

  it("is one, where only Azure's clock is a little behind", () => {
    const startTime = start - 20 * second;
    expect(verdictOn([group("Running", [container("a", { startTime })])])).toMatchObject({ startedAt: startTime });
  });
});

describe("an end without an exit code", () => {
  const silent = group("Running", [terminated("a", undefined)]);

  it("is no end", () => {
    expect(verdictOn([silent]).kind).toBe("running");
  });

  it("that gets its code later ends with that code", () => {
    expect(ends(verdictOn([silent, group("Failed", [exited("a", 5)])]))).toMatchObject({
      state: "Failed",
      exitCode: 5,
    });
  });

  it("for long stops the group, to observe it once more", () => {
    const long = Array.from({ length: 62 }, () => silent);
    const judgement = verdictOn(long);
    expect(judgement).toMatchObject({ kind: "stop and observe", outcome: { verdict: { reason: "ExitUnknown" } } });
  });

  it("does not count while another container runs", () => {
    const view = group("Running", [terminated("a", undefined), container("b")]);
    expect(verdictOn(Array.from({ length: 70 }, () => view)).kind).toBe("running");
  });

  it("is not waited for where another container failed with a code", () => {
    const view = group("Running", [terminated("a", undefined), exited("b", 3)]);
    expect(ends(verdictOn(Array.from({ length: 62 }, () => view)))).toMatchObject({ exitCode: 3, container: "b" });
  });
});

describe("restartPolicy Never", () => {
  it("keeps the first known end, whatever the platform starts afterwards", () => {
    const views = [group("Running", [container("a")]), group("Running", [restarted(2)])];
    expect(ends(verdictOn(views))).toMatchObject({ state: "Failed", exitCode: 2, container: "a" });
  });

  it("judges a second run that ends with 0 by the first", () => {
    const second_ = restarted(2, { state: "Terminated", exitCode: 0 });
    expect(ends(verdictOn([group("Succeeded", [second_])]))).toMatchObject({ state: "Failed", exitCode: 2 });
  });

  it("does not stop the others for one that failed", () => {
    const view = group("Running", [exited("a", 2), container("b")]);
    expect(verdictOn([view]).kind).toBe("running");
    expect(ends(verdictOn([view, group("Failed", [exited("a", 2), exited("b", 0, 90)])]))).toMatchObject({
      exitCode: 2,
    });
  });

  it("stops all of them once the platform starts the failed one again", () => {
    const before = group("Running", [exited("a", 2), container("b")]);
    const after = group("Running", [restarted(2), container("b")]);
    expect(ends(verdictOn([before, after]))).toMatchObject({ state: "Failed", exitCode: 2, container: "a" });
  });

  it("remembers an end that a later view no longer shows", () => {
    const views = [
      group("Running", [exited("a", 3), container("b")]),
      group("Running", [waiting("a"), exited("b", 0)]),
    ];
    expect(ends(verdictOn(views))).toMatchObject({ exitCode: 3 });
  });

  it("detects a crash loop without exit codes", () => {
    const view = group("Pending", [waiting("a", { restartCount: 2, detailStatus: "CrashLoopBackOff: back-off" })]);
    expect(ends(verdictOn([view]))).toMatchObject({ state: "Failed", reason: "CrashLoop" });
  });

  it("is not over by an end of the platform's making", () => {
    const again = group("Running", [restarted(7147)]);
    expect(verdictOn([group("Running", [terminated("a", 7147)]), again]).kind).toBe("running");
    expect(
      ends(verdictOn([again, group("Succeeded", [restarted(7147, { state: "Terminated", exitCode: 0 })])])),
    ).toMatchObject({
      state: "Succeeded",
    });
  });

  it("ends as PlatformRestart where the group ended with such a code", () => {
    expect(ends(verdictOn([group("Failed", [terminated("a", 7148)])]))).toMatchObject({ reason: "PlatformRestart" });
    const both = group("Failed", [terminated("a", 7147), exited("b", 1, 40)]);
    expect(ends(verdictOn([both]))).toMatchObject({ reason: "PlatformRestart" });
  });
});

describe("restartPolicy OnFailure", () => {
  const onFailure: Watched = { ...never, restartPolicy: "OnFailure" };

  it("ends when every container ended with 0", () => {
    expect(ends(verdictOn([group("Running", [exited("a", 0), restarted(1)])], onFailure))).toBe("running");
    expect(ends(verdictOn([group("Running", [exited("a", 0), exited("b", 0)])], onFailure))).toMatchObject({
      state: "Succeeded",
    });
  });

  it("goes on after a failure, up to the setting", () => {
    const looping = (restartCount: number): ObservedGroup =>
      group("Running", [
        waiting("a", { restartCount, previous: { exitCode: 3, startTime: start, finishTime: start } }),
      ]);
    expect(verdictOn([looping(3)], onFailure).kind).toBe("running");
    expect(ends(verdictOn([looping(4)], onFailure))).toMatchObject({
      reason: "CrashLoop",
      exitCode: 3,
      container: "a",
    });
  });

  it("does not take the 0 of a group that was stopped for the program's", () => {
    expect(ends(verdictOn([group("Stopped", [exited("a", 0)])], onFailure))).toMatchObject({
      state: "Stopped",
      reason: "StoppedExternally",
    });
  });

  it("sees a crash loop of an init container, and not one of a sidecar", () => {
    const loop = { restartCount: 9, previous: { exitCode: 1, startTime: start, finishTime: start } };
    const init = group("Pending", [waiting("setup", { init: true, ...loop }), waiting("a")]);
    expect(ends(verdictOn([init], onFailure))).toMatchObject({ reason: "CrashLoop", container: "setup" });
    const sidecar = group("Running", [container("app"), waiting("side", loop)]);
    expect(verdictOn([sidecar], { ...onFailure, options: { main: "app" } }).kind).toBe("running");
  });
});

describe("main", () => {
  const main: Watched = { ...never, options: { main: "app" } };

  it("decides, whatever the others did", () => {
    expect(ends(verdictOn([group("Failed", [exited("side", 1, 10), exited("app", 0, 40)])], main))).toMatchObject({
      state: "Succeeded",
    });
    expect(ends(verdictOn([group("Running", [container("side"), exited("app", 4)])], main))).toMatchObject({
      exitCode: 4,
    });
  });

  it("decides by its first end under every policy", () => {
    const view = group("Running", [
      container("app", { restartCount: 1, previous: { exitCode: 7, startTime: start, finishTime: start } }),
    ]);
    for (const restartPolicy of ["Never", "OnFailure", "Always"] as const)
      expect(ends(verdictOn([view], { ...main, restartPolicy }))).toMatchObject({ state: "Failed", exitCode: 7 });
  });

  it("that never ended has not succeeded with its sidecars", () => {
    const view = group("Failed", [exited("side", 0), waiting("app")]);
    expect(ends(verdictOn([view], main))).not.toMatchObject({ state: "Succeeded" });
  });

  it("names no init container", () => {
    const view = group("Succeeded", [exited("app", 1, 10, { init: true }), exited("app", 0)]);
    expect(ends(verdictOn([view], { ...main, restartPolicy: "OnFailure" }))).toMatchObject({ state: "Succeeded" });
  });
});

describe("init containers", () => {
  const failedInit = terminated("setup", 3, { init: true });

  it("that fail under Never end the job, though the group says Pending", () => {
    expect(ends(verdictOn([group("Pending", [failedInit, waiting("a")])]))).toMatchObject({
      state: "Failed",
      reason: "ExitCode",
      exitCode: 3,
      container: "setup",
    });
  });

  it("that succeed are no start", () => {
    const view = group("Pending", [terminated("setup", 0, { init: true }), waiting("a")]);
    expect(verdictOn([view])).toMatchObject({ kind: "not started" });
  });
});

describe("a start", () => {
  it("is an ordinary container that started, not the group's word", () => {
    expect(verdictOn([group("Running", [waiting("a")])])).toMatchObject({ kind: "not started", reason: "Starting" });
    expect(verdictOn([group("Pending", [container("a")])])).toMatchObject({
      kind: "running",
      startedAt: start + 20 * second,
    });
  });

  it("is the group's Running after a minute, where it shows no container at all", () => {
    const bare = group("Running", [container("a", { hasView: false, state: "Unknown", startTime: undefined })]);
    expect(verdictOn([bare, bare])).toMatchObject({ kind: "not started" });
    expect(verdictOn(Array.from({ length: 8 }, () => bare))).toMatchObject({ kind: "running", startedAt: now });
    expect(verdictOn(Array.from({ length: 8 }, () => group("Running", [])))).toMatchObject({ kind: "running" });
  });

  it("that does not come says why", () => {
    const reasonOf = (...events: GroupEvent[]) => verdictOn([group("Pending", [waiting("a")], { events })]);
    expect(reasonOf({ name: "Pulling", message: "pulling image", type: "Normal", count: 1 })).toMatchObject({
      reason: "ImagePull",
    });
    expect(reasonOf(warning("FailedMountAzureFileVolume", "Failed to mount Azure File Volume."))).toMatchObject({
      reason: "VolumeMount",
      detail: "Failed to mount Azure File Volume.",
    });
    expect(reasonOf(warning("Failed", "Error: Failed to start container a, exec format error"))).toMatchObject({
      reason: "ContainerStart",
    });
  });

  it("of a word that was never seen before is watched on", () => {
    const view = group("Unknown", [container("a", { state: "Unknown", startTime: undefined })]);
    expect(verdictOn(Array.from({ length: 30 }, () => view)).kind).toBe("not started");
  });
});

describe("a start that fails again and again", () => {
  const view = (event: GroupEvent, state: ObservedContainer = waiting("a")): ObservedGroup =>
    group("Pending", [state], { events: [event] });
  const pull = warning("Failed", 'Failed to pull image "demo.azurecr.io/none:1": not found', {
    count: 5,
    container: "a",
  });

  it.each<[string, GroupEvent, string]>([
    ["a pull", pull, "ImagePullFailed"],
    ["a mount", warning("FailedMountAzureFileVolume", "Failed to mount.", { count: 7 }), "MountFailed"],
    ["a start", warning("Failed", "Failed to start container a", { count: 5, container: "a" }), "StartFailed"],
  ])("ends the job: %s", (_, event, reason) => {
    expect(ends(verdictOn([view(event)]))).toMatchObject({ state: "Failed", reason });
    expect(verdictOn([view({ ...event, count: 4 })]).kind).toBe("not started");
  });

  it("does not, once the container runs, or where the event is no warning or another container's", () => {
    expect(verdictOn([view(pull, container("a"))]).kind).toBe("running");
    expect(verdictOn([view({ ...pull, type: "Normal" })]).kind).toBe("not started");
    const other = group("Pending", [waiting("a"), container("b")], { events: [{ ...pull, container: "b" }] });
    expect(verdictOn([other]).kind).toBe("running");
  });
});

describe("provisioning that failed", () => {
  const at = (
    events: GroupEvent[],
    containers: ObservedContainer[] = [waiting("a")],
    changes: Partial<ObservedGroup> = {},
  ) => verdictOn([group("Pending", containers, { provisioning: "Failed", events, ...changes })]);

  it.each<[string, GroupEvent[], object]>([
    ["no word", [], { reason: "ProvisioningFailed" }],
    ["an image", [warning("Failed", "Failed to pull image 'quota-service:1'")], { reason: "ImagePullFailed" }],
    ["a mount", [warning("FailedMountAzureFileVolume", "Failed to mount.")], { reason: "MountFailed" }],
    ["a command", [warning("Failed", 'exec: "run it": executable file not found in $PATH')], { reason: "StartFailed" }],
    ["a network", [warning("Failed", "Failed to allocate an IP address in the subnet.")], { reason: "NetworkFailed" }],
    [
      "several words, in the order of their precedence",
      [warning("Failed", "Failed to start container a"), warning("Failed", "Failed to pull image x")],
      { reason: "ImagePullFailed", detail: "Failed to pull image x" },
    ],
  ])("with %s", (_, events, expected) => {
    expect(ends(at(events))).toMatchObject({ state: "Failed", ...expected });
  });

  it("for quota or capacity is a wait, unless a container had started", () => {
    const events = [warning("InsufficientCapacity.", "The requested resource is not available in the location.")];
    expect(at(events)).toMatchObject({ kind: "wait", verdict: { reason: "NoCapacity" } });
    expect(at([warning("QuotaExceeded", "quota")])).toMatchObject({
      kind: "wait",
      verdict: { reason: "QuotaReached" },
    });
    const init = terminated("setup", 0, { init: true });
    expect(ends(at(events, [init, waiting("a")]))).toMatchObject({ state: "Failed", reason: "NoCapacity" });
  });

  it("or was canceled ends nothing while something runs, or the group says Running", () => {
    for (const provisioning of ["Failed", "Canceled"] as const) {
      expect(at([], [container("a")], { provisioning }).kind).toBe("running");
      expect(at([], [waiting("a")], { provisioning, state: "Running" }).kind).toBe("not started");
      expect(ends(at([], [waiting("a")], { provisioning }))).toMatchObject({ reason: "ProvisioningFailed" });
    }
  });

  it("after a container ran it is an unknown exit: there is no free retry", () => {
    const views = [group("Running", [container("a")]), group("Failed", [waiting("a")], { provisioning: "Failed" })];
    expect(ends(verdictOn(views))).toMatchObject({ reason: "ExitUnknown" });
  });
});

describe("Spot", () => {
  const spot: Watched = { ...never, spot: true };

  it("is evicted by a restart after the platform's code or without a code, and goes on", () => {
    const evicted = [group("Running", [container("a")]), group("Running", [restarted(7147)])];
    expect(verdictOn(evicted, spot).kind).toBe("running");
    expect(observe(spot, group("Running", [restarted(undefined)]), nothingObserved, now).evictions).toBe(1);
    expect(observe(spot, group("Running", [restarted(7148)]), nothingObserved, now).evictions).toBe(1);
  });

  it("counts each restart once, and the events that say so", () => {
    const view = group("Running", [restarted(7147)]);
    const once = observe(spot, view, nothingObserved, now);
    expect(observe(spot, view, once, now).evictions).toBe(1);
    const told = group("Running", [container("a")], {
      events: [warning("Evicted", "Spot group was evicted", { count: 2 })],
    });
    expect(observe(spot, told, once, now).evictions).toBe(2);
  });

  it("whose program ended with another code was not evicted", () => {
    expect(ends(verdictOn([group("Running", [restarted(137)])], spot))).toMatchObject({ reason: "OutOfMemory" });
  });

  it("ends as SpotEvicted where the group ended so, and is no eviction where Spot was given up", () => {
    const view = group("Failed", [terminated("a", 7147)]);
    expect(ends(verdictOn([view], spot))).toMatchObject({ reason: "SpotEvicted" });
    expect(ends(verdictOn([view], { ...spot, regular: true }))).toMatchObject({ reason: "PlatformRestart" });
  });

  it("is given up after as many evictions as the operator says", () => {
    const view = group("Running", [restarted(7147)]);
    expect(ends(verdictOn([view], spot, { spotFallbackAfter: 1 }))).toMatchObject({ reason: "SpotEvicted" });
    expect(verdictOn([view], spot, { spotFallbackAfter: 2 }).kind).toBe("running");
  });
});

describe("137", () => {
  const killed = exited("a", 137);
  const probe = [
    warning("Unhealthy", "Liveness probe failed: cat: no such file", { container: "a" }),
    warning("Killing", "Killing container with id d1.", { container: "a", type: "Normal" }),
  ];

  it.each<[string, ObservedContainer, GroupEvent[], string]>([
    ["is a lack of memory", killed, [], "OutOfMemory"],
    ["after a failed probe and a kill is the probe's", killed, probe, "ProbeFailed"],
    ["after a failed probe alone is not", killed, probe.slice(0, 1), "OutOfMemory"],
    [
      "after another container's probe is not",
      killed,
      probe.map((each) => ({ ...each, container: "b" })),
      "OutOfMemory",
    ],
    ["is not needed where ACI says OOMKilled", exited("a", 1, 30, { detailStatus: "OOMKilled" }), [], "OutOfMemory"],
    ["is not read out of other words", exited("a", 1, 30, { detailStatus: "no room left on device" }), [], "ExitCode"],
  ])("%s", (_, seen, events, reason) => {
    expect(ends(verdictOn([group("Failed", [seen], { events })]))).toMatchObject({ reason });
  });
});

describe("a group that was stopped", () => {
  it("is Stopped, whatever exit codes the stop left", () => {
    expect(ends(verdictOn([group("Stopped", [exited("a", 137), exited("b", 143)])]))).toMatchObject({
      state: "Stopped",
      reason: "StoppedExternally",
    });
  });

  it("after all of its containers had ended has their outcome", () => {
    const views = [
      group("Running", [exited("a", 0), container("b")]),
      group("Stopped", [exited("a", 0), exited("b", 137)]),
    ];
    expect(ends(verdictOn(views))).toMatchObject({ state: "Stopped" });
    expect(ends(verdictOn([group("Unknown", [exited("a", 0)])]))).toMatchObject({ state: "Succeeded" });
  });
});

it("nothing runs only in a group that ended, and where no container says otherwise", () => {
  expect(nothingRuns(group("Failed", [exited("a", 1)]))).toBe(true);
  expect(nothingRuns(group("Stopped", [container("a", { state: "Unknown" })]))).toBe(true);
  expect(nothingRuns(group("Failed", [exited("a", 1), container("b")]))).toBe(false);
  for (const state of ["Running", "Pending", "Unknown"] as const)
    expect(nothingRuns(group(state, [exited("a", 0)]))).toBe(false);
});

// --------------------------------------------------------------------------------------------------------- Every view

const time = fc.option(fc.integer({ min: start, max: now }), { nil: undefined });
const code = fc.option(fc.constantFrom(0, 0, 1, 2, 137, 7147, 7148), { nil: undefined });
const anyContainer = (name: string, init: boolean): fc.Arbitrary<ObservedContainer> =>
  fc.record({
    name: fc.constant(name),
    init: fc.constant(init),
    image: fc.constant("x"),
    hasView: fc.boolean(),
    state: fc.constantFrom("Waiting", "Running", "Terminated", "Terminated", "Unknown"),
    startTime: time,
    finishTime: time,
    exitCode: code,
    detailStatus: fc.constantFrom(undefined, "Error", "Completed", "CrashLoopBackOff", "OOMKilled"),
    restartCount: fc.integer({ min: 0, max: 5 }),
    previous: fc.option(fc.record({ exitCode: code, startTime: time, finishTime: time }), { nil: undefined }),
  });
const anyView: fc.Arbitrary<ObservedGroup> = fc
  .tuple(
    fc
      .array(fc.constantFrom("a", "b", "c"), { minLength: 0, maxLength: 3 })
      .chain((given) => fc.tuple(...[...new Set(given)].map((name) => anyContainer(name, name === "c")))),
    fc.constantFrom("Pending", "Running", "Succeeded", "Failed", "Stopped", "Unknown"),
    fc.constantFrom("Succeeded", "Failed", "Canceled", "Deleting", "Other"),
    fc.array(
      fc.record({
        name: fc.constantFrom("Failed", "FailedMountAzureFileVolume", "InsufficientCapacity.", "Killing", "Evicted"),
        message: fc.constantFrom("", "Failed to pull image", "quota exceeded", "mount", "start container"),
        type: fc.constantFrom("Warning", "Normal"),
        count: fc.integer({ min: 1, max: 9 }),
      }),
      { maxLength: 3 },
    ),
  )
  .map(([containers, state, provisioning, events]) => group(state, containers, { provisioning: provisioning, events })); // the words are the types' own
const anyJob: fc.Arbitrary<Watched> = fc.record({
  restartPolicy: fc.constantFrom("Never", "OnFailure", "Always"),
  spot: fc.boolean(),
  regular: fc.boolean(),
  evictions: fc.constant(0),
  containers: fc.subarray(["a", "b"]).map((names) => names.map((name) => ({ name, init: false }))),
  queuedAt: fc.constant(start),
  options: fc.constantFrom({}, {}, { main: "a" }),
});

test("no view yields success unless every container that counts ended with a known 0, or the group itself says Succeeded", () => {
  fc.assert(
    fc.property(anyJob, fc.array(anyView, { minLength: 1, maxLength: 4 }), (job, views) => {
      const judgement = verdictOn(views, job);
      if (judgement.kind !== "ended" || judgement.outcome.state !== "Succeeded") return;
      const { main } = job.options as { main?: string };
      const counts = ({ name, init }: ObservedContainer): boolean => !init && (main === undefined || name === main);
      const zero = ({ exitCode, previous, state }: ObservedContainer): boolean =>
        previous?.exitCode === 0 || (exitCode === 0 && state === "Terminated");
      const last = views.find((_, index) => verdictOn(views.slice(0, index + 1), job).kind === "ended");
      const counting = (last?.containers ?? []).filter(counts);
      const hidden = job.containers.filter(({ name }) => main === undefined || name === main);
      const allZero =
        counting.length > 0 &&
        [...counting, ...hidden].every(({ name }) =>
          views.some((view) => view.containers.some((each) => each.name === name && counts(each) && zero(each))),
        );
      expect(last?.state === "Succeeded" || allZero).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test("every view has an answer, and the same view twice has the same", () => {
  fc.assert(
    fc.property(anyJob, anyView, (job, view) => {
      const observed = observe(job, view, nothingObserved, now);
      expect(observe(job, view, observed, now)).toEqual(observed);
      expect(judge(job, view, observed, now, limits)).toEqual(judge(job, view, observed, now, limits));
    }),
  );
});
