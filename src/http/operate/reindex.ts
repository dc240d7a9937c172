import { minute, second } from "../../shared/base/duration.ts";
import { counted } from "../../shared/base/text.ts";
import type { Deps } from "../../shared/deps.ts";
import { readProgress, withFewerRows, type RebuildProgress } from "../../shared/store/index-rebuild.ts";
import { audit } from "../lib/audit.ts";
import { handler, json, retryAfterHeader } from "../lib/reply.ts";
import type { Reply } from "../openapi/replies.ts";

/**
 * `POST /api/reindex`: writes the lost job index anew from the rows. One call works for a while and says whether all is done; the next
 * one goes on where it stopped, also when its host died. Two calls at once do no work twice.
 */
type ReindexDeps = Pick<Deps, "log" | "now" | "control" | "periodicRuns" | "rebuild">;

const work = "reindex";
/** No step begins after it. */
const budget = 15 * second;
/** On a slow storage a step that was begun in time goes on until then. */
const deadline = minute;
/** Calls to storage that were begun in time may take as long after it. */
const lease = deadline + 30 * second;

export function reindex({ log, now, control, periodicRuns, rebuild }: ReindexDeps) {
  return handler(log, async (_request, context) => {
    await control.installation();
    const begun = now();
    const last = (await periodicRuns.all()).get(work);
    const run = await periodicRuns.acquirePeriodic(work, last, { every: 0, lease, by: "operator" }, begun);
    let progress = readProgress(last?.cursor, begun);
    if (run === undefined) return unfinished(progress, "Another call rebuilds the index now.");
    try {
      while (progress.pass !== "whole" && now() < begun + budget)
        progress = await rebuild.step(progress, begun + deadline);
    } catch (error) {
      progress = withFewerRows(progress);
      throw error;
    } finally {
      const kind = progress.pass === "whole" ? "completed" : "unfinished";
      const cursor = kind === "completed" ? undefined : JSON.stringify(progress);
      await periodicRuns.end(run, { kind, cursor }, now());
    }
    const { pass, jobs, skipped } = progress;
    audit(log, context, "reindex", { pass, jobs, skipped });
    if (pass !== "whole") return unfinished(progress, "The index is not whole yet.");
    const message = `The index is whole: ${counted(jobs, "job was", "jobs were")} read${skipped > 0 ? `, ${skipped} of them can't be read` : ""}.`;
    const reply: Reply<"Reindexed"> = { message, complete: true, jobs, skipped };
    return json(200, reply);
  });
}

function unfinished({ jobs, skipped }: RebuildProgress, what: string) {
  const message = `${what} So far ${counted(jobs, "job was", "jobs were")} read: call again.`;
  const reply: Reply<"Reindexed"> = { message, complete: false, jobs, skipped };
  return json(202, reply, retryAfterHeader(2 * second));
}
