import { minute, second } from "../base/duration.ts";
import { hasEnded, type Job } from "./job.ts";
import type { ReasonWord } from "./reasons.ts";

/** When a job's wait counts from, in milliseconds since 1970: its age less its priority. */
export function queueTimeOf(createdAt: number, priority = 0): number {
  return createdAt - priority * second;
}

// When a job holds a slot of its group, as far as its row says.

/** A job that waits for longer lets another one of its group go first. */
const maxIdle = 5 * minute;

/** Waits that come before the slot. */
const before = new Set<ReasonWord>(["Accepted", "Paused", "TooManyJobs", "NameBusy", "SealKeyUnavailable"]);
/** Waits that all jobs of a group share: another job would wait as long. */
const shared = new Set<ReasonWord>([
  "Paused",
  "TooManyJobs",
  "SealKeyUnavailable",
  "Budget",
  "CreateLimit",
  "GroupFull",
]);

/** Whether there is anything that a job may hold a slot of: its group, its team. */
function mayHoldAny({ options, teamSlot, array }: Job): boolean {
  if (array !== undefined) return false;
  return options.group !== undefined || teamSlot === true;
}

/** When a job that waits gives its slots back; never for one that has no slot, or does not wait. */
export function slotUntil(job: Job): number {
  const { phase, slotLeft, slotAt = 0 } = job;
  if (!mayHoldAny(job) || slotLeft || phase.state !== "Queued" || phase.waiting === undefined) return Infinity;
  const { reason, since } = phase.waiting;
  return shared.has(reason) ? Infinity : Math.max(since, slotAt) + maxIdle;
}

/** Whether nothing runs in a group that is kept: its slot is for others. */
export function isIdle(job: Job): boolean {
  const { phase, slotLeft, yield: yields } = job;
  if (!mayHoldAny(job) || slotLeft || yields || !hasEnded(phase)) return false;
  return phase.group === "stopped" && phase.keepUntil !== undefined;
}

/** Whether a queued job may have a slot already: it took one, or was given one while it waited. */
export function mayHaveSlot({ phase, options, slotLeft, firstCreateAt }: Job): boolean {
  if (slotLeft || phase.state !== "Queued") return false;
  if (firstCreateAt !== undefined || options.onGroupFull === "reject") return true;
  return phase.waiting !== undefined && !before.has(phase.waiting.reason);
}

/** Whether a job of a group, or of a team with a limit, must hold a slot: something of it runs, or may. */
export function needsSlot({ phase, slotLeft }: Job): boolean {
  if (slotLeft || phase.state === "Queued" || phase.state === "Unknown") return false;
  return !hasEnded(phase) || phase.group !== "gone";
}

/** Whether a job's slot is for others for good. */
export function isDoneWithSlot({ phase, slotLeft }: Job): boolean {
  return hasEnded(phase) && (slotLeft || phase.group === "gone");
}
