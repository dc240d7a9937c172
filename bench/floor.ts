import { QueueServiceClient } from "@azure/storage-queue";
import { TableClient, type TransactionAction } from "@azure/data-tables";
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { servePart } from "../local/part.ts";
import { keyOfMinted } from "../src/shared/store/job-row.ts";
import { parseJobId } from "../src/shared/base/ids.ts";

/**
 * What the app is measured against: a bare `node:http` server that makes the app's storage calls, in the same order, with entities of
 * the same size, and does nothing else. `POST /api/trigger` accepts, `GET /api/status/{id}` reads a point.
 *
 * The entities are copies of a job that the app accepted, under new keys. `bench/calls.ts` checks that the calls are the same.
 */
const optionsShape = z.object({ connectionString: z.string(), job: z.string() });

type Entity = { partitionKey: string; rowKey: string } & Record<string, unknown>;

await servePart(async (options) => {
  const { connectionString, job } = optionsShape.parse(options);
  const table = (name: string): TableClient =>
    TableClient.fromConnectionString(connectionString, name, { allowInsecureConnection: true });
  const [jobs, index] = [table("jobs"), table("jobindex")];
  const queue = QueueServiceClient.fromConnectionString(connectionString).getQueueClient("aci-jobs");

  const id = parseJobId(job);
  const key = id && keyOfMinted(id);
  if (key === undefined) throw new Error("The floor needs a job of the app's own.");
  const row = await template(jobs, key.partitionKey, key.rowKey);
  const { name, groupName } = z.object({ name: z.string(), groupName: z.string() }).parse(row);
  const [jobEntry, nameEntry, holdEntry] = await Promise.all([
    template(index, "jobs", `job_${job}`),
    template(index, "jobs", `name_${name}_${key.rowKey}`),
    template(index, "jobs", `hold_${groupName}`),
  ]);

  const accept = async (): Promise<void> => {
    const fresh = randomUUID();
    const actions: TransactionAction[] = [
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
  };
  const select = ["PartitionKey", "RowKey", "record", "record1", "record2", "record3", "record4"];
  const read = async (): Promise<void> => {
    await jobs.getEntity(key.partitionKey, key.rowKey, { queryOptions: { select } });
  };

  const answer = JSON.stringify({ message: `Container Group ${name} accepted`, name, state: "Queued", id: job });
  const server = createServer((request, response) => {
    const work = request.method === "POST" ? drained(request).then(accept) : read();
    work.then(
      () =>
        response.writeHead(request.method === "POST" ? 200 : 202, { "content-type": "application/json" }).end(answer),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // it listens on a TCP port
  return {
    url: `http://localhost:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
});

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

async function drained(request: IncomingMessage): Promise<void> {
  for await (const _ of request);
}
