import type { TimerHandler } from "@azure/functions";
import { minute } from "../shared/backoff.ts";
import type { Deps } from "../shared/deps.ts";

/** The timer: wakes the jobs whose looks may have stopped. It only dispatches; the queue spreads the work over instances. */
export function sweep(deps: Deps): TimerHandler {
  return async () => {
    await deps.control.installation();
    const now = deps.now();
    let woken = 0;
    for await (const { id } of deps.jobs.index.due(now)) {
      await deps.jobs.index.setCheck(id, now + 2 * minute);
      await deps.queues.wake(id, undefined, 0);
      woken++;
    }
    await deps.control.beat(now);
    if (woken > 0) deps.log("info", "sweep woke jobs", { woken });
  };
}
