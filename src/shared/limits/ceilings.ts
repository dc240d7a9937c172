import { odata, type TableClient, type TransactionAction } from "@azure/data-tables";
import { nameKey, parseJobId, type GroupName, type JobId } from "../base/ids.ts";
import { InSequence } from "../base/in-sequence.ts";
import { conflict, done, rewrite, type Pacing } from "../base/rewrite.ts";
import { terminalStates, type Job } from "../job/job.ts";
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
 * waits in that ceiling's line, and is not counted while it does. Of an array its children count, and not the array.
 *
 * Jobs that wait for a name can't begin before the job that has it has ended, or all children of the array that has it. So they keep these
 * from no place: where they take up what a ceiling allows, the two would wait for each other.
 */
export interface Limits {
  readonly all: number | undefined;
  readonly perName: number | undefined;
}

/** Whether there is capacity for one more: then what its transaction must do besides; else the queue to wait in. */
export type Capacity =
  | { readonly kind: "open"; readonly actions: readonly TransactionAction[]; readonly free: number }
  | { readonly kind: "full"; readonly queue: string };

/** A job that waits in a line. */
interface Entering {
  readonly name: string;
  readonly id: JobId;
  readonly turn: number;
  readonly groupName: GroupName;
  /** Of an array's child: the name that its array holds. */
  readonly ofArray: GroupName | undefined;
}

interface Counter {
  readonly rowKey: string;
  readonly queue: string;
  readonly max: number;
  /** Of which name; absent for all jobs. */
  readonly name: string | undefined;
}

const allQueue = "~most";
const nameQueue = (name: string): string => `${allQueue}-${nameKey(name)}`;
const allKey = "count_~all";

export const isCeilingQueue = (queue: string | undefined): queue is string =>
  queue === allQueue || queue?.startsWith(`${allQueue}-`) === true;

export class Ceilings extends IndexPartition {
  readonly #limits: Limits;
  readonly #pacing: Pacing;
  readonly #sequence = new InSequence();

  constructor(table: TableClient, limits: Limits, pacing: Pacing) {
    super(table);
    this.#limits = limits;
    this.#pacing = pacing;
  }

  get areSet(): boolean {
    return this.#limits.all !== undefined || this.#limits.perName !== undefined;
  }

  queuesOf(name: string): readonly string[] {
    return this.#counters(name).map(({ queue }) => queue);
  }

  /** Within an instance one reservation at a time, where they change the same counter: side by side they would only meet conflicts. */
  inSequence<T>(work: () => Promise<T>): Promise<T> {
    return this.areSet ? this.#sequence.do(work) : work();
  }

  /** What a reservation does for a job that waits in a line. */
  enqueueIn(queue: string, id: JobId, turn: number): readonly TransactionAction[] {
    return [["create", entity(waitKey(queue, turn, id), { jobId: id })]];
  }

  /** For a job that comes: who is there first goes first. An array itself takes no place. */
  async capacityFor({ name, array }: Pick<Job, "name" | "array">): Promise<Capacity> {
    if (array !== undefined) return { kind: "open", actions: [], free: Infinity };
    for (const { queue } of this.#counters(name))
      if (await this.any(kind(`wait_${nameKey(queue)}`))) return { kind: "full", queue };
    return this.#capacity(name);
  }

  /** The line in which a job waits, if it does. */
  async queueOf(name: string, id: JobId, turn: number): Promise<string | undefined> {
    for (const { queue } of this.#counters(name)) if (await this.get(waitKey(queue, turn, id))) return queue;
    return undefined;
  }

  /**
   * Lets a job in that waits in a line. It moves to the other line where that is what it waits for now.
   *
   * @returns the queue that it waits in, or `undefined` when it was let in
   */
  enter(entering: Entering, queue: string): Promise<string | undefined> {
    const { name, id, turn } = entering;
    const own = waitKey(queue, turn, id);
    return this.inSequence(() =>
      rewrite("the count of active jobs", this.#pacing, async () => {
        // It was let in, and whoever did so died before the row said so.
        if ((await this.get(own)) === undefined) return done(undefined);
        const capacity = (await this.#turnOf(name, queue, own)) ?? (await this.#turnOfHolder(entering, queue, own));
        if (capacity === undefined) return done(queue);
        const moves: TransactionAction[] =
          capacity.kind === "open"
            ? [...capacity.actions]
            : [["upsert", entity(waitKey(capacity.queue, turn, id), { jobId: id }), "Replace"]];
        if (!(await this.transact([["delete", entity(own)], ...moves]))) return conflict;
        return done(capacity.kind === "open" ? undefined : capacity.queue);
      }),
    );
  }

  /** The capacity for a job whose turn it is, or the other line in which it is to wait; `undefined` where it waits on. */
  async #turnOf(name: string, queue: string, own: string, passed?: ReadonlySet<string>): Promise<Capacity | undefined> {
    const capacity = await this.#capacity(name, passed);
    if (capacity.kind === "full") return capacity.queue === queue ? undefined : capacity;
    return (await this.#isAmongFirst(queue, own, capacity.free, passed)) ? capacity : undefined;
  }

  /** The same for one that has a name, or whose array has it: those that wait for it are passed over. */
  async #turnOfHolder(
    { name, id, groupName, ofArray }: Entering,
    queue: string,
    own: string,
  ): Promise<Capacity | undefined> {
    const lock = ofArray === undefined ? await this.get(`hold_${nameKey(groupName)}`) : undefined;
    const held = lock?.["jobId"] === id ? groupName : ofArray;
    const passed = held === undefined ? [] : await this.#othersOfGroup(held, id);
    return passed.length === 0 ? undefined : this.#turnOf(name, queue, own, new Set(passed));
  }

  /** Ids of other jobs that have not ended whose container group has that name, or will have it. */
  async #othersOfGroup(name: GroupName, id: JobId): Promise<readonly string[]> {
    const ids: string[] = [];
    for await (const { rowKey, groupName } of this.rows(`${kind("job")} and ${active}`, ["RowKey", "groupName"]))
      if (nameKey(String(groupName)) === nameKey(name)) ids.push(idIn(rowKey));
    return ids.filter((each) => each !== id);
  }

