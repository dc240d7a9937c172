// Longer than 350 lines: the one schema of a row, whose parts nobody else uses.
import { z } from "zod";
import { groupName, parseJobId } from "../base/ids.ts";
import { openObject, openWord, openWordOf } from "../base/open.ts";
import { isReason } from "./reasons.ts";
import type { JobOptions } from "./options.ts";

/**
 * What a job is: the one record that its row holds. The states and what moves a job between them stand in `next-step.ts`.
 *
 *     Queued -> Provisioning -> Pending -> Running -> Succeeded | Failed | Stopped | TimedOut | Canceled
 *
 * The schema is what rows are read with, so that a row edited by hand or written by another release is refused with a sentence, or
 * understood; fields added later have defaults. All times are milliseconds since 1970.
 */
export const activeStates = ["Queued", "Provisioning", "Pending", "Running"] as const;
export const terminalStates = ["Succeeded", "Failed", "Stopped", "TimedOut", "Canceled"] as const;
type ActiveState = (typeof activeStates)[number];
export type TerminalState = (typeof terminalStates)[number];
export type State = ActiveState | TerminalState;

const time = z.number();
const reason = openWordOf(isReason);
const jobId = z.string().transform((text, context) => {
  const id = parseJobId(text);
  if (id !== undefined) return id;
  context.addIssue("must be a UUID");
  return z.NEVER;
});
const name = z.string().min(1).transform(groupName);
const place = openObject({ path: z.string(), line: z.number(), column: z.number(), message: z.string() });

const target = openObject({ subscriptionId: z.string(), resourceGroup: z.string(), location: z.string() });
/** Where this job's group is, or will be. */
export type JobTarget = z.infer<typeof target>;

const groupEvent = openObject({
  at: z.number().optional(),
  container: z.string().optional(),
  name: z.string(),
  type: z.string(),
  count: z.number(),
  message: z.string(),
});
/** One of ACI's events of a group or container (`Pulling`, `Started`, `Killing`, ...). */
export type GroupEvent = z.infer<typeof groupEvent>;

const azureError = openObject({
  code: z.string(),
  message: z.string(),
  httpStatus: z.number(),
  correlationId: z.string().optional(),
  requestId: z.string().optional(),
});
/** Azure's own error, redacted, kept to the letter otherwise. */
export type AzureError = z.infer<typeof azureError>;

const verdict = openObject({
  reason,
  /** The sentence for people; absent where the catalogue's advice says all. */
  detail: z.string().optional(),
  exitCode: z.number().optional(),
  container: z.string().optional(),
  /** Why it had not begun, where its time ran out before it did. */
  waitedFor: reason.optional(),
});
/** Why something ended. */
export type Verdict = z.infer<typeof verdict>;

/** How far the group's end has come: what was sent to Azure, and what was seen since. */
const removal = {
  /** When a delete or stop was last sent. */
  sentAt: time.optional(),
  /** When Azure last accepted a delete: from then on two absences prove that the group is gone. */
  deletedAt: time.optional(),
  /** Not sent again before this time: Azure refused it for now. */
  sendAt: time.optional(),
  /** Why Azure refused it, how often in a row, and since when. */
  refused: openObject({ reason, since: time, times: z.number() }).optional(),
  /** True where Azure's own answer proves that nothing is there. */
  gone: z.boolean().optional(),
  /** When the group was first seen absent since it was last seen, and how often. */
  absentAt: time.optional(),
  absences: z.number().optional(),
};

const ending = openObject({
  /** Where the job goes once ACI confirms that nothing runs any more; `Queued` is a new attempt. */
  to: z.enum([...terminalStates, "Queued"]),
  verdict,
  since: time,
  /** True once logs and exit codes are stored. */
  captured: z.boolean(),
  ...removal,
  /** Whether the new attempt costs the caller nothing. */
  free: z.boolean().default(false),
  /** The region had no quota or capacity though it accepted the create: the new attempt is a wait, with this reason. */
  wait: z.boolean().default(false),
  /** The group is stopped first and observed once more: it may tell an exit code then. */
  observeStopped: z.boolean().default(false),
});
/** An end that is decided but not confirmed: the row's `stopping`. */
export type Ending = z.infer<typeof ending>;

const waiting = openObject({
  reason,
  since: time,
  detail: z.string().optional(),
  position: z.number().optional(),
  /** When its create was expected to be sent, as the line stood when the row was saved. */
  expectedStartAt: time.optional(),
});
/** Why a queued job has not begun, and since when. */
export type Waiting = z.infer<typeof waiting>;

