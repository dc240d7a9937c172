import type { Simulated } from "../simulated.ts";

/**
 * What Container Instances does to a job's group, as the local one plays it (local/README.md), and what the job must come to all the
 * same. The program's own end is the rule: where it can be known it is the verdict.
 */
export interface Trouble {
  readonly name: string;
  /** Faults for the calls about this group; the first that matches strikes. */
  readonly faults: readonly { readonly match?: object; readonly effect: object; readonly count?: number }[];
  /** What the program does, where it has to do something certain. */
  readonly program?: Simulated;
  /** Members of the definition's `properties`. */
  readonly properties?: object;
  readonly query?: string;
  /** It has the region left out for others: the job gets one of its own. */
  readonly ownRegion?: boolean;
  /** `STATE REASON`, one of them. Left out: the program's own end. */
  readonly ends?: readonly string[];
  /** It may also end as the program did, where that was seen before the trouble. */
  readonly orProgram?: boolean;
  /** Attempts that the rules add. */
  readonly attempts?: number;
}

const onPut = { kind: "put" };
const put = (effect: object, count?: number): Trouble["faults"] => [
  { match: onPut, effect, ...(count === undefined ? {} : { count }) },
];
const refused = (status: number, code: string, message: string, count?: number): Trouble["faults"] =>
  put({ type: "status", status, code, message }, count);

/** Long enough for what strikes it while it runs. */
const long: Simulated = { seconds: 30, exitCode: 0 };

export const troubles: readonly Trouble[] = [
  { name: "late", faults: put({ type: "notVisible", seconds: 25 }) },
  // One more would be proof where the machine is so busy that the observations come minutes apart.
  { name: "flap", faults: [{ match: { kind: "get" }, effect: { type: "notVisible", seconds: 20 }, count: 4 }] },
  {
    name: "again",
    faults: put({ type: "restartAnyway", times: 2 }),
    program: { seconds: 5, exitCode: 3 },
  },
  { name: "mount-late", faults: put({ type: "mountFailure", seconds: 50 }) },
  { name: "mount-never", faults: put({ type: "mountFailure" }), ends: ["Failed MountFailed"] },
  { name: "start-late", faults: put({ type: "startFailure", times: 2 }) },
  { name: "start-never", faults: put({ type: "startFailure" }), ends: ["Failed StartFailed"] },
  {
    name: "start-given-up",
    faults: put({ type: "startFailure", failAfterSeconds: 20 }),
    ends: ["Failed StartFailed"],
  },
  { name: "code-late", faults: put({ type: "unknownExitCode", seconds: 20 }), program: { seconds: 5, exitCode: 7 } },
  {
    name: "code-never",
    faults: put({ type: "unknownExitCode" }),
    program: { seconds: 5, exitCode: 0 },
    ends: ["Failed ExitUnknown"],
  },
  {
    name: "code-never-well",
    faults: put({ type: "unknownExitCode", groupSaysRunning: false }),
    program: { seconds: 5, exitCode: 0 },
  },
  {
    name: "code-never-badly",
    faults: put({ type: "unknownExitCode", groupSaysRunning: false }),
    program: { seconds: 5, exitCode: 2 },
    ends: ["Failed ExitUnknown"],
  },
  {
    name: "no-capacity",
    faults: put({ type: "provisioningFailure", cause: "capacity" }, 1),
    ownRegion: true,
    attempts: 1,
  },
  {
    name: "no-quota",
    faults: put({ type: "provisioningFailure", cause: "quota" }, 1),
    ownRegion: true,
    attempts: 1,
  },
  {
    name: "no-image",
    faults: put({ type: "provisioningFailure", cause: "image" }),
    ends: ["Failed ImagePullFailed"],
  },
  {
    name: "no-network",
    faults: put({ type: "provisioningFailure", cause: "network" }),
    ends: ["Failed NetworkFailed"],
  },
  {
    name: "maintenance",
    faults: put({ type: "interrupt", reason: "Platform", afterSeconds: 5 }, 1),
    program: long,
    attempts: 1,
  },
  {
    name: "evicted",
    faults: put({ type: "interrupt", reason: "Evicted", afterSeconds: 5 }),
    program: { seconds: 30, exitCode: 4 },
    properties: { priority: "Spot" },
  },
  {
    name: "evicted-silently",
    faults: put({ type: "interrupt", reason: "Evicted", afterSeconds: 5, exitCode: null }),
    program: long,
    properties: { priority: "Spot" },
  },
  { name: "repairing", faults: put({ type: "repairing", seconds: 40 }) },
  { name: "locked", faults: [{ match: { kind: "delete" }, effect: { type: "locked" }, count: 3 }] },
  {
    name: "vanished",
    faults: [{ match: { kind: "get" }, effect: { type: "vanish" }, count: 3 }],
    program: long,
    ends: ["Failed GroupDisappeared"],
    orProgram: true,
  },
  {
    name: "stuck",
    faults: put({ type: "stuckPending" }),
    query: "startTimeout=PT1M",
    ends: ["TimedOut StartTimeout"],
    // Where the machine is so busy that nobody observes it for half an hour, the platform itself has given up first.
    attempts: 1,
  },
  { name: "subnet-full", faults: refused(400, "SubnetIsFull", "Subnet is full.", 2) },
  { name: "unregistered", faults: refused(409, "MissingSubscriptionRegistration", "Not registered.", 2) },
  { name: "unheard-of", faults: refused(409, "NeverHeardOf", "Something new.", 2) },
  {
    name: "policy",
    faults: refused(403, "RequestDisallowedByPolicy", "Disallowed by policy."),
    ends: ["Failed PolicyDenied"],
  },
  {
    name: "bad-image",
    faults: refused(400, "InaccessibleImage", "The image 'quota-service:1' is not accessible."),
    ends: ["Failed InaccessibleImage"],
  },
  {
    name: "too-large",
    faults: refused(
      409,
      "ContainerGroupQuotaReached",
      "Container group quota 'StandardCores' exceeded. Limit: '10', Usage: '0' Requested: '16'.",
    ),
    ownRegion: true,
    ends: ["Failed QuotaTooSmall"],
  },
];
