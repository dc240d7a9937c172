import type { Deps } from "../../shared/deps.ts";
import type { Job, Placed } from "../../shared/job/job.ts";
import { requeue } from "../../shared/store/requeue.ts";
import type { TurnEnd } from "../../shared/store/turns.ts";
import { scopeOf } from "../../shared/limits/placement.ts";
import { isCeilingLine } from "../../shared/limits/ceilings.ts";
import { callUpCeiling } from "./ceiling.ts";
import { createLine, roomLine } from "./admit.ts";

/** Who makes room wakes the oldest that waits for it: a job whose group went, and the timer. */

/** A group is gone: its region has room for one more. */
export async function roomMade(deps: Deps, job: Job): Promise<void> {
  // Done at each attempt's end already, unless whoever saved that end died right after.
  await deps.daily.settle(job);
  if (job.placed === undefined) return;
  const exclusion = (await deps.placement.exclusions(deps.now())).get(scopeOf(job.placed));
  if (exclusion?.reason !== "QuotaReached") return;
  await deps.placement.lift(job.placed);
  await wakeFrom(deps, roomLine(job.placed), 1);
}

/** An attempt that ended counts with the time that it took; one whose group was never created does not count. */
export async function countAttempt({ daily }: Pick<Deps, "daily">, before: Job, after: Job): Promise<void> {
  if (after.attempts.length > before.attempts.length) return daily.settle(after);
  if (before.phase.state === "Provisioning" && after.phase.state === "Queued") return daily.cancel(before);
}

/** How many of those that wait for a region's quota or capacity try it at once. */
const probes = 5;

/** Calls up as many as there is room for by now, oldest first. */
export async function callUpWaiting(deps: Deps, until: number): Promise<TurnEnd> {
  if (!(await deps.ceilings.recount(until))) return { kind: "unfinished", cursor: undefined };
  const lines = await deps.jobs.index.lines();
  if (lines.size === 0) return { kind: "completed", cursor: undefined };
  const now = deps.now();
  const exclusions = await deps.placement.exclusions(now);
  for (const line of lines.keys()) {
    if (deps.now() >= until) return { kind: "unfinished", cursor: undefined };
    if (isCeilingLine(line)) await callUpCeiling(deps, line);
    const placed = placeOf(line);
    if (placed && line === createLine(placed)) await wakeFrom(deps, line, await deps.budget.creates(placed, now));
    else if (placed && line === roomLine(placed) && !exclusions.has(scopeOf(placed)))
      await wakeFrom(deps, line, probes);
  }
  return { kind: "completed", cursor: undefined };
}

async function wakeFrom(deps: Deps, line: string, most: number): Promise<void> {
  for (const id of await deps.jobs.index.callUp(line, most)) await requeue(deps, id);
}

/** The region in a wait queue's name; its resource group does not matter to a limit. */
function placeOf(line: string): Placed | undefined {
  const match = /^~(?:create|room)-([0-9a-f-]{36})-([a-z0-9]+)$/.exec(line);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  return { subscriptionId: match[1], resourceGroup: "", location: match[2] };
}