/** Of a phase in which containers run. */
const watched = {
  /**
   * Those that ran when last observed: when their logs were last read, when they are to be read again, and how many of the last lines
   * are likely to be enough then; all where that is not known.
   */
  logs: z.record(z.string(), openObject({ at: time, due: time, lines: z.number().optional() })).optional(),
  /** When the group is to be observed again; what comes before is for logs alone. */
  observeAt: time.optional(),
};

const knownPhase = z.discriminatedUnion("state", [
  openObject({
    state: z.literal("Queued"),
    waiting: waiting.optional(),
    /** Not before this time (a delay between attempts, `Retry-After`). */
    notBefore: time.optional(),
    /** How often this attempt's create was refused for now. */
    refusals: z.number().default(0),
  }),
  openObject({
    state: z.literal("Provisioning"),
    /** Tried since, without a clear answer so far. */
    sentAt: time,
    /** Until then the create may still take effect, though nobody waits for its answer any more. */
    mayLandUntil: time.optional(),
    /** What it waited for before: should this create be refused too, it has waited since then. */
    waiting: waiting.optional(),
    /** Azure answered the create with an error of its own: two absences prove that nothing was made. */
    answered: z.boolean().optional(),
    /** When the group was first seen absent after the claim ran out, and how often. */
    absentAt: time.optional(),
    absences: z.number().optional(),
    ending: ending.optional(),
  }),
  openObject({
    state: z.literal("Pending"),
    acceptedAt: time,
    absentAt: time.optional(),
    absences: z.number().optional(),
    ...watched,
    ending: ending.optional(),
  }),
  openObject({
    state: z.literal("Running"),
    startedAt: time,
    /** It has been seen running for longer than jobs of its name nearly always do. */
    late: z.boolean().optional(),
    absentAt: time.optional(),
    absences: z.number().optional(),
    ...watched,
    ending: ending.optional(),
  }),
  openObject({
    state: z.enum(terminalStates),
    verdict,
    finishedAt: time,
    /** `stopped`: it is there, and nothing runs in it. `present`: ACI did not confirm that. Either is observed until it is known to be gone. */
    group: openWord(["present", "stopped", "gone"]),
    /** False where the end could not wait for the logs: they are read before the group is deleted. */
    captured: z.boolean().default(true),
    /** The group stays until then, unless a new job needs its name. */
    keepUntil: time.optional(),
    ...removal,
    /** How often a delete was sent since the end. */
    sends: z.number().optional(),
    /** True once the name is free and everybody was notified. */
    tidy: z.boolean(),
  }),
]);

/** A phase that only a newer release can read, kept whole. Nothing is done to its job until a release that can is back. */
const newerPhase = z
  .looseObject({ state: z.string().min(1).max(64) })
  .transform((written) => ({ state: "Unknown" as const, written }));

const phase = z.union([knownPhase, newerPhase]);
/** The part of a job that differs by state. */
export type Phase = z.infer<typeof phase>;

const containerEnd = openObject({
  container: z.string(),
  init: z.boolean(),
  exitCode: z.number(),
  startTime: time.optional(),
  finishTime: time.optional(),
  detailStatus: z.string().optional(),
  /** The container's restart count then: a higher one means that the platform started it again. */
  restartCount: z.number(),
});
/** The first end of a container whose exit code is known. */
export type ContainerEnd = z.infer<typeof containerEnd>;

const containerView = openObject({
  container: z.string(),
  init: z.boolean(),
  state: z.string(),
  startTime: time.optional(),
  finishTime: time.optional(),
  exitCode: z.number().optional(),
  detailStatus: z.string().optional(),
  restartCount: z.number(),
});
/** What one container did when its group was last observed. */
export type ContainerView = z.infer<typeof containerView>;

const observed = openObject({
  /** When the create was accepted, or the group first seen. */
  acceptedAt: time.optional(),
  /** Where ARM says how the create ended: path and query. */
  operation: z.string().optional(),
  /** What the group was when it was seen with this attempt's tags; absent until it was. */
  identity: openObject({ containers: z.string(), starts: z.record(z.string(), time) }).optional(),
  /** A container has started, an init container included. */
  anyStarted: z.boolean().default(false),
  /** When the first ordinary container started. */
  startedAt: time.optional(),
  /** The first known ends, kept the moment they are seen: the platform may start a container again. */
  ends: z.array(containerEnd).default([]),
  /**
   * Each container as it was seen last: for people, and for what came of a pack's items whose end is not known. Absent in rows of older
   * releases.
   */
  containers: z.array(containerView).default([]),
  /** Since when the group says Running without showing any container. */
  bareSince: time.optional(),
  /** Since when all containers that count have ended, one at least without an exit code. */
  terminatedSince: time.optional(),
  /** Restarts of containers, whether counted as evictions or not, so that each is counted once. */
  restarts: z.number().default(0),
  evictions: z.number().default(0),
});
/** What is remembered of the present attempt's group between two observations. */
export type Observed = z.infer<typeof observed>;
export const nothingObserved: Observed = { anyStarted: false, ends: [], containers: [], restarts: 0, evictions: 0 };

