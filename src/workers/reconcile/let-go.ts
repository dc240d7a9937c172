import type { Deps } from "../../shared/deps.ts";
import type { Job } from "../../shared/job/job.ts";
import { leaveGroups } from "../../shared/intake/group-slot.ts";
import { queueTimeOf } from "../../shared/job/slot.ts";
import { memberOf } from "../../shared/store/group-entries.ts";
import { leftBy } from "../../shared/store/job-index.ts";
import type { Stored } from "../../shared/store/jobs.ts";
import { requeue } from "../../shared/store/requeue.ts";

/** The name and the slots of its group and team go to the next, and no queue is waited in any more. */
export async function letGo(
  deps: Pick<Deps, "jobs" | "queues" | "now" | "groups" | "teamSlots">,
  job: Job,
): Promise<void> {
  const { id, groupName, line, createdAt, firstCreateAt, options, slotLeft } = job;
  const { index } = deps.jobs;
  const turn = queueTimeOf(createdAt, options.priority);
  // A job that created a group had the name, so only one that never did may still wait for it. It leaves before it hands over.
  if (firstCreateAt === undefined) await index.dequeue(groupName, id, turn);
  if (line !== undefined) await index.dequeue(line, id, turn);
  const mayWait = firstCreateAt === undefined || slotLeft === true;
  await leaveGroups(deps, id, [memberOf(job), deps.teamSlots.memberOf(job)], mayWait);
  const next = await index.handOver(groupName, id);
  if (next !== undefined) await requeue(deps, next);
}

/** What later jobs of the name need to know of this one stays. */
export async function leaveIndex({ jobs }: Pick<Deps, "jobs">, { job, key }: Stored): Promise<void> {
  const { runs = [] } = job.array === undefined ? {} : await jobs.outcomesOf(job);
  const left = leftBy(job, runs);
  if (Object.keys(left).length === 0) await jobs.index.drop(job.id);
  else await jobs.index.dropRun(job, key, left);
}
