import type { Health, JobRow, Summary } from "../api.ts";
import { ago, duration, localTime, money, plural } from "../logic/format.ts";
import { stripsOf, type Strip } from "../logic/grouping.ts";
import { jobAddress, jobsAddress } from "../logic/route.ts";
import { Section, signOf, toneOf } from "../parts/basics.tsx";
import { Bars, Lines, type Series } from "../parts/charts.tsx";
import { useNow, type Polled } from "../polled.ts";

const [stripRuns, stripNames] = [12, 16];

export function Nights({ rows }: { readonly rows: readonly JobRow[] | undefined }) {
  const strips = stripsOf(rows ?? [], stripRuns, stripNames);
  return (
    <Section title="Last runs by name" wide aside={<span class="muted">oldest left, newest right</span>}>
      {rows?.length === 0 && <p class="muted">No job in the last 7 days.</p>}
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
          const words = `${job.state}${job.reason && job.reason !== "Completed" ? ` (${job.reason})` : ""}, ${localTime(job.createdAt, Date.now())}, ${duration(job.durationSeconds)}`;
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
  const rows = summary?.rows ?? [];
  const labels = rows.map(({ key }) =>
    new Date(`${key}T12:00:00Z`).toLocaleDateString("en-GB", { day: "numeric", month: "short" }),
  );
  const count = (value: number): string => plural(Math.round(value), "job");
  return (
    <Section
      title={`The last ${days} days`}
      wide
      aside={summary?.truncated ? <span class="tag">Only the newest 100,000 jobs</span> : undefined}
    >
      {summary && rows.length === 0 ? (
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

export function Wellness({ health: { value, error } }: { readonly health: Polled<Health> }) {
  const now = useNow(30_000);
  const since = (at: string | null): string => (at === null ? "never" : ago(Date.parse(at), now));
  return (
    <Section title="Health" wide>
      {value === undefined ? (
        <p class="muted">{error?.message ?? "Loading…"}</p>
      ) : (
        <dl class="facts">
          <Fact name="Service" value={`${value.status}, version ${value.version}`} isBad={value.status !== "ok"} />
          <Fact
            name="Paused"
            value={value.paused ? `since ${since(value.paused.since)}: ${value.paused.reason}` : "no"}
            isBad={value.paused !== null}
          />
          <Fact
            name="Azure Resource Manager"
            value={
              value.arm.ok ? `answered ${since(value.lastArmSuccess)}` : `in trouble since ${since(value.arm.since)}`
            }
            isBad={!value.arm.ok}
          />
          <Fact
            name="Timer"
            value={value.timer.ok ? "runs" : `stopped ${since(value.timer.since)}`}
            isBad={!value.timer.ok}
          />
          <Fact name="Last pass of the sweep" value={since(value.lastReconcile)} />
          <Fact name="Messages in the queue" value={String(value.queueLength)} />
          <Fact name="Poison messages" value={String(value.poisonLength)} isBad={value.poisonLength > 0} />
          <Fact name="Rows that can’t be read" value={String(value.unreadableRows)} isBad={value.unreadableRows > 0} />
          {value.faults.length > 0 && <Fact name="Faults of the settings" value={value.faults.join("; ")} isBad />}
          {value.misspelt && value.misspelt.length > 0 && (
            <Fact name="Settings nobody reads" value={value.misspelt.join(" ")} isBad />
          )}
        </dl>
      )}
    </Section>
  );
}

function Fact({
  name,
  value,
  isBad = false,
}: {
  readonly name: string;
  readonly value: string;
  readonly isBad?: boolean;
}) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={isBad ? "tone-bad" : ""}>{value}</dd>
    </div>
  );
}
