import type { Deps } from "./deps.ts";
import type { JobId } from "./ids.ts";
import { hasEnded } from "./job.ts";
import type { Stored } from "./jobs.ts";

/**
 * A cancel is an intent that stands in the row and survives any crash; the machine carries it out. May be repeated.
 *
 * @returns the job, or `undefined` when it is not known
 */
export async function cancel(
  deps: Pick<Deps, "jobs" | "queues" | "now">,
  id: JobId,
  by: string | undefined,
): Promise<Stored | undefined> {
  const look = { needed: false };
  const stored = await deps.jobs.change(id, (job) => {
    if (hasEnded(job.phase)) {
      look.needed = job.phase.group === "present" && !job.yield;
      return look.needed ? { job: { ...job, yield: true } } : undefined;
    }
    look.needed = true;
    if (job.cancel) return undefined;
    return {
      job: { ...job, cancel: { at: deps.now(), reason: "CanceledByCaller", ...(by === undefined ? {} : { by }) } },
    };
  });
  if (stored && look.needed) await deps.queues.wake(id, undefined, 0);
  return stored;
}
