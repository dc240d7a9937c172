import type { ArmErrorBody } from "../arm/errors.ts";
import type { Action, Cause } from "../events.ts";
import type { Group, GroupId } from "../group.ts";
import type { Plan } from "./course.ts";
import type { Used } from "./usage.ts";

/** The provider's surroundings: it reports to them what happens, and asks them for permission. */
export interface Surroundings {
  /** The group, or anything in its life, is different now. */
  changed(group: Group): void;
  gone(group: Group): void;
  /** A write, delete or action was decided, for good or ill. `existed`: the group was there before. */
  decided(group: GroupId, action: Action, cause: Cause, existed: boolean, error?: ArmErrorBody): void;
  /** Throws an ArmError where a limit or quota is reached. `used`: what the region has without this group. */
  admitCreate(group: GroupId, location: string, cores: number, used: Used): void;
  admitDelete(group: GroupId, location: string): void;
  /** A fault of this service's own, which no caller waits for. */
  failed(error: unknown): void;
  /** How the deployment that begins now is to go. */
  plan(group: Group): Plan;
}
