import type { TableClient } from "@azure/data-tables";
import { minute } from "../base/duration.ts";
import { entitiesOf, storageCall } from "./connect.ts";

/**
 * Work that is done now and then by one instance at a time: a row for each in the table `control`, partition `turn`. Whoever
 * acquires a run has it until it reports the end, or until its lease runs out; what it could not finish goes on with the next run.
 */
const partition = "turn";

/** The parts of the sweep that the health of the service hangs on: jobs go on without the others for hours. */
export const vitalParts = ["due jobs", "waiting jobs"] as const;

/** How the last runs of a work went. Times are milliseconds since 1970. */
export interface PeriodicRun {
  readonly etag: string;
  readonly begunAt: number;
  /** Until then nobody else may run it. */
  readonly heldUntil: number;
  /** When the work was last finished. */
  readonly completedAt: number | undefined;
  /** Who began last: `timer`, `queue`, `operator`. */
  readonly by: string;
  /** Where to go on; the work's own text. */
  readonly cursor: string | undefined;
  readonly unfinished: boolean;
  /** Why the last run failed, if it did. */
  readonly error: string | undefined;
}

/** A run that was acquired. */
export interface AcquiredRun {
  readonly work: string;
  readonly etag: string;
  readonly begunAt: number;
  readonly by: string;
  readonly before: PeriodicRun | undefined;
}

export interface RunPlan {
  /** Time from one beginning to the next. */
  readonly every: number;
  /** How long whoever begins may take before another may begin. */
  readonly lease: number;
  readonly by: string;
}

/** How a run ended. */
export type RunEnd =
  | { readonly kind: "completed"; readonly cursor: string | undefined }
  /** Out of time: the next run begins without waiting and goes on at the cursor. */
  | { readonly kind: "unfinished"; readonly cursor: string | undefined }
  | { readonly kind: "failed"; readonly error: string };

/** A time of another instance's clock that lies further ahead than this says nothing. */
const maxAhead = minute;

export class PeriodicRuns {
  readonly #table: TableClient;

  constructor(table: TableClient) {
    this.#table = table;
  }

  /** How all works stand: one call. */
  async all(): Promise<ReadonlyMap<string, PeriodicRun>> {
    const runs = new Map<string, PeriodicRun>();
    for await (const row of entitiesOf(this.#table, partition)) runs.set(String(row.rowKey), runOf(row));
    return runs;
  }

  /**
   * The run, for the one caller of all instances that may begin a work now.
   *
   * @param before what {@link all} returned
   */
  async acquirePeriodic(
    work: string,
    before: PeriodicRun | undefined,
    { every, lease, by }: RunPlan,
    now: number,
  ): Promise<AcquiredRun | undefined> {
    const entity = { partitionKey: partition, rowKey: work, at: new Date(now), until: new Date(now + lease), by };
    if (before === undefined) {
      const made = await storageCall(() => this.#table.createEntity(entity), 404, 409);
      return typeof made === "number" ? undefined : taken(work, made.etag, now, by, undefined);
    }
    const held = now < before.heldUntil && before.heldUntil <= now + lease + maxAhead;
    const rested = now >= before.begunAt + every || before.begunAt > now + maxAhead;
    if (held || !(rested || before.unfinished)) return undefined;
    const written = { ...entity, ...kept(before), unfinished: before.unfinished };
    const made = await storageCall(() => this.#table.updateEntity(written, "Replace", { etag: before.etag }), 404, 412);
    return typeof made === "number" ? undefined : taken(work, made.etag, now, by, before);
  }

  /** Ends a run. One whose lease ran out, and that another instance has acquired, is left to that one. */
  async end({ work, etag, begunAt, by, before }: AcquiredRun, end: RunEnd, now: number): Promise<void> {
    const completedAt = end.kind === "completed" ? now : before?.completedAt;
    const cursor = end.kind === "failed" ? before?.cursor : end.cursor;
    const entity = {
      partitionKey: partition,
      rowKey: work,
      at: new Date(begunAt),
      until: new Date(now),
      by,
      unfinished: end.kind === "unfinished",
      ...kept({ completedAt, cursor }),
      ...(end.kind === "failed" ? { error: end.error.slice(0, 500) } : {}),
    };
    await storageCall(() => this.#table.updateEntity(entity, "Replace", { etag }), 404, 412);
  }
}

function kept({ completedAt, cursor }: Pick<PeriodicRun, "completedAt" | "cursor">): Readonly<Record<string, unknown>> {
  return {
    ...(completedAt === undefined ? {} : { completedAt: new Date(completedAt) }),
    ...(cursor === undefined ? {} : { cursor }),
  };
}

function taken(
  work: string,
  etag: string | undefined,
  begunAt: number,
  by: string,
  before: PeriodicRun | undefined,
): AcquiredRun | undefined {
  return etag === undefined ? undefined : { work, etag, begunAt, by, before };
}

function runOf(row: Readonly<Record<string, unknown>>): PeriodicRun {
  const time = (value: unknown): number | undefined => (value instanceof Date ? value.getTime() : undefined);
  const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  return {
    etag: String(row["etag"]),
    begunAt: time(row["at"]) ?? 0,
    heldUntil: time(row["until"]) ?? 0,
    completedAt: time(row["completedAt"]),
    by: text(row["by"]) ?? "timer",
    cursor: text(row["cursor"]),
    unfinished: row["unfinished"] === true,
    error: text(row["error"]),
  };
}
