import { z } from "zod";
import { isUuidLike } from "../base/ids.ts";
import { repeatsName } from "../base/json-span.ts";
import { parseJson } from "../base/json.ts";
import type { Read } from "./readers.ts";

/** The setting `TEAMS`: who belongs to a team, and what it may use. Names are compared without case, and kept in lower case. */
export interface Team {
  readonly name: string;
  /** Ids of applications, people or groups in Microsoft Entra ID, in lower case. */
  readonly callers: readonly string[];
  /** Data factories, in lower case. */
  readonly factories: readonly string[];
  /** Whether a posted message may name the team. */
  readonly queue: boolean;
  /** Its part of the creates, as against the other teams' weights. */
  readonly weight: number;
  /** How many of its jobs hold a container group at once. */
  readonly limit: number | undefined;
  readonly vcpuSecondsPerDay: number | undefined;
}

/** The team of a job of which nothing else is known. It need not be listed. */
export const defaultTeam = "default";

/** Each team that waits costs the call-up of creates two reads. */
const maxTeams = 50;
const maxMembers = 200;
/** What a create costs is one divided by it: a smaller one would be lost among what larger teams paid. */
const minWeight = 0.001;
const maxWeight = 1000;
const maxLimit = 10_000;

/** A team's name, in lower case. */
export function teamNamed(text: string): string | undefined {
  const name = text.trim();
  // A name is a key of records.
  return /^[\w.-]{1,64}$/.test(name) && !(name.toLowerCase() in {}) ? name.toLowerCase() : undefined;
}

const list = (must: string, fits: (word: string) => boolean) =>
  z
    .array(z.string(must), must)
    .max(maxMembers, must)
    .refine((words) => words.every(fits), must)
    .transform((words) => words.map((word) => word.trim().toLowerCase()))
    .default([]);
const whole = (max: number) => {
  const must = `must be a whole number from 1 to ${max}`;
  return z.int(must).min(1, must).max(max, must).optional();
};
const mustBeWeight = `must be a number from ${minWeight} to ${maxWeight}`;
const mustBeBoolean = "must be true or false";
const members = "callers, factories, queue, weight, limit, vcpuSecondsPerDay";

const teamSchema = z.strictObject(
  {
    callers: list(`must be a list of ids (UUIDs), ${maxMembers} at most`, isUuidLike),
    factories: list(`must be a list of names, ${maxMembers} at most`, (word) => word.trim() !== ""),
    queue: z.boolean(mustBeBoolean).default(false),
    weight: z.number(mustBeWeight).min(minWeight, mustBeWeight).max(maxWeight, mustBeWeight).default(1),
    limit: whole(maxLimit),
    vcpuSecondsPerDay: whole(1_000_000_000_000),
  },
  { error: (issue) => (issue.code === "unrecognized_keys" ? undefined : `must be an object of ${members}`) },
);

/** All faults in one sentence. Only what reads like a name is repeated. */
export const readTeams: Read<readonly Team[]> = (text) => {
  const written = parseJson(text);
  if (typeof written !== "object" || written === null || Array.isArray(written))
    return { fault: `must be a JSON object, {"NAME": {...}}` };
  if (repeatsName(text))
    return { fault: "must not have one name twice in an object: only the last of them would count" };
  // Every member, also one whose name a schema would pass over.
  const form = Object.entries(written);
  const faults: string[] = [];
  const teams = form.flatMap(([given, value], n): Team[] => {
    const name = teamNamed(given);
    if (name === undefined) {
      faults.push(`name ${n + 1} must be 1 to 64 letters, digits and . _ -`);
      return [];
    }
    const read = teamSchema.safeParse(value);
    if (read.success) {
      const { limit, vcpuSecondsPerDay } = read.data;
      return [{ ...read.data, name, limit, vcpuSecondsPerDay }];
    }
    for (const { code, path, message } of read.error.issues)
      faults.push(
        code === "unrecognized_keys"
          ? `${name} has a member that is not known; known are ${members}`
          : `${[name, path[0]].filter((part) => part !== undefined).join(".")} ${message}`,
      );
    return [];
  });
  if (form.length === 0) faults.push("must name a team");
  if (form.length > maxTeams) faults.push(`must name at most ${maxTeams} teams`);
  const twice = firstTwice(form.flatMap(([name]) => teamNamed(name) ?? []));
  if (twice !== undefined) faults.push(`names ${twice} twice; case does not count`);
  if (firstTwice(teams.flatMap(({ factories }) => [...new Set(factories)])) !== undefined)
    faults.push("gives one factory to two teams");
  return faults.length > 0 ? { fault: faults.slice(0, 20).join("; ") } : teams;
};

function firstTwice(words: readonly string[]): string | undefined {
  return words.find((word, n) => words.indexOf(word) !== n);
}
