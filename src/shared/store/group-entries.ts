import { odata, type TransactionAction } from "@azure/data-tables";
import { defined } from "../base/defined.ts";
import { parseJobId, type JobId } from "../base/ids.ts";
import { defaultTeam } from "../config/teams.ts";
import type { Job } from "../job/job.ts";
import { mayHaveSlot, needsSlot, queueTimeOf } from "../job/slot.ts";
import { entity, partition, startingWith, timeOf, type IndexRow } from "./index-partition.ts";

/**
 * Who holds the slots of a group of jobs, and who waits for one, in the table `jobindex`:
 *
 * | row key | is |
 * | --- | --- |
 * | `group_GROUP_entry` | a group of which a slot is held, or an operator has set something: how many are held, the operator's limit and pause |
 * | `group_GROUP_queue_TIME_ID` | a job that waits for a slot, first come first |
 * | `group_GROUP_slot_ID` | a job that holds one |
 *
 * Each transaction that makes or removes a slot changes `held` under the entry's ETag, so that the number and the slots agree.
 */
export interface Member {
  /** In lower case. */
  readonly group: string;
  readonly id: JobId;
  /** Of its container group, for people to see. */
  readonly name: string;
  /** When its wait counts from: its age less its priority, milliseconds since 1970. */
  readonly turn: number;
  /** Its own limit; `Infinity` where it has no limit of its own. */
  readonly limit: number;
  /** Whose job it is, where its entry says so. */
  readonly team?: string | undefined;
}

/** What an operator says of a group. */
export interface Steered {
  readonly limit: number | undefined;
  readonly paused: boolean;
}

export interface GroupEntry extends Steered {
  readonly etag: string;
  readonly held: number;
}

/** A job in a group's queue. */
export interface Queued extends Member {
  readonly rowKey: string;
}

/** A job that holds a slot. */
export interface Slot {
  readonly id: JobId;
  readonly name: string;
  readonly since: number;
  /** It has ended, and Azure does not confirm that nothing of it runs any more. */
  readonly leaked: boolean;
  readonly team?: string | undefined;
}

/** A job as its group sees it; `undefined` for a job without a group, and for an array, whose children hold its slots. */
export function memberOf(job: Pick<Job, "id" | "name" | "createdAt" | "options" | "array">): Member | undefined {
  const { group, groupLimit, priority, team } = job.options;
  if (group === undefined || job.array !== undefined) return undefined;
  return {
    group,
    id: job.id,
    name: job.name,
    turn: queueTimeOf(job.createdAt, priority),
    limit: groupLimit ?? Infinity,
    team,
  };
}

/** A team's slots are those of a group that no caller can name. */
export const teamGroup = (team: string): string => `~${team}`;
export const isTeamGroup = (group: string): boolean => group.startsWith("~");

/** A job as its team sees it. */
export function teamMemberOf(job: Pick<Job, "id" | "name" | "createdAt" | "options">, limit: number): Member {
  const { team = defaultTeam, priority } = job.options;
  const { id, name, createdAt } = job;
  return { group: teamGroup(team), id, name, turn: queueTimeOf(createdAt, priority), limit, team };
}

/** `/` can't stand in a key, and `_` ends the group's name in ours: neither `!` nor `=` is in a group's name. */
const written = (group: string): string => group.replaceAll("/", "!").replaceAll("_", "=");
const read = (key: string): string => key.replaceAll("!", "/").replaceAll("=", "_");

const prefixOf = (group: string): string => `group_${written(group)}_`;
export const entryKey = (group: string): string => `${prefixOf(group)}entry`;
export const slotKey = (group: string, id: JobId): string => `${prefixOf(group)}slot_${id}`;
export const groupWaitKey = ({ group, turn, id }: Pick<Member, "group" | "turn" | "id">): string =>
  `${prefixOf(group)}queue_${String(turn).padStart(13, "0")}_${id}`;

/** The group's entry and after it its queue. */
export const entryAndQueue = (group: string): string =>
  odata`PartitionKey eq ${partition} and RowKey ge ${`${prefixOf(group)}e`} and RowKey lt ${`${prefixOf(group)}r`}`;
export const slotsOf = (group: string): string => startingWith(`${prefixOf(group)}slot_`);

