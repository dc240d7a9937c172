import { day, hour, second } from "../../../src/shared/base/duration.ts";
import { groupName, mintJobId } from "../../../src/shared/base/ids.ts";
import type { Settings } from "../../../src/shared/config/settings.ts";
import { makeDeps, type Deps } from "../../../src/shared/deps.ts";
import { cancelKept } from "../../../src/shared/intake/cancel.ts";
import { readAtKey } from "../../../src/shared/store/blobs.ts";
import { tableNames } from "../../../src/shared/store/connect.ts";
import { keyIn, nameEntry, partition } from "../../../src/shared/store/index-partition.ts";
import { sweepRetention } from "../../../src/workers/sweep/retention.ts";
import { start } from "../../kit/kit.ts";
import { Blobs, blobService } from "../blobs.ts";
import { ring } from "../key-ring.ts";
import { Queue, queueService } from "../queues.ts";
import type { Call } from "../scheduler.ts";
import { pointReader, Table, tableClient, type Entity } from "../tables.ts";
import { DueBook } from "./due-book.ts";
import { attemptEntitiesOf, indexEntriesOf, logBlobsOf, nameHistoryOf, rowOf, yearJob, type YearJob } from "./jobs.ts";

/**
 * Days, or a year, of an installation: jobs leave what they leave in storage, and the real retention runs over it. Storage is the
 * model's, in memory; each call to it takes time. What is kept, and for how long, is what docs/settings.md promises.
 */
export interface YearOptions {
  readonly days: number;
  readonly jobsPerDay: number;
  readonly settings: Settings;
  /** From one sweep to the next. */
  readonly every: number;
  /** Days on which no sweep runs: from, and before. */
  readonly silence: { readonly from: number; readonly to: number };
}

export interface YearFigures {
  readonly jobs: number;
  /** To storage, by kind. */
  readonly calls: Readonly<Record<string, number>>;
  readonly callsPerJob: number;
  /** The most that ever lay there. */
  readonly most: Readonly<Record<"rows" | "attempts" | "index" | "control" | "blobs" | "cursor", number>>;
  /** What stayed longer than it may, by kind and day. */
  readonly late: readonly string[];
  readonly early: readonly string[];
  /** What lies there without what it belongs to, or is missing. */
  readonly astray: readonly string[];
  /** Simulated time until all was done that had been left undone on the days without a sweep. */
  readonly catchUpTime: number;
  readonly rowsLeft: number;
}

/** One call of sixteen at once, each of which takes 16 ms. */
const callTime = 1;
/** As in `pass.ts`. */
const budget = 45 * second;
const nextPass = 30 * second;
/** Blobs and entries that no row leads to are looked for once a day, and no setting promises when they go. */
const leftoverSlack = 2 * day;
const groupsStayFor = 100 * day;
/** Faults that are reported of each kind. */
const maxTold = 20;

export class Year {
  readonly #options: YearOptions;
  #now = start;
  readonly #tables: Readonly<Record<"jobs" | "jobindex" | "attempts" | "control", Table>>;
  readonly #blobs: Blobs;
  readonly #due = new DueBook();
  readonly #calls = new Map<string, number>();
  readonly #most = { rows: 0, attempts: 0, index: 0, control: 0, blobs: 0, cursor: 0 };
  readonly #late: string[] = [];
  readonly #astray: string[] = [];
  readonly #deps: Deps;
  #cursor: string | undefined;
  /** Entries of the index by which jobs are found by their names. */
  #names = 0;
  /** What happens to jobs on later days. */
  readonly #later = new Map<number, (() => void)[]>();

