import { z } from "zod";
import type { JobOptions } from "../../shared/job/options.ts";
import type { listedColumns } from "../../shared/store/job-row.ts";
import {
  azureError,
  container,
  containerSoFar,
  count,
  flag,
  jobId,
  message,
  once,
  queue,
  faultDomain,
  faultDomainCode,
  late,
  locatedFault,
  reason,
  reasonCode,
  result,
  seconds,
  state,
  stateCode,
  stopping,
  text,
  time,
  waiting,
  word,
} from "./parts.ts";
import { arrayCounts, arrayParts, arrayRecord, arrayReplies, arrayStatus, itemResult } from "./array-replies.ts";

/** A row of the list: the columns of docs/tables.md. */
const rowMembers = () =>
  ({
    id: jobId(),
    name: text("As its caller wrote it."),
    groupName: text("Of the container group: the name, or with `uniqueName` the name and a suffix."),
    state: state(),
    reason: reason().optional(),
    message: message(),
    fault: faultDomain().optional(),
    attempt: count("From 1."),
    createdAt: time("Accepted."),
    queuedAt: time("This attempt began to wait."),
    provisioningAt: time("This attempt's create was sent.").optional(),
    startedAt: time("This attempt's first container started.").optional(),
    finishedAt: time("Ended.").optional(),
    keptUntil: time("When a group that is kept goes.").optional(),
    deadlineAt: time("`createdAt` and `timeout`."),
    expectedStartAt: time("While it stands in a wait queue: when its create is expected to be sent.").optional(),
    expectedEndAt: time("Once its name has five successes: when it is expected to end.").optional(),
    queueSeconds: seconds("Accepted to the first create.").optional(),
    startSeconds: seconds("Create to the first container's start, this attempt.").optional(),
    pullSeconds: seconds("Of the images, by Azure's events.").optional(),
    runSeconds: seconds("First container's start to the job's end.").optional(),
    durationSeconds: seconds("Accepted to ended.").optional(),
    evictions: count("How often Azure took a Spot group's capacity back, over all attempts.").optional(),
    exitCode: z.int().meta({ description: "Of `main`, else of the container that failed first, else 0." }).optional(),
    failedContainer: text("Whose exit code that is.").optional(),
    containerCount: count("Init containers left out."),
    images: text("Separated by commas."),
    cpu: z.number().meta({ description: "Cores that the group asks for." }),
    memoryGB: z.number().meta({ description: "Memory that the group asks for." }),
    vcpuSeconds: seconds("Over all attempts.").optional(),
    gbSeconds: seconds("Over all attempts.").optional(),
    costEstimate: z.number().min(0).meta({ description: "In `currency`." }).optional(),
    currency: text("Of the estimate."),
    location: text("Region of the group.").optional(),
    resourceGroup: text("Of the group.").optional(),
    groupDeleted: flag("The group is known to be gone, or was never created."),
    stopping: stopping().optional(),
    requestedBy: text("Who asked, by their token.").optional(),
    via: z.enum(["http", "queue", "rerun"]).meta({ description: "How it came." }),
    factory: text("Of the option `source`.").optional(),
    pipeline: text("Of the option `source`.").optional(),
    pipelineRunId: text("Of the option `source`.").optional(),
    activity: text("Of the option `source`.").optional(),
    tags: z
      .union([z.record(z.string(), z.string()), z.string()])
      .meta({ description: "Its labels; text where the cell was edited by hand and is no JSON." }),
    group: text("Of the option `group`, in lower case.").optional(),
    priority: z.int().meta({ description: "Seconds of head start in wait queues." }).optional(),
    team: text("Whose job it is, in lower case.").optional(),
    rerunOf: jobId("Of the job that this one runs again.").optional(),
    template: text("The template that it is a run of.").optional(),
    templateVersion: count("Of its template.").optional(),
    array: z
      .union([arrayCounts(), z.string()])
      .meta({
        description: "Of an array: its size, and how many ended in each way; text where the cell was edited by hand.",
      })
      .optional(),
    arrayId: jobId().optional(),
    arrayIndex: count("Which of the array's items it runs, from 0.").optional(),
    messageId: text("Of the queue's message that brought it.").optional(),
    warnings: count("How many the definition got."),
    callbackState: z
      .enum(["none", "pending", "delivered", "gone", "failed"])
      .meta({ description: "Of `callBackUri`." }),
    version: z.int().meta({ description: "Of the row's form." }),
  }) satisfies Readonly<Record<(typeof listedColumns)[number], z.ZodType>>;

