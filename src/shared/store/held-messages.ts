import { odata, type TableClient } from "@azure/data-tables";
import { hour } from "../base/duration.ts";
import { parseJobId, type JobId } from "../base/ids.ts";
import { storageCall } from "./connect.ts";

/**
 * Messages on `aci-jobs` that wait for what they need (partition `held` of the table `control`). They are kept for people only: no decision
 * about a message depends on them.
 */
export interface HeldMessage {
  readonly id: JobId;
  readonly why: string;
  readonly since: number;
  readonly tries: number;
  /** When it is tried again. */
  readonly until: number;
}

export interface HeldSummary {
  readonly count: number;
  readonly oldest: number | undefined;
  /** How many wait for what. */
  readonly reasons: Readonly<Record<string, number>>;
}

const partition = "held";
/** An entry whose next try is this far in the past is left over: its message was processed, and the entry could not be removed. */
const stale = hour;
/** Enough to see that there is trouble. */
const maxCounted = 5000;

export class HeldMessages {
  readonly #table: TableClient;

  constructor(table: TableClient) {
    this.#table = table;
  }

  async note({ id, why, since, tries, until }: HeldMessage): Promise<void> {
    const dates = { since: new Date(since), until: new Date(until) };
    const entity = { partitionKey: partition, rowKey: id, why, tries, ...dates };
    await storageCall(() => this.#table.upsertEntity(entity, "Replace"));
  }

  async drop(id: JobId): Promise<void> {
    await storageCall(() => this.#table.deleteEntity(partition, id), 404);
  }

  async summary(now: number): Promise<HeldSummary> {
    let [count, oldest] = [0, Infinity];
    const reasons: Record<string, number> = {};
    for await (const { why, since } of this.#until(odata`until ge ${new Date(now - stale)}`)) {
      oldest = Math.min(oldest, since);
      reasons[why] = (reasons[why] ?? 0) + 1;
      if (++count >= maxCounted) break;
    }
    return { count, oldest: oldest === Infinity ? undefined : oldest, reasons };
  }

  async dropStale(now: number): Promise<void> {
    for await (const { id } of this.#until(odata`until lt ${new Date(now - stale)}`)) if (id) await this.drop(id);
  }

  async *#until(
    condition: string,
  ): AsyncGenerator<{ readonly id: JobId | undefined; readonly why: string; readonly since: number }> {
    const filter = `${odata`PartitionKey eq ${partition}`} and ${condition}`;
    const pages = this.#table.listEntities({ queryOptions: { filter } }).byPage({ maxPageSize: 1000 });
    for (;;) {
      const page = await storageCall(() => pages.next(), 404);
      if (page === 404 || page.done) return;
      for (const { rowKey, why, since } of page.value) {
        const at = since instanceof Date ? since.getTime() : 0;
        yield { id: parseJobId(String(rowKey)), why: String(why), since: at };
      }
    }
  }
}
