/** What a container group's life is made of; ./life.ts moves it on. Times are milliseconds since 1970. */
export type RestartPolicy = "Always" | "OnFailure" | "Never";

export interface Terminated {
  readonly state: "Terminated";
  readonly startTime: number;
  readonly finishTime: number;
  /** `null`: nobody knows it. */
  readonly exitCode: number | null;
  readonly detailStatus: string;
}

export type ContainerState =
  | { readonly state: "Waiting"; readonly detailStatus: string }
  | { readonly state: "Running"; readonly startTime: number; readonly detailStatus: string }
  | Terminated;

export interface LifeEvent {
  readonly name: string;
  readonly type: "Normal" | "Warning";
  readonly message: string;
  readonly count: number;
  readonly firstTimestamp: number;
  readonly lastTimestamp: number;
}

export interface MemberLife {
  readonly name: string;
  readonly image: string;
  readonly init: boolean;
  readonly step: "idle" | "pulling" | "starting" | "running" | "resting" | "over";
  readonly everStarted: boolean;
  /** Failed pulls or ends in a row: what the next wait is counted from. */
  readonly failures: number;
  readonly restartCount: number;
  readonly current?: ContainerState | undefined;
  readonly previous?: Terminated | undefined;
  readonly events: readonly LifeEvent[];
}

export interface GroupLife {
  readonly restartPolicy: RestartPolicy;
  readonly provisioning: "Pending" | "Creating" | "Succeeded" | "Failed";
  readonly phase: "Pending" | "Running" | "Stopping" | "Stopped" | "Succeeded" | "Failed";
  /** Init containers first, in order. */
  readonly members: readonly MemberLife[];
  readonly events: readonly LifeEvent[];
  /** How often the platform will still restart a container that failed, though the policy is `Never`. */
  readonly restartsAnyway: number;
}

/**
 * Why a container ended, where it was not the program itself: its memory limit, its liveness probe, or the platform, which ends whole
 * groups for maintenance and, with Spot, takes capacity back and then runs the group again whatever its restart policy is.
 */
export type KillReason = "OOMKilled" | "Unhealthy" | "Platform" | "Evicted";

/** What happened. `member` is an index into `members`. */
export type Signal = { readonly at: number } & (
  | { readonly type: "deploy" }
  | { readonly type: "pulled"; readonly member: number }
  | { readonly type: "pullFailed"; readonly member: number; readonly message: string }
  | { readonly type: "started"; readonly member: number }
  | { readonly type: "startFailed"; readonly member: number; readonly message: string }
  | {
      readonly type: "exited";
      readonly member: number;
      readonly exitCode: number;
      readonly reason?: KillReason;
      /** Shown in place of the platform's usual code. */
      readonly platformCode?: number | null;
    }
  | { readonly type: "rested"; readonly member: number }
  | { readonly type: "killing" | "unhealthy"; readonly member: number; readonly message: string }
  | { readonly type: "stop" }
  | { readonly type: "stopped" }
  | { readonly type: "deadline" }
  | Trouble
);

/** What the platform does wrong; ./life-trouble.ts. */
export type Trouble =
  | { readonly type: "mountFailed"; readonly message: string }
  /** Unlike `startFailed`, the container keeps waiting. */
  | { readonly type: "startRefused"; readonly member: number; readonly message: string }
  | {
      readonly type: "provisioningFailed";
      /** Failed: it never got a place. */
      readonly phase: "Pending" | "Failed";
      readonly event: { readonly name: string; readonly message: string };
      /** Whose event it is: the group's or each container's. */
      readonly ofGroup: boolean;
    }
  /** A script moves on. `started`: by member. */
  | {
      readonly type: "played";
      readonly provisioning: GroupLife["provisioning"];
      readonly phase: GroupLife["phase"];
      readonly started: readonly boolean[];
    };

export type Command =
  | { readonly do: "pull" | "start"; readonly member: number }
  | { readonly do: "rest"; readonly member: number; readonly until: number };

export interface Step {
  readonly life: GroupLife;
  readonly commands: readonly Command[];
}

export interface MemberNames {
  readonly name: string;
  readonly image: string;
  readonly init: boolean;
}
