import { z } from "zod";
import type { GroupLife, Trouble } from "./life-types.ts";

type Played = Omit<Extract<Trouble, { type: "played" }>, "type">;

/**
 * A group that plays a script: what GET answers, by the time since the PUT. Only what GET says is scripted; PUT, DELETE, stop,
 * lists and events behave as for any group.
 *
 * A text `@N` anywhere in a view is the time N seconds after the PUT. Members that the service doesn't have are taken as they are.
 */
const view = z.looseObject({
  /** Seconds since the PUT from which it holds, until the next one does. */
  after: z.number().nonnegative().default(0),
  /** It holds for the nth PUT only. */
  put: z.number().int().positive().optional(),
  /** Instead of a view: an HTTP status, with ARM's error code and message. 404 `ResourceNotFound`: the group is not to be seen. */
  status: z.number().int().min(400).max(599).optional(),
  code: z.string().optional(),
  text: z.string().optional(),
  /** `Succeeded` where left out. */
  provisioningState: z.string().nullish(),
  /** The group's. Without it and `events` the group has no instance view. */
  state: z.string().nullish(),
  events: z.array(z.unknown()).nullish(),
  /** Instance views, in the definition's order; `null` or missing: no view. An empty list: the group shows no containers. */
  containers: z.array(z.record(z.string(), z.unknown()).nullable()).nullish(),
  initContainers: z.array(z.record(z.string(), z.unknown()).nullable()).nullish(),
  /** In place of the group's own. */
  tags: z.record(z.string(), z.string()).nullish(),
});
export type ScriptedView = z.output<typeof view>;

export const scriptSchema = z.array(view).min(1);
export type Script = z.output<typeof scriptSchema>;

/** What a PUT that no view is for does: a program that ends well after a second. */
const WELL: Script = scriptSchema.parse([
  { state: "Running", containers: [well({ state: "Running", startTime: "@0" })] },
  {
    after: 1,
    state: "Succeeded",
    containers: [
      well({ state: "Terminated", startTime: "@0", finishTime: "@1", exitCode: 0, detailStatus: "Completed" }),
    ],
  },
]);

function well(currentState: object): Record<string, unknown> {
  return { restartCount: 0, currentState };
}

/** The script of the nth PUT, in the order of time. `containers`: how many the definition has. */
export function scriptOfPut(script: Script, put: number, containers: number): Script {
  const own = script.filter((one) => one.put === undefined || one.put === put);
  if (own.length > 0) return own.toSorted((a, b) => a.after - b.after);
  return WELL.map((one) => ({
    ...one,
    containers: Array.from({ length: containers }, () => one.containers?.[0] ?? null),
  }));
}

/** Before its first view a group is being created. */
export const CREATING: ScriptedView = { after: 0, provisioningState: "Creating", state: "Pending" };

/** `seconds`: since the PUT. */
export const viewAt = (script: Script, seconds: number): ScriptedView =>
  script.findLast(({ after }) => after <= seconds) ?? CREATING;

/**
 * Where a group is in its life that shows this view, as far as lists, DELETE, stop and events ask for it.
 *
 * @param inits how many init containers the definition has
 */
export function lifeOf(shown: ScriptedView, inits: number): Played {
  const ofInits = Array.from({ length: inits }, (_, index) => shown.initContainers?.[index]);
  const members = [...ofInits, ...(shown.containers ?? [])];
  return {
    provisioning: PROVISIONING[shown.provisioningState ?? "Succeeded"] ?? "Creating",
    phase: PHASES[shown.state ?? ""] ?? "Running",
    started: members.map((member) => hasStarted(member?.["currentState"]) || hasStarted(member?.["previousState"])),
  };
}

const PROVISIONING: Partial<Record<string, GroupLife["provisioning"]>> = {
  Succeeded: "Succeeded",
  Failed: "Failed",
  Canceled: "Failed",
};

const PHASES: Partial<Record<string, GroupLife["phase"]>> = {
  Pending: "Pending",
  Stopped: "Stopped",
  Succeeded: "Succeeded",
  Failed: "Failed",
};

const hasStarted = (state: unknown): boolean =>
  typeof state === "object" && state !== null && "startTime" in state && typeof state.startTime === "string";
