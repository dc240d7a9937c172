import type { TableClient, TransactionAction } from "@azure/data-tables";
import { parseJobId, type JobId } from "../base/ids.ts";
import { parseJson } from "../base/json.ts";
import { storageCall } from "./connect.ts";
import { afterDays, arrayPartition, childRows, countsRow, itemRows, recordColumns, type JobKey } from "./job-row.ts";

/**
 * The table `jobs` as retention sees it: partitions, and by the columns alone what in them is past its time. A row whose record can't be
 * read is no different here.
 */
export interface OldRow {
  readonly key: JobKey;
  readonly etag: string;
  readonly id: JobId;
  readonly name: string;
  /** How many attempts it began, where the row says so. */
  readonly attempts: number | undefined;
  readonly hasLogs: boolean;
  readonly hasDefinition: boolean;
  /** Of an array: where its children have their rows. */
  readonly children: string | undefined;
  /** Callers are still to be notified of the job's end, and their addresses are in the sealed bytes. */
  readonly awaitsNotification: boolean;
  /** The record, where it was asked for and is JSON. */
  readonly record: unknown;
}

/** What is kept for a time of its own. */
export type Kept = "definitions" | "logs" | "rows";

/** That a row still has it. */
const has: Readonly<Record<Kept, string>> = {
  definitions: "hasDefinition eq true",
  logs: "hasLogs eq true",
  rows: "PartitionKey ne ''",
};
/** That it may go, beside the time. No row goes while its group may exist. */
const mayGo: Readonly<Record<Kept, string>> = {
  ...has,
  rows: "groupDeleted eq true",
};

const columns = [
  ...["PartitionKey", "RowKey", "id", "name", "createdAt", "attempt"],
  ...["hasLogs", "hasDefinition", "callbackState", "array"],
];
/** A transaction's most actions; a page of rows with their records must fit into memory too. */
const batch = 100;

export class OldRows {
  readonly #table: TableClient;

  constructor(table: TableClient) {
    this.#table = table;
  }

