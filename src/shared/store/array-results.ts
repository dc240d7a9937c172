import { parseJobId, type JobId } from "../base/ids.ts";
import { defined } from "../base/defined.ts";
import { parseJson } from "../base/json.ts";
import type { Job } from "../job/job.ts";
import type { AttemptResult, Attempts, ItemResult } from "./attempts.ts";
import { containerWithResult } from "./item-rows.ts";
import type { JobColumns, JobFilter } from "./job-filter.ts";
import { arrayPartition, resultColumns } from "./job-row.ts";
import type { JobStore } from "./jobs.ts";

/** What came of an array's indexes, read from its children's rows, or of packs from their items', in the order of their indexes. */
export interface ChildResult extends ItemResult {
  readonly id: JobId;
}

interface Chosen {
  readonly states?: readonly string[] | undefined;
  /** The lowest index. */
  readonly from?: number | undefined;
  readonly kept?: boolean | undefined;
}

export function childrenOf(
  { id, createdAt, array: { packing } = {} }: Pick<Job, "id" | "createdAt"> & { readonly array?: Packed | undefined },
  { states, from = 0, kept = false }: Chosen = {},
) {
  const array = { id, partition: arrayPartition(id, createdAt), from, items: packing !== undefined, kept };
  return { states, name: undefined, columns: {}, since: undefined, until: undefined, array } satisfies JobFilter;
}

type Packed = Pick<NonNullable<Job["array"]>, "packing">;

/** The children of an array whose finished groups stay, as its option `keep` asks. */
export async function keptOf(jobs: Pick<JobStore, "list">, array: Job): Promise<readonly JobId[]> {
  const ids: JobId[] = [];
  if (array.options.keep === "never") return ids;
  let continuation: string | undefined;
  do {
    const page = await jobs.list(childrenOf(array, { kept: true }), pageSize, continuation, []);
    if (page === "no such page") break;
    ids.push(...page.rows.flatMap(({ id }) => parseJobId(String(id)) ?? []));
    ({ continuation } = page);
  } while (continuation !== undefined);
  return ids;
}

/** The columns that {@link childResult} reads. */
export const childColumns = ["id", "state", "reason", "exitCode", "attempt", "arrayIndex", ...resultColumns];

/** Attempts that are remembered: each may have half a MiB, and rows with results in one attempt usually stand together. */
const maxRemembered = 8;

/** Reads attempts once that several rows have their results in. */
export function eachOnce(attempts: Pick<Attempts, "find">): Pick<Attempts, "find"> {
  const found = new Map<string, ReturnType<Attempts["find"]>>();
  return {
    find: (id, attempt) => {
      const key = `${id} ${attempt}`;
      const read = found.get(key) ?? attempts.find(id, attempt);
      found.delete(key);
      found.set(key, read);
      const [oldest] = found.keys();
      if (oldest !== undefined && found.size > maxRemembered) found.delete(oldest);
      return read;
    },
  };
}

/** A row's; one more read where its result is not in the row. `undefined` for a row that does not say its index. */
export async function childResult(attempts: Pick<Attempts, "find">, row: JobColumns): Promise<ChildResult | undefined> {
  const { arrayIndex: index, state, reason, exitCode, attempt } = row;
  const id = parseJobId(String(row["id"]));
  if (id === undefined || typeof index !== "number" || typeof state !== "string") return undefined;
  const { resultIn } = row;
  const isElsewhere = typeof resultIn === "string" && typeof attempt === "number";
  const result = isElsewhere ? resultFrom(await attempts.find(id, attempt), resultIn) : objectIn(row["result"]);
  return {
    index,
    id,
    state,
    ...defined({
      exitCode: typeof exitCode === "number" ? exitCode : undefined,
      reason: typeof reason === "string" ? reason : undefined,
      result,
    }),
  };
}

function resultFrom(attempt: AttemptResult | undefined, resultIn: string): ItemResult["result"] {
  const container = containerWithResult(resultIn);
  return container === undefined ? attempt?.result : attempt?.containers.find(({ name }) => name === container)?.result;
}

function objectIn(text: unknown): ItemResult["result"] {
  const value = parseJson(text);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

/** How many bytes of JSON a final status has of an array's results. */
const maxBytes = 256 * 1024;
const pageSize = 1000;

/** An array's results by index, as many as its final status shows. It reads as many pages as that takes. */
export async function finalResults(
  jobs: JobStore,
  attempts: Attempts,
  array: Pick<Job, "id" | "createdAt" | "array">,
): Promise<{ readonly items: readonly ItemResult[]; readonly truncated: boolean }> {
  const items: ItemResult[] = [];
  let left = maxBytes;
  let continuation: string | undefined;
  do {
    const page = await jobs.list(childrenOf(array), pageSize, continuation, childColumns);
    if (page === "no such page") break;
    const once = eachOnce(attempts);
    for (const row of page.rows) {
      const read = await childResult(once, row);
      if (read === undefined) continue;
      const { id: _id, ...item } = read;
      left -= Buffer.byteLength(JSON.stringify(item)) + 1;
      if (left < 0) return { items, truncated: true };
      items.push(item);
    }
    ({ continuation } = page);
  } while (continuation !== undefined);
  return { items, truncated: false };
}
