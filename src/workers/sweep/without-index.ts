import { day } from "../../shared/base/duration.ts";
import { inParallel } from "../../shared/base/in-parallel.ts";
import { errorFields } from "../../shared/base/log.ts";
import type { Deps } from "../../shared/deps.ts";
import { leadsToItself } from "../../shared/store/job-row.ts";
import type { Found } from "../../shared/store/jobs.ts";
import type { RunEnd } from "../../shared/store/periodic-runs.ts";

/** No job is older than its longest `timeout`, seven days, and the time that its end may take. */
const maxAge = 9 * day;
const width = 16;

/**
 * While the index is lost nothing says whose message got lost. So every job that is not over is requeued, as its row says: a job that runs
 * goes on to its end, however long the index is away.
 */
export async function requeueWithoutIndex(deps: Deps, until: number, cursor: string | undefined): Promise<RunEnd> {
  if (await deps.jobs.hasIndex()) return { kind: "completed", cursor: undefined };
  const { jobs, queues } = deps;
  const requeue = async ({ id, key }: Found): Promise<void> => {
    // What a poster's own id leads to was lost, too.
    if (!leadsToItself(id, key)) await jobs.index.alias(id, key);
    await queues.requeue(id, undefined, 0);
  };
  const failed = ({ id }: Found, error: unknown): void =>
    deps.log("error", "sweep failed in part", { part: "job without index", job: id, ...errorFields(error) });
  let page = cursor;
  while (deps.now() < until) {
    const { found, continuation } = await jobs.unfinished(deps.now() - maxAge, page);
    const reached = await inParallel(found, requeue, { width, until, now: deps.now, failed });
    if (reached !== "all") return { kind: "unfinished", cursor: page };
    if (continuation === undefined) return { kind: "completed", cursor: undefined };
    page = continuation;
  }
  return { kind: "unfinished", cursor: page };
}