  /** The days' partitions that there are, the newest first, found by stepping from one to the next. An array's goes with its array. */
  async *partitions(): AsyncGenerator<string> {
    for (let last = ""; ;) {
      const [next] = await this.#page(
        `PartitionKey gt '${last}' and PartitionKey lt '${afterDays}'`,
        ["PartitionKey"],
        1,
      );
      if (typeof next?.["partitionKey"] !== "string") return;
      last = next["partitionKey"];
      yield last;
    }
  }

  /** Whether anything of a kind is left in a partition, past its time or not. */
  async hasAny(partition: string, kind: Kept): Promise<boolean> {
    const rows = await this.#page(`PartitionKey eq '${partition}' and ${has[kind]}`, ["PartitionKey"], 1);
    return rows.length > 0;
  }

  /** What is past its time, a hundred rows at a time. */
  async *past(kind: Kept, partition: string, endedBefore: number): AsyncGenerator<readonly OldRow[]> {
    const filter = [
      `PartitionKey eq '${partition}'`,
      mayGo[kind],
      `finishedAt lt datetime'${new Date(endedBefore).toISOString()}'`,
    ].join(" and ");
    yield* this.#pages(filter, kind === "rows" ? [...columns, ...recordColumns] : columns);
  }

  /** Children of an array that have logs, or that may go as a whole, a hundred rows at a time. */
  children(kind: "logs" | "rows", partition: string): AsyncGenerator<readonly OldRow[]> {
    return this.#pages(`${childRows({ partition })} and ${mayGo[kind]}`, columns);
  }

  /** What is counted of an array's children, and rows of their items, once all are gone. */
  async removeCounts(partition: string): Promise<"removed" | "children left"> {
    const left = await this.#page(childRows({ partition }), ["PartitionKey"], 1);
    if (left.length > 0) return "children left";
    for (;;) {
      const items = await this.#page(itemRows(partition), ["PartitionKey", "RowKey"], batch);
      if (items.length === 0) break;
      const gone = items.map(({ rowKey }): TransactionAction => [
        "delete",
        { partitionKey: partition, rowKey: String(rowKey) },
      ]);
      await storageCall(() => this.#table.submitTransaction(gone), 404);
    }
    await storageCall(() => this.#table.deleteEntity(partition, countsRow), 404);
    return "removed";
  }

  async *#pages(filter: string, select: string[]): AsyncGenerator<readonly OldRow[]> {
    const pages = this.#table.listEntities({ queryOptions: { filter, select } }).byPage({ maxPageSize: batch });
    for (;;) {
      const page = await storageCall(() => pages.next(), 404);
      if (page === 404 || page.done) return;
      const rows = page.value.map(rowOf).filter((row) => row !== undefined);
      if (rows.length > 0) yield rows;
    }
  }

  /** Takes sealed bytes, or the mark of kept logs, out of rows of one partition that have not changed since. */
  async clear(rows: readonly OldRow[], kind: "definitions" | "logs"): Promise<void> {
    const cleared = kind === "logs" ? { hasLogs: false } : { hasDefinition: false, definition: "", callbacks: "" };
    await this.#apply(rows, (row) => ["update", { ...row.key, ...cleared }, "Merge", { etag: row.etag }]);
  }

  async remove(rows: readonly OldRow[]): Promise<void> {
    await this.#apply(rows, ({ key }) => ["delete", { ...key }]);
  }

  /** Whether a job has a row with a sealed definition; `undefined` where it has no row. */
  async hasDefinition({ partitionKey, rowKey }: JobKey): Promise<boolean | undefined> {
    const queryOptions = { select: ["hasDefinition"] };
    const row = await storageCall(() => this.#table.getEntity(partitionKey, rowKey, { queryOptions }), 404);
    return row === 404 ? undefined : row["hasDefinition"] === true;
  }

  /** All in one transaction; where one of them has changed meanwhile, one by one: that one's turn comes again. */
  async #apply(rows: readonly OldRow[], action: (row: OldRow) => TransactionAction): Promise<void> {
    if (rows.length === 0) return;
    const all = await storageCall(() => this.#table.submitTransaction(rows.map(action)), 400, 404, 412);
    if (typeof all !== "number") return;
    for (const row of rows) await storageCall(() => this.#table.submitTransaction([action(row)]), 400, 404, 412);
  }

  async #page(filter: string, select: string[], maxPageSize: number): Promise<readonly Record<string, unknown>[]> {
    const pages = this.#table.listEntities({ queryOptions: { filter, select } }).byPage({ maxPageSize });
    for (;;) {
      const page = await storageCall(() => pages.next(), 404);
      if (page === 404 || page.done) return [];
      // A page may be empty and still be followed by others.
      if (page.value.length > 0) return page.value;
    }
  }
}

function rowOf(row: Readonly<Record<string, unknown>>): OldRow | undefined {
  const { partitionKey, rowKey, etag, id: text, name, createdAt } = row;
  const id = typeof text === "string" ? parseJobId(text) : undefined;
  if (typeof partitionKey !== "string" || typeof rowKey !== "string" || typeof etag !== "string" || id === undefined)
    return undefined;
  return {
    key: { partitionKey, rowKey },
    etag,
    id,
    name: typeof name === "string" ? name : "",
    attempts: typeof row["attempt"] === "number" ? row["attempt"] : undefined,
    hasLogs: row["hasLogs"] === true,
    hasDefinition: row["hasDefinition"] === true,
    children:
      typeof row["array"] === "string" && createdAt instanceof Date
        ? arrayPartition(id, createdAt.getTime())
        : undefined,
    awaitsNotification: row["callbackState"] === "pending",
    record: parseJson(recordColumns.map((part) => (typeof row[part] === "string" ? row[part] : "")).join("")),
  };
}
