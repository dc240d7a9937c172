import type { TimerHandler } from "@azure/functions";
import { hour, minute } from "../shared/base/duration.ts";
import type { Deps } from "../shared/deps.ts";
import { errorFields } from "../shared/base/log.ts";
import { sweepOrphans } from "./sweep/orphans.ts";
import { reconcile } from "./reconcile/reconcile.ts";
import { sweepRetention } from "./sweep/retention.ts";
import { callUpWaiting } from "./reconcile/capacity.ts";

/** A job that a message did not bring on is looked at by the timer itself, so many at a time: the queue may be what is in trouble. */
const mostByItself = 20;

/**
 * The timer: wakes the jobs whose looks may have stopped, calls up those that wait for room, and now and then looks for orphans and for
 * what is kept too long. It only dispatches; the queue spreads the work over instances. One part's trouble does not stop the others.
 */
export function sweep(deps: Deps): TimerHandler {
  return async () => {
    await deps.control.installation();
    const now = deps.now();
    await part(deps, "due jobs", () => wakeDue(deps, now));
    await part(deps, "waiting jobs", () => callUpWaiting(deps));
    if (await deps.control.turn("orphans", 10 * minute, now)) await part(deps, "orphans", () => sweepOrphans(deps));
    if (await deps.control.turn("retention", hour, now)) await part(deps, "retention", () => sweepRetention(deps));
    await deps.control.beat(now, await armState(deps), await deps.jobs.index.count());
  };
}

async function armState(deps: Deps): Promise<"ok" | "refused" | "unknown"> {
  const [target] = deps.settings.targets;
  if (target === undefined) return "unknown";
  const { aci } = await deps.aci();
  return aci.ping(target);
}

async function wakeDue(deps: Deps, now: number): Promise<void> {
  let woken = 0;
  let byItself = 0;
  for await (const { id, told } of deps.jobs.index.due(now)) {
    await deps.jobs.index.setCheck(id, now + 2 * minute, true);
    woken++;
    if (told && byItself++ < mostByItself) await part(deps, "due job", () => reconcile(deps, id, { at: undefined }));
    else await deps.queues.wake(id, undefined, 0);
  }
  if (woken > 0) deps.log("info", "sweep woke jobs", { woken });
}

async function part(deps: Deps, name: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    deps.log("error", "sweep failed in part", { part: name, ...errorFields(error) });
  }
}
