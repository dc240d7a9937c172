import { withEvent } from "./life-events.ts";
import { troubled } from "./life-trouble.ts";
import type {
  Command,
  GroupLife,
  MemberLife,
  MemberNames,
  RestartPolicy,
  Signal,
  Step,
  Terminated,
} from "./life-types.ts";

/**
 * The life of a container group, as a pure machine: `step(life, signal)` gives the next life and what to do for it.
 *
 * Init containers run first, in order. Then all containers run, each under the group's restart policy. A group is over when
 * no container runs or will run again. What the service says of this:
 * - "Azure Container Instances states": Succeeded only under Never and OnFailure, Failed only under Never; provisioningState
 *   Succeeded means that the containers were started, and one that took 30 minutes is Failed while the group still tries;
 * - "Restart policies", "Init containers"; times between restarts are the kubelet's (10 s doubled up to 5 minutes, forgotten
 *   after 10 minutes of running), because the service's `CrashLoopBackOff` and its events are the kubelet's too.
 *
 * Times are milliseconds since 1970.
 */
/** The exit codes of what the platform ended (article on restarts by killing events); which of the two means what is not said. */
const PLATFORM_EXIT = { Platform: 7147, Evicted: 7148 };

export const PROVISIONING_LIMIT = 30 * 60_000;
const FIRST_REST = 10_000;
const LONGEST_REST = 5 * 60_000;
const FORGIVEN_AFTER = 10 * 60_000;

/** Exit code of what could not be started at all, as containerd reports it (reason StartError). */
const CANNOT_START = 128;

export function newLife(restartPolicy: RestartPolicy, members: readonly MemberNames[]): GroupLife {
  return {
    restartPolicy,
    provisioning: "Pending",
    phase: "Pending",
    events: [],
    restartsAnyway: 0,
    members: members.map(({ name, image, init }) => ({
      name,
      image,
      init,
      step: "idle",
      everStarted: false,
      failures: 0,
      restartCount: 0,
      current: { state: "Waiting", detailStatus: "" },
      events: [],
    })),
  };
}

/** Is any container running or about to? */
export const isActive = (life: GroupLife): boolean =>
  life.phase === "Pending" || life.phase === "Running" || life.phase === "Stopping";

export function step(life: GroupLife, signal: Signal): Step {
  switch (signal.type) {
    case "deploy":
      return next({ ...life, provisioning: "Creating" }, signal.at);
    case "stop":
      return { life: { ...life, phase: "Stopping" }, commands: [] };
    case "stopped":
      return { life: { ...life, phase: "Stopped", members: life.members.map(laidDown) }, commands: [] };
    case "deadline":
      return {
        life: life.provisioning === "Succeeded" ? life : { ...life, provisioning: "Failed" },
        commands: [],
      };
    case "mountFailed":
    case "startRefused":
    case "provisioningFailed":
    case "played":
      return troubled(life, signal, restAfter);
    default: {
      const member = life.members[signal.member];
      return member && fits(life, member, signal) ? memberStep(life, member, signal) : { life, commands: [] };
    }
  }
}

type MemberSignal = Exclude<Extract<Signal, { member: number }>, { type: "startRefused" }>;

/** What comes late (a pull that ends after the stop was asked for, a second report of one thing) changes nothing. */
function fits(life: GroupLife, member: MemberLife, signal: MemberSignal): boolean {
  const goesOn = life.phase !== "Stopping" && life.phase !== "Stopped";
  switch (signal.type) {
    case "pulled":
    case "pullFailed":
      return goesOn && member.step === "pulling";
    case "rested":
      return goesOn && member.step === "resting";
    case "started":
    case "startFailed":
      return member.step === "starting";
    case "exited":
      return member.step === "running";
    case "unhealthy":
    case "killing":
      return true;
  }
}

function memberStep(life: GroupLife, member: MemberLife, signal: MemberSignal): Step {
  const { at } = signal;
  switch (signal.type) {
    case "pulled": {
      const since = member.events.findLast(({ name }) => name === "Pulling")?.lastTimestamp ?? at;
      const message = `Successfully pulled image "${member.image}" in ${(at - since) / 1000}s`;
      const pulled = withEvent(member, at, "Normal", "Pulled", message);
      return { life: put(life, signal.member, { ...pulled, step: "starting" }), commands: [go("start", signal)] };
    }
    case "pullFailed":
      return pullFailed(life, member, signal);
    case "started": {
      const created = withEvent(member, at, "Normal", "Created", `Created container ${member.name}`);
      const started = withEvent(created, at, "Normal", "Started", `Started container ${member.name}`);
      return next(
        put(life, signal.member, {
          ...started,
          step: "running",
          everStarted: true,
          current: { state: "Running", startTime: at, detailStatus: "" },
        }),
        at,
      );
    }
    case "startFailed": {
      const failed = withEvent(member, at, "Warning", "Failed", `Error: ${signal.message}`);
      return ended(put(life, signal.member, { ...failed, everStarted: true }), signal.member, {
        state: "Terminated",
        startTime: at,
        finishTime: at,
        exitCode: CANNOT_START,
        detailStatus: "Error",
      });
    }
    case "exited":
      return exited(life, member, signal);
    case "rested":
      return member.previous || member.current?.state === "Terminated"
        ? { life: put(life, signal.member, { ...member, step: "starting" }), commands: [go("start", signal)] }
        : { life: put(life, signal.member, pulling(member, at)), commands: [go("pull", signal)] };
    case "unhealthy":
      return {
        life: put(life, signal.member, withEvent(member, at, "Warning", "Unhealthy", signal.message)),
        commands: [],
      };
    case "killing":
      return {
        life: put(life, signal.member, withEvent(member, at, "Normal", "Killing", signal.message)),
        commands: [],
      };
  }
}

