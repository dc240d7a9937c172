import { Unreadable } from "../base/errors.ts";
import { inParallel } from "../base/in-parallel.ts";
import type { JobId } from "../base/ids.ts";
import type { Log } from "../base/log.ts";
import { stateWord } from "../job/job.ts";
import type { ActiveJob } from "../store/job-index.ts";
import { activeJobs, hasTag } from "../store/active-jobs.ts";
import type { Selection } from "../store/bulk-works.ts";
import type { JobStore } from "../store/jobs.ts";
import { teamIn, type JobColumns } from "../store/job-filter.ts";
import type { Queues } from "../store/queues.ts";
import { logFieldsOf } from "../job/log-fields.ts";
import { writeAudit } from "./audit.ts";
import { cancel, mayBeCanceled } from "./cancel.ts";
import { Interruption } from "./interruption.ts";

interface CancelManyDeps {
  readonly jobs: JobStore;
  readonly queues: Queues;
  readonly now: () => number;
  readonly log: Log;
}

export interface Progress {
  /** Those that fit and were not canceled before. */
  readonly ids: readonly JobId[];
  /** Jobs that can't be read: they are left alone. */
  readonly unreadable: number;
  readonly finished: boolean;
}

function isMeant({ states, tag, pipeline, group, team }: Selection, state: string, columns: JobColumns): boolean {
  return (
    (states === undefined || states.includes(state)) &&
    (tag === undefined || hasTag(columns, tag)) &&
    (pipeline === undefined || columns["pipeline"] === pipeline) &&
    (group === undefined || columns["group"] === group) &&
    (team === undefined || teamIn(columns) === team)
  );
}

/** How many jobs are canceled at once. */
const width = 8;

/** Cancels all active jobs that are meant, until the time is up or storage fails. May be repeated. */
export async function cancelSelected(
  deps: CancelManyDeps,
  selection: Selection,
  { by, until, dryRun }: { readonly by: string | undefined; readonly until: number; readonly dryRun: boolean },
): Promise<Progress> {
  const ids: JobId[] = [];
  let unreadable = 0;
  const interruption = new Interruption({ dryRun });
  const one = async (entry: ActiveJob): Promise<void> => {
    const { id } = entry;
    // What was only just accepted has a name in the index, and nothing else yet: its row says the rest.
    if (entry.state !== "" && !isMeant(selection, entry.state, deps.jobs.shown(entry.columns))) return;
    const stored = await deps.jobs.peek(id);
    if (stored === undefined || !mayBeCanceled(stored.job)) return;
    const { phase, options } = stored.job;
    const { tags, group, team, source } = options;
    if (!isMeant(selection, stateWord(phase), { tags, group, team, pipeline: source?.pipeline })) return;
    ids.push(id);
    if (dryRun) return;
    await cancel(deps, id, by);
    writeAudit(deps.log, "cancel", by, logFieldsOf(stored.job));
  };
  const failed = ({ id }: { readonly id: JobId }, error: unknown): void => {
    deps.log("warn", "job can't be canceled", { job: id });
    if (error instanceof Unreadable) unreadable++;
    else interruption.note(error);
  };
  const { name, until: before } = selection;
  const named = activeJobs(deps.jobs, { name, until: before }, undefined, () => unreadable++);
  let reached: "all" | "out of time" = "out of time";
  try {
    reached = await inParallel(named, one, { width, until, now: deps.now, failed });
  } catch (error) {
    interruption.note(error);
  }
  return { ids, unreadable, finished: !interruption.check() && reached === "all" };
}
