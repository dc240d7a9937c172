import type { Refusal } from "../base/errors.ts";
import type { JobId } from "../base/ids.ts";
import { allInParallel } from "../base/in-parallel.ts";
import { counted } from "../base/text.ts";
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

/** A job as its group and its team see it, where it has them. */
type Members = readonly (Member | undefined)[];

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
  const message = `Group ${group} is full: ${counted(held, "slot is", "slots are")} held${"limit" in most ? ` of ${limit}` : ""}, and ${counted(waiting, "job waits", "jobs wait")}. To wait for a slot use onGroupFull=wait.`;
  return { code: "GroupFull", message, more: { group, held, ...most, waiting } };
}

/** A job needs its slots no more, nor waits for one. */
export async function leaveGroups(deps: GroupDeps, id: JobId, members: Members, mayWait: boolean): Promise<void> {
  if (!mayWait) {
    await releaseSlots(deps, id, members);
    return;
  }
  // It leaves a line first: then nobody can give it a slot any more.
  for (const member of members) {
    if (member !== undefined) await deps.groups.dequeue(member);
    await releaseSlots(deps, id, [member]);
  }
}

/** @returns false where it was too late to begin */
export async function releaseSlots(deps: GroupDeps, id: JobId, members: Members, until = Infinity): Promise<boolean> {
  const groups = members.flatMap((member) => (member === undefined ? [] : [member.group]));
  const together = groups.length > 1 ? await deps.groups.releaseTogether(id, groups, until) : undefined;
  if (together !== undefined && together !== "late") await requeueCalled(deps, together);
  if (together !== undefined) return together !== "late";
  for (const group of groups) {
    const called = await deps.groups.release({ group, id }, until);
    if (called === "late") return false;
    await requeueCalled(deps, called);
  }
  return true;
}

/** The same for a reservation whose row was never written. */
export async function leavePending(deps: GroupDeps, { group, id, name, turn }: Pending): Promise<void> {
  await leaveGroups(deps, id, group === undefined ? [] : [{ group, id, name, turn, limit: Infinity }], true);
}

/** How many jobs are requeued at once. */
const width = 16;

/** Jobs that were given a slot go on: thousands, where an operator lifts a limit. */
export async function requeueCalled(deps: Omit<GroupDeps, "groups">, called: readonly JobId[]): Promise<void> {
  await allInParallel(called, (id) => requeue(deps, id), { width, until: Infinity, now: deps.now });
}
