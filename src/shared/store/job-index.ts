import { odata, type TableClient, type TransactionAction } from "@azure/data-tables";
import { groupName, nameKey, parseJobId, type GroupName, type JobId } from "../base/ids.ts";
import { conflict, done, rewrite, type Pacing } from "../base/rewrite.ts";
import { terminalStates, type Job } from "../job/job.ts";
import type { JobKey } from "./job-row.ts";
import { storageCall } from "./connect.ts";

/**
 * The table `jobindex`: what must be found without knowing an id, in one partition, so that whatever belongs together is written in
 * one transaction.
 *
 * | row key | is |
 * | --- | --- |
 * | `job_ID` | a job that has not ended, or whose group or callers are not done with: its columns, and when the timer must check it |
 * | `hold_NAME` | the job that holds a group's name; create-only, so two jobs never hold one |
 * | `wait_NAME_TIME_ID` | a job that waits for a name, oldest first |
 * | `name_NAME` | the newest job of a name, and how long such jobs took (`usualTime`, milliseconds) |
 * | `key_HASH` | the job of an idempotency key |
 * | `id_UUID` | where the row of a job stands whose id a poster chose, or which it joined |
 * | `cancel_UUID` | a cancel that came before its job |
 */
const partition = "jobs";
/** Row keys that begin so: the character after the prefix's last is where they end. */
const startingWith = (prefix: string): string => {
  const end = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
  return odata`PartitionKey eq ${partition} and RowKey ge ${prefix} and RowKey lt ${end}`;
};
const range = (kind: string): string => startingWith(`${kind}_`);

export interface Hold {
  readonly holder: JobId;
  readonly etag: string;
}

export interface Reservation {
  readonly id: JobId;
  readonly key: JobKey;
  readonly name: GroupName;
  readonly groupName: GroupName;
  /** `hold`: refuse when another job holds the name. `wait`: stand in line for it. */
  readonly want: "hold" | "wait";
  /** Hash of an idempotency key; `over` is the ETag of the entry that an earlier job left and this one takes. */
  readonly keyEntry: { readonly hash: string; readonly over: string | undefined } | undefined;
  /** True for an id that a poster chose: it gets an entry of its own. */
  readonly foreignId: boolean;
  readonly createdAt: number;
  readonly checkAt: number;
  readonly columns: Readonly<Record<string, unknown>>;
}

export type Reserved = "reserved" | "conflict";

/** What earlier jobs of a name left for the next. */
export interface NameHistory {
  /** How long they ran, in milliseconds. */
  readonly usualTime: number | undefined;
  /** When Azure last accepted a delete of their group: milliseconds since 1970. */
  readonly lastDeleteAt: number | undefined;
}

/** A job in a line, and where in it. */
interface Standing {
  readonly id: JobId;
  readonly rowKey: string;
}

/** An active job as the sweep watches it. */
export interface DueJob {
  readonly id: JobId;
  readonly createdAt: number;
  /** When it counts as overdue. */
  readonly checkAt: number;
  /** The sweep has requeued it before, and nothing came of that. */
  readonly told: boolean;
}

export interface ActiveJob {
  readonly id: JobId;
  readonly state: string;
  readonly reason: string;
  readonly name: string;
  readonly createdAt: number;
  readonly columns: Readonly<Record<string, unknown>>;
}

type Entity = { partitionKey: string; rowKey: string } & Record<string, unknown>;

const stamp = (at: number): string => String(at).padStart(13, "0");
const entity = (rowKey: string, rest: Readonly<Record<string, unknown>> = {}): Entity => ({
  ...rest,
  partitionKey: partition,
  rowKey,
});

export class JobIndex {
  readonly #table: TableClient;

  readonly #pacing: Pacing;

  constructor(table: TableClient, pacing: Pacing) {
    this.#table = table;
    this.#pacing = pacing;
  }