const attempt = openObject({
  number: z.number(),
  state: z.string(),
  verdict,
  provisioningAt: time.optional(),
  startedAt: time.optional(),
  finishedAt: time,
  pullSeconds: z.number().optional(),
  location: z.string().optional(),
});
/** What is kept in the row of an attempt that ended; its containers are in the attempts table. */
export type Attempt = z.infer<typeof attempt>;

const typical = openObject({
  /** How many succeeded, of the last 20. */
  runs: z.number(),
  /** The median from the create to the first container's start, in milliseconds; and from there to the end. */
  start: z.number(),
  run: z.number(),
  /** The 95th percentile from the first container's start to the end, in milliseconds. */
  most: z.number(),
});
/** How long jobs of a name take. */
export type Typical = z.infer<typeof typical>;

const callback = openObject({
  state: openWord(["none", "pending", "delivered", "gone", "failed"]),
  tries: z.number(),
  nextAt: time.optional(),
});
/** How far the telling of a job's end has come. */
export type Delivery = z.infer<typeof callback>;

/** What is read of stored options; their words are anybody's, and an option that was added later is absent from old rows. */
const storedOptions = z.looseObject({
  timeout: z.number(),
  ...z
    .object({
      polling: z.string(),
      queueTimeout: z.number(),
      startTimeout: z.number(),
      runTimeout: z.number(),
      retries: z.number(),
      retryOn: z.array(z.looseObject({ when: z.union([z.string(), z.looseObject({})]), retry: z.boolean() })),
      onConflict: z.string(),
      uniqueName: z.boolean(),
      main: z.string(),
      keep: z.string(),
      lease: z.number(),
      group: z.string(),
      groupLimit: z.number(),
      onGroupFull: z.string(),
      priority: z.number(),
      team: z.string(),
      tags: z.record(z.string(), z.string()),
      source: z.looseObject({
        factory: z.string(),
        pipeline: z.string(),
        pipelineRunId: z.string(),
        activity: z.string(),
      }),
      failureStatus: z.number(),
      outputLimit: z.number(),
      array: z.number(),
      parallelism: z.number(),
      failFast: z.boolean(),
      minSuccess: z.union([z.number(), z.string()]),
      pack: z.number(),
    })
    .partial().shape,
});
const options = z.custom<JobOptions>((value) => storedOptions.safeParse(value).success);

export const itemFailure = openObject({
  index: z.number(),
  state: z.string(),
  reason,
  exitCode: z.number().optional(),
});
/** An index of an array that did not succeed. */
export type ItemFailure = z.infer<typeof itemFailure>;

export const endCounts = openObject({
  Succeeded: z.number(),
  Failed: z.number(),
  Stopped: z.number(),
  TimedOut: z.number(),
  Canceled: z.number(),
});
/** How many indexes of an array ended in each way. */
export type EndCounts = z.infer<typeof endCounts>;

const pack = openObject({
  number: z.number(),
  items: z.array(z.number()),
  /** How often its first item had been tried before. Once that is one more, the pack has ended. */
  tries: z.number(),
  /** When it was to be made, while that is not known to have happened. */
  at: time.optional(),
});
/** A child of an array that runs several of its items, a container each. */
export type Pack = z.infer<typeof pack>;

const packing = openObject({
  /** The number of items in a pack. */
  size: z.number(),
  /** The number of the next pack. */
  next: z.number().default(0),
  /** Those that exist, or are being made, as far as their ends were not counted when that was last read. */
  packs: z.array(pack).default([]),
  /** Since when items that are to be tried again wait for others to fill a pack with. */
  waitsSince: time.optional(),
});
/** How the items of an array are put into packs. */
export type Packing = z.infer<typeof packing>;

