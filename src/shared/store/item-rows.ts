import type { TableClient, TransactionAction } from "@azure/data-tables";
import { defined } from "../base/defined.ts";
import { parseJobId, type JobId } from "../base/ids.ts";
import { conflict, done, rewrite, type Pacing } from "../base/rewrite.ts";
import { countWaiting, type ItemOutcome } from "../job/array-outcomes.ts";
import { terminalStates, type Job, type TerminalState } from "../job/job.ts";
import { isReason } from "../job/reasons.ts";
import type { ItemEnd } from "../job/pack-ends.ts";
import { outcomesAction, readOutcomes } from "./array-outcomes.ts";
import { storageCall } from "./connect.ts";
import { inAttempt, itemRow, itemRows, type JobKey } from "./job-row.ts";

/**
 * Rows of the items of an array of packs, in its partition: how each ended the last time, and in which pack, whose id they have. Each is
 * written in the transaction that writes its pack's end.
 */

/** @param key of the pack's row */
export function itemActions({ partitionKey }: JobKey, pack: Job, items: readonly ItemOutcome[]): TransactionAction[] {
  return items.map(({ index, state, verdict, tries, waits, container }) => [
    "upsert",
    {
      partitionKey,
      rowKey: itemRow(index),
      arrayId: pack.child?.array,
      arrayIndex: index,
      state: waits ? "Queued" : state,
      lastState: state,
      reason: verdict.reason,
      ...defined({ exitCode: verdict.exitCode }),
      tries,
      id: pack.id,
      attempt: pack.attempt,
      packNumber: pack.child?.index,
      container,
      resultIn: `${inAttempt}/${container}`,
    },
    "Replace",
  ]);
}

/** Which container of the job of a row printed its result; `undefined` where the job's is meant. */
export function containerWithResult(resultIn: string): string | undefined {
  return resultIn.startsWith(`${inAttempt}/`) ? resultIn.slice(inAttempt.length + 1) : undefined;
}

/** An item that waits for another try, as its row stands. */
interface WaitingItem extends Pick<ItemEnd, "index" | "state" | "verdict"> {
  readonly rowKey: string;
  readonly etag: string;
}

/**
 * What waits for another try ends as it ended the last time, and is counted.
 *
 * @param partition of the array
 */
export async function endWaitingItems(table: TableClient, partition: string, pacing: Pacing): Promise<void> {
  for (let left = true; left;) {
    left = await rewrite("the counts of an array", pacing, async () => {
      const waiting = await waitingItems(table, partition);
      if (waiting.length === 0) return done(false);
      const counted = await readOutcomes(table, partition);
      const actions = [
        outcomesAction({ partitionKey: partition }, counted, countWaiting(counted.outcomes, waiting)),
        ...waiting.map((item) => endWaiting(partition, item)),
      ];
      const written = await storageCall(() => table.submitTransaction(actions), 404, 409, 412);
      return typeof written === "object" ? done(true) : conflict;
    });
  }
}

/** The pack that had an item last. */
export async function packOf(table: TableClient, partition: string, index: number): Promise<JobId | undefined> {
  const row = await storageCall(() => table.getEntity(partition, itemRow(index)), 404);
  return row === 404 ? undefined : parseJobId(String(row["id"]));
}

/** Those of an array, as many as one transaction has room for. */
async function waitingItems(table: TableClient, partition: string): Promise<readonly WaitingItem[]> {
  const filter = `${itemRows(partition)} and state eq 'Queued'`;
  const pages = table.listEntities({ queryOptions: { filter } }).byPage({ maxPageSize: 90 });
  for (;;) {
    const page = await storageCall(() => pages.next(), 404);
    if (page === 404 || page.done) return [];
    const items = page.value.flatMap(waitingItem);
    if (items.length > 0) return items;
  }
}

function waitingItem(row: Readonly<Record<string, unknown>>): readonly WaitingItem[] {
  const { arrayIndex: index, lastState, reason, exitCode, rowKey, etag } = row;
  const state = terminalStates.find((each) => each === lastState);
  if (typeof index !== "number" || typeof reason !== "string" || typeof rowKey !== "string" || typeof etag !== "string")
    return [];
  const known = isReason(reason) ? reason : "InternalError";
  const verdict = { reason: known, ...(typeof exitCode === "number" ? { exitCode } : {}) };
  return [{ index, state: state ?? ("Failed" satisfies TerminalState), verdict, rowKey, etag }];
}

/** It ends as it ended the last time. */
function endWaiting(partitionKey: string, { rowKey, state, etag }: WaitingItem): TransactionAction {
  return ["update", { partitionKey, rowKey, state }, "Merge", { etag }];
}
