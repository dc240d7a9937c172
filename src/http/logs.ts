import type { HttpResponseInit } from "@azure/functions";
import { minute, second } from "../shared/base/duration.ts";
import { isMark, markLine, stampOf, textOf } from "../shared/store/log-merge.ts";
import { childJobId } from "../shared/base/ids.ts";
import { counted } from "../shared/base/text.ts";
import type { Deps } from "../shared/deps.ts";
import { err, ok, Unavailable, type Result } from "../shared/base/errors.ts";
import { hasEnded, stateWord, type Job } from "../shared/job/job.ts";
import { logFieldsOf } from "../shared/job/log-fields.ts";
import { LiveLogs } from "../shared/aci/live-logs.ts";
import { audit, isOwn } from "./lib/audit.ts";
import { noConnections, streamOf, type Connection, type Connections } from "./lib/connections.ts";
import { attemptEnded, LogView } from "./lib/log-view.ts";
import { aBoolean, aTime, oneOf, readQuery, whole, type Values } from "./lib/query.ts";
import { faulty, handler, refuse } from "./lib/reply.ts";
import type { Reply } from "./openapi/replies.ts";
import { VisibleJobs } from "./lib/visible.ts";

/**
 * `GET /api/logs/{id or name}[/{container}]`: text, or JSON with `format=json`; with `follow=true` a stream of what comes until the
 * job has ended. However long a log is, no more of it is read than is asked for, and no more than a range is in memory.
 */
type LogsDeps = Pick<
  Deps,
  "log" | "now" | "jobs" | "attempts" | "blobs" | "aci" | "sleep" | "settings" | "sealer" | "vault" | "arrays"
>;

/** A follower is let go before the platform cuts it off; it may come again with `since`. */
const longestFollow = 4 * minute;
const followPause = 2 * second;
/** While its logs can be read where they are written, a job's row is read no more often than this. */
const rowPause = minute;
/** A follower bears a storage that can't be read for this long. */
const longestOutage = minute;
/** A reply up to this size is sent whole, with its length. */
const wholeReply = 256 * 1024;

export function logs(deps: LogsDeps, connections: Connections = noConnections) {
  const live = new LiveLogs(deps);
  return handler(deps.log, async (request, context) => {
    const parameters = readParameters(request.query, deps);
    if (!parameters.ok) return refuse(parameters.error, context);
    const visible = new VisibleJobs(deps.jobs, context);
    const found = await jobWithLogs(visible, request.params["idOrName"] ?? "", parameters.value.index);
    if (!found.ok) return refuse(found.error, context);
    const { job, container } = found.value;
    const wanted = request.params["container"] ?? container;
    const names = job.containers.map(({ name }) => name).filter((name) => wanted === undefined || name === wanted);
    if (names.length === 0 && wanted !== undefined) {
      return refuse({ code: "JobNotFound", message: "The job has no container of that name." }, context);
    }
    const asked: Asked = {
      ...parameters.value,
      attempt: parameters.value.attempt ?? job.attempt,
      oneAttempt: parameters.value.attempt !== undefined,
    };
    if (asked.attempt > job.attempt) {
      const message = `The job has had ${counted(job.attempt, "attempt", "attempts")}; there is no log of a later one.`;
      return refuse({ code: "JobNotFound", message }, context);
    }
    if (!isOwn(job, context))
      audit(deps.log, context, "read logs", { ...logFieldsOf(job), attempt: asked.attempt, container: wanted });
    const connection = connections(context.invocationId);
    const view = new LogView(deps, live, { names, ...asked });
    if (asked.follow) {
      const texts = followed(deps, live, view, job, asked.oneAttempt, connection);
      return { ...replyOf("text"), body: streamOf(texts, connection) };
    }
    const texts = asked.format === "json" ? json(view, job) : text(view, job);
    return { ...replyOf(asked.format), body: await bodyOf(texts, connection) };
  });
}

/** Whose log is asked for; an item of a pack is one container. */
interface WithLogs {
  readonly job: Job;
  readonly container?: string | undefined;
}

/** The job itself, or of an array the child of an index. */
async function jobWithLogs(
  visible: VisibleJobs,
  idOrName: string,
  index: number | undefined,
): Promise<Result<WithLogs>> {
  const stored = await visible.findByIdOrName(idOrName);
  if (stored === undefined) return err({ code: "JobNotFound", message: "No job of that id or name is known." });
  const { job } = stored;
  if (job.array === undefined)
    return index === undefined ? ok({ job }) : err(faulty("index", "must be left out: the job is no array"));
  if (index === undefined || index >= job.array.size)
    return err(faulty("index", `must be the index of a job of this array, from 0 to ${job.array.size - 1}`));
  const id =
    job.array.packing === undefined
      ? childJobId(job.id, job.createdAt, index)
      : await visible.packOf(job, job.array.packing, index);
  const child = id && (await visible.peek(id))?.job;
  if (child === undefined)
    return err({ code: "JobNotFound", message: `Index ${index} of the array has no job yet, or was never run.` });
  const place = child.child?.items?.indexOf(index);
  return ok({ job: child, container: place === undefined ? undefined : child.containers[place]?.name });
}

function replyOf(format: Asked["format"]) {
  return {
    status: 200,
    headers: {
      "content-type": format === "json" ? "application/json; charset=utf-8" : "text/plain; charset=utf-8",
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
    },
  } as const satisfies HttpResponseInit;
}

