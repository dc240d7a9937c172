import { catalogue, isReason, type FaultDomain } from "../../shared/job/reasons.ts";
import type { Settings } from "../../shared/config/settings.ts";
import { err, ok, type Result } from "../../shared/base/errors.ts";
import { parseJobId } from "../../shared/base/ids.ts";
import { templateName } from "../../shared/job/envelope.ts";
import { activeStates, terminalStates, type State } from "../../shared/job/job.ts";
import type { StoredTemplates } from "../../shared/intake/stored-templates.ts";
import type { JobFilter } from "../../shared/store/job-filter.ts";
import {
  aBoolean,
  aTime,
  continuation,
  oneOf,
  readQuery,
  whole,
  words,
  type Parameter,
  type Values,
} from "../lib/query.ts";
import { faulty } from "../lib/reply.ts";

/** Which jobs somebody wants to see: what the queries of `GET /api/jobs` and its summary have in common. */
export interface Wanted {
  readonly filter: JobFilter;
  readonly tag: string | undefined;
  /** The array whose children they are. */
  readonly array: string | undefined;
  /** All that have not ended. */
  readonly active: boolean;
}

/** A page of them, or all, and in which form. */
export interface Asked extends Wanted {
  readonly top: number;
  readonly format: "json" | "csv" | "ndjson";
  readonly continuation: string | undefined;
  readonly all: boolean;
}

const states = [...activeStates, ...terminalStates];
export const mustBeStates = `must be active, or some of ${states.join(", ")}`;

/** `active`, or states with commas in between, in any letter case; `undefined` when one of them is not a state. */
export function readStates(text: string): "active" | readonly State[] | undefined {
  const words = text.split(",").map((word) => word.trim().toLowerCase());
  if (words.length === 1 && words[0] === "active") return "active";
  const known = words.flatMap((word) => states.find((state) => state.toLowerCase() === word) ?? []);
  return known.length === words.length ? [...new Set(known)] : undefined;
}

/** Of a member or parameter that names a job. */
export const mustBeId = "must be a job's id, a UUID";

const onlyWith = (what: string): Parameter<string> => words(`Only jobs ${what}.`);
const inAnyCase = (what: string): Parameter<string> => {
  const asWritten = onlyWith(what);
  return { ...asWritten, read: (text, now) => asWritten.read(text.toLowerCase(), now) };
};
const faultDomains = [...new Set(Object.values(catalogue).map(({ party }): FaultDomain => party))];

/** What selects jobs. */
export const filterParameters = {
  state: {
    schema: { type: "string" },
    text: `\`active\` for all that have not ended, or some of ${states.join(", ")}, separated by commas.`,
    read: (text) => {
      const wanted = readStates(text);
      return wanted === undefined ? err(mustBeStates) : ok(wanted);
    },
  } satisfies Parameter<"active" | readonly State[]>,
  name: onlyWith("of this container group, in any letter case"),
  tag: onlyWith("with this label: `KEY`, or `KEY=VALUE`"),
  reason: oneOf(Object.keys(catalogue).filter(isReason), "Only jobs that wait or ended for this reason."),
  fault: oneOf(faultDomains, "Only jobs that ended by this fault."),
  runId: onlyWith("of this pipeline run"),
  pipeline: onlyWith("of this pipeline"),
  factory: onlyWith("of this data factory"),
  activity: onlyWith("of this activity"),
  via: oneOf(["http", "queue", "rerun"], "Only jobs that came so."),
  team: inAnyCase("of this team, in any letter case"),
  group: inAnyCase("of this group, in any letter case"),
  template: onlyWith("of this template, in any letter case"),
  array: {
    ...onlyWith("that are children of this array, by its job's id, in the order of their indexes"),
    read: (text) => (parseJobId(text) === undefined ? err(mustBeId) : ok(text)),
  } satisfies Parameter<string>,
  since: aTime("Accepted at or after: a time, or a duration ago."),
  until: aTime("Accepted before: a time, or a duration ago."),
};

/** The columns that hold what these parameters name. */
const columnOf = {
  reason: "reason",
  fault: "fault",
  runId: "pipelineRunId",
  pipeline: "pipeline",
  factory: "factory",
  activity: "activity",
  via: "via",
  team: "team",
  group: "group",
  template: "template",
} as const satisfies Partial<Record<keyof typeof filterParameters, string>>;

export function wantedOf(values: Values<typeof filterParameters>): Wanted {
  const { state, name, tag, array, since, until } = values;
  const columns: Record<string, string> = {};
  for (const [parameter, column] of Object.entries(columnOf)) {
    const value = values[parameter as keyof typeof columnOf]; // an own key of it
    if (value !== undefined) columns[column] = value;
  }
  const active = state === "active";
  return { filter: { states: active ? undefined : state, name, columns, since, until }, tag, array, active };
}

/** The filter with the template's name in the letter case of the rows. */
export async function withTemplate(filter: JobFilter, templates: Pick<StoredTemplates, "nameOf">): Promise<JobFilter> {
  const { template } = filter.columns;
  if (template === undefined || !templateName.test(template)) return filter;
  return { ...filter, columns: { ...filter.columns, template: await templates.nameOf(template) } };
}

/** The parameters of `GET /api/jobs`. */
export const listParameters = {
  ...filterParameters,
  top: whole(1, 1000, "How many at most; default 100."),
  continuation: continuation("Where the page before ended, unchanged, with the same filters."),
  format: oneOf(["json", "csv", "ndjson"], "Default JSON."),
  all: aBoolean("Every page in one stream, as CSV or NDJSON."),
};

export function readList(
  query: URLSearchParams,
  settings: Pick<Settings, "gatewayParameters">,
  now: number,
): Result<Asked> {
  const asked = readQuery(query, listParameters, settings, now);
  if (!asked.ok) return asked;
  const { top, continuation, format = "json", all = false } = asked.value;
  if (all && format === "json") return err(faulty("all", "must go with format=csv or format=ndjson"));
  if (all && top !== undefined) return err(faulty("top", "must not go with all, which has no end but the last job"));
  return ok({ ...wantedOf(asked.value), top: top ?? 100, continuation, format, all });
}
