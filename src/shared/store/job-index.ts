import { odata, type TransactionAction } from "@azure/data-tables";
import { nameKey, parseJobId, type GroupName, type JobId } from "../base/ids.ts";
import { terminalStates } from "../job/job.ts";
import { leadsToItself, type JobKey } from "./job-row.ts";
import { entity, keyIn, kind, nameEntry, timeOf } from "./index-partition.ts";
import { Reservations } from "./reservations.ts";
import { storageCall } from "./connect.ts";

/** What earlier jobs of a name left for the next. */
export interface NameHistory {
  /** How long they ran, in milliseconds. */
  readonly usualTime: number | undefined;
  /** When Azure last accepted a delete of their group: milliseconds since 1970. */
  readonly lastDeleteAt: number | undefined;
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

/** Entries from before a time, dropped until another. */
export interface Old {
  readonly before: number;
  readonly until: number;
  readonly now: () => number;
}

/** What leads to a job beside its row's key and its name. */
export interface Leads {
  readonly id: JobId;
  readonly keyHash?: string | undefined;
  readonly joined: readonly { readonly id?: JobId | undefined }[];
}

/** How many entries of a name one call reads: nearly always the first one leads to a row. */
const newestPage = 3;
/** Reservations whose rows were never written stand before the newest job for minutes; while storage refuses rows there may be many. */
const maxNewest = 300;

/**
 * The table `jobindex`: what must be found without knowing an id, in one partition, so that whatever belongs together is written in
 * one transaction.
 *
 * | row key | is |
 * | --- | --- |
 * | `job_ID` | a job that has not ended, or whose group or callers are not done with: its columns, and when the timer must check it |
 * | `hold_NAME` | the job that holds a group's name; create-only, so two jobs never hold one |
 * | `wait_NAME_TIME_ID` | a job that waits for a name, oldest first |
 * | `group_...` | slots of groups of jobs, and who waits for one (`group-entries.ts`) |
 * | `name_NAME_TIME_ID` | a job of a name, newest first |
 * | `name_NAME` | what earlier jobs of a name left: how long they took (`usualTime`, milliseconds), when a delete of their group was last accepted (`lastDeleteAt`) |
 * | `key_HASH` | the job of an idempotency key |
 * | `id_UUID` | where the row of a job stands whose id a poster chose, or which it joined |
 * | `count_~all`, `count_NAME` | how many jobs have not ended, where a ceiling is set; `~most` and `~most-NAME` are the lines of those that wait for it |
 * | `cancel_UUID` | a cancel that came before its job |
 * | `index` | the mark of an index that is whole |
 */
export class JobIndex extends Reservations {
  /** A job that is done with leaves the index; so does a reservation whose row was never written. */
  async drop(id: JobId): Promise<void> {
    await this.remove(`job_${id}`);
  }

  /** The same, and the next job of its name may know what it left: one call still. */
  async dropRun(id: JobId, name: GroupName, { usualTime, lastDeleteAt }: NameHistory): Promise<void> {
    const left = {
      ...(usualTime === undefined ? {} : { usualTime }),
      ...(lastDeleteAt === undefined ? {} : { lastDeleteAt: new Date(lastDeleteAt) }),
    };
    const actions: TransactionAction[] = [
      ["delete", entity(`job_${id}`)],
      ["upsert", entity(`name_${nameKey(name)}`, left), "Merge"],
    ];
    // Dropped before: then what it left was written before, too.
    await this.transact(actions);
  }

  /** What earlier jobs of a name left. */
  async historyOf(name: GroupName): Promise<NameHistory> {
    const row = await this.get(`name_${nameKey(name)}`);
    return {
      usualTime: typeof row?.["usualTime"] === "number" ? row["usualTime"] : undefined,
      lastDeleteAt: row?.["lastDeleteAt"] instanceof Date ? row["lastDeleteAt"].getTime() : undefined,
    };
  }

  async has(id: JobId): Promise<boolean> {
    return (await this.get(`job_${id}`)) !== undefined;
  }

  /**
   * The entries by which jobs are found by their names, at most a hundred, in one call.
   *
   * @returns false when one of them was not there: then nothing was done
   */
  async dropNames(jobs: readonly { readonly name: GroupName; readonly key: JobKey }[]): Promise<boolean> {
    if (jobs.length === 0) return true;
    const entries = new Set(jobs.map(({ name, key }) => nameEntry(name, key)));
    const actions = Array.from(entries, (rowKey): TransactionAction => ["delete", entity(rowKey)]);
    return typeof (await storageCall(() => this.table.submitTransaction(actions), 400, 404)) !== "number";
  }