/** A short reply as text, which has a length; a long one as a stream. */
async function bodyOf(texts: AsyncGenerator<string>, connection: Connection) {
  let begun = "";
  for (;;) {
    const next = await texts.next();
    if (next.done) return begun;
    begun += next.value;
    if (begun.length > wholeReply) return streamOf(joined(begun, texts), connection);
  }
}

async function* joined(begun: string, rest: AsyncGenerator<string>): AsyncGenerator<string> {
  yield begun;
  yield* rest;
}

interface Asked {
  readonly attempt: number;
  /** Whether the caller named an attempt: then a follower does not go on into the next. */
  readonly oneAttempt: boolean;
  readonly tail: number | undefined;
  readonly since: number | undefined;
  readonly follow: boolean;
  readonly format: "text" | "json";
}

/** The parameters of a log. */
export const logParameters = {
  tail: whole(0, 999_999_999, "Only the last lines."),
  since: aTime("Only later lines: a time, or a duration ago."),
  attempt: whole(
    1,
    999_999_999,
    "The attempt; default the newest. A follower that names an attempt does not go on into the next.",
  ),
  follow: aBoolean("Stream until the job has ended, at most four minutes."),
  index: whole(0, 9999, "Of an array: whose log."),
  format: oneOf(["text", "json"], "Default text."),
};

function readParameters(
  query: URLSearchParams,
  { settings, now }: LogsDeps,
): Result<Omit<Asked, "attempt" | "oneAttempt"> & Pick<Values<typeof logParameters>, "attempt" | "index">> {
  const asked = readQuery(query, logParameters, settings, now());
  if (!asked.ok) return asked;
  const { attempt, index, tail, since, follow = false, format = "text" } = asked.value;
  return follow && format === "json"
    ? err(faulty("format", "must be text with follow"))
    : ok({ attempt, index, tail, since, follow, format });
}

// ------------------------------------------------------------------------------------------------------------------ Replies

/** Lines of each container, or one line that says why there is no line. */
async function* linesOf(
  view: LogView,
  job: Job,
): AsyncGenerator<readonly [container: string, lines: readonly string[]]> {
  for (const name of view.names) {
    let any = false;
    for await (const lines of view.lines(job, name)) {
      any = true;
      yield [name, lines];
    }
    const why = any ? undefined : await view.whyEmpty(job, name);
    if (why !== undefined) yield [name, [markLine("", why)]];
  }
}

async function* text(view: LogView, job: Job): AsyncGenerator<string> {
  for await (const [container, lines] of linesOf(view, job)) yield view.shown(container, lines);
}

async function* json(view: LogView, job: Job): AsyncGenerator<string> {
  const { id, name, phase } = job;
  const begun: Omit<Reply<"Log">, "lines"> = { id, name, state: stateWord(phase), attempt: view.attempt };
  yield `${JSON.stringify(begun).slice(0, -1)},"lines":[`;
  let first = true;
  for await (const [container, lines] of linesOf(view, job)) {
    const items = lines.map((line): Reply<"Log">["lines"][number] => ({
      container,
      at: stampOf(line),
      text: textOf(line),
      ...(isMark(line) ? { mark: true } : {}),
    }));
    yield `${first ? "" : ","}${JSON.stringify(items).slice(1, -1)}`;
    first = false;
  }
  yield "]}";
}

/** What is there, then what comes, until the job is over and its last lines are captured; each attempt after the other. */
async function* followed(
  deps: LogsDeps,
  live: LiveLogs,
  begun: LogView,
  job: Job,
  oneAttempt: boolean,
  connection: Connection,
): AsyncGenerator<string> {
  const until = deps.now() + longestFollow;
  let [view, current] = [begun, job];
  let failingSince: number | undefined;
  let rowReadAt = deps.now();
  while (!connection.gone()) {
    try {
      const over = hasEnded(current.phase) || current.attempt > view.attempt;
      for (const name of view.names) for await (const lines of view.lines(current, name)) yield view.shown(name, lines);
      failingSince = undefined;
      if (over) {
        for (const name of view.names) {
          const why = view.hasShown(name) ? undefined : await view.whyEmpty(current, name);
          if (why !== undefined) yield view.shown(name, [markLine("", why)]);
        }
        if (oneAttempt || current.attempt === view.attempt) return;
        yield `${markLine("", attemptEnded(current, view.attempt))}\n`;
        view = view.ofNextAttempt();
        continue;
      }
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      failingSince ??= deps.now();
      if (deps.now() - failingSince >= longestOutage) {
        yield `${markLine("", "The log can't be read now; ask again.")}\n`;
        return;
      }
    }
    if (deps.now() >= until) return;
    await deps.sleep(followPause);
    if (connection.gone() || (!view.mayMoveOn && deps.now() < rowReadAt + rowPause)) continue;
    rowReadAt = deps.now();
    current = await seenAgain(live, current);
  }
}

/** The job as it is now, or as it was where it can't be read. */
async function seenAgain(live: LiveLogs, job: Job): Promise<Job> {
  try {
    return (await live.job(job.id)) ?? job;
  } catch (error) {
    if (error instanceof Unavailable) return job;
    throw error;
  }
}
