import type { InvocationContext } from "@azure/functions";
import type { Deps } from "../shared/deps.ts";
import { errorFields } from "../shared/base/log.ts";
import { runPass } from "./sweep/pass.ts";

/**
 * The second clock: timers have been seen to stop for good while queues went on. Whatever message comes, its handler runs the sweep too
 * when no pass was completed for two minutes. The sweep's trouble never fails the message.
 */
export function runningSweep<Message>(
  deps: Deps,
  handle: (message: Message, context: InvocationContext) => unknown,
): (message: Message, context: InvocationContext) => Promise<void> {
  return async (message, context) => {
    try {
      await handle(message, context);
    } finally {
      await runIfOverdue(deps);
    }
  };
}

async function runIfOverdue(deps: Deps): Promise<void> {
  try {
    if (!(await deps.control.isSweepOverdue(deps.now()))) return;
    deps.log("warn", "sweep overdue", { trigger: "queue" });
    await runPass(deps, "queue");
  } catch (error) {
    deps.log("error", "sweep failed in part", { part: "second clock", ...errorFields(error) });
  }
}
