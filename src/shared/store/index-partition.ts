import { odata, type TableClient, type TransactionAction } from "@azure/data-tables";
import { nameKey, type GroupName, type JobId } from "../base/ids.ts";
import type { JobKey } from "./job-row.ts";
import { storageCall, tableNames, type Storage } from "./connect.ts";

/** The one partition of the table `jobindex`: whatever belongs together in it is written in one transaction. */
export const partition = "jobs";

export type Entity = { partitionKey: string; rowKey: string } & Record<string, unknown>;
export type IndexRow = { readonly etag: string } & Readonly<Record<string, unknown>>;

export function entity(rowKey: string, rest: Readonly<Record<string, unknown>> = {}): Entity {
  return { ...rest, partitionKey: partition, rowKey };
}

/** Row keys that begin so: the character after the prefix's last is where they end. */
export function startingWith(prefix: string): string {
  const end = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
  return odata`PartitionKey eq ${partition} and RowKey ge ${prefix} and RowKey lt ${end}`;
}

/** Row keys that begin with the one prefix and not with the other, longer one: those before it, and those after it. */
export function outside(prefix: string, but: string): readonly [string, string] {
  const after = (text: string): string => text.slice(0, -1) + String.fromCharCode(text.charCodeAt(text.length - 1) + 1);
  const all = odata`PartitionKey eq ${partition}`;
  return [
    `${all} and ${odata`RowKey ge ${prefix} and RowKey lt ${but}`}`,
    `${all} and ${odata`RowKey ge ${after(but)} and RowKey lt ${after(prefix)}`}`,
  ];
}

export const kind = (name: string): string => startingWith(`${name}_`);

export function keyIn(row: Readonly<Record<string, unknown>> | undefined): JobKey | undefined {
  const [partitionKey, rowKey] = [row?.["rowPartition"], row?.["rowRow"]];
  return typeof partitionKey === "string" && typeof rowKey === "string" ? { partitionKey, rowKey } : undefined;
}

/** Where the row of a job is, as columns of an entry that leads to it. */
export function leadsTo({ partitionKey, rowKey }: JobKey): { rowPartition: string; rowRow: string } {
  return { rowPartition: partitionKey, rowRow: rowKey };
}

/** An entry by which a job of a name is found, newest first. */
export function nameEntry(name: GroupName, { rowKey }: JobKey): string {
  return `name_${nameKey(name)}_${rowKey}`;
}

/**
 * First come first; of two of the same millisecond the one with the smaller id.
 *
 * @param turn when the wait counts from (`queueTimeOf`)
 */
export function waitKey(name: string, turn: number, id: JobId): string {
  return `wait_${nameKey(name)}_${String(turn).padStart(13, "0")}_${id}`;
}

/**
 * The mark of an index that is whole. Whatever takes a name or an id finds it in the same transaction: after the index was lost nobody
 * takes what a running job has, until it is rebuilt.
 */
export const mark = "index";

/** An installation without any job begins its index; one with jobs has lost it. */
export async function beginIndex(storage: Storage): Promise<void> {
  const rows = storage.table(tableNames.jobs).listEntities({ queryOptions: { select: ["RowKey"] } });
  const pages = rows.byPage({ maxPageSize: 1 });
  for (;;) {
    const page = await storageCall(() => pages.next(), 404);
    if (page === 404 || page.done) break;
    if (page.value.length > 0) return;
  }
  const index = storage.table(tableNames.index);
  await storageCall(() => index.createTable(), 409);
  await storageCall(() => index.upsertEntity(entity(mark), "Merge"));
}

export function timeOf(value: unknown): number {
  return value instanceof Date ? value.getTime() : 0;
}

/** Reads and writes of the partition, with what storage may answer as values. */
export class IndexPartition {
  protected readonly table: TableClient;

  constructor(table: TableClient) {
    this.table = table;
  }

  protected async get(rowKey: string): Promise<IndexRow | undefined> {
    const row = await storageCall(() => this.table.getEntity(partition, rowKey), 404);
    return row === 404 ? undefined : row;
  }

  /** @param page how many rows one call reads: as many as the service gives, unless few are needed */
  protected async *rows(
    filter: string,
    select?: string[],
    page = 1000,
  ): AsyncGenerator<Readonly<Record<string, unknown>>> {
    const entities = this.table.listEntities({ queryOptions: { filter, ...(select ? { select } : {}) } });
    const pages = entities.byPage({ maxPageSize: page });
    for (;;) {
      const next = await storageCall(() => pages.next(), 404);
      // No table: nothing was ever written.
      if (next === 404 || next.done) return;
      yield* next.value;
    }
  }

  /** Whether a filter lets any row through. */
  protected async any(filter: string): Promise<boolean> {
    for await (const _row of this.rows(filter, ["RowKey"], 1)) return true;
    return false;
  }

  protected async remove(rowKey: string): Promise<void> {
    await storageCall(() => this.table.deleteEntity(partition, rowKey), 404);
  }

  async isWhole(): Promise<boolean> {
    return (await this.get(mark)) !== undefined;
  }

  protected async markWhole(): Promise<void> {
    await storageCall(() => this.table.upsertEntity(entity(mark), "Merge"));
  }

  /** As {@link transact}, for what must not be taken while the index is lost. */
  protected async transactWhole(actions: readonly TransactionAction[]): Promise<"done" | "refused" | "no index"> {
    const found: TransactionAction = ["update", entity(mark), "Merge"];
    const result = await storageCall(() => this.table.submitTransaction([found, ...actions]), 404, 409, 412);
    if (typeof result !== "number") return "done";
    return result === 404 && !(await this.isWhole()) ? "no index" : "refused";
  }

  /** False when an entity was there already, was not there, or had changed: then nothing was done. */
  protected async transact(actions: TransactionAction[]): Promise<boolean> {
    const result = await storageCall(() => this.table.submitTransaction(actions), 404, 409, 412);
    return typeof result !== "number";
  }
}
