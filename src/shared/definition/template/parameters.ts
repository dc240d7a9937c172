import { RE2JS } from "re2js";
import { err, ok, shownName, type LocatedFault, type Result } from "../../base/errors.ts";
import { foldName, type JsonObject, type JsonValue } from "../../base/json.ts";
import { nearest } from "../../base/nearest.ts";
import type { Findings, Positions } from "../text/positions.ts";
import { Trail } from "../text/trail.ts";
import type { Entry, MapNode, Node } from "../text/tree.ts";
import { parameterName } from "./references.ts";

/** Where a template declares its parameters: `x-aciproxy-parameters: {NAME: {type, default, pattern, values, secret, description}}`. */
export const parametersMember = "x-aciproxy-parameters";

export const parameterTypes = ["string", "number", "boolean", "list"] as const;
type ParameterType = (typeof parameterTypes)[number];
/** A list holds text. */
export type ParameterValue = string | number | boolean | readonly string[];

export interface Parameter {
  readonly name: string;
  readonly type: ParameterType;
  readonly description: string | undefined;
  /** What it is unless it is given; a parameter without one must be given. */
  readonly fallback: ParameterValue | undefined;
  /** All that it may be, where that is limited; of a list, each item. */
  readonly values: readonly (string | number)[] | undefined;
  /** RE2 syntax. The whole text, or each item of a list, must match. */
  readonly pattern: string | undefined;
  readonly secret: boolean;
  /** Where it is declared, lines and columns from 1. */
  readonly line: number;
  readonly column: number;
}

const maxParameters = 256;
const maxValues = 200;
const maxItems = 1000;
const maxPattern = 500;
/** Steps that a pattern has once it is compiled: matching takes at most this many for each character. */
const maxProgram = 500;
/** Characters that are compared with patterns in one run, all parameters together, and one more for each text: a tenth of a second at most. */
const maxCompared = 16_384;

const members = ["type", "default", "pattern", "values", "secret", "description"] as const;
type Member = (typeof members)[number];

/** Reads the declarations. Each fault says where it stands and what is allowed. */
export function readParameters(
  declared: Entry | undefined,
  findings: Findings,
  places: Positions,
): ReadonlyMap<string, Parameter> {
  const parameters = new Map<string, Parameter>();
  if (declared === undefined || isNull(declared.node)) return parameters;
  const here = Trail.top(0).to(parametersMember, declared.at);
  if (declared.node.kind !== "map") {
    findings.fault(here, `${parametersMember} must be a mapping of names to {type, default, pattern, values, secret}.`);
    return parameters;
  }
  if (declared.node.entries.size > maxParameters) {
    findings.fault(here, `A template may have at most ${maxParameters} parameters.`);
    return parameters;
  }
  for (const [name, entry] of declared.node.entries) {
    const at = here.to(name, entry.at);
    if (!parameterName.test(name)) {
      findings.fault(
        at,
        "A parameter's name must begin with a letter or _, and have 1 to 64 letters, digits, _ and - in all.",
      );
    } else if (parameters.has(foldName(name))) {
      findings.fault(at, `Parameter ${name} is declared twice; letter case does not count.`);
    } else {
      parameters.set(foldName(name), readParameter(name, entry, at, findings, places));
    }
  }
  return parameters;
}

type Fault = (member: Member, must: string) => void;

function readParameter(
  name: string,
  { node, at }: Entry,
  here: Trail,
  findings: Findings,
  places: Positions,
): Parameter {
  const given = node.kind === "map" ? membersOf(node, here, findings) : new Map<Member, Entry>();
  if (node.kind !== "map" && !isNull(node))
    findings.fault(here, `Parameter ${name} must be a mapping with ${members.join(", ")}.`);
  const fault: Fault = (member, must) =>
    findings.fault(here.to(member, given.get(member)?.at ?? at), `${member} of parameter ${name} ${must}.`);
  const word = (textIn(given.get("type")?.node) ?? "string").toLowerCase();
  const type = parameterTypes.find((known) => known === word);
  if (type === undefined) fault("type", `must be ${parameterTypes.join(" or ")}`);
  const parameter: Parameter = {
    name,
    type: type ?? "string",
    description: textIn(given.get("description")?.node)?.slice(0, 500),
    fallback: undefined,
    values: readValues(given.get("values")?.node, type ?? "string", fault),
    pattern: readPattern(given.get("pattern")?.node, type ?? "string", fault),
    secret: readSecret(given, fault),
    ...places.at(at),
  };
  const written = given.get("default");
  if (type === undefined || written === undefined || isNull(written.node)) return parameter;
  const fallback = readValue(plainOf(written.node, type), parameter, new Comparisons());
  if (!fallback.ok) fault("default", fallback.error);
  return fallback.ok ? { ...parameter, fallback: fallback.value } : parameter;
}

