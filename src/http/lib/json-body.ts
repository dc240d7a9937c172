import type { HttpRequest } from "@azure/functions";
import { z } from "zod";
import { err, ok, shownName, type LocatedFault, type Refusal, type Result } from "../../shared/base/errors.ts";
import { parseJson } from "../../shared/base/json.ts";
import { readText, tooSlow } from "./body.ts";

/** The small JSON bodies that operators send. Their members' names ignore case, as options' do, and an unknown one is a fault. */

/** What an operator says fits into little. */
const maxJson = 16 * 1024;

export const text = (max: number): z.ZodString => {
  const must = `must be text of 1 to ${max} characters`;
  return z.string(must).min(1, must).max(max, must);
};

/** `true` or `false`, as JSON or as a word, like in options. */
export const flag = z
  .union([z.boolean(), z.stringbool({ truthy: ["true", "1"], falsy: ["false", "0"] })], "must be true or false")
  .default(false);

/** @param members what each may be; its schema says in our own words what it must be */
export async function readJson<S extends z.ZodRawShape>(
  request: HttpRequest,
  members: z.ZodObject<S>,
): Promise<Result<z.output<z.ZodObject<S>>>> {
  const body = await readText(request, maxJson);
  if (!body.ok && body.error === "too slow") return err(tooSlow);
  if (!body.ok && body.error === "too large")
    return err({ code: "BodyTooLarge", message: `The body is larger than ${maxJson} bytes.` });
  if (!body.ok) return err({ code: "InvalidRequest", message: "The body must be JSON, in UTF-8." });
  const value = objectIn(body.value);
  if (value === undefined) return err({ code: "InvalidRequest", message: "The body must be a JSON object." });
  const { given, faults } = withKnownNames(value, Object.keys(members.shape));
  const parsed = members.safeParse(given);
  const issues = parsed.error?.issues ?? [];
  const all = [...faults, ...issues.map(({ path, message }) => fault(path.join("."), message))];
  return parsed.success && all.length === 0 ? ok(parsed.data) : err(refusalOf(all));
}

/** No body at all is an empty one. */
function objectIn(body: string): object | undefined {
  if (body.trim() === "") return {};
  const value = parseJson(body);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
}

function withKnownNames(
  value: object,
  known: readonly string[],
): { readonly given: object; readonly faults: readonly LocatedFault[] } {
  const given = new Map<string, unknown>();
  const faults: LocatedFault[] = [];
  for (const [key, member] of Object.entries(value) as [string, unknown][]) {
    // JSON's members are of any type
    const shown = shownName(key, "member");
    const name = known.find((candidate) => candidate.toLowerCase() === key.toLowerCase());
    if (name === undefined) faults.push(fault(shown, `is not known; known are ${known.join(", ")}`));
    else if (given.has(name)) faults.push(fault(name, "must be there once only"));
    else given.set(name, member);
  }
  return { given: Object.fromEntries(given), faults };
}

/** A body of JSON is read whole, so its faults have no line of their own. */
function fault(path: string, must: string): LocatedFault {
  return { path, line: 1, column: 1, message: `${path} ${must}.` };
}

function refusalOf(errors: readonly LocatedFault[]): Refusal {
  const more = errors.length > 1 ? ` And ${errors.length - 1} more.` : "";
  return { code: "InvalidRequest", message: `${errors[0]?.message ?? ""}${more}`, errors };
}
