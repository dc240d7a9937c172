import { z } from "zod";
import { isErrorCode, statusOf } from "../../shared/base/errors.ts";
import { parameterTypes } from "../../shared/definition/index.ts";
import { groupings } from "../jobs/groupings.ts";
import { count, flag, jobId, message, once, locatedFault, state, text, time } from "./parts.ts";

const maybeTime = (description: string) => z.iso.datetime().nullable().meta({ description });

const probed = (description: string) =>
  z
    .strictObject({
      ok: flag("It answered when it was last asked; it is asked once a minute."),
      since: maybeTime("Since when that is so."),
      error: text("Why it does not work.").optional(),
    })
    .nullable()
    .meta({ description });

const problemCode = once(() =>
  z.literal(Object.keys(statusOf).filter(isErrorCode)).meta({ description: "Stable; docs/http.md explains each." }),
);

const group = once(() =>
  z.strictObject({
    group: text("Its name, in lower case."),
    held: count("Slots that are held."),
    limit: z.int().min(1).nullable().meta({ description: "The operator's; null where the operator has set no limit." }),
    paused: flag("An operator lets nobody in."),
    slots: z
      .array(
        z.strictObject({
          id: jobId(),
          name: text("The job's name."),
          since: time("It has its slot."),
          leaked: flag("It has ended, and Azure does not confirm that nothing of it runs any more.").optional(),
        }),
      )
      .meta({ description: "Who holds them: the first 20 in a list, the first 1,000 of one group." }),
    waiting: z
      .array(
        z.strictObject({
          id: jobId(),
          name: text("The job's name."),
          since: time("Its wait counts from: accepted less its priority."),
          limit: z.int().min(1).meta({ description: "Its own." }).optional(),
        }),
      )
      .meta({ description: "Who waits, the next first; as many." }),
    more: flag("Not all are shown."),
  }),
);

const percentiles = (what: string) =>
  z
    .strictObject({
      p50: z.number().min(0).nullable().meta({ description: "Half of them took no longer." }),
      p95: z.number().min(0).nullable().meta({ description: "95 of 100 took no longer." }),
    })
    .meta({ description: `${what}, of the jobs that have such a time; null where no job has it.` });

const summaryRow = once(() =>
  z.strictObject({
    key: text(
      "What these jobs have in common; empty for those without one. Hours as 2026-11-24T08:00:00Z, days as 2026-11-24.",
    ),
    count: count("How many."),
    succeeded: count("Of these."),
    failed: count("Of these, ended in any other way: Failed, Stopped, TimedOut, Canceled."),
    queueSeconds: percentiles("Accepted to the first create"),
    startSeconds: percentiles("Create to the first container's start"),
    runSeconds: percentiles("First container's start to the end"),
    vcpuSeconds: z.number().min(0).meta({ description: "All together." }),
    gbSeconds: z.number().min(0).meta({ description: "All together." }),
    cost: z.number().min(0).meta({ description: "All together, in `currency`." }),
  }),
);

const templateInfo = once(() =>
  z.strictObject({
    name: text("The template's."),
    version: count("From 1; never given twice."),
    createdAt: time("When this version was stored."),
    createdBy: text("Who stored it, by their token.").optional(),
    parameterNames: z.array(z.string()).meta({ description: "In the order of their declaration." }),
  }),
);

const parameterValue = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]);

const templateParameter = once(() =>
  z.strictObject({
    type: z.enum(parameterTypes),
    secret: flag("Its value is kept secret."),
    required: flag("It has no default."),
    description: text("What its author says of it.").optional(),
    default: parameterValue.meta({ description: "What it is unless it is given." }).optional(),
    values: z
      .array(z.union([z.string(), z.number()]))
      .meta({ description: "All that it may be." })
      .optional(),
    pattern: text("What its text must match (RE2), as a whole.").optional(),
  }),
);

