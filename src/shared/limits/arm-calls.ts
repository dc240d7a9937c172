import type { JobTarget } from "../job/job.ts";
import { regionKey } from "../job/targets.ts";

/** Calls as the budget counts them: `observe` is of a group that runs, `log` of one that goes on running. */
export type Kind = "create" | "delete" | "read" | "observe" | "log" | "write";

/** What each kind of call is to ARM. */
export const armKinds = {
  create: "write",
  write: "write",
  delete: "delete",
  read: "read",
  observe: "read",
  log: "read",
} as const;
/** Tokens that an instance draws at once; unused ones lapse after a while. */
export const blocks = { create: 15, write: 15, delete: 15, read: 15, observe: 40, log: 10 } as const;
/** Left in ARM's bucket by reads that may wait: observations of what runs for those that a create or deletion needs, logs for both. */
export const reserves: Partial<Record<Kind, number>> = { observe: 0.1, log: 0.5 };
/** The same of what ARM says is left: calls under way at that moment are not in its word. */
export const armReserve = 0.1;

export function windowsOf(kind: "create" | "delete", { subscriptionId, location }: JobTarget): string {
  return `${kind}_${subscriptionId}_${regionKey(location)}`;
}

/** Where an instance keeps its tokens: kinds that leave some to others draw blocks of their own. */
export function leaseOf(kind: Kind, placed: JobTarget): string {
  const scope = scopeOfArm(kind, placed);
  return kind in reserves ? `${kind}_${scope}` : scope;
}

export function scopeOfArm(kind: Kind, { subscriptionId }: JobTarget): string {
  return `${armKinds[kind]}_${subscriptionId}`;
}
