import type { HttpHandler } from "@azure/functions";
import { Deadline } from "../../shared/base/deadline.ts";
import { second } from "../../shared/base/duration.ts";
import type { Deps } from "../../shared/deps.ts";
import { errorFields } from "../../shared/base/log.ts";

/** A storage that does not answer holds no reply up for longer: `/api/health` says within 2 s what it found. */
export const storagePatience = 1.5 * second;

type ClockDeps = Pick<Deps, "control" | "queues" | "now" | "log">;

/**
 * The second clock, for calls: when no pass of the sweep was completed for two minutes, a message brings one on. The heartbeat is read
 * beside the call and at most every 30 s, and nothing is done after the reply, which Functions does not promise to finish.
 */
export function enqueueingSweep(deps: ClockDeps, handle: HttpHandler): HttpHandler {
  return async (request, context) => {
    const enqueued = Deadline.in(() => performance.now(), storagePatience).limit(enqueueIfOverdue(deps));
    const [reply] = await Promise.all([handle(request, context), enqueued]);
    return reply;
  };
}

async function enqueueIfOverdue({ control, queues, now, log }: ClockDeps): Promise<void> {
  try {
    if (!(await control.isSweepOverdue(now()))) return;
    log("warn", "sweep overdue", { trigger: "http" });
    await queues.sweep(0);
  } catch (error) {
    log("warn", "unavailable", { service: "storage", ...errorFields(error) });
  }
}
