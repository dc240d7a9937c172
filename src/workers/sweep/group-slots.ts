import { Unreadable } from "../../shared/base/errors.ts";
import type { JobId } from "../../shared/base/ids.ts";
import type { Deps } from "../../shared/deps.ts";
import { requeueCalled } from "../../shared/intake/group-slot.ts";
import { activeStates, hasEnded, terminalStates, type Job } from "../../shared/job/job.ts";
import { isDoneWithSlot, needsSlot } from "../../shared/job/slot.ts";
import type { GroupJob, WholeGroup } from "../../shared/limits/group-check.ts";
import { isTeamGroup, memberOf, teamGroup } from "../../shared/store/group-entries.ts";
import { defaultTeam } from "../../shared/config/teams.ts";
import type { RunEnd } from "../../shared/store/periodic-runs.ts";
import { checkDelay, requeue } from "../../shared/store/requeue.ts";

/**
 * Compares the slots of groups with the jobs that hold them and the number of them, and repairs what differs: a crash, a release that knows
 * no groups, or a hand may have left it so. Calls up whoever was forgotten.
 */
export async function checkGroups(deps: Deps, until: number): Promise<RunEnd> {
  const { groupCheck, now, log } = deps;
  if (!(await deps.jobs.hasIndex())) return { kind: "completed", cursor: undefined };
  const jobs = new Map(await groupCheck.jobs());
  const copies = new Map(await groupCheck.copies());
  const repaired = { freed: 0, restored: 0, recounted: 0 };
  const end = (kind: "completed" | "unfinished"): RunEnd => {
    if (Object.values(repaired).some((count) => count > 0)) log("warn", "group slots repaired", repaired);
    return { kind, cursor: undefined };
  };
  const check = async (group: WholeGroup): Promise<void> => {
    const own = jobs.get(group.group) ?? [];
    jobs.delete(group.group);
    await groupCheck.keepSteering(group, copies.get(group.group));
    copies.delete(group.group);
    repaired.freed += await freeSlots(deps, group, own, until);
    repaired.restored += await restoreSlots(deps, group, own, until);
    if ((group.entry?.held ?? 0) !== group.slots.length && (await groupCheck.recount(group.group)))
      repaired.recounted++;
    await leaveQueue(deps, group, own, until);
    if (groupCheck.canCallUp(group)) await requeueCalled(deps, await deps.groups.callUp(group.group, until));
    await groupCheck.dropIdle(group);
  };
  for await (const group of groupCheck.groups()) {
    if (now() >= until) return end("unfinished");
    await check(group);
  }
  for (const group of new Set([...jobs.keys(), ...copies.keys()])) {
    if (now() >= until) return end("unfinished");
    await check({ group, entry: undefined, slots: [], queue: [] });
  }
  // What is left of the last group is for the next pass.
  return end(now() >= until ? "unfinished" : "completed");
}

const isActive = ({ state }: GroupJob): boolean => activeStates.some((active) => active === state);

/**
 * Whether a job with a slot still waits for one, and nobody has requeued it. One that was requeued is left to the sweep of due jobs: to
 * requeue it again would put that off.
 */
function isUnheard({ reason, checkAt, isRequeued }: GroupJob, now: number): boolean {
  return (reason === "GroupFull" || reason === "TeamFull") && !isRequeued && checkAt > now + checkDelay;
}

/** Slots of jobs that are gone, or have ended. Who was given one and did not hear of it is requeued. */
async function freeSlots(
  deps: Deps,
  { group, slots }: WholeGroup,
  jobs: readonly GroupJob[],
  until: number,
): Promise<number> {
  const byId = new Map(jobs.map((job) => [job.id, job]));
  let freed = 0;
  for (const holder of slots) {
    if (deps.now() >= until) break;
    const shown = byId.get(holder.id);
    if (shown !== undefined && isActive(shown)) {
      if (isUnheard(shown, deps.now())) await requeue(deps, holder.id);
      continue;
    }
    const job = await jobOf(deps, holder.id);
    if (job === "unclear") continue;
    if (job !== undefined && isIn(group, job) && !isDoneWithSlot(job)) {
      await deps.groupCheck.showLeaked(group, holder, hasEnded(job.phase) && job.phase.group === "present");
      continue;
    }
    const called = await deps.groups.release({ group, id: holder.id });
    if (called !== "late") await requeueCalled(deps, called);
    freed++;
  }
  return freed;
}

function isIn(group: string, { options }: Job): boolean {
  return options.group === group || teamGroup(options.team ?? defaultTeam) === group;
}

/** Jobs that were admitted without a slot, by a release that knows no groups, hold one too. */
async function restoreSlots(
  deps: Deps,
  { group, slots }: WholeGroup,
  jobs: readonly GroupJob[],
  until: number,
): Promise<number> {
  const holding = new Set(slots.map(({ id }) => id));
  let restored = 0;
  for (const shown of jobs) {
    if (deps.now() >= until) break;
    if (holding.has(shown.id) || shown.state === "Queued" || !isActive(shown)) continue;
    const job = await jobOf(deps, shown.id);
    if (job === undefined || job === "unclear" || !needsSlot(job) || !isIn(group, job)) continue;
    const member = isTeamGroup(group) ? deps.teamSlots.memberOf(job) : memberOf(job);
    if (member !== undefined && (await deps.groupCheck.restore(member))) restored++;
  }
  return restored;
}

/** Who has left the line is not called up any more. */
async function leaveQueue(deps: Deps, { queue }: WholeGroup, jobs: readonly GroupJob[], until: number): Promise<void> {
  const waiting = new Set(
    jobs.filter(({ state }) => !terminalStates.some((ended) => ended === state)).map(({ id }) => id),
  );
  for (const waiter of queue) {
    if (deps.now() >= until) break;
    if (waiting.has(waiter.id)) continue;
    const job = await jobOf(deps, waiter.id);
    if (job === undefined || (job !== "unclear" && hasEnded(job.phase))) await deps.groups.dequeue(waiter);
  }
}

/** A job by its row; `undefined` when it is gone, `unclear` where its row is not there yet, or can't be read. */
async function jobOf({ jobs }: Pick<Deps, "jobs">, id: JobId): Promise<Job | "unclear" | undefined> {
  try {
    const stored = await jobs.peek(id);
    if (stored !== undefined) return stored.job;
    return (await jobs.index.has(id)) ? "unclear" : undefined;
  } catch (error) {
    if (error instanceof Unreadable) return "unclear";
    throw error;
  }
}
