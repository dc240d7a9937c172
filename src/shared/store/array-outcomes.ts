import type { TableClient, TransactionAction } from "@azure/data-tables";
import { z } from "zod";
import { openObject } from "../base/open.ts";
import { parseJson } from "../base/json.ts";
import { endCounts, itemFailure } from "../job/job.ts";
import { nothingEnded, type ArrayOutcomes } from "../job/array-outcomes.ts";
import { storageCall } from "./connect.ts";
import { countsRow, type JobKey } from "./job-row.ts";

/** The entity in an array's partition that counts its children's ends. It is there from the first end on. */
export interface StoredOutcomes {
  readonly outcomes: ArrayOutcomes;
  /** Absent where nothing has ended yet. */
  readonly etag: string | undefined;
}

const schema = openObject({
  counts: endCounts,
  failures: z.array(itemFailure),
  runs: z.array(openObject({ startSeconds: z.number(), runSeconds: z.number() })),
  kept: z.number(),
  requeueAt: z.number().default(0),
  vcpuSeconds: z.number(),
  gbSeconds: z.number(),
});

/**
 * One point read, whatever the array's size.
 *
 * @param partitionKey of the array (`arrayPartition`)
 */
export async function readOutcomes(table: TableClient, partitionKey: string): Promise<StoredOutcomes> {
  const row = await storageCall(() => table.getEntity(partitionKey, countsRow), 404);
  if (row === 404) return { outcomes: nothingEnded, etag: undefined };
  const read = schema.safeParse(parseJson(typeof row["counted"] === "string" ? row["counted"] : ""));
  if (!read.success || typeof row["ends"] !== "string")
    throw new Error(`The counts of the array in the partition ${partitionKey} can't be read.`);
  return { outcomes: { ...read.data, ends: row["ends"] }, etag: row.etag };
}

/** Writes the counts over what was read, or not at all. */
export function outcomesAction(
  { partitionKey }: JobKey,
  { etag }: StoredOutcomes,
  next: ArrayOutcomes,
): TransactionAction {
  const { ends, ...counted } = next;
  const row = { partitionKey, rowKey: countsRow, ends, counted: JSON.stringify(counted) };
  return etag === undefined ? ["create", row] : ["update", row, "Replace", { etag }];
}
