import { minute } from "../shared/backoff.ts";
import type { Reason } from "../shared/catalogue.ts";
import type { Deps } from "../shared/deps.ts";
import { groupName, type JobId } from "../shared/ids.ts";
import { columnsOf, jobKey } from "../shared/job-row.ts";
import type { Job } from "../shared/job.ts";

/** A message that can never work leaves a `Failed` row that says why. Nothing of its text is kept but its name. */
export interface Refused {
  readonly id: JobId;
  readonly foreign: boolean;
  readonly createdAt: number;
  readonly name: string | undefined;
  readonly reason: Reason;
  readonly detail: string;
}

export async function recordRefused(deps: Deps, refused: Refused): Promise<void> {
  await deps.control.installation();
  const job = failedJob(refused, deps);
  const { id, createdAt } = refused;
  if (refused.name !== undefined || refused.foreign) {
    // So that it is found by its name, or by the poster's own id.
    const key = jobKey(id, createdAt);
    const { name, groupName } = job;
    const reservation = {
      id,
      key,
      name,
      groupName,
      want: "wait",
      keyEntry: undefined,
      foreignId: refused.foreign,
      createdAt,
      checkAt: job.checkAt,
    } as const;
    await deps.jobs.index.reserve({ ...reservation, columns: columnsOf(job, deps.jobs.prices) });
  }
  const result = await deps.jobs.insert(job, { definition: undefined, callbacks: undefined });
  await deps.jobs.index.leaveLine(job.groupName, id, createdAt);
  await deps.jobs.index.drop(id);
  deps.log("warn", "message refused", { job: id, reason: refused.reason, result });
}

function failedJob({ id, createdAt, name, reason, detail }: Refused, { now, settings }: Deps): Job {
  const named = groupName(name ?? "unnamed");
  const at = now();
  return {
    version: 1,
    id,
    name: named,
    groupName: named,
    holds: false,
    apiVersion: settings.defaultApiVersion,
    containers: [],
    images: [],
    restartPolicy: "Never",
    spot: false,
    cpu: 0,
    memoryGB: 0,
    options: {
      polling: "false",
      timeout: settings.defaultTimeout,
      queueTimeout: undefined,
      startTimeout: settings.defaultStartTimeout,
      runTimeout: undefined,
      retries: 0,
      retryOn: [],
      onConflict: "wait",
      uniqueName: false,
      main: undefined,
      keep: "never",
      lease: undefined,
      env: false,
      tags: {},
      source: undefined,
      failureStatus: 500,
      outputLimit: 0,
      strict: false,
      dryRun: false,
    },
    warnings: [],
    via: "queue",
    createdAt,
    queuedAt: createdAt,
    deadlineAt: createdAt + settings.defaultTimeout,
    attempt: 1,
    retriesUsed: 0,
    freeInRow: 0,
    attempts: [],
    phase: { state: "Failed", verdict: { reason, detail }, finishedAt: at, group: "gone", captured: true, tidy: true },
    history: [
      { at: createdAt, from: "", to: "Queued", reason: "Accepted", attempt: 1 },
      { at, from: "Queued", to: "Failed", reason, attempt: 1 },
    ],
    events: [],
    yield: false,
    logsDropped: false,
    callback: { state: "none", tries: 0 },
    reply: { state: "none", tries: 0 },
    lookAt: at,
    checkAt: at + minute,
  };
}
