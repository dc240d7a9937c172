import type { TableClient, TransactionAction } from "@azure/data-tables";
import { z } from "zod";
import { defined } from "../base/defined.ts";
import { openObject } from "../base/open.ts";
import { parseJson } from "../base/json.ts";
import { endCounts, itemFailure } from "../job/job.ts";
import { nothingEnded, type ArrayOutcomes } from "../job/array-outcomes.ts";
import { isReason, type Reason } from "../job/reasons.ts";
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
  const { ends, tries, spent } = row;
  if (!read.success || typeof ends !== "string")
    throw new Error(`The counts of the array in the partition ${partitionKey} can't be read.`);
  const ofPacks = defined({
    tries: typeof tries === "string" ? tries : undefined,
    spent: typeof spent === "string" ? spent : undefined,
  });
  return { outcomes: { ...read.data, ends, ...ofPacks }, etag: row.etag };
}

/** Writes the counts over what was read, or not at all. Columns that only a newer release knows stay. */
export function outcomesAction(
  { partitionKey }: Pick<JobKey, "partitionKey">,
  { etag }: StoredOutcomes,
  next: ArrayOutcomes,
): TransactionAction {
  const { ends, tries, spent, ...counted } = next;
  const row = { partitionKey, rowKey: countsRow, ends, ...defined({ tries, spent }), counted: JSON.stringify(counted) };
  return etag === undefined ? ["create", row] : ["update", row, "Merge", { etag }];
}

/** When one of an array's children started, milliseconds since 1970, or why one waits, before any has started or while no child runs. */
export interface StartOrWait {
  readonly startedAt?: number;
  readonly waitsFor?: Reason;
}

const everQueued = "queuedAt ge datetime'1970-01-01T00:00:00Z'";

/**
 * One read, or two where a child may wait. An item of a pack is no child.
 *
 * @param runs the array has started: asked is whether any child has a group now
 */
export async function startOrWait(table: TableClient, partitionKey: string, runs: boolean): Promise<StartOrWait> {
  if (runs) {
    const hasGroup = "(state eq 'Running' or state eq 'Pending' or state eq 'Provisioning')";
    if ((await ofAnyChild(table, partitionKey, "state", `${hasGroup} and ${everQueued}`)) !== undefined) return {};
  } else {
    const startedAt = await ofAnyChild(table, partitionKey, "startedAt", "startedAt ge datetime'1970-01-01T00:00:00Z'");
    if (startedAt instanceof Date) return { startedAt: startedAt.getTime() };
  }
  const reason = await ofAnyChild(table, partitionKey, "reason", `state eq 'Queued' and ${everQueued}`);
  return typeof reason === "string" && isReason(reason) ? { waitsFor: reason } : {};
}

/** A column of one of an array's children of which that holds. */
async function ofAnyChild(table: TableClient, partitionKey: string, column: string, meant: string): Promise<unknown> {
  const filter = `PartitionKey eq '${partitionKey}' and ${meant}`;
  const pages = table.listEntities({ queryOptions: { filter, select: [column] } }).byPage({ maxPageSize: 1 });
  const page = await storageCall(() => pages.next(), 404);
  return page === 404 || page.done ? undefined : page.value[0]?.[column];
}