  constructor(options: YearOptions) {
    this.#options = options;
    const table = (name: string): Table => new Table(name, (_, before, after) => this.#written(name, before, after));
    this.#tables = {
      jobs: table(tableNames.jobs),
      jobindex: table(tableNames.index),
      attempts: table(tableNames.attempts),
      control: table(tableNames.control),
    };
    const now = (): number => this.#now;
    this.#blobs = new Blobs(now, (path, { metadata }) => {
      this.#due.gone(metadata["kind"] ?? path, Number(metadata["due"] ?? Infinity), this.#now);
    });
    const call: Call = (label, _, effect) => {
      this.#calls.set(label, (this.#calls.get(label) ?? 0) + 1);
      this.#now += callTime;
      return new Promise((resolve) => resolve(effect()));
    };
    const tables: Readonly<Record<string, Table>> = this.#tables;
    const named = (name: string): Table => {
      const found = tables[name];
      if (found === undefined) throw new Error(`There is no table ${name}.`);
      return found;
    };
    this.#deps = makeDeps({
      settings: options.settings,
      log: (level, event) => {
        if (level !== "info") this.#isAstray(event);
      },
      now,
      instead: {
        storage: {
          table: (name) => tableClient(named(name), call),
          pointReader: (name) => pointReader(named(name), call),
          queues: queueService(new Queue(now), call),
          blobs: blobService(this.#blobs, call),
        },
        ring,
        aci: () => {
          throw new Error("Retention calls no ACI.");
        },
        sleep: () => Promise.resolve(),
      },
    });
  }

  /** Millions of refusals are errors, whose stacks nobody reads. */
  async run(): Promise<YearFigures> {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      return await this.#run();
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  async #run(): Promise<YearFigures> {
    const { days, jobsPerDay, every, silence } = this.#options;
    const perSlot = (jobsPerDay * every) / day;
    let [jobs, catchUpTime] = [0, 0];
    for (let at = 0; at < days * day; at += every) {
      const today = Math.floor(at / day);
      const slot = start + at;
      for (let n = 0; n < perSlot; n++) this.#accept(yearJob(++jobs, slot + Math.floor((n * every) / perSlot)));
      this.#now = slot + every;
      if (at % day === 0) await this.#leaveOver(today);
      for (const happens of this.#later.get(today) ?? []) happens();
      this.#later.delete(today);
      this.#measure();
      if (today >= silence.from && today < silence.to) continue;
      const began = this.#now;
      await this.#sweep();
      if (today === silence.to) catchUpTime = Math.max(catchUpTime, this.#now - began);
      this.#judge(today);
    }
    this.#followLeads();
    const calls = Object.fromEntries(this.#calls);
    const total = Object.values(calls).reduce((sum, count) => sum + count, 0);
    return {
      jobs,
      calls,
      callsPerJob: total / jobs,
      most: this.#most,
      late: this.#late,
      early: this.#due.early,
      astray: this.#astray,
      catchUpTime,
      rowsLeft: this.#tables.jobs.size,
    };
  }

  // --------------------------------------------------------------------------------------------------- what jobs leave

  #accept(job: YearJob): void {
    this.#now = job.createdAt;
    const { jobs, jobindex } = this.#tables;
    for (const entity of indexEntriesOf(job)) jobindex.put(entity);
    jobs.put(rowOf(job, "running"));
    if (job.isLarge)
      this.#putBlob(`aci-sealed/${job.id}`, "sealed blobs", job.finishedAt + this.#keptFor("definitions"));
    const isLong = job.finishedAt > job.createdAt + hour;
    if (isLong) this.#on(job.finishedAt, () => this.#end(job));
    else this.#end(job);
  }

  #end(job: YearJob): void {
    this.#now = Math.max(this.#now, job.finishedAt);
    const { jobs, jobindex, attempts } = this.#tables;
    for (const entity of attemptEntitiesOf(job)) attempts.put(entity);
    for (const path of logBlobsOf(job)) this.#putBlob(path, "log blobs", job.finishedAt + this.#keptFor("logs"));
    jobindex.put(nameHistoryOf(job));
    jobs.put(rowOf(job, job.groupStays ? "ended, group not gone" : "ended"));
    if (job.groupStays)
      this.#on(job.finishedAt + groupsStayFor, () => {
        const { key } = job;
        jobs.transact([["update", { ...key, groupDeleted: true }, "Merge"]]);
      });
  }

  #on(at: number, happens: () => void): void {
    const on = Math.floor((at - start) / day) + 1;
    const others = this.#later.get(on);
    if (others) others.push(happens);
    else this.#later.set(on, [happens]);
  }

  /** What no row leads to: of submissions that were refused, of messages that were dealt with, of cancels that nothing came of. */
  async #leaveOver(today: number): Promise<void> {
    const now = this.#now;
    const { definitionRetention } = this.#options.settings;
    const idOf = (n: number) => mintJobId(now, Uint8Array.from([9, n, 0, 0, 0, 0, 0, 0, 0, 0]));
    for (let n = 0; n < 20; n++) {
      this.#putBlob(`aci-sealed/${idOf(n)}`, "forsaken", now + day);
      const readAt = { [readAtKey]: new Date(now).toISOString() };
      this.#putBlob(`aci-definitions/${today}-${n}`, "read", now + Math.max(definitionRetention, day), readAt);
    }
    for (let n = 0; n < 5; n++) {
      this.#putBlob(`aci-sealed/messages/${today}-${n}`, "messages", now + day);
      await this.#deps.jobs.index.keepCancel(idOf(n), now);
      await this.#deps.control.firstObserved(idOf(n), now);
      await this.#deps.held.note({ id: idOf(n), why: "storage", since: now, tries: 1, until: now });
    }
  }

  #putBlob(path: string, kind: string, due: number, metadata: Readonly<Record<string, string>> = {}): void {
    this.#blobs.put(path, nothing, { ...metadata, kind, due: String(due) });
    this.#due.keep(kind, due);
  }

  #keptFor(kind: "definitions" | "logs" | "rows"): number {
    const { definitionRetention, logRetention, rowRetention } = this.#options.settings;
    return { definitions: definitionRetention, logs: logRetention, rows: rowRetention }[kind];
  }

  // ------------------------------------------------------------------------------------------------------ what goes on

  async #sweep(): Promise<void> {
    for (let passes = 0; passes < 1000; passes++) {
      const end = await sweepRetention(this.#deps, this.#now + budget, this.#cursor);
      if (end.kind === "failed") throw new Error(end.error);
      this.#cursor = end.cursor;
      this.#most.cursor = Math.max(this.#most.cursor, end.cursor?.length ?? 0);
      if (end.kind === "completed") return;
      this.#now += nextPass;
    }
    this.#late.push("The sweep does not come to an end.");
  }

  #measure(): void {
    const { jobs, jobindex, attempts, control } = this.#tables;
    const sizes = [jobs, attempts, jobindex, control, this.#blobs].map(({ size }) => size);
    const [rows = 0, attempts_ = 0, index = 0, controls = 0, blobs = 0] = sizes;
    const most = this.#most;
    most.rows = Math.max(most.rows, rows);
    most.attempts = Math.max(most.attempts, attempts_);
    most.index = Math.max(most.index, index);
    most.control = Math.max(most.control, controls);
    most.blobs = Math.max(most.blobs, blobs);
  }

  // ------------------------------------------------------------------------------------------------------------- judge

  #judge(today: number): void {
    const slacks = { rows: day, definitions: day, logs: day, "sealed blobs": day, "log blobs": day };
    const leftovers = { forsaken: leftoverSlack, read: leftoverSlack, messages: leftoverSlack };
    for (const [kind, slack] of Object.entries({ ...slacks, ...leftovers })) {
      const count = this.#due.overdue(kind, this.#now - slack);
      if (count > 0 && this.#late.length < maxTold) this.#late.push(`day ${today}: ${count} ${kind}`);
    }
    if (this.#names !== this.#tables.jobs.size)
      this.#isAstray(`day ${today}: ${this.#tables.jobs.size} rows and ${this.#names} entries of names`);
  }

  /** Called with every write to the tables. */
  #written(table: string, before: Entity | undefined, after: Entity | undefined): void {
    if (table === tableNames.index && (before === undefined || after === undefined)) {
      const isOfJob = (before ?? after)?.rowKey.startsWith("name_") && (before ?? after)?.["rowRow"] !== undefined;
      if (isOfJob) this.#names += before === undefined ? 1 : -1;
    }
    if (table !== tableNames.jobs) return;
    for (const kind of ["rows", "definitions", "logs"] as const) {
      const [old, due] = [this.#dueOf(kind, before), this.#dueOf(kind, after)];
      if (old === due) continue;
      if (old !== undefined) this.#due.gone(kind, old, this.#now);
      if (due !== undefined) this.#due.keep(kind, due);
    }
  }

  /** When what a row still has may go at the earliest. */
  #dueOf(kind: "rows" | "definitions" | "logs", row: Entity | undefined): number | undefined {
    if (!(row?.["finishedAt"] instanceof Date)) return undefined;
    const column = { rows: "groupDeleted", definitions: "hasDefinition", logs: "hasLogs" }[kind];
    return row[column] === true ? row["finishedAt"].getTime() + this.#keptFor(kind) : undefined;
  }

  /** Every row has what leads to it and belongs to it, and nothing is there that belongs to no row. */
  #followLeads(): void {
    const { jobs, jobindex, attempts } = this.#tables;
    const named = new Set<string>();
    const ids = new Set<string>();
    for (const row of jobs.all()) {
      const { partitionKey, rowKey, id, name, finishedAt } = row;
      ids.add(String(id));
      named.add(String(name));
      const entry = nameEntry(groupName(String(name)), { partitionKey, rowKey });
      if (jobindex.get(partition, entry) === undefined) this.#isAstray(`a row without ${entry}`);
      if (finishedAt !== undefined && attempts.get(String(id), "001") === undefined)
        this.#isAstray(`no attempt of ${String(id)}`);
    }
    for (const { partitionKey } of attempts.all())
      if (!ids.has(partitionKey)) this.#isAstray(`attempts of ${partitionKey}`);
    for (const entry of jobindex.all()) {
      if (!this.#belongs(entry, ids, named)) this.#isAstray(entry.rowKey);
    }
  }

  #isAstray(what: string): void {
    if (this.#astray.length < maxTold) this.#astray.push(what);
  }

  #belongs(entry: Entity, ids: ReadonlySet<string>, names: ReadonlySet<string>): boolean {
    const { rowKey, jobId, at } = entry;
    const key = keyIn(entry);
    if (key !== undefined) return this.#tables.jobs.get(key.partitionKey, key.rowKey) !== undefined;
    if (typeof jobId === "string") return ids.has(jobId);
    if (at instanceof Date) return at.getTime() > this.#now - cancelKept - leftoverSlack;
    return names.has(rowKey.slice("name_".length));
  }
}

const nothing = Buffer.alloc(0);
