import type { TableClient, TransactionAction } from "@azure/data-tables";
import { groupName, nameKey, parseJobId, type GroupName, type JobId } from "../base/ids.ts";
import { conflict, done, rewrite, type Pacing } from "../base/rewrite.ts";
import {
  entity,
  IndexPartition,
  kind,
  outside,
  partition,
  startingWith,
  timeOf,
  waitKey,
  type Entity,
} from "./index-partition.ts";
import { storageCall } from "./connect.ts";

/** Who has a group's name, and who waits for one or for another thing (`hold_NAME` and `wait_NAME_TIME_ID` of the job index). */
export interface NameLock {
  readonly lockedBy: JobId;
  readonly etag: string;
}

/** A job that enters a wait queue. */
export interface Waiting {
  readonly id: JobId;
  readonly createdAt: number;
  readonly turn: number;
  readonly replaces?: boolean;
}

export function waitEntity(name: string, { id, createdAt, turn, replaces = false }: Waiting): Entity {
  const age = createdAt === turn ? {} : { createdAt: new Date(createdAt) };
  return entity(waitKey(name, turn, id), { jobId: id, ...age, ...(replaces ? { replaces } : {}) });
}

/** A job in a wait queue, and where in it. */
export interface WaitEntry {
  readonly id: JobId;
  readonly rowKey: string;
  /** When its wait counts from: its age less its priority. */
  readonly turn: number;
  readonly createdAt: number;
  /** It replaces whatever older job has the name, or waits for it. */
  readonly replaces: boolean;
}

export interface Naming {
  readonly id: JobId;
  readonly name: GroupName;
  /** Of one that waits. */
  readonly turn: number | undefined;
}

export class NameLocks extends IndexPartition {
  readonly #pacing: Pacing;

  constructor(table: TableClient, pacing: Pacing) {
    super(table);
    this.#pacing = pacing;
  }

  async lockOf(name: GroupName): Promise<NameLock | undefined> {
    const row = await this.get(`hold_${nameKey(name)}`);
    const lockedBy = row && lockedByIn(row);
    if (row === undefined || lockedBy === undefined) return undefined;
    return { lockedBy, etag: row.etag };
  }

  /**
   * Locks a name that is free, and leaves the wait queue.
   *
   * @param further what the same transaction does besides
   * @returns `held` when somebody was faster, `unreadable` when the lock does not say who, `no index` while the index is lost
   */
  async take(
    name: GroupName,
    id: JobId,
    turn: number,
    further: readonly TransactionAction[] = [],
  ): Promise<"taken" | "held" | "unreadable" | "no index"> {
    const taken = await this.transactWhole([["create", entity(`hold_${nameKey(name)}`, { jobId: id })], ...further]);
    if (taken === "no index") return taken;
    if (taken === "refused") {
      const row = await this.get(`hold_${nameKey(name)}`);
      if (row !== undefined && lockedByIn(row) === undefined) return "unreadable";
      if (row === undefined || lockedByIn(row) !== id) return "held";
    }
    await this.dequeue(name, id, turn);
    return "taken";
  }

  async enqueue(name: string, waiting: Waiting): Promise<void> {
    await storageCall(() => this.table.upsertEntity(waitEntity(name, waiting), "Replace"));
  }

  async dequeue(name: string, id: JobId, turn: number): Promise<void> {
    await this.remove(waitKey(name, turn, id));
  }

  /** A job that waits somewhere gets another place there; false where it does not wait. */
  move(name: string, from: number, to: Waiting): Promise<boolean> {
    return this.transact([
      ["delete", entity(waitKey(name, from, to.id))],
      ["upsert", waitEntity(name, to), "Replace"],
    ]);
  }

  /**
   * The same, and its old place stays until it is left by {@link dequeue}: a job whose row is about to say where it stands is never taken
   * for one that was called up.
   */
  standAlso(name: string, from: number, to: Waiting): Promise<boolean> {
    return this.transact([
      ["update", entity(waitKey(name, from, to.id)), "Merge"],
      ["upsert", waitEntity(name, to), "Replace"],
    ]);
  }

  /** Jobs that wait for a name (or for another thing, whose line has a name that no group can have), in their order. */
  async waiting(name: string, max: number): Promise<readonly JobId[]> {
    return (await this.entries(name, max)).map(({ id }) => id);
  }

  async entries(name: string, max: number): Promise<readonly WaitEntry[]> {
    const found: WaitEntry[] = [];
    for await (const entry of this.#entries(name, max)) {
      found.push(entry);
      if (found.length >= max) break;
    }
    return found;
  }

