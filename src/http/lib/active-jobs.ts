import { Deadline } from "../../shared/base/deadline.ts";
import { second } from "../../shared/base/duration.ts";
import { Unavailable } from "../../shared/base/errors.ts";
import { activeJobs, type IndexedJobs } from "../../shared/store/active-jobs.ts";
import type { ActiveJob } from "../../shared/store/job-index.ts";
import type { JobPage } from "../../shared/store/jobs.ts";
import { readActive, writeActive, type PageEnd } from "../jobs/paging.ts";
import type { Asked } from "../jobs/filter.ts";

/** More of them than a page has are forgotten this many at a time: there may be very many. */
const spare = 1000;
/** Data Factory waits one minute for a reply. */
const longest = 50 * second;

/** A page of them, newest first, as their rows are. A job that ends between two pages moves no other to another page. */
export async function activePage(
  jobs: IndexedJobs,
  { filter, tag, top, continuation }: Pick<Asked, "filter" | "tag" | "top" | "continuation">,
): Promise<JobPage | "no such page"> {
  const end = continuation === undefined ? undefined : readActive(continuation);
  if (continuation !== undefined && end === undefined) return "no such page";
  const deadline = Deadline.in(() => performance.now(), longest);
  let left: ActiveJob[] = [];
  let skipped = 0;
  // One more than the page has says that there are others.
  const newest = (): ActiveJob[] => left.sort(newestFirst).slice(0, top + 1);
  for await (const job of activeJobs(jobs, filter, tag, () => skipped++)) {
    if (!end || newestFirst(end, job) < 0) left.push(job);
    if (left.length > top + spare) left = newest();
    if (deadline.over) throw new Unavailable("storage", "The jobs that have not ended could not be read in time.");
  }
  left = newest();
  const page = left.slice(0, top);
  const last = left.length > page.length ? page.at(-1) : undefined;
  return { rows: page.map(({ columns }) => jobs.shown(columns)), skipped, continuation: last && writeActive(last) };
}

function newestFirst(a: PageEnd, b: PageEnd): number {
  return b.createdAt - a.createdAt || (a.id < b.id ? -1 : Number(a.id > b.id));
}