  /** What leads to a job whose row is about to go, beside its name: a key, ids that posters chose. */
  async dropLeads({ id, keyHash, joined }: Leads, key: JobKey): Promise<void> {
    if (keyHash !== undefined) await this.dropKey(keyHash, id);
    for (const each of [leadsToItself(id, key) ? undefined : id, ...joined.map((other) => other.id)])
      if (each !== undefined) await this.remove(`id_${each}`);
  }

  async dropName(name: GroupName, key: JobKey): Promise<void> {
    await this.remove(nameEntry(name, key));
  }

  /**
   * With the last job of a name goes what is known of the name.
   *
   * @returns where the row of the newest job of the name is
   */
  async forgetName(name: GroupName): Promise<JobKey | undefined> {
    for await (const newest of this.rows(kind(`name_${nameKey(name)}`), undefined, 1)) return keyIn(newest);
    await this.remove(`name_${nameKey(name)}`);
    return undefined;
  }

  /** The columns of an active job as they are now, for dashboards and the timer. */
  async mirror(id: JobId, key: JobKey, checkAt: number, columns: Readonly<Record<string, unknown>>): Promise<void> {
    const row = entity(`job_${id}`, {
      ...columns,
      checkAt: new Date(checkAt),
      rowPartition: key.partitionKey,
      rowRow: key.rowKey,
    });
    await storageCall(() => this.table.upsertEntity(row, "Replace"));
  }

  /** @param requeued true when the timer has requeued the job and checks whether that helped */
  async setCheck(id: JobId, checkAt: number, requeued = false): Promise<void> {
    const row = entity(`job_${id}`, { checkAt: new Date(checkAt), told: requeued });
    await storageCall(() => this.table.updateEntity(row, "Merge"), 404);
  }

  /** All jobs in the index, in no order. */
  watched(): AsyncGenerator<DueJob> {
    return this.#jobs(kind("job"));
  }

  /**
   * Everything that has not ended or is not done with: the columns of its row.
   *
   * @param skipped called for each entry that names no job
   */
  async *active(skipped: () => void = () => undefined): AsyncGenerator<ActiveJob> {
    for await (const row of this.rows(kind("job"))) {
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
    for await (const { id } of this.#jobs(`${kind("job")} and ${odata`nameKey eq ${nameKey(name)}`} and ${ended}`))
      ids.push(id);
    return ids;
  }

  async *#jobs(filter: string): AsyncGenerator<DueJob> {
    for await (const row of this.rows(filter, ["RowKey", "createdAt", "checkAt", "told"])) {
      const id = parseJobId(String(row["rowKey"]).slice("job_".length));
      if (id === undefined) continue;
      const [createdAt, checkAt] = [timeOf(row["createdAt"]), timeOf(row["checkAt"])];
      yield { id, createdAt, checkAt, told: row["told"] === true };
    }
  }

  async keyOfForeign(id: JobId): Promise<JobKey | undefined> {
    return keyIn(await this.get(`id_${id}`));
  }

  /** A poster's own id for a job that was there already. */
  async alias(id: JobId, key: JobKey): Promise<void> {
    const row = entity(`id_${id}`, { rowPartition: key.partitionKey, rowRow: key.rowKey });
    await storageCall(() => this.table.createEntity(row), 409);
  }

  /** A cancel for a job that nobody has seen yet. */
  async keepCancel(id: JobId, at: number): Promise<void> {
    await storageCall(() => this.table.upsertEntity(entity(`cancel_${id}`, { at: new Date(at) }), "Replace"));
  }

  async hasCancel(id: JobId): Promise<boolean> {
    return (await this.get(`cancel_${id}`)) !== undefined;
  }

  /** Kept cancels whose job never came. False when the time was up first. */
  async dropCancels({ before, until, now }: Old): Promise<boolean> {
    const filter = `${kind("cancel")} and ${odata`at lt ${new Date(before)}`}`;
    for await (const row of this.rows(filter, ["RowKey"])) {
      if (now() >= until) return false;
      await this.remove(String(row["rowKey"]));
    }
    return true;
  }

  /** Where the rows of a name's jobs are, newest first. Of the newest some may never have been written: then the next one counts. */
  async *newestOf(name: string): AsyncGenerator<JobKey> {
    let entries = 0;
    for await (const row of this.rows(kind(`name_${nameKey(name)}`), undefined, newestPage)) {
      const key = keyIn(row);
      if (key) yield key;
      if (++entries >= maxNewest) return;
    }
    // A release before kept one entry for each name, which leads to its newest job.
    const only = keyIn(await this.get(`name_${nameKey(name)}`));
    if (only) yield only;
  }
}
