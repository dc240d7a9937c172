import { second } from "../base/duration.ts";
import type { JobId } from "../base/ids.ts";
import type { Target } from "../config/settings.ts";
import type { Job } from "./job.ts";
import type { ObservedGroup } from "./observation.ts";
import type { Limits } from "./verdict.ts";

/** What the machine may decide, and what it must know to do so. */
export type Step =
  /** An array has steps of its own (`array-step.ts`). */
  | { readonly do: "array" }
  /** Look at the group, then ask again. */
  | { readonly do: "observe" }
  /** Get the name, a target and capacity for a create, then ask again. */
  | { readonly do: "admit" }
  /** Save and ask again at once. */
  | { readonly do: "save"; readonly job: Job }
  /** Save if it differs; observe again at that time. */
  | {
      readonly do: "requeue";
      readonly job: Job;
      readonly until: number;
      /** Another job whose group stands in the way: it is requeued. */
      readonly requeue?: JobId;
    }
  /** Save, which takes the claim; then act; then save what the answer means. */
  | { readonly do: "create" | "delete" | "stop"; readonly job: Job }
  /** Store logs and exit codes, then save. */
  | { readonly do: "capture"; readonly job: Job; readonly group: ObservedGroup | undefined }
  /** Notify the callers that asked to be notified of the end. */
  | { readonly do: "notify" }
  /** Save, which takes the claim; give the slot of its group to others; then save that. */
  | { readonly do: "leave group"; readonly job: Job }
  /** Free the name and leave the index. */
  | { readonly do: "finalize" }
  /** Touch nothing: only a newer release knows what the job's phase asks for. */
  | { readonly do: "leave alone" }
  | { readonly do: "done" };

/** What the machine needs to know of the settings and the load. All times in milliseconds. */
export interface Rules extends Limits {
  readonly stopTimeout: number;
  readonly keepTime: number;
  readonly observationFloor: number;
  readonly observationCeiling: number;
  /** Until those that ARM's reads were not enough for have been observed. */
  readonly backlog: number;
  readonly freeRetries: number;
  /** How long a group must be absent, over five observations, before that counts as proved. */
  readonly absenceTime: number;
  /** How long a cause that lies with the whole installation is waited for at a target. */
  readonly refusalTime: number;
  readonly targets: readonly Target[];
  /** After this time a create that Azure answers with its own failures ends its job. */
  readonly createFailedTime: number;
  /** After this time a missing resource group counts as the absence of its groups. */
  readonly targetGoneTime: number;
  readonly adoptFinishedGroups: boolean;
  /** Between 0 and 1, for jitter. */
  readonly random: number;
}

/** How long a claim holds; requests sent under it are given up well before. */
export const claimTime = 60 * second;
export const requestTimeout = 35 * second;
/** Clocks of two instances may differ by this much. */
export const skew = 5 * second;
/** A request whose answer got lost may still have its effect for this long after it was sent. */
export const lateTime = claimTime;
/** Two observations this far apart prove what a first one showed: they may be two instances', whose clocks differ. */
export const settleTime = 5 * second + skew;
/** A delete that ACI accepted is sent again when the group is still there after this time. */
export const resendTime = 30 * second;

export function requeueAt(job: Job, until: number): Step {
  return { do: "requeue", job, until };
}