/** Replies that are not about one job. */
export const serviceReplies = () => ({
  ProblemCode: problemCode(),
  Problem: z.strictObject({
    message: message(),
    code: problemCode(),
    errors: z.array(locatedFault()).meta({ description: "Every fault, each with its place." }).optional(),
    warnings: z.array(locatedFault()).meta({ description: "What is odd besides." }).optional(),
    requestId: text("Found in the service's logs."),
    id: jobId("Of the job that stands in the way.").optional(),
    name: text("Of the job that stands in the way.").optional(),
    state: state().optional(),
    ids: z.array(z.guid()).meta({ description: "Of the jobs that the name could mean." }).optional(),
    group: text("That has no free slot.").optional(),
    held: count("Slots of it that are held.").optional(),
    limit: z.int().min(1).meta({ description: "The smaller of the job's own and the operator's." }).optional(),
    waiting: count("Jobs that wait for one, counted to a thousand.").optional(),
    path: text("Where the two definitions of one idempotency key differ.").optional(),
    faults: z.array(z.string()).meta({ description: "What is wrong with the service's settings." }).optional(),
  }),
  SummaryRow: summaryRow(),
  Caller: z.strictObject({
    id: text("With `AUTH_MODE=entra`: of the person, or of the application that calls for itself.").optional(),
    may: z.array(z.enum(["read", "submit", "cancel", "steer", "operate"])).meta({
      description:
        "`submit` jobs, `cancel` its own, `steer` (cancel any, run again) one by one, `operate` on many at once.",
    }),
    teams: z
      .array(z.string())
      .meta({ description: "That the caller belongs to, where teams guard; a new job is the first one's." })
      .optional(),
  }),
  Summary: z.strictObject({
    by: z.enum(groupings),
    generatedAt: time("When the jobs were read: an answer is kept for a minute."),
    since: time("Accepted at or after."),
    until: time("Accepted before."),
    rows: z.array(summaryRow()).meta({ description: "Hours and days in their order, all else the largest first." }),
    skipped: count("Rows that can't be read and are not counted.").optional(),
    currency: text("Of `cost`."),
    truncated: flag("There are more jobs than were read: the newest were."),
  }),
  Log: z.strictObject({
    id: jobId(),
    name: text("The job's name."),
    state: state(),
    attempt: count("Of which attempt, from 1."),
    lines: z.array(
      z.strictObject({
        container: text("Whose output."),
        at: text("When, ISO 8601; empty where that is not known."),
        text: text("The line."),
        mark: flag("The line is the service's own: it says what is missing here.").optional(),
      }),
    ),
  }),
  Canceled: z.strictObject({
    message: message(),
    canceled: count("How many are being canceled."),
    matched: count("How many fit and are not canceled yet."),
    dryRun: flag("Nothing was done."),
    ids: z.array(z.guid()).max(1000).meta({ description: "The first thousand." }),
    unreadable: count("How many can't be read, and are left alone.").optional(),
    more: z.literal(true).meta({ description: "The time of one call was over; the service goes on." }).optional(),
  }),
  Rerun: z.strictObject({
    message: message(),
    rerun: count("How many run again."),
    matched: count("How many fit."),
    known: count("How many were run again before."),
    refused: count(
      "How many can't be run again: their definition is no longer kept, a policy forbids them, a ceiling is reached.",
    ),
    dryRun: flag("Nothing was done."),
    ids: z.array(z.guid()).max(1000).meta({ description: "The new jobs of this call, the first thousand." }).optional(),
    more: z.literal(true).meta({ description: "The time of one call was over; the service goes on." }).optional(),
  }),
  Priority: z.strictObject({ message: message(), id: jobId(), priority: z.int() }),
  Group: group(),
  Groups: z.strictObject({
    groups: z.array(group()).meta({ description: "Those of which a slot is held, or an operator has said something." }),
    continuation: text("Where the next page begins.").optional(),
  }),
  Paused: z.strictObject({ message: message(), paused: z.literal(true), reason: text("What people read.") }),
  Resumed: z.strictObject({
    message: message(),
    paused: z.literal(false),
    woken: count("How many waited for this."),
    more: z.literal(true).meta({ description: "The time of one call was over; the others follow." }).optional(),
  }),
  Reindexed: z.strictObject({
    message: message(),
    complete: flag("The index is whole: jobs are accepted again. False: call again."),
    jobs: count("Rows that were read so far."),
    skipped: count("Of these, rows that can't be read; their names are kept for them."),
  }),
  Adoptable: z.strictObject({
    message: message(),
    enabled: flag("`ADOPT_FINISHED_GROUPS` is on."),
    complete: flag("False where a list failed or was cut off."),
    groups: z.array(
      z.strictObject({
        name: z.string(),
        resourceGroup: z.string(),
        location: z.string().optional(),
        state: text("As Azure reports it, or Unknown."),
        replaceable: flag("A job of this name could replace it."),
      }),
    ),
  }),
  TemplateInfo: templateInfo(),
  TemplatePage: z.strictObject({
    templates: z.array(templateInfo()).meta({ description: "By name; of each its newest version." }),
    continuation: text("Where the next page begins; absent on the last.").optional(),
  }),
  TemplateParameter: templateParameter(),
  Template: templateInfo().extend({
    definition: text("Its text as it was stored: it can be edited and stored again."),
    parameters: z.record(z.string(), templateParameter()).meta({ description: "By name." }),
    allow: z.array(z.string()).meta({ description: "Options that a caller with Job.Run alone may set." }),
    versions: z
      .array(templateInfo())
      .meta({ description: "Those that are kept, newest first; absent where one version was asked for." })
      .optional(),
  }),
  TemplateStored: z.strictObject({
    message: message(),
    name: text("The template's."),
    version: count("The new one."),
    warnings: z.array(locatedFault()).meta({ description: "What is odd in it." }).optional(),
  }),
  TemplateDeleted: z.strictObject({ message: message() }),
  PoisonList: z.strictObject({
    messages: z
      .array(
        z.strictObject({
          messageId: text("What replay and drop take."),
          insertedAt: time("When it came."),
          bytes: count("Of its text, which is never shown."),
          id: text("Of its job, where the service itself gave the message up.").optional(),
          reason: text("Why it did.").optional(),
          since: time("Since when the message waited.").optional(),
        }),
      )
      .max(32),
  }),
  PoisonTaken: z.strictObject({
    message: message(),
    replayed: count("How many.").optional(),
    dropped: count("How many.").optional(),
    more: z.literal(true).describe("There are more: the time of one call was over.").optional(),
  }),
  Document: z.looseObject({ openapi: z.literal("3.1.0") }).meta({ description: "OpenAPI 3.1 of this service." }),
  Health: z.strictObject({ status: z.literal("ok") }),
  HealthDetails: z.strictObject({
    status: z.enum([
      "ok",
      "misconfigured",
      "late",
      "the job index is lost",
      "refused by Azure Resource Manager",
      "no answer from Azure Resource Manager",
    ]),
    version: text("Of the service."),
    lastReconcile: maybeTime("When the last pass over all that jobs hang on was completed."),
    timer: z
      .strictObject({ ok: flag("It runs."), since: maybeTime("Since when it runs, or when it last did.") })
      .meta({ description: "The platform's timer; without it, calls and messages bring the sweep on." }),
    queue: z
      .strictObject({ ok: flag("It delivers."), since: maybeTime("Since when it does, or when it last did.") })
      .meta({ description: "The queue aci-wake; without it, the sweep moves jobs, a few each minute." }),
    sweep: z
      .record(
        z.string(),
        z.strictObject({
          begunAt: maybeTime("When its last turn began."),
          completedAt: maybeTime("When it was last finished."),
          by: text("Who began it: timer, queue, operator."),
          unfinished: z.literal(true).meta({ description: "The next turn goes on with it." }).optional(),
          error: text("Why its last turn failed.").optional(),
        }),
      )
      .meta({ description: "How each part of the sweep went, by name." }),
    index: z
      .strictObject({ ok: flag("It is whole; otherwise `POST /api/reindex` rebuilds it.") })
      .meta({ description: "The job index: without it no job is accepted." }),
    storage: z
      .strictObject({
        ok: flag(
          "Its tables answer within two seconds. While they can't be read, the answer is a 503 that says since when.",
        ),
        since: maybeTime("Since when this instance can read it, or since when it is slow."),
        error: text("How slow it is.").optional(),
      })
      .meta({ description: "The storage account." }),
    logStorage: probed("Where logs are stored, while jobs are active; null until it was asked."),
    sealKey: probed("The key that seals definitions."),
    vault: probed("The vault that definitions refer to; null without one, and until it was asked."),
    eventTopic: probed("The Event Grid topic that gets events; null without one, and until the first minute is over."),
    webhook: probed("The webhook that is notified of ends; null without one, and until the first minute is over."),
    arm: z.strictObject({
      ok: flag("Azure Resource Manager answered last time."),
      since: maybeTime("Since when that is so."),
    }),
    lastArmSuccess: maybeTime("When Azure Resource Manager last answered."),
    throttledUntil: maybeTime("Until then it asked us to wait."),
    queueLength: count("Messages on aci-jobs."),
    wakeLength: count("Messages on aci-wake."),
    eventsLength: count("Messages on aci-events."),
    poisonLength: count("Messages on aci-jobs-poison."),
    wakePoisonLength: count("Messages on aci-wake-poison."),
    eventsPoisonLength: count("Messages on aci-events-poison."),
    activeJobs: count("Jobs that have not ended."),
    blockedJobs: count(
      "Jobs that something outside the service holds up, and ended ones whose group can't be deleted.",
    ),
    blocked: z.record(z.string(), count("How many.")).meta({ description: "The same by reason." }),
    leakedGroups: count("Groups that should be gone and are not."),
    undeliveredNotifications: count(
      "Ended jobs whose caller was not reached yet, and jobs with events that the topic or webhook did not take yet.",
    ),
    lateNotifications: count("Ended jobs whose caller was not reached for a minute."),
    droppedNotifications: count("Events that the topic or webhook did not take for a day."),
    oldestQueued: maybeTime("When the oldest job that waits was accepted."),
    waitingMessages: z
      .strictObject({
        count: count("How many; counted up to 5000."),
        oldest: maybeTime("Since when the oldest waits."),
        reasons: z.record(z.string(), count("How many wait for it.")),
      })
      .meta({ description: "Posted messages that wait for what they need, and are sent again." }),
    unreadableRows: count("Rows that can't be read; counted up to 1000."),
    unreadable: z
      .array(z.strictObject({ id: text("Of the job."), why: text("Why its row can't be read.") }))
      .max(10)
      .meta({ description: "The first ten of them." }),
    paused: z.strictObject({ reason: z.string(), since: maybeTime("Since when.") }).nullable(),
    faults: z.array(z.string()).meta({ description: "What is wrong with the settings." }),
    misspelt: z
      .array(z.string())
      .meta({ description: "Settings that nobody reads and that resemble a setting. They stop nothing." })
      .optional(),
  }),
});
