import { teamIn, type JobColumns } from "../../shared/store/job-filter.ts";
import { nameKey } from "../../shared/base/ids.ts";
import { activeStates } from "../../shared/job/job.ts";
import type { Reply } from "../openapi/replies.ts";
import type { Grouping } from "./groupings.ts";

/** Jobs counted and measured by what they have in common. Pure. */

/** The columns that a tally needs. */
export const talliedColumns = [
  "state",
  "reason",
  "fault",
  "name",
  "pipeline",
  "pipelineRunId",
  "team",
  "template",
  "location",
  "createdAt",
  "queueSeconds",
  "startSeconds",
  "runSeconds",
  "vcpuSeconds",
  "gbSeconds",
  "costEstimate",
] as const;

type Row = Reply<"Summary">["rows"][number];

interface Group {
  readonly key: string;
  count: number;
  succeeded: number;
  failed: number;
  readonly seconds: Readonly<Record<"queueSeconds" | "startSeconds" | "runSeconds", number[]>>;
  vcpuSeconds: number;
  gbSeconds: number;
  cost: number;
}

export class Tally {
  readonly #by: Grouping;
  readonly #groups = new Map<string, Group>();
  /** Jobs so far. */
  count = 0;

  constructor(by: Grouping) {
    this.#by = by;
  }

  add(row: JobColumns): void {
    const key = keyOf(row, this.#by);
    const folded = this.#by === "name" || this.#by === "location" ? nameKey(key) : key;
    const group = this.#groups.get(folded) ?? newGroup(key);
    this.#groups.set(folded, group);
    this.count++;
    group.count++;
    const state = row["state"];
    if (state === "Succeeded") group.succeeded++;
    else if (!activeStates.some((active) => active === state)) group.failed++;
    for (const [column, values] of Object.entries(group.seconds)) {
      const value = numberIn(row, column);
      if (value !== undefined) values.push(value);
    }
    group.vcpuSeconds += numberIn(row, "vcpuSeconds") ?? 0;
    group.gbSeconds += numberIn(row, "gbSeconds") ?? 0;
    group.cost += numberIn(row, "costEstimate") ?? 0;
  }

  /** Hours and days in their order, all else the largest first. */
  rows(): readonly Row[] {
    const isTime = this.#by === "hour" || this.#by === "day";
    return [...this.#groups.values()]
      .sort((a, b) => (isTime ? 0 : b.count - a.count) || (a.key < b.key ? -1 : Number(a.key > b.key)))
      .map(({ key, count, succeeded, failed, seconds, vcpuSeconds, gbSeconds, cost }) => ({
        key,
        count,
        succeeded,
        failed,
        queueSeconds: percentiles(seconds.queueSeconds),
        startSeconds: percentiles(seconds.startSeconds),
        runSeconds: percentiles(seconds.runSeconds),
        vcpuSeconds: rounded(vcpuSeconds, 3),
        gbSeconds: rounded(gbSeconds, 3),
        cost: rounded(cost, 6),
      }));
  }
}

function newGroup(key: string): Group {
  const seconds = { queueSeconds: [], startSeconds: [], runSeconds: [] };
  return { key, count: 0, succeeded: 0, failed: 0, seconds, vcpuSeconds: 0, gbSeconds: 0, cost: 0 };
}

/** Empty for jobs that have no such value. */
function keyOf(row: JobColumns, by: Grouping): string {
  const created = row["createdAt"];
  if (by === "hour" || by === "day") {
    const iso = created instanceof Date ? created.toISOString() : "";
    return by === "day" ? iso.slice(0, 10) : iso.replace(/:.*/, ":00:00Z");
  }
  if (by === "team") return teamIn(row);
  const value = row[by === "run" ? "pipelineRunId" : by];
  return typeof value === "string" ? value : "";
}

function numberIn(row: JobColumns, column: string): number | undefined {
  const value = row[column];
  return typeof value === "number" ? value : undefined;
}

/** The nearest rank; nothing where no job has such a time yet. */
function percentiles(values: readonly number[]): Row["runSeconds"] {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number | null => {
    const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
    return value === undefined ? null : rounded(value, 3);
  };
  return { p50: at(0.5), p95: at(0.95) };
}

/** Without the last digits of binary fractions, which nobody can read. */
function rounded(value: number, decimals: number): number {
  return Number(value.toFixed(decimals));
}
