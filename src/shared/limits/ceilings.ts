import { odata, type TableClient, type TransactionAction } from "@azure/data-tables";
import { nameKey, parseJobId, type JobId } from "../base/ids.ts";
import { conflict, done, rewrite, type Pacing } from "../base/rewrite.ts";
import { terminalStates } from "../job/job.ts";
import { storageCall } from "../store/connect.ts";
import {
  entity,
  IndexPartition,
  kind,
  partition,
  startingWith,
  waitKey,
  type IndexRow,
} from "../store/index-partition.ts";

/**
 * The ceilings of jobs that have not ended, of all and of each name. Each has a counter in the table `jobindex` (`count_~all`,
 * `count_NAME`), which changes in the transaction that lets a job in, so that it holds however many come at once. Nothing counts down:
 * a counter that says full is counted anew from the index, and so is every counter by the sweep. A posted job that meets a ceiling
 * waits in that ceiling's line, and is not counted while it does.
 */
export interface Limits {
  readonly all: number | undefined;
  readonly perName: number | undefined;
}

/** Whether there is room for one more: then what its transaction must do besides; else the line to wait in. */
export type Room =
  | { readonly kind: "open"; readonly actions: readonly TransactionAction[]; readonly free: number }
  | { readonly kind: "full"; readonly line: string };

interface Counter {
  readonly rowKey: string;
  readonly line: string;
  readonly most: number;
  /** Of which name; absent for all jobs. */
  readonly name: string | undefined;
}

const allLine = "~most";
const nameLine = (name: string): string => `${allLine}-${nameKey(name)}`;
const allKey = "count_~all";

export const isCeilingLine = (line: string | undefined): line is string =>
  line === allLine || line?.startsWith(`${allLine}-`) === true;

export class Ceilings extends IndexPartition {
  readonly #limits: Limits;
  readonly #pacing: Pacing;
  #last: Promise<unknown> = Promise.resolve();

  constructor(table: TableClient, limits: Limits, pacing: Pacing) {
    super(table);
    this.#limits = limits;
    this.#pacing = pacing;
  }

  get areSet(): boolean {
    return this.#limits.all !== undefined || this.#limits.perName !== undefined;
  }

  linesOf(name: string): readonly string[] {
    return this.#counters(name).map(({ line }) => line);
  }

  /** Within an instance one reservation at a time, where they change the same counter: side by side they would only meet conflicts. */
  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (!this.areSet) return work();
    const mine = this.#last.then(work, work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  /** What a reservation does for a job that waits in a line. */
  standingIn(line: string, { id, createdAt }: { id: JobId; createdAt: number }): readonly TransactionAction[] {
    return [["create", entity(waitKey(line, createdAt, id), { jobId: id })]];
  }

