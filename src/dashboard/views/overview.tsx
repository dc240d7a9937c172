import { listJobs, readHealth, readSummary, type Answer, type Health, type JobRow, type Summary } from "../api.ts";
import { ago, duration, money, percent, plural, utcTime, visible } from "../logic/format.ts";
import { gathered, type Gathered } from "../logic/gather.ts";
import { factsOf, wellness } from "../logic/health.ts";
import { failedStates, isFailure, merged, waitingReasons, waitingStates } from "../logic/grouping.ts";
import { jobAddress, jobsAddress } from "../logic/route.ts";
import { Freshness, Section, StateMark, Trouble } from "../parts/basics.tsx";
import { useNow, usePolled, type Polled } from "../polled.ts";
import { Days, Nights, Wellness } from "./overview-parts.tsx";

/** How the service does: what failed, what runs and waits, the last nights by name, times and costs by day. */

const [second, minute] = [1000, 60_000];
const days = 14;
const [recentRows, shownFailures] = [400, 6];

/** All that a reply has at most: they are read to the last for a page of any size. */
const allActive = async (signal: AbortSignal): Promise<Answer<Active>> => {
  const answer = await listJobs(new URLSearchParams({ state: "active", top: "1000" }), signal);
  return answer.ok
    ? { ok: true, value: { jobs: answer.value.jobs, more: answer.value.continuation !== undefined } }
    : answer;
};

interface Active {
  readonly jobs: readonly JobRow[];
  readonly more: boolean;
}

type Some = Gathered<JobRow>;

/** Pages that are read as the view opens: storage may answer with an empty one that others follow. */
const firstPages = 8;

const some = (query: Record<string, string>, top: number, pages: number, signal: AbortSignal): Promise<Answer<Some>> =>
  gathered(
    (after) => {
      const asked = new URLSearchParams({ ...query, top: String(top) });
      if (after !== undefined) asked.set("continuation", after);
      return listJobs(asked, signal);
    },
    top,
    pages,
  );

/** After the first time only what came or changed since is asked for: from the oldest job that had not ended. */
async function recent(signal: AbortSignal, last: Some | undefined): Promise<Answer<Some>> {
  const open = last?.jobs.filter(({ finishedAt }) => finishedAt === undefined).at(-1) ?? last?.jobs[0];
  const answer = await some({ since: open?.createdAt ?? "P7D" }, recentRows, last ? 1 : firstPages, signal);
  if (!answer.ok || last === undefined) return answer;
  return { ok: true, value: { jobs: merged(last.jobs, answer.value.jobs).slice(0, recentRows), more: last.more } };
}

/** Those of a week; beside thousands of others they would not be among the recent ones. */
async function failures(signal: AbortSignal, last: Some | undefined): Promise<Answer<Some>> {
  const answer = await some({ state: failedStates, since: "P7D" }, shownFailures, last ? 1 : firstPages, signal);
  if (!answer.ok || last === undefined || !answer.value.more) return answer;
  return { ok: true, value: { jobs: merged(last.jobs, answer.value.jobs).slice(0, shownFailures), more: true } };
}

/** All together costs fewer than six storage reads a minute beside rows that changed: health is 16 of them. */
export function Overview() {
  const active = usePolled("active", allActive, minute);
  const rows = usePolled("recent", recent, minute);
  const failed = usePolled("failed", failures, minute);
  const lastDay = usePolled("last day", (signal) => readSummary("by=state&since=P1D", signal), 5 * minute);
  const byDay = usePolled("days", (signal) => readSummary(`by=day&since=P${days}D`, signal), 15 * minute);
  const health = usePolled("health", readHealth, 8 * minute);
  const refresh = (): void => [active, rows, failed, lastDay, byDay, health].forEach((each) => each.refresh());
  return (
    <>
      <div class="view-head">
        <h1>Overview</h1>
        <Freshness polled={{ ...active, refresh }} every="every minute" />
      </div>
      <Trouble polled={[active, rows, failed, lastDay, byDay].find(({ error }) => error) ?? health} />
      <Tiles active={active.value} lastDay={lastDay.value} byDay={byDay.value} health={health} />
      <div class="grid">
        <Failures failures={failed.value} />
        <Waits active={active.value} />
        <Nights rows={rows.value} />
        <Days summary={byDay.value} days={days} />
        <Wellness health={health} />
      </div>
    </>
  );
}

interface TilesOf {
  readonly active: Active | undefined;
  readonly lastDay: Summary | undefined;
  readonly byDay: Summary | undefined;
  readonly health: Polled<Health>;
}

