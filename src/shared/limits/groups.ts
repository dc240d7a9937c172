import { odata, type TableClient, type TransactionAction } from "@azure/data-tables";
import type { JobId } from "../base/ids.ts";
import { InSequence } from "../base/in-sequence.ts";
import { conflict, done, rewrite, type Pacing } from "../base/rewrite.ts";
import {
  enqueueing,
  entryAndQueue,
  entryIn,
  entryKey,
  groupWaitKey,
  isTeamGroup,
  nextOf,
  partsOf,
  slotIn,
  slotsOf,
  slotKey,
  queuedIn,
  steeringColumns,
  type GroupEntry,
  type Member,
  type Queued,
  type Slot,
  type Steered,
} from "../store/group-entries.ts";
import { entity, IndexPartition, kind } from "../store/index-partition.ts";
import type { SteeringCopies } from "../store/steering-copies.ts";
import {
  granting,
  heldIn,
  idOf,
  leavingOf,
  maxRead,
  withMember,
  type GroupView,
  type Leaving,
} from "./slot-changes.ts";
import type { TeamSlots } from "./team-slots.ts";

/**
 * The slots of groups of jobs: who takes one, who waits for one, and to whom one goes that is free. A slot that is given back goes to the
 * head of the line in the same transaction. The head is never overtaken.
 */

/** `called`: jobs that have a slot now and must be requeued. */
export type Seeking =
  | { readonly kind: "held"; readonly called: readonly JobId[] }
  | { readonly kind: "no index"; readonly called: readonly JobId[] }
  | {
      readonly kind: "full";
      readonly called: readonly JobId[];
      readonly held: number;
      readonly limit: number;
      readonly paused: boolean;
      /** From 1; absent beyond what one call reads. */
      readonly position: number | undefined;
    };

/**
 * Whether a job that does not wait gets a slot as it is accepted: then what its transaction does besides. `called`: those before it, who get
 * one in the same transaction and must be requeued.
 */
export type Vacancy =
  | { readonly kind: "open"; readonly actions: readonly TransactionAction[]; readonly called: readonly JobId[] }
  | { readonly kind: "full"; readonly held: number; readonly limit: number };

/** What an operator says of a group. */
export interface Steering {
  readonly limit?: number | null | undefined;
  readonly paused?: boolean | null | undefined;
}

/** Changes whenever an operator changes something. */
export function steeringTag(entry: GroupEntry | undefined): string {
  return `"${entry?.limit ?? "unlimited"}${entry?.paused ? "-paused" : ""}"`;
}

/** How many of a line get a slot with a job that does not wait: its transaction does more besides. */
const maxPassed = 20;
/** What a transaction holds, beside the index's mark. */
const maxActions = 99;
/** How many transactions one call makes to call up others; the sweep goes on. */
const maxRounds = 300;

export class Groups extends IndexPartition {
  readonly #copies: SteeringCopies;
  readonly #pacing: Pacing;
  readonly #teams: TeamSlots;
  readonly #sequence = new InSequence();

  constructor(table: TableClient, copies: SteeringCopies, teams: TeamSlots, pacing: Pacing) {
    super(table);
    this.#copies = copies;
    this.#pacing = pacing;
    this.#teams = teams;
  }

