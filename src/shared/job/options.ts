// Longer than 350 lines: one table, a row for each option, and what reads it.
import { day, durationPattern, minute, second } from "../base/duration.ts";
import { err, ok, shownName, type LocatedFault, type Result } from "../base/errors.ts";
import type { JsonObject, JsonValue } from "../base/json.ts";
import type { OpenWord } from "../base/open.ts";
import {
  duration,
  readBoolean,
  readFailureStatus,
  readArray,
  readGroup,
  readMain,
  readMinSuccess,
  readRetryOn,
  readSource,
  readTags,
  readTeam,
  whole,
  word,
  type MinSuccess,
  type ReadValue,
  type RetryRule,
  type Source,
} from "./option-readers.ts";
import type { Settings } from "../config/settings.ts";
import { maxArraySize } from "../definition/index.ts";

/**
 * The options of a job, from a query, a definition's `x-aciproxy` block or a message's `options`, to one type. Parser, OpenAPI,
 * JSON Schema and docs are all made from {@link optionsTable}. A stored job may have words, rules and further options of a newer
 * release, which change nothing here and are kept.
 */
export interface JobOptions {
  readonly polling: OpenWord<"false" | "true" | "started" | "link">;
  /** Milliseconds, as all durations here. */
  readonly timeout: number;
  readonly queueTimeout: number | undefined;
  readonly startTimeout: number;
  readonly runTimeout: number | undefined;
  readonly retries: number;
  readonly retryOn: readonly RetryRule[];
  readonly onConflict: OpenWord<"reject" | "wait" | "replace" | "attach">;
  readonly uniqueName: boolean;
  readonly main: string | undefined;
  readonly keep: OpenWord<"never" | "failed" | "always">;
  readonly lease: number | undefined;
  readonly env: boolean;
  /** In lower case: groups are compared without case. */
  readonly group: string | undefined;
  readonly groupLimit: number | undefined;
  readonly onGroupFull: OpenWord<"wait" | "reject">;
  /** Seconds of head start in wait queues. */
  readonly priority: number | undefined;
  /** In lower case: teams are compared without case. */
  readonly team: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly source: Source | undefined;
  readonly failureStatus: number;
  readonly outputLimit: number;
  /** The number of children; the items themselves lie sealed with the definition. */
  readonly array: number | undefined;
  readonly parallelism: number | undefined;
  readonly failFast: boolean;
  readonly minSuccess: MinSuccess | undefined;
  readonly pack: number | undefined;
  readonly strict: boolean;
  readonly dryRun: boolean;
}

export type OptionName = keyof JobOptions;

/** Options that may be a list, as text with commas too. */
export const listOptions: readonly OptionName[] = ["tags", "retryOn"];

/** Where options were read: their values and, for a block, their places. */
export interface OptionsFrom {
  readonly values: Readonly<Record<string, JsonValue>>;
  readonly where: "query" | "envelope" | "block";
  readonly place?: (name: string) => { readonly line: number; readonly column: number };
}

interface OptionRow<T> {
  /** JSON Schema of one value. */
  readonly schema: Readonly<Record<string, unknown>>;
  readonly fallback: string;
  readonly bound: string;
  readonly text: string;
  readonly read: ReadValue<T>;
}

/** Jobs of a group at once. */
export const maxGroupLimit = 10_000;
/** Children of an array at once, unless its caller says otherwise. */
export const defaultParallelism = 100;
/** Items in a pack: containers of a group. */
const maxPack = 60;
/** Packs of an array at once: what is known of them has room in its row. */
const maxPacks = 1000;
/** Seconds: a day. */
export const maxPriority = 86_400;

const max = (settings: Settings): number => settings.maxTimeout;
const always = (ms: number) => (): number => ms;
const durationSchema = (range: string, least = second) => ({
  type: ["string", "number"],
  minimum: least / second,
  pattern: durationPattern,
  description: `ISO 8601 duration or seconds, ${range}`,
});
const words = (...list: string[]) => ({ type: "string", enum: list });

