import { isOfTeams } from "./job-filter.ts";
import { odata, type TransactionAction } from "@azure/data-tables";
import { childIn, nameKey, parseJobId, type GroupName, type JobId } from "../base/ids.ts";
import { hasEnded, terminalStates, type Job, type Typical } from "../job/job.ts";
import { maxRuns, medianRun, runOf, typicalOf, type Run } from "../job/typical.ts";
import { leadsToItself, type JobKey } from "./job-row.ts";
import { entity, keyIn, kind, leadsTo, nameEntry, timeOf } from "./index-partition.ts";
import { Reservations } from "./reservations.ts";
import { storageCall } from "./connect.ts";

/** What earlier jobs of a name left for the next. */
export interface NameHistory {
  /** How long those took that succeeded. */
  readonly typical: Typical | undefined;
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
  /** Whose child it is. */
  readonly array: JobId | undefined;
  readonly columns: Readonly<Record<string, unknown>>;
}

/** Entries from before a time, dropped until another. */
export interface Old {
  readonly before: number;
  readonly until: number;
  readonly now: () => number;
}

/** When a job's create was sent, and when the job is expected to end. */
export interface ExpectedEnd {
  readonly from: number;
  readonly to: number;
}

/** What leads to a job beside its row's key and its name. */
export interface Leads {
  readonly id: JobId;
  readonly keyHash?: string | undefined;
  readonly joined: readonly { readonly id?: JobId | undefined }[];
}

/** Of this many of a name's last jobs those that succeeded are looked for. */
const maxHistory = 100;
/** Every time is later; a column that is absent is not. */
const epoch = "datetime'1970-01-01T00:00:00Z'";

