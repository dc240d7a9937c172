import { useEffect, useRef, useState } from "preact/hooks";
import { go, toMain } from "../address.ts";
import { listJobs, type Answer, type Failure, type JobRow } from "../api.ts";
import { duration, money, plural, shortId, shortImage, tagTexts, visible } from "../logic/format.ts";
import { countsText, shares } from "../logic/array.ts";
import { byRun, withOlder, type RunGroup } from "../logic/grouping.ts";
import {
  filterLabels,
  filterNames,
  jobAddress,
  jobsAddress,
  queryOf,
  type FilterName,
  type Filters,
  type JobsRoute,
} from "../logic/route.ts";
import { Freshness, StateMark, Time, Trouble } from "../parts/basics.tsx";
import { useNow, usePolled } from "../polled.ts";
import { Rows } from "../parts/rows.tsx";
import { session } from "../session.ts";
import { FilterBar } from "./filter-bar.tsx";

/** The jobs, newest first: refreshed, filtered, in pages as they are scrolled to, and by pipeline run on request. */

const pageSize = 100;

interface Listed {
  readonly jobs: readonly JobRow[];
  /** Where the rows that were not read yet begin. */
  readonly continuation: string | undefined;
  readonly skipped: number;
}

export function Jobs({ route: { filters, byRun: isByRun } }: { readonly route: JobsRoute }) {
  const query = queryOf(filters).toString();
  const newest = async (signal: AbortSignal): Promise<Answer<Listed>> => {
    const asked = queryOf(filters);
    asked.set("top", String(pageSize));
    const answer = await listJobs(asked, signal);
    if (!answer.ok) return answer;
    const { jobs, continuation, skipped = 0 } = answer.value;
    return { ok: true, value: { jobs, continuation, skipped } };
  };
  const first = usePolled(query, newest, 20_000);
  const listed = useMore(query, filters, first.value);
  const jobs = listed?.jobs ?? [];
  const items = isByRun
    ? byRun(jobs).flatMap((group): readonly Item[] => [group, ...group.jobs.map(jobItem)])
    : jobs.map(jobItem);
  return (
    <>
      <div class="view-head">
        <h1>Jobs</h1>
        <Freshness polled={first} every="every 20 seconds" />
      </div>
      <FilterBar filters={filters} isByRun={isByRun} />
      <Chips filters={filters} isByRun={isByRun} />
      <Trouble polled={first} />
      {listed && (
        <p class="muted count" role="status">
          {jobs.length === 0 && listed.continuation === undefined
            ? "No job fits."
            : `${plural(jobs.length, "job")}${listed.continuation === undefined ? "" : " so far; scroll for more"}`}
          {listed.skipped > 0 && `; ${plural(listed.skipped, "row")} can’t be read`}
        </p>
      )}
      {jobs.length > 0 && (
        <Rows
          items={items}
          keyOf={keyOf}
          head={<Head />}
          render={(item) => <Row item={item} />}
          onEnd={listed?.error ? undefined : listed?.more}
        />
      )}
      {listed?.error && (
        <p class="notice bad" role="alert">
          The jobs before these could not be read: {listed.error.message}{" "}
          <button type="button" class="small" onClick={listed.more}>
            Try again
          </button>
        </p>
      )}
      {jobs.length === 0 && !listed?.error && listed?.continuation !== undefined && (
        <button type="button" onClick={listed.more}>
          Look further back
        </button>
      )}
    </>
  );
}

type Item = { readonly kind: "job"; readonly job: JobRow } | RunGroup<JobRow>;
const jobItem = (job: JobRow): Item => ({ kind: "job", job });
const keyOf = (item: Item): string =>
  item.kind === "job" ? item.job.id : `run ${item.runId} ${item.jobs[0]?.id ?? ""}`;

interface Older {
  /** Whose list it is, and which: another one begins anew. */
  readonly of: readonly [who: unknown, query: string];
  readonly jobs: readonly JobRow[];
  readonly continuation: string | undefined;
}

/** What was scrolled to: who goes to a job and back finds the list as it was. */
let kept: Older | undefined;

/** The pages behind the first, one each time that the end is reached. */
function useMore(query: string, filters: Filters, newest: Listed | undefined) {
  const who = session.value;
  const isOwn = (each: Older | undefined): each is Older => each?.of[0] === who && each.of[1] === query;
  const [older, setOlder] = useState(kept);
  const [error, setError] = useState<Failure>();
  kept = older;
  const isAsking = useRef(false);
  const stop = useRef(new AbortController());
  useEffect(() => {
    stop.current = new AbortController();
    isAsking.current = false;
    setError(undefined);
    return () => stop.current.abort();
  }, [query]);
  const own = isOwn(older) ? older : undefined;
  const jobs = own && newest && withOlder(newest.jobs, newest.continuation === undefined, own.jobs);
  useEffect(() => {
    // What came since is kept with the rest: it leaves the newest page in time.
    if (own && newest) setOlder(jobs && { ...own, jobs });
  }, [newest]);
  if (newest === undefined) return undefined;
  const continuation = jobs === undefined ? newest.continuation : own?.continuation;
  const more = async (): Promise<void> => {
    if (continuation === undefined || isAsking.current) return;
    isAsking.current = true;
    const { signal } = stop.current;
    const asked = queryOf(filters);
    asked.set("top", String(pageSize * 2));
    asked.set("continuation", continuation);
    const answer = await listJobs(asked, signal);
    if (signal.aborted) return;
    isAsking.current = false;
    setError(answer.ok ? undefined : answer.error);
    if (answer.ok)
      setOlder((before) => ({
        of: [who, query],
        jobs: [...(jobs !== undefined && isOwn(before) ? before.jobs : newest.jobs), ...answer.value.jobs],
        continuation: answer.value.continuation,
      }));
  };
  return { jobs: jobs ?? newest.jobs, continuation, skipped: newest.skipped, error, more: () => void more() };
}

