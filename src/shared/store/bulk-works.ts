import type { TableClient } from "@azure/data-tables";
import { z } from "zod";
import { entitiesOf, storageCall } from "./connect.ts";
import { parseJson } from "../base/json.ts";

/**
 * Cancels of many jobs (table `control`, partition `bulk`), recorded from before the first job is canceled until all are. The sweep
 * finishes what a call could not, because it took too long or its host died. A job that is already canceled is skipped, so the work may
 * be started again at any time.
 */
// A member that only a newer release can read may leave jobs out: without it too many would be meant.
const selectionSchema = z.strictObject({
  name: z.string().optional(),
  tag: z.string().optional(),
  states: z.array(z.string()).optional(),
  pipeline: z.string().optional(),
  group: z.string().optional(),
  team: z.string().optional(),
  /** Jobs that were accepted later are not meant. */
  until: z.number(),
});
export type Selection = z.infer<typeof selectionSchema>;

export interface BulkWork {
  readonly key: string;
  readonly selection: Selection;
  readonly by: string | undefined;
  /** Until then the call itself works on it. Milliseconds since 1970. */
  readonly callUntil: number;
}

const partition = "bulk";

export class BulkWorks {
  readonly #table: TableClient;

  constructor(table: TableClient) {
    this.#table = table;
  }

  async add({ key, selection, by, callUntil }: BulkWork): Promise<void> {
    const at = new Date(callUntil);
    const entity = { partitionKey: partition, rowKey: key, selection: JSON.stringify(selection), callUntil: at };
    await storageCall(() => this.#table.upsertEntity({ ...entity, ...(by === undefined ? {} : { by }) }, "Replace"));
  }

  async all(): Promise<readonly BulkWork[]> {
    const works: BulkWork[] = [];
    for await (const { rowKey, selection, by, callUntil } of entitiesOf(this.#table, partition)) {
      const read = selectionSchema.safeParse(parseJson(selection)).data;
      // One that can't be read harms itself alone.
      if (read === undefined) continue;
      works.push({
        key: String(rowKey),
        selection: read,
        by: typeof by === "string" ? by : undefined,
        callUntil: callUntil instanceof Date ? callUntil.getTime() : 0,
      });
    }
    return works;
  }

  async drop(key: string): Promise<void> {
    await storageCall(() => this.#table.deleteEntity(partition, key), 404);
  }
}