/** Options as a record shows them: durations as ISO 8601, and an option that was not given is absent unless it has a default. */
const shownOptions = () =>
  ({
    polling: word(["false", "true", "started", "link"]),
    timeout: z.iso.duration(),
    queueTimeout: z.iso.duration().optional(),
    startTimeout: z.iso.duration(),
    runTimeout: z.iso.duration().optional(),
    retries: z.int().min(0),
    retryOn: z.array(
      z.strictObject({
        when: z.union([
          z.strictObject({ exitCodes: z.tuple([z.int(), z.int()]) }),
          z.strictObject({ reason: reason("That reason.") }),
          z.strictObject({ party: faultDomain() }),
          word(["anything"]),
        ]),
        retry: z.boolean(),
      }),
    ),
    onConflict: word(["reject", "wait", "replace", "attach"]),
    uniqueName: z.boolean(),
    main: z.string().optional(),
    keep: word(["never", "failed", "always"]),
    lease: z.iso.duration().optional(),
    env: z.boolean(),
    group: z.string().optional(),
    groupLimit: z.int().min(1).optional(),
    onGroupFull: word(["wait", "reject"]).optional(),
    priority: z.int().optional(),
    team: z.string().optional(),
    tags: z.record(z.string(), z.string()),
    source: z
      .strictObject({ factory: z.string(), pipeline: z.string(), pipelineRunId: z.string(), activity: z.string() })
      .optional(),
    failureStatus: z.int(),
    outputLimit: z.int().min(0),
    array: z.int().min(1).optional(),
    parallelism: z.int().min(1).optional(),
    failFast: z.boolean().optional(),
    minSuccess: z.union([z.int().min(1), z.string()]).optional(),
    pack: z.int().min(2).optional(),
    strict: z.boolean(),
    dryRun: z.boolean(),
  }) satisfies Readonly<Record<keyof JobOptions, z.ZodType>>;

const verdictMembers = () => ({
  reason: reason("Why it ended."),
  detail: text("The sentence for people.").optional(),
  exitCode: z.int().optional(),
  container: text("Whose exit code that is.").optional(),
  waitedFor: reason("Why it had not begun, where its time ran out before it did.").optional(),
});

const attempt = once(() =>
  z.strictObject({
    number: count("From 1."),
    state: text("How it ended."),
    ...verdictMembers(),
    provisioningAt: time("Its create was sent.").optional(),
    startedAt: time("Its first container started.").optional(),
    finishedAt: time("It ended."),
    pullSeconds: seconds("Of the images, by Azure's events.").optional(),
    location: text("Region of its group.").optional(),
    containers: z.record(z.string(), container()),
    result: result().optional(),
  }),
);

const row = once(() => z.strictObject(rowMembers()));

const historyLine = once(() =>
  z.strictObject({
    at: time("When."),
    from: text("The state before; empty of the first."),
    to: text("The state after."),
    reason: text("Why."),
    attempt: count("From 1."),
  }),
);

const groupEvent = once(() =>
  z.strictObject({
    at: time("When.").optional(),
    container: text("Of which; absent of the group's own.").optional(),
    name: text("As Azure names it: Pulling, Started, Killing."),
    type: text("Normal or Warning."),
    count: count("How often."),
    message: text("Azure's own words, with secrets masked."),
  }),
);

/** What other replies are made of, under names of their own in the description. */
export const jobParts = () => ({
  State: stateCode(),
  Reason: reasonCode(),
  Party: faultDomainCode(),
  Fault: locatedFault(),
  AzureError: azureError(),
  Container: container(),
  ContainerSoFar: containerSoFar(),
  HistoryLine: historyLine(),
  GroupEvent: groupEvent(),
  Attempt: attempt(),
  JobRow: row(),
  ...arrayParts(),
});

