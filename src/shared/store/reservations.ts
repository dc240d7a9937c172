import type { TransactionAction } from "@azure/data-tables";
import { defined } from "../base/defined.ts";
import { childIn, groupName, nameKey, parseJobId, type GroupName, type JobId } from "../base/ids.ts";
import type { JobKey } from "./job-row.ts";
import { entity, keyIn, leadsTo, nameEntry, partition, timeOf, type IndexRow } from "./index-partition.ts";
import { queueTimeOf } from "../job/slot.ts";
import { NameLocks, waitEntity } from "./name-locks.ts";
import { storageCall } from "./connect.ts";

/** What a job must have before its row is written, in the table `jobindex`. */
export interface Reservation {
  readonly id: JobId;
  readonly key: JobKey;
  readonly name: GroupName;
  readonly groupName: GroupName;
  /** `hold`: refuse when another job has the name. `wait`: enter its wait queue. `later`: the job asks for it when it is let in. */
  readonly want: "hold" | "wait" | "later";
  /** It replaces older jobs of its name. */
  readonly replaces: boolean;
  /** Hash of an idempotency key; `over` is the ETag of the entry that an earlier job left and this one takes. */
  readonly keyEntry: { readonly hash: string; readonly over: string | undefined } | undefined;
  /** True for an id that a poster chose: it gets an entry of its own. */
  readonly foreignId: boolean;
  readonly createdAt: number;
  /** When its wait counts from. */
  readonly turn: number;
  readonly checkAt: number;
  /** When this acceptor reserved, by its own clock. */
  readonly reservedAt: number;
  readonly columns: Readonly<Record<string, unknown>>;
  /** What the ceilings of active jobs and its group ask for besides: a counter, a slot, or a place in a line. */
  readonly further: readonly TransactionAction[];
}

/** `no index`: the index is lost, and must be rebuilt before a job can be accepted. */
export type Reserved = "reserved" | "conflict" | "no index";

/** What a job reserved whose row is not written yet. */
export interface Pending {
  readonly id: JobId;
  readonly name: GroupName;
  readonly groupName: GroupName;
  readonly key: JobKey | undefined;
  readonly createdAt: number;
  readonly turn: number;
  /** Of whose slots it has one, or waits for one. */
  readonly group: string | undefined;
  readonly reservedAt: number;
  readonly keyHash: string | undefined;
  /** Somebody has begun to give it back: nobody goes on with it. */
  readonly expired: boolean;
  readonly etag: string;
}

export class Reservations extends NameLocks {
  /** Reserves everything that must be reserved before a job's row is written, in one transaction: all of it or nothing. */
  async reserve(reservation: Reservation): Promise<Reserved> {
    const { id, key, name, groupName, want, replaces, keyEntry, foreignId, createdAt, turn, checkAt } = reservation;
    const actions: TransactionAction[] = [
      [
        "create",
        entity(`job_${id}`, {
          ...reservation.columns,
          ...leadsTo(key),
          name,
          groupName,
          createdAt: new Date(createdAt),
          checkAt: new Date(checkAt),
          reservedAt: new Date(reservation.reservedAt),
          ...(keyEntry === undefined ? {} : { keyHash: keyEntry.hash }),
        }),
      ],
    ];
    // A name means an array, and never its children.
    if (childIn(id) === undefined) {
      const { team } = reservation.columns;
      actions.push(["create", entity(nameEntry(name, key), { ...leadsTo(key), ...defined({ team }) })]);
    }
    if (want === "hold") actions.push(["create", entity(`hold_${nameKey(groupName)}`, { jobId: id })]);
    if (want === "wait") actions.push(["create", waitEntity(groupName, { id, createdAt, turn, replaces })]);
    if (keyEntry !== undefined) {
      const { hash, over } = keyEntry;
      const row = entity(`key_${hash}`, { jobId: id });
      actions.push(over === undefined ? ["create", row] : ["update", row, "Replace", { etag: over }]);
    }
    if (foreignId) actions.push(["create", entity(`id_${id}`, leadsTo(key))]);
    actions.push(...reservation.further);
    const result = await this.transactWhole(actions);
    return result === "done" ? "reserved" : result === "refused" ? "conflict" : result;
  }

  /** What a job reserved: only as long as its row is not written does that mean anything. */
  async pending(id: JobId): Promise<Pending | undefined> {
    const row = await this.get(`job_${id}`);
    return row && pendingOf(id, row);
  }

  /**
   * Goes on with a reservation whose row is not written, in the place of whoever made it. From now on its time counts anew.
   *
   * @returns `undefined` when there is no reservation, or when it is being given back
   */
  async adopt(id: JobId, now: number): Promise<Pending | undefined> {
    const pending = await this.pending(id);
    if (pending === undefined || pending.expired) return undefined;
    const isOurs = await this.#merge(`job_${id}`, pending.etag, { reservedAt: new Date(now) });
    return isOurs ? pending : undefined;
  }

  /** Fences a reservation off before it is given back: whoever would go on with it finds that it may not. False when somebody just did. */
  async expire({ id, etag }: Pending): Promise<boolean> {
    return this.#merge(`job_${id}`, etag, { expired: true });
  }

  async #merge(rowKey: string, etag: string, change: Readonly<Record<string, unknown>>): Promise<boolean> {
    const result = await storageCall(
      () => this.table.updateEntity(entity(rowKey, change), "Merge", { etag }),
      404,
      412,
    );
    return typeof result !== "number";
  }

  /** All entries of a reservation but its own, which goes last: until then it is found again. The name's lock is its holder's to hand over. */
  async giveBack({ id, name, groupName, key, turn, keyHash }: Pending): Promise<void> {
    await this.dequeue(groupName, id, turn);
    if (keyHash !== undefined) await this.dropKey(keyHash, id);
    await this.remove(`id_${id}`);
    if (key !== undefined) await this.remove(nameEntry(name, key));
  }

  protected async dropKey(hash: string, id: JobId): Promise<void> {
    const entry = await this.jobOfKey(hash);
    if (entry?.id !== id) return;
    await storageCall(() => this.table.deleteEntity(partition, `key_${hash}`, { etag: entry.etag }), 404, 412);
  }

  async jobOfKey(hash: string): Promise<{ readonly id: JobId; readonly etag: string } | undefined> {
    const row = await this.get(`key_${hash}`);
    const id = typeof row?.["jobId"] === "string" ? parseJobId(row["jobId"]) : undefined;
    return row === undefined || id === undefined ? undefined : { id, etag: row.etag };
  }
}

function pendingOf(id: JobId, row: IndexRow): Pending | undefined {
  const { name, groupName: containerGroup, keyHash, group, priority } = row;
  if (typeof containerGroup !== "string") return undefined;
  const createdAt = timeOf(row["createdAt"]);
  return {
    id,
    name: groupName(typeof name === "string" ? name : containerGroup),
    groupName: groupName(containerGroup),
    key: keyIn(row),
    createdAt,
    turn: queueTimeOf(createdAt, typeof priority === "number" ? priority : undefined),
    group: typeof group === "string" ? group : undefined,
    reservedAt: timeOf(row["reservedAt"]) || createdAt,
    keyHash: typeof keyHash === "string" ? keyHash : undefined,
    expired: row["expired"] === true,
    etag: row.etag,
  };
}
