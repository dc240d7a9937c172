import { describe, expect, test } from "vitest";
import type { ContainerSeen, GroupEvent, GroupSeen } from "../../../src/shared/job/job.ts";
import { troubleOf } from "../../../src/shared/job/start-watchdog.ts";

const container = (changes: Partial<ContainerSeen> = {}): ContainerSeen => ({
  name: "app1",
  init: false,
  state: "Waiting",
  startTime: undefined,
  finishTime: undefined,
  exitCode: undefined,
  detailStatus: undefined,
  restartCount: 0,
  previous: undefined,
  ...changes,
});

const group = (containers: readonly ContainerSeen[], events: readonly GroupEvent[] = []): GroupSeen => ({
  owner: { kind: "ours", jobId: "01a20c45-0000-7000-8000-000000000000", attempt: 1 },
  provisioning: "Other",
  state: "Pending",
  containers,
  events,
});

const pull = (count: number, changes: Partial<GroupEvent> = {}): GroupEvent => ({
  container: "app1",
  name: "Failed",
  type: "Warning",
  count,
  message: 'Failed to pull image "demo.azurecr.io/none:1": not found',
  ...changes,
});

describe("a group that can't start", () => {
  test("ends as ImagePullFailed when the same pull has failed again and again", () => {
    const seen = group([container()], [pull(3), pull(2, { name: "BackOff", message: "Back-off pulling image" })]);
    expect(troubleOf(seen, "Never", 10)).toMatchObject({ reason: "ImagePullFailed", container: "app1" });
  });

  test("is watched on while a pull has failed only a few times", () => {
    expect(troubleOf(group([container()], [pull(4)]), "Never", 10)).toBeUndefined();
  });

  test("is watched on when the container got its image in the end", () => {
    expect(troubleOf(group([container({ state: "Running" })], [pull(9)]), "Never", 10)).toBeUndefined();
  });

  test("is not judged by events that are no warnings, or speak of something else", () => {
    const seen = group([container()], [pull(9, { type: "Normal" }), pull(9, { message: "probe failed" })]);
    expect(troubleOf(seen, "Never", 10)).toBeUndefined();
  });
});

describe("restarts with OnFailure", () => {
  const looping = container({ state: "Running", restartCount: 11, previous: { exitCode: 3, finishTime: 1 } });

  test("end as CrashLoop beyond the setting", () => {
    expect(troubleOf(group([looping]), "OnFailure", 10)).toEqual({
      reason: "CrashLoop",
      container: "app1",
      exitCode: 3,
    });
  });

  test("go on up to the setting, and are nobody's business with another policy", () => {
    expect(troubleOf(group([looping]), "OnFailure", 11)).toBeUndefined();
    expect(troubleOf(group([looping]), "Always", 10)).toBeUndefined();
  });
});
