import type { Refusal } from "../base/errors.ts";
import type { JobId } from "../base/ids.ts";
import type { Groups, Vacancy } from "../limits/groups.ts";
import type { Job } from "../job/job.ts";
import { enqueueing, memberOf, type Member } from "../store/group-entries.ts";
import type { JobStore } from "../store/jobs.ts";
import type { Queues } from "../store/queues.ts";
import { requeue } from "../store/requeue.ts";
import type { Pending } from "../store/reservations.ts";

/** The slot of a job's group: taken or waited for as the job is accepted, and given to others when the job does not need it any more. */
interface GroupDeps {
  readonly groups: Groups;
  readonly jobs: JobStore;
  readonly queues: Queues;
  readonly now: () => number;
}

/**
 * What the reserving transaction does for a job with a group. One that does not wait takes its slot; one that has its name at once stands
 * in line; any other stands in line when it has its name, so that it keeps nobody waiting until then.
 *
 * @param hasName the same transaction takes the name
 */
export async function reserveSlot({ groups }: Pick<GroupDeps, "groups">, job: Job, hasName: boolean): Promise<Vacancy> {
  const member = memberOf(job);
  if (member === undefined) return { kind: "open", actions: [], called: [] };
  if (job.options.onGroupFull === "reject") return groups.vacancy(member);
  return { kind: "open", actions: hasName ? enqueueing(member) : [], called: [] };
}

/** The refusal of a job that would have to wait. */
export async function groupFull(
  { groups }: Pick<GroupDeps, "groups">,
  job: Job,
  { held, limit }: Extract<Vacancy, { kind: "full" }>,
): Promise<Refusal> {
  const { group = "" } = job.options;
  const waiting = await groups.waiting(group);
  const most = Number.isFinite(limit) ? { limit } : {};
  const message = `Group ${group} is full: ${held} slots are held${"limit" in most ? ` of ${limit}` : ""}, and ${waiting} jobs wait. To wait for a slot use onGroupFull=wait.`;
  return { code: "GroupFull", message, more: { group, held, ...most, waiting } };
}

/** A job needs its slot no more, nor waits for one. */
export async function leaveGroup(deps: GroupDeps, member: Member | undefined, mayWait: boolean): Promise<void> {
  if (member === undefined) return;
  // It leaves the line first: then nobody can give it a slot any more.
  if (mayWait) await deps.groups.dequeue(member);
  const called = await deps.groups.release(member);
  if (called !== "late") await requeueCalled(deps, called);
}

/** The same for a reservation whose row was never written. */
export async function leavePending(deps: GroupDeps, { group, id, name, turn }: Pending): Promise<void> {
  await leaveGroup(deps, group === undefined ? undefined : { group, id, name, turn, limit: Infinity }, true);
}

/** Jobs that were given a slot go on. */
export async function requeueCalled(deps: Omit<GroupDeps, "groups">, called: readonly JobId[]): Promise<void> {
  for (const id of called) await requeue(deps, id);
}
