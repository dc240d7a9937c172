import { day, second } from "../../shared/base/duration.ts";
import { Unreadable } from "../../shared/base/errors.ts";
import type { Deps } from "../../shared/deps.ts";
import type { RunEnd } from "../../shared/store/periodic-runs.ts";
import type { Undelivered } from "../../shared/store/undelivered-events.ts";
import { publish, savePublished, type MayTry } from "../reconcile/publish.ts";

/** After an outage an endpoint gets the events of at most this many jobs a second. */
const perSecond = 20;
/** A note of a job that nobody can publish, because its row can't be read, say, is given up. */
const noteTime = 2 * day;

/**
 * Sends events that an endpoint did not take, oldest job first. An endpoint that rests is tried with the first of them, and no further
 * in this pass if it does not take that: one probe a minute.
 */
export async function publishUndelivered(deps: Deps, until: number): Promise<RunEnd> {
  const refusing = new Set<string>();
  const mayTry: MayTry = ({ name }) => Promise.resolve(!refusing.has(name));
  for await (const each of deps.undelivered.oldestFirst()) {
    if (refusing.size > 0 && deps.endpoints.every(({ name }) => refusing.has(name))) break;
    if (deps.now() >= until) return { kind: "unfinished", cursor: undefined };
    for (const name of await publishJob(deps, each, mayTry)) refusing.add(name);
    await deps.sleep(second / perSecond);
  }
  return { kind: "completed", cursor: undefined };
}

/** @returns the endpoints that did not take it */
async function publishJob(deps: Deps, each: Undelivered, mayTry: MayTry): Promise<readonly string[]> {
  try {
    const stored = await deps.jobs.find(each.id);
    if (stored === undefined) {
      await deps.undelivered.remove(each);
      return [];
    }
    const { published, left } = await publish(deps, stored.job, mayTry);
    await savePublished(deps.jobs, each.id, published);
    if (left.length === 0) await deps.undelivered.remove(each);
    return left;
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    if (deps.now() - each.at > noteTime) await deps.undelivered.remove(each);
    return [];
  }
}
