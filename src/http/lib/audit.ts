import type { InvocationContext } from "@azure/functions";
import type { Log, LogFields } from "../../shared/base/log.ts";
import { writeAudit } from "../../shared/intake/audit.ts";
import type { Job } from "../../shared/job/job.ts";
import { callerOf } from "./auth.ts";

/** An audit line about the caller of an HTTP call. */
export function audit(log: Log, context: InvocationContext, action: string, fields?: LogFields): void {
  writeAudit(log, action, callerOf(context), fields);
}

/** Only a caller who is known can be seen to be the one who submitted the job; a key may be anybody's. */
export function isOwn({ requestedBy }: Job, context: InvocationContext): boolean {
  const caller = callerOf(context);
  return caller !== undefined && caller === requestedBy;
}
