import type { ProxiedCall } from "../../local/drills/proxy.ts";

export { startProxy } from "../../local/drills/proxy.ts";
export type { Gate, ProxiedCall, Proxy, Refusal, Service } from "../../local/drills/proxy.ts";

/** How many of these calls waited for one another: the longest chain in which each began after the one before had ended. */
export function roundTrips(calls: readonly ProxiedCall[]): number {
  let depth = 0;
  let free = -Infinity;
  for (const { startedAt, endedAt } of [...calls].sort((a, b) => a.endedAt - b.endedAt)) {
    if (startedAt < free) continue;
    depth++;
    free = endedAt;
  }
  return depth;
}
