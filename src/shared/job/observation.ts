import type { AzureError, GroupEvent } from "./job.ts";
import type { Reason } from "./reasons.ts";

/** A container as one observation shows it, whatever words ACI used. */
export interface ObservedContainer {
  readonly name: string;
  readonly init: boolean;
  readonly image: string | undefined;
  /** False where ACI gave no instance view of the container: then nothing is known of it. */
  readonly hasView: boolean;
  readonly state: "Waiting" | "Running" | "Terminated" | "Unknown";
  readonly startTime: number | undefined;
  readonly finishTime: number | undefined;
  readonly exitCode: number | undefined;
  readonly detailStatus: string | undefined;
  readonly restartCount: number;
  /** Its run before the last restart. */
  readonly previous: PreviousRun | undefined;
}

interface PreviousRun {
  readonly exitCode: number | undefined;
  readonly startTime: number | undefined;
  readonly finishTime: number | undefined;
}

/** Whose a group is, by its tags alone. `untagged`: it carries no installation's tag. */
export type Owner =
  | {
      readonly kind: "ours";
      readonly jobId: string;
      readonly attempt: number;
      /** False for the tag's old form, which does not bind the group's name: it proves nothing without the job's row. */
      readonly isBound: boolean;
    }
  | { readonly kind: "foreign" }
  | { readonly kind: "untagged" };

/** A group as one observation shows it. */
export interface ObservedGroup {
  readonly owner: Owner;
  readonly provisioning: "Succeeded" | "Failed" | "Canceled" | "Deleting" | "Other";
  /** `Unknown` also for words never seen before: keep watching. */
  readonly state: "Pending" | "Running" | "Succeeded" | "Failed" | "Stopped" | "Unknown";
  /** It, or a container's state, is a word never seen before. */
  readonly hasNewWord: boolean;
  readonly containers: readonly ObservedContainer[];
  readonly events: readonly GroupEvent[];
}

/** What an observation gave. "We could not see" is a value of its own: it is never taken as absence. */
export type Observation =
  | {
      readonly group: "unknown";
      readonly reason: Reason;
      readonly retryAfter: number | undefined;
      readonly azure: AzureError | undefined;
    }
  | {
      readonly group: "absent";
      /** Where it was read: why the create failed that was accepted. */
      readonly failure?: CreateFailure;
    }
  | ({ readonly group: "present" } & ObservedGroup);

/** How an accepted create failed, as ARM's operation says. */
export interface CreateFailure {
  /** Absent where nobody knows what the error means. */
  readonly reason?: Reason;
  readonly azure: AzureError;
}

/** A container that has run, now or before a restart. Of one without any view nothing is known. */
export function hasStarted({ startTime, state, restartCount, previous }: ObservedContainer): boolean {
  return (
    startTime !== undefined || state === "Running" || state === "Terminated" || hasRestarted(restartCount, previous)
  );
}

function hasRestarted(restartCount: number, previous: PreviousRun | undefined): boolean {
  return restartCount > 0 || previous !== undefined;
}

/** True when no container of the group can be running. */
export function nothingRuns(group: ObservedGroup): boolean {
  const over = group.state === "Succeeded" || group.state === "Failed" || group.state === "Stopped";
  return over && group.containers.every(({ state }) => state !== "Running");
}
