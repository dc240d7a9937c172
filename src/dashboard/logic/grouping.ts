/** Jobs put together by what they have in common. Pure. */

/** What of a row the grouping needs. */
export interface Listed {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly createdAt: string;
  readonly pipeline?: string | undefined;
  readonly pipelineRunId?: string | undefined;
}

export interface RunGroup<T> {
  readonly kind: "run";
  /** Empty for jobs of no pipeline. */
  readonly runId: string;
  readonly pipeline: string;
  readonly jobs: readonly T[];
  readonly counts: Counts;
}

interface Counts {
  readonly succeeded: number;
  readonly failed: number;
  readonly active: number;
}

const activeStates = ["Queued", "Provisioning", "Pending", "Running"];

/** As filters name them. */
export const waitingStates = "Queued,Provisioning,Pending";
export const failedStates = "Failed,TimedOut,Stopped";

export const isActive = (state: string): boolean => activeStates.includes(state);
/** Canceled is neither: somebody wanted it. */
export const isFailure = (state: string): boolean => failedStates.split(",").includes(state);

function countsOf(jobs: readonly Listed[]): Counts {
  const active = jobs.filter(({ state }) => isActive(state)).length;
  const succeeded = jobs.filter(({ state }) => state === "Succeeded").length;
  return { succeeded, active, failed: jobs.length - active - succeeded };
}

/** In the order of each run's newest job; jobs without a run come together where the first of them is. */
export function byRun<T extends Listed>(jobs: readonly T[]): readonly RunGroup<T>[] {
  const groups = new Map<string, T[]>();
  for (const job of jobs) {
    const key = job.pipelineRunId ?? "";
    const group = groups.get(key);
    if (group) group.push(job);
    else groups.set(key, [job]);
  }
  return [...groups].map(([runId, members]) => ({
    kind: "run",
    runId,
    pipeline: members[0]?.pipeline ?? "",
    jobs: members,
    counts: countsOf(members),
  }));
}

export interface Strip<T> {
  readonly name: string;
  /** Oldest first. */
  readonly runs: readonly T[];
}

/** By name, each with its last runs; names whose last run failed first, then the ones that ran last. */
export function stripsOf<T extends Listed>(jobs: readonly T[], maxRuns: number, maxNames: number): readonly Strip<T>[] {
  const strips = new Map<string, T[]>();
  for (const job of jobs) {
    // ACI compares names without case.
    const key = job.name.toLowerCase();
    const runs = strips.get(key);
    if (runs === undefined) strips.set(key, [job]);
    else if (runs.length < maxRuns) runs.push(job);
  }
  const rank = ([newest]: readonly T[]): number => (newest !== undefined && isFailure(newest.state) ? 0 : 1);
  return [...strips.values()]
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, maxNames)
    .map((runs) => ({ name: runs[0]?.name ?? "", runs: runs.toReversed() }));
}

export interface Waiting {
  readonly reason: string;
  readonly count: number;
  readonly oldest: string;
}

/** Why jobs wait, the most frequent reason first. */
export function waitingReasons(
  jobs: readonly { readonly state: string; readonly reason?: string | undefined; readonly createdAt: string }[],
): readonly Waiting[] {
  const found = new Map<string, Waiting>();
  for (const { state, reason, createdAt } of jobs) {
    if (!isActive(state) || reason === undefined) continue;
    const known = found.get(reason);
    const oldest = known !== undefined && known.oldest < createdAt ? known.oldest : createdAt;
    found.set(reason, { reason, count: (known?.count ?? 0) + 1, oldest });
  }
  return [...found.values()].sort((a, b) => b.count - a.count);
}

/** Newer rows over older ones, each job once, newest first. */
export function merged<T extends Listed>(known: readonly T[], fresh: readonly T[]): readonly T[] {
  const rows = new Map(known.map((job) => [job.id, job]));
  for (const job of fresh) rows.set(job.id, job);
  return [...rows.values()].sort((a, b) => (a.createdAt < b.createdAt ? 1 : a.createdAt > b.createdAt ? -1 : 0));
}

/**
 * Pages that were scrolled to, below the newest one, which says what of its time fits now.
 *
 * @param isAll the newest page has all there is
 * @returns `undefined` where jobs between the two were never read, because more than a page of them came meanwhile
 */
export function withOlder<T extends Listed>(
  newest: readonly T[],
  isAll: boolean,
  older: readonly T[],
): readonly T[] | undefined {
  const [last, first] = [newest.at(-1), older[0]];
  if (isAll || first === undefined) return newest;
  if (last === undefined) return older;
  if (last.createdAt > first.createdAt) return undefined;
  // Jobs of one millisecond may stand on both sides of the page's end.
  return merged(
    older.filter(({ createdAt }) => createdAt <= last.createdAt),
    newest,
  );
}

interface Day {
  readonly key: string;
  readonly succeeded: number;
  readonly failed: number;
  readonly cost: number;
  readonly queueSeconds: Percentiles;
  readonly runSeconds: Percentiles;
}
interface Percentiles {
  readonly p50: number | null;
  readonly p95: number | null;
}

const dayLength = 86_400_000;
const none: Percentiles = { p50: null, p95: null };

/** A summary's days with those on which there was no job. Where not all rows were read, it begins with the first that has one. */
export function everyDay(
  { rows, until, truncated }: { readonly rows: readonly Day[]; readonly until: string; readonly truncated: boolean },
  days: number,
): readonly Day[] {
  const known = new Map(rows.map((row) => [row.key, row]));
  const end = Date.parse(until);
  return Array.from({ length: days + 1 }, (_, index) =>
    new Date(end - (days - index) * dayLength).toISOString().slice(0, 10),
  )
    .filter((key) => !truncated || key >= (rows[0]?.key ?? ""))
    .map((key) => known.get(key) ?? { key, succeeded: 0, failed: 0, cost: 0, queueSeconds: none, runSeconds: none });
}
