import type { TableClient, TransactionAction } from "@azure/data-tables";
import { indexLost, Unavailable } from "../base/errors.ts";
import { parseJobId, type JobId } from "../base/ids.ts";
import { InSequence } from "../base/in-sequence.ts";
import { conflict, done, rewrite, type Pacing, type Try } from "../base/rewrite.ts";
import { countEnd, type ArrayOutcomes } from "../job/array-outcomes.ts";
import { hasEnded, recordOf, type Job } from "../job/job.ts";
import { outcomesAction, readOutcomes, startOrWait, type StartOrWait } from "./array-outcomes.ts";
import { endWaitingItems, itemActions, packOf } from "./item-rows.ts";
import {
  arrayPartition,
  arraysSince,
  dayPartition,
  fromRow,
  idIn,
  jobKey,
  keyOfMinted,
  listedColumns,
  recordColumns,
  recordText,
  toRow,
  type JobKey,
  type KeptColumns,
  type Prices,
  type Sealed,
} from "./job-row.ts";
import { beginIndex } from "./index-partition.ts";
import { filterOf, hasColumns, isOfTeams, quoted, withFilter, type JobColumns, type JobFilter } from "./job-filter.ts";
import type { JobIndex } from "./job-index.ts";
import { shown } from "./shown-row.ts";
import { Peeked } from "./peeked.ts";
import type { PointRead } from "./point-read.ts";
import type { UnreadableRows } from "./unreadable.ts";
import { storageCall, tableNames, type Storage, writeInto } from "./connect.ts";

/**
 * The table `jobs`: one row per job, the truth about it. Every save passes the ETag that was read; losing that race is a result.
 * What is found by anything but an id goes through {@link JobIndex}.
 */
export interface Stored {
  readonly job: Job;
  readonly sealed: Sealed;
  /** Columns of a newer release; a save writes them back. */
  readonly kept: KeptColumns;
  readonly key: JobKey;
  readonly etag: string;
  /** Of a child whose end was just saved: its array is to be requeued. */
  readonly requeuesArray?: boolean;
}

export interface JobPage {
  readonly rows: readonly JobColumns[];
  /** Rows that can't be shown, because they do not say which job's they are. */
  readonly skipped: number;
  readonly continuation: string | undefined;
}

/** A job and where its row stands. */
export interface Found {
  readonly id: JobId;
  readonly key: JobKey;
}

export class JobStore {
  readonly index: JobIndex;
  readonly #storage: Storage;
  readonly #table: TableClient;
  readonly #point: PointRead;
  readonly #peeked = new Peeked<Stored>();
  readonly #pacing: Pacing;
  readonly #unreadable: UnreadableRows;
  /** Children that end side by side would only meet conflicts. */
  readonly #ends = new InSequence();
  readonly prices: Prices;

  constructor(storage: Storage, index: JobIndex, prices: Prices, pacing: Pacing, unreadable: UnreadableRows) {
    this.#storage = storage;
    this.#table = storage.table(tableNames.jobs);
    this.#point = storage.pointReader(tableNames.jobs, recordColumns);
    this.index = index;
    this.prices = prices;
    this.#pacing = pacing;
    this.#unreadable = unreadable;
  }

