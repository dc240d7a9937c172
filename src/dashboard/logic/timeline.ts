/** A job's times as bars to scale: attempts side by side, and in each what was being waited for. Pure. */
export type Stage = "queued" | "placing" | "pulling" | "starting" | "running" | "stopping";

interface Bar {
  readonly stage: Stage;
  readonly from: number;
  readonly to: number;
}

interface AttemptBars {
  readonly attempt: number;
  readonly bars: readonly Bar[];
}

interface Timeline {
  readonly from: number;
  readonly to: number;
  readonly attempts: readonly AttemptBars[];
}

interface HistoryLine {
  readonly at: string;
  readonly to: string;
  readonly attempt: number;
}

/** What of a job's record the timeline is made from. */
export interface Timed {
  readonly createdAt: string;
  readonly finishedAt?: string | undefined;
  readonly attempt: number;
  readonly history: readonly HistoryLine[];
  readonly events: readonly { readonly at?: string | undefined; readonly name: string }[];
  readonly stopping?: { readonly since: string } | undefined;
}

const stages: Readonly<Record<string, Stage>> = {
  Queued: "queued",
  Provisioning: "placing",
  Pending: "starting",
  Running: "running",
};

export function timelineOf(job: Timed, now: number): Timeline {
  const from = Date.parse(job.createdAt);
  const to = Math.max(from + 1, job.finishedAt === undefined ? now : Date.parse(job.finishedAt));
  const spans = spansOf(job, from, to).flatMap((bar) =>
    bar.stage === "starting" || bar.stage === "placing" ? withPull(bar, job) : [bar],
  );
  const stopped =
    job.stopping && job.finishedAt === undefined ? withStop(spans, Date.parse(job.stopping.since)) : spans;
  const numbers = [...new Set(stopped.map(({ attempt }) => attempt))].sort((a, b) => a - b);
  return {
    from,
    to,
    attempts: numbers.map((attempt) => ({
      attempt,
      bars: stopped.filter((each) => each.attempt === attempt).map(({ stage, from, to }) => ({ stage, from, to })),
    })),
  };
}

type Span = Bar & { readonly attempt: number };

function spansOf(job: Timed, from: number, to: number): readonly Span[] {
  const lines = job.history
    .map(({ at, to: state, attempt }) => ({ at: Date.parse(at), stage: stages[state], attempt }))
    .filter(({ at }) => !Number.isNaN(at))
    .sort((a, b) => a.at - b.at);
  if (lines.length === 0) return [{ stage: "queued", from, to, attempt: job.attempt }];
  const spans: Span[] = [];
  for (const [index, { at, stage, attempt }] of lines.entries()) {
    const end = Math.min(to, lines[index + 1]?.at ?? to);
    if (stage === undefined || end < at) continue;
    const last = spans.at(-1);
    if (last?.stage === stage && last.attempt === attempt) spans[spans.length - 1] = { ...last, to: end };
    else spans.push({ stage, from: index === 0 ? Math.min(from, at) : at, to: end, attempt });
  }
  return spans;
}

/** The part of a start in which images were pulled, by Azure's events. */
function withPull(span: Span, { events }: Timed): readonly Span[] {
  const times = (name: string): number[] =>
    events.filter((event) => event.name === name && event.at !== undefined).map(({ at = "" }) => Date.parse(at));
  const within = (at: number): boolean => at >= span.from - 1000 && at <= span.to + 1000;
  const begun = times("Pulling").filter(within);
  const ended = times("Pulled").filter(within);
  if (begun.length === 0) return [span];
  const from = Math.max(span.from, Math.min(...begun));
  const to = Math.min(span.to, ended.length === 0 ? span.to : Math.max(...ended));
  const parts: Span[] = [
    { ...span, to: from },
    { ...span, stage: "pulling", from, to },
    { ...span, stage: "starting", from: to },
  ];
  return parts.filter((part) => part.to > part.from);
}

function withStop(spans: readonly Span[], since: number): readonly Span[] {
  const last = spans.at(-1);
  if (last === undefined || Number.isNaN(since) || since >= last.to) return spans;
  const cut = Math.max(last.from, since);
  const stop: Span = { ...last, stage: "stopping", from: cut };
  return [...spans.slice(0, -1), ...(cut > last.from ? [{ ...last, to: cut }] : []), stop];
}

/** Round steps for an axis of that many seconds: at most `max` marks after the first. */
export function ticks(seconds: number, max: number): readonly number[] {
  const steps = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 172_800,
  ];
  const step = steps.find((each) => seconds / each <= max) ?? 604_800;
  return Array.from({ length: Math.min(max, Math.floor(seconds / step)) + 1 }, (_, index) => index * step);
}
