import type { Deps } from "../../shared/deps.ts";
import { hasEnded, type Job, type JobTarget } from "../../shared/job/job.ts";
import { requeue } from "../../shared/store/requeue.ts";
import type { RunEnd } from "../../shared/store/periodic-runs.ts";
import { scopeOf } from "../../shared/limits/placement.ts";
import { isCeilingQueue } from "../../shared/limits/ceilings.ts";
import { requeueCeiling } from "./ceiling.ts";
import { capacityQueue, createQueue, poolOf, regionQueueIn } from "../../shared/limits/region-queues.ts";
import { teamOf } from "../../shared/intake/team.ts";
import type { Beside } from "../../shared/limits/budget-rows.ts";
import type { DailyBudget } from "../../shared/limits/daily-budget.ts";
import type { JobId } from "../../shared/base/ids.ts";

/** Whoever frees capacity requeues the first job that waits for it: a job whose group is gone, and the sweep. */

/** A group is gone: its region has capacity for one more. */
export async function capacityFreed(deps: Deps, job: Job): Promise<void> {
  // Done at each attempt's end already, unless whoever saved that end died right after.
  for (const budget of budgetsOf(deps, job)) {
    await budget.settle(job);
    // Its last create may have been refused on this day.
    if (job.provisioningAt === undefined) await budget.cancel({ ...job, provisioningAt: deps.now() });
  }
  if (job.placed === undefined) return;
  const pool = poolOf(job);
  const exclusion = (await deps.placement.exclusions(deps.now())).get(scopeOf(job.placed, pool));
  if (exclusion?.reason !== "QuotaReached") return;
  await deps.placement.lift(job.placed, pool);
  await requeueFrom(deps, capacityQueue(job.placed, pool), 1);
}

/** What an attempt of a job counts for its day from the token of its create on. */
export async function chargesOf(deps: BudgetDeps, job: Job): Promise<readonly Beside[]> {
  return (await Promise.all(budgetsOf(deps, job).map((budget) => budget.charge(job)))).flat();
}

/** An attempt that ended counts with the time that it took; one whose group was never created does not count. */
export async function countAttempt(deps: BudgetDeps, before: Job, after: Job): Promise<void> {
  for (const budget of budgetsOf(deps, after)) {
    if (after.attempts.length > before.attempts.length) await budget.settle(after);
    else if (before.phase.state === "Provisioning" && after.phase.state === "Queued") await budget.cancel(before);
  }
}

/**
 * The create of an attempt is not sent after all. Its next try, or its job's end, takes back what it was counted for; where the job has
 * ended meanwhile nobody else does.
 */
export async function uncharge(deps: BudgetDeps, claimed: Job, { phase, attempts }: Job): Promise<void> {
  if (!hasEnded(phase) || attempts.some(({ number }) => number === claimed.attempt)) return;
  for (const budget of budgetsOf(deps, claimed)) await budget.cancel(claimed);
}

type BudgetDeps = Pick<Deps, "daily" | "teamBudgets">;

/** The budgets of a day for which a job counts: that of all, and its team's. */
export function budgetsOf({ daily, teamBudgets }: BudgetDeps, job: Job): readonly DailyBudget[] {
  const own = teamBudgets.get(teamOf(job));
  return own === undefined ? [daily] : [daily, own];
}

/** How many of those that wait for a region's quota or capacity try it at once. */
const probes = 5;

/** Requeues as many as there is capacity for by now, in their order. */
export async function requeueWaiting(deps: Deps, until: number): Promise<RunEnd> {
  if (!(await deps.ceilings.recount(until))) return { kind: "unfinished", cursor: undefined };
  const areShared = deps.settings.teams.length > 0;
  const queues: string[] = [];
  const ofCreates: string[] = [];
  for await (const queue of deps.jobs.index.lines("~"))
    (areShared && queue.startsWith(creates) ? ofCreates : queues).push(queue);
  if (areShared && !(await callUpTeams(deps, ofCreates, until))) return { kind: "unfinished", cursor: undefined };
  if (queues.length === 0) return { kind: "completed", cursor: undefined };
  const now = deps.now();
  const exclusions = await deps.placement.exclusions(now);
  for (const queue of queues) {
    if (deps.now() >= until) return { kind: "unfinished", cursor: undefined };
    if (isCeilingQueue(queue)) await requeueCeiling(deps, queue);
    const line = regionQueueIn(queue);
    if (line?.kind === "create") await requeueFrom(deps, queue, await deps.budget.creates(line.placed, now));
    else if (line?.kind === "room" && !exclusions.has(scopeOf(line.placed, line.pool)))
      await requeueFrom(deps, queue, probes);
  }
  return { kind: "completed", cursor: undefined };
}

const creates = "~create-";
/** How many of a line one pass calls up. */
const maxCalled = 200;

/**
 * Where teams share, the next is called up of the team that has paid the least. The part of the sweep that does so runs under a lease. Its
 * calls are one for each line, two for each region, and two for each job that is called up, however many wait.
 *
 * @returns false when the time was up first
 */
async function callUpTeams(deps: Deps, queues: readonly string[], until: number): Promise<boolean> {
  const { index } = deps.jobs;
  const regions = new Map<string, { readonly placed: JobTarget; readonly waiting: Map<string, Waiter[]> }>();
  for (const queue of queues) {
    const line = regionQueueIn(queue);
    if (line === undefined) continue;
    const region = regions.get(createQueue(line.placed)) ?? {
      placed: line.placed,
      waiting: new Map<string, Waiter[]>(),
    };
    regions.set(createQueue(line.placed), region);
    const waiters = (await index.entries(queue, maxCalled)).map(({ id, turn }) => ({ queue, id, turn }));
    region.waiting.set(line.team, [...(region.waiting.get(line.team) ?? []), ...waiters]);
  }
  for (const { placed, waiting } of regions.values()) {
    const counts = new Map([...waiting].map(([team, { length }]) => [team, length]));
    for (const team of await deps.budget.callUp(placed, counts, deps.now())) {
      if (deps.now() >= until) return false;
      const next = waiting.get(team)?.shift();
      if (next === undefined) continue;
      await index.dequeue(next.queue, next.id, next.turn);
      await requeue(deps, next.id);
    }
  }
  return true;
}

interface Waiter {
  readonly queue: string;
  readonly id: JobId;
  readonly turn: number;
}

async function requeueFrom(deps: Deps, queue: string, max: number): Promise<void> {
  for (const id of await deps.jobs.index.takeFirst(queue, max)) await requeue(deps, id);
}