  /** Everything that must be had before a job's row is written, in one transaction: all of it or nothing. */
  async reserve(reservation: Reservation): Promise<Reserved> {
    const { id, key, name, groupName, want, keyEntry, foreignId, createdAt, checkAt, columns } = reservation;
    const actions: TransactionAction[] = [
      [
        "create",
        entity(`job_${id}`, {
          ...columns,
          groupName,
          createdAt: new Date(createdAt),
          checkAt: new Date(checkAt),
          rowPartition: key.partitionKey,
          rowRow: key.rowKey,
        }),
      ],
      [
        "upsert",
        entity(`name_${nameKey(name)}`, { jobId: id, rowPartition: key.partitionKey, rowRow: key.rowKey }),
        "Merge",
      ],
    ];
    if (want === "hold") actions.push(["create", entity(`hold_${nameKey(groupName)}`, { jobId: id })]);
    if (want === "wait") actions.push(["create", entity(waitKey(groupName, createdAt, id), { jobId: id })]);
    if (keyEntry !== undefined) {
      const { hash, over } = keyEntry;
      const row = entity(`key_${hash}`, { jobId: id });
      actions.push(over === undefined ? ["create", row] : ["update", row, "Replace", { etag: over }]);
    }
    if (foreignId) actions.push(["create", entity(`id_${id}`, { rowPartition: key.partitionKey, rowRow: key.rowKey })]);
    const result = await storageCall(() => this.#table.submitTransaction(actions), 404, 409, 412);
    return typeof result === "number" ? "conflict" : "reserved";
  }

  /** What a job reserved, as far as it must be given back by whoever finds that its row was never written. */
  async reserved(id: JobId): Promise<{ readonly groupName: GroupName; readonly createdAt: number } | undefined> {
    const row = await this.#get(`job_${id}`);
    const name = row?.["groupName"];
    return typeof name === "string" ? { groupName: groupName(name), createdAt: timeOf(row?.["createdAt"]) } : undefined;
  }

  /** A job that is done with leaves the index; so does a reservation whose row was never written. */
  async drop(id: JobId): Promise<void> {
    await storageCall(() => this.#table.deleteEntity(partition, `job_${id}`), 404);
  }

  /** The same, and the next job of its name may know what it left: one call still. */
  async dropRun(id: JobId, name: GroupName, { usualTime, lastDeleteAt }: NameHistory): Promise<void> {
    const left = {
      ...(usualTime === undefined ? {} : { usualTime }),
      ...(lastDeleteAt === undefined ? {} : { lastDeleteAt: new Date(lastDeleteAt) }),
    };
    const actions: TransactionAction[] = [
      ["delete", entity(`job_${id}`)],
      ["update", entity(`name_${nameKey(name)}`, left), "Merge"],
    ];
    const result = await storageCall(() => this.#table.submitTransaction(actions), 404);
    // One of the two is gone: dropped before, or the name forgotten.
    if (result === 404) await this.drop(id);
  }

  /** What earlier jobs of a name left. */
  async historyOf(name: GroupName): Promise<NameHistory> {
    const row = await this.#get(`name_${nameKey(name)}`);
    return {
      usualTime: typeof row?.["usualTime"] === "number" ? row["usualTime"] : undefined,
      lastDeleteAt: row?.["lastDeleteAt"] instanceof Date ? row["lastDeleteAt"].getTime() : undefined,
    };
  }

  async has(id: JobId): Promise<boolean> {
    return (await this.#get(`job_${id}`)) !== undefined;
  }

  /** Everything that leads to a job whose row is about to go. A name that a newer job has stays. */
  async forget(job: Pick<Job, "id" | "name" | "keyHash" | "joined">, key: JobKey): Promise<void> {
    const name = `name_${nameKey(job.name)}`;
    const newest = await this.#get(name);
    if (newest?.["rowRow"] === key.rowKey) {
      await storageCall(() => this.#table.deleteEntity(partition, name, { etag: newest.etag }), 404, 412);
    }
    if (job.keyHash !== undefined) {
      const entry = await this.jobOfKey(job.keyHash);
      if (entry?.id === job.id) {
        await storageCall(
          () => this.#table.deleteEntity(partition, `key_${job.keyHash ?? ""}`, { etag: entry.etag }),
          404,
          412,
        );
      }
    }
    for (const id of [job.id, ...job.joined.map((each) => each.id)])
      if (id !== undefined) await storageCall(() => this.#table.deleteEntity(partition, `id_${id}`), 404);
    await this.drop(job.id);
  }

  async hold(name: GroupName): Promise<Hold | undefined> {
    const row = await this.#get(`hold_${nameKey(name)}`);
    const holder = row && holderIn(row);
    if (row === undefined || holder === undefined) return undefined;
    return { holder, etag: row.etag };
  }

  /**
   * Takes a name that nobody holds, and leaves the line.
   *
   * @returns `held` when somebody was faster, `unreadable` when the lock does not say who
   */
  async take(name: GroupName, id: JobId, createdAt: number): Promise<"taken" | "held" | "unreadable"> {
    const taken = await storageCall(
      () => this.#table.createEntity(entity(`hold_${nameKey(name)}`, { jobId: id })),
      409,
    );
    if (taken === 409) {
      const row = await this.#get(`hold_${nameKey(name)}`);
      if (row !== undefined && holderIn(row) === undefined) return "unreadable";
      if (row === undefined || holderIn(row) !== id) return "held";
    }
    await this.leaveLine(name, id, createdAt);
    return "taken";
  }

  async joinLine(name: string, id: JobId, createdAt: number): Promise<void> {
    await storageCall(() => this.#table.upsertEntity(entity(waitKey(name, createdAt, id), { jobId: id }), "Replace"));
  }

  async leaveLine(name: string, id: JobId, createdAt: number): Promise<void> {
    await storageCall(() => this.#table.deleteEntity(partition, waitKey(name, createdAt, id)), 404);
  }

  /** Jobs that wait for a name (or for another thing, whose line has a name that no group can have), oldest first. */
  async line(name: string, most: number): Promise<readonly JobId[]> {
    const ids: JobId[] = [];
    for await (const { id } of this.#standing(name)) {
      ids.push(id);
      if (ids.length >= most) break;
    }
    return ids;
  }

  /** Takes the oldest out of a line, to be woken. */
  async callUp(name: string, most: number): Promise<readonly JobId[]> {
    const ids: JobId[] = [];
    for await (const { id, rowKey } of this.#standing(name)) {
      if (ids.length >= most) break;
      await storageCall(() => this.#table.deleteEntity(partition, rowKey), 404);
      ids.push(id);
    }
    return ids;
  }

  /** The lines that are not for a group's name, and how many stand in each. */
  async lines(): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for await (const row of this.#rows(startingWith("wait_~"), ["RowKey"])) {
      const name = /^wait_(~.*)_\d+_[^_]+$/.exec(String(row["rowKey"]))?.[1];
      if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return counts;
  }

  /**
   * A name that its holder needs no more goes to the oldest that waits for it, which leaves the line in the same transaction: so a job
   * that has left the line is never given the name. May be repeated: who did so before may have died before it woke the next.
   *
   * @returns the job that has the name now and must be woken
   */
  handOver(name: GroupName, id: JobId): Promise<JobId | undefined> {
    return rewrite("the lock of a name", this.#pacing, async () => {
      const hold = await this.hold(name);
      if (hold?.holder !== id) return done(hold?.holder);
      const rowKey = `hold_${nameKey(name)}`;
      const next = await this.#firstInLine(name, id);
      if (next === undefined) {
        const result = await storageCall(
          () => this.#table.deleteEntity(partition, rowKey, { etag: hold.etag }),
          404,
          412,
        );
        return typeof result === "number" ? conflict : done(undefined);
      } else {
        const actions: TransactionAction[] = [
          ["update", entity(rowKey, { jobId: next.id }), "Replace", { etag: hold.etag }],
          ["delete", entity(next.rowKey)],
        ];
        const result = await storageCall(() => this.#table.submitTransaction(actions), 404, 412);
        return typeof result === "number" ? conflict : done(next.id);
      }
    });
  }

  async #firstInLine(name: string, but: JobId): Promise<Standing | undefined> {
    for await (const standing of this.#standing(name)) if (standing.id !== but) return standing;
    return undefined;
  }

  /** A line, oldest first. */
  async *#standing(name: string): AsyncGenerator<Standing> {
    for await (const row of this.#rows(range(`wait_${nameKey(name)}`), ["RowKey", "jobId"])) {
      const id = typeof row["jobId"] === "string" ? parseJobId(row["jobId"]) : undefined;
      if (id !== undefined) yield { id, rowKey: String(row["rowKey"]) };
    }
  }

  /** The columns of an active job as they are now, for dashboards and the timer. */
  async mirror(id: JobId, key: JobKey, checkAt: number, columns: Readonly<Record<string, unknown>>): Promise<void> {
    const row = entity(`job_${id}`, {
      ...columns,
      checkAt: new Date(checkAt),
      rowPartition: key.partitionKey,
      rowRow: key.rowKey,
    });
    await storageCall(() => this.#table.upsertEntity(row, "Replace"));
  }

  /** @param told true when the timer has woken it and looks whether that helps */
  async setCheck(id: JobId, checkAt: number, told = false): Promise<void> {
    const row = entity(`job_${id}`, { checkAt: new Date(checkAt), told });
    await storageCall(() => this.#table.updateEntity(row, "Merge"), 404);
  }

  /** All jobs in the index, in no order. */
  watched(): AsyncGenerator<DueJob> {
    return this.#jobs(range("job"));
  }

  /**
   * Everything that has not ended or is not done with: the columns of its row.
   *
   * @param skipped told of each entry that names no job
   */
  async *active(skipped: () => void = () => undefined): AsyncGenerator<ActiveJob> {
    for await (const row of this.#rows(range("job"), undefined)) {
      const id = parseJobId(String(row["rowKey"]).slice("job_".length));
      if (id === undefined) {
        skipped();
        continue;
      }
      const text = (name: string): string => (typeof row[name] === "string" ? row[name] : "");
      const createdAt = timeOf(row["createdAt"]);
      yield { id, state: text("state"), reason: text("reason"), name: text("name"), createdAt, columns: row };
    }
  }

  /** Jobs of a name that have not ended, oldest first. */
  async activeOf(name: string): Promise<readonly JobId[]> {
    const ended = terminalStates.map((state) => odata`state ne ${state}`).join(" and ");
    const ids: JobId[] = [];
    for await (const { id } of this.#jobs(`${range("job")} and ${odata`nameKey eq ${nameKey(name)}`} and ${ended}`))
      ids.push(id);
    return ids;
  }

  async *#jobs(filter: string): AsyncGenerator<DueJob> {
    for await (const row of this.#rows(filter, ["RowKey", "createdAt", "checkAt", "told"])) {
      const id = parseJobId(String(row["rowKey"]).slice("job_".length));
      if (id === undefined) continue;
      const [createdAt, checkAt] = [timeOf(row["createdAt"]), timeOf(row["checkAt"])];
      yield { id, createdAt, checkAt, told: row["told"] === true };
    }
  }

  async keyOfForeign(id: JobId): Promise<JobKey | undefined> {
    return keyIn(await this.#get(`id_${id}`));
  }

  /** A poster's own id for a job that was there already. */
  async alias(id: JobId, key: JobKey): Promise<void> {
    const row = entity(`id_${id}`, { rowPartition: key.partitionKey, rowRow: key.rowKey });
    await storageCall(() => this.#table.createEntity(row), 409);
  }

  /** A cancel for a job that nobody has seen yet. */
  async keepCancel(id: JobId, at: number): Promise<void> {
    await storageCall(() => this.#table.upsertEntity(entity(`cancel_${id}`, { at: new Date(at) }), "Replace"));
  }

  async hasCancel(id: JobId): Promise<boolean> {
    return (await this.#get(`cancel_${id}`)) !== undefined;
  }

  /** Kept cancels whose job never came. */
  async dropCancels(before: number): Promise<void> {
    for await (const row of this.#rows(range("cancel"), ["PartitionKey", "RowKey", "at"])) {
      if (timeOf(row["at"]) < before)
        await storageCall(() => this.#table.deleteEntity(partition, String(row["rowKey"])), 404);
    }
  }

  async newestOf(name: string): Promise<JobKey | undefined> {
    return keyIn(await this.#get(`name_${nameKey(name)}`));
  }

  async jobOfKey(hash: string): Promise<{ readonly id: JobId; readonly etag: string } | undefined> {
    const row = await this.#get(`key_${hash}`);
    const id = typeof row?.["jobId"] === "string" ? parseJobId(row["jobId"]) : undefined;
    return row === undefined || id === undefined ? undefined : { id, etag: row.etag };
  }

  async #get(rowKey: string): Promise<({ readonly etag: string } & Readonly<Record<string, unknown>>) | undefined> {
    const row = await storageCall(() => this.#table.getEntity(partition, rowKey), 404);
    return row === 404 ? undefined : row;
  }

  async *#rows(filter: string, select: string[] | undefined): AsyncGenerator<Readonly<Record<string, unknown>>> {
    const pages = this.#table.listEntities({ queryOptions: { filter, ...(select ? { select } : {}) } });
    for (;;) {
      const next = await storageCall(() => pages.next(), 404);
      // No table: nothing was ever written.
      if (next === 404 || next.done) return;
      yield next.value;
    }
  }
}

function waitKey(name: string, createdAt: number, id: JobId): string {
  return `wait_${nameKey(name)}_${stamp(createdAt)}_${id}`;
}

function holderIn({ jobId }: Readonly<Record<string, unknown>>): JobId | undefined {
  return typeof jobId === "string" ? parseJobId(jobId) : undefined;
}

function keyIn(row: Readonly<Record<string, unknown>> | undefined): JobKey | undefined {
  const [partitionKey, rowKey] = [row?.["rowPartition"], row?.["rowRow"]];
  return typeof partitionKey === "string" && typeof rowKey === "string" ? { partitionKey, rowKey } : undefined;
}

function timeOf(value: unknown): number {
  return value instanceof Date ? value.getTime() : 0;
}
