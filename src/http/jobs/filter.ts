import { parseDuration } from "../../shared/base/duration.ts";
import { reasonNamed } from "../../shared/job/reasons.ts";
import { no, ok, type Result } from "../../shared/base/errors.ts";
import { activeStates, terminalStates, type State } from "../../shared/job/job.ts";
import type { JobColumns, JobFilter } from "../../shared/store/jobs.ts";
import { faulty } from "../lib/reply.ts";

/** Which jobs somebody wants to see, and how: the query of `GET /api/jobs`. */
export interface Asked {
  readonly filter: JobFilter;
  readonly tag: string | undefined;
  readonly top: number;
  readonly format: "json" | "csv" | "ndjson";
  readonly active: boolean;
}

const states = [...activeStates, ...terminalStates];
export const mustBeStates = `must be active, or some of ${states.join(", ")}`;

/** `active`, or states with commas in between, in any letter case; `undefined` when one of them is none. */
export function readStates(text: string): "active" | readonly State[] | undefined {
  const words = text.split(",").map((word) => word.trim().toLowerCase());
  if (words.length === 1 && words[0] === "active") return "active";
  const known = words.flatMap((word) => states.find((state) => state.toLowerCase() === word) ?? []);
  return known.length === words.length ? known : undefined;
}

export function readFilter(query: URLSearchParams, now: number): Result<Asked> {
  const word = (name: string): string | undefined => query.get(name) ?? undefined;
  const state = word("state");
  const wanted = state === undefined ? [] : readStates(state);
  if (wanted === undefined) return no(faulty("state", mustBeStates));
  const [since, until] = [timeIn(word("since"), now), timeIn(word("until"), now)];
  for (const [name, time] of Object.entries({ since, until }))
    if (Number.isNaN(time)) return no(faulty(name, mustBeTime));
  const top = Number(word("top") ?? 100);
  if (!Number.isInteger(top) || top < 1 || top > 1000)
    return no(faulty("top", "must be a whole number from 1 to 1000"));
  const format = word("format")?.toLowerCase() ?? "json";
  if (format !== "json" && format !== "csv" && format !== "ndjson")
    return no(faulty("format", "must be json, csv or ndjson"));
  const active = wanted === "active";
  const filter = {
    states: active || wanted.length === 0 ? undefined : wanted,
    name: word("name"),
    // One that the catalogue doesn't know finds nothing.
    reason: reasonNamed(word("reason") ?? "") ?? word("reason"),
    runId: word("runId"),
    since,
    until,
  };
  return ok({ filter, tag: word("tag"), top, format, active });
}

export const mustBeTime = "must be an ISO 8601 time, or a duration ago (PT1H)";

const isoTime = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?$/i;

/** A time, or one so long ago, from 1970 on; `NaN` for what is neither. */
export function timeIn(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const ago = parseDuration(text);
  if (ago !== undefined) return Math.max(0, now - ago);
  return isoTime.test(text) ? Math.max(0, Date.parse(text)) : NaN;
}

/** `tag=KEY` or `tag=KEY=VALUE`. */
export function hasTag(row: JobColumns, tag: string): boolean {
  const [key = "", ...value] = tag.split("=");
  const tags = row["tags"];
  if (typeof tags !== "object" || tags === null) return false;
  const found = Object.entries(tags).find(([name]) => name === key);
  return found !== undefined && (value.length === 0 || found[1] === value.join("="));
}