export const optionsTable = {
  polling: {
    schema: words("true", "false", "started", "link"),
    fallback: "false",
    bound: "",
    text: "`true`: 202 and a `Location` to poll until the job's end. `started`: the `Location` answers 200 once the group runs. `link`: the `Location` needs no key.",
    read: word("true", "false", "started", "link"),
  },
  timeout: {
    schema: durationSchema("PT1S to `MAX_TIMEOUT`"),
    fallback: "the setting",
    bound: "`DEFAULT_TIMEOUT`, `MAX_TIMEOUT`",
    text: "From accept to end, all attempts and waiting included.",
    read: duration(second, max),
  },
  queueTimeout: {
    schema: durationSchema("PT1S to `MAX_TIMEOUT`, no longer than `timeout`"),
    fallback: "none",
    bound: "`MAX_TIMEOUT`",
    text: "From accept to the first create.",
    read: duration(second, max),
  },
  startTimeout: {
    schema: durationSchema("PT1S to `MAX_TIMEOUT`, no longer than `timeout`"),
    fallback: "the setting",
    bound: "`DEFAULT_START_TIMEOUT`, `MAX_TIMEOUT`",
    text: "Each attempt's time from create to running. Ends nothing while the group can't be read, for an hour at most.",
    read: duration(second, max),
  },
  runTimeout: {
    schema: durationSchema("PT1S to `MAX_TIMEOUT`, no longer than `timeout`"),
    fallback: "none",
    bound: "`MAX_TIMEOUT`",
    text: "Each attempt's time from running to its end. Ends nothing while the group can't be read, for an hour at most.",
    read: duration(second, max),
  },
  retries: {
    schema: { type: "integer", minimum: 0, maximum: 10 },
    fallback: "0",
    bound: "",
    text: "How many further attempts a failed job gets.",
    read: whole(0, 10),
  },
  retryOn: {
    schema: { type: ["array", "string"], items: { type: ["string", "integer"] }, maxItems: 20 },
    fallback: "every failure of the program, image or start",
    bound: "",
    text: "Ordered rules: exit codes (`137`, `1-5`), reasons, faults (`platform`) or `*`; `!` in front means no retry. The first match wins; no match stops.",
    read: readRetryOn,
  },
  onConflict: {
    schema: words("reject", "wait", "replace", "attach"),
    fallback: "`reject` by HTTP, `wait` on the queue",
    bound: "",
    text: "What happens when an active job has that name.",
    read: word("reject", "wait", "replace", "attach"),
  },
  uniqueName: {
    schema: { type: "boolean" },
    fallback: "false",
    bound: "",
    text: "Adds a suffix to the group's name, so that the same definition can run side by side.",
    read: readBoolean,
  },
  main: {
    schema: { type: "string", minLength: 1, maxLength: 63, description: "a container's name" },
    fallback: "none",
    bound: "",
    text: "The main container: when it exits the job ends and the other containers are stopped.",
    read: readMain,
  },
  keep: {
    schema: words("never", "failed", "always"),
    fallback: "never",
    bound: "`KEEP_TIME`",
    text: "Whether the finished group stays for a while. It goes when a new job needs its name, or when the job is deleted or canceled by a call.",
    read: word("never", "failed", "always"),
  },
  lease: {
    schema: durationSchema("PT5M to P7D", 5 * minute),
    fallback: "none",
    bound: "",
    text: "The job is canceled if nobody reads its own `Location` for this time; an outage of the service does not count. With `polling=started` somebody must go on reading.",
    read: duration(5 * minute, always(7 * day)),
  },
  env: {
    schema: { type: "boolean" },
    fallback: "false",
    bound: "",
    text: "Gives every container ACI_PROXY_JOB_ID, _NAME, _ATTEMPT, _DEADLINE, TRACEPARENT, and ACI_PROXY_RESULT_URL, which takes one result by PUT.",
    read: readBoolean,
  },
  group: {
    schema: { type: "string", pattern: "^[\\w.:/-]{1,128}$", description: "letters, digits and `. _ - / :`" },
    fallback: "none",
    bound: "",
    text: "Jobs of one group share its slots. A job holds one from its admission until nothing of it runs any more. Compared without case.",
    read: readGroup,
  },
  groupLimit: {
    schema: { type: "integer", minimum: 1, maximum: maxGroupLimit },
    fallback: "none: an operator's alone",
    bound: "",
    text: "The job starts only while fewer slots of its group are held. Other jobs of the group may have other limits; an operator's limit holds besides.",
    read: whole(1, maxGroupLimit),
  },
  onGroupFull: {
    schema: words("wait", "reject"),
    fallback: "wait",
    bound: "",
    text: "What happens when no slot of the group is free, or others wait for one.",
    read: word("wait", "reject"),
  },
  priority: {
    schema: { type: "integer", minimum: -maxPriority, maximum: maxPriority },
    fallback: "0",
    bound: "",
    text: "Seconds of head start where the job waits with others: for its name, for a slot of its group, for a create.",
    read: whole(-maxPriority, maxPriority),
  },
  team: {
    schema: { type: "string", pattern: "^[\\w.-]{1,64}$", description: "letters, digits and `. _ -`" },
    fallback: "see [teams.md](teams.md)",
    bound: "`TEAMS`",
    text: "Whose job it is, for shares, ceilings and reports. Compared without case. Without `TEAMS` it is a label.",
    read: readTeam,
  },
  tags: {
    schema: {
      type: ["object", "array", "string"],
      maxProperties: 15,
      maxItems: 15,
      description: "mapping or list of at most 15, also as JSON text; a text with commas",
    },
    fallback: "none",
    bound: "",
    text: "Free labels, `KEY=VALUE` or `LABEL`; they become tags of the container group.",
    read: readTags,
  },
  source: {
    schema: {
      type: "string",
      maxLength: 512,
      pattern: "^(?:[^/]+/){3}",
      description: "text of at most 512 characters",
    },
    fallback: "the header `x-adf-run`",
    bound: "",
    text: "`FACTORY/PIPELINE/RUNID/ACTIVITY`, for the table's columns and the group's tags.",
    read: readSource,
  },
  failureStatus: {
    schema: {
      type: "integer",
      oneOf: [
        { const: 200 },
        { const: 400 },
        { const: 402 },
        { type: "integer", minimum: 404, maximum: 407 },
        { type: "integer", minimum: 409, maximum: 428 },
        { type: "integer", minimum: 430, maximum: 599 },
      ],
      description: "200, or 400 to 599 except 401, 403, 408, 429",
    },
    fallback: "500",
    bound: "",
    text: "HTTP status of the final reply of a job that did not succeed. With `polling=started`, where 200 says that the group runs, 200 is taken as 500.",
    read: readFailureStatus,
  },
  outputLimit: {
    schema: { type: "integer", minimum: 0, maximum: 262144 },
    fallback: "the setting",
    bound: "`DEFAULT_OUTPUT_LIMIT`",
    text: "Bytes of each container's output in the status reply; its tail, cut at a line.",
    read: whole(0, 256 * 1024),
  },
  array: {
    schema: {
      type: ["integer", "array", "string"],
      minimum: 1,
      maximum: maxArraySize,
      items: { type: ["string", "number", "boolean", "object"] },
      minItems: 1,
      maxItems: maxArraySize,
      description: `1 to ${maxArraySize}, or a list of as many items: text or objects, also as JSON text`,
    },
    fallback: "none",
    bound: "",
    text: "One job of this many children, one for each item: see [arrays.md](arrays.md). Each child has ACI_PROXY_ARRAY_INDEX, _SIZE and _ITEM, and exactly `${index}`, `${item}` and `${item.FIELD}` in the definition's values are replaced.",
    read: readArray,
  },
  parallelism: {
    schema: { type: "integer", minimum: 1, maximum: maxArraySize },
    fallback: String(defaultParallelism),
    bound: "",
    text: "Children of the array that exist at once, at most.",
    read: whole(1, maxArraySize),
  },
  failFast: {
    schema: { type: "boolean" },
    fallback: "false",
    bound: "",
    text: "The first child that fails cancels the rest of the array.",
    read: readBoolean,
  },
  minSuccess: {
    schema: {
      type: ["integer", "string"],
      minimum: 1,
      maximum: maxArraySize,
      pattern: "^[0-9]+(?:\\.[0-9]+)?%?$",
      description: "a number, or a share such as `90%`",
    },
    fallback: "all",
    bound: "",
    text: "How many children must succeed for the array to succeed.",
    read: readMinSuccess,
  },
  pack: {
    schema: { type: "integer", minimum: 2, maximum: maxPack },
    fallback: "no packing",
    bound: "",
    text: "This many items of the array share one container group, a container each; see [arrays.md](arrays.md#packing). parallelism then counts groups.",
    read: whole(2, maxPack),
  },
  strict: {
    schema: { type: "boolean" },
    fallback: "false",
    bound: "",
    text: "Warnings are errors.",
    read: readBoolean,
  },
  dryRun: { schema: { type: "boolean" }, fallback: "false", bound: "", text: "All checks, no job.", read: readBoolean },
} as const satisfies { readonly [N in OptionName]: OptionRow<NonNullable<JobOptions[N]>> };