function Tiles({ active, lastDay, byDay, health }: TilesOf) {
  const running = active?.jobs.filter(({ state }) => state === "Running").length;
  const waiting = active?.jobs.filter(({ state }) => state !== "Running").length;
  const more = active?.more ? "+" : "";
  const cost = byDay?.rows.reduce((sum, row) => sum + row.cost, 0);
  const facts = health.value ? factsOf(health.value, health.at ?? 0) : [];
  const status = health.value ? wellness(health.value, facts) : health.error ? "unknown" : undefined;
  return (
    <ul class="tiles">
      <Tile label="Running" value={running} more={more} href={jobsAddress({ state: "Running" })} tone="live" />
      <Tile label="Waiting" value={waiting} more={more} href={jobsAddress({ state: waitingStates })} tone="wait" />
      <LastDay summary={lastDay} />
      <Tile label={`Cost, ${days} days`} value={byDay && money(cost, byDay.currency)} tone="quiet" />
      <Tile label="Health" value={status} tone={status === "ok" ? "good" : "bad"} />
    </ul>
  );
}

function LastDay({ summary }: { readonly summary: Summary | undefined }) {
  const sum = (wanted: (state: string) => boolean): number =>
    (summary?.rows ?? []).reduce((count, row) => count + (wanted(row.key) ? row.count : 0), 0);
  const failed = sum(isFailure);
  const good = sum((state) => state === "Succeeded");
  const share = good + failed === 0 ? undefined : good / (good + failed);
  return (
    <>
      <Tile
        label="Failed, 24 h"
        value={summary && failed}
        href={jobsAddress({ state: failedStates, since: "P1D" })}
        tone={failed > 0 ? "bad" : "good"}
      />
      <Tile
        label="Succeeded, 24 h"
        value={summary && percent(share)}
        href={jobsAddress({ since: "P1D" })}
        tone="good"
      />
    </>
  );
}

interface TileOf {
  readonly label: string;
  readonly value: string | number | undefined;
  readonly more?: string;
  readonly href?: string;
  readonly tone: string;
}

function Tile({ label, value, more = "", href, tone }: TileOf) {
  const content = (
    <>
      <span class="tile-label">{label}</span>
      <span class={`tile-value tone-${tone} ${String(value).length > 12 ? "long" : ""}`}>
        {value === undefined ? "…" : `${value}${more}`}
      </span>
    </>
  );
  return (
    <li>
      {href === undefined ? (
        <div class="tile">{content}</div>
      ) : (
        <a class="tile" href={href}>
          {content}
        </a>
      )}
    </li>
  );
}

function Failures({ failures }: { readonly failures: Some | undefined }) {
  const now = useNow(30 * second);
  return (
    <Section title="Latest failures" aside={<a href={jobsAddress({ state: failedStates })}>All failures</a>}>
      {failures?.jobs.length === 0 && (
        <p class="muted">{failures.more ? "Nothing failed lately." : "Nothing failed in the last 7 days."}</p>
      )}
      <ul class="list">
        {failures?.jobs.map((job) => (
          <li key={job.id}>
            <a href={jobAddress(job.id)} class="row-link">
              <span class="row-top">
                <strong>{job.name}</strong>
                <StateMark state={job.state} />
                <time
                  class="muted push"
                  dateTime={job.finishedAt ?? job.createdAt}
                  title={utcTime(job.finishedAt ?? job.createdAt)}
                >
                  {ago(Date.parse(job.finishedAt ?? job.createdAt), now)}
                </time>
              </span>
              <span class="clip muted">{visible([job.pipeline, job.message].filter(Boolean).join(" · "))}</span>
            </a>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Waits({ active }: { readonly active: Active | undefined }) {
  const now = useNow(30 * second);
  const reasons = waitingReasons(active?.jobs ?? []);
  const running = active?.jobs.filter(({ state }) => state === "Running").slice(0, 5) ?? [];
  return (
    <Section title="Running and waiting" aside={<a href={jobsAddress({ state: "active" })}>All active jobs</a>}>
      {active?.jobs.length === 0 && <p class="muted">No job is active.</p>}
      <ul class="list">
        {running.map((job) => (
          <li key={job.id}>
            <a href={jobAddress(job.id)} class="row-link">
              <span class="row-top">
                <strong>{job.name}</strong>
                <StateMark state={job.state} />
                <span class="muted push">{duration((now - Date.parse(job.startedAt ?? job.createdAt)) / 1000)}</span>
              </span>
            </a>
          </li>
        ))}
        {reasons.map(({ reason, count, oldest }) => (
          <li key={reason}>
            <a href={jobsAddress({ state: "active", reason })} class="row-link">
              <span class="row-top">
                <strong>{reason}</strong>
                <span class="muted">{plural(count, "job waits", "jobs wait", active?.more)}</span>
                <span class="muted push">
                  {active?.more ? "at least" : "longest"} {duration((now - Date.parse(oldest)) / 1000)}
                </span>
              </span>
            </a>
          </li>
        ))}
      </ul>
    </Section>
  );
}
