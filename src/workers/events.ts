import type { EventGridHandler, StorageQueueHandler } from "@azure/functions";
import { second } from "../shared/base/duration.ts";
import type { Deps } from "../shared/deps.ts";
import { groupName, nameKey } from "../shared/base/ids.ts";
import { readGroupEvents } from "../shared/store/messages.ts";

/**
 * Event Grid, by queue and by trigger alike: an event is a reason to observe a group again, and nothing more. A name that no job holds
 * costs one read of the index and no call of ARM; events of one group within two seconds become one message.
 */
const together = 2 * second;

export function events(deps: Deps): StorageQueueHandler & EventGridHandler {
  const lately = new Map<string, number>();
  return async (body: unknown) => {
    for (const name of readGroupEvents(body)) {
      const key = nameKey(name);
      const now = deps.now();
      if (now - (lately.get(key) ?? 0) < together) continue;
      lately.set(key, now);
      if (lately.size > 1000) for (const [old, at] of lately) if (now - at >= together) lately.delete(old);
      const hold = await deps.jobs.index.lockOf(groupName(name));
      if (hold) await deps.queues.requeue(hold.lockedBy, undefined, together);
    }
  };
}
