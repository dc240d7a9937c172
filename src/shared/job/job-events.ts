import { day } from "../base/duration.ts";
import { blame, describe } from "./describe.ts";
import { defined } from "../base/defined.ts";
import { endOf } from "./finished-event.ts";
import { hasEnded, terminalStates, type Job } from "./job.ts";
import type { JobResult } from "./result.ts";
import { statusUrl, type Links } from "./urls.ts";

/**
 * The events of a job that the operator's endpoints get (`EVENT_TOPIC_ENDPOINT`, `NOTIFY_WEBHOOK`). Nothing is queued for them: the
 * events follow from the job's history, and the row keeps how far each endpoint has come, so that no event is lost whatever crashes. Pure.
 */
type JobEventKind = "accepted" | "started" | "retrying" | "finished";

export interface JobEvent {
  readonly kind: JobEventKind;
  /** Rises within a job, and is the same however often the event is sent. */
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly attempt: number;
  /** Why there is another attempt. */
  readonly reason?: string;
}

export const endpointNames = ["eventTopic", "webhook"] as const;
export type EndpointName = (typeof endpointNames)[number];

/** As long as events are sent. What is older is dropped, and counted. */
const patience = day;
/** For an endpoint that is away at most this many events of a job are kept: that it was accepted, and the latest. */
const maxEvents = 40;

/** Each attempt has two numbers, so that the sequence needs no counter: it begins (accepted, retrying), and it starts. The end follows. */
const sequenceOf = (kind: JobEventKind, attempt: number): number =>
  2 * attempt + (kind === "started" ? 0 : kind === "finished" ? 1 : -1);

/** All events of a job so far, oldest first. */
export function eventsOf({ history, createdAt }: Job): readonly JobEvent[] {
  const event = (kind: JobEventKind, at: number, attempt: number, reason?: string): JobEvent => ({
    kind,
    sequence: sequenceOf(kind, attempt),
    at,
    attempt,
    ...defined({ reason }),
  });
  const events = [event("accepted", createdAt, 1)];
  let attempt = 1;
  for (const line of history) {
    if (line.from === line.to) continue;
    if (line.to === "Running") events.push(event("started", line.at, line.attempt));
    else if (line.to === "Queued" && line.attempt > attempt)
      events.push(event("retrying", line.at, line.attempt, line.reason));
    else if (isTerminal(line.to)) events.push(event("finished", line.at, line.attempt));
    attempt = Math.max(attempt, line.attempt);
  }
  return events.length <= maxEvents ? events : [...events.slice(0, 1), ...events.slice(1 - maxEvents)];
}

const isTerminal = (state: string): boolean => terminalStates.some((terminal) => terminal === state);

/** What an endpoint has not got yet: events to be sent, and how many are too old to be sent. */
export function dueEvents(
  job: Job,
  endpoint: { readonly name: EndpointName; wants(job: Job, event: JobEvent): boolean },
  now: number,
): { readonly due: readonly JobEvent[]; readonly dropped: number; readonly last: number } {
  const got = job.published?.[endpoint.name] ?? 0;
  const open = eventsOf(job).filter((event) => event.sequence > got && endpoint.wants(job, event));
  const due = open.filter(({ at }) => now - at <= patience);
  return { due, dropped: open.length - due.length, last: open.at(-1)?.sequence ?? got };
}

/** The job whose endpoint has all events up to this one. */
export function withPublished(job: Job, published: NonNullable<Job["published"]>): Job {
  const later = endpointNames.filter((name) => (published[name] ?? 0) > (job.published?.[name] ?? 0));
  if (later.length === 0) return job;
  return {
    ...job,
    published: { ...job.published, ...Object.fromEntries(later.map((name) => [name, published[name]])) },
  };
}

/**
 * CloudEvents 1.0: `aciproxy.job.accepted.v1`, `.started.v1`, `.retrying.v1`, `.finished.v1`. The same id each time, so that a reader
 * can drop a repeat; `sequence` (CloudEvents' extension of that name) sorts as text.
 *
 * @param source the installation
 * @param result of a job that ended
 */
export function cloudEvent(job: Job, event: JobEvent, source: string, links: Links, result?: JobResult) {
  const { kind, sequence, at, attempt, reason } = event;
  const { id, name, traceparent, options } = job;
  const state = kind === "started" ? "Running" : "Queued";
  const data =
    kind === "finished" ? { ...endOf(job), ...faultOf(job), ...defined({ result }) } : { id, name, state, attempt };
  return {
    type: `aciproxy.job.${kind}.v1`,
    source,
    subject: `jobs/${name}`,
    id: `${id}/${sequence}`,
    time: new Date(at),
    datacontenttype: "application/json",
    extensionAttributes: { sequence: String(sequence).padStart(10, "0"), ...defined({ traceparent }) },
    data: {
      ...data,
      ...defined({ reason }),
      ...defined({ ...options.source, team: options.team }),
      tags: options.tags,
      statusUrl: statusUrl(links, id),
    },
  };
}

function faultOf({ phase }: Job): { readonly fault?: string } {
  return hasEnded(phase) && phase.state !== "Succeeded" ? { fault: blame(phase.verdict).party } : {};
}

/**
 * A message for people, in one body for Teams' workflows (an adaptive card) and whatever reads `text` (Slack, Mattermost, Logic Apps).
 * Slack refuses attachments that are not its own, so it gets the text alone.
 */
export function webhookBody(job: Job, pageUrl: string, isSlack: boolean): Readonly<Record<string, unknown>> {
  const sentence = describe(job);
  if (isSlack) return { text: `${slackText(sentence)}\n<${pageUrl}|Open the job>` };
  const { source, team } = job.options;
  const facts = {
    Id: job.id,
    Team: team,
    Pipeline: source?.pipeline,
    Run: source?.pipelineRunId,
    Attempts: String(job.attempt),
  };
  return {
    text: `${sentence} ${pageUrl}`,
    type: "message",
    attachments: [
      {
        contentType: "application/vnd.microsoft.card.adaptive",
        content: {
          $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
          type: "AdaptiveCard",
          version: "1.4",
          // Rich text has no Markdown: nothing in a name or message becomes a link.
          body: [
            paragraph(sentence, "Bolder"),
            ...Object.entries(defined(facts)).map(([title, value]) => paragraph(`${title}: ${value}`)),
          ],
          actions: [{ type: "Action.OpenUrl", title: "Open the job", url: pageUrl }],
        },
      },
    ],
  };
}

const paragraph = (text: string, weight = "Default") => ({
  type: "RichTextBlock",
  inlines: [{ type: "TextRun", text, weight }],
});

const slackText = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
