import type { TableClient } from "@azure/data-tables";
import { gunzipSync, gzipSync } from "node:zlib";
import { z } from "zod";
import type { JobId } from "../base/ids.ts";
import { openObject, openWord } from "../base/open.ts";
import { isDropped } from "../job/result.ts";
import { maxEntityBytes, sizeOf } from "./job-row.ts";
import { storageCall, writeInto } from "./connect.ts";

const result = {
  result: z.record(z.string(), z.unknown()).optional(),
  /** Why something that looked like a result was dropped. */
  resultDropped: z.string().refine(isDropped).optional().catch(undefined),
};

/**
 * The table `attempts`: what each attempt's containers did, one entity per attempt (partition: the job's id; row: the attempt's
 * number). Outputs make it large, so it is compressed, and cut until it fits.
 */
const containerResult = openObject({
  name: z.string(),
  init: z.boolean(),
  state: z.string(),
  startTime: z.number().optional(),
  finishTime: z.number().optional(),
  exitCode: z.number().optional(),
  detailStatus: z.string().optional(),
  restartCount: z.number(),
  output: z.string(),
  outputTruncated: z.boolean(),
  log: openWord(["complete", "truncated", "missing"]),
  logBytes: z.number(),
  /** False while its log could not be read or stored: a later try may do better. */
  settled: z.boolean().default(true),
  /** Of an item of a pack. */
  ...result,
});
export type ContainerResult = z.infer<typeof containerResult>;

const itemResult = openObject({
  index: z.number(),
  state: z.string(),
  reason: z.string().optional(),
  exitCode: z.number().optional(),
  result: z.record(z.string(), z.unknown()).optional(),
});
/** What came of an index of an array. */
export type ItemResult = z.infer<typeof itemResult>;

const attemptResult = openObject({
  attempt: z.number(),
  containers: z.array(containerResult),
  ...result,
  /** Of an array: what came of its indexes, in their order, and whether that is not all. */
  items: z.array(itemResult).optional(),
  itemsTruncated: z.boolean().optional(),
});
export type AttemptResult = z.infer<typeof attemptResult>;

/** A binary property holds 64 KiB. */
const chunk = 60_000;

export class Attempts {
  readonly #table: TableClient;

  constructor(table: TableClient) {
    this.#table = table;
  }

  async save(id: JobId, result: AttemptResult): Promise<void> {
    const entity = entityOf(id, result);
    await writeInto(this.#table, () => this.#table.upsertEntity(entity, "Replace"));
  }

  async find(id: JobId, attempt: number): Promise<AttemptResult | undefined> {
    const row = await storageCall(() => this.#table.getEntity(id, rowKey(attempt)), 404);
    return row === 404 ? undefined : resultOfRow(row);
  }

  async all(id: JobId): Promise<readonly AttemptResult[]> {
    const results: AttemptResult[] = [];
    const rows = this.#table.listEntities({ queryOptions: { filter: `PartitionKey eq '${id}'` } });
    for (;;) {
      const next = await storageCall(() => rows.next(), 404);
      if (next === 404 || next.done) return results;
      const result = resultOfRow(next.value);
      if (result) results.push(result);
    }
  }

  /** @param count how many attempts there were, where that is known: then nobody has to ask */
  async drop(id: JobId, count: number | undefined): Promise<void> {
    if (count !== undefined) {
      const keys = Array.from({ length: count }, (_, n) => rowKey(n + 1));
      await Promise.all(keys.map((key) => storageCall(() => this.#table.deleteEntity(id, key), 404)));
      return;
    }
    const queryOptions = { filter: `PartitionKey eq '${id}'`, select: ["RowKey"] };
    const rows = this.#table.listEntities({ queryOptions });
    for (;;) {
      const next = await storageCall(() => rows.next(), 404);
      if (next === 404 || next.done) return;
      await storageCall(() => this.#table.deleteEntity(id, String(next.value.rowKey)), 404);
    }
  }
}

function rowKey(attempt: number): string {
  return String(attempt).padStart(3, "0");
}

function entityOf(
  id: JobId,
  result: AttemptResult,
): { partitionKey: string; rowKey: string } & Record<string, unknown> {
  const bytes = gzipSync(JSON.stringify(result));
  const parts: Record<string, Uint8Array> = {};
  for (let at = 0; at < bytes.length; at += chunk) parts[`data${at / chunk}`] = bytes.subarray(at, at + chunk);
  const entity = { partitionKey: id, rowKey: rowKey(result.attempt), ...parts };
  if (sizeOf(entity) <= maxEntityBytes) return entity;
  const containers = result.containers.map((container) => ({
    ...container,
    output: container.output.slice(Math.ceil(container.output.length / 2)),
    outputTruncated: true,
  }));
  return entityOf(id, { ...result, containers });
}

function resultOfRow(row: Readonly<Record<string, unknown>>): AttemptResult | undefined {
  const parts: Uint8Array[] = [];
  for (let at = 0; ; at++) {
    const part = row[`data${at}`];
    if (!(part instanceof Uint8Array)) break;
    parts.push(part);
  }
  try {
    return attemptResult.parse(JSON.parse(gunzipSync(Buffer.concat(parts)).toString("utf8")));
  } catch {
    return undefined;
  }
}
