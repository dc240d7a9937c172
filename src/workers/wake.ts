import type { StorageQueueHandler } from "@azure/functions";
import type { Deps } from "../shared/deps.ts";
import { readWake } from "../shared/store/messages.ts";
import { reconcile } from "./reconcile/reconcile.ts";

/** The queue `aci-wake`: one job to look at. A message that came before and did not get through looks whatever the row says. */
export function wake(deps: Deps): StorageQueueHandler {
  return async (body, context) => {
    const message = readWake(body);
    if (message === undefined) {
      deps.log("warn", "wake that is none", {});
      return;
    }
    const again = Number(context.triggerMetadata?.["dequeueCount"] ?? 1) > 1;
    await reconcile(deps, message.id, { at: again ? undefined : message.at });
  };
}
