import { childIn, nameKey } from "../base/ids.ts";
import { terminalStates } from "../job/job.ts";
import type { ActiveJob } from "./job-index.ts";
import { type JobStore } from "./jobs.ts";
import { hasColumns, isOfTeams, type JobColumns, type JobFilter } from "./job-filter.ts";

/** The rows of jobs, as far as the index has them. */
export type IndexedJobs = Pick<JobStore, "shown"> & { readonly index: Pick<JobStore["index"], "active"> };

/**
 * The jobs that have not ended, which the index knows without a look at the rows of all that have. An array is one job, unless its
 * children are asked for.
 */
export async function* activeJobs(
  jobs: IndexedJobs,
  { states, name, columns = {}, teams, since = -Infinity, until = Infinity, array }: Partial<JobFilter>,
  tag: string | undefined,
  skipped?: () => void,
): AsyncGenerator<ActiveJob> {
  for await (const job of jobs.index.active(skipped)) {
    if (terminalStates.some((terminal) => terminal === job.state)) continue;
    if (array === undefined ? childIn(job.id) !== undefined : job.array !== array.id) continue;
    if (states !== undefined && !states.includes(job.state)) continue;
    if (name !== undefined && nameKey(job.name) !== nameKey(name)) continue;
    if (!hasColumns(job.columns, columns) || !isOfTeams(job.columns, teams)) continue;
    if (job.createdAt < since || job.createdAt >= until) continue;
    if (tag !== undefined && !hasTag(jobs.shown(job.columns), tag)) continue;
    yield job;
  }
}

/** `tag=KEY` or `tag=KEY=VALUE`. */
export function hasTag(row: JobColumns, tag: string): boolean {
  const [key = "", ...value] = tag.split("=");
  const tags = row["tags"];
  if (typeof tags !== "object" || tags === null) return false;
  const found = Object.entries(tags).find(([name]) => name === key);
  return found !== undefined && (value.length === 0 || found[1] === value.join("="));
}
