import type { Health, JobRow, Summary } from "../api.ts";
import { clock } from "../clock.ts";
import { ago, duration, localTime, money, plural } from "../logic/format.ts";
import { everyDay, stripsOf, type Strip } from "../logic/grouping.ts";
import type { Gathered } from "../logic/gather.ts";
import { factsOf } from "../logic/health.ts";
import { jobAddress, jobsAddress } from "../logic/route.ts";
import { Section, signOf, toneOf } from "../parts/basics.tsx";
import { Bars, Lines, type Series } from "../parts/charts.tsx";
import { useNow, type Polled } from "../polled.ts";

const [stripRuns, stripNames] = [12, 16];

export function Nights({ rows }: { readonly rows: Gathered<JobRow> | undefined }) {
  const strips = stripsOf(rows?.jobs ?? [], stripRuns, stripNames);
  return (
    <Section title="Last runs by name" wide aside={<span class="muted">oldest left, newest right</span>}>
      {rows?.jobs.length === 0 && <p class="muted">No job {rows.more ? "lately" : "in the last 7 days"}.</p>}
      <div class="strips">
        {strips.map((strip) => (
          <StripRow key={strip.name} strip={strip} />
        ))}
      </div>
    </Section>
  );
}

/** One cell a run. The arrow keys go from run to run; Tab goes on to the next name. */
function StripRow({ strip: { name, runs } }: { readonly strip: Strip<JobRow> }) {
  const move = (event: KeyboardEvent): void => {
    const by =
      event.key === "ArrowLeft"
        ? "previousElementSibling"
        : event.key === "ArrowRight"
          ? "nextElementSibling"
          : undefined;
    const next = by && document.activeElement?.[by];
    if (next instanceof HTMLElement) {
      event.preventDefault();
      next.focus();
    }
  };
  return (
    <div class="strip">
      <a class="strip-name clip" href={jobsAddress({ name })} title={name}>
        {name}
      </a>
      <div class="cells" role="group" aria-label={`Runs of ${name}`} onKeyDown={move}>
        {runs.map((job, index) => {
          const words = `${job.state}${job.reason && job.reason !== "Completed" ? ` (${job.reason})` : ""}, ${localTime(job.createdAt, clock())}, ${duration(job.durationSeconds)}`;
          return (
            <a
              key={job.id}
              href={jobAddress(job.id)}
              class={`cell ${toneOf(job.state)}`}
              title={words}
              aria-label={words}
              tabIndex={index === runs.length - 1 ? 0 : -1}
            >
              {signOf(job.state)}
            </a>
          );
        })}
      </div>
    </div>
  );
}

type Percentiles = Summary["rows"][number]["runSeconds"];

const percentiles = (times: readonly Percentiles[]): readonly Series[] => [
  { label: "median", tone: "live", values: times.map(({ p50 }) => p50) },
  { label: "95th percentile", tone: "wait", values: times.map(({ p95 }) => p95) },
];

export function Days({ summary, days }: { readonly summary: Summary | undefined; readonly days: number }) {
  const rows = summary ? everyDay(summary, days) : [];
  const labels = rows.map(({ key }) =>
    new Date(key).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" }),
  );
  const count = (value: number): string => plural(Math.round(value), "job");
  return (
    <Section
      title={`The last ${days} days`}
      wide
      aside={
        summary?.truncated ? (
          <span class="tag">Only the newest 100,000 jobs</span>
        ) : (
          <span class="muted">days of UTC</span>
        )
      }
    >
      {summary?.rows.length === 0 ? (
        <p class="muted">No jobs yet.</p>
      ) : (
        <div class="charts">
          <Bars
            title="Jobs"
            labels={labels}
            format={count}
            series={[
              { label: "succeeded", tone: "good", values: rows.map((row) => row.succeeded) },
              { label: "not succeeded", tone: "bad", values: rows.map((row) => row.failed) },
            ]}
          />
          <Lines
            title="Wait for a start"
            labels={labels}
            format={duration}
            series={percentiles(rows.map((row) => row.queueSeconds))}
          />
          <Lines
            title="Run time"
            labels={labels}
            format={duration}
            series={percentiles(rows.map((row) => row.runSeconds))}
          />
          <Bars
            title="Cost"
            labels={labels}
            format={(value) => money(value, summary?.currency)}
            series={[{ label: "estimate", tone: "live", values: rows.map((row) => row.cost) }]}
          />
        </div>
      )}
    </Section>
  );
}

export function Wellness({ health: { value, error, at = 0 } }: { readonly health: Polled<Health> }) {
  const now = useNow(30_000);
  return (
    <Section title="Health" wide aside={value && <span class="muted">as it was {ago(at, now)}</span>}>
      {value === undefined ? (
        <p class="muted">{error?.message ?? "Loading…"}</p>
      ) : (
        <dl class="facts">
          {factsOf(value, at).map(({ name, value: text, isBad }) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd class={isBad ? "tone-bad" : ""}>{text}</dd>
            </div>
          ))}
        </dl>
      )}
    </Section>
  );
}
