import { z } from "zod";
import type { Trouble } from "./life-types.ts";
import { scriptSchema } from "./script.ts";

/** Why ACI gave up a group after it had accepted it, with the event that says so. */
export const CAUSES = ["quota", "capacity", "image", "mount", "start", "network"] as const;
export type Cause = (typeof CAUSES)[number];

const seconds = z.number().nonnegative();

/** What can go wrong with one deployment of a group, from its PUT on. */
export const courseSchemas = [
  /** It stays Pending. */
  z.strictObject({ type: z.literal("stuckPending") }),
  /** GET answers what is written; script.ts. Nothing runs. */
  z.strictObject({ type: z.literal("script"), script: scriptSchema }),
  /** The platform restarts a container that failed, this many times in the group, in spite of `restartPolicy: Never`. */
  z.strictObject({ type: z.literal("restartAnyway"), times: z.number().int().positive().default(1) }),
  /** A volume can't be mounted: for `seconds`, or for ever. The group says Running, its containers wait. */
  z.strictObject({ type: z.literal("mountFailure"), seconds: seconds.optional(), message: z.string().optional() }),
  /** Containers can't be started: the first `times` tries, or ever. Provisioning is Failed after `failAfterSeconds`. */
  z.strictObject({
    type: z.literal("startFailure"),
    times: z.number().int().positive().optional(),
    message: z.string().optional(),
    failAfterSeconds: seconds.optional(),
  }),
  /** Provisioning fails after `afterSeconds`, and nothing runs. `message`: in place of the usual one. */
  z.strictObject({
    type: z.literal("provisioningFailure"),
    cause: z.enum(CAUSES),
    afterSeconds: seconds.default(1),
    message: z.string().optional(),
  }),
] as const;

type Schema = (typeof courseSchemas)[number];
export type Course = { readonly type: "usual" } | z.output<Schema>;

const COURSE_TYPES = new Set<string>(courseSchemas.map((schema) => schema.shape.type.value));

export const isCourse = (given: { readonly type: string }): given is z.output<Schema> => COURSE_TYPES.has(given.type);

/** How the platform treats one deployment. */
export interface Plan {
  /** From a PUT's reply until containers are pulled, in milliseconds. */
  readonly delay: number;
  readonly course: Course;
  /** The group's region. */
  readonly location: string;
  /** How many PUTs the course has befallen, this one included. */
  readonly put: number;
}

type Failure = Omit<Extract<Trouble, { type: "provisioningFailed" }>, "type">;

/**
 * The event that shows the cause. Names and texts are those of reports where one was found: capacity and quota (Microsoft's pages on
 * `ServiceUnavailable` and on quotas), mounts (azure-docs issue 70920), pulls and starts (the kubelet's); that of networks is guessed.
 *
 * @param message in place of the usual one
 */
export function failureOf(cause: Cause, location: string, message?: string): Failure {
  const failure = FAILURES[cause];
  return {
    phase: failure.placed ? "Pending" : "Failed",
    ofGroup: failure.ofGroup,
    event: { name: failure.name, message: message ?? failure.message.replace("LOCATION", location) },
  };
}

export const MOUNT_FAILED = "Failed to mount Azure File Volume.";
export const START_FAILED =
  'Error: Failed to start container, Error response: exec: "run it": executable file not found in $PATH: unknown';

interface KnownFailure {
  readonly name: string;
  readonly message: string;
  readonly ofGroup: boolean;
  readonly placed: boolean;
}

const FAILURES: Record<Cause, KnownFailure> = {
  quota: {
    name: "ContainerGroupQuotaReached",
    message:
      "Resource type 'Microsoft.ContainerInstance/containerGroups' container group quota 'StandardCores' exceeded in region " +
      "'LOCATION'. Limit: '10', Usage: '10' Requested: '1'.",
    ofGroup: true,
    placed: false,
  },
  capacity: {
    name: "InsufficientCapacity.",
    message:
      "The requested resource is not available in the location 'LOCATION' at this moment. " +
      "Please retry with a different resource request or in another location.",
    ofGroup: true,
    placed: false,
  },
  image: {
    name: "Failed",
    message: "Failed to pull image: rpc error: code = NotFound desc = failed to resolve reference: not found",
    ofGroup: false,
    placed: true,
  },
  mount: { name: "FailedMountAzureFileVolume", message: MOUNT_FAILED, ofGroup: true, placed: true },
  start: { name: "Failed", message: START_FAILED, ofGroup: false, placed: true },
  network: {
    name: "NetworkSetupFailed",
    message: "Failed to set up the network of the container group: the subnet could not be joined.",
    ofGroup: true,
    placed: false,
  },
};
