/** Builders of what the core works on: a job as it was accepted, a group as it was seen. Times are milliseconds since 1970. */
import { day, hour, minute, second } from "../../src/shared/base/duration.ts";
import { InstallationTag } from "../../src/shared/aci/installation-tag.ts";
import { groupName, mintJobId, type JobId } from "../../src/shared/base/ids.ts";
import {
  jobSchema,
  nothingObserved,
  type Ending,
  type Job,
  type Observed,
  type Phase,
  type Verdict,
} from "../../src/shared/job/job.ts";
import type { ObservedContainer, ObservedGroup, Observation } from "../../src/shared/job/observation.ts";
import { identityOf } from "../../src/shared/job/observed-group.ts";
import type { JobOptions } from "../../src/shared/job/options.ts";
import type { Pacing } from "../../src/shared/base/rewrite.ts";
import type { Submission } from "../../src/shared/intake/submission.ts";
import { parseSettings, type Settings } from "../../src/shared/config/settings.ts";
import type { Rules } from "../../src/shared/job/step.ts";

/** 2026-11-24T08:00:00Z */
export const start = Date.UTC(2026, 10, 24, 8);

export const subscription = "11111111-2222-3333-4444-555555555555";
export const resourceGroup = "rg-jobs";
export const target = { subscriptionId: subscription, resourceGroup, location: "westeurope" };

/** The n-th id of a test. */
export function jobId(n = 1, at = start): JobId {
  return mintJobId(
    at,
    Uint8Array.from({ length: 10 }, (_, index) => (n * 31 + index * 7) % 256),
  );
}

export const rules: Rules = {
  stopTimeout: 15 * minute,
  keepTime: 24 * hour,
  observationFloor: 2 * second,
  observationCeiling: minute,
  backlog: 0,
  freeRetries: 5,
  maxRestarts: 10,
  absenceTime: 3 * minute,
  exitCodeTime: 10 * minute,
  refusalTime: hour,
  targets: [target],
  createFailedTime: 6 * hour,
  targetGoneTime: day,
  spotFallbackAfter: 0,
  adoptFinishedGroups: false,
  random: 0.5,
};

/** How what is written again is paced where no time passes. */
export const pacing: Pacing = { now: () => start, sleep: () => Promise.resolve(), random: () => 0.5 };

/** Settings as a local stack has them, without a fault. */
export function settings(environment: Readonly<Record<string, string>> = {}): Settings {
  return parseSettings({
    AZURE_SUBSCRIPTION_ID: subscription,
    AZURE_RESOURCE_GROUP: resourceGroup,
    AZURE_RESOURCE_MANAGER_ENDPOINT: "http://127.0.0.1:9",
    AzureWebJobsStorage: "UseDevelopmentStorage=true",
    PUBLIC_URL: "http://localhost:7071",
    SEAL_KEY_FILE: "/nonexistent/seal.key",
    ...environment,
  });
}

const options: JobOptions = {
  polling: "false",
  timeout: 7 * day,
  queueTimeout: undefined,
  startTimeout: 35 * minute,
  runTimeout: undefined,
  retries: 0,
  retryOn: [],
  onConflict: "reject",
  uniqueName: false,
  main: undefined,
  keep: "never",
  lease: undefined,
  env: false,
  group: undefined,
  groupLimit: undefined,
  onGroupFull: "wait",
  priority: undefined,
  team: undefined,
  tags: {},
  source: undefined,
  failureStatus: 500,
  outputLimit: 16 * 1024,
  array: undefined,
  parallelism: undefined,
  failFast: false,
  minSuccess: undefined,
  pack: undefined,
  strict: false,
  dryRun: false,
};

type Changes = Omit<Partial<Job>, "options"> & { readonly options?: Partial<JobOptions> };

/** A job as it was accepted at {@link start}, with changes. */
export function job(changes: Changes = {}): Job {
  const { options: wanted, ...rest } = changes;
  const all = { ...options, ...wanted };
  return jobSchema.parse({
    version: 1,
    id: jobId(),
    name: groupName("bellaciao"),
    groupName: groupName("bellaciao"),
    holds: true,
    apiVersion: "2023-05-01",
    wantedLocation: "westeurope",
    containers: [
      { name: "app1", init: false },
      { name: "app2", init: false },
    ],
    images: ["registry.example/team/app:1"],
    restartPolicy: "Never",
    spot: false,
    cpu: 1,
    memoryGB: 1.5,
    options: all,
    warnings: [],
    via: "http",
    createdAt: start,
    queuedAt: start,
    deadlineAt: start + all.timeout,
    attempt: 1,
    retriesUsed: 0,
    freeInRow: 0,
    attempts: [],
    phase: { state: "Queued", refusals: 0 },
    history: [{ at: start, from: "", to: "Queued", reason: "Accepted", attempt: 1 }],
    events: [],
    yield: false,
    callback: { state: "none", tries: 0 },
    reply: { state: "none", tries: 0 },
    lookAt: start,
    checkAt: start + minute,
    ...rest,
  });
}