function readSecret(given: ReadonlyMap<Member, Entry>, fault: Fault): boolean {
  const word = textIn(given.get("secret")?.node)?.toLowerCase() ?? "false";
  if (!["true", "false"].includes(word)) fault("secret", "must be true or false");
  if (word !== "true") return false;
  for (const member of ["default", "values"] as const)
    if (given.has(member)) fault(member, "would show a secret: a secret parameter must be given by each caller");
  return true;
}

function membersOf(node: MapNode, here: Trail, findings: Findings): ReadonlyMap<Member, Entry> {
  const given = new Map<Member, Entry>();
  for (const [key, entry] of node.entries) {
    const member = members.find((known) => known === foldName(key));
    if (member === undefined) {
      const meant = nearest(key, members);
      const advice = meant === undefined ? `; known are ${members.join(", ")}` : `; is ${meant} meant?`;
      findings.fault(here.to(key, entry.at), `A parameter has no such member${advice}`);
    } else given.set(member, entry);
  }
  return given;
}

function readPattern(node: Node | undefined, type: ParameterType, fault: Fault): string | undefined {
  if (node === undefined || isNull(node)) return undefined;
  const pattern = textIn(node);
  const wrong = patternFault(pattern, type);
  if (wrong === undefined) return pattern;
  fault("pattern", wrong);
  return undefined;
}

function patternFault(pattern: string | undefined, type: ParameterType): string | undefined {
  if (pattern === undefined || pattern.length > maxPattern)
    return `must be a regular expression (RE2) of at most ${maxPattern} characters`;
  if (type !== "string" && type !== "list") return "is for text and lists";
  const size = programSize(pattern);
  if (size === undefined) return "is no regular expression that RE2 knows (no look-around, no back references)";
  return size > maxProgram ? "takes too long to compare; use fewer or smaller repetitions" : undefined;
}

function programSize(pattern: string): number | undefined {
  try {
    return RE2JS.compile(pattern).programSize();
  } catch {
    return undefined;
  }
}

function readValues(node: Node | undefined, type: ParameterType, fault: Fault): Parameter["values"] {
  if (node === undefined || isNull(node)) return undefined;
  const items = node.kind === "list" ? node.items : [];
  const values = items.map((item) => (type === "number" ? numberIn(plainOf(item, type)) : textIn(item)));
  const whole = values.flatMap((value) => (value === undefined ? [] : [value]));
  if (type === "boolean") fault("values", "are for text, numbers and lists");
  else if (items.length === 0 || items.length > maxValues || whole.length < items.length)
    fault("values", `must be a list of 1 to ${maxValues} ${type === "number" ? "numbers" : "texts"}`);
  else return whole;
  return undefined;
}

/** How much is left to compare with patterns. */
class Comparisons {
  #left = maxCompared;
  readonly #compiled = new Map<string, RE2JS>();

