import type { InvocationContext } from "@azure/functions";
import type { Log, LogFields } from "../../shared/base/log.ts";
import { callerOf } from "./auth.ts";

/**
 * One line for each call that changes or cancels something: who, what, and what came of it. With keys the platform does not say whose
 * it was.
 */
export function audit(log: Log, context: InvocationContext, action: string, fields: LogFields = {}): void {
  log("info", "audit", { action, caller: callerOf(context) ?? "a key", ...fields });
}
