import type { ActiveJob } from "../../shared/store/job-index.ts";
import { activeJobs } from "../../shared/store/active-jobs.ts";
import type { JobPage, JobStore } from "../../shared/store/jobs.ts";
import { readActive, writeActive, type PageEnd } from "../jobs/paging.ts";
import type { Asked } from "../jobs/filter.ts";

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
