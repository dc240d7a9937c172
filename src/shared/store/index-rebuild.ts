import { odata, type TableClient, type TransactionAction } from "@azure/data-tables";
import { z } from "zod";
import { defined } from "../base/defined.ts";
import { minute } from "../base/duration.ts";
import { Unavailable } from "../base/errors.ts";
import { pauseAfter, type Pacing } from "../base/rewrite.ts";
import { childIn, nameKey } from "../base/ids.ts";
import { parseJson } from "../base/json.ts";
import { hasEnded, type Job } from "../job/job.ts";
import { queueTimeOf } from "../job/slot.ts";
import { storageCall } from "./connect.ts";
import { entity, IndexPartition, kind, leadsTo, nameEntry, waitKey } from "./index-partition.ts";
import { entryKey, groupEntriesOf, partsOf, steeringColumns } from "./group-entries.ts";
import { columnsOf, leadsToItself, listedColumns, recordColumns, type Prices } from "./job-row.ts";
import { leftBy } from "./job-index.ts";
import { rowOf, type Row } from "./rebuilt-row.ts";
import type { SteeringCopies } from "./steering-copies.ts";

/**
 * The job index, written anew from the rows of the table `jobs` after it was lost. Every step may be interrupted and repeated: it adds
 * what is missing and overwrites nothing that a running job wrote meanwhile. Jobs that may have a group get the locks of their names
 * before any other job is looked at; the mark that lets jobs be accepted again comes last.
 *
 * What stands in no row is lost: cancels that came before their jobs.
 */
const progress = z.object({
  /** `locks`: of jobs with a group. `entries`: everything of every row. `newest`: rows that came meanwhile. `queues`: names that nobody has. `slots`: how many each group holds, and what operators said of it. */
  pass: z.enum(["locks", "entries", "newest", "queues", "slots", "whole"]),
  /** Where in the pass to go on: storage's own text. */
  page: z.string().optional(),
  startedAt: z.number(),
  /** How many rows the next step takes. */
  rows: z.number(),
  /** Rows that were read in the pass `entries`. */
  jobs: z.number(),
  /** Rows that can't be read: they have the entries that their columns tell of. */
  skipped: z.number(),
});
export type RebuildProgress = z.infer<typeof progress>;

/** Progress from a cursor; from the beginning where there is no cursor. */
export function readProgress(cursor: string | undefined, now: number): RebuildProgress {
  const read = progress.safeParse(parseJson(cursor));
  if (read.success && read.data.pass !== "whole") return read.data;
  return { pass: "locks", startedAt: now, rows: maxRows, jobs: 0, skipped: 0 };
}

/** The next step takes fewer rows: this one was not done in time, or storage failed in it. */
export function withFewerRows(progress: RebuildProgress): RebuildProgress {
  return { ...progress, rows: Math.max(1, Math.floor(progress.rows / 2)) };
}

const maxRows = 50;
/** How often one call is made: on a storage that fails now and then, a step of a hundred calls would never get through. */
const maxTries = 3;
const maxActions = 100;
/** When the rebuild began, a row may have been on its way for a minute, and its acceptor's clock may be behind ours. */
const maxOnTheWay = 5 * minute;

/** The time for a step is up. */
class OutOfTime extends Error {}

/** Makes a call that may be made again: a create that is there already changes nothing. */
type Patiently = <T>(call: () => Promise<T>) => Promise<T>;

export class IndexRebuild extends IndexPartition {
  readonly #jobs: TableClient;
  readonly #copies: SteeringCopies;
  readonly #prices: Prices;
  readonly #pacing: Pacing;

  constructor(index: TableClient, jobs: TableClient, copies: SteeringCopies, prices: Prices, pacing: Pacing) {
    super(index);
    this.#jobs = jobs;
    this.#copies = copies;
    this.#prices = prices;
    this.#pacing = pacing;
  }

