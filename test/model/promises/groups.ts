import { tagNames } from "../../../src/shared/aci/arm-group.ts";
import { minute } from "../../../src/shared/base/duration.ts";
import { nameKey } from "../../../src/shared/base/ids.ts";
import { endingOf, hasEnded, type Job, type TerminalPhase } from "../../../src/shared/job/job.ts";
import type { Sent } from "../container-instances.ts";
import type { Group } from "../groups.ts";
import type { Ledger } from "../ledger.ts";
import { specOf } from "../submissions.ts";
import { withinTeamLimit } from "./teams.ts";
import { isTaggedOurs, keepTime, maxSkew } from "../settings.ts";

/** What may be done to container groups: one at a time for each job, under a claim, never somebody else's, kept as `keep` says. */

/** A job that was admitted before the pause may still have this many calls ahead of it, each with its time. */
const maxOnTheWay = 8 * minute;

export function sentRightly(ledger: Ledger, what: Sent, name: string): void {
  const { now, pausedSince } = ledger;
  const claimed = ledger.rows.some(
    ({ groupName, claimUntil }) =>
      nameKey(groupName) === nameKey(name) && claimUntil !== undefined && claimUntil > now - 5000,
  );
  const orphan = ledger.world.aci.all.some(
    (group) => nameKey(group.name) === nameKey(name) && ledger.job(group.tags[tagNames.job] ?? "") === undefined,
  );
  if (!claimed && !(what === "delete" && orphan)) ledger.violated(`a ${what} of ${name} was sent without a claim`);
  if (what === "create" && pausedSince !== undefined && now > pausedSince + maxOnTheWay)
    ledger.violated(`a create of ${name} was sent though the service is paused since ${pausedSince}`);
}

export function createdRightly(ledger: Ledger, group: Group, existing: Group | undefined, deployments: number): void {
  const id = group.tags[tagNames.job] ?? "";
  const attempt = Number(group.tags[tagNames.attempt]);
  // A group that vanished before it was ever observed can't be distinguished from one that never existed.
  if (deployments > 1 && !ledger.wasInterfered(id))
    ledger.violated(`attempt ${attempt} of ${id} was started ${deployments} times`);
  if (existing)
    ledger.violated(`a create of ${id} went over a group of ${existing.tags[tagNames.job] ?? "somebody else"}`);
  const job = ledger.job(id);
  if (job === undefined) {
    ledger.violated(`a group was created for ${id}, which has no row`);
    return;
  }
  if (hasEnded(job.phase)) ledger.violated(`a group was created for ${id} after its end`);
  if (job.attempt !== attempt) ledger.violated(`attempt ${attempt} of ${id} was created in attempt ${job.attempt}`);
  if (job.phase.state === "Queued") ledger.violated(`a create of ${id} landed after it was given up`);
  const others = ledger.groupsOf(id).filter((other) => ledger.world.aci.runs(other));
  if (others.length > 0) ledger.violated(`a second live group of ${id}`);
  withinLimit(ledger, job);
  withinCeilings(ledger, job);
  withinTeamLimit(ledger, job);
}

/** Of the job's group of jobs no more run than the largest limit of theirs allows: each was let in by its own. */
function withinLimit(ledger: Ledger, job: Job): void {
  const { group, groupLimit } = specOf(job).options;
  if (group === undefined || groupLimit === undefined) return;
  const running = ledger.rows.filter(
    (other) =>
      other.id !== job.id &&
      specOf(other).options.group === group &&
      ledger.groupsOf(other.id).some((one) => ledger.world.aci.runs(one)),
  );
  const limit = Math.max(groupLimit, ...running.map((other) => specOf(other).options.groupLimit ?? 0));
  if (running.length >= limit)
    ledger.violated(`${job.id} was created beside ${running.length} others of ${group}, whose limit is ${limit}`);
}

/** No more begin than the ceilings allow. */
function withinCeilings(ledger: Ledger, job: Job): void {
  const { maxActiveJobs = Infinity, maxActivePerName = Infinity } = ledger.world.settings;
  const begun = ledger.rows.filter(
    ({ phase, array }) => array === undefined && !hasEnded(phase) && phase.state !== "Queued",
  );
  const ofName = begun.filter(({ name }) => nameKey(name) === nameKey(job.name));
  if (begun.length > maxActiveJobs || ofName.length > maxActivePerName)
    ledger.violated(
      `${begun.length} jobs have begun with ${job.id}, ${ofName.length} of its name: more than the ceilings`,
    );
}

export function deletedRightly(ledger: Ledger, group: Group): void {
  if (!isTaggedOurs(group.tags)) {
    ledger.violated(`the foreign group ${group.name} was deleted`);
    return;
  }
  const id = group.tags[tagNames.job] ?? "";
  const job = ledger.job(id);
  if (job === undefined || Number(group.tags[tagNames.attempt]) < job.attempt) return;
  if (hasEnded(job.phase)) {
    deletedAfterEnd(ledger, job, job.phase, triedAgainAt(group));
    return;
  }
  const ending = endingOf(job.phase);
  if (ending === undefined) {
    ledger.violated(`the group of ${id}, which is ${job.phase.state}, was deleted`);
    return;
  }
  // Of a group that was never seen nothing can be captured: it is deleted though it is not visible yet.
  if (!ending.captured && job.observed.identity !== undefined)
    ledger.violated(`the group of ${id} was deleted before its logs were captured`);
  // A cancel that came while it ended takes its group, too.
  if (ending.to !== "Queued" && isKept(job, ending.to) && !ledger.mayBeCanceled(job))
    ledger.violated(`the group of ${id} was not kept`);
}

/** When a delete that was refused again and again has been tried once more: five minutes after the one before. */
function triedAgainAt({ lockedUntil, refusedAt }: Group): number {
  const last = Math.max(lockedUntil ?? 0, refusedAt ?? 0);
  return last === 0 ? 0 : last + 6 * minute;
}

/** A kept group goes when its time is over, or somebody needs its name, or its caller deletes it; any other at once. */
function deletedAfterEnd(
  ledger: Ledger,
  job: Job,
  { state, finishedAt, refused }: TerminalPhase,
  removableAt: number,
): void {
  const kept = isKept(job, state);
  const wanted =
    ledger.mayBeCanceled(job) ||
    ledger.sharing(job).some(({ phase }) => !hasEnded(phase) || phase.finishedAt > finishedAt - maxSkew);
  if (kept && !wanted && ledger.now < finishedAt + keepTime - maxSkew)
    ledger.violated(`the group of ${job.id} was kept too short`);
  const heir = ledger.sharing(job).find(({ phase }) => phase.state === "Queued");
  const since = Math.max(finishedAt, ledger.resumedAt, heir?.createdAt ?? 0, removableAt);
  if (heir && ledger.pausedSince === undefined && ledger.now > ledger.latest(heir, since))
    ledger.violated(`the group of ${job.id} was kept though ${heir.id} needs its name`);
  // Deletes have a rate, too: packs that are tried again and again come close to it.
  if (
    refused === undefined &&
    ledger.now > ledger.latest(job, Math.max(removableAt, finishedAt + (kept ? keepTime : 0)))
  )
    ledger.violated(`the group of ${job.id}, ${state} at ${finishedAt}, was kept too long`);
}

function isKept(job: Job, state: string): boolean {
  const { keep } = specOf(job).options;
  return keep === "always" || (keep === "failed" && state !== "Succeeded");
}

/** Nothing of the job may be there any more. */
export function gone(ledger: Ledger, id: string, when: string): void {
  if (ledger.groupsOf(id).length > 0) ledger.violated(`${when} while a group of ${id} is there`);
}
