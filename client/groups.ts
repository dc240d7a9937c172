import { InvalidArgumentError, type Command } from "commander";
import type { Group, SteerGroupBody } from "./api.ts";
import { contextOf, print, printJson, printReply, report } from "./context.ts";
import { idOf } from "./id.ts";
import { columns } from "./show.ts";

/** What operators do about groups of jobs and the lines before them: `groups`, `priority`. */
export function addGroups(program: Command): void {
  const groups = program
    .command("groups")
    .argument("[name]", "who holds its slots, and who waits")
    .description("groups of jobs (of the option group): slots, limits, who waits")
    .action(async (name: string | undefined, _: object, self: Command) => {
      const { service, json } = contextOf(self);
      if (name !== undefined) {
        printGroup(json, await service.group(name));
        return;
      }
      const all: Group[] = [];
      for await (const each of service.groups()) all.push(each);
      if (json) printJson(all);
      else if (all.length === 0) report("No group has a slot that is held, or a limit of an operator's.");
      else print(columns(all.map(rowOf)));
    });

  const steering = (name: string, description: string) =>
    groups.command(name).argument("<name>", "of the group").description(description);
  const steer = async (self: Command, name: string, body: SteerGroupBody): Promise<void> => {
    const { service, json } = contextOf(self);
    printGroup(json, await service.putGroup(name, body));
  };
  steering("limit", "limit how many of its jobs run at once; those that run go on")
    .argument("<limit>", "a number from 1; 'none' gives the operator's limit back", limit)
    .action((name: string, most: number | null, _: object, self: Command) => steer(self, name, { limit: most }));
  steering("pause", "let no further job of it begin").action((name: string, _: object, self: Command) =>
    steer(self, name, { paused: true }),
  );
  steering("resume", "end its pause").action((name: string, _: object, self: Command) =>
    steer(self, name, { paused: false }),
  );

  program
    .command("priority")
    .argument("<job>", "id or name of a job that waits")
    .argument("<seconds>", "of head start; less than 0: a handicap", whole)
    .description("move a job that waits for its name, a slot of its group or a create")
    .action(async (job: string, seconds: number, _: object, self: Command) => {
      const { service, json } = contextOf(self);
      printReply(json, await service.setPriority(await idOf(service, job), seconds));
    });
}

function printGroup(json: boolean, group: Group): void {
  if (json) printJson(group);
  else print(described(group));
}

/** Of a list, in which the first 20 are shown. */
function rowOf({ group, held, limit, paused, waiting = [], more }: Group): readonly string[] {
  return [
    group,
    `${held} held`,
    typeof limit === "number" ? `limit ${limit}` : "",
    paused === true ? "paused" : "",
    `${waiting.length}${more === true && waiting.length > 0 ? " or more" : ""} waiting`,
  ];
}

function described(group: Group): string {
  const { slots = [], waiting = [], more } = group;
  return [
    rowOf(group).filter(Boolean).join("  "),
    ...(slots.length === 0 ? [] : ["Slots:"]),
    columns(slots.map(({ id, name, since = "", leaked }) => [`  ${name}`, since, leaked === true ? "leaked" : "", id])),
    ...(waiting.length === 0 ? [] : ["Waiting, the next first:"]),
    columns(
      waiting.map(({ id, name, since = "", limit: own }) => [
        `  ${name}`,
        since,
        own === undefined ? "" : `limit ${own}`,
        id,
      ]),
    ),
    ...(more === true ? ["Not all are shown."] : []),
  ]
    .filter(Boolean)
    .join("\n");
}

function limit(text: string): number | null {
  if (text.toLowerCase() === "none") return null;
  return /^\d{1,6}$/.test(text) ? Number(text) : invalid("It must be a whole number, or 'none'.");
}

function whole(text: string): number {
  return /^-?\d{1,6}$/.test(text) ? Number(text) : invalid("It must be a whole number of seconds.");
}

function invalid(why: string): never {
  throw new InvalidArgumentError(why);
}
