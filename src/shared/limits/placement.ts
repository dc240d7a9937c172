import type { TableClient } from "@azure/data-tables";
import { day, minute, second } from "../base/duration.ts";
import { conflict, done, tryRewrite, type Pacing } from "../base/rewrite.ts";
import { TtlCache } from "../base/ttl-cache.ts";
import { maxAhead } from "./windows.ts";
import type { Pool } from "./region-queues.ts";
import { isReason, type Reason } from "../job/reasons.ts";
import type { JobTarget } from "../job/job.ts";
import { regionKey } from "../job/targets.ts";
import { storageCall } from "../store/connect.ts";

/**
 * Where a group goes: the first target with room. A region that refused for quota or capacity is left out for a while; "full now" is
 * not "never fits", so every refusal is forgotten again.
 */
export interface Exclusion {
  readonly until: number;
  readonly reason: Reason;
}

/** Refusals that say something about the region, and not about the definition. */
export function excludes(reason: Reason): boolean {
  return reason === "QuotaReached" || reason === "NoCapacity";
}

export function scopeOf({ subscriptionId, location }: JobTarget, pool: Pool): string {
  return `${subscriptionId}_${regionKey(location)}${pool === "spot" ? "_spot" : ""}`;
}

const partition = "target";
const [shortest, longest] = [30 * second, 10 * minute];
const cacheTime = 5 * second;
/** Rows beside the exclusions: regions in which a create was answered with an unexplained failure lately. */
const doubtKey = (placed: JobTarget): string => `doubt_${scopeOf(placed, "regular")}`;
/** How long such a region is watched, and how often an accepted create there is written down. */
const [doubtTime, acceptedEvery] = [day, minute];

interface Known {
  readonly exclusions: ReadonlyMap<string, Exclusion>;
  /** When a create was accepted last in a doubted region, by {@link doubtKey}; 0: not since. */
  readonly doubts: Map<string, number>;
}

export class Placement {
  readonly #table: TableClient;
  readonly #pacing: Pacing;
  readonly #known: TtlCache<Known>;

  constructor(table: TableClient, pacing: Pacing) {
    this.#table = table;
    this.#pacing = pacing;
    this.#known = new TtlCache({ time: cacheTime, max: 1, now: pacing.now });
  }

  /** What is left out now, by {@link scopeOf}. Read at most every few seconds. */
  async exclusions(now: number): Promise<ReadonlyMap<string, Exclusion>> {
    return (await this.#read(now)).exclusions;
  }

  #read(now: number): Promise<Known> {
    return this.#known.get("", () => this.#readRows(now));
  }

  async #readRows(now: number): Promise<Known> {
    const doubts = new Map<string, number>();
    const exclusions = new Map<string, Exclusion>();
    const rows = this.#table.listEntities({ queryOptions: { filter: `PartitionKey eq '${partition}'` } });
    for (;;) {
      const next = await storageCall(() => rows.next());
      if (next.done) break;
      const { rowKey, until, reason, doubtedAt, acceptedAt } = next.value;
      if (doubtedAt instanceof Date && doubtedAt.getTime() > now - doubtTime)
        doubts.set(rowKey ?? "", acceptedAt instanceof Date ? acceptedAt.getTime() : 0);
      const ahead = until instanceof Date ? until.getTime() - now : 0;
      if (
        until instanceof Date &&
        ahead > 0 &&
        ahead <= longest + maxAhead &&
        typeof reason === "string" &&
        isReason(reason)
      ) {
        exclusions.set(rowKey ?? "", { until: until.getTime(), reason });
      }
    }
    return { exclusions, doubts };
  }

  /**
   * A create was answered with a failure that nobody can explain: is it the region, or the group?
   *
   * @returns when another create was accepted there last since somebody doubted the region, in milliseconds since 1970
   */
  async doubt(placed: JobTarget, now: number): Promise<number | undefined> {
    const rowKey = doubtKey(placed);
    const before = await storageCall(() => this.#table.getEntity(partition, rowKey), 404);
    const entity = { partitionKey: partition, rowKey, doubtedAt: new Date(now) };
    await storageCall(() => this.#table.upsertEntity(entity, "Merge"));
    this.#known.clear();
    return before !== 404 && before["acceptedAt"] instanceof Date ? before["acceptedAt"].getTime() : undefined;
  }

  /** A create was accepted. Costs a write only where the region is doubted. */
  async accepted(placed: JobTarget, now: number): Promise<void> {
    const rowKey = doubtKey(placed);
    const { doubts } = await this.#read(now);
    const last = doubts.get(rowKey);
    if (last === undefined || now < last + acceptedEvery) return;
    const entity = { partitionKey: partition, rowKey, acceptedAt: new Date(now) };
    await storageCall(() => this.#table.upsertEntity(entity, "Merge"));
    doubts.set(rowKey, now);
  }

  /** A region that was full has capacity again: one of our groups is gone. */
  async lift(placed: JobTarget, pool: Pool = "regular"): Promise<void> {
    await storageCall(() => this.#table.deleteEntity(partition, scopeOf(placed, pool)), 404);
    this.#known.clear();
  }

  /**
   * Leaves a region out; longer each time that it refuses again soon after. Creates that were under way when it was left out say nothing
   * new: of a burst that it refuses the first counts.
   */
  async exclude(placed: JobTarget, reason: Reason, now: number, pool: Pool = "regular"): Promise<void> {
    const rowKey = scopeOf(placed, pool);
    await tryRewrite(this.#pacing, async () => {
      const before = await storageCall(() => this.#table.getEntity(partition, rowKey), 404);
      const since = before !== 404 && before["until"] instanceof Date ? before["until"].getTime() : 0;
      if (since > now && since <= now + longest + maxAhead) return done(undefined);
      const last = before !== 404 && typeof before["seconds"] === "number" ? before["seconds"] * second : 0;
      const time = now - since < longest ? Math.min(Math.max(last * 2, shortest), longest) : shortest;
      const entity = {
        partitionKey: partition,
        rowKey,
        reason,
        until: new Date(now + time),
        seconds: Math.round(time / second),
      };
      const result =
        before === 404
          ? await storageCall(() => this.#table.createEntity(entity), 409)
          : await storageCall(() => this.#table.updateEntity(entity, "Replace", { etag: before.etag }), 404, 412);
      return typeof result === "number" ? conflict : done(undefined);
    });
    this.#known.clear();
  }
}
