import { counted, withEvent } from "./life-events.ts";
import type { GroupLife, MemberLife, Signal, Step, Trouble } from "./life-types.ts";

type TroubleSignal = Extract<Signal, { type: Trouble["type"] }>;

/** The signals of what the platform does wrong, as the service was seen to show it. Waits are as for failed pulls. */
export function troubled(life: GroupLife, signal: TroubleSignal, restAfter: (failures: number) => number): Step {
  if (signal.type === "played") return { life: played(life, signal), commands: [] };
  if (life.phase === "Stopping" || life.phase === "Stopped") return { life, commands: [] };
  switch (signal.type) {
    case "mountFailed":
      return { life: mountFailed(life, signal), commands: [] };
    case "startRefused":
      return startRefused(life, signal, restAfter);
    case "provisioningFailed":
      return { life: provisioningFailed(life, signal), commands: [] };
  }
}

type Of<Type extends Trouble["type"]> = Extract<TroubleSignal, { type: Type }>;

/** The group says `Running`, though its containers wait (azure-docs issue 70920). */
const mountFailed = (life: GroupLife, { at, message }: Of<"mountFailed">): GroupLife => ({
  ...life,
  provisioning: life.provisioning === "Failed" ? "Failed" : "Creating",
  phase: "Running",
  events: counted(life.events, at, "Warning", "FailedMountAzureFileVolume", message),
});

function startRefused(life: GroupLife, signal: Of<"startRefused">, restAfter: (failures: number) => number): Step {
  const { at, member: index, message } = signal;
  const member = life.members[index];
  if (member?.step !== "starting") return { life, commands: [] };
  const failures = member.failures + 1;
  const refused: MemberLife = {
    ...withEvent(member, at, "Warning", "Failed", message),
    step: "resting",
    failures,
    current: { state: "Waiting", detailStatus: "" },
  };
  const members = life.members.map((other) => (other === member ? refused : other));
  return { life: { ...life, members }, commands: [{ do: "rest", member: index, until: at + restAfter(failures) }] };
}

/** A group that got no place has containers without a view. */
function provisioningFailed(life: GroupLife, { at, phase, event, ofGroup }: Of<"provisioningFailed">): GroupLife {
  const { name, message } = event;
  return {
    ...life,
    phase,
    provisioning: "Failed",
    events: ofGroup ? counted(life.events, at, "Warning", name, message) : life.events,
    members: life.members.map((member) => ({
      ...(ofGroup ? member : withEvent(member, at, "Warning", name, message)),
      current: phase === "Failed" ? undefined : member.current,
    })),
  };
}

const played = (life: GroupLife, { provisioning, phase, started }: Of<"played">): GroupLife => ({
  ...life,
  provisioning,
  phase,
  members: life.members.map((member, index) => ({
    ...member,
    everStarted: member.everStarted || started[index] === true,
  })),
});