/** What the key of a group's row says it is. */
export function partsOf(
  rowKey: string,
): { readonly group: string; readonly kind: string; readonly id: JobId | undefined } | undefined {
  const [, group, kind, rest] = /^group_([^_]+)_(entry|queue|slot)(.*)$/.exec(rowKey) ?? [];
  if (group === undefined || kind === undefined) return undefined;
  return { group: read(group), kind, id: parseJobId(rest?.split("_").at(-1) ?? "") };
}

export function entryIn(row: IndexRow | undefined): GroupEntry | undefined {
  if (row === undefined) return undefined;
  const { etag, held } = row;
  return { etag, held: typeof held === "number" ? held : 0, ...steeringIn(row) };
}

export function steeringIn({ limit, paused }: Readonly<Record<string, unknown>>): Steered {
  return { limit: typeof limit === "number" && limit > 0 ? limit : undefined, paused: paused === true };
}

/** As columns: one that is merged can't be taken away, so 0 stands for no limit. */
export function steeringColumns({ limit = 0, paused }: Steered): { readonly limit: number; readonly paused: boolean } {
  return { limit, paused };
}

export function queuedIn(group: string, row: Readonly<Record<string, unknown>>): Queued | undefined {
  const rowKey = String(row["rowKey"]);
  const [turn, id] = [Number(rowKey.split("_").at(-2)), parseJobId(rowKey.split("_").at(-1) ?? "")];
  const { name, limit, team } = row;
  if (id === undefined) return undefined;
  return {
    group,
    id,
    name: typeof name === "string" ? name : "",
    turn,
    limit: typeof limit === "number" ? limit : Infinity,
    team: typeof team === "string" ? team : undefined,
    rowKey,
  };
}

export function slotIn(row: Readonly<Record<string, unknown>>): Slot | undefined {
  const id = partsOf(String(row["rowKey"]))?.id;
  const { name, since, leaked, team } = row;
  if (id === undefined) return undefined;
  return {
    id,
    name: typeof name === "string" ? name : "",
    since: timeOf(since),
    leaked: leaked === true,
    team: typeof team === "string" ? team : undefined,
  };
}

type Entry = [rowKey: string, more: Readonly<Record<string, unknown>>];

export function slotEntry({ group, id, name, team }: Member, now: number): Entry {
  return [slotKey(group, id), { name, since: new Date(now), ...defined({ team }) }];
}

function waitEntry(member: Member): Entry {
  return [
    groupWaitKey(member),
    {
      name: member.name,
      ...(member.limit === Infinity ? {} : { limit: member.limit }),
      ...defined({ team: member.team }),
    },
  ];
}

/** What a job's row says that it has of its group, and of its team: slots, or a place in a queue. */
export function groupEntriesOf(job: Job, now: number): readonly Entry[] {
  const entries: Entry[] = [];
  const waitsFor = job.phase.state === "Queued" ? job.phase.waiting?.reason : undefined;
  const member = memberOf(job);
  if (member !== undefined && waitsFor === "GroupFull") entries.push(waitEntry(member));
  else if (member !== undefined && (needsSlot(job) || mayHaveSlot(job))) entries.push(slotEntry(member, now));
  const ofTeam = teamMemberOf(job, Infinity);
  if (waitsFor === "TeamFull") entries.push(waitEntry(ofTeam));
  else if (job.teamSlot && !job.slotLeft) entries.push(slotEntry(ofTeam, now));
  return entries;
}

/** What a transaction does that lets a job wait for a slot. May be repeated. */
export function enqueueing(member: Member | undefined): readonly TransactionAction[] {
  return member === undefined ? [] : [["upsert", entity(...waitEntry(member)), "Replace"]];
}

/** Whether an operator has said something of the group. */
export const isSteered = ({ limit, paused }: Steered): boolean => limit !== undefined || paused;

/**
 * Who gets a slot now, first come first: the first who can't have one keeps all behind it from theirs.
 *
 * @param held how many slots are held
 * @param queue those who wait, in their order
 */
export function nextOf<M extends Member>(
  entry: GroupEntry | undefined,
  held: number,
  queue: readonly M[],
): readonly M[] {
  if (entry?.paused) return [];
  const most = entry?.limit ?? Infinity;
  const blocked = queue.findIndex(({ limit }, n) => held + n >= Math.min(limit, most));
  return blocked === -1 ? queue : queue.slice(0, blocked);
}
