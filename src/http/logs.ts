import type { HttpResponseInit } from "@azure/functions";
import { text as textOf } from "node:stream/consumers";
import { parseDuration } from "../shared/backoff.ts";
import { plainLog } from "../shared/captured-log.ts";
import type { Deps } from "../shared/deps.ts";
import type { Job } from "../shared/job.ts";
import { handler, json, refuse } from "./reply.ts";
import { findJob } from "./status.ts";

/** `GET /api/logs/{id or name}[/{container}]`: the captured copy, as text or as JSON. */
type LogsDeps = Pick<Deps, "log" | "now" | "jobs" | "blobs">;

export function logs(deps: LogsDeps) {
  return handler(deps.log, async (request, context) => {
    const stored = await findJob(deps, request.params["idOrName"] ?? "");
    if (stored === undefined)
      return refuse({ code: "JobNotFound", message: "No job of that id or name is known." }, context);
    const { job } = stored;
    const wanted = request.params["container"];
    const containers = job.containers.filter(({ name }) => wanted === undefined || name === wanted);
    if (containers.length === 0)
      return refuse({ code: "JobNotFound", message: "The job has no container of that name." }, context);
    const asked = askedOf(request.query, job, deps.now());
    if (typeof asked === "string") return refuse({ code: "InvalidRequest", message: asked }, context);
    const read = await Promise.all(
      containers.map(async ({ name }) => ({ name, lines: await linesOf(deps, job, name, asked) })),
    );
    return request.query.get("format") === "json" ? asJson(job, asked, read) : asText(read);
  });
}

interface Asked {
  readonly attempt: number;
  readonly tail: number | undefined;
  readonly since: number | undefined;
}

function askedOf(query: URLSearchParams, job: Job, now: number): Asked | string {
  const whole = (name: string): number | undefined => (query.has(name) ? Number(query.get(name)) : undefined);
  const attempt = whole("attempt") ?? job.attempt;
  const tail = whole("tail");
  if (!Number.isInteger(attempt) || attempt < 1) return "attempt must be a whole number from 1.";
  if (tail !== undefined && (!Number.isInteger(tail) || tail < 0)) return "tail must be a number of lines.";
  const text = query.get("since");
  const ago = text === null ? undefined : parseDuration(text);
  const since = text === null ? undefined : ago === undefined ? Date.parse(text) : now - ago;
  return Number.isNaN(since) ? "since must be an ISO 8601 time, or a duration ago (PT5M)." : { attempt, tail, since };
}

async function linesOf(
  { blobs }: LogsDeps,
  job: Job,
  container: string,
  { attempt, tail, since }: Asked,
): Promise<readonly string[]> {
  const stream = await blobs.log(job.id, attempt, container);
  if (stream === undefined) return [];
  const stamped = (await textOf(stream)).split("\n").filter((line) => line !== "");
  const recent =
    since === undefined ? stamped : stamped.filter((line) => Date.parse(line.slice(0, line.indexOf(" "))) >= since);
  return tail === undefined ? recent : tail === 0 ? [] : recent.slice(-tail);
}

/** Several containers are told apart by their names in front of each line. */
function asText(read: readonly { readonly name: string; readonly lines: readonly string[] }[]): HttpResponseInit {
  const body = read
    .map(({ name, lines }) => {
      const plain = plainLog(lines.map((line) => `${line}\n`).join(""));
      return read.length === 1 ? plain : plain.replaceAll(/^(?=.)/gm, `${name} | `);
    })
    .join("");
  return {
    status: 200,
    body,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
    },
  };
}

function asJson(
  job: Job,
  { attempt }: Asked,
  read: readonly { readonly name: string; readonly lines: readonly string[] }[],
): HttpResponseInit {
  const lines = read.flatMap(({ name, lines: stamped }) =>
    stamped.map((line) => {
      const space = line.indexOf(" ");
      return { container: name, at: line.slice(0, space), text: line.slice(space + 1) };
    }),
  );
  return json(200, { id: job.id, name: job.name, state: job.phase.state, attempt, lines });
}
