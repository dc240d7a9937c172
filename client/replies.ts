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
  containers: z.record(z.string(), container).optional(),
  initContainers: z.record(z.string(), container).optional(),
});
export type Status = z.infer<typeof status>;

/** Init containers first, as they ran. Absent from the replies of a service that reports them only at the end. */
export function containersOf({ initContainers, containers }: Status): readonly (readonly [string, Container])[] {
  return [...Object.entries(initContainers ?? {}), ...Object.entries(containers ?? {})];
}

const text = z.string().nullish();
const job = z.looseObject({
  id: z.string(),
  name: z.string(),
  state: z.string(),
  reason: text,
  createdAt: text,
  durationSeconds: z.number().nullish(),
  exitCode: z.number().nullish(),
});
export const jobs = z.looseObject({ jobs: z.array(job), continuation: text });
export type Job = z.infer<typeof job>;

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
