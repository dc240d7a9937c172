import type { TableClient } from "@azure/data-tables";
import { minute } from "../base/duration.ts";
import { messageOf, Unreadable } from "../base/errors.ts";
import type { JobId } from "../base/ids.ts";
import { entitiesOf, storageCall } from "./connect.ts";

/**
 * Rows that can't be read: edited by hand, cut off, or of a release that is not known. Each harms itself alone; whoever comes upon one
 * notes it in the table `control`, partition `unreadable`, where health counts it and the sweep looks again.
 */
const partition = "unreadable";
/** An instance notes the same row again no sooner. */
const notedTime = 10 * minute;
const maxNoted = 1000;

/** A row that was noted. */
export interface UnreadableRow {
  readonly id: string;
  readonly why: string;
}

export class UnreadableRows {
  readonly #table: TableClient;
  readonly #now: () => number;
  readonly #noted = new Map<string, number>();

  constructor(table: TableClient, now: () => number) {
    this.#table = table;
    this.#now = now;
  }

  /** Notes a row. Never fails: a note that can't be written now is written by whoever comes upon the row next. */
  async note(id: JobId, why: string): Promise<void> {
    const now = this.#now();
    if (now < (this.#noted.get(id) ?? 0)) return;
    if (this.#noted.size >= maxNoted) this.#noted.clear();
    this.#noted.set(id, now + notedTime);
    const entity = { partitionKey: partition, rowKey: id, why: why.slice(0, 500), at: new Date(now) };
    await storageCall(() => this.#table.upsertEntity(entity, "Replace"), 404).catch(() => this.#noted.delete(id));
  }

  /** What can't be read, as far as it was noticed; at most this many. */
  async list(max: number): Promise<readonly UnreadableRow[]> {
    const found: UnreadableRow[] = [];
    for await (const { rowKey, why } of entitiesOf(this.#table, partition)) {
      found.push({ id: String(rowKey), why: String(why) });
      if (found.length >= max) break;
    }
    return found;
  }

  /** The row can be read again, or is gone. */
  async forget(id: string): Promise<void> {
    this.#noted.delete(id);
    await storageCall(() => this.#table.deleteEntity(partition, id), 404);
  }

  /**
   * What a reader gives, or a note and its error.
   *
   * @throws Unreadable
   */
  async guard<T>(id: JobId, read: () => T): Promise<T> {
    try {
      return read();
    } catch (error) {
      const why = messageOf(error);
      await this.note(id, why);
      throw new Unreadable(id, why);
    }
  }
}
