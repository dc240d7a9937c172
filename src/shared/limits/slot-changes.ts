import type { TransactionAction } from "@azure/data-tables";
import type { JobId } from "../base/ids.ts";
import {
  entryKey,
  groupWaitKey,
  nextOf,
  slotEntry,
  slotKey,
  type GroupEntry,
  type Member,
  type Queued,
} from "../store/group-entries.ts";
import { entity } from "../store/index-partition.ts";

/** What a transaction does that changes a group's slots. Without I/O. */
export interface GroupView {
  readonly entry: GroupEntry | undefined;
  /** The first of those who wait. */
  readonly queue: readonly Queued[];
}

/** What a job's leaving does to a group. */
export interface Leaving {
  readonly group: string;
  /** How many slots were held. */
  readonly before: number;
  /** Whose turn it is then. */
  readonly next: readonly Queued[];
  readonly actions: readonly TransactionAction[];
  /** The same, if nobody gets the slot. */
  readonly alone: readonly TransactionAction[];
}

/** How many of a line one call reads. A transaction of two changes for each of them, and two more, holds a hundred at most. */
export const maxRead = 45;

/** Slots for these jobs, which leave the queue. */
export function granting(
  group: string,
  { entry }: Pick<GroupView, "entry">,
  next: readonly (Member | Queued)[],
  now: number,
): readonly TransactionAction[] {
  return [...counting(group, entry, heldIn(entry) + next.length), ...slotsFor(next, now)];
}

export function leavingOf(group: string, id: JobId, { entry, queue }: GroupView, now: number): Leaving {
  const before = Math.max(1, heldIn(entry));
  const waiting = queue.filter((other) => other.id !== id);
  const next = nextOf(entry, before - 1, waiting);
  const leave: TransactionAction = ["delete", entity(slotKey(group, id))];
  return {
    group,
    before,
    next,
    actions: [leave, ...counting(group, entry, before - 1 + next.length), ...slotsFor(next, now)],
    alone: [leave, ...counting(group, entry, before - 1)],
  };
}

function slotsFor(next: readonly (Member | Queued)[], now: number): readonly TransactionAction[] {
  return next.flatMap((each): TransactionAction[] => [
    ["create", entity(...slotEntry(each, now))],
    ...("rowKey" in each ? [["delete", entity(each.rowKey)] as TransactionAction] : []),
  ]);
}

/** The number of slots held, written only if nobody else wrote it. The sweep removes an entry that says nothing any more. */
function counting(group: string, entry: GroupEntry | undefined, held: number): readonly TransactionAction[] {
  const written = entity(entryKey(group), { held });
  if (entry === undefined) return held === 0 ? [] : [["create", written]];
  return [["update", written, "Merge", { etag: entry.etag }]];
}

export const heldIn = (entry: GroupEntry | undefined): number => entry?.held ?? 0;

export const idOf = ({ id }: Member): JobId => id;

/** A line with a job at its place in it, where it does not stand there; beyond what was read it is not shown. */
export function withMember(queue: readonly Queued[], member: Member): readonly (Member | Queued)[] {
  if (queue.some(({ id }) => id === member.id)) return queue;
  const key = groupWaitKey(member);
  const at = queue.findIndex(({ rowKey }) => rowKey > key);
  if (at !== -1) return [...queue.slice(0, at), member, ...queue.slice(at)];
  return queue.length >= maxRead - 1 ? queue : [...queue, member];
}
