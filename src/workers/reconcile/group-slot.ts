import type { Deps } from "../../shared/deps.ts";
import { requeueCalled } from "../../shared/intake/group-slot.ts";
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
      readonly job: Job;
      readonly shown: { readonly detail: string; readonly position?: number };
    };

type SlotDeps = Pick<Deps, "groups" | "jobs" | "queues" | "now">;

export async function takeSlot(deps: SlotDeps, job: Job): Promise<Slot> {
  const member = memberOf(job);
  if (member === undefined) return { kind: "held", job };
  const sought = await deps.groups.seek(member, mayHaveSlot(job));
  await requeueCalled(deps, sought.called);
  if (sought.kind === "no index") return { kind: sought.kind };
  if (sought.kind === "held") {
    const { slotLeft: _left, ...holding } = job;
    return { kind: "held", job: job.slotLeft === undefined ? job : { ...holding, slotAt: deps.now() } };
  }
  const { position } = sought;
  const shown = { detail: detailOf(member.group, sought), ...(position === undefined ? {} : { position }) };
  return { kind: "full", job: await outOfLine(deps, job), shown };
}

function detailOf(group: string, { held, limit, paused }: Extract<Seeking, { kind: "full" }>): string {
  if (paused) return `An operator paused the group ${group}.`;
  const slots = Number.isFinite(limit) ? `${held} slots are held, and its limit is ${limit}` : `${held} slots are held`;
  return `Group ${group}: ${slots}.`;
}

/** It waits for one thing at a time: where creates or capacity are waited for it would only be called in vain. */
async function outOfLine({ jobs }: SlotDeps, job: Job): Promise<Job> {
  const { line, ...rest } = job;
  if (line === undefined) return job;
  await jobs.index.dequeue(line, job.id, queueTimeOf(job.createdAt, job.options.priority));
  return rest;
}