const names = new Map<string, OptionName>(
  (Object.keys(optionsTable) as OptionName[]).map((name) => [name.toLowerCase(), name]), // its keys are the names
);

/** The option of this name, in any letter case. */
export function optionNamed(name: string): OptionName | undefined {
  return names.get(name.toLowerCase());
}

export interface OptionsContext {
  readonly settings: Settings;
  /** How the job came: decides the default of `onConflict`. */
  readonly via: "http" | "queue";
  /** Names of the definition's containers, init containers left out; `undefined` where the definition has faults. */
  readonly containers: readonly string[] | undefined;
  readonly hasCallBack: boolean;
}

export const allOptionNames = [...names.values()].join(", ");

/** The number of unknown options that are reported one by one: a reply should not list thousands. */
const maxUnknown = 50;

/**
 * All sources together, the first that names an option wins. Every fault at once, each with the option's name as its path (and its
 * place, where it stood in the definition).
 */
export function readOptions(
  sources: readonly OptionsFrom[],
  context: OptionsContext,
): Result<
  { readonly options: JobOptions; readonly warnings: readonly LocatedFault[] },
  { readonly faults: readonly LocatedFault[]; readonly warnings: readonly LocatedFault[] }
> {
  const { settings } = context;
  const faults: LocatedFault[] = [];
  const warnings: LocatedFault[] = [];
  const given = new Map<OptionName, unknown>();
  let unknown = 0;
  for (const source of sources) {
    const last = new Map(Object.keys(source.values).map((key) => [optionNamed(key), key]));
    for (const [key, value] of Object.entries(source.values)) {
      const name = optionNamed(key);
      if (name === undefined && ++unknown > maxUnknown) continue;
      const { line, column } = source.place?.(key) ?? { line: 1, column: 1 };
      const shown = shownName(key, "option");
      const at = { path: source.where === "block" ? `x-aciproxy.${shown}` : shown, line, column };
      if (name === undefined) {
        faults.push({ ...at, message: `Unknown option ${shown}; known are ${allOptionNames}.` });
        continue;
      }
      if (last.get(name) !== key) {
        warnings.push({ ...at, message: `${name} is written twice, in different letter case; the last one counts.` });
        continue;
      }
      if (given.has(name)) continue;
      const read: OptionRow<unknown>["read"] = optionsTable[name].read;
      const isRepeated = source.where === "query" && value === null;
      const result = isRepeated ? err("must be there once only") : read(value, settings);
      if (result.ok) given.set(name, result.value);
      else if (name === "polling") {
        given.set(name, "false");
        warnings.push({ ...at, message: `${name} ${result.error}; it was taken as false.` });
      } else faults.push({ ...at, message: `${name} ${result.error}.` });
    }
  }
  if (unknown > maxUnknown)
    faults.push({ path: "", line: 1, column: 1, message: `${unknown - maxUnknown} more options are unknown.` });
  const options: JobOptions = {
    ...defaultOptions(settings, context.via),
    ...Object.fromEntries(given), // each value was made by the reader of its own name
  };
  for (const fault of contradictions(options, given, { sources, context }))
    faults.push({ line: 1, column: 1, ...fault });
  for (const warning of doubtful(options)) warnings.push({ line: 1, column: 1, ...warning });
  return faults.length > 0 ? err({ faults, warnings }) : ok({ options, warnings });
}

