import type { TableClient, TransactionAction } from "@azure/data-tables";
import { nameKey, parseJobId, type GroupName, type JobId } from "../base/ids.ts";
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

  /** Jobs that wait for a name (or for another thing, whose line has a name that no group can have), in their order. */
  async waiting(name: string, max: number): Promise<readonly JobId[]> {
    return (await this.entries(name, max)).map(({ id }) => id);
  }

  async entries(name: string, max: number): Promise<readonly WaitEntry[]> {
    const found: WaitEntry[] = [];
    for await (const entries of this.#entries(name)) {
      found.push(entries);
      if (found.length >= max) break;
    }
    return found;
  }

  /** Takes the first out of a wait queue, to be requeued. */
  async takeFirst(name: string, max: number): Promise<readonly JobId[]> {
    const ids: JobId[] = [];
    for await (const { id, rowKey } of this.#entries(name)) {
      if (ids.length >= max) break;
      await this.remove(rowKey);
      ids.push(id);
    }
    return ids;
  }

  /**
   * The lines that are not for a group's name, and how many stand in each.
   *
   * @param but lines whose names begin so are left out, and not read
   */
  async waitQueues(but?: string): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (const filter of but === undefined ? [startingWith("wait_~")] : outside("wait_~", `wait_${but}`))
      for await (const row of this.rows(filter, ["RowKey"])) {
        const name = lineIn(row);
        if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
      }
    return counts;
  }

  /** The lines whose names begin so, one call for each however many wait in it. */
  async *lines(prefix: string): AsyncGenerator<string> {
    let filter = startingWith(`wait_${prefix}`);
    for (let read = 0; read < maxLines; read++) {
      let first: Readonly<Record<string, unknown>> | undefined;
      for await (const row of this.rows(filter, ["RowKey"], 1)) {
        first = row;
        break;
      }
      if (first === undefined) return;
      const name = lineIn(first);
      if (name !== undefined) yield name;
      filter = outside(`wait_${prefix}`, name === undefined ? String(first["rowKey"]) : `wait_${name}_`)[1];
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

  async #firstWaiting(name: string, but: JobId): Promise<WaitEntry | undefined> {
    for await (const entries of this.#entries(name)) if (entries.id !== but) return entries;
    return undefined;
  }

  /** A line, in its order. */
  async *#entries(name: string): AsyncGenerator<WaitEntry> {
    for await (const row of this.rows(kind(`wait_${nameKey(name)}`), ["RowKey", "jobId", "replaces", "createdAt"])) {
      const id = typeof row["jobId"] === "string" ? parseJobId(row["jobId"]) : undefined;
      const rowKey = String(row["rowKey"]);
      const turn = Number(rowKey.split("_").at(-2));
      const createdAt = timeOf(row["createdAt"]) || turn;
      if (id !== undefined) yield { id, rowKey, turn, createdAt, replaces: row["replaces"] === true };
    }
  }
}

/** One for each team and region at the most. */
const maxLines = 1000;

function lineIn({ rowKey }: Readonly<Record<string, unknown>>): string | undefined {
  return /^wait_(~.*)_\d+_[^_]+$/.exec(String(rowKey))?.[1];
}

function lockedByIn({ jobId }: Readonly<Record<string, unknown>>): JobId | undefined {
  return typeof jobId === "string" ? parseJobId(jobId) : undefined;
}
