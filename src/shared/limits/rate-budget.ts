import type { TableClient } from "@azure/data-tables";
import { z } from "zod";
import { minute, second } from "../base/duration.ts";
import type { Reason } from "../job/reasons.ts";
import type { Placed } from "../job/job.ts";
import type { Settings } from "../config/settings.ts";
import { storageCall } from "../store/connect.ts";
import { armLimits, emptyWindows, roomIn, takeFromBucket, takeFromWindows, type WindowLimits } from "./windows.ts";

/**
 * The shared budget of what Azure allows: ARM's reads, writes and deletes, ACI's creates and deletes per region. It is kept in the
 * table `control`, so that all instances together stay within it; of ARM's calls each instance draws a block at a time.
 */
export type Kind = "create" | "delete" | "read" | "log" | "write";
export type Grant = { readonly ok: true } | { readonly ok: false; readonly at: number; readonly reason: Reason };

const granted: Grant = { ok: true };
const partition = "budget";

const windowsShape = z.object({ minute: z.number(), uses: z.array(z.number()) });
const bucketShape = z.object({ tokens: z.number(), at: z.number() });

/** What each kind of call is to ARM. */
const armKinds = { create: "write", write: "write", delete: "delete", read: "read", log: "read" } as const;
/** Tokens that an instance draws at once; unused ones lapse after a while. */
const blocks = { create: 15, write: 15, delete: 15, read: 40, log: 10 } as const;
/** Logs of what still runs are read only while half of ARM's reads are left: a look at a group never waits for them. */
const reserves = { create: 0, write: 0, delete: 0, read: 0, log: armLimits.read.capacity / 2 } as const;
const blockTime = 30 * second;

export class Budget {
  readonly #table: TableClient;
  readonly #limits: WindowLimits;
  readonly #drawn = new Map<string, { left: number; until: number }>();
  /** When ARM said to come back, by scope. */
  readonly #held = new Map<string, number>();

  constructor(table: TableClient, settings: Pick<Settings, "createsPerHour" | "createsPerFiveMinutes">) {
    this.#table = table;
    this.#limits = { perHour: settings.createsPerHour, perFiveMinutes: settings.createsPerFiveMinutes };
  }

  /** Room for one call of that kind, or when there will be some. A create or delete costs ARM's write or delete too. */
  async take(kind: Kind, placed: Placed, now: number): Promise<Grant> {
    const scope = scopeOfArm(kind, placed);
    const held = this.#held.get(scope) ?? 0;
    if (held > now) return { ok: false, at: held, reason: "Throttled" };
    const call = await this.#fromBucket(scope, kind, now);
    if (!call.ok || (kind !== "create" && kind !== "delete")) return call;
    return this.#fromWindows(`${kind}_${placed.subscriptionId}_${regionKey(placed.location)}`, now);
  }

  /** ARM said to slow down: nobody here asks again before that. */
  hold(kind: Kind, placed: Placed, until: number): void {
    this.#held.set(scopeOfArm(kind, placed), until);
  }

  heldUntil(now: number): number | undefined {
    const until = Math.max(0, ...this.#held.values());
    return until > now ? until : undefined;
  }

  /** How many creates there is room for now in a region. */
  async creates(placed: Placed, now: number): Promise<number> {
    const row = await this.#read(`create_${placed.subscriptionId}_${regionKey(placed.location)}`);
    return roomIn(windowsShape.safeParse(row?.value).data ?? emptyWindows, this.#limits, now);
  }

  async #fromBucket(scope: string, kind: Kind, now: number): Promise<Grant> {
    const purse = kind === "log" ? `log_${scope}` : scope;
    const limits = armLimits[armKinds[kind]];
    const own = this.#drawn.get(purse);
    if (own && own.left > 0 && own.until > now) {
      own.left--;
      return granted;
    }
    for (;;) {
      const row = await this.#read(scope);
      const bucket = bucketShape.safeParse(row?.value).data;
      const result = takeFromBucket(bucket, limits, blocks[kind], now, reserves[kind]);
      if (!result.ok) return { ok: false, at: result.at, reason: "Throttled" };
      if (!(await this.#write(scope, result.state, row?.etag))) continue;
      this.#drawn.set(purse, { left: result.taken - 1, until: now + blockTime });
      return granted;
    }
  }

  async #fromWindows(scope: string, now: number): Promise<Grant> {
    for (;;) {
      const row = await this.#read(scope);
      const result = takeFromWindows(windowsShape.safeParse(row?.value).data ?? emptyWindows, this.#limits, now);
      if (!result.ok) return { ok: false, at: result.at, reason: "CreateLimit" };
      if (await this.#write(scope, result.state, row?.etag)) return granted;
    }
  }

  async #read(scope: string): Promise<{ readonly value: unknown; readonly etag: string } | undefined> {
    const row = await storageCall(() => this.#table.getEntity(partition, scope), 404);
    if (row === 404) return undefined;
    return { value: parse(row["value"]), etag: row.etag };
  }

  async #write(scope: string, value: object, etag: string | undefined): Promise<boolean> {
    const entity = { partitionKey: partition, rowKey: scope, value: JSON.stringify(value) };
    const result = await storageCall<unknown, [404, 409, 412]>(
      () =>
        etag === undefined ? this.#table.createEntity(entity) : this.#table.updateEntity(entity, "Replace", { etag }),
      404,
      409,
      412,
    );
    return typeof result !== "number";
  }
}

function scopeOfArm(kind: Kind, { subscriptionId }: Placed): string {
  return `${armKinds[kind]}_${subscriptionId}`;
}

/** `West Europe` and `westeurope` are one region. */
export function regionKey(location: string): string {
  return location.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

function parse(value: unknown): unknown {
  try {
    return typeof value === "string" ? JSON.parse(value) : undefined;
  } catch {
    return undefined;
  }
}

/** A throttled caller that was told nothing waits this long. */
export const defaultHold = minute / 4;
