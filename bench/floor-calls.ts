import { TableClient, type TransactionAction } from "@azure/data-tables";
import { QueueServiceClient } from "@azure/storage-queue";
import { randomUUID } from "node:crypto";
import { z } from "zod";

/** Where the floors find what they copy, and where they write. */
export const floorShape = z.object({
  /** The connection string of a floor's own storage, which is new. */
  storage: z.string(),
  /** That of the storage in which the app accepted a job. */
  appStorage: z.string(),
  job: z.string(),
  /** Of the job's row. */
  key: z.object({ partitionKey: z.string(), rowKey: z.string() }),
});

/** The app's storage calls, in the same order, with entities of the same size, and nothing else. */
export interface FloorCalls {
  readonly accept: () => Promise<void>;
  /** Reads a point. */
  readonly read: () => Promise<void>;
  /** What both answer with, as JSON. */
  readonly answer: string;
}

type Entity = { partitionKey: string; rowKey: string } & Record<string, unknown>;

/** The entities are copies of a job that the app accepted, under new keys. `bench/calls.ts` checks that the calls are the same. */
export async function floorCalls({ storage, appStorage, job, key }: z.infer<typeof floorShape>): Promise<FloorCalls> {
  const table = (connection: string, name: string): TableClient =>
    TableClient.fromConnectionString(connection, name, { allowInsecureConnection: true });
  const [jobs, index] = [table(storage, "jobs"), table(storage, "jobindex")];
  const queue = QueueServiceClient.fromConnectionString(storage).getQueueClient("aci-jobs");
  await Promise.all([jobs.createTable(), index.createTable(), queue.createIfNotExists()]);

  const row = await template(table(appStorage, "jobs"), key.partitionKey, key.rowKey);
  const { name, groupName } = z.object({ name: z.string(), groupName: z.string() }).parse(row);
  const indexed = (rowKey: string): Promise<Entity> => template(table(appStorage, "jobindex"), "jobs", rowKey);
  const [whole, jobEntry, nameEntry, holdEntry] = await Promise.all([
    indexed("index"),
    indexed(`job_${job}`),
    indexed(`name_${name}_${key.rowKey}`),
    indexed(`hold_${groupName}`),
  ]);
  await Promise.all([jobs.createEntity(row), index.createEntity(whole)]);

  const select = ["PartitionKey", "RowKey", "record", "record1", "record2", "record3", "record4"];
  return {
    async accept() {
      const fresh = randomUUID();
      const actions: TransactionAction[] = [
        // An index that was lost is not written to.
        ["update", { partitionKey: whole.partitionKey, rowKey: whole.rowKey }, "Merge"],
        ["create", { ...jobEntry, rowKey: `job_${fresh}` }],
        ["create", { ...nameEntry, rowKey: `name_${name}_${key.rowKey.slice(0, 14)}${fresh}` }],
        ["create", { ...holdEntry, rowKey: `hold_${name}-${fresh}` }],
      ];
      await index.submitTransaction(actions);
      await jobs.createEntity({ ...row, rowKey: `${key.rowKey.slice(0, 14)}${fresh}` });
      await queue.sendMessage(JSON.stringify({ version: 1, op: "run", id: fresh }), {
        visibilityTimeout: 0,
        messageTimeToLive: -1,
      });
    },
    async read() {
      await jobs.getEntity(key.partitionKey, key.rowKey, { queryOptions: { select } });
    },
    answer: JSON.stringify({ message: `Container Group ${name} accepted`, name, state: "Queued", id: job }),
  };
}

/** An entity as it is, types included, ready to be written again. */
async function template(client: TableClient, partitionKey: string, rowKey: string): Promise<Entity> {
  const found = await client.getEntity(partitionKey, rowKey, { disableTypeConversion: true });
  const { etag: _, timestamp: __, ...rest } = found;
  const written = z.object({ type: z.string(), value: z.unknown() });
  const plain = (value: unknown): unknown => {
    const typed = written.safeParse(value);
    if (!typed.success) return value;
    return ["String", "Boolean"].includes(typed.data.type)
      ? typed.data.value
      : typed.data.type === "Int32"
        ? Number(typed.data.value)
        : value;
  };
  const properties: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(rest)) if (!name.startsWith("odata")) properties[name] = plain(value);
  return { ...properties, partitionKey, rowKey };
}