  /** How many jobs of a queue its ceiling allows now: all of them where there is no such ceiling any more. */
  async capacityIn(queue: string): Promise<number> {
    const { all, perName } = this.#limits;
    const max = queue === allQueue ? all : perName;
    if (max === undefined) return Infinity;
    const name = queue === allQueue ? undefined : queue.slice(allQueue.length + 1);
    return Math.max(0, max - (await this.#recount({ rowKey: keyOf(name), queue, max, name })).size);
  }

  /** Every counter, anew. One of a name that has no job goes. */
  async recount(until: number): Promise<boolean> {
    if (!this.areSet) return true;
    for await (const { rowKey, of } of this.rows(kind("count"), ["RowKey", "of"])) {
      if (this.#pacing.now() >= until) return false;
      const name = typeof of === "string" ? of : undefined;
      const { size } = await this.#recount({ rowKey: String(rowKey), queue: "", max: 0, name });
      if (size > 0 || name === undefined) continue;
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
        : [{ rowKey: keyOf(name), queue: nameQueue(name), max: perName, name: nameKey(name) }]),
      ...(all === undefined ? [] : [{ rowKey: allKey, queue: allQueue, max: all, name: undefined }]),
    ];
  }

  /** @param passed jobs that keep this one from nothing */
  async #capacity(name: string, passed: ReadonlySet<string> = new Set()): Promise<Capacity> {
    const actions: TransactionAction[] = [];
    let free = Infinity;
    for (const counter of this.#counters(name)) {
      let row = await this.get(counter.rowKey);
      let max = counter.max;
      if (row === undefined || countIn(row) >= max) {
        const counted = await this.#recount(counter);
        max += [...counted].filter((id) => passed.has(id)).length;
        if (counted.size >= max) return { kind: "full", queue: counter.queue };
        row = await this.get(counter.rowKey);
      }
      if (row === undefined) {
        actions.push(["create", entity(counter.rowKey, written(1, counter.name))]); // the sweep dropped it just now
        continue;
      }
      const left = max - countIn(row);
      if (left <= 0) return { kind: "full", queue: counter.queue };
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

  async #isAmongFirst(queue: string, own: string, max: number, passed?: ReadonlySet<string>): Promise<boolean> {
    let n = 0;
    for await (const row of this.rows(kind(`wait_${nameKey(queue)}`), ["RowKey", "jobId"], Math.min(max, 1000))) {
      if (row["rowKey"] === own) return true;
      if (passed?.has(String(row["jobId"]))) continue;
      if (++n >= max) return false;
    }
    return false;
  }

  /** What comes meanwhile changes the counter, and then it is counted once more. */
  #recount({ rowKey, name }: Counter): Promise<ReadonlySet<string>> {
    return rewrite("the count of active jobs", this.#pacing, async () => {
      const before = await this.get(rowKey);
      const counted = await this.#counted(name);
      if (before && countIn(before) === counted.size) return done(counted);
      const row = entity(rowKey, written(counted.size, name));
      const result = before
        ? await storageCall(() => this.table.updateEntity(row, "Replace", { etag: before.etag }), 404, 412)
        : await storageCall(() => this.table.createEntity(row), 409);
      return typeof result === "number" ? conflict : done(counted);
    });
  }

  /** The ids of the jobs that count. */
  async #counted(name: string | undefined): Promise<ReadonlySet<string>> {
    const own = name === undefined ? "" : ` and ${odata`nameKey eq ${name}`}`;
    const ids = new Set<string>();
    for await (const { rowKey, array } of this.rows(`${kind("job")} and ${active}${own}`, ["RowKey", "array"]))
      if (typeof array !== "string") ids.add(idIn(rowKey));
    if (ids.size === 0) return ids;
    for await (const { jobId } of this.rows(startingWith(`wait_${allQueue}`), ["RowKey", "jobId"]))
      if (typeof jobId === "string") ids.delete(parseJobId(jobId) ?? jobId);
    return ids;
  }
}

const active = terminalStates.map((state) => odata`state ne ${state}`).join(" and ");

function idIn(rowKey: unknown): string {
  return String(rowKey).slice("job_".length);
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
