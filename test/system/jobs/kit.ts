import type { TableEntityResult } from "@azure/data-tables";
import type { QueueServiceClient } from "@azure/storage-queue";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { z } from "zod";
import { startAzurite, type Azurite } from "../../kit/azurite.ts";
import { programs } from "../../kit/part.ts";
import { freePorts } from "../../../local/stack/ports.ts";
import { startStack, type Stack } from "../../../local/stack/stack.ts";
import { tableNames } from "../../../src/shared/store/connect.ts";
import { parseJobId } from "../../../src/shared/base/ids.ts";
import { keyOfMinted, type JobKey } from "../../../src/shared/store/job-row.ts";
import { connectStorage, type Storage } from "../../../src/shared/store/connect.ts";

/** The built stack with simulated containers, on a storage that the test can look into; and callers of it. */
export interface Service {
  readonly url: string;
  readonly queues: QueueServiceClient;
  readonly storage: Storage;
  /** Address of the local ACI. */
  readonly arm: string;
  /** What the host has logged so far. */
  hostLog(): Promise<string>;
  stop(): Promise<void>;
}

export async function startService(env: NodeJS.ProcessEnv = {}): Promise<Service> {
  const folder = await mkdtemp(join(tmpdir(), "jobs-test-"));
  const azurite: Azurite = await startAzurite();
  const [port = 0] = await freePorts(1);
  const stack: Stack = await startStack(
    {
      port,
      folder,
      host: "embedded",
      storage: "external",
      arm: { kind: "local", engine: "simulated", simulated: {}, control: false, faults: [] },
      key: "local",
      verbose: false,
      env: { ...process.env, AzureWebJobsStorage: azurite.connectionString, LOOK_INTERVAL_MIN: "PT1S", ...env },
    },
    programs,
    new AbortController().signal,
  );
  const storage = connectStorage({ kind: "connectionString", setting: "tests", value: azurite.connectionString });
  return {
    url: stack.url,
    storage,
    queues: storage.queues,
    arm: stack.addresses.find(({ name }) => name.startsWith("local ACI"))?.address ?? "",
    hostLog: () => readFile(join(folder, "logs", "host.log"), "utf8"),
    stop: async () => {
      await stack.stop();
      await azurite.stop();
      await rm(folder, { recursive: true });
    },
  };
}

const reply = z.looseObject({
  message: z.string().optional(),
  id: z.string().default(""),
  name: z.string().optional(),
  state: z.string().default(""),
  reason: z.string().optional(),
  exitCode: z.number().nullish(),
  attempt: z.number().optional(),
  groupDeleted: z.boolean().optional(),
  attached: z.boolean().optional(),
  rerunOf: z.string().optional(),
  containers: z
    .record(z.string(), z.looseObject({ exit_code: z.number().nullish(), output: z.string().nullish() }))
    .default({}),
  result: z.unknown().optional(),
});
export type Reply = z.infer<typeof reply> & { readonly status: number; readonly location: string | null };

export async function call(
  service: Service,
  method: string,
  path: string,
  body?: string,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const address = path.startsWith("http") ? path : `${service.url}/api/${path}`;
  const response = await fetch(address, {
    method,
    headers: { "x-functions-key": "local", ...headers },
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  return {
    ...reply.parse(text === "" ? {} : JSON.parse(text)),
    status: response.status,
    location: response.headers.get("location"),
  };
}

/** Polls as Data Factory does, until something else than 202 is answered. */
export async function ended(service: Service, path: string): Promise<Reply> {
  return vi.waitFor(
    async () => {
      const status = await call(service, "GET", path);
      expect(status.status, JSON.stringify(status)).not.toBe(202);
      expect(status.status, JSON.stringify(status)).not.toBe(404);
      return status;
    },
    { timeout: 60_000, interval: 250 },
  );
}

/** Its columns in the table `jobs`. */
export async function rowOf({ storage }: Service, id: string): Promise<TableEntityResult<Record<string, unknown>>> {
  const { partitionKey, rowKey } = keyOf(id);
  return storage.table(tableNames.jobs).getEntity(partitionKey, rowKey);
}

function keyOf(id: string): JobKey {
  const jobId = parseJobId(id);
  const key = jobId && keyOfMinted(jobId);
  if (key === undefined) throw new Error(`${id} is not our id`);
  return key;
}

const record = z.looseObject({ createdAt: z.number(), leaseSeenAt: z.number().optional() });

/** When the job's `Location` was last read, as its row says. */
export async function leaseReadAt(service: Service, id: string): Promise<number> {
  const { record: text } = await rowOf(service, id);
  const job = record.parse(JSON.parse(String(text)));
  return job.leaseSeenAt ?? job.createdAt;
}

/** As if it had been read so much earlier: the row is changed, since a lease is longer than a test. */
export async function unread(service: Service, id: string, milliseconds: number): Promise<void> {
  const change = async (): Promise<void> => {
    const { etag, record: text } = await rowOf(service, id);
    const job = record.parse(JSON.parse(String(text)));
    const aged = { ...job, leaseSeenAt: Date.now() - milliseconds };
    const entity = { ...keyOf(id), record: JSON.stringify(aged) };
    await service.storage.table(tableNames.jobs).updateEntity(entity, "Merge", { etag });
  };
  await vi.waitFor(change, { timeout: 30_000, interval: 50 });
}

const groupShape = z.looseObject({
  name: z.string(),
  tags: z.record(z.string(), z.string()).default({}),
  properties: z.looseObject({
    containers: z.array(
      z.looseObject({
        properties: z.looseObject({
          environmentVariables: z.array(z.looseObject({ name: z.string(), value: z.string().optional() })),
        }),
      }),
    ),
  }),
});
type Group = z.infer<typeof groupShape>;

/** Every container group that the local ACI has. */
export async function groupsOf({ arm }: Service): Promise<readonly Group[]> {
  const provider = "subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.ContainerInstance";
  const groups: Group[] = [];
  let next: string | undefined = `${arm}/${provider}/containerGroups?api-version=2023-05-01`;
  while (next !== undefined) {
    const response = await fetch(next);
    const page = z.object({ value: z.array(groupShape), nextLink: z.string().optional() }).parse(await response.json());
    groups.push(...page.value);
    next = page.nextLink;
  }
  return groups;
}

/** The container group of that name in ACI; `undefined` when it is gone. */
export async function groupOf(service: Service, name: string): Promise<Group | undefined> {
  return (await groupsOf(service)).find((group) => group.name === name);
}
