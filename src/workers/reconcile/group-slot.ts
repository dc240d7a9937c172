import { counted } from "../../shared/base/text.ts";
import type { Deps } from "../../shared/deps.ts";
import { leaveGroups, requeueCalled } from "../../shared/intake/group-slot.ts";
import type { Job } from "../../shared/job/job.ts";
import { mayHaveSlot, queueTimeOf } from "../../shared/job/slot.ts";
import type { Seeking } from "../../shared/limits/groups.ts";
import { memberOf } from "../../shared/store/group-entries.ts";

/** The slot of a group, which a queued job takes when it has its name. */
type Slot =
  | { readonly kind: "held"; readonly job: Job }
  | { readonly kind: "no index" }
  | {
      readonly kind: "full";
      readonly reason: "GroupFull" | "TeamFull";
      readonly job: Job;
      readonly shown: { readonly detail: string; readonly position?: number };
    };

type SlotDeps = Pick<Deps, "groups" | "teamSlots" | "jobs" | "queues" | "now">;

/**
 * The slots of its group and its team, at once where it is the job's turn in both. Else that of its group, then that of its team: always
 * in this order, so that no two jobs wait for each other.
 */
export async function takeSlots(deps: SlotDeps, job: Job): Promise<Slot> {
  const [ofGroup, ofTeam] = [memberOf(job), deps.teamSlots.memberOf(job)];
  if (ofGroup !== undefined && ofTeam !== undefined && !mayHaveSlot(job)) {
    const called = await deps.groups.takeTogether([ofGroup, ofTeam]);
    if (called !== undefined) {
      await requeueCalled(deps, called);
      return { kind: "held", job: { ...holding(job, deps.now()), teamSlot: true } };
    }
  }
  const slot = await takeSlot(deps, job);
  return slot.kind === "held" ? takeTeamSlot(deps, slot.job) : slot;
}

async function takeSlot(deps: SlotDeps, job: Job): Promise<Slot> {
  const member = memberOf(job);
  if (member === undefined) return { kind: "held", job };
  const sought = await deps.groups.seek(member, mayHaveSlot(job));
  await requeueCalled(deps, sought.called);
  if (sought.kind === "no index") return { kind: sought.kind };
  if (sought.kind === "held") return { kind: "held", job: holding(job, deps.now()) };
  // While it waits for its group's, a slot of its team is for others.
  if (waitsForTeam(job)) await leaveGroups(deps, job.id, [deps.teamSlots.memberOf(job)], true);
  const shown = shownOf(
    detailOf(`Group ${member.group}`, `An operator paused the group ${member.group}.`, sought),
    sought,
  );
  return { kind: "full", reason: "GroupFull", job: await outOfLine(deps, job), shown };
}

async function takeTeamSlot(deps: SlotDeps, job: Job): Promise<Slot> {
  const member = deps.teamSlots.memberOf(job);
  if (member === undefined) return { kind: "held", job };
  const sought = await deps.groups.seek(member, job.teamSlot === true || waitsForTeam(job));
  await requeueCalled(deps, sought.called);
  if (sought.kind === "no index") return { kind: sought.kind };
  if (sought.kind === "held") {
    const held = holding(job, deps.now());
    // Its wait for the slot is over, however long it was.
    if (waitsForTeam(job)) return { kind: "held", job: { ...held, teamSlot: true, slotAt: deps.now() } };
    return { kind: "held", job: job.teamSlot ? held : { ...held, teamSlot: true } };
  }
  const shown = shownOf(detailOf(`Team ${member.team ?? ""}`, "", sought), sought);
  return { kind: "full", reason: "TeamFull", job: await outOfLine(deps, job), shown };
}

function waitsForTeam({ phase }: Job): boolean {
  return phase.state === "Queued" && phase.waiting?.reason === "TeamFull";
}

/** One that gave its slots back has them again. */
function holding(job: Job, now: number): Job {
  const { slotLeft, ...rest } = job;
  return slotLeft === undefined ? job : { ...rest, slotAt: now };
}

function shownOf(detail: string, { position }: Extract<Seeking, { kind: "full" }>) {
  return { detail, ...(position === undefined ? {} : { position }) };
}

function detailOf(
  whose: string,
  ifPaused: string,
  { held, limit, paused }: Extract<Seeking, { kind: "full" }>,
): string {
  if (paused) return ifPaused;
  const taken = `${counted(held, "slot is", "slots are")} held`;
  const slots = Number.isFinite(limit) ? `${taken}, and its limit is ${limit}` : taken;
  return `${whose}: ${slots}.`;
}

/** It waits for one thing at a time: where creates or capacity are waited for it would only be called in vain. */
async function outOfLine({ jobs }: SlotDeps, job: Job): Promise<Job> {
  const { line, ...rest } = job;
  if (line === undefined) return job;
  await jobs.index.dequeue(line, job.id, queueTimeOf(job.createdAt, job.options.priority));
  return rest;
}
