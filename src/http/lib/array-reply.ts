import { activeIn, lettersOf, runsIn, type ArrayOutcomes } from "../../shared/job/array-outcomes.ts";
import { hasEnded, type Job } from "../../shared/job/job.ts";
import { resultsUrl, type Links } from "../../shared/job/urls.ts";
import type { AttemptResult } from "../../shared/store/attempts.ts";
import type { Reply } from "../openapi/replies.ts";

type Members = Pick<Reply<"Status">, "array" | "resultsUrl" | "results" | "resultsTruncated">;

/** What a reply says of an array beside what it says of any job: how many of its children ended how, and where their results are. */
export function arrayMembers({ id, array, phase }: Job, settings: Links): Members {
  if (array === undefined) return {};
  const { size, counts, failures } = array;
  return {
    array: {
      size,
      runs: runsIn(array),
      succeeded: counts.Succeeded,
      failed: counts.Failed,
      stopped: counts.Stopped,
      timedOut: counts.TimedOut,
      canceled: counts.Canceled,
      active: hasEnded(phase) ? 0 : activeIn(array),
      failures,
    },
    resultsUrl: resultsUrl(settings, id),
  };
}

/** The same of a record, from what has ended by now: the row's counts may be some seconds older. */
export function recordMembers(
  job: Job,
  outcomes: ArrayOutcomes | undefined,
  settings: Links,
): Pick<Reply<"JobRecord">, "array" | "resultsUrl"> {
  if (job.array === undefined || outcomes === undefined) return {};
  const { counts, failures } = outcomes;
  const { array, ...more } = arrayMembers(
    { ...job, array: { ...job.array, counts, failures: [...failures] } },
    settings,
  );
  const { parallelism } = job.array;
  return { ...more, ...(array ? { array: { ...array, parallelism, ends: lettersOf(job.array, outcomes) } } : {}) };
}

/** The same once it has ended, with the results that were stored then. */
export function finalMembers(captured: AttemptResult | undefined): Members {
  if (captured?.items === undefined) return {};
  return { results: captured.items, ...(captured.itemsTruncated ? { resultsTruncated: true } : {}) };
}
