import { clip, shownName, shownPath, type ErrorCode, type LocatedFault, type Refusal } from "../base/errors.ts";
import type { JsonObject } from "../base/json.ts";
import {
  fillTemplate,
  parseDefinition,
  parseFilled,
  readItems,
  tooSmall,
  type ArrayDefinition,
  type ArrayRules,
  type Definition,
  type DefinitionRules,
  type Filled,
  type OptionsBlock,
  type Parsed,
  type Template,
} from "../definition/index.ts";
import type { Settings } from "../config/settings.ts";
import { maxGroupName } from "../base/ids.ts";
import { replacedVariables } from "./own-variables.ts";
import { packFaults } from "./pack-judgement.ts";
import { tagsFault } from "./group-tags.ts";
import { optionNamed, readOptions, type JobOptions, type OptionsContext, type OptionsFrom } from "./options.ts";

/** What was written of a job: its definition and its options, wherever they stood. */
export interface Written {
  readonly source: DefinitionSource;
  readonly query: JsonObject;
  readonly envelope: JsonObject;
  /** Members of its envelope that mean nothing. */
  readonly unknown: readonly string[];
  readonly callBackUri: string | undefined;
  readonly via: OptionsContext["via"];
}

/** A definition in full, or a stored one and the values of its parameters. */
type DefinitionSource =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "template"; readonly template: Template; readonly parameters: JsonObject };

/** Faults of one kind, if any. */
export interface Found {
  readonly code: ErrorCode;
  readonly what: string;
  readonly errors: readonly LocatedFault[];
}

/** All that can be said of a job before anybody's rules, without asking anybody. */
export interface Judgement {
  /** Empty where everything is in order. */
  readonly found: readonly Found[];
  readonly warnings: readonly LocatedFault[];
  readonly callBackUri: string | undefined;
  /** The definition, where it can be read, and where a path of it stands in the text. */
  readonly definition: { readonly value: Definition; readonly place: Place } | undefined;
  /** Of a job that is an array, where its definition can be read: all of it, and what was objected to its children. */
  readonly array: { readonly definition: ArrayDefinition; readonly objections: readonly LocatedFault[] } | undefined;
  /** The options, where they and the definition can be read. */
  readonly options: JobOptions | undefined;
}

type Place = (path: string) => { readonly line: number; readonly column: number };

/** Well above the largest real definition, and still parsed in milliseconds. */
const maxNodes = 50_000;

type Objections = ArrayRules["objections"];
const noObjections: Objections = () => [];

/**
 * Every fault of a job at once: of its definition, of its options, and of what they are together. Pure.
 *
 * @param objections what is asked about each child of an array besides
 */
export function judgeJob(written: Written, settings: Settings, objections = noObjections): Judgement {
  const { source } = written;
  const rules = definitionRules(settings);
  if (source.kind === "text") {
    const array = { arrayOf: arrayIn(written), objections };
    return judgeParsed(parseDefinition(source.text, rules, array), written, settings);
  }
  const filled = fillTemplate(source.template, source.parameters);
  return filled.ok
    ? judgeFilled(filled.value, written, settings, objections)
    : judgeOptions(written, settings, filled.error);
}

/** A job whose template has its values. */
export function judgeFilled(
  filled: Filled,
  written: Written,
  settings: Settings,
  objections = noObjections,
): Judgement {
  const array = { arrayOf: arrayIn(written), objections };
  return judgeParsed(parseFilled(filled, definitionRules(settings), array), written, settings);
}

/** What the first source that has the option `array` says of it. */
function arrayIn({ query, envelope }: Written): ArrayRules["arrayOf"] {
  return (inBlock) => {
    const given = [query, envelope].flatMap((values) =>
      Object.entries(values).flatMap(([key, value]) => (optionNamed(key) === "array" ? [value] : [])),
    );
    const value = given[0] ?? inBlock;
    if (value === undefined) return undefined;
    const read = readItems(value);
    return read.ok ? read.value : "faulty";
  };
}

export function definitionRules({ defaultApiVersion }: Settings): DefinitionRules {
  return { defaultApiVersion, maxNodes };
}

/** Of a job whose parameters are wrong nothing but its options can be judged. */
function judgeOptions(written: Written, settings: Settings, errors: readonly LocatedFault[]): Judgement {
  const { callBackUri } = written;
  const hasCallBack = callBackUri !== undefined;
  const context = { settings, via: written.via, containers: undefined, hasCallBack };
  const read = readOptions(sourcesOf(written, undefined), context);
  const found: Found[] = [{ code: "InvalidParameters", what: "The parameters can't be taken", errors }];
  if (!read.ok) found.push(optionFaults(read.error.faults));
  const { warnings } = read.ok ? read.value : read.error;
  return {
    found: found.filter(hasFaults),
    warnings: [...unknownMembers(written.unknown), ...warnings],
    callBackUri,
    definition: undefined,
    array: undefined,
    options: undefined,
  };
}

