import type { TableClient, TransactionAction } from "@azure/data-tables";
import { z } from "zod";
import { second } from "../base/duration.ts";
import { parseJson } from "../base/json.ts";
import { storageCall } from "../store/connect.ts";
import type { SharedWindows } from "./shares.ts";
import { emptyWindows, type Bucket } from "./windows.ts";

/** The rows of the shared budget: one partition of the table `control`, so that a create's token and what it costs are written at once. */
export const budgetPartition = "budget";

/** A row as it was read, or written. */
export interface BudgetRow {
  readonly value: unknown;
  /** Absent where there was no row. */
  readonly etag: string | undefined;
}

const shareShape = z.object({
  paid: z.number(),
  activeAt: z.number(),
  waitedAt: z.number().optional(),
  uses: z.array(z.number()),
});
const windowsShape = z.object({
  minute: z.number(),
  uses: z.array(z.number()),
  teams: z.record(z.string(), shareShape).optional(),
  floor: z.number().optional(),
});
const bucketShape = z.object({ tokens: z.number(), at: z.number() });

export const windowsIn = ({ value }: BudgetRow): SharedWindows => windowsShape.safeParse(value).data ?? emptyWindows;
export const bucketIn = ({ value }: BudgetRow): Bucket | undefined => bucketShape.safeParse(value).data;

/** What is written beside a row. */
export type Beside = { readonly partitionKey: string; readonly rowKey: string } & Readonly<Record<string, unknown>>;

/** How long a row is remembered. What is decided by it holds only if its ETag does. */
const recentTime = 15 * second;
/** A transaction's entities, beside the row. */
const maxBeside = 99;

export class BudgetRows {
  readonly #table: TableClient;
  readonly #now: () => number;
  readonly #recent = new Map<string, BudgetRow & { readonly at: number }>();

  constructor(table: TableClient, now: () => number) {
    this.#table = table;
    this.#now = now;
  }

  async read(scope: string): Promise<BudgetRow> {
    const row = await storageCall(() => this.#table.getEntity(budgetPartition, scope), 404);
    const found =
      row === 404 ? { value: undefined, etag: undefined } : { value: parseJson(row["value"]), etag: row.etag };
    return this.#remember(scope, found);
  }

  /** The row as this instance last read or wrote it, where that was a moment ago. Once: who finds that it changed reads it. */
  takeRecent(scope: string): BudgetRow | undefined {
    const row = this.recent(scope);
    this.#recent.delete(scope);
    return row;
  }

  recent(scope: string): BudgetRow | undefined {
    const row = this.#recent.get(scope);
    return row !== undefined && this.#now() - row.at < recentTime ? row : undefined;
  }

  /**
   * Writes over what was read, or nothing at all.
   *
   * @param beside written with it, whatever is there
   */
  async write(scope: string, value: object, { etag }: BudgetRow, beside: readonly Beside[] = []): Promise<boolean> {
    const entity = { partitionKey: budgetPartition, rowKey: scope, value: JSON.stringify(value) };
    const written = await (beside.length === 0
      ? storageCall<{ etag?: string | undefined }, [404, 409, 412]>(
          () =>
            etag === undefined
              ? this.#table.createEntity(entity)
              : this.#table.updateEntity(entity, "Replace", { etag }),
          404,
          409,
          412,
        )
      : this.#transact(entity, etag, beside));
    if (typeof written === "number") return false;
    if (written.etag !== undefined) this.#remember(scope, { value, etag: written.etag });
    return true;
  }

  async #transact(entity: Beside, etag: string | undefined, beside: readonly Beside[]) {
    const row: TransactionAction = etag === undefined ? ["create", entity] : ["update", entity, "Replace", { etag }];
    const more = beside.slice(0, maxBeside).map((each): TransactionAction => ["upsert", each, "Replace"]);
    const result = await storageCall(() => this.#table.submitTransaction([row, ...more]), 404, 409, 412);
    if (typeof result === "number") return result;
    for (const each of beside.slice(maxBeside)) await storageCall(() => this.#table.upsertEntity(each, "Replace"));
    return { etag: result.subResponses[0]?.etag };
  }

  #remember(scope: string, row: BudgetRow): BudgetRow {
    this.#recent.set(scope, { ...row, at: this.#now() });
    return row;
  }
}
