import { z } from "zod";

/**
 * What the client reads of the service's replies (contract: docs/api.md, `GET /api/openapi.json`). Everything else in them stays
 * as it came, so that `--json` shows replies of a newer service whole.
 */
const fault = z.object({ path: z.string(), line: z.number(), column: z.number(), message: z.string() });

export const refusal = z.looseObject({
  message: z.string(),
  errors: z.array(fault).optional(),
  warnings: z.array(fault).optional(),
  requestId: z.string().optional(),
});

/** `POST /api/trigger`, a rerun. */
export const accepted = z.looseObject({
  message: z.string(),
  name: z.string(),
  state: z.string(),
  id: z.string(),
  attached: z.boolean().optional(),
  warnings: z.array(fault).optional(),
});
export type Accepted = z.infer<typeof accepted>;

/** `POST /api/trigger?dryRun=true`. */
export const checked = z.looseObject({
  message: z.string().default("The definition can be run"),
  warnings: z.array(fault).optional(),
});

const container = z.looseObject({
  state: z.string().nullish(),
  exit_code: z.number().nullish(),
  detail_status: z.string().nullish(),
  output: z.string().nullish(),
});

export type Container = z.infer<typeof container>;

/** `GET /api/status/...`, whatever its HTTP status. */
export const status = z.looseObject({
  message: z.string().optional(), // absent while the service can't read its storage
  name: z.string().optional(),
  state: z.string(),
  id: z.string(),
  attempt: z.number().optional(),
  reason: z.string().nullish(),
  exitCode: z.number().nullish(),
  waiting: z.looseObject({ reason: z.string() }).optional(),
  /** What the job itself wrote as its result. */
  result: z.unknown().optional(),
  containers: z.record(z.string(), container).optional(),
  initContainers: z.record(z.string(), container).optional(),
});
export type Status = z.infer<typeof status>;

/** Init containers first, as they ran. Absent from the replies of a service that reports them only at the end. */
export function containersOf({ initContainers, containers }: Status): readonly (readonly [string, Container])[] {
  return [...Object.entries(initContainers ?? {}), ...Object.entries(containers ?? {})];
}

const text = z.string().nullish();
const number = z.number().nullish();
const jobMembers = {
  id: z.string(),
  name: z.string(),
  state: z.string(),
  groupName: text,
  reason: text,
  createdAt: text,
  durationSeconds: number,
  exitCode: number,
  pipeline: text,
  pipelineRunId: text,
  tags: z.union([z.record(z.string(), z.string()), z.string()]).nullish(),
};
const job = z.looseObject(jobMembers);
export const jobs = z.looseObject({ jobs: z.array(job), continuation: text });
export type Job = z.infer<typeof job>;

const containerRecord = z.looseObject({ ...container.shape, start_time: text, finish_time: text, log: text });

/** `GET /api/jobs/{id}`. */
export const record = z.looseObject({
  ...jobMembers,
  message: text,
  attempt: z.number().optional(),
  resourceGroup: text,
  location: text,
  images: text,
  factory: text,
  activity: text,
  requestedBy: text,
  rerunOf: text,
  deadlineAt: text,
  queueSeconds: number,
  startSeconds: number,
  runSeconds: number,
  costEstimate: number,
  currency: text,
  waiting: z.looseObject({ reason: z.string(), since: z.string(), detail: text }).optional(),
  stopping: z.looseObject({ reason: z.string(), since: z.string() }).optional(),
  containers: z.record(z.string(), containerRecord).optional(),
  history: z
    .array(z.looseObject({ at: z.string(), to: z.string(), reason: z.string(), attempt: z.number() }))
    .optional(),
  attempts: z
    .array(
      z.looseObject({
        number: z.number(),
        state: z.string(),
        reason: text,
        containers: z.record(z.string(), containerRecord).optional(),
      }),
    )
    .optional(),
  events: z
    .array(z.looseObject({ at: text, container: text, name: z.string(), count: z.number(), message: z.string() }))
    .optional(),
  azure: z.record(z.string(), z.unknown()).optional(),
  warnings: z.array(fault).optional(),
});
export type JobRecord = z.infer<typeof record>;

/** `GET /api/health/details`. */
export const health = z.looseObject({ status: z.string() });

/** Replies that only say something: delete, cancel, pause, resume. */
export const said = z.looseObject({ message: z.string().optional() });

const ends = new Set(["Succeeded", "Failed", "Stopped", "TimedOut", "Canceled"]);

/** True for a state that never changes again. */
export function hasEnded({ state }: { readonly state: string }): boolean {
  return ends.has(state);
}

/** `GET /api/poison`. */
export const poisonList = z.looseObject({
  messages: z.array(z.looseObject({ messageId: z.string(), insertedAt: z.string(), bytes: z.number() })),
});

/** `POST /api/reindex`. */
export const reindexed = z.looseObject({ message: z.string(), complete: z.boolean() });

/** `GET /api/adopt`. */
export const adoptable = z.looseObject({
  message: z.string(),
  enabled: z.boolean(),
  groups: z.array(
    z.looseObject({ name: z.string(), resourceGroup: z.string(), state: z.string(), replaceable: z.boolean() }),
  ),
});