function judgeParsed(parsed: Parsed, written: Written, settings: Settings): Judgement {
  const callBackUri = written.callBackUri ?? parsed.callBackUri;
  const sources = sourcesOf(written, parsed.block);
  const read = readOptions(sources, {
    settings,
    via: written.via,
    containers: parsed.ok ? parsed.definition.view.containers.map(({ name }) => name) : undefined,
    hasCallBack: callBackUri !== undefined,
  });
  const { warnings: oddOptions } = read.ok ? read.value : read.error;
  const ofParsed = read.ok ? warningsOfPacked(parsed.warnings, read.value.options) : parsed.warnings;
  const warnings = [...unknownMembers(written.unknown), ...ofParsed, ...oddOptions];
  if (!parsed.ok || !read.ok) {
    const found = [
      definitionFaults(parsed.ok ? [] : parsed.faults),
      optionFaults(read.ok ? [] : read.error.faults),
    ].filter(hasFaults);
    const definition = parsed.ok ? { value: parsed.definition, place: parsed.place } : undefined;
    const array = parsed.ok ? parsed.array : undefined;
    return { found, warnings, callBackUri, definition, array, options: undefined };
  }
  const { definition, place, array } = parsed;
  const { options } = read.value;
  warnings.push(...replacedVariables(definition, array?.definition, options, place));
  const ofPack = packFaults(definition, array?.definition, options, place, settings);
  const found: Found[] = [
    definitionFaults([
      ...tagFaults(definition, options, place),
      ...nameFaults(definition, options, place),
      ...ofPack.ofDefinition,
    ]),
    optionFaults(ofPack.ofOptions),
  ];
  const endless = neverEnds(definition, options, sources, place);
  if (endless) {
    const waits = options.polling !== "false" || callBackUri !== undefined;
    if (waits) found.push({ code: "NeverEnds", what: "The job would never end", errors: [endless] });
    else warnings.push(endless);
  }
  if (options.strict) {
    found.push({ code: "InvalidDefinition", what: "With strict, warnings are errors", errors: warnings.splice(0) });
  }
  const judged = { value: definition, place };
  return { found: found.filter(hasFaults), warnings, callBackUri, definition: judged, array, options };
}

/** A container may be small where others share its group. */
function warningsOfPacked(warnings: readonly LocatedFault[], { pack }: JobOptions): readonly LocatedFault[] {
  return pack === undefined ? warnings : warnings.filter(({ message }) => message !== tooSmall);
}

/** One refusal with all that was found, which is something; the first kind gives it its code, and the first fault its sentence. */
export function refusalOf(found: readonly Found[], warnings: readonly LocatedFault[]): Refusal {
  const { code, what } = found.find(hasFaults) ?? { code: "InvalidDefinition", what: "This can't be taken" };
  const errors = found.flatMap((each) => each.errors);
  const [first] = errors;
  const where = first === undefined || (code === "InvalidOptions" && !isInBlock(first)) ? "" : placeOf(first);
  const more = errors.length > 1 ? ` And ${errors.length - 1} more.` : "";
  // What has no effect may be anything, a secret in the wrong place too: only what reads like a name is shown of it.
  const shown = warnings.map((warning) => ({ ...warning, path: shownPath(warning.path) }));
  return { code, message: clip(`${what}: ${where}${first?.message ?? ""}${more}`, 300), errors, warnings: shown };
}

function placeOf({ path, line }: LocatedFault): string {
  const shown = shownPath(path);
  return shown === "" ? `line ${line}: ` : `${shown} (line ${line}): `;
}

/** An option of a query or an envelope stands on no line of the caller's text, and its fault names it already. */
function isInBlock({ path }: LocatedFault): boolean {
  return path.startsWith("x-aciproxy");
}

function hasFaults({ errors }: Found): boolean {
  return errors.length > 0;
}

function definitionFaults(errors: readonly LocatedFault[]): Found {
  return { code: "InvalidDefinition", what: "The definition can't be taken", errors };
}

export function optionFaults(errors: readonly LocatedFault[]): Found {
  return { code: "InvalidOptions", what: "The options can't be taken", errors };
}

function sourcesOf({ query, envelope }: Written, block: OptionsBlock | undefined): readonly OptionsFrom[] {
  return [
    { where: "query", values: query },
    { where: "envelope", values: envelope },
    ...(block ? [{ where: "block" as const, values: block.values, place: (name: string) => block.place(name) }] : []),
  ];
}

/** At most this many are listed: a row and a reply are no place for thousands. */
const maxUnknown = 50;

function unknownMembers(names: readonly string[]): LocatedFault[] {
  const message = "This member has no effect: the envelope has no such member, or has it twice; see docs/queue.md.";
  return names.slice(0, maxUnknown).map((name) => ({ path: shownName(name, "member"), line: 1, column: 1, message }));
}

function tagFaults(definition: Definition, options: JobOptions, place: Place): LocatedFault[] {
  const message = tagsFault(definition, options);
  return message === undefined ? [] : [{ path: "tags", ...place("tags"), message }];
}

/** Of an array: the group of each child is called NAME-INDEX. With `uniqueName` the name is cut so that this fits. */
function nameFaults({ name }: Definition, { array, uniqueName, pack }: JobOptions, place: Place): LocatedFault[] {
  const digits = maxGroupName - name.length - "-".length;
  const first = digits < 1 ? 0 : 10 ** digits;
  if (array === undefined || pack !== undefined || uniqueName || first >= array) return [];
  const message = `Index ${first}: the group's name, NAME-INDEX, would have more than ${maxGroupName} characters; give a shorter name.`;
  return [{ path: "name", ...place("name"), message }];
}

function neverEnds(
  { view }: Definition,
  { main, runTimeout }: JobOptions,
  sources: readonly OptionsFrom[],
  place: Place,
): LocatedFault | undefined {
  const path = "properties.restartPolicy";
  const hasTimeout = sources.some(({ values }) => Object.keys(values).some((name) => name.toLowerCase() === "timeout"));
  if (view.restartPolicy !== "Always" || main !== undefined || runTimeout !== undefined || hasTimeout) return undefined;
  const message =
    "A group with restartPolicy Always, which is the default, never ends: set Never or OnFailure, or the option main, timeout or runTimeout.";
  return { path, ...place(path), message };
}
