import { nameKey } from "../../shared/base/ids.ts";
import type { ActiveJob } from "../../shared/store/job-index.ts";
import { terminalStates } from "../../shared/job/job.ts";
import { hasColumns, type JobFilter, type JobPage, type JobStore } from "../../shared/store/jobs.ts";
import { readActive, writeActive, type PageEnd } from "../jobs/paging.ts";
import { hasTag, type Asked } from "../jobs/filter.ts";

/** The jobs that have not ended, which the index knows without a look at the rows of all that have. */
export async function* activeJobs(
  jobs: JobStore,
  { states, name, columns = {}, since = -Infinity, until = Infinity }: Partial<JobFilter>,
  tag: string | undefined,
  skipped?: () => void,
): AsyncGenerator<ActiveJob> {
  for await (const job of jobs.index.active(skipped)) {
    if (terminalStates.some((terminal) => terminal === job.state)) continue;
    if (states !== undefined && !states.includes(job.state)) continue;
    if (name !== undefined && nameKey(job.name) !== nameKey(name)) continue;
    if (!hasColumns(job.columns, columns)) continue;
    if (job.createdAt < since || job.createdAt >= until) continue;
    if (tag !== undefined && !hasTag(jobs.shown(job.columns), tag)) continue;
    yield job;
  }
}

/** A page of them, newest first, as their rows are. A job that ends between two pages moves no other to another page. */
export async function activePage(
  jobs: JobStore,
  { filter, tag, top, continuation }: Asked,
): Promise<JobPage | "no such page"> {
  const end = continuation === undefined ? undefined : readActive(continuation);
  if (continuation !== undefined && end === undefined) return "no such page";
  const left: ActiveJob[] = [];
  let skipped = 0;
  for await (const job of activeJobs(jobs, filter, tag, () => skipped++))
    if (!end || newestFirst(end, job) < 0) left.push(job);
  left.sort(newestFirst);
  const page = left.slice(0, top);
  const last = left.length > page.length ? page.at(-1) : undefined;
  return { rows: page.map(({ columns }) => jobs.shown(columns)), skipped, continuation: last && writeActive(last) };
}

function newestFirst(a: PageEnd, b: PageEnd): number {
  return b.createdAt - a.createdAt || (a.id < b.id ? -1 : Number(a.id > b.id));
}