  /** A group and the first of its queue: one call, however long the line is. */
  async view(group: string, max = maxRead): Promise<GroupView> {
    let entry: GroupEntry | undefined;
    const queue: Queued[] = [];
    const ids = new Set<JobId>();
    for await (const row of this.rows(entryAndQueue(group), undefined, Math.min(max, 1000))) {
      if (partsOf(String(row["rowKey"]))?.kind === "entry") entry = entryIn({ ...row, etag: String(row["etag"]) });
      else {
        const waiter = queuedIn(group, row);
        // One that was moved while it entered the line may stand there twice, and gets one slot.
        if (waiter !== undefined && !ids.has(waiter.id)) queue.push(this.#teams.withLimit(waiter));
        if (waiter !== undefined) ids.add(waiter.id);
      }
      if (queue.length >= max - 1) break;
    }
    return { entry, queue };
  }

  async holds({ group, id }: Pick<Member, "group" | "id">): Promise<boolean> {
    return (await this.get(slotKey(group, id))) !== undefined;
  }

  /** Within an instance one job at a time takes a slot as it is accepted: side by side they would only meet conflicts. */
  inSequence<T>(work: () => Promise<T>): Promise<T> {
    return this.#sequence.do(work);
  }

  /** For a job that does not wait: one read. */
  async vacancy(member: Member): Promise<Vacancy> {
    const { entry, queue } = await this.view(member.group, maxPassed + 2);
    const held = heldIn(entry);
    const everybody = [...queue, member];
    const isNext = queue.length <= maxPassed && nextOf(entry, held, everybody).length === everybody.length;
    if (!isNext) return { kind: "full", held, limit: limitOf(entry, member) };
    return {
      kind: "open",
      actions: granting(member.group, { entry }, everybody, this.#pacing.now()),
      called: queue.map(idOf),
    };
  }

  /** How many wait, up to a thousand. */
  async waiting(group: string): Promise<number> {
    return (await this.view(group, 1000)).queue.length;
  }

  /**
   * Takes a slot for a job whose turn it is, or has it wait in queue. Whoever may go before it is called up.
   *
   * @param mayHold it may have a slot already
   */
  seek(member: Member, mayHold: boolean): Promise<Seeking> {
    const called: JobId[] = [];
    let isQueued = false;
    return rewrite<Seeking>("the slots of a group", this.#pacing, async () => {
      if (mayHold && (await this.holds(member))) return done({ kind: "held", called });
      const { entry, queue } = await this.view(member.group);
      const at = queue.findIndex(({ id }) => id === member.id);
      const held = heldIn(entry);
      const next = nextOf(entry, held, isQueued ? queue : withMember(queue, member));
      if (next.length > 0) {
        const granted = await this.transactWhole(granting(member.group, { entry }, next, this.#pacing.now()));
        if (granted === "no index") return done({ kind: granted, called });
        if (granted === "refused") {
          if (await this.holds(member)) return done({ kind: "held", called });
          await this.#forgetHolders(next);
          return conflict;
        }
        called.push(...next.map(({ id }) => id).filter((id) => id !== member.id));
        if (next.some(({ id }) => id === member.id)) return done({ kind: "held", called });
      }
      if (at === -1 && !isQueued && !(await this.#standsBehind(queue, member))) {
        if (!mayHold && (await this.holds(member))) return done({ kind: "held", called });
        await this.enqueue(member);
        // A slot may have become free before the job stood in queue: then nobody called it.
        isQueued = true;
        return conflict;
      }
      const position = at === -1 ? undefined : at + 1 - next.length;
      const now = { held: held + next.length, limit: limitOf(entry, member), paused: entry?.paused === true };
      return done({ kind: "full", called, ...now, position });
    });
  }

  /**
   * Takes a slot of each of these groups in one transaction, where it is the job's turn in each. Not for a job that may have one.
   *
   * @returns whoever is called up with it; `undefined` where nothing was done: then each is sought alone
   */
  async takeTogether(members: readonly Member[]): Promise<readonly JobId[] | undefined> {
    const actions: TransactionAction[] = [];
    const called: JobId[] = [];
    for (const member of members) {
      const view = await this.view(member.group);
      const next = nextOf(view.entry, heldIn(view.entry), withMember(view.queue, member));
      if (!next.some(({ id }) => id === member.id)) return undefined;
      actions.push(...granting(member.group, view, next, this.#pacing.now()));
      called.push(...next.map(idOf).filter((id) => id !== member.id));
    }
    if (actions.length > maxActions || (await this.transactWhole(actions)) !== "done") return undefined;
    return called;
  }

  /** Whether a job stands in the line beyond what was read of it. */
  async #standsBehind(queue: readonly Queued[], member: Member): Promise<boolean> {
    return queue.length >= maxRead - 1 && (await this.get(groupWaitKey(member))) !== undefined;
  }

  /**
   * What an operator says of a group; `undefined` leaves a thing as it is, `null` gives it back.
   *
   * @param expected the tag of what the operator has read; `other` where somebody changed that meanwhile
   */
  async steer(group: string, { limit, paused }: Steering, expected?: string): Promise<"done" | "other" | "no index"> {
    const steered = await rewrite<Steered | "other" | "no index">("the slots of a group", this.#pacing, async () => {
      const entry = entryIn(await this.get(entryKey(group)));
      if (expected !== undefined && expected !== steeringTag(entry)) return done("other");
      const said: Steered = {
        limit: (limit === undefined ? entry?.limit : limit) ?? undefined,
        paused: (paused === undefined ? entry?.paused : paused) ?? false,
      };
      const written = entity(entryKey(group), { held: heldIn(entry), ...steeringColumns(said) });
      const result = await this.transactWhole([
        entry === undefined ? ["create", written] : ["update", written, "Merge", { etag: entry.etag }],
      ]);
      return result === "refused" ? conflict : done(result === "done" ? said : result);
    });
    if (typeof steered === "string") return steered;
    await this.#copies.put(group, steered);
    return "done";
  }

  /** Groups of which a slot is held, or an operator has said something, in the order of their names. */
  async list(after: string | undefined, max: number): Promise<readonly string[]> {
    const from = after === undefined ? "" : odata` and RowKey gt ${entryKey(after)}`;
    const found: string[] = [];
    for await (const { rowKey } of this.rows(`${kind("group")} and held ge 0${from}`, ["RowKey"])) {
      const group = partsOf(String(rowKey))?.group;
      // Those of teams come last.
      if (group === undefined || isTeamGroup(group)) continue;
      if (found.push(group) >= max) break;
    }
    return found;
  }

  /** Who holds slots of a group, up to a number. */
  async slots(group: string, max: number): Promise<readonly Slot[]> {
    const found: Slot[] = [];
    for await (const row of this.rows(slotsOf(group), undefined, max)) {
      const slot = slotIn(row);
      if (slot !== undefined && found.push(slot) >= max) break;
    }
    return found;
  }

  /** A job that waits for a slot gets another place among those who do; false where it does not wait. */
  move(from: Member, to: Member): Promise<boolean> {
    return this.transact([["delete", entity(groupWaitKey(from))], ...enqueueing(to)]);
  }

  async enqueue(member: Member): Promise<void> {
    await this.transact([...enqueueing(member)]);
  }

  async dequeue(member: Member): Promise<void> {
    await this.remove(groupWaitKey(member));
  }

  /**
   * Gives a job's slots of these groups to those whose turn it is, in one transaction.
   *
   * @returns jobs that have a slot now and must be requeued; `undefined` where nothing was done: then each is released alone
   */
  async releaseTogether(
    id: JobId,
    groups: readonly string[],
    until: number,
  ): Promise<readonly JobId[] | "late" | undefined> {
    const leaving: Leaving[] = [];
    for (const group of groups) leaving.push(leavingOf(group, id, await this.view(group), this.#pacing.now()));
    if (this.#pacing.now() >= until) return "late";
    const actions = leaving.flatMap((each) => each.actions);
    if (actions.length > maxActions || (await this.transactWhole(actions)) !== "done") return undefined;
    return (await Promise.all(leaving.map((each) => this.#calledBy(each)))).flat();
  }

  /**
   * Gives a job's slot to those whose turn it is. May be repeated.
   *
   * @param until after it nothing is begun
   * @returns jobs that have a slot now and must be requeued
   */
  async release({ group, id }: Pick<Member, "group" | "id">, until = Infinity): Promise<readonly JobId[] | "late"> {
    const left = await rewrite<Leaving | "late" | undefined>("the slots of a group", this.#pacing, async () => {
      const leaving = leavingOf(group, id, await this.view(group), this.#pacing.now());
      if (this.#pacing.now() >= until) return done("late");
      const result = await this.transactWhole(leaving.actions);
      if (result === "done") return done(leaving);
      if (!(await this.holds({ group, id }))) return done(undefined);
      // Without a whole index a slot is given up, and to nobody.
      if (result === "no index")
        return (await this.transact([...leaving.alone])) ? done({ ...leaving, next: [] }) : conflict;
      await this.#forgetHolders(leaving.next);
      return conflict;
    });
    if (left === "late" || left === undefined) return left ?? [];
    return this.#calledBy(left);
  }

  /** Who entered the line meanwhile saw no free slot, and is called up by nobody else. Of a team that was not full nobody did. */
  async #calledBy({ group, before, next }: Leaving): Promise<readonly JobId[]> {
    if (next.length > 0) return next.map(idOf);
    return isTeamGroup(group) && before < this.#teams.limitOf(group) ? [] : this.callUp(group);
  }

  /** Gives the slots that are free to those whose turn it is. */
  async callUp(group: string, until = Infinity): Promise<readonly JobId[]> {
    const called: JobId[] = [];
    for (let round = 0; round < maxRounds && this.#pacing.now() < until; round++) {
      const more = await rewrite<readonly JobId[]>("the slots of a group", this.#pacing, async () => {
        const { entry, queue } = await this.view(group);
        const next = nextOf(entry, heldIn(entry), queue);
        if (next.length === 0) return done([]);
        const granted = await this.transactWhole(granting(group, { entry }, next, this.#pacing.now()));
        if (granted === "no index") return done([]);
        if (granted === "done") return done(next.map(idOf));
        await this.#forgetHolders(next);
        return conflict;
      });
      called.push(...more);
      if (more.length < maxRead - 1) break;
    }
    return called;
  }

  /** A job that holds a slot waits for none: a look that was overtaken may have left it in queue. */
  async #forgetHolders(queue: readonly (Member | Queued)[]): Promise<void> {
    for (const each of queue) if ("rowKey" in each && (await this.holds(each))) await this.remove(each.rowKey);
  }
}

function limitOf(entry: GroupEntry | undefined, member: Member): number {
  return Math.min(member.limit, entry?.limit ?? Infinity);
}