function Chips({ filters, isByRun }: { readonly filters: Filters; readonly isByRun: boolean }) {
  const set = filterNames.filter((name) => filters[name] !== undefined);
  if (set.length === 0) return null;
  const without = (gone: FilterName): Filters =>
    Object.fromEntries(Object.entries(filters).filter(([name]) => name !== gone));
  const show = (next: Filters): void => {
    go(jobsAddress(next, isByRun));
    toMain();
  };
  return (
    <ul class="chips" aria-label="Filters">
      {set.map((name) => (
        <li key={name}>
          <button
            type="button"
            class="chip"
            onClick={() => show(without(name))}
            aria-label={`Remove the filter ${filterLabels[name]} ${filters[name] ?? ""}`}
          >
            <span class="muted">{filterLabels[name]}</span> {filters[name]} <span aria-hidden="true">×</span>
          </button>
        </li>
      ))}
      {set.length > 1 && (
        <li>
          <button type="button" class="small" onClick={() => show({})}>
            Clear all
          </button>
        </li>
      )}
    </ul>
  );
}

const columns = ["Name", "State", "Pipeline and activity", "Created", "Duration", "Cost", "Run and job id"];

function Head() {
  return (
    <div class="tr th" role="row">
      {columns.map((column) => (
        <span key={column} role="columnheader">
          {column}
        </span>
      ))}
    </div>
  );
}

function Row({ item }: { readonly item: Item }) {
  return item.kind === "job" ? <JobLine job={item.job} /> : <RunLine group={item} />;
}

function JobLine({ job }: { readonly job: JobRow }) {
  const { state, reason } = job;
  const why = reason !== undefined && reason !== "Completed" ? reason : "";
  const exit = job.exitCode !== undefined && job.exitCode !== 0 ? `exit ${job.exitCode}` : "";
  const tags = tagTexts(job.tags).join(" ");
  return (
    <>
      <span role="cell" class="c-name">
        <a href={jobAddress(job.id)} class="clip name" title={job.name}>
          {job.name}
        </a>
        <span class="clip muted sub" title={tags || job.images}>
          {tags || shortImage(job.images)}
        </span>
      </span>
      <span role="cell" class="c-state">
        <StateMark state={state} />
        {typeof job.array === "object" && <ArrayBar array={job.array} />}
        <span class="clip muted sub" title={job.message}>
          {[
            typeof job.array === "object" ? countsText(job.array) : "",
            why,
            exit,
            job.attempt > 1 ? `attempt ${job.attempt}` : "",
          ]
            .filter(Boolean)
            .join(", ")}
        </span>
      </span>
      <span role="cell" class="c-pipe">
        <span class="clip">
          {visible(job.pipeline ?? "–")}
          <span class="on-phone">{` · ${visible(job.activity ?? job.via)} · …${shortId(job.id)}`}</span>
        </span>
        <span class="clip muted sub">{visible(job.activity ?? job.via)}</span>
      </span>
      <span role="cell" class="c-time">
        <Time at={job.createdAt} />
      </span>
      <span role="cell" class="c-dur">
        <Lasted job={job} />
      </span>
      <span role="cell" class="c-cost">
        {job.costEstimate === undefined ? "–" : money(job.costEstimate, job.currency)}
      </span>
      <span role="cell" class="c-id mono">
        <span class="clip" title={job.pipelineRunId}>
          {visible(job.pipelineRunId ?? "–")}
        </span>
        <span class="muted sub" title={job.id}>
          …{shortId(job.id)}
        </span>
      </span>
    </>
  );
}

/** How much of an array has ended, and how; the words stand beside it. */
function ArrayBar({ array }: { readonly array: Exclude<JobRow["array"], string | undefined> }) {
  const { good, bad, quiet } = shares(array);
  const parts = { good, bad, quiet };
  return (
    <span class="bar" aria-hidden="true">
      {Object.entries(parts).map(([tone, count]) => (
        <i key={tone} class={tone} style={{ width: `${(count / array.runs) * 100}%` }} />
      ))}
    </span>
  );
}

function Lasted({ job }: { readonly job: JobRow }) {
  const now = useNow(10_000);
  return <>{duration(job.durationSeconds ?? (now - Date.parse(job.createdAt)) / 1000)}</>;
}

function RunLine({ group: { runId, pipeline, jobs, counts } }: { readonly group: RunGroup<JobRow> }) {
  return (
    <span role="cell" class="c-run">
      {runId === "" ? (
        <strong>Without a pipeline run</strong>
      ) : (
        <a href={jobsAddress({ runId })} class="clip">
          <strong>{visible(pipeline || "Pipeline run")}</strong> <span class="mono muted">{visible(runId)}</span>
        </a>
      )}
      <span class="push counts">
        {counts.failed > 0 && <span class="tone-bad">{counts.failed} not succeeded</span>}
        {counts.active > 0 && <span class="tone-live">{counts.active} active</span>}
        <span class="muted">
          {counts.succeeded} of {jobs.length} succeeded
        </span>
      </span>
    </span>
  );
}