function pullFailed(life: GroupLife, member: MemberLife, signal: Extract<Signal, { type: "pullFailed" }>): Step {
  const { at, message } = signal;
  const failures = member.failures + 1;
  const backOff = `Back-off pulling image "${member.image}"`;
  const failed = withEvent(member, at, "Warning", "Failed", message);
  const waiting: MemberLife = {
    ...withEvent(failed, at, "Normal", "BackOff", backOff),
    step: "resting",
    failures,
    current: { state: "Waiting", detailStatus: `ImagePullBackOff: ${backOff}` },
  };
  return {
    life: put(life, signal.member, waiting),
    commands: [{ do: "rest", member: signal.member, until: at + restAfter(failures) }],
  };
}

function exited(life: GroupLife, member: MemberLife, signal: Extract<Signal, { type: "exited" }>): Step {
  const { at, reason } = signal;
  const exitCode = exitCodeOf(signal);
  const end: Terminated = {
    state: "Terminated",
    startTime: member.current?.state === "Running" ? member.current.startTime : at,
    finishTime: at,
    exitCode,
    detailStatus: reason === "OOMKilled" ? reason : exitCode === 0 ? "Completed" : "Error",
  };
  return ended(life, signal.member, end, reason === "Evicted");
}

function exitCodeOf({ reason, exitCode, platformCode }: Extract<Signal, { type: "exited" }>): number | null {
  if (reason !== "Platform" && reason !== "Evicted") return exitCode;
  return platformCode === undefined ? PLATFORM_EXIT[reason] : platformCode;
}

/** One container ended: by the policy it rests and starts again, or it is over. */
function ended(life: GroupLife, index: number, end: Terminated, again = false): Step {
  const member = life.members[index];
  if (!member) return { life, commands: [] };
  const anyway = life.restartPolicy === "Never" && !member.init && end.exitCode !== 0 && life.restartsAnyway > 0;
  const goesOn = again || anyway || restarts(life.restartPolicy, member.init, end.exitCode);
  if (life.phase === "Stopping" || !goesOn) {
    return next(put(life, index, { ...member, step: "over", current: end }), end.finishTime);
  }
  const failures = end.finishTime - end.startTime >= FORGIVEN_AFTER ? 1 : member.failures + 1;
  // The first restart is at once; only a container that goes on ending waits.
  const until = failures === 1 ? end.finishTime : end.finishTime + restAfter(failures - 1);
  const resting: MemberLife = {
    ...(failures === 1
      ? member
      : withEvent(member, end.finishTime, "Warning", "BackOff", "Back-off restarting failed container")),
    step: "resting",
    failures,
    restartCount: member.restartCount + 1,
    previous: end,
    current: { state: "Waiting", detailStatus: "CrashLoopBackOff: Back-off restarting failed" },
  };
  const left = life.restartsAnyway - (anyway ? 1 : 0);
  return {
    life: { ...put(life, index, resting), restartsAnyway: left },
    commands: [{ do: "rest", member: index, until }],
  };
}

/** An init container that ended well never runs again, whatever the policy. */
const restarts = (policy: RestartPolicy, init: boolean, exitCode: number | null): boolean =>
  policy !== "Never" && (exitCode !== 0 || (policy === "Always" && !init));

const restAfter = (failures: number): number => Math.min(LONGEST_REST, FIRST_REST * 2 ** (failures - 1));

/** Starts what may start now, and sees whether the group runs or is over. */
function next(life: GroupLife, at: number): Step {
  const waiting = life.members.find((member) => member.init && !endedWell(member));
  const commands: Command[] = [];
  let members = life.members;
  if (life.phase !== "Stopping") {
    members = members.map((member, index) => {
      const turn = waiting ? member === waiting : !member.init;
      if (!turn || member.step !== "idle") return member;
      commands.push({ do: "pull", member: index });
      return pulling(member, at);
    });
  }
  return { life: settled({ ...life, members }), commands };
}

function settled(life: GroupLife): GroupLife {
  if (life.phase !== "Pending" && life.phase !== "Running") return life;
  const containers = life.members.filter((member) => !member.init);
  const lostInit = life.members.some((member) => member.init && member.step === "over" && !endedWell(member));
  if (lostInit) return { ...life, phase: "Failed", provisioning: "Failed" };
  const started = containers.every((member) => member.everStarted);
  const provisioning = started && life.provisioning === "Creating" ? "Succeeded" : life.provisioning;
  if (containers.every((member) => member.step === "over")) {
    return { ...life, provisioning, phase: containers.every(endedWell) ? "Succeeded" : "Failed" };
  }
  return { ...life, provisioning, phase: started ? "Running" : life.phase };
}

const endedWell = (member: MemberLife): boolean =>
  member.step === "over" && member.current?.state === "Terminated" && member.current.exitCode === 0;

const laidDown = (member: MemberLife): MemberLife => ({ ...member, step: "over" });

const pulling = (member: MemberLife, at: number): MemberLife => ({
  ...withEvent(member, at, "Normal", "Pulling", `Pulling image "${member.image}"`),
  step: "pulling",
});

const go = (what: "pull" | "start", signal: MemberSignal): Command => ({ do: what, member: signal.member });

const put = (life: GroupLife, index: number, member: MemberLife): GroupLife => ({
  ...life,
  members: life.members.map((old, place) => (place === index ? member : old)),
});
