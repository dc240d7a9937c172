import type { TableClient } from "@azure/data-tables";
import { storageCall } from "./connect.ts";
import { entryKey, isSteered, partsOf, steeringColumns, steeringIn, type Steered } from "./group-entries.ts";

const partition = "group";

/**
 * A copy of what operators say of groups of jobs, in the table `control`. What counts stands in the job index, which may be lost: it is
 * written anew from here.
 */
export class SteeringCopies {
  readonly #table: TableClient;

  constructor(control: TableClient) {
    this.#table = control;
  }

  async all(): Promise<ReadonlyMap<string, Steered>> {
    const copies = new Map<string, Steered>();
    const pages = this.#table.listEntities({ queryOptions: { filter: `PartitionKey eq '${partition}'` } }).byPage();
    for (;;) {
      const next = await storageCall(() => pages.next(), 404);
      if (next === 404 || next.done) return copies;
      for (const row of next.value) {
        const group = partsOf(row.rowKey ?? "")?.group;
        if (group !== undefined) copies.set(group, steeringIn(row));
      }
    }
  }

  async put(group: string, steered: Steered): Promise<void> {
    const rowKey = entryKey(group);
    if (!isSteered(steered)) await storageCall(() => this.#table.deleteEntity(partition, rowKey), 404);
    else
      await storageCall(() =>
        this.#table.upsertEntity({ partitionKey: partition, rowKey, ...steeringColumns(steered) }, "Replace"),
      );
  }
}
