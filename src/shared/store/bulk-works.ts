import type { TableClient } from "@azure/data-tables";
import { z } from "zod";
import { storageCall } from "./connect.ts";

/**
 * Cancels of many jobs that took longer than a caller waits (table `control`, partition `bulk`): the sweep goes on with them. A job that
 * is canceled already is passed over, so that a work may be begun again at any time.
 */
const selectionSchema = z.object({
  name: z.string().optional(),
  tag: z.string().optional(),
  states: z.array(z.string()).optional(),
  /** Jobs that were accepted later are not meant. */
  until: z.number(),
});
export type Selection = z.infer<typeof selectionSchema>;

export interface BulkWork {
  readonly key: string;
  readonly selection: Selection;
  readonly by: string | undefined;
}

const partition = "bulk";

export class BulkWorks {
  readonly #table: TableClient;

  constructor(table: TableClient) {
    this.#table = table;
  }

  async add({ key, selection, by }: BulkWork): Promise<void> {
    const entity = { partitionKey: partition, rowKey: key, selection: JSON.stringify(selection) };
    await storageCall(() => this.#table.upsertEntity({ ...entity, ...(by === undefined ? {} : { by }) }, "Replace"));
  }

  async all(): Promise<readonly BulkWork[]> {
    const works: BulkWork[] = [];
    const rows = this.#table.listEntities({ queryOptions: { filter: `PartitionKey eq '${partition}'` } });
    for (;;) {
      const next = await storageCall(() => rows.next(), 404);
      if (next === 404 || next.done) return works;
      const { rowKey, selection, by } = next.value;
      const read = selectionSchema.safeParse(parsed(selection)).data;
      // One that can't be read harms itself alone.
      if (read) works.push({ key: String(rowKey), selection: read, by: typeof by === "string" ? by : undefined });
    }
  }

  async drop(key: string): Promise<void> {
    await storageCall(() => this.#table.deleteEntity(partition, key), 404);
  }
}

function parsed(json: unknown): unknown {
  try {
    return JSON.parse(String(json));
  } catch {
    return undefined;
  }
}
