import { Unreadable } from "./errors.ts";
import type { Log } from "./log.ts";

/** A job whose row can't be read harms itself alone: that is logged, and returned in the place of what was wanted. */
export async function ifReadable<T>({ log }: { readonly log: Log }, work: () => Promise<T>): Promise<T | Unreadable> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    log("error", "job can't be read", { job: error.id, why: error.why });
    return error;
  }
}
