import type { HttpHandler } from "@azure/functions";
import { parseDuration, parseTime } from "../../shared/base/duration.ts";
import { err, ok, shownName, type LocatedFault, type Result } from "../../shared/base/errors.ts";
import { foldName } from "../../shared/base/json.ts";
import type { Log } from "../../shared/base/log.ts";
import type { Settings } from "../../shared/config/settings.ts";
import { readBoolean } from "../../shared/job/option-readers.ts";
import { handler, refuse } from "./reply.ts";

/**
 * Queries: each call has a table of its parameters, which reads them, and from which the API's description is made. A parameter that
 * the table does not name is a fault, unless a gateway adds it (`GATEWAY_PARAMETERS`); names ignore case.
 */
export interface Parameter<T> {
  /** JSON Schema of its value. */
  readonly schema: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** Its value, or what it must be. `now` is milliseconds since 1970. */
  readonly read: (text: string, now: number) => Result<T, string>;
}

export type Parameters = Readonly<Record<string, Parameter<unknown>>>;

/** What a query says: a value for each parameter that is there. */
export type Values<P extends Parameters> = {
  readonly [N in keyof P]: P[N] extends Parameter<infer T> ? T | undefined : never;
};

type Gateways = Pick<Settings, "gatewayParameters">;

/** Every fault at once, each with the parameter's name as its path. */
export function readQuery<P extends Parameters>(
  query: URLSearchParams,
  parameters: P,
  { gatewayParameters }: Gateways,
  now: number,
): Result<Values<P>> {
  const known = new Map(Object.entries<Parameter<unknown>>(parameters).map((entry) => [foldName(entry[0]), entry]));
  const gateways = new Set(gatewayParameters.map(foldName));
  const given = new Map<string, string>();
  const values = new Map<string, unknown>();
  const faults: LocatedFault[] = [];
  for (const [key, text] of query) {
    if (gateways.has(foldName(key))) continue;
    const found = known.get(foldName(key));
    if (found === undefined) {
      faults.push(faultOf(shownName(key, "parameter"), unknownParameter(Object.keys(parameters))));
      continue;
    }
    const [name, { read }] = found;
    if (given.has(name) && given.get(name) !== text) faults.push(faultOf(name, "must be there once only"));
    if (given.has(name)) continue;
    given.set(name, text);
    const value = read(text, now);
    if (value.ok) values.set(name, value.value);
    else faults.push(faultOf(name, value.error));
  }
  if (faults.length > 0) return err(refusalOf(faults));
  // Each value was made by the reader of its own name.
  return ok(Object.fromEntries(Object.keys(parameters).map((name) => [name, values.get(name)])) as Values<P>);
}

const mustBeTime = "must be an ISO 8601 time, or a duration ago (PT1H)";

const isoTime = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?$/i;

/** A time (UTC, unless it names a zone), or a duration ago, from 1970 on; milliseconds since 1970. */
export const aTime = (text: string): Parameter<number> => ({
  schema: { type: "string", description: "ISO 8601" },
  text,
  read: readTime,
});

export function readTime(word: string, now: number): Result<number, string> {
  const ago = parseDuration(word);
  if (ago !== undefined) return ok(Math.max(0, now - ago));
  // A plus sign that is not encoded, as in +02:00, comes as a blank.
  const time = word.replace(/ (?=\d\d:?\d\d$)/, "+");
  const at = isoTime.test(time) && isDate(time.slice(0, 10)) ? parseTime(time) : NaN;
  return Number.isNaN(at) ? err(mustBeTime) : ok(Math.max(0, at));
}

/** `Date.parse` takes a 30th of February for a day in March. */
function isDate(date: string): boolean {
  const at = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(date);
}

/** No label, name or part of a source is longer than 1,024 characters. */
export const words = (text: string, maxLength = 1024): Parameter<string> => ({
  schema: { type: "string", maxLength },
  text,
  read: (word) => (word.length > maxLength ? err(`must be at most ${maxLength} characters`) : ok(word)),
});

export const continuation = (text: string): Parameter<string> => words(text, 4096);

export const whole = (least: number, max: number, text: string): Parameter<number> => ({
  schema: { type: "integer", minimum: least, maximum: max },
  text,
  read: (word) => {
    const number = /^\d{1,15}$/.test(word) ? Number(word) : NaN;
    return number >= least && number <= max ? ok(number) : err(`must be a whole number from ${least} to ${max}`);
  },
});

/** In any letter case. */
export const oneOf = <const W extends string>(known: readonly W[], text: string): Parameter<W> => ({
  schema: { type: "string", enum: known },
  text,
  read: (word) => {
    const found = known.find((each) => each.toLowerCase() === word.toLowerCase());
    return found === undefined ? err(`must be ${listed(known)}`) : ok(found);
  },
});

const listed = (all: readonly string[]): string =>
  all.length === 1 ? (all[0] ?? "") : `${all.slice(0, -1).join(", ")} or ${all.at(-1) ?? ""}`;

export const aBoolean = (text: string): Parameter<boolean> => ({
  schema: { type: "boolean" },
  text,
  read: readBoolean,
});

/** As in the original, any other word than true is false. */
export const polling = (text: string): Parameter<boolean> => ({
  schema: { type: "boolean" },
  text,
  read: (word) => ok(word.toLowerCase() === "true"),
});

/** A call without parameters refuses any. */
export function withoutQuery(
  { log, settings }: { readonly log: Log; readonly settings: Gateways },
  handle: HttpHandler,
): HttpHandler {
  return async (request, context) => {
    const asked = readQuery(request.query, {}, settings, 0);
    return asked.ok
      ? handle(request, context)
      : handler(log, () => Promise.resolve(refuse(asked.error, context)))(request, context);
  };
}

const unknownParameter = (known: readonly string[]): string =>
  known.length === 0 ? "is not known; this call takes no parameters" : `is not known; known are ${known.join(", ")}`;

/** The number that is reported one by one: a reply should not list thousands. */
const maxTold = 50;

function refusalOf(faults: readonly LocatedFault[]) {
  const more = faults.length > 1 ? ` And ${faults.length - 1} more.` : "";
  return {
    code: "InvalidRequest",
    message: `${faults[0]?.message ?? ""}${more}`,
    errors: faults.slice(0, maxTold),
  } as const;
}

function faultOf(path: string, must: string): LocatedFault {
  return { path, line: 1, column: 1, message: `${path} ${must}.` };
}