/** How many entries of a name one call reads: nearly always the first one leads to a row. */
const newestPage = 3;
/** The same where other teams' jobs are passed over. */
const newestOfTeamsPage = 50;
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
 * | `name_NAME_TIME_ID` | a job of a name, newest first, with its team; when it is done with, what it left for the next: how long it took if it succeeded (`startSeconds`, `runSeconds`), when a delete of its group was last accepted (`lastDeleteAt`) |
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

  /** The same, and the next job of its name may know what it left (`leftBy`): one call still. */
  async dropRun({ id, name }: Job, key: JobKey, left: Left): Promise<void> {
    const actions: TransactionAction[] = [
      ["delete", entity(`job_${id}`)],
      ["upsert", entity(nameEntry(name, key), { ...leadsTo(key), ...left }), "Merge"],
    ];
    // Dropped before: then what it left was written before, too.
    await this.transact(actions);
  }

  /** What earlier jobs of a name left: one call, whatever became of them. */
  async historyOf(name: GroupName): Promise<NameHistory> {
    const runs: Run[] = [];
    let [read, lastDeleteAt] = [0, 0];
    const left = `(runSeconds ge 0 or lastDeleteAt ge ${epoch})`;
    const filter = `${kind(`name_${nameKey(name)}`)} and ${left}`;
    for await (const row of this.rows(filter, ["startSeconds", "runSeconds", "lastDeleteAt"], maxHistory)) {
      const { startSeconds, runSeconds } = row;
      if (typeof startSeconds === "number" && typeof runSeconds === "number") runs.push({ startSeconds, runSeconds });
      lastDeleteAt = Math.max(lastDeleteAt, timeOf(row["lastDeleteAt"]));
      if (++read >= maxHistory || runs.length >= maxRuns) break;
    }
    return { typical: typicalOf(runs), lastDeleteAt: lastDeleteAt === 0 ? undefined : lastDeleteAt };
  }

  /** Jobs of a group that have begun and are expected to end at a time, up to a number: one call for each thousand. */
  async expectedEnds(group: string, max: number): Promise<readonly ExpectedEnd[]> {
    const found: ExpectedEnd[] = [];
    const begun = `provisioningAt ge ${epoch} and expectedEndAt ge ${epoch}`;
    const filter = `${kind("job")} and ${odata`group eq ${group}`} and ${begun}`;
    for await (const row of this.rows(filter, ["provisioningAt", "expectedEndAt"])) {
      found.push({ from: timeOf(row["provisioningAt"]), to: timeOf(row["expectedEndAt"]) });
      if (found.length >= max) break;
    }
    return found;
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
   * With the last job of a name goes what a release before kept of the name.
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

  /** The same for a job that is requeued again and again until it is heard of: when the timer finds that out is not put off. */
  async checkBy(id: JobId, checkAt: number): Promise<void> {
    const row = await this.get(`job_${id}`);
    if (row !== undefined && row["told"] !== true && timeOf(row["checkAt"]) > checkAt) await this.setCheck(id, checkAt);
  }

  /** All jobs in the index, in no order. */
  watched(): AsyncGenerator<DueJob> {
    return this.#jobs(kind("job"));
  }

  /**
   * Everything that has not ended or is not done with: the columns of its row.
   *
   * @param skipped called for each entry that names no job
   * @param only columns that are read beside those that each has; all where it is absent
   */
  async *active(skipped: () => void = () => undefined, only?: readonly string[]): AsyncGenerator<ActiveJob> {
    const select = only && ["RowKey", "state", "reason", "name", "createdAt", "arrayId", ...only];
    for await (const row of this.rows(kind("job"), select)) {
      const id = parseJobId(String(row["rowKey"]).slice("job_".length));
      if (id === undefined) {
        skipped();
        continue;
      }
      const text = (name: string): string => (typeof row[name] === "string" ? row[name] : "");
      const createdAt = timeOf(row["createdAt"]);
      const array = parseJobId(text("arrayId"));
      yield { id, state: text("state"), reason: text("reason"), name: text("name"), createdAt, array, columns: row };
    }
  }

  /** Jobs of a name that have not ended. An array's children are no jobs of their own. */
  async activeOf(name: string): Promise<readonly JobId[]> {
    const ended = terminalStates.map((state) => odata`state ne ${state}`).join(" and ");
    const ids: JobId[] = [];
    for await (const { id } of this.#jobs(`${kind("job")} and ${odata`nameKey eq ${nameKey(name)}`} and ${ended}`))
      if (childIn(id) === undefined) ids.push(id);
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

  /**
   * Where the rows of a name's jobs are, newest first. Of the newest some may never have been written: then the next one counts.
   *
   * @param teams entries that name another team are passed over
   */
  async *newestOf(name: string, teams?: readonly string[]): AsyncGenerator<JobKey> {
    let entries = 0;
    const page = teams === undefined ? newestPage : newestOfTeamsPage;
    for await (const row of this.rows(kind(`name_${nameKey(name)}`), undefined, page)) {
      const key = keyIn(row);
      if (key && (row["team"] === undefined || isOfTeams(row, teams))) yield key;
      if (++entries >= maxNewest) return;
    }
    // A release before kept one entry for each name, which leads to its newest job.
    const only = keyIn(await this.get(`name_${nameKey(name)}`));
    if (only) yield only;
  }
}

export type Left = Readonly<Record<string, number | Date>>;

/**
 * What a job that is done with leaves for the next of its name, in columns of its name's entry. An array's child leaves nothing; its array
 * leaves how long its children took, and the end of the last one's group.
 *
 * @param runs of an array: how long its children took that succeeded
 */
export function leftBy(job: Job, runs: readonly Run[] = []): Left {
  if (job.child !== undefined) return {};
  const lastDeleteAt = job.array !== undefined && hasEnded(job.phase) ? job.phase.finishedAt : job.lastDeleteAt;
  const run = job.array === undefined ? runOf(job) : medianRun(runs);
  return { ...run, ...(lastDeleteAt === undefined ? {} : { lastDeleteAt: new Date(lastDeleteAt) }) };
}
