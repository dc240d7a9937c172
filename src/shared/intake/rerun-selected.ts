import { Unreadable } from "../base/errors.ts";
import { inParallel } from "../base/in-parallel.ts";
import type { JobId } from "../base/ids.ts";
import { nameKey, parseJobId, rerunIdOf } from "../base/ids.ts";
import type { Log } from "../base/log.ts";
import { leftOf } from "../job/array-outcomes.ts";
import { hasEnded, stateWord, type Job } from "../job/job.ts";
import { logFieldsOf } from "../job/log-fields.ts";
import { hasTag } from "../store/active-jobs.ts";
import { hasColumns, type JobColumns, type JobFilter } from "../store/job-filter.ts";
import { columnsOf } from "../store/job-row.ts";
import type { JobPage, JobStore } from "../store/jobs.ts";
import { noProgress, type RerunProgress, type RerunSelection } from "../store/bulk-reruns.ts";
import { writeAudit } from "./audit.ts";
import { Interruption } from "./interruption.ts";
import { rerunJob, type RerunDeps } from "./rerun.ts";

type RerunManyDeps = RerunDeps & { readonly log: Log };

interface RerunPlan {
  readonly by: string | undefined;
  /** Nothing begins after it, milliseconds since 1970. */
  readonly until: number;
  readonly dryRun: boolean;
  /** Where an earlier call stopped. */
  readonly from?: RerunProgress;
  /** Keeps what is done so far. */
  readonly keep?: (progress: RerunProgress) => Promise<void>;
}

export interface Rerun {
  readonly progress: RerunProgress;
  /** The new jobs. */
  readonly ids: readonly JobId[];
  readonly finished: boolean;
}

/** How many are accepted at once, and read at once. */
const width = 8;
const pageSize = 200;

/** Reruns all jobs that are meant and ended without success, until the time is up or storage fails. May be repeated. */
export async function rerunSelected(deps: RerunManyDeps, selection: RerunSelection, plan: RerunPlan): Promise<Rerun> {
  const { jobs, log, now, queues } = deps;
  const { by, until, dryRun, keep = () => Promise.resolve() } = plan;
  const { name, tag, states, columns, since } = selection;
  const filter = { name, states, columns, since, until: selection.until };
  const ids: JobId[] = [];
  let progress: RerunProgress = plan.from ?? noProgress;
  const add = (what: "matched" | "rerun" | "known" | "refused"): void => {
    progress = { ...progress, [what]: progress[what] + 1 };
  };
  const one = async (id: JobId): Promise<void> => {
    const stored = await jobs.find(id);
    if (stored === undefined || !hasEnded(stored.job.phase) || (await succeededWhole(jobs, stored.job))) return;
    add("matched");
    if (dryRun) {
      const { tagKey } = await deps.control.installation();
      if ((await jobs.index.keyOfForeign(rerunIdOf(id, tagKey))) !== undefined) add("known");
      return;
    }
    const accepted = await rerunJob(deps, stored, { requestedBy: by, traceparent: undefined, polls: false });
    if (!accepted.ok) {
      // A ceiling may have room later: then the call is repeated.
      add("refused");
      log("warn", "job can't be rerun", { job: id, code: accepted.error.code });
      return;
    }
    const { job, attached } = accepted.value;
    if (attached) {
      // One of this very work is counted already.
      if (job.createdAt < selection.until) add("known");
      return;
    }
    add("rerun");
    ids.push(job.id);
    await queues.run(job.id);
    writeAudit(log, "rerun", by, { ...logFieldsOf(job), rerunOf: id });
  };
  const interruption = new Interruption({ dryRun });
  const failed = (id: JobId, error: unknown): void => {
    log("warn", "job can't be rerun", { job: id });
    if (error instanceof Unreadable) add("refused");
    else interruption.note(error);
  };
  while (now() < until) {
    const before = progress;
    const page = await pageOf(jobs, filter, selection.array, progress.page).catch((error: unknown) =>
      interruption.note(error),
    );
    if (interruption.check() || page === undefined) break;
    if (page === "no such page") return { progress, ids, finished: true };
    const meant = page.rows.filter((row) => tag === undefined || hasTag(row, tag));
    const meantIds = meant.flatMap(({ id }) => parseJobId(String(id)) ?? []);
    const reached = await inParallel(meantIds, one, { width, until, now, failed });
    // The page is begun again: what was done is known then.
    if (interruption.check() || reached !== "all") {
      progress = { ...before, rerun: progress.rerun };
      break;
    }
    const { page: _done, ...counted } = progress;
    progress = page.continuation === undefined ? counted : { ...counted, page: page.continuation };
    if (page.continuation === undefined) return { progress, ids, finished: true };
    await keep(progress);
  }
  return { progress, ids, finished: false };
}

/** An array of which every index succeeded: nothing of it is left to run. */
async function succeededWhole(jobs: JobStore, job: Job): Promise<boolean> {
  return job.array !== undefined && leftOf(job.array, await jobs.outcomesOf(job)).only.length === 0;
}

/** Of one array itself, where it is meant alone. */
async function pageOf(
  jobs: JobStore,
  filter: JobFilter,
  array: string | undefined,
  from: string | undefined,
): Promise<Pick<JobPage, "rows" | "continuation"> | "no such page"> {
  if (array === undefined) return jobs.list(filter, pageSize, from);
  const id = parseJobId(array);
  const stored = id && (await jobs.peek(id));
  if (stored?.job.array === undefined) return { rows: [], continuation: undefined };
  const row = jobs.shown(columnsOf(stored.job, jobs.prices));
  return { rows: isMeant(filter, stored.job, row) ? [row] : [], continuation: undefined };
}

function isMeant({ states, name, columns, since, until }: JobFilter, job: Job, row: JobColumns): boolean {
  return (
    states?.includes(stateWord(job.phase)) !== false &&
    (name === undefined || nameKey(name) === nameKey(job.name)) &&
    hasColumns(row, columns) &&
    job.createdAt >= (since ?? -Infinity) &&
    job.createdAt < (until ?? Infinity)
  );
}