/** A job whose group was created 10 s after it was accepted. */
export function live(
  phase: Extract<Phase, { state: "Provisioning" | "Pending" | "Running" }>,
  changes: Changes = {},
): Job {
  const at = start + 10 * second;
  return job({
    placed: target,
    provisioningAt: at,
    firstCreateAt: at,
    ...(phase.state === "Running" ? { startedAt: phase.startedAt, observed } : {}),
    ...(phase.state === "Pending" ? { observed: { ...nothingObserved, acceptedAt: phase.acceptedAt } } : {}),
    phase,
    ...changes,
  });
}

/** A job that has ended. */
export function ended(changes: Partial<Extract<Phase, { tidy: boolean }>> = {}, more: Changes = {}): Job {
  const verdict: Verdict = { reason: "Completed", exitCode: 0 };
  const phase = {
    state: "Succeeded",
    verdict,
    finishedAt: start + minute,
    group: "present",
    captured: true,
    tidy: false,
  } as const;
  return job({
    placed: target,
    firstCreateAt: start,
    provisioningAt: start,
    observed,
    phase: { ...phase, ...changes },
    ...more,
  });
}

export function ending(to: Ending["to"], changes: Partial<Ending> = {}): Ending {
  return {
    to,
    verdict: { reason: "CanceledByCaller" },
    since: start + minute,
    captured: true,
    free: false,
    wait: false,
    observeStopped: false,
    ...changes,
  };
}

export function container(name: string, changes: Partial<ObservedContainer> = {}): ObservedContainer {
  return {
    name,
    init: false,
    image: undefined,
    hasView: true,
    state: "Running",
    startTime: start + 20 * second,
    finishTime: undefined,
    exitCode: undefined,
    detailStatus: undefined,
    restartCount: 0,
    previous: undefined,
    ...changes,
  };
}

/** A container that ended this many seconds after {@link start}. */
export function exited(
  name: string,
  exitCode: number,
  seconds = 30,
  changes: Partial<ObservedContainer> = {},
): ObservedContainer {
  return container(name, { state: "Terminated", exitCode, finishTime: start + seconds * second, ...changes });
}

/** The tag of the tests' own installation. */
export const installationTag = new InstallationTag({ id: "installation-1", tagKey: "tag key" });

export const ours: ObservedGroup["owner"] = { kind: "ours", jobId: jobId(), attempt: 1, isBound: true };

export function group(
  state: ObservedGroup["state"],
  containers: readonly ObservedContainer[],
  changes: Partial<ObservedGroup> = {},
): ObservedGroup {
  return { owner: ours, provisioning: "Succeeded", state, hasNewWord: false, containers, events: [], ...changes };
}

export function present(seen: ObservedGroup): Observation {
  return { group: "present", ...seen };
}

export const absent: Observation = { group: "absent" };
export const unseen: Observation = {
  group: "unknown",
  reason: "ArmUnavailable",
  retryAfter: undefined,
  azure: undefined,
};
export const running = group("Running", [container("app1"), container("app2")]);
export const succeeded = group("Succeeded", [exited("app1", 0), exited("app2", 0, 40)]);

/** What a caller said who said nothing but a definition. */
export function submission(text: string, changes: Partial<Submission> = {}): Submission {
  return {
    source: { kind: "text", text },
    query: {},
    envelope: {},
    via: "http",
    id: undefined,
    createdAt: undefined,
    idempotencyKey: undefined,
    callBackUri: undefined,
    replyTo: undefined,
    correlationId: undefined,
    traceparent: undefined,
    requestedBy: undefined,
    rerunOf: undefined,
    unknown: [],
    ...changes,
  };
}

/** What is remembered of a group once it was observed as {@link running}. */
const observed: Observed = {
  ...nothingObserved,
  acceptedAt: start + 12 * second,
  identity: identityOf(running),
  anyStarted: true,
  startedAt: start + 20 * second,
};