const arrayState = openObject({
  /** Of the whole array, which each child gets as a variable. */
  size: z.number(),
  /** The indexes that run, where not all do: from, to, both included, in ascending order. */
  only: z.array(z.tuple([z.number(), z.number()])).optional(),
  /** How many children that have not ended exist at once. */
  parallelism: z.number(),
  failFast: z.boolean(),
  /** How many must succeed; all where it is absent. */
  minSuccess: z.number().optional(),
  /** Of the indexes that run, in their order, how many have had their child made for certain. */
  made: z.number().default(0),
  /** The children that are being made, by their place in that order: from, and up to but without `to`. */
  step: openObject({ from: z.number(), to: z.number(), at: time }).optional(),
  /** Where its children are packs: then `made` counts the items that were put into one, and a step is a pack with a time. */
  packing: packing.optional(),
  /** What had ended when that was last read. */
  counts: endCounts,
  /** Those with the lowest indexes, at most 20. */
  failures: z.array(itemFailure).default([]),
  vcpuSeconds: z.number().default(0),
  gbSeconds: z.number().default(0),
  /** An end that is decided: no more children are made, and those that exist are canceled. */
  ending: openObject({ state: z.enum(terminalStates), verdict, since: time }).optional(),
  /** Why its children wait, while it is Running and no child runs. */
  waiting: waiting.optional(),
});
/** What makes a job an array. */
export type ArrayState = z.infer<typeof arrayState>;

const containerSpec = openObject({ name: z.string(), init: z.boolean() });

export const jobSchema = openObject({
  version: z.literal(1),
  id: jobId,
  /** As the caller wrote it. */
  name,
  /** Of the container group: the name, or with `uniqueName` the name and a suffix. */
  groupName: name,
  /** True where the name must be held against others. */
  holds: z.boolean(),
  apiVersion: z.string(),
  /** The region that the definition names. */
  wantedLocation: z.string().optional(),
  containers: z.array(containerSpec),
  images: z.array(z.string()),
  restartPolicy: openWord(["Always", "OnFailure", "Never"]),
  spot: z.boolean().default(false),
  cpu: z.number(),
  memoryGB: z.number(),
  options,
  warnings: z.array(place),
  via: openWord(["http", "queue", "rerun"]),
  requestedBy: z.string().optional(),
  correlationId: z.string().optional(),
  replyTo: z.string().optional(),
  /** The queue's own id of the message that brought the job, where one did. */
  messageId: z.string().optional(),
  /** Its definition could not be sealed yet: the message that brought the job, which is sent again, has it. */
  awaitsDefinition: z.boolean().default(false),
  rerunOf: jobId.optional(),
  /** The template that it is a run of. */
  template: openObject({ name: z.string(), version: z.number() }).optional(),
  /** Of an array: it has no container group of its own, and children instead. */
  array: arrayState.optional(),
  /** Of an array's child: whose, and which. */
  child: openObject({
    array: jobId,
    arrayAt: time,
    /** Of a pack its number. */
    index: z.number(),
    size: z.number(),
    /** Of a pack the indexes that it runs, in the order of its containers, and how often the platform may take one in a row for free. */
    items: z.array(z.number()).optional(),
    freeRetries: z.number().optional(),
    /** The result of the attempt that was captured last: JSON. A longer one is in its attempt alone. */
    result: z.string().optional(),
    resultIn: openWord(["attempt"]).optional(),
  }).optional(),
  /** Callers that attached since: found by an id of their own, notified of the end on a queue of their own. */
  joined: z
    .array(openObject({ id: jobId.optional(), replyTo: z.string().optional(), correlationId: z.string().optional() }))
    .default([]),
  traceparent: z.string().optional(),
  /** Hash of the idempotency key, which names its index entry. */
  keyHash: z.string().optional(),

  createdAt: time,
  deadlineAt: time,
  queuedAt: time,
  /** First create sent, over all attempts. */
  firstCreateAt: time.optional(),
  provisioningAt: time.optional(),
  startedAt: time.optional(),
  /** How long jobs of this name took before; unknown of the first. */
  typical: typical.optional(),
  attempt: z.number(),
  /** Retries of the caller that are used up, and free ones in a row. */
  retriesUsed: z.number(),
  freeInRow: z.number(),
  attempts: z.array(attempt),
  placed: target.optional(),
  /** The queue in which it waits for capacity, not the one for its name. */
  line: z.string().optional(),

  /** It gave the slot of its group back: it waits for something else, or nothing runs in the group that it keeps. */
  slotLeft: z.boolean().optional(),
  /** It holds one of its team's slots as well, or did until it gave all of them back. */
  teamSlot: z.boolean().optional(),
  /** When it took a slot again since. */
  slotAt: time.optional(),

  /** What the observations of this attempt's group gave so far. */
  observed: observed.default(nothingObserved),
  /** Azure's refusal of this attempt's create that came last, how often in a row, and since when. */
  refused: openObject({
    reason,
    since: time,
    times: z.number(),
    /** How often in a row it was refused for causes of its targets, or for no known one: these may come in turn. */
    inRow: z.number().optional(),
    retryAfter: z.number().optional(),
    detail: z.string().optional(),
    doubtful: z.boolean().default(false),
    /** Another job's create was accepted in the region meanwhile. */
    othersAccepted: z.boolean().default(false),
  }).optional(),
  /** Targets that refused this attempt for a cause of their own, or for no known one: why, since when without another answer, and when last. */
  refusals: z
    .array(openObject({ ...target.shape, reason, since: time, lastAt: time, doubtful: z.boolean().optional() }))
    .optional(),
  /** Waits in a row for quota or capacity after accepted creates. */
  waits: z.number().default(0),
  /** Spot evictions over all attempts. */
  evictions: z.number().default(0),
  /** Spot was given up: the group is asked for with priority Regular. */
  regular: z.boolean().default(false),
  /** When Azure last accepted a delete of this job's, or of an earlier job's group of this name. */
  lastDeleteAt: time.optional(),
  /** The group could not be read, or was not visible, at every observation since then. */
  unseen: openObject({ reason, since: time }).optional(),

  phase,
  history: z.array(openObject({ at: time, from: z.string(), to: z.string(), reason: z.string(), attempt: z.number() })),
  events: z.array(groupEvent),
  azure: azureError.optional(),
  cancel: openObject({ at: time, reason, by: z.string().optional() }).optional(),
  /** No finished group stays, whatever `keep` says: another job needs the name, or somebody canceled this one. */
  yield: z.boolean().default(false),
  /** Captured logs were removed: their time was over. */
  logsDropped: z.boolean().default(false),
  /** When somebody last read the job's own `Location`. */
  leaseSeenAt: time.optional(),
  /** What is known of all callers of a kind together. */
  callback,
  reply: callback,
  /** The same of each of them (`deliveries.ts`). Empty in rows of older releases, and until the first is notified. */
  notified: z
    .object({ callbacks: z.array(callback), replies: z.array(callback) })
    .default({ callbacks: [], replies: [] }),
  /** The sequence of the last event that each of the operator's endpoints has (`job-events.ts`). */
  published: openObject({ eventTopic: z.number().optional(), webhook: z.number().optional() }).optional(),

  /** When the next observation is due; only the message with exactly this time counts. */
  lookAt: time,
  /** Until then nobody but the claim's maker may change anything in ACI. */
  claimUntil: time.optional(),
  /** The `checkAt` last written to the job's index entry: when the timer checks whether its observations stopped. */
  checkAt: time.default(0),
});
/** A job, as the row keeps it. No secret is in it. */
export type Job = z.infer<typeof jobSchema>;