  /** For a job that comes: who is there first goes first. */
  async roomFor(name: string): Promise<Room> {
    for (const { line } of this.#counters(name))
      if (await this.any(kind(`wait_${nameKey(line)}`))) return { kind: "full", line };
    return this.#room(name);
  }

  /** The line in which a job waits, if it does. */
  async lineOf(name: string, id: JobId, createdAt: number): Promise<string | undefined> {
    for (const { line } of this.#counters(name)) if (await this.get(waitKey(line, createdAt, id))) return line;
    return undefined;
  }

  /**
   * Lets a job in that waits in a line. It moves to the other line where that is what it waits for now.
   *
   * @returns the line that it waits in, or `undefined` when it is in
   */
  enter(name: string, id: JobId, createdAt: number, line: string): Promise<string | undefined> {
    const own = waitKey(line, createdAt, id);
    return this.inTurn(() =>
      rewrite("the count of active jobs", this.#pacing, async () => {
        // It was let in, and whoever did so died before the row said so.
        if ((await this.get(own)) === undefined) return done(undefined);
        const room = await this.#room(name);
        if (room.kind === "full" && room.line === line) return done(line);
        if (room.kind === "open" && !(await this.#isAmongFirst(line, own, room.free))) return done(line);
        const moves: TransactionAction[] =
          room.kind === "open"
            ? [...room.actions]
            : [["upsert", entity(waitKey(room.line, createdAt, id), { jobId: id }), "Replace"]];
        if (!(await this.transact([["delete", entity(own)], ...moves]))) return conflict;
        return done(room.kind === "open" ? undefined : room.line);
      }),
    );
  }

  /** How many a line's ceiling has room for: all that stand in it where there is no such ceiling any more. */
  async roomIn(line: string): Promise<number> {
    const { all, perName } = this.#limits;
    const most = line === allLine ? all : perName;
    if (most === undefined) return Infinity;
    const name = line === allLine ? undefined : line.slice(allLine.length + 1);
    return Math.max(0, most - (await this.#recount({ rowKey: keyOf(name), line, most, name })));
  }

  /** Every counter, anew. One of a name that has no job goes. */
  async recount(until: number): Promise<boolean> {
    if (!this.areSet) return true;
    for await (const { rowKey, of } of this.rows(kind("count"), ["RowKey", "of"])) {
      if (this.#pacing.now() >= until) return false;
      const name = typeof of === "string" ? of : undefined;
      const count = await this.#recount({ rowKey: String(rowKey), line: "", most: 0, name });
      if (count > 0 || name === undefined) continue;
      const row = await this.get(String(rowKey));
      if (row?.["count"] === 0)
        await storageCall(() => this.table.deleteEntity(partition, String(rowKey), { etag: row.etag }), 404, 412);
    }
    return true;
  }

  #counters(name: string): readonly Counter[] {
    const { all, perName } = this.#limits;
    return [
      ...(perName === undefined
        ? []
        : [{ rowKey: keyOf(name), line: nameLine(name), most: perName, name: nameKey(name) }]),
      ...(all === undefined ? [] : [{ rowKey: allKey, line: allLine, most: all, name: undefined }]),
    ];
  }

  async #room(name: string): Promise<Room> {
    const actions: TransactionAction[] = [];
    let free = Infinity;
    for (const counter of this.#counters(name)) {
      let row = await this.get(counter.rowKey);
      if (row === undefined || countIn(row) >= counter.most) {
        if ((await this.#recount(counter)) >= counter.most) return { kind: "full", line: counter.line };
        row = await this.get(counter.rowKey);
      }
      if (row === undefined) {
        actions.push(["create", entity(counter.rowKey, written(1, counter.name))]); // the sweep dropped it just now
        continue;
      }
      const left = counter.most - countIn(row);
      if (left <= 0) return { kind: "full", line: counter.line };
      free = Math.min(free, left);
      actions.push([
        "update",
        entity(counter.rowKey, written(countIn(row) + 1, counter.name)),
        "Replace",
        { etag: row.etag },
      ]);
    }
    return { kind: "open", actions, free };
  }

  async #isAmongFirst(line: string, own: string, most: number): Promise<boolean> {
    let n = 0;
    for await (const { rowKey } of this.rows(kind(`wait_${nameKey(line)}`), ["RowKey"], Math.min(most, 1000))) {
      if (rowKey === own) return true;
      if (++n >= most) return false;
    }
    return false;
  }

  /** What comes meanwhile changes the counter, and then it is counted once more. */
  #recount({ rowKey, name }: Counter): Promise<number> {
    return rewrite("the count of active jobs", this.#pacing, async () => {
      const before = await this.get(rowKey);
      const count = await this.#count(name);
      if (before && countIn(before) === count) return done(count);
      const row = entity(rowKey, written(count, name));
      const result = before
        ? await storageCall(() => this.table.updateEntity(row, "Replace", { etag: before.etag }), 404, 412)
        : await storageCall(() => this.table.createEntity(row), 409);
      return typeof result === "number" ? conflict : done(count);
    });
  }

  async #count(name: string | undefined): Promise<number> {
    const active = terminalStates.map((state) => odata`state ne ${state}`).join(" and ");
    const own = name === undefined ? "" : ` and ${odata`nameKey eq ${name}`}`;
    const ids = new Set<string>();
    for await (const { rowKey } of this.rows(`${kind("job")} and ${active}${own}`, ["RowKey"]))
      ids.add(String(rowKey).slice("job_".length));
    if (ids.size === 0) return 0;
    for await (const { jobId } of this.rows(startingWith(`wait_${allLine}`), ["RowKey", "jobId"]))
      if (typeof jobId === "string") ids.delete(parseJobId(jobId) ?? jobId);
    return ids.size;
  }
}

function keyOf(name: string | undefined): string {
  return name === undefined ? allKey : `count_${nameKey(name)}`;
}

function written(count: number, name: string | undefined): Record<string, unknown> {
  return { count, ...(name === undefined ? {} : { of: name }) };
}

function countIn(row: IndexRow): number {
  return typeof row["count"] === "number" ? row["count"] : Infinity;
}