  /** Writes a new job's row; `exists` when it is there already, from an earlier try or an earlier message. */
  async insert(job: Job, sealed: Sealed): Promise<"created" | "exists"> {
    const row = toRow(job, jobKey(job.id, job.createdAt), sealed, this.prices);
    const result = await writeInto(this.#table, () => this.#table.createEntity(row), 409);
    return result === 409 ? "exists" : "created";
  }

  /**
   * A job with its sealed bytes: one read for our own id, two for a poster's.
   *
   * @throws Unreadable when its row is there and can't be read; so do the others that read a job
   */
  find(id: JobId): Promise<Stored | undefined> {
    return this.#findBy(id, (key) => this.#read(key));
  }

  /** The same without the sealed bytes, for replies: one read from the second time on. */
  async peek(id: JobId): Promise<Stored | undefined> {
    const known = this.#peeked.get(id);
    const same = known && (await this.#peekAt(known.key));
    return same ?? this.#findBy(id, (key) => this.#peekAt(key));
  }

  /** The same for the child of an array, whose id leads to its row: one read where it is not there. */
  async peekChild(id: JobId): Promise<Stored | undefined> {
    const key = keyOfMinted(id);
    return key && this.#peekAt(key);
  }

  async #findBy(id: JobId, read: (key: JobKey) => Promise<Stored | undefined>): Promise<Stored | undefined> {
    const minted = keyOfMinted(id);
    const found = minted && (await read(minted));
    if (found) return found;
    const foreign = await this.index.keyOfForeign(id);
    if (foreign === undefined) await this.mustFindAll();
    return foreign && read(foreign);
  }

  /** Whether every job can be found, and names can be taken. An installation without any job begins its index here. */
  async hasIndex(): Promise<boolean> {
    if (await this.index.isWhole()) return true;
    await beginIndex(this.#storage);
    return this.index.isWhole();
  }

  /** @throws Unavailable where a job that was not found may be there all the same: the index is lost */
  async mustFindAll(): Promise<void> {
    if (!(await this.hasIndex()))
      throw new Unavailable("index", indexLost.message, { retryAfter: indexLost.retryAfter });
  }

  /** The newest job of a name, in any letter case; of some teams' where they are given. Two reads. */
  async peekNewest(name: string, teams?: readonly string[]): Promise<Stored | undefined> {
    for await (const key of this.index.newestOf(name, teams)) {
      const stored = await this.#peekAt(key);
      if (stored && isOfTeams(stored.job.options, teams)) return stored;
    }
    await this.mustFindAll();
    return undefined;
  }

  async #read(key: JobKey): Promise<Stored | undefined> {
    const row = await storageCall(() => this.#table.getEntity(key.partitionKey, key.rowKey), 404);
    return row === 404 ? undefined : { ...(await this.#parse(row, key)), key, etag: row.etag };
  }

  async #peekAt(key: JobKey): Promise<Stored | undefined> {
    const known = this.#peeked.get(idIn(key));
    const found = await storageCall(() => this.#point(key.partitionKey, key.rowKey, known?.etag));
    if (found === undefined) return undefined;
    if (found === "same") return known;
    const stored = { ...(await this.#parse(found.columns, key)), key, etag: found.etag };
    this.#peeked.set(stored);
    return stored;
  }

  /** A job whose phase only a newer release can read counts as one that can't be read, though all else of it can. */
  async #parse(row: Readonly<Record<string, unknown>>, key: JobKey): Promise<ReturnType<typeof fromRow>> {
    const id = parseJobId(idIn(key));
    if (id === undefined) throw new Error("A row's key ends with its job's id.");
    const parsed = await this.#unreadable.guard(id, () => fromRow(row));
    const { phase } = parsed.job;
    if (phase.state === "Unknown") await this.#unreadable.note(id, `The state ${phase.written.state} is not known.`);
    return parsed;
  }

  /** What the documented columns say of a job, whether or not its record can be read. */
  async columns(id: JobId): Promise<JobColumns | undefined> {
    const key = keyOfMinted(id) ?? (await this.index.keyOfForeign(id));
    if (key === undefined) return undefined;
    const queryOptions = { select: [...listedColumns] };
    const row = await storageCall(() => this.#table.getEntity(key.partitionKey, key.rowKey, { queryOptions }), 404);
    return row === 404 ? undefined : shown(row);
  }

  /** Saves over what was read, or not at all. The end of an array's child is counted in the same transaction. */
  async save(stored: Stored, job: Job, sealed: Sealed = stored.sealed): Promise<Stored | "conflict"> {
    if (job.child !== undefined && hasEnded(job.phase) && !hasEnded(stored.job.phase))
      return this.#saveEnd(stored, job, sealed);
    const row = toRow(job, stored.key, sealed, this.prices, stored.kept);
    const result = await storageCall(() => this.#table.updateEntity(row, "Replace", { etag: stored.etag }), 404, 412);
    if (result === 404 || result === 412) return "conflict";
    return { ...stored, job, sealed, etag: result.etag ?? stored.etag, requeuesArray: false };
  }

  /** Others of its array may end at the same time, by another instance: then the counts are read again. */
  #saveEnd(stored: Stored, child: Job, sealed: Sealed): Promise<Stored | "conflict"> {
    return this.#ends.do(() => this.#countEnd(stored, child, sealed));
  }

  #countEnd(stored: Stored, child: Job, sealed: Sealed): Promise<Stored | "conflict"> {
    const { key, kept, etag } = stored;
    return rewrite<Stored | "conflict">("the counts of an array", this.#pacing, async () => {
      const counted = await readOutcomes(this.#table, key.partitionKey);
      const { job, outcomes, requeues, items } = countEnd(counted.outcomes, child, this.#pacing.now());
      const row = toRow(job, key, sealed, this.prices, kept);
      const actions: TransactionAction[] = [
        ["update", row, "Replace", { etag }],
        outcomesAction(key, counted, outcomes),
        ...itemActions(key, job, items),
      ];
      const written = await storageCall(() => this.#table.submitTransaction(actions), 404, 409, 412);
      if (typeof written === "object") {
        const saved = written.subResponses[0]?.etag;
        return saved === undefined ? conflict : done({ ...stored, job, sealed, etag: saved, requeuesArray: requeues });
      }
      const now = await storageCall(() => this.#table.getEntity(key.partitionKey, key.rowKey, justEtag), 404);
      return now === 404 || now.etag !== etag ? done("conflict") : conflict;
    });
  }

  /** An array of packs ends: what waits for another try ends as it did the last time. */
  endWaitingItems({ id, createdAt }: Pick<Job, "id" | "createdAt">): Promise<void> {
    return endWaitingItems(this.#table, arrayPartition(id, createdAt), this.#pacing);
  }

  /** The pack that had an item of an array last; `undefined` before the first one that had it has ended. */
  packOf({ id, createdAt }: Pick<Job, "id" | "createdAt">, index: number): Promise<JobId | undefined> {
    return packOf(this.#table, arrayPartition(id, createdAt), index);
  }

  /** The array whose child a job is: one read. */
  findArray({ array, arrayAt }: Pick<NonNullable<Job["child"]>, "array" | "arrayAt">): Promise<Stored | undefined> {
    return this.#read(jobKey(array, arrayAt));
  }

  /** When one of an array's children started, or why one waits; of an array that runs, why one waits while no child runs. */
  startOrWait({ id, createdAt, phase }: Pick<Job, "id" | "createdAt" | "phase">): Promise<StartOrWait> {
    return startOrWait(this.#table, arrayPartition(id, createdAt), phase.state === "Running");
  }

  /** What has ended of an array: one point read. */
  async outcomesOf({ id, createdAt }: Pick<Job, "id" | "createdAt">): Promise<ArrayOutcomes> {
    return (await readOutcomes(this.#table, arrayPartition(id, createdAt))).outcomes;
  }

  /**
   * Changes a job, reading it again as often as somebody else was faster.
   *
   * @returns the job as saved, or as it was found when `change` had nothing to change; `undefined` when there is no such job
   */
  async change(
    id: JobId,
    change: (job: Job, sealed: Sealed) => { job: Job; sealed?: Sealed } | undefined,
  ): Promise<Stored | undefined> {
    return this.rewrite(async () => {
      const stored = await this.find(id);
      if (stored === undefined) return done(undefined);
      const changed = change(stored.job, stored.sealed);
      if (changed === undefined) return done(stored);
      const saved = await this.save(stored, changed.job, changed.sealed ?? stored.sealed);
      return saved === conflict ? conflict : done(saved);
    });
  }

  /**
   * Repeats what reads a job, changes and saves it, as often as somebody else was faster.
   *
   * @throws Unavailable when too many change it at once
   */
  rewrite<T>(attempt: () => Promise<Try<T>>): Promise<T> {
    return rewrite("a job's row", this.#pacing, attempt);
  }

  /**
   * Rows newest first, a page at a time, without the record and the sealed bytes, which are most of a row. A page may be short, or
   * empty, and still be followed by others.
   *
   * @param columns those that are read; all that a list shows by default. What the filter compares is read besides
   * @returns `no such page` for a continuation that storage did not give
   */
  list(filter: JobFilter, top: number, continuation: undefined, columns?: readonly string[]): Promise<JobPage>;
  list(
    filter: JobFilter,
    top: number,
    continuation: string | undefined,
    columns?: readonly string[],
  ): Promise<JobPage | "no such page">;
  async list(
    filter: JobFilter,
    top: number,
    continuation: string | undefined,
    columns: readonly string[] = listedColumns,
  ): Promise<JobPage | "no such page"> {
    const pages = this.#table
      .listEntities({
        queryOptions: {
          ...withFilter(filterOf(filter)),
          select: [...new Set(["id", ...(filter.teams ? ["team"] : []), ...columns, ...Object.keys(filter.columns)])],
        },
      })
      .byPage({ maxPageSize: top, ...(continuation ? { continuationToken: continuation } : {}) });
    // Without a continuation the whole query is ours, and a refusal of it no caller's mistake.
    const page = continuation
      ? await storageCall(() => pages.next(), 400, 404)
      : await storageCall(() => pages.next(), 404);
    if (page === 400) return "no such page";
    // No table: nothing was ever written.
    if (page === 404 || page.done) return { rows: [], skipped: 0, continuation: undefined };
    const known = page.value.filter(({ id }) => typeof id === "string");
    const { length, continuationToken } = page.value;
    const rows = known.filter((row) => hasColumns(row, filter.columns) && isOfTeams(row, filter.teams));
    return { rows: rows.map(shown), skipped: length - known.length, continuation: continuationToken };
  }

  /** Jobs that are not over, by their rows alone: for as long as the index is lost. A page at a time. */
  async unfinished(
    since: number,
    page: string | undefined,
  ): Promise<{ readonly found: readonly Found[]; readonly continuation: string | undefined }> {
    const filter = `groupDeleted eq false and (PartitionKey le ${quoted(dayPartition(since))} or ${arraysSince(since)})`;
    const pages = this.#table
      .listEntities({ queryOptions: { filter, select: ["PartitionKey", "RowKey", "id"] } })
      .byPage({ maxPageSize: 200, ...(page === undefined ? {} : { continuationToken: page }) });
    const next = await storageCall(() => pages.next(), 404);
    if (next === 404 || next.done) return { found: [], continuation: undefined };
    const found = next.value.flatMap(({ partitionKey, rowKey, id: text }) => {
      const id = typeof text === "string" ? parseJobId(text) : undefined;
      if (id === undefined || partitionKey === undefined || rowKey === undefined) return [];
      return [{ id, key: { partitionKey, rowKey } }];
    });
    return { found, continuation: next.value.continuationToken };
  }

  /** A row or an index entry as a list shows it. */
  shown(row: Readonly<Record<string, unknown>>): JobColumns {
    return shown(row);
  }

  /** Takes back a row that was just inserted. False when somebody has worked on it since: then it stays. */
  async withdraw(job: Job): Promise<boolean> {
    const { partitionKey, rowKey } = jobKey(job.id, job.createdAt);
    const row = await storageCall(() => this.#table.getEntity(partitionKey, rowKey), 404);
    if (row === 404) return true;
    if (recordText(row) !== JSON.stringify(recordOf(job))) return false;
    const deleted = await storageCall(
      () => this.#table.deleteEntity(partitionKey, rowKey, { etag: row.etag }),
      404,
      412,
    );
    return deleted !== 412;
  }
}

const justEtag = { queryOptions: { select: ["RowKey"] } };
