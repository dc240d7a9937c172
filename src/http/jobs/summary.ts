import { hasTag } from "../../shared/store/active-jobs.ts";
import { day, minute, second } from "../../shared/base/duration.ts";
import { err, ok, type Result } from "../../shared/base/errors.ts";
import { foldName } from "../../shared/base/json.ts";
import { TtlCache } from "../../shared/base/ttl-cache.ts";
import type { Settings } from "../../shared/config/settings.ts";
import type { Deps } from "../../shared/deps.ts";
import { activeStates } from "../../shared/job/job.ts";
import { rightsOf } from "../lib/auth.ts";
import { oneOf, readQuery } from "../lib/query.ts";
import { VisibleJobs } from "../lib/visible.ts";
import { faulty, handler, json, refuse } from "../lib/reply.ts";
import type { Reply } from "../openapi/replies.ts";
import type { JobFilter } from "../../shared/store/job-filter.ts";
import { filterParameters, wantedOf, withTemplate, type Wanted } from "./filter.ts";
import { groupings, type Grouping } from "./groupings.ts";
import { Tally, talliedColumns } from "./tally.ts";

/**
 * `GET /api/jobs/summary`: how many jobs there were, how they ended, how long they took and what they cost, by what they have in common.
 * An answer is kept for a minute, for callers of the same rights and teams: it may have read 100,000 rows, and every open page asks for the same.
 */
type SummaryDeps = Pick<Deps, "log" | "now" | "settings" | "jobs" | "templates">;

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

/** Answers that are remembered, and the rows that one of them has at the most: together some 20 MB. */
const [maxRemembered, maxRememberedRows] = [50, 1000];

export function summary(deps: SummaryDeps, limits: Limits = { maxRows: 100_000, maxTime: 2 * minute }) {
  const recent = new TtlCache<Reply<"Summary">>({ time: minute, max: maxRemembered, now: deps.now });
  return handler(deps.log, async (request, context) => {
    const asked = readSummary(request.query, deps.settings, deps.now());
    if (!asked.ok) return refuse(asked.error, context);
    const visible = new VisibleJobs(deps.jobs, context);
    const key = JSON.stringify([rightsOf(context), visible.key, asked.value.key]);
    const told = await recent.get(
      key,
      async () => {
        const filter = await withTemplate(asked.value.filter, deps.templates);
        return summarize(deps, asked.value, await visible.within(filter, asked.value.array), limits);
      },
      ({ rows }) => rows.length <= maxRememberedRows,
    );
    const age = Math.max(0, Math.floor((deps.now() - Date.parse(told.generatedAt)) / second));
    return json(200, told, { age: String(age) });
  });
}

interface Asked extends Wanted {
  readonly by: Grouping;
  readonly since: number;
  readonly until: number;
  /** The same for all that asks for the same: a duration ago stays as it was written, though it is another time each time. */
  readonly key: unknown;
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
  // An array's children are few enough, however old.
  const { since = Math.max(0, until - (asked.value.array === undefined ? usualRange : longestRange)) } = asked.value;
  if (since > until) return err(faulty("since", "must be before until"));
  // Without the millisecond that was added above.
  if ((asked.value.until ?? now) - since > longestRange)
    return err(faulty("since", "must be at most 31 days before until"));
  const asWritten = (name: string): string | undefined => [...query].find(([key]) => foldName(key) === name)?.[1];
  const key = { ...asked.value, by, since: asWritten("since"), until: asWritten("until") };
  return ok({ ...wantedOf(asked.value), by, since, until, key });
}

const pageSize = 1000;

async function summarize(
  { jobs, now }: SummaryDeps,
  { by, since, until, active, tag }: Asked,
  filter: JobFilter | "nothing",
  { maxRows, maxTime }: Limits,
): Promise<Reply<"Summary">> {
  const began = now();
  const deadline = began + maxTime;
  const columns = tag === undefined ? talliedColumns : [...talliedColumns, "tags"];
  const tally = new Tally(by);
  let [read, skipped] = [0, 0];
  let continuation: string | undefined;
  while (filter !== "nothing") {
    const states = active ? activeStates : filter.states;
    const size = Math.min(pageSize, maxRows - read);
    const page = await jobs.list({ ...filter, states, since, until }, size, continuation, columns);
    if (page === "no such page") break;
    read += page.rows.length + page.skipped;
    skipped += page.skipped;
    for (const row of page.rows) if (tag === undefined || hasTag(row, tag)) tally.add(row);
    ({ continuation } = page);
    if (continuation === undefined || read >= maxRows || now() >= deadline) break;
  }
  return {
    by,
    generatedAt: new Date(began).toISOString(),
    since: new Date(since).toISOString(),
    until: new Date(until).toISOString(),
    rows: [...tally.rows()],
    ...(skipped > 0 ? { skipped } : {}),
    currency: jobs.prices.currency,
    truncated: continuation !== undefined,
  };
}
