import type { Reply } from "../../http/openapi/replies.ts";

/** A template's parameters as a form, and what a reader has written there as values. Pure. */
type Parameter = Reply<"TemplateParameter">;
type Value = string | number | boolean | readonly string[];

/** How a parameter is asked for. */
type Field = "choice" | "choices" | "secret" | "lines" | "text";

export function fieldOf({ type, secret, values }: Parameter): Field {
  if (type === "boolean" && !secret) return "choice";
  if (values !== undefined) return type === "list" ? "choices" : "choice";
  return type === "list" ? "lines" : secret ? "secret" : "text";
}

/** What a choice offers. */
export const choicesOf = ({ type, values = [] }: Parameter): readonly string[] =>
  type === "boolean" ? ["true", "false"] : values.map(String);

/** The default, as its field shows it; of a list, one item a line. */
export function defaultText({ default: value }: Parameter): string {
  if (value === undefined) return "";
  return typeof value === "object" ? value.join("\n") : String(value);
}

/** What is wrong with a parameter's field. A map, because a parameter may be named as every object's own members are. */
export type Faults = ReadonlyMap<string, string>;

export type Read =
  | { readonly ok: true; readonly values: Readonly<Record<string, Value>> }
  | { readonly ok: false; readonly faults: Faults };

/**
 * @param written what stands in the fields, by parameter: one text, of `choices` one for each that is chosen
 * @returns the values of a run, without those that are the default
 */
export function readFields(
  parameters: Readonly<Record<string, Parameter>>,
  written: (name: string) => readonly string[],
): Read {
  const values: [string, Value][] = [];
  const faults: [string, string][] = [];
  for (const [name, parameter] of Object.entries(parameters)) {
    const read = readField(parameter, written(name));
    if (read === undefined) continue;
    if (read.ok) values.push([name, read.value]);
    else faults.push([name, read.fault]);
  }
  return faults.length > 0 ? { ok: false, faults: new Map(faults) } : { ok: true, values: Object.fromEntries(values) };
}

type ReadField =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly fault: string } | undefined;

const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/;

function readField(parameter: Parameter, written: readonly string[]): ReadField {
  const { type, required, pattern } = parameter;
  const [text = ""] = written;
  const isEmpty = written.every((each) => each.trim() === "");
  if (required && isEmpty) return { ok: false, fault: "This is needed: it has no default." };
  if (!required && written.join("\n") === defaultText(parameter)) return undefined;
  if (isEmpty && type !== "string" && type !== "list") return undefined;
  if (type === "number")
    return jsonNumber.test(text.trim())
      ? { ok: true, value: Number(text) }
      : { ok: false, fault: "This must be a number, as 3 or 0.5." };
  if (type === "boolean") {
    const word = text.trim().toLowerCase();
    return word === "true" || word === "false"
      ? { ok: true, value: word === "true" }
      : { ok: false, fault: "This must be true or false." };
  }
  const items = type === "string" || fieldOf(parameter) === "choices" ? written : linesOf(text);
  const odd = items.find((item) => misses(pattern, item));
  if (odd !== undefined)
    return {
      ok: false,
      fault: `${type === "list" ? `Each line must match` : "This must match"} ${pattern ?? ""}`,
    };
  return { ok: true, value: type === "list" ? items : text };
}

const linesOf = (text: string): readonly string[] =>
  text
    .split("\n")
    .map((line) => line.replace(/\r$/, ""))
    .filter((line) => line !== "");

/** Longer ones are left to the service. */
const maxCompared = 200;

/**
 * Whether a text is sure to miss a pattern. Patterns are RE2's: where the browser's own expressions could mean something else, or take
 * long (a group that repeats), the service alone judges.
 */
function misses(pattern: string | undefined, text: string): boolean {
  if (pattern === undefined || !/^[\x20-\x7e]*$/.test(text) || text.length > maxCompared) return false;
  if (/\)[*+{]|\[:/.test(pattern)) return false;
  try {
    return !new RegExp(`^(?:${pattern})$`, "u").test(text);
  } catch {
    return false;
  }
}