  matches(pattern: string, text: string): boolean | undefined {
    this.#left -= 1 + text.length;
    if (this.#left < 0) return undefined;
    // Compiling takes longer than most comparisons.
    const compiled = this.#compiled.get(pattern) ?? RE2JS.compile(pattern);
    this.#compiled.set(pattern, compiled);
    return compiled.matches(text);
  }
}

/**
 * The values of a run: those given, by name in any letter case, else the defaults. Every fault at once: unknown, missing and surplus
 * parameters, wrong types, values that are not allowed. No message repeats a value.
 */
export function readGiven(
  parameters: ReadonlyMap<string, Parameter>,
  given: JsonObject,
): Result<ReadonlyMap<string, ParameterValue>, readonly LocatedFault[]> {
  const faults: LocatedFault[] = [];
  const values = new Map<string, ParameterValue>();
  const comparisons = new Comparisons();
  const names = [...parameters.values()].map(({ name }) => name);
  const seen = new Set<string>();
  for (const [key, value] of Object.entries(given)) {
    const parameter = parameters.get(foldName(key));
    // Looking for what was meant takes long, and no more of them are reported.
    if (parameter === undefined) faults.push(unknownParameter(key, faults.length < maxFaults ? names : []));
    else if (seen.has(parameter.name)) faults.push(at(parameter, `is given twice; letter case does not count`));
    else if (value !== null) {
      seen.add(parameter.name);
      const read = readValue(value, parameter, comparisons);
      if (read.ok) values.set(foldName(key), read.value);
      else faults.push(at(parameter, read.error));
    }
  }
  for (const [key, parameter] of parameters) {
    if (seen.has(parameter.name)) continue;
    if (parameter.fallback !== undefined) values.set(key, parameter.fallback);
    else faults.push(at(parameter, `is missing; it has no default and ${allowed(parameter)}`));
  }
  const more = faults.length - maxFaults;
  const told = faults.slice(0, maxFaults);
  if (more > 0) told.push({ path: "", line: 1, column: 1, message: `${more} more faults not shown; fix these first.` });
  return faults.length === 0 ? ok(values) : err(told);
}

const maxFaults = 50;

function at({ name, line, column }: Parameter, must: string): LocatedFault {
  return { path: `parameters.${name}`, line, column, message: `Parameter ${name} ${must}.` };
}

function unknownParameter(key: string, names: readonly string[]): LocatedFault {
  const shown = shownName(key, "parameter");
  const meant = nearest(key, names);
  const known =
    names.length === 0
      ? "it has no parameters"
      : meant === undefined
        ? `known are ${names.slice(0, 20).join(", ")}${names.length > 20 ? " and more" : ""}`
        : `is ${meant} meant?`;
  const message = `The template has no parameter ${shown}; ${known}${meant === undefined ? "." : ""}`;
  return { path: `parameters.${shown}`, line: 1, column: 1, message };
}

/** A value as its type, or what it must be. Text that is exactly a number or a truth value counts as one: a query has nothing else. */
function readValue(value: JsonValue, parameter: Parameter, comparisons: Comparisons): Result<ParameterValue, string> {
  const wrong = err(allowed(parameter));
  switch (parameter.type) {
    case "string":
      return typeof value === "string" ? judgeText(value, value, parameter, comparisons) : wrong;
    case "number": {
      const number = numberIn(value);
      return number !== undefined && isListed(number, parameter) ? ok(number) : wrong;
    }
    case "boolean": {
      if (typeof value === "boolean") return ok(value);
      const word = typeof value === "string" ? value.toLowerCase() : undefined;
      return word === "true" || word === "false" ? ok(word === "true") : wrong;
    }
    case "list": {
      const items = Array.isArray(value) ? value.flatMap((item) => (typeof item === "string" ? [item] : [])) : [];
      if (!Array.isArray(value) || items.length !== value.length || items.length > maxItems) return wrong;
      for (const item of items) {
        const judged = judgeText(item, items, parameter, comparisons);
        if (!judged.ok) return judged;
      }
      return ok(items);
    }
  }
}

function judgeText(
  text: string,
  value: ParameterValue,
  parameter: Parameter,
  comparisons: Comparisons,
): Result<ParameterValue, string> {
  if (!isListed(text, parameter)) return err(allowed(parameter));
  if (parameter.pattern === undefined) return ok(value);
  const matches = comparisons.matches(parameter.pattern, text);
  if (matches === undefined)
    return err(`is too long to be compared with a pattern; at most ${maxCompared} characters are, all together`);
  return matches ? ok(value) : err(allowed(parameter));
}

function isListed(value: string | number, { values }: Parameter): boolean {
  return values === undefined || values.includes(value);
}

/** What a parameter must be, as a sentence's end. */
function allowed({ type, values, pattern }: Parameter): string {
  const kind = {
    string: "must be text",
    number: "must be a number",
    boolean: "must be true or false",
    list: `must be a list of at most ${maxItems} texts`,
  }[type];
  const each = type === "list" ? ", each of which" : " and";
  if (values !== undefined)
    return `${kind}${type === "list" ? ", each" : ","} one of ${values.slice(0, 20).join(", ")}${values.length > 20 ? ", ..." : ""}`;
  return pattern === undefined ? kind : `${kind}${each} must match ${pattern}`;
}

const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/;

function numberIn(value: JsonValue): number | undefined {
  const number = typeof value === "string" && value.length <= 40 && jsonNumber.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

/** The JSON value of a node; where text belongs, the text as it was written. */
function plainOf(node: Node, type: ParameterType): JsonValue {
  if (node.kind === "list") return node.items.map((item) => plainOf(item, type));
  if (node.kind === "map") return {};
  return (type === "string" || type === "list") && node.value !== null ? node.text : node.value;
}

function textIn(node: Node | undefined): string | undefined {
  return node?.kind === "scalar" && node.value !== null ? node.text : undefined;
}

function isNull(node: Node): boolean {
  return node.kind === "scalar" && node.value === null;
}
