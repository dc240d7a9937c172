import { type Command, Option } from "commander";
import type { JsonValue } from "../src/shared/base/json.ts";
import { listOptions, optionsTable, type OptionName } from "../src/shared/job/options.ts";
import { arrayFrom } from "./array.ts";
import { Misuse } from "./errors.ts";

/** The service's options as flags of a command. */
export interface OptionFlags extends Readonly<Record<string, unknown>> {
  readonly option: readonly string[];
  /** Not as the service's option is written: a number, or a file. */
  readonly array?: string;
}

export function addOptionFlags(command: Command): void {
  command
    .option(
      "--array <items>",
      "one job of many children: a number, or a file with an item for each, as a JSON list or a JSON value on each line; - for stdin",
    )
    .option("--option <name=value>", "an option of a service newer than this client", collect, []);
  for (const [name, row] of Object.entries(optionsTable)) {
    if (name === "polling") continue; // run always polls
    if (name === "array") continue; // its own flag
    const schema: Readonly<Record<string, unknown>> = row.schema;
    const argument = schema["type"] === "boolean" ? "" : " <value>";
    const option = new Option(`--${kebab(name)}${argument}`, helpOf(row));
    command.addOption(listOptions.some((list) => list === name) ? option.argParser(added) : option);
  }
}

/** What an option does, what it may be, and what it is unless given. */
function helpOf({ text, schema, fallback }: (typeof optionsTable)[OptionName]): string {
  const { enum: words, minimum, maximum, description }: Readonly<Record<string, unknown>> = schema;
  const range = typeof minimum === "number" && typeof maximum === "number" ? `${minimum} to ${maximum}` : undefined;
  const values = Array.isArray(words) ? words.join(", ") : typeof description === "string" ? description : range;
  return `${text} (${values === undefined ? "" : `${values}; `}default: ${fallback})`
    .replaceAll("`", "")
    .replaceAll(/\[[^\]]*\]\(([^)#]*)[^)]*\)/g, "docs/$1");
}

/** The service's options as a query. Values go as they were written: the service reads them and says what is wrong. */
export async function optionsFrom(flags: OptionFlags): Promise<Record<string, JsonValue>> {
  const query: Record<string, JsonValue> = {};
  for (const name of Object.keys(optionsTable)) {
    if (name === "array") continue;
    const value = flags[name];
    if (typeof value === "string") query[name] = value;
    else if (value === true) query[name] = "true";
  }
  for (const [name, value] of flags.option.map((pair) => pairOf(pair, "--option"))) query[name] = value;
  if (flags.array !== undefined) query["array"] = await arrayFrom(flags.array);
  return query;
}

export function pairOf(pair: string, flag: string): readonly [name: string, value: string] {
  const split = pair.indexOf("=");
  if (split < 1) throw new Misuse(`${flag} must be NAME=VALUE`);
  return [pair.slice(0, split), pair.slice(split + 1)];
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** For a flag whose text is a list with commas: given twice, both count. */
export function added(value: string, before?: string): string {
  return before === undefined ? value : `${before},${value}`;
}

export function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