/** A phase in which a group exists, or may. */
export type LivePhase = Extract<Phase, { state: "Provisioning" | "Pending" | "Running" }>;
export type TerminalPhase = Extract<Phase, { state: TerminalState }>;

export function hasEnded(phase: Phase): phase is TerminalPhase {
  return terminalStates.some((state) => state === phase.state);
}

/** The message of a posted job is to bring its definition, which could not be sealed yet. */
export function isDefinitionAwaited({ awaitsDefinition, phase }: Pick<Job, "awaitsDefinition" | "phase">): boolean {
  return awaitsDefinition && !hasEnded(phase);
}

/** The state as callers see it. A phase of a newer release shows its own word, unless that would pass for an end that we can read. */
export function stateWord(phase: Phase): string {
  if (phase.state !== "Unknown") return phase.state;
  const { state } = phase.written;
  return terminalStates.some((terminal) => terminal === state) ? "Unknown" : state;
}

/** The record that a row keeps of a job. */
export function recordOf(job: Job): object {
  return job.phase.state === "Unknown" ? { ...job, phase: job.phase.written } : job;
}

/** A phase in which containers run, or init containers at least. */
export function hasContainers(phase: Phase): phase is Extract<Phase, { state: "Pending" | "Running" }> {
  return phase.state === "Pending" || phase.state === "Running";
}

/** The end that is under way, if one is. */
export function endingOf(phase: Phase): Ending | undefined {
  return "ending" in phase ? phase.ending : undefined;
}