  /** Takes the first out of a wait queue, to be requeued. */
  async takeFirst(name: string, max: number): Promise<readonly JobId[]> {
    const ids: JobId[] = [];
    for await (const { id, rowKey } of this.#entries(name, max)) {
      if (ids.length >= max) break;
      await this.remove(rowKey);
      ids.push(id);
    }
    return ids;
  }

  /**
   * The lines whose names begin so, in the order of their names. A call reads a page of entries, then goes on behind the last line in it:
   * two calls for a line of 50,000, and one for hundreds of short ones.
   */
  async *lines(prefix: string): AsyncGenerator<string> {
    let filter = startingWith(`wait_${prefix}`);
    let last: string | undefined;
    for (let page = 0; page < maxPages; page++) {
      let read = 0;
      let rowKey = "";
      for await (const row of this.rows(filter, ["RowKey"], pageOfLines)) {
        rowKey = String(row["rowKey"]);
        const name = lineIn(rowKey);
        if (name !== undefined && name !== last) yield name;
        last = name;
        if (++read === pageOfLines) break;
      }
      if (read < pageOfLines) return;
      filter = outside(`wait_${prefix}`, last === undefined ? rowKey : `wait_${last}_`)[1];
    }
  }

  /** Whether anybody waits in a line whose name begins so. */
  anyWaits(prefix: string): Promise<boolean> {
    return this.any(startingWith(`wait_${nameKey(prefix)}`));
  }

  async waits(name: string, id: JobId, turn: number): Promise<boolean> {
    return (await this.get(waitKey(name, turn, id))) !== undefined;
  }

  /**
   * A name that its job no longer needs goes to the first that waits for it, which leaves the wait queue in the same transaction: a
   * job that has left the queue is never given the name. May be repeated: an earlier caller may have crashed before it requeued the next.
   *
   * @returns the job that has the name now and must be requeued
   */
  handOver(name: GroupName, id: JobId): Promise<JobId | undefined> {
    return rewrite("the lock of a name", this.#pacing, async () => {
      const lockOf = await this.lockOf(name);
      if (lockOf?.lockedBy !== id) return done(lockOf?.lockedBy);
      const rowKey = `hold_${nameKey(name)}`;
      const next = await this.#firstWaiting(name, id);
      if (next === undefined) {
        const result = await storageCall(
          () => this.table.deleteEntity(partition, rowKey, { etag: lockOf.etag }),
          404,
          412,
        );
        return typeof result === "number" ? conflict : done(undefined);
      }
      const actions: TransactionAction[] = [
        ["update", entity(rowKey, { jobId: next.id }), "Replace", { etag: lockOf.etag }],
        ["delete", entity(next.rowKey)],
      ];
      return (await this.transact(actions)) ? done(next.id) : conflict;
    });
  }

  /** Whoever has a name, and then whoever waits for one. */
  async *namings(): AsyncGenerator<Naming> {
    for (const filter of [kind("hold"), outside("wait_", "wait_~")[0]])
      for await (const row of this.rows(filter, ["RowKey", "jobId"])) {
        const [id, rowKey] = [lockedByIn(row), String(row["rowKey"])];
        const [, name = rowKey.slice("hold_".length), turn] = /^wait_(.+)_(\d+)_[^_]+$/.exec(rowKey) ?? [];
        if (id !== undefined) yield { id, name: groupName(name), turn: turn === undefined ? undefined : Number(turn) };
      }
  }

  async #firstWaiting(name: string, but: JobId): Promise<WaitEntry | undefined> {
    for await (const entry of this.#entries(name, 2)) if (entry.id !== but) return entry;
    return undefined;
  }

  /** A line, in its order. @param max of them at the most are read by one call */
  async *#entries(name: string, max: number): AsyncGenerator<WaitEntry> {
    const columns = ["RowKey", "jobId", "replaces", "createdAt"];
    const page = Math.min(Math.max(1, max), 1000);
    for await (const row of this.rows(kind(`wait_${nameKey(name)}`), columns, page)) {
      const id = typeof row["jobId"] === "string" ? parseJobId(row["jobId"]) : undefined;
      const rowKey = String(row["rowKey"]);
      const turn = Number(rowKey.split("_").at(-2));
      const createdAt = timeOf(row["createdAt"]) || turn;
      if (id !== undefined) yield { id, rowKey, turn, createdAt, replaces: row["replaces"] === true };
    }
  }
}

const pageOfLines = 200;
/** Lines there are for each team and region, for each group, and for each name that has as many active jobs as it may have. */
const maxPages = 1000;

function lineIn(rowKey: string): string | undefined {
  return /^wait_(~.*)_\d+_[^_]+$/.exec(rowKey)?.[1];
}

function lockedByIn({ jobId }: Readonly<Record<string, unknown>>): JobId | undefined {
  return typeof jobId === "string" ? parseJobId(jobId) : undefined;
}