  #until(deadline: number): Patiently {
    return async (call) => {
      for (let tries = 1; ; tries++) {
        if (this.#pacing.now() >= deadline) throw new OutOfTime();
        try {
          return await call();
        } catch (error) {
          if (!(error instanceof Unavailable) || tries === maxTries) throw error;
          await pauseAfter(tries, this.#pacing);
        }
      }
    };
  }

  /**
   * Some rows of a pass. A step that is not done at the deadline is begun again by the next call.
   *
   * @param deadline after it no call to storage is begun
   * @throws Unavailable when a call to storage fails three times in a row
   */
  async step(before: RebuildProgress, deadline: number): Promise<RebuildProgress> {
    try {
      const after = await this.#step(before, this.#until(deadline));
      return { ...after, rows: Math.min(maxRows, before.rows * 2) };
    } catch (error) {
      if (error instanceof OutOfTime) return withFewerRows(before);
      throw error;
    }
  }

  async #step(before: RebuildProgress, patiently: Patiently): Promise<RebuildProgress> {
    switch (before.pass) {
      case "locks": {
        if (before.page === undefined) await patiently(() => storageCall(() => this.table.createTable(), 409));
        const { rows, page } = await patiently(() => this.#page("groupDeleted eq false", before));
        const holding = rows.filter(({ mayHaveGroup }) => mayHaveGroup);
        await Promise.all(holding.map((row) => this.#lock(row, patiently)));
        await Promise.all(holding.map((row) => this.#slot(row, patiently)));
        return { ...before, ...goOn(page, "locks", "entries") };
      }
      case "entries": {
        const { rows, page } = await patiently(() => this.#page("", before));
        await this.#enter(rows, patiently);
        const skipped = before.skipped + rows.filter(({ job }) => job === undefined).length;
        return { ...before, jobs: before.jobs + rows.length, skipped, ...goOn(page, "entries", "newest") };
      }
      case "newest": {
        const since = new Date(before.startedAt - maxOnTheWay).toISOString();
        const { rows, page } = await patiently(() => this.#page(`createdAt ge datetime'${since}'`, before));
        await this.#enter(rows, patiently);
        return { ...before, ...goOn(page, "newest", "queues") };
      }
      case "queues": {
        const page = await this.#dequeue(before, patiently);
        return { ...before, ...goOn(page, "queues", "slots") };
      }
      case "slots":
        await this.#countSlots(patiently);
        await patiently(() => this.markWhole());
        return { ...before, pass: "whole" };
      case "whole":
        return before;
    }
  }

  async #page(
    filter: string,
    { page: from, rows }: RebuildProgress,
  ): Promise<{ readonly rows: readonly Row[]; readonly page: string | undefined }> {
    const pages = this.#jobs
      .listEntities({
        queryOptions: {
          ...(filter === "" ? {} : { filter }),
          select: [...new Set(["PartitionKey", "RowKey", ...listedColumns, ...recordColumns])],
        },
      })
      .byPage({ maxPageSize: rows, ...(from === undefined ? {} : { continuationToken: from }) });
    const next = await storageCall(() => pages.next(), 404);
    if (next === 404 || next.done) return { rows: [], page: undefined };
    return { rows: next.value.flatMap((row) => rowOf(row) ?? []), page: next.value.continuationToken };
  }

  // ------------------------------------------------------------------------------------------------------------ locks

  /** @returns whether the row's job has the name now */
  async #lock({ id, groupName: name, job }: Row, patiently: Patiently): Promise<boolean> {
    if (job?.holds === false) return false;
    if (await this.#add(`hold_${nameKey(name)}`, { jobId: id }, patiently)) return true;
    const lock = await patiently(() => this.get(`hold_${nameKey(name)}`));
    return lock?.["jobId"] === id;
  }

  /**
   * A name that nobody has goes to the job that has waited for it the longest.
   *
   * @returns the last entry that was read, unless it was the last of all
   */
  async #dequeue({ page, rows }: RebuildProgress, patiently: Patiently): Promise<string | undefined> {
    const filter = page === undefined ? kind("wait") : `${kind("wait")} and ${odata`RowKey gt ${page}`}`;
    const waiting = await patiently(() => this.#some(filter, rows));
    const first = new Map<string, Readonly<Record<string, unknown>>>();
    for (const each of waiting) {
      const name = /^wait_([^~].*)_\d+_[^_]+$/.exec(String(each["rowKey"]))?.[1];
      if (name !== undefined && !first.has(name)) first.set(name, each);
    }
    const lockFirst = ([name, { rowKey, jobId }]: [string, Readonly<Record<string, unknown>>]) =>
      patiently(() =>
        // Somebody has it: then this one goes on waiting.
        this.transact([
          ["create", entity(`hold_${name}`, { jobId })],
          ["delete", entity(String(rowKey))],
        ]),
      );
    await Promise.all([...first].map(lockFirst));
    const last = waiting.at(-1)?.["rowKey"];
    return waiting.length < rows || typeof last !== "string" ? undefined : last;
  }

  async #some(filter: string, count: number): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const found: Readonly<Record<string, unknown>>[] = [];
    for await (const row of this.rows(filter, ["RowKey", "jobId"], count)) if (found.push(row) === count) break;
    return found;
  }

  // ---------------------------------------------------------------------------------------------------------- entries

  async #enter(rows: readonly Row[], patiently: Patiently): Promise<void> {
    // What leads to a row comes before what has the row reconciled.
    await this.#mergeAll([...new Map(rows.flatMap(leadingEntries))], patiently);
    // Newest first: of several jobs of a key the newest counts.
    const shared = new Map(rows.flatMap(sharedEntries).toReversed());
    await this.#addAll([...shared], patiently);
    const active = rows.filter(({ isDone }) => !isDone);
    await Promise.all(active.map((row) => this.#lockOrWait(row, patiently)));
    await Promise.all(active.map((row) => this.#slot(row, patiently)));
    await this.#addAll(
      active.map((row) => this.#jobEntry(row)),
      patiently,
    );
  }

  async #lockOrWait(row: Row, patiently: Patiently): Promise<void> {
    const { id, groupName: group, createdAt, job } = row;
    if (job?.phase.state === "Queued" && job.holds) {
      const hasName = hadName(job) && (await this.#lock(row, patiently));
      const replaces = job.options.onConflict === "replace" ? { replaces: true } : {};
      const turn = queueTimeOf(createdAt, job.options.priority);
      const age = turn === createdAt ? {} : { createdAt: new Date(createdAt) };
      if (!hasName && !asksLater(job))
        await this.#add(waitKey(group, turn, id), { ...age, jobId: id, ...replaces }, patiently);
      if (job.line !== undefined) await this.#add(waitKey(job.line, turn, id), { ...age, jobId: id }, patiently);
    } else if (row.mayHaveGroup) await this.#lock(row, patiently);
  }

  /** The slots of its group and team, or its place in a line. */
  async #slot({ job }: Row, patiently: Patiently): Promise<void> {
    for (const entry of job === undefined ? [] : groupEntriesOf(job, this.#pacing.now()))
      await this.#add(...entry, patiently);
  }

  /** With what operators said. A job that gives its slot back meanwhile may be counted still: the sweep counts anew. */
  async #countSlots(patiently: Patiently): Promise<void> {
    const steered = await patiently(() => this.#copies.all());
    const counts = await patiently(async () => {
      const held = new Map([...steered.keys()].map((group) => [group, 0]));
      for await (const { rowKey } of this.rows(kind("group"), ["RowKey"])) {
        const parts = partsOf(String(rowKey));
        if (parts?.kind === "slot") held.set(parts.group, (held.get(parts.group) ?? 0) + 1);
      }
      return held;
    });
    const entries = [...counts].map(([group, held]): Entry => {
      const copy = steered.get(group);
      return [entryKey(group), { held, ...(copy === undefined ? {} : steeringColumns(copy)) }];
    });
    await this.#mergeAll(entries, patiently);
  }

  #jobEntry({ id, key, name, groupName: group, createdAt, job }: Row): Entry {
    const entry = {
      ...(job === undefined ? {} : columnsOf(job, this.#prices)),
      ...leadsTo(key),
      name,
      groupName: group,
      createdAt: new Date(createdAt),
      checkAt: new Date(job?.checkAt ?? createdAt),
      ...defined({ keyHash: job?.keyHash }),
    };
    return [`job_${id}`, entry];
  }

  async #mergeAll(entries: readonly Entry[], patiently: Patiently): Promise<void> {
    const actions = entries.map(([rowKey, more]): TransactionAction => ["upsert", entity(rowKey, more), "Merge"]);
    for (let at = 0; at < actions.length; at += maxActions) {
      const part = actions.slice(at, at + maxActions);
      await patiently(() => storageCall(() => this.table.submitTransaction(part)));
    }
  }

  /** Entries that are there already are left as they are. */
  async #addAll(entries: readonly Entry[], patiently: Patiently): Promise<void> {
    for (let at = 0; at < entries.length; at += maxActions) {
      const part = entries.slice(at, at + maxActions);
      const creates = part.map(([rowKey, more]): TransactionAction => ["create", entity(rowKey, more)]);
      const isDone = await patiently(() => this.transact(creates));
      // One that is there refuses all.
      if (!isDone) await Promise.all(part.map(([rowKey, more]) => this.#add(rowKey, more, patiently)));
    }
  }

  /** @returns false when there is such an entry already */
  async #add(rowKey: string, more: Readonly<Record<string, unknown>>, patiently: Patiently): Promise<boolean> {
    const create = () => storageCall(() => this.table.createEntity(entity(rowKey, more)), 409);
    return (await patiently(create)) !== 409;
  }
}

type Pass = RebuildProgress["pass"];

function goOn(page: string | undefined, here: Pass, next: Pass): Pick<RebuildProgress, "pass" | "page"> {
  return page === undefined ? { pass: next, page: undefined } : { pass: here, page };
}

type Entry = [rowKey: string, more: Readonly<Record<string, unknown>>];

/** Where a name, and an id that does not tell of itself where its row is, lead. */
function leadingEntries({ id, key, name, job }: Row): Entry[] {
  const ids = [...(leadsToItself(id, key) ? [] : [id]), ...(job?.joined.flatMap((each) => each.id ?? []) ?? [])];
  const left = job !== undefined && hasEnded(job.phase) ? leftBy(job) : {};
  const byName: Entry = [nameEntry(name, key), { ...leadsTo(key), ...defined({ team: job?.options.team }), ...left }];
  return [...(childIn(id) === undefined ? [byName] : []), ...ids.map((each): Entry => [`id_${each}`, leadsTo(key)])];
}

/** Which job an idempotency key means. */
function sharedEntries({ id, job }: Row): Entry[] {
  return job?.keyHash === undefined ? [] : [[`key_${job.keyHash}`, { jobId: id }]];
}

/**
 * A queued job that waits for something else than its name has that; one that did not begin yet may have to wait for it. An array that has
 * begun has it, and shows what its children wait for.
 */
function hadName(job: Job): boolean {
  const { phase, array, firstCreateAt } = job;
  if (array !== undefined && (array.made > 0 || array.step !== undefined)) return true;
  const reason = phase.state === "Queued" ? phase.waiting?.reason : undefined;
  if (reason === "NameBusy" || asksLater(job)) return false;
  return firstCreateAt !== undefined || (reason !== undefined && reason !== "Paused");
}

/** One that waits for a ceiling asks for its name when it is let in, unless another job of that name would have refused it. */
function asksLater({ phase, array, options: { onConflict } }: Job): boolean {
  const waitsForCeiling = array === undefined && phase.state === "Queued" && phase.waiting?.reason === "TooManyJobs";
  return waitsForCeiling && (onConflict === "wait" || onConflict === "replace");
}
