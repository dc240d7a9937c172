import type { TableClient } from "@azure/data-tables";
import { z } from "zod";
import { day } from "../base/duration.ts";
import { parseJson } from "../base/json.ts";
import { entitiesOf, storageCall } from "./connect.ts";

/**
 * Reruns of many jobs (table `control`, partition `reruns`), recorded from before the first is accepted until a day after the last. The
 * sweep goes on with what a call could not finish. A job that was rerun already is so once, so the work may be repeated from any page.
 */
// A member that only a newer release can read may leave jobs out: without it too many would be meant.
const selectionSchema = z.strictObject({
  name: z.string().optional(),
  tag: z.string().optional(),
  states: z.array(z.string()),
  /** Columns and the values that they must have. */
  columns: z.record(z.string(), z.string()),
  /** This array alone is meant. */
  array: z.string().optional(),
  since: z.number().optional(),
  /** Jobs that were accepted later are not meant: reruns themselves among them. */
  until: z.number(),
});
export type RerunSelection = z.infer<typeof selectionSchema>;

/** How many jobs were looked at, and what came of them. */
const progressSchema = z.object({
  matched: z.number(),
  rerun: z.number(),
  /** They were rerun before. */
  known: z.number(),
  /** They can't be rerun, and stay as they are. */
  refused: z.number(),
  /** Where to go on: storage's own text. */
  page: z.string().optional(),
});
export type RerunProgress = z.infer<typeof progressSchema>;
export const noProgress: RerunProgress = { matched: 0, rerun: 0, known: 0, refused: 0 };

export interface BulkRerun {
  readonly key: string;
  readonly selection: RerunSelection;
  readonly by: string | undefined;
  /** Until then the call itself works on it. Milliseconds since 1970. */
  readonly callUntil: number;
  readonly progress: RerunProgress;
  readonly finishedAt: number | undefined;
}

const partition = "reruns";
/** How long its `Location` answers after the end. */
export const keptTime = day;

export class BulkReruns {
  readonly #table: TableClient;

  constructor(table: TableClient) {
    this.#table = table;
  }

  async save({ key, selection, by, callUntil, progress, finishedAt }: BulkRerun): Promise<void> {
    const entity = {
      partitionKey: partition,
      rowKey: key,
      selection: JSON.stringify(selection),
      progress: JSON.stringify(progress),
      callUntil: new Date(callUntil),
      ...(by === undefined ? {} : { by }),
      ...(finishedAt === undefined ? {} : { finishedAt: new Date(finishedAt) }),
    };
    await storageCall(() => this.#table.upsertEntity(entity, "Replace"));
  }

  async find(key: string): Promise<BulkRerun | undefined> {
    const found = await storageCall(() => this.#table.getEntity(partition, key), 404);
    return found === 404 ? undefined : read(found);
  }

  async all(): Promise<readonly BulkRerun[]> {
    const works: BulkRerun[] = [];
    for await (const row of entitiesOf(this.#table, partition)) {
      const work = read(row);
      if (work !== undefined) works.push(work);
    }
    return works;
  }

  async drop(key: string): Promise<void> {
    await storageCall(() => this.#table.deleteEntity(partition, key), 404);
  }
}

/** One that can't be read harms itself alone. */
function read(row: Readonly<Record<string, unknown>>): BulkRerun | undefined {
  const { rowKey, by, callUntil, finishedAt } = row;
  const selection = selectionSchema.safeParse(parseJson(row["selection"])).data;
  const progress = progressSchema.safeParse(parseJson(row["progress"])).data;
  if (selection === undefined || progress === undefined) return undefined;
  return {
    key: String(rowKey),
    selection,
    progress,
    by: typeof by === "string" ? by : undefined,
    callUntil: callUntil instanceof Date ? callUntil.getTime() : 0,
    finishedAt: finishedAt instanceof Date ? finishedAt.getTime() : undefined,
  };
}
