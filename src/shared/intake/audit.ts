import type { Log, LogFields } from "../base/log.ts";

/**
 * One line for each call that changes or cancels something, or reads the logs of somebody else's job, and for each job of a call for
 * many: who, what, and what came of it.
 * @param caller the Entra application, or undefined with keys: the platform does not say whose a key is
 */
export function writeAudit(log: Log, action: string, caller: string | undefined, fields: LogFields = {}): void {
  log("info", "audit", { action, caller: caller ?? "a key", ...fields });
}