/** Options of a job of which nothing was said. */
export function defaultOptions(settings: Settings, via: OptionsContext["via"]): JobOptions {
  return {
    polling: "false",
    timeout: Math.min(settings.defaultTimeout, settings.maxTimeout),
    queueTimeout: undefined,
    startTimeout: settings.defaultStartTimeout,
    runTimeout: undefined,
    retries: 0,
    retryOn: [],
    onConflict: via === "http" ? "reject" : "wait",
    uniqueName: false,
    main: undefined,
    keep: "never",
    lease: undefined,
    env: false,
    group: undefined,
    groupLimit: undefined,
    onGroupFull: "wait",
    priority: undefined,
    team: undefined,
    tags: {},
    source: undefined,
    failureStatus: 500,
    outputLimit: settings.maxKeptOutput,
    array: undefined,
    parallelism: undefined,
    failFast: false,
    minSuccess: undefined,
    pack: undefined,
    strict: false,
    dryRun: false,
  };
}

/** What is likely not meant. */
function* doubtful({ lease, polling, retries, retryOn }: JobOptions): Generator<{ path: string; message: string }> {
  if (lease !== undefined && polling === "started")
    yield {
      path: "lease",
      message:
        "With polling=started callers stop reading once the group runs, and the lease then cancels the job: go on reading its Location, or leave lease out.",
    };
  if (retryOn.length > 0 && retries === 0) yield { path: "retryOn", message: "retryOn has no effect without retries." };
}

