import { createHash } from "node:crypto";
import { defined } from "../base/defined.ts";
import { second } from "../base/duration.ts";
import { childJobId, groupName, packSuffixLength, uniqueGroupName, type GroupName, type JobId } from "../base/ids.ts";
import { parseTraceparent } from "../base/traceparent.ts";
import type { Definition } from "../definition/index.ts";
import { nothingEnded, withLeft, type LeftOfArray } from "../job/array-outcomes.ts";
import { nothingObserved, type ArrayState, type Delivery, type Job } from "../job/job.ts";
import { leastSuccesses } from "../job/option-readers.ts";
import { defaultParallelism, type JobOptions } from "../job/options.ts";
import { childGroupName } from "../job/child-group.ts";
import type { NewChild } from "../job/array-step.ts";
import type { Checked, Submission } from "./submission.ts";

/** At most this many warnings are kept in a row. */
export const maxWarnings = 50;

/** A job as its life begins: nothing of it exists yet but what its caller said. */
export function newJob(
  submission: Submission,
  { definition, options, warnings, callBackUri, template, keysOf }: Checked,
  id: JobId,
  createdAt: number,
): Job {
  const { view } = definition;
  const name = groupName(definition.name);
  return {
    ...beginning(id, name, options, createdAt),
    groupName: options.uniqueName ? uniqueGroupName(name, id, roomForIndex(options)) : name,
    ...partsOf(definition),
    warnings: warnings.slice(0, maxWarnings),
    via: submission.via,
    phase: { state: "Queued", refusals: 0 },
    callback: delivery(callBackUri),
    reply: delivery(submission.replyTo),
    ...defined({
      wantedLocation: view.location,
      requestedBy: submission.requestedBy,
      correlationId: submission.correlationId,
      replyTo: submission.replyTo,
      messageId: submission.id?.messageId,
      rerunOf: submission.rerunOf,
      template,
      traceparent: parseTraceparent(submission.traceparent),
      array: arrayState(options),
      keyHash: submission.idempotencyKey === undefined ? undefined : hashOf(submission.idempotencyKey, keysOf),
    }),
  };
}

/** @param left of an array that runs another again */
export function asRerun(job: Job, rerunOf: JobId | undefined, left: LeftOfArray | undefined): Job {
  const { array } = job;
  return {
    ...job,
    ...defined({ rerunOf }),
    ...(array === undefined || left === undefined ? {} : { array: withLeft(array, left) }),
  };
}

/** What a job keeps of its definition. */
function partsOf({ apiVersion, view }: Definition) {
  return {
    holds: true,
    apiVersion,
    containers: [
      ...view.initContainers.map((init) => ({ name: init, init: true })),
      ...view.containers.map((container) => ({ name: container.name, init: false })),
    ],
    images: [...view.images],
    restartPolicy: view.restartPolicy,
    spot: view.priority === "Spot",
    cpu: view.cpu,
    memoryGB: view.memoryGB,
  };
}

/** Of an array, of which no child is made yet. */
function arrayState({ array: size, parallelism, failFast, minSuccess, pack }: JobOptions): ArrayState | undefined {
  if (size === undefined) return undefined;
  const { counts, failures, vcpuSeconds, gbSeconds } = nothingEnded;
  return {
    size,
    parallelism: parallelism ?? defaultParallelism,
    failFast,
    ...defined({
      minSuccess: minSuccess && leastSuccesses(minSuccess, size),
      packing: pack === undefined ? undefined : { size: pack, next: 0, packs: [] },
    }),
    made: 0,
    counts,
    failures: [...failures],
    vcpuSeconds,
    gbSeconds,
  };
}

/** For what the names of its children's groups have after its own. */
function roomForIndex({ array, pack }: JobOptions): number {
  if (array === undefined) return 0;
  return pack === undefined ? `-${array - 1}`.length : packSuffixLength;
}

/** No key has a character that does not print, so that no key of one team is another's. */
function hashOf(key: string, team: string | undefined): string {
  return createHash("sha256")
    .update(team === undefined ? key : `${team}\0${key}`)
    .digest("hex");
}

/**
 * A child of an array as its life begins. What callers were promised is the array's to keep: nobody is notified of a child.
 *
 * @param definition what it runs, its item put in
 * @param freeRetries how often in a row the platform may take an item of a pack for free
 */
export function newChild(
  array: Job,
  { number, items, at }: NewChild,
  definition: Definition,
  freeRetries: number,
): Job {
  const { view } = definition;
  const { id, createdAt, options, name, array: state } = array;
  const asked: JobOptions = {
    ...options,
    polling: "false",
    timeout: Math.max(1, array.deadlineAt - at),
    onConflict: "wait",
    uniqueName: false,
    lease: undefined,
    array: undefined,
    parallelism: undefined,
    failFast: false,
    minSuccess: undefined,
    pack: undefined,
  };
  const own = { index: number, ...(items === undefined ? {} : { items: [...items], freeRetries }) };
  return {
    ...beginning(childJobId(id, createdAt, number), name, asked, at),
    groupName: childGroupName(array.groupName, own),
    child: { array: id, arrayAt: createdAt, size: state?.size ?? 1, ...own },
    ...partsOf(definition),
    ...defined({ wantedLocation: view.location, template: array.template, traceparent: array.traceparent }),
    ...defined({ requestedBy: array.requestedBy, typical: array.typical }),
    warnings: [],
    via: array.via,
    phase: { state: "Queued", refusals: 0 },
    callback: delivery(undefined),
    reply: delivery(undefined),
  };
}

/** When the sweep asks after a job whose message did not come. */
const firstCheck = 45 * second;

/** What holds of every job that begins now, whatever it is to run. */
export function beginning(id: JobId, name: GroupName, options: JobOptions, createdAt: number) {
  return {
    version: 1,
    id,
    name,
    groupName: name,
    options,
    observed: nothingObserved,
    waits: 0,
    evictions: 0,
    regular: false,
    createdAt,
    queuedAt: createdAt,
    deadlineAt: createdAt + options.timeout,
    attempt: 1,
    retriesUsed: 0,
    freeInRow: 0,
    attempts: [],
    history: [{ at: createdAt, from: "", to: "Queued", reason: "Accepted", attempt: 1 }],
    events: [],
    joined: [],
    notified: { callbacks: [], replies: [] },
    awaitsDefinition: false,
    yield: false,
    logsDropped: false,
    lookAt: createdAt,
    checkAt: createdAt + firstCheck,
  } as const satisfies Partial<Job>;
}

/** Whether an address is to be notified of the end. */
export function delivery(to: string | undefined): Delivery {
  return { state: to === undefined ? "none" : "pending", tries: 0 };
}
