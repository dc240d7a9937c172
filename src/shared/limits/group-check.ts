import type { TableClient, TransactionAction } from "@azure/data-tables";
import { parseJobId, type JobId } from "../base/ids.ts";
import { conflict, done, rewrite, type Pacing } from "../base/rewrite.ts";
import {
  entryIn,
  entryKey,
  slotIn,
  isSteered,
  nextOf,
  partsOf,
  slotEntry,
  slotKey,
  slotsOf,
  queuedIn,
  steeringColumns,
  teamGroup,
  type GroupEntry,
  type Slot,
  type Member,
  type Queued,
  type Steered,
} from "../store/group-entries.ts";
import { entity, IndexPartition, kind, partition, timeOf } from "../store/index-partition.ts";
import { storageCall } from "../store/connect.ts";
import type { SteeringCopies } from "../store/steering-copies.ts";
import { defaultTeam } from "../config/teams.ts";
import type { TeamSlots } from "./team-slots.ts";

/** All that the index has of a group. */
export interface WholeGroup {
  readonly group: string;
  readonly entry: GroupEntry | undefined;
  readonly slots: readonly Slot[];
  /** The first of those who wait. */
  readonly queue: readonly Queued[];
}

/** A job of a group as its index entry shows it. */
export interface GroupJob {
  readonly id: JobId;
  readonly state: string;
  readonly reason: string;
  /** When the sweep requeues it, unless something moves it before. */
  readonly checkAt: number;
  /** It was requeued, and nothing has moved it since. */
  readonly isRequeued: boolean;
}

/** How many of a line are looked at: those behind them come forward in time. */
const maxQueued = 50;

/** What the sweep compares and repairs of the slots of groups. */
export class GroupCheck extends IndexPartition {
  readonly #copies: SteeringCopies;
  readonly #teams: TeamSlots;
  readonly #pacing: Pacing;

  constructor(table: TableClient, copies: SteeringCopies, teams: TeamSlots, pacing: Pacing) {
    super(table);
    this.#copies = copies;
    this.#pacing = pacing;
    this.#teams = teams;
  }

  /** Copies of what operators say, by group. */
  copies(): Promise<ReadonlyMap<string, Steered>> {
    return this.#copies.all();
  }

  /** The copy is made as the entry is; an entry that is gone was lost with the index, and is made as its copy is. */
  async keepSteering({ group, entry, slots }: WholeGroup, copy: Steered = { limit: undefined, paused: false }) {
    if (entry === undefined && isSteered(copy)) {
      const restored = entity(entryKey(group), { held: slots.length, ...steeringColumns(copy) });
      await storageCall(() => this.table.createEntity(restored), 404, 409);
    } else if (entry !== undefined && (entry.limit !== copy.limit || entry.paused !== copy.paused))
      await this.#copies.put(group, entry);
  }

  /** The jobs that are in the index, by their groups, and by their teams where teams have ceilings. */
  async jobs(): Promise<ReadonlyMap<string, readonly GroupJob[]>> {
    const found = new Map<string, GroupJob[]>();
    const columns = ["RowKey", "group", "team", "state", "reason", "checkAt", "told"];
    const meant = this.#teams.areLimited ? kind("job") : `${kind("job")} and group gt ''`;
    for await (const row of this.rows(meant, columns)) {
      const id = parseJobId(String(row["rowKey"]).slice("job_".length));
      const { group, team = defaultTeam, state, reason } = row;
      if (id === undefined) continue;
      const ofTeam = typeof team === "string" ? teamGroup(team) : "";
      for (const each of [group, this.#teams.isLimited(ofTeam) ? ofTeam : undefined]) {
        if (typeof each !== "string") continue;
        const jobs = found.get(each) ?? [];
        jobs.push({
          id,
          state: typeof state === "string" ? state : "",
          reason: typeof reason === "string" ? reason : "",
          checkAt: timeOf(row["checkAt"]),
          isRequeued: row["told"] === true,
        });
        found.set(each, jobs);
      }
    }
    return found;
  }

  /** All groups, one after another. */
  async *groups(): AsyncGenerator<WholeGroup> {
    let last: { group: string; entry: GroupEntry | undefined; slots: Slot[]; queue: Queued[] } | undefined;
    for await (const row of this.rows(kind("group"))) {
      const parts = partsOf(String(row["rowKey"]));
      if (parts === undefined) continue;
      const { group } = parts;
      if (last?.group !== group) {
        if (last !== undefined) yield last;
        last = { group, entry: undefined, slots: [], queue: [] };
      }
      const [holder, waiter] = [slotIn(row), queuedIn(group, row)];
      if (parts.kind === "entry") last.entry = entryIn({ ...row, etag: String(row["etag"]) });
      else if (parts.kind === "slot" && holder !== undefined) last.slots.push(holder);
      else if (parts.kind === "queue" && waiter !== undefined && last.queue.length < maxQueued)
        last.queue.push(this.#teams.withLimit(waiter));
    }
    if (last !== undefined) yield last;
  }

  /** Whether somebody who waits might have a slot. */
  canCallUp({ entry, queue }: WholeGroup): boolean {
    return nextOf(entry, entry?.held ?? 0, queue.slice(0, 1)).length > 0;
  }

  /** A slot for a job that runs without one. False when it has one. */
  restore(member: Member): Promise<boolean> {
    return rewrite("the slots of a group", this.#pacing, async () => {
      const [slot, row] = [await this.get(slotKey(member.group, member.id)), await this.get(entryKey(member.group))];
      if (slot !== undefined) return done(false);
      const entry = entryIn(row);
      const counted = entity(entryKey(member.group), { held: (entry?.held ?? 0) + 1 });
      const actions: TransactionAction[] = [
        ["create", entity(...slotEntry(member, this.#pacing.now()))],
        entry === undefined ? ["create", counted] : ["update", counted, "Merge", { etag: entry.etag }],
      ];
      return (await this.transact(actions)) ? done(true) : conflict;
    });
  }

  /** Compares the number with the slots, and writes it anew where it is wrong. What changes meanwhile is compared by the next pass. */
  async recount(group: string): Promise<boolean> {
    const entry = entryIn(await this.get(entryKey(group)));
    let held = 0;
    for await (const _slot of this.rows(slotsOf(group), ["RowKey"])) held++;
    if (held === (entry?.held ?? 0)) return false;
    const counted = entity(entryKey(group), { held });
    const result = await (entry === undefined
      ? storageCall(() => this.table.createEntity(counted), 409)
      : storageCall(() => this.table.updateEntity(counted, "Merge", { etag: entry.etag }), 404, 412));
    return typeof result !== "number";
  }

  /** An entry that says nothing any more goes, unless somebody changes it just now. */
  async dropIdle({ group, entry, slots, queue }: WholeGroup): Promise<void> {
    if (entry === undefined || entry.held > 0 || slots.length > 0 || queue.length > 0 || isSteered(entry)) return;
    await storageCall(() => this.table.deleteEntity(partition, entryKey(group), { etag: entry.etag }), 404, 412);
  }

  async showLeaked(group: string, { id, leaked }: Slot, isLeaked: boolean): Promise<void> {
    if (leaked === isLeaked) return;
    await storageCall(() => this.table.updateEntity(entity(slotKey(group, id), { leaked: isLeaked }), "Merge"), 404);
  }
}