function* contradictions(
  options: JobOptions,
  given: ReadonlyMap<OptionName, unknown>,
  { sources, context }: { sources: readonly OptionsFrom[]; context: OptionsContext },
): Generator<{ path: string; message: string }> {
  for (const name of ["queueTimeout", "startTimeout", "runTimeout"] as const) {
    if (given.has(name) && (options[name] ?? 0) > options.timeout)
      yield { path: name, message: `${name} must not be longer than timeout.` };
  }
  if (options.main !== undefined && context.containers?.includes(options.main) === false)
    yield { path: "main", message: "main names no container of the definition." };
  for (const name of ["groupLimit", "onGroupFull"] as const)
    if (given.has(name) && !given.has("group")) yield { path: name, message: `${name} needs the option group.` };
  yield* arrayContradictions(options, given, sources);
  if (options.lease !== undefined && context.hasCallBack)
    yield { path: "lease", message: "lease can't go together with callBackUri, whose caller does not poll." };
}

function* arrayContradictions(
  options: JobOptions,
  given: ReadonlyMap<OptionName, unknown>,
  sources: readonly OptionsFrom[],
): Generator<{ path: string; message: string }> {
  // A faulty one was meant to be one.
  const isArray = sources.some(({ values }) => Object.keys(values).some((key) => optionNamed(key) === "array"));
  for (const name of ["parallelism", "failFast", "minSuccess", "pack"] as const)
    if (given.has(name) && !isArray) yield { path: name, message: `${name} needs the option array.` };
  if (isArray && options.onGroupFull === "reject")
    yield {
      path: "onGroupFull",
      message: "onGroupFull must be wait with the option array: its children, not the array, hold the group's slots.",
    };
  const { array, minSuccess } = options;
  yield* packContradictions(options);
  if (array !== undefined && typeof minSuccess === "number" && minSuccess > array)
    yield { path: "minSuccess", message: `minSuccess must not be more than the array's ${array} children.` };
}

/** What does not go together with packs, of the options alone. */
function* packContradictions({ pack, parallelism, main, keep }: JobOptions): Generator<{
  path: string;
  message: string;
}> {
  if (pack === undefined) return;
  if (parallelism !== undefined && parallelism > maxPacks)
    yield { path: "parallelism", message: `parallelism must be at most ${maxPacks} with the option pack.` };
  if (main !== undefined)
    yield { path: "main", message: "main can't go together with pack: each container is an item of its own." };
  if (keep !== "never")
    yield { path: "keep", message: "keep must be never with pack: a group has items of every outcome." };
}

/**
 * A query without the gateways' parameters: what may be options. One that is there more than once, and not with the same value, is a
 * list where the option may be one, else `null`, which every option refuses: nobody's `dryRun=true` is to be lost to a second one.
 */
export function optionsOfQuery(query: Iterable<readonly [string, string]>, settings: Settings): JsonObject {
  const gateways = new Set(settings.gatewayParameters.map((name) => name.toLowerCase()));
  const given = new Map<string, { readonly name: string; readonly values: Set<string> }>();
  for (const [name, value] of query) {
    const key = name.toLowerCase();
    if (gateways.has(key)) continue;
    const same = given.get(key);
    if (same) same.values.add(value);
    else given.set(key, { name, values: new Set([value]) });
  }
  return Object.fromEntries(
    [...given].map(([key, { name, values }]): [string, JsonValue] => {
      const [first = "", ...more] = values;
      if (more.length === 0) return [name, first];
      return [name, listOptions.some((list) => list.toLowerCase() === key) ? [first, ...more] : null];
    }),
  );
}
