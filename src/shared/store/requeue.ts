import { second } from "../base/duration.ts";
import type { JobId } from "../base/ids.ts";
import type { JobStore } from "./jobs.ts";
import type { Queues } from "./queues.ts";

/**
 * Grace period before the sweep treats an observation as missed. A host that dies holds its messages for ten minutes: with passes half a
 * minute apart, its jobs go on within 90 s.
 */
export const checkDelay = 30 * second;
/** The index hears of a later observation only when less than this is left, so that a job that is observed every few seconds costs no write each time. */
export const leastCheckDelay = 10 * second;

interface RequeueDeps {
  readonly jobs: JobStore;
  readonly queues: Queues;
  readonly now: () => number;
}

/** Has a waiting job, which holds no message, reconciled at once; the sweep notices when nothing comes of it. */
export async function requeue({ jobs, queues, now }: RequeueDeps, id: JobId): Promise<void> {
  await jobs.index.setCheck(id, now() + checkDelay);
  await queues.requeue(id, undefined, 0);
}
