import { hour, minute, second } from "../../shared/base/duration.ts";
import { messageOf } from "../../shared/base/errors.ts";
import { errorFields } from "../../shared/base/log.ts";
import type { Deps } from "../../shared/deps.ts";
import { vitalParts, type PeriodicRun, type RunEnd } from "../../shared/store/periodic-runs.ts";
import { requeueWaiting } from "../reconcile/capacity.ts";
import { continueReruns } from "./bulk-reruns.ts";
import { continueCancels } from "./bulk-cancels.ts";
import { requeueDue, type Load } from "./due-jobs.ts";
import { checkGroups } from "./group-slots.ts";
import { logHealth } from "./log-health.ts";
import { checkNames } from "./names.ts";
import { sweepOrphans } from "./orphans.ts";
import { recheckUnreadable } from "./unreadable-rows.ts";
import { publishUndelivered } from "./undelivered-events.ts";
import { requeueWithoutIndex } from "./without-index.ts";
import { sweepRetention } from "./retention.ts";

/**
 * A pass of the sweep: every part whose turn it is, side by side, each under a lease of its own, so that any number of instances and
 * triggers may begin a pass at once. A part stops when its time is up and says where, and goes on there in the next pass.
 */
interface Part {
  /** The name of its turn, and in health and log. */
  readonly name: string;
  /** From one beginning to the next, when it finishes. */
  readonly every: number;
  /** How long it works in one pass. All are well within host.json's `functionTimeout`, and within the timer's minute. */
  readonly budget: number;
  /** @param until when it must stop; a call that it has begun by then may end */
  readonly run: (deps: Deps, until: number, cursor: string | undefined) => Promise<RunEnd>;
}

/** Calls that were begun in time may take as long after it. */
const leaseMargin = 30 * second;

const partsOf = (report: (load: Load) => void): readonly Part[] => [
  {
    name: "due jobs",
    every: 25 * second,
    budget: 15 * second,
    run: (deps, until) => requeueDue(deps, until, report),
  },
  { name: "waiting jobs", every: 25 * second, budget: 15 * second, run: requeueWaiting },
  { name: "group slots", every: 25 * second, budget: 15 * second, run: checkGroups },
  { name: "jobs without index", every: 2 * minute, budget: 15 * second, run: requeueWithoutIndex },
  { name: "cancels of many", every: 25 * second, budget: 20 * second, run: continueCancels },
  { name: "reruns of many", every: 25 * second, budget: 20 * second, run: continueReruns },
  { name: "undelivered events", every: 55 * second, budget: 15 * second, run: publishUndelivered },
  { name: "health", every: 55 * second, budget: 20 * second, run: logHealth },
  { name: "names", every: 10 * minute, budget: 15 * second, run: checkNames },
  { name: "orphans", every: 10 * minute, budget: 45 * second, run: sweepOrphans },
  { name: "unreadable rows", every: 10 * minute, budget: 20 * second, run: recheckUnreadable },
  { name: "retention", every: hour, budget: 45 * second, run: sweepRetention },
];

const isVital = ({ name }: Part): boolean => vitalParts.some((vital) => vital === name);

/** @param by the trigger: `timer` or `queue` */
export async function runPass(deps: Deps, by: "timer" | "queue"): Promise<void> {
  await deps.control.installation();
  const runs = await deps.periodicRuns.all();
  if (runs.size === 0 && (await deps.control.restore()))
    deps.log("error", "table control was lost and is made anew", { lost: "templates, a pause, keys of links" });
  let load: Load | undefined;
  const parts = partsOf((seen) => (load = seen));
  const ends = await Promise.all(parts.map((part) => runPeriodic(deps, part, runs.get(part.name), by)));
  const completed = parts.some((part, n) => isVital(part) && ends[n]?.kind === "completed");
  await deps.control.heartbeat(deps.now(), { completed, by, load });
}

async function runPeriodic(
  deps: Deps,
  part: Part,
  last: PeriodicRun | undefined,
  by: string,
): Promise<RunEnd | undefined> {
  const { name, budget, run } = part;
  const begun = deps.now();
  const lease = budget + leaseMargin;
  // The timer's own time is reason enough for what it is there for.
  const every = by === "timer" && isVital(part) ? 0 : part.every;
  const acquired = await deps.periodicRuns.acquirePeriodic(name, last, { every, lease, by }, begun);
  if (acquired === undefined) return undefined;
  const end = await ended(deps, name, () => run(deps, begun + budget, last?.cursor));
  await deps.periodicRuns.end(acquired, end, deps.now());
  return end;
}

/** One part's trouble stops no other. */
async function ended(deps: Deps, part: string, run: () => Promise<RunEnd>): Promise<RunEnd> {
  try {
    return await run();
  } catch (error) {
    deps.log("error", "sweep failed in part", { part, ...errorFields(error) });
    return { kind: "failed", error: messageOf(error) };
  }
}
