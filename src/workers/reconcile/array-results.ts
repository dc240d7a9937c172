import type { Deps } from "../../shared/deps.ts";
import type { Job } from "../../shared/job/job.ts";
import { finalResults } from "../../shared/store/array-results.ts";

/** Stores what an array's final status shows of its children, once all have ended: from then on a status needs no look at them. May be repeated. */
export async function captureArray({ jobs, attempts }: Pick<Deps, "jobs" | "attempts">, array: Job): Promise<void> {
  const { items, truncated } = await finalResults(jobs, attempts, array);
  const stored = { attempt: array.attempt, containers: [], items: [...items] };
  await attempts.save(array.id, truncated ? { ...stored, itemsTruncated: true } : stored);
}
