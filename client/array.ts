import type { Command } from "commander";
import { z } from "zod";
import { parseJson, type JsonValue } from "../src/shared/base/json.ts";
import type { ChildResult } from "./api.ts";
import { contextOf, print, printJson, readDefinition } from "./context.ts";
import { Misuse } from "./errors.ts";
import { idOf } from "./id.ts";
import { columns } from "./show.ts";

/** What `--array` names: a number of children, or the items in a file, `-` for stdin. */
export async function arrayFrom(given: string): Promise<string | JsonValue[]> {
  return /^\d+$/.test(given) ? given : itemsIn(given, await readDefinition(given));
}

const list = z.array(z.json());

/**
 * A JSON list, or a JSON value on each line.
 *
 * @throws Misuse
 */
function itemsIn(file: string, text: string): JsonValue[] {
  const whole = list.safeParse(parseJson(text));
  if (whole.success) return whole.data;
  return text.split("\n").flatMap((line, index) => {
    if (line.trim() === "") return [];
    const item = z.json().safeParse(parseJson(line));
    if (!item.success)
      throw new Misuse(
        `${file}:${index + 1} is no JSON: --array takes a number, a JSON list, or a JSON value on each line`,
      );
    return [item.data];
  });
}

interface Flags {
  readonly state?: string;
  readonly ndjson?: true;
}

/** `results ARRAY`: what became of its indexes. */
export function addResults(program: Command): void {
  program
    .command("results")
    .argument("<array>", "the array's id or the beginning of it, or its name, which means its newest job")
    .description("what became of each index of an array: state, exit code, reason, result")
    .option("--state <states>", "only those in these states, with commas in between: Failed, TimedOut")
    .option("--ndjson", "a JSON object on each line, as they come")
    .action(async (array: string, { ndjson, ...query }: Flags, self: Command) => {
      const { service, json } = contextOf(self);
      const id = await idOf(service, array);
      const results: ChildResult[] = [];
      for await (const page of service.resultPages(id, query)) {
        if (ndjson) for (const each of page.results) print(JSON.stringify(each));
        else results.push(...page.results);
      }
      if (ndjson) return;
      if (json) printJson(results);
      else print(columns([["INDEX", "STATE", "EXIT", "REASON", "ITEM", "RESULT"], ...results.map(rowOf)]));
    });
}

function rowOf({ index, state, exitCode, reason, item, result }: ChildResult): readonly string[] {
  return [
    String(index),
    state,
    exitCode === undefined ? "" : String(exitCode),
    reason ?? "",
    shortened(item),
    shortened(result),
  ];
}

/** Longer texts would break the table; `--json` has them whole. */
const longest = 60;

function shortened(value: unknown): string {
  if (value === undefined) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}