export const jobReplies = () => ({
  ...arrayReplies(),
  Accepted: z.strictObject({
    message: message(),
    name: text("As its caller wrote it."),
    state: state(),
    id: jobId(),
    statusUrl: z.url(),
    logsUrl: z.url(),
    attached: z.literal(true).meta({ description: "An earlier job, which the call joined." }).optional(),
    rerunOf: jobId("Of the job that this one runs again.").optional(),
    warnings: z.array(locatedFault()).optional(),
  }),
  Checked: z.strictObject({
    message: message(),
    name: text("As its caller wrote it."),
    dryRun: z.literal(true),
    warnings: z.array(locatedFault()),
  }),
  Status: z.strictObject({
    message: message(),
    name: text("As its caller wrote it."),
    state: state(),
    id: jobId(),
    attempt: count("From 1."),
    createdAt: time("Accepted."),
    startedAt: time("This attempt's first container started.").optional(),
    team: text("Whose job it is.").optional(),
    logsUrl: z.url(),
    rerunOf: jobId("Of the job that this one runs again.").optional(),
    warnings: z.array(locatedFault()).optional(),
    azure: azureError().optional(),
    containers: z
      .record(z.string(), containerSoFar())
      .meta({ description: "By name; empty while they run." })
      .optional(),
    initContainers: z.record(z.string(), containerSoFar()).optional(),
    reason: reason().optional(),
    waiting: z
      .strictObject({ ...waiting(), advice: text("What can be done about it.") })
      .meta({ description: "Why it has not begun; of an array that runs, why no child does." })
      .optional(),
    queue: queue().optional(),
    expectedEndAt: time("Once its name has five successes: when it is expected to end.").optional(),
    late: late().optional(),
    stopping: stopping().optional(),
    fault: faultDomain().optional(),
    advice: text("What can be done about it.").optional(),
    exitCode: z.int().optional(),
    failedContainer: text("Whose exit code that is.").optional(),
    finishedAt: time("Ended.").optional(),
    groupDeleted: flag("The group is gone.").optional(),
    result: result().optional(),
    array: arrayStatus().optional(),
    resultsUrl: z.url().meta({ description: "Of an array: what came of each index." }).optional(),
    results: z
      .array(itemResult())
      .meta({ description: "Of an array that has ended: by index, as many as fit into 256 KiB." })
      .optional(),
    resultsTruncated: z.literal(true).meta({ description: "`resultsUrl` has more." }).optional(),
  }),
  Unknown: z.strictObject({
    message: message(),
    id: jobId(),
    state: z.literal("Unknown").meta({ description: "It can't be read now; ask again." }),
  }),
  ResultStored: z.strictObject({
    message: message(),
    id: jobId(),
    attempt: count("From 1."),
  }),
  Deleted: z.strictObject({
    message: message(),
    name: text("As its caller wrote it."),
    state: state(),
    id: jobId(),
    groupDeleted: flag("The group is gone."),
  }),
  JobPage: z.strictObject({
    jobs: z.array(row()),
    skipped: count("Rows that can't be read and are left out.").optional(),
    continuation: text("Where the next page begins; absent on the last one.").optional(),
  }),
  UnreadableJob: z
    .strictObject(rowMembers())
    .partial()
    .extend({ id: jobId(), unreadable: text("Why there is no more.") })
    .meta({ description: "The columns of a row that can't be read." }),
  Definition: z.strictObject({
    id: jobId(),
    definition: z
      .record(z.string(), z.unknown())
      .meta({ description: "The container group as it was submitted; `***` stands for what is or may be a secret." }),
  }),
  JobRecord: z.strictObject({
    ...rowMembers(),
    apiVersion: text("Of the definition."),
    array: arrayRecord().optional(),
    resultsUrl: z.url().meta({ description: "Of an array: what came of each index." }).optional(),
    containers: z.record(z.string(), containerSoFar().extend({ init: z.literal(true).optional() })),
    options: z.strictObject(shownOptions()),
    warnings: z.array(locatedFault()),
    lookAt: time("When the service looks at its group next."),
    waiting: z.strictObject(waiting()).meta({ description: "Why it has not begun." }).optional(),
    queue: queue().optional(),
    late: late().optional(),
    cancel: z
      .strictObject({ at: time("When."), reason: reason("Why."), by: text("Who, by their token.").optional() })
      .optional(),
    history: z
      .array(historyLine())
      .meta({ description: "Its states, and its longer waits (from and to `Queued`), oldest first." }),
    events: z.array(groupEvent()).meta({ description: "Azure's events of the group and its containers." }),
    attempts: z.array(attempt()).meta({ description: "Those that ended, oldest first." }),
    azure: azureError().optional(),
    correlationId: text("Of the message that posted it.").optional(),
    replyState: word(["none", "pending", "delivered", "gone", "failed"]).meta({ description: "Of `replyTo`." }),
  }),
});
