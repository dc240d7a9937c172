import type { StorageQueueHandler } from "@azure/functions";
import type { Deps } from "../shared/deps.ts";
import { readRequeueMessage } from "../shared/store/messages.ts";
import { runPass } from "./sweep/pass.ts";
import { reconcile } from "./reconcile/reconcile.ts";

/** The queue `aci-wake`: one job to look at, or a pass of the sweep to run. A message that came before and did not get through looks whatever the row says. */
export function wake(deps: Deps): StorageQueueHandler {
  return async (body, context) => {
    const message = readRequeueMessage(body);
    if (message === undefined) {
      deps.log("warn", "unreadable wake message", {});
      return;
    }
    if (message.kind === "sweep") return runPass(deps, "queue");
    const again = Number(context.triggerMetadata?.["dequeueCount"] ?? 1) > 1;
    await reconcile(deps, message.id, { at: again ? undefined : message.at });
  };
}
