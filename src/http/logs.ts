import type { HttpResponseInit } from "@azure/functions";
import { minute, second } from "../shared/base/duration.ts";
import { plainLog } from "../shared/store/log-merge.ts";
import { counted } from "../shared/base/text.ts";
import type { Deps } from "../shared/deps.ts";
import { no, ok, type Result } from "../shared/base/errors.ts";
import { hasEnded, stateWord, type Job } from "../shared/job/job.ts";
import { LiveLogs } from "../shared/aci/live-logs.ts";
import { aBoolean, aTime, oneOf, readQuery, whole } from "./lib/query.ts";
import { faulty, handler, json, refuse } from "./lib/reply.ts";
import type { Reply } from "./openapi/replies.ts";
import { findJob } from "./status.ts";

/**
 * `GET /api/logs/{id or name}[/{container}]`: text, or JSON with `format=json`; with `follow=true` a stream of what comes until the
 * job has ended.
 */
type LogsDeps = Pick<Deps, "log" | "now" | "jobs" | "blobs" | "aci" | "sleep" | "settings" | "sealer" | "vault">;

/** A follower is let go before the platform cuts it off; it may come again with `since`. */
const longestFollow = 4 * minute;

export function logs(deps: LogsDeps) {
  const live = new LiveLogs(deps);
  return handler(deps.log, async (request, context) => {
    const parameters = readParameters(request.query, deps);
    if (!parameters.ok) return refuse(parameters.error, context);
    const stored = await findJob(deps, request.params["idOrName"] ?? "");
    if (stored === undefined) {
      return refuse({ code: "JobNotFound", message: "No job of that id or name is known." }, context);
    }
    const { job } = stored;
    const wanted = request.params["container"];
    const names = job.containers.map(({ name }) => name).filter((name) => wanted === undefined || name === wanted);
    if (names.length === 0 && wanted !== undefined) {
      return refuse({ code: "JobNotFound", message: "The job has no container of that name." }, context);
    }
    const asked: Asked = { attempt: job.attempt, ...parameters.value };
    if (asked.attempt > job.attempt) {
      const message = `The job has had ${counted(job.attempt, "attempt", "attempts")}; there is no log of a later one.`;
      return refuse({ code: "JobNotFound", message }, context);
    }
    if (asked.follow) return { ...textReply, body: follow(deps, live, job, names, asked) };
    const read = await Promise.all(names.map(async (name) => ({ name, lines: await linesOf(live, job, name, asked) })));
    return asked.format === "json"
      ? asJson(job, asked, read)
      : { ...textReply, body: read.map(({ name, lines }) => shown(name, lines, names.length > 1)).join("") };
  });
}

const textReply = {
  status: 200,
  headers: {
    "content-type": "text/plain; charset=utf-8",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
  },
} as const satisfies HttpResponseInit;

interface Asked {
  readonly attempt: number;
  readonly tail: number | undefined;
  readonly since: number | undefined;
  readonly follow: boolean;
  readonly format: "text" | "json";
}

interface ContainerLines {
  readonly name: string;
  readonly lines: readonly string[];
}

/** The parameters of a log. */
export const logParameters = {
  tail: whole(0, 999_999_999, "Only the last lines."),
  since: aTime("Only later lines: a time, or a duration ago."),
  attempt: whole(1, 999_999_999, "Of which attempt; the newest unless told."),
  follow: aBoolean("Stream until the job has ended, at most four minutes."),
  format: oneOf(["text", "json"], "Text unless told."),
};

function readParameters(
  query: URLSearchParams,
  { settings, now }: LogsDeps,
): Result<Omit<Asked, "attempt"> & { readonly attempt?: number }> {
  const asked = readQuery(query, logParameters, settings, now());
  if (!asked.ok) return asked;
  const { attempt, tail, since, follow = false, format = "text" } = asked.value;
  return follow && format === "json"
    ? no(faulty("format", "must be text with follow"))
    : ok({ ...(attempt === undefined ? {} : { attempt }), tail, since, follow, format });
}

async function linesOf(
  live: LiveLogs,
  job: Job,
  name: string,
  { attempt, tail, since }: Asked,
): Promise<readonly string[]> {
  const all = await live.lines(job, attempt, name);
  const recent = since === undefined ? all : all.filter((line) => Date.parse(stampOf(line)) >= since);
  return tail === undefined ? recent : tail === 0 ? [] : recent.slice(-tail);
}

/** Sends what is there, then what comes, until the job (or this attempt) is over and its last lines are captured. */
async function* follow(
  deps: LogsDeps,
  live: LiveLogs,
  job: Job,
  names: readonly string[],
  asked: Asked,
): AsyncGenerator<Uint8Array> {
  const until = deps.now() + longestFollow;
  const sent = new Map<string, number>();
  let current = job;
  for (;;) {
    const over = hasEnded(current.phase) || current.attempt !== asked.attempt;
    for (const name of names) {
      const all = await live.lines(current, asked.attempt, name);
      const from = sent.get(name) ?? all.length - (await linesOf(live, current, name, asked)).length;
      if (all.length > from) yield Buffer.from(shown(name, all.slice(from), names.length > 1));
      sent.set(name, all.length);
    }
    if (over || deps.now() >= until) return;
    await deps.sleep(2 * second);
    current = (await deps.jobs.peek(job.id))?.job ?? current;
  }
}

/** Several containers are told apart by their names in front of each line. */
function shown(name: string, lines: readonly string[], several: boolean): string {
  const plain = plainLog(lines.map((line) => `${line}\n`).join(""));
  return several ? plain.replaceAll(/^(?=.)/gm, `${name} | `) : plain;
}

function asJson(job: Job, { attempt }: Asked, read: readonly ContainerLines[]): HttpResponseInit {
  const lines = read.flatMap(({ name, lines: stamped }) =>
    stamped.map((line) => ({ container: name, at: stampOf(line), text: line.slice(stampOf(line).length + 1) })),
  );
  const reply: Reply<"Log"> = { id: job.id, name: job.name, state: stateWord(job.phase), attempt, lines };
  return json(200, reply);
}

function stampOf(line: string): string {
  return line.slice(0, Math.max(line.indexOf(" "), 0));
}
