import { reasonNamed } from "../../shared/job/reasons.ts";
import type { Settings } from "../../shared/config/settings.ts";
import { no, ok, type Result } from "../../shared/base/errors.ts";
import { activeStates, terminalStates, type State } from "../../shared/job/job.ts";
import type { JobColumns, JobFilter } from "../../shared/store/jobs.ts";
import { aTime, oneOf, readQuery, whole, words, type Parameter } from "../lib/query.ts";

/** Which jobs somebody wants to see, and how: the query of `GET /api/jobs`. */
export interface Asked {
  readonly filter: JobFilter;
  readonly tag: string | undefined;
  readonly top: number;
  readonly format: "json" | "csv" | "ndjson";
  readonly continuation: string | undefined;
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

/** The parameters of `GET /api/jobs`. */
export const listParameters = {
  state: {
    schema: { type: "string" },
    text: `\`active\` for all that have not ended, or some of ${states.join(", ")}, separated by commas.`,
    read: (text) => {
      const wanted = readStates(text);
      return wanted === undefined ? no(mustBeStates) : ok(wanted);
    },
  } satisfies Parameter<"active" | readonly State[]>,
  name: words("Only jobs of this container group, in any letter case."),
  tag: words("Only jobs with this label: `KEY`, or `KEY=VALUE`."),
  reason: words("Only jobs that wait or ended for this reason."),
  runId: words("Only jobs of this pipeline run."),
  since: aTime("Accepted at or after: a time, or a duration ago."),
  until: aTime("Accepted before: a time, or a duration ago."),
  top: whole(1, 1000, "How many at the most; 100 unless told."),
  continuation: words("Where the page before ended, unchanged, with the same filters."),
  format: oneOf(["json", "csv", "ndjson"], "JSON unless told."),
};

export function readFilter(
  query: URLSearchParams,
  settings: Pick<Settings, "gatewayParameters">,
  now: number,
): Result<Asked> {
  const asked = readQuery(query, listParameters, settings, now);
  if (!asked.ok) return asked;
  const { state, tag, top = 100, format = "json", continuation, reason, ...rest } = asked.value;
  // A reason that the catalogue doesn't know finds nothing.
  const filter = {
    ...rest,
    states: state === "active" ? undefined : state,
    reason: reasonNamed(reason ?? "") ?? reason,
  };
  return ok({ filter, tag, top, format, continuation, active: state === "active" });
}

/** `tag=KEY` or `tag=KEY=VALUE`. */
export function hasTag(row: JobColumns, tag: string): boolean {
  const [key = "", ...value] = tag.split("=");
  const tags = row["tags"];
  if (typeof tags !== "object" || tags === null) return false;
  const found = Object.entries(tags).find(([name]) => name === key);
  return found !== undefined && (value.length === 0 || found[1] === value.join("="));
}
