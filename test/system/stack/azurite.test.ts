import { TableClient } from "@azure/data-tables";
import { BlobServiceClient } from "@azure/storage-blob";
import { QueueServiceClient } from "@azure/storage-queue";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { connectionString, type StoragePorts } from "../../../local/azurite/connection.ts";
import { freePorts } from "../../../local/stack/ports.ts";
import { forkPart } from "../../kit/part.ts";

let folder: string;
let ports: StoragePorts;
let children: ChildProcess[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "azurite-test-"));
  const [blob = 0, queue = 0, table = 0] = await freePorts(3);
  ports = { blob, queue, table };
  children = [];
});

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  await rm(folder, { recursive: true });
});

/** The part, and the first thing it says. */
async function start(): Promise<{ child: ChildProcess; says: unknown }> {
  const child = forkPart("azurite", { folder, ...ports });
  children.push(child);
  const said: unknown[] = await once(child, "message");
  return { child, says: said[0] };
}

test("what was written is there after the supervisor's death and a new start", async () => {
  const { child, says } = await start();
  expect(says).toEqual({ type: "ready", url: `http://127.0.0.1:${ports.blob}` });
  const connection = connectionString(ports);
  const table = TableClient.fromConnectionString(connection, "rows", { allowInsecureConnection: true });
  const queue = QueueServiceClient.fromConnectionString(connection).getQueueClient("messages");
  const blobs = BlobServiceClient.fromConnectionString(connection).getContainerClient("blobs");
  await Promise.all([table.createTable(), queue.create(), blobs.create()]);
  await table.createEntity({ partitionKey: "p", rowKey: "r", text: "a row" });
  await queue.sendMessage("a message");
  await blobs.getBlockBlobClient("b").upload("a blob", 6);

  child.disconnect();
  expect(await once(child, "exit")).toEqual([0, null]);
  await start();

  expect((await table.getEntity<{ text: string }>("p", "r")).text).toBe("a row");
  expect((await queue.peekMessages()).peekedMessageItems.map(({ messageText }) => messageText)).toEqual(["a message"]);
  expect((await blobs.getBlockBlobClient("b").downloadToBuffer()).toString()).toBe("a blob");
});

test("a port that is taken is reported by its code", async () => {
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(ports.queue, "127.0.0.1", resolve));
  try {
    const { child, says } = await start();
    expect(says).toMatchObject({ type: "failed", code: "EADDRINUSE" });
    if (child.exitCode === null) await once(child, "exit");
  } finally {
    blocker.close();
  }
});

test("a file that is damaged is reported with what to do", async () => {
  const name = "__azurite_db_table__.json";
  await writeFile(join(folder, name), '{"filename":');
  const remedy = "Move that folder away: the stack then starts with empty storage, without the jobs so far.";
  const message = `${name} in ${folder} is damaged. ${remedy}`;
  expect((await start()).says).toEqual({ type: "failed", code: "StartFailed", message });
});
