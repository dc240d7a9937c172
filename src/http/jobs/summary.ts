import { hasTag } from "../../shared/store/active-jobs.ts";
import { day, minute } from "../../shared/base/duration.ts";
import { err, ok, type Result } from "../../shared/base/errors.ts";
import type { Settings } from "../../shared/config/settings.ts";
import type { Deps } from "../../shared/deps.ts";
import { activeStates } from "../../shared/job/job.ts";
import { oneOf, readQuery } from "../lib/query.ts";
import { faulty, handler, json, refuse } from "../lib/reply.ts";
import type { Reply } from "../openapi/replies.ts";
import { filterParameters, wantedOf, type Wanted } from "./filter.ts";
import { groupings, type Grouping } from "./groupings.ts";
import { Tally, talliedColumns } from "./tally.ts";

/** `GET /api/jobs/summary`: how many jobs there were, how they ended, how long they took and what they cost, by what they have in common. */
type SummaryDeps = Pick<Deps, "log" | "now" | "settings" | "jobs">;

export const summaryParameters = {
  ...filterParameters,
  by: oneOf(groupings, "What the jobs of a row have in common; default `state`."),
};

const longestRange = 31 * day;
/** By default. */
const usualRange = day;

export interface Limits {
  /** Rows that are read at the most. */
  readonly maxRows: number;
  /** Milliseconds that the reading takes at the most: callers and gateways wait no longer than about four minutes. */
  readonly maxTime: number;
}

export function summary(deps: SummaryDeps, limits: Limits = { maxRows: 100_000, maxTime: 2 * minute }) {
  return handler(deps.log, async (request, context) => {
    const asked = readSummary(request.query, deps.settings, deps.now());
    return asked.ok ? json(200, await summarize(deps, asked.value, limits)) : refuse(asked.error, context);
  });
}

interface Asked extends Wanted {
  readonly by: Grouping;
  readonly since: number;
  readonly until: number;
}

function readSummary(
  query: URLSearchParams,
  settings: Pick<Settings, "gatewayParameters">,
  now: number,
): Result<Asked> {
  const asked = readQuery(query, summaryParameters, settings, now);
  if (!asked.ok) return asked;
  const { by = "state" } = asked.value;
  // A job of this very millisecond is in it.
  const { until = now + 1 } = asked.value;
  const { since = Math.max(0, until - usualRange) } = asked.value;
  if (since > until) return err(faulty("since", "must be before until"));
  if (until - since > longestRange) return err(faulty("since", "must be at most 31 days before until"));
  return ok({ ...wantedOf(asked.value), by, since, until });
}

const pageSize = 1000;

async function summarize(
  { jobs, now }: SummaryDeps,
  { by, since, until, filter, active, tag }: Asked,
  { maxRows, maxTime }: Limits,
): Promise<Reply<"Summary">> {
  const deadline = now() + maxTime;
  const states = active ? activeStates : filter.states;
  const columns = tag === undefined ? talliedColumns : [...talliedColumns, "tags"];
  const tally = new Tally(by);
  let [read, skipped] = [0, 0];
  let continuation: string | undefined;
  do {
    const size = Math.min(pageSize, maxRows - read);
    const page = await jobs.list({ ...filter, states, since, until }, size, continuation, columns);
    if (page === "no such page") break;
    read += page.rows.length + page.skipped;
    skipped += page.skipped;
    for (const row of page.rows) if (tag === undefined || hasTag(row, tag)) tally.add(row);
    ({ continuation } = page);
  } while (continuation !== undefined && read < maxRows && now() < deadline);
  return {
    by,
    since: new Date(since).toISOString(),
    until: new Date(until).toISOString(),
    rows: [...tally.rows()],
    ...(skipped > 0 ? { skipped } : {}),
    currency: jobs.prices.currency,
    truncated: continuation !== undefined,
  };
}
