import { describe, expect, it } from "vitest";
import { newLife, step } from "../../../../local/aci/groups/life.ts";
import type { Command, GroupLife, RestartPolicy, Signal } from "../../../../local/aci/groups/life-types.ts";

const MINUTE = 60_000;

/** A group of these containers, and what its machine asked for so far. */
class Machine {
  life: GroupLife;
  readonly asked: Command[] = [];

  constructor(policy: RestartPolicy, containers: readonly string[], inits: readonly string[] = []) {
    this.life = newLife(policy, [
      ...inits.map((name) => ({ name, image: "busybox", init: true })),
      ...containers.map((name) => ({ name, image: "busybox", init: false })),
    ]);
  }

  send(...signals: Signal[]): this {
    for (const signal of signals) {
      const { life, commands } = step(this.life, signal);
      this.life = life;
      this.asked.push(...commands);
    }
    return this;
  }

  /** From pull to running. */
  start(member: number, at: number): this {
    return this.send({ type: "pulled", member, at }, { type: "started", member, at });
  }

  exit(member: number, at: number, exitCode: number): this {
    return this.send({ type: "exited", member, at, exitCode });
  }

  get state(): string {
    return `${this.life.provisioning} ${this.life.phase}`;
  }
}

describe("a group's life", () => {
  it("is Pending until each container has started, then Running and provisioned", () => {
    const group = new Machine("Never", ["a", "b"]).send({ type: "deploy", at: 0 });
    expect(group.asked).toEqual([
      { do: "pull", member: 0 },
      { do: "pull", member: 1 },
    ]);
    expect(group.start(0, 1).state).toBe("Creating Pending");
    expect(group.start(1, 2).state).toBe("Succeeded Running");
  });

  it.each<[RestartPolicy, number, string]>([
    ["Never", 0, "Succeeded Succeeded"],
    ["Never", 3, "Succeeded Failed"],
    ["OnFailure", 0, "Succeeded Succeeded"],
    ["OnFailure", 3, "Succeeded Running"],
    ["Always", 0, "Succeeded Running"],
    ["Always", 3, "Succeeded Running"],
  ])("under %s, a container that ends with %i leaves it %s", (policy, exitCode, state) => {
    const group = new Machine(policy, ["a"]).send({ type: "deploy", at: 0 }).start(0, 0).exit(0, MINUTE, exitCode);
    expect(group.state).toBe(state);
  });

  it("is over only when its last container is, and Failed under Never if any failed", () => {
    const group = new Machine("Never", ["a", "b"]).send({ type: "deploy", at: 0 }).start(0, 0).start(1, 0);
    expect(group.exit(0, 1, 1).life.phase).toBe("Running");
    expect(group.exit(1, 2, 0).life.phase).toBe("Failed");
  });

  it("restarts at once the first time, then after 10 s doubled up to 5 minutes, and counts", () => {
    const group = new Machine("Always", ["a"]).send({ type: "deploy", at: 0 }).start(0, 0);
    const waits: number[] = [];
    let at = 0;
    for (let restart = 0; restart < 8; restart += 1) {
      group.exit(0, at, 1);
      const rest = group.asked.at(-1);
      if (rest?.do !== "rest") throw new Error("no rest was asked for");
      waits.push((rest.until - at) / 1000);
      at = rest.until;
      group.send({ type: "rested", member: 0, at }, { type: "started", member: 0, at });
    }
    expect(waits).toEqual([0, 10, 20, 40, 80, 160, 300, 300]);
    expect(group.life.members[0]).toMatchObject({ restartCount: 8, previous: { exitCode: 1 } });
  });

  it("forgets failures after ten minutes of running", () => {
    const group = new Machine("Always", ["a"]).send({ type: "deploy", at: 0 }).start(0, 0).exit(0, 1, 1);
    group.send({ type: "rested", member: 0, at: 1 }, { type: "started", member: 0, at: 1 });
    group.exit(0, 1 + 11 * MINUTE, 1);
    expect(group.asked.at(-1)).toEqual({ do: "rest", member: 0, until: 1 + 11 * MINUTE });
  });

  it("waits in CrashLoopBackOff with the end before as its previous state", () => {
    const group = new Machine("OnFailure", ["a"]).send({ type: "deploy", at: 0 }).start(0, 5).exit(0, 9, 2);
    expect(group.life.members[0]).toMatchObject({
      current: { state: "Waiting", detailStatus: "CrashLoopBackOff: Back-off restarting failed" },
      previous: { state: "Terminated", startTime: 5, finishTime: 9, exitCode: 2, detailStatus: "Error" },
    });
  });

  it("runs init containers one after another before any container", () => {
    const group = new Machine("Always", ["a"], ["one", "two"]).send({ type: "deploy", at: 0 });
    expect(group.asked).toEqual([{ do: "pull", member: 0 }]);
    group.start(0, 1).exit(0, 2, 0);
    expect(group.asked.at(-1)).toEqual({ do: "pull", member: 1 });
    group.start(1, 3).exit(1, 4, 0);
    expect(group.asked.at(-1)).toEqual({ do: "pull", member: 2 });
    expect(group.start(2, 5).state).toBe("Succeeded Running");
  });

  it("fails with a failed init container under Never, and tries it again otherwise", () => {
    const never = new Machine("Never", ["a"], ["one"]).send({ type: "deploy", at: 0 }).start(0, 1).exit(0, 2, 1);
    expect(never.state).toBe("Failed Failed");
    const onFailure = new Machine("OnFailure", ["a"], ["one"])
      .send({ type: "deploy", at: 0 })
      .start(0, 1)
      .exit(0, 2, 1);
    expect(onFailure.state).toBe("Creating Pending");
    expect(onFailure.asked.at(-1)).toMatchObject({ do: "rest", member: 0 });
  });

  it("waits in ImagePullBackOff and pulls again", () => {
    const group = new Machine("Never", ["a"]).send(
      { type: "deploy", at: 0 },
      { type: "pullFailed", member: 0, at: 1, message: "Failed to pull image" },
    );
    expect(group.life.members[0]?.current).toMatchObject({ state: "Waiting" });
    expect(group.life.members[0]?.events.map(({ name }) => name)).toEqual(["Pulling", "Failed", "BackOff"]);
    group.send({ type: "rested", member: 0, at: 10_001 });
    expect(group.asked.at(-1)).toEqual({ do: "pull", member: 0 });
    expect(group.life.members[0]?.events.find(({ name }) => name === "Pulling")?.count).toBe(2);
  });

  it("fails provisioning after 30 minutes but goes on trying", () => {
    const group = new Machine("Never", ["a"]).send({ type: "deploy", at: 0 }, { type: "deadline", at: 30 * MINUTE });
    expect(group.state).toBe("Failed Pending");
    expect(group.start(0, 31 * MINUTE).state).toBe("Failed Running");
  });

  it("ends a container that cannot be started with exit code 128", () => {
    const group = new Machine("Never", ["a"]).send(
      { type: "deploy", at: 0 },
      { type: "pulled", member: 0, at: 1 },
      { type: "startFailed", member: 0, at: 2, message: "no such file" },
    );
    expect(group.life.members[0]?.current).toMatchObject({ state: "Terminated", exitCode: 128 });
    expect(group.life.phase).toBe("Failed");
  });

  it("restarts nothing while it is being stopped", () => {
    const group = new Machine("Always", ["a"])
      .send({ type: "deploy", at: 0 })
      .start(0, 0)
      .send({ type: "stop", at: 1 });
    group.exit(0, 2, 137).send({ type: "stopped", at: 3 });
    expect(group.life.phase).toBe("Stopped");
    expect(group.asked.filter((command) => command.do === "rest")).toEqual([]);
    expect(group.life.members[0]?.current).toMatchObject({ state: "Terminated", exitCode: 137 });
  });

  it("treats the platform's interruption by the policy, and Spot's eviction as a restart whatever the policy", () => {
    const run = (policy: RestartPolicy, reason: "Platform" | "Evicted"): Machine =>
      new Machine(policy, ["a"])
        .send({ type: "deploy", at: 0 })
        .start(0, 0)
        .send({ type: "exited", member: 0, at: 5, exitCode: 137, reason });
    expect(run("Never", "Platform").life).toMatchObject({
      phase: "Failed",
      members: [{ current: { exitCode: 7147 } }],
    });
    expect(run("OnFailure", "Platform").life).toMatchObject({
      phase: "Running",
      members: [{ previous: { exitCode: 7147 } }],
    });
    expect(run("Never", "Evicted").life).toMatchObject({
      phase: "Running",
      members: [{ previous: { exitCode: 7148 } }],
    });
  });

  it("names an exit for lack of memory", () => {
    const group = new Machine("Never", ["a"]).send({ type: "deploy", at: 0 }).start(0, 0);
    group.send({ type: "exited", member: 0, at: 1, exitCode: 137, reason: "OOMKilled" });
    expect(group.life.members[0]?.current).toMatchObject({ exitCode: 137, detailStatus: "OOMKilled" });
  });
});
