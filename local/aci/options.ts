import { z } from "zod";
import { faultFileSchema } from "./control/faults.ts";

/** Numbers of a limit, or `false` for no limit. */
const bucket = z.object({ size: z.number().positive(), perSecond: z.number().positive() });
const window = z.object({ per5Minutes: z.number().int().positive(), perHour: z.number().int().positive() });

/** Defaults are the published ones (azure: "Request limits and throttling", ACI "Resource availability & quota limits"). */
export const limitsSchema = z.object({
  reads: bucket.or(z.literal(false)).default({ size: 250, perSecond: 25 }),
  writes: bucket.or(z.literal(false)).default({ size: 200, perSecond: 10 }),
  deletes: bucket.or(z.literal(false)).default({ size: 200, perSecond: 10 }),
  groupCreates: window.or(z.literal(false)).default({ per5Minutes: 100, perHour: 300 }),
  groupDeletes: window.or(z.literal(false)).default({ per5Minutes: 100, perHour: 300 }),
  quota: z
    .object({ groups: z.number().int().nonnegative(), cores: z.number().nonnegative() })
    .or(z.literal(false))
    .default({ groups: 100, cores: 100 }),
  /** One name in several regions at once looks like fraud, and is refused. */
  sameNameInRegions: z.boolean().default(true),
});

const chances = z.object({
  duplicate: z.number().min(0).max(1).default(0),
  reorder: z.number().min(0).max(1).default(0),
  /** Each event waits a random time up to this. */
  delaySeconds: z.number().nonnegative().default(0),
});

export const optionsSchema = z.object({
  /** 0 takes a free one. */
  port: z.number().int().min(0).max(65535).default(0),
  engine: z.enum(["process", "simulated", "podman", "docker"]).default("process"),
  /** Groups, logs and volumes; without one, nothing outlives the service. */
  stateFolder: z.string().min(1).optional(),
  /** Variables (`SIM_...`) of containers without their own, for the simulated engine. */
  simulated: z.record(z.string(), z.string()).default({}),
  /** Where the process engine finds images. */
  containersFolder: z.string().min(1).default("Containers"),
  defaultLocation: z.string().min(1).default("westeurope"),
  /** Where given, ARM knows no others. */
  subscriptions: z.array(z.string()).optional(),
  resourceGroups: z.array(z.string()).optional(),
  /** Event Grid's deliveries. */
  eventQueue: z.object({ connectionString: z.string(), queueName: z.string() }).optional(),
  webhook: z.object({ url: z.url() }).optional(),
  events: chances.prefault({}),
  /** `false`: no limits. Absent: the published ones for `simulated`, no limits for the others. */
  limits: limitsSchema.or(z.literal(false)).optional(),
  /** Serves /local/...: faults, counters, clock, reset. */
  control: z.boolean().default(false),
  /** Faults that hold from the start: a list, or trials by the name of the group (control/faults.ts). */
  faults: faultFileSchema.default([]),
  /** From a PUT's reply until containers are pulled. */
  provisioningSeconds: z.number().nonnegative().default(0),
  /** Between SIGTERM and SIGKILL. */
  graceSeconds: z.number().nonnegative().default(2),
  pageSize: z.number().int().positive().default(100),
  pollSeconds: z.number().int().nonnegative().default(1),
});

export type AciOptions = z.input<typeof optionsSchema>;
export type Options = z.output<typeof optionsSchema>;
export type Limits = z.output<typeof limitsSchema>;
