import { odata, type TableClient, type TransactionAction } from "@azure/data-tables";
import { defined } from "../base/defined.ts";
import { day, second } from "../base/duration.ts";
import type { JobId } from "../base/ids.ts";
import { conflict, done, rewrite, type Pacing } from "../base/rewrite.ts";
import type { Job } from "../job/job.ts";
import { typicalTime } from "../job/typical.ts";
import type { Settings } from "../config/settings.ts";
import { storageCall } from "../store/connect.ts";
import { budgetPartition, type Beside } from "./budget-rows.ts";

/**
 * The daily budget of vCPU and GB seconds (UTC). An attempt counts for the day on which it starts, from its start on, and once: what
 * runs has an entry with its start, what ended is in the day's total, and one transaction moves it from there to here. No storage call
 * where no budget is set. A team's budget has keys of its own, and what runs counts for no less than it is expected to take.
 *
 * An entry is written in the transaction that takes the create's token. Its job may die before it creates anything: then the entry is
 * replaced by the attempt's next try, or goes as the job ends.
 */
/** Entries of past days that are removed when a day begins. */
const maxRemoved = 500;
/** What was used is read at most this often, unless it would keep a job waiting. What other instances begin meanwhile is not counted. */
const recentTime = 15 * second;

interface Used {
  readonly vcpuSeconds: number;
  readonly gbSeconds: number;
}

interface Key {
  readonly partitionKey: string;
  readonly rowKey: string;
}

interface Running {
  readonly at: number;
  readonly cpu: number;
  readonly memoryGB: number;
  /** Seconds that it is expected to take; 0 where that is not known, or does not count. */
  readonly expected: number;
}

/** What was used of a day by then, and how much more it is with each second. */
interface Use extends Used {
  readonly date: string;
  readonly at: number;
  readonly vcpu: number;
  readonly gb: number;
}

type Attempted = Pick<
  Job,
  "id" | "attempt" | "cpu" | "memoryGB" | "provisioningAt" | "attempts" | "options" | "typical"
>;

export class DailyBudget {
  readonly #table: TableClient;
  readonly #vcpu: number | undefined;
  readonly #gb: number | undefined;
  readonly #pacing: Pacing;
  /** Absent for the budget of all. */
  readonly #team: string | undefined;
  /** No team's name has a `~`. */
  readonly #prefix: string;
  #today = "";
  #recent: Use | undefined;

  constructor(
    table: TableClient,
    settings: Partial<Pick<Settings, "dailyVcpuSeconds" | "dailyGbSeconds">>,
    pacing: Pacing,
    team?: string,
  ) {
    this.#table = table;
    this.#team = team;
    this.#prefix = `daily~${team ?? ""}~`;
    this.#pacing = pacing;
    this.#vcpu = settings.dailyVcpuSeconds;
    this.#gb = settings.dailyGbSeconds;
  }

  /** Whether an attempt may start now, or when it may, and who is kept from it. */
  async left(
    now: number,
  ): Promise<{ readonly ok: true } | { readonly ok: false; readonly at: number; readonly team?: string }> {
    if (!this.#limited) return { ok: true };
    const recent = this.#recent;
    const isRecent = recent?.date === dayOf(now) && now - recent.at < recentTime;
    if (isRecent && !this.#isFull(usedBy(recent, now))) return { ok: true };
    if (!this.#isFull(await this.#used(now))) return { ok: true };
    return { ok: false, at: (Math.floor(now / day) + 1) * day, ...defined({ team: this.#team }) };
  }

  #isFull({ vcpuSeconds, gbSeconds }: Used): boolean {
    return vcpuSeconds >= (this.#vcpu ?? Infinity) || gbSeconds >= (this.#gb ?? Infinity);
  }

  /** The part of each limit that is left of this day, 0 to 1. */
  async parts(now: number): Promise<Readonly<Record<string, number>>> {
    if (!this.#limited) return {};
    const { vcpuSeconds, gbSeconds } = await this.#used(now);
    const part = (used: number, limit: number): number => (limit === 0 ? 0 : Math.max(0, 1 - used / limit));
    return {
      ...(this.#vcpu === undefined ? {} : { dailyVcpuSeconds: part(vcpuSeconds, this.#vcpu) }),
      ...(this.#gb === undefined ? {} : { dailyGbSeconds: part(gbSeconds, this.#gb) }),
    };
  }

  /** What is written with the token of an attempt's create: it counts from then on. */
  async charge(job: Attempted): Promise<readonly Beside[]> {
    const at = job.provisioningAt;
    if (!this.#limited || at === undefined) return [];
    await this.#openDay(dayOf(at));
    const runTime = job.options.runTimeout ?? typicalTime(job.typical);
    const expected = this.#team === undefined || runTime === undefined ? 0 : runTime / second;
    const { cpu, memoryGB } = job;
    // It counts here at once; a token that is refused is found when the day is read again.
    if (this.#recent?.date === dayOf(at)) this.#recent = withRunning(this.#recent, { at, cpu, memoryGB, expected });
    const numbers = { cpu: double(cpu), memoryGB: double(memoryGB), expected: double(expected) };
    return [{ ...this.#keyOf(job.id, job.attempt, at), at: new Date(at), ...numbers }];
  }

  /** Its create was refused: nothing started. */
  async cancel(job: Attempted): Promise<void> {
    if (!this.#limited || job.provisioningAt === undefined) return;
    const { partitionKey, rowKey } = this.#keyOf(job.id, job.attempt, job.provisioningAt);
    await storageCall(() => this.#table.deleteEntity(partitionKey, rowKey), 404);
  }

  /** The attempts of a job that ended count with the time that they took. May be repeated. */
  async settle(job: Attempted): Promise<void> {
    if (!this.#limited) return;
    for (const { number, provisioningAt, finishedAt } of job.attempts) {
      if (provisioningAt === undefined) continue;
      const seconds = Math.max(0, (finishedAt - provisioningAt) / second);
      const use = { vcpuSeconds: seconds * job.cpu, gbSeconds: seconds * job.memoryGB };
      await this.#move(provisioningAt, job.id, number, use);
    }
  }

  #keyOf(id: JobId, attempt: number, at: number): Key {
    return { partitionKey: budgetPartition, rowKey: `${this.#totalKey(dayOf(at))}_${id}_${attempt}` };
  }

  #totalKey(date: string): string {
    return `${this.#prefix}${date}`;
  }

  get #limited(): boolean {
    return this.#vcpu !== undefined || this.#gb !== undefined;
  }

  /** An entry that is not there was moved before. */
  #move(at: number, id: JobId, attempt: number, use: Used): Promise<void> {
    const key = this.#keyOf(id, attempt, at);
    return rewrite("the day's budget", this.#pacing, async () => {
      const entry = await storageCall(() => this.#table.getEntity(key.partitionKey, key.rowKey), 404);
      if (entry === 404) return done(undefined);
      const totalKey = this.#totalKey(dayOf(at));
      const total = await storageCall(() => this.#table.getEntity(budgetPartition, totalKey), 404);
      const before = total === 404 ? nothingUsed : usedIn(total);
      const after = totalOf(totalKey, {
        vcpuSeconds: before.vcpuSeconds + use.vcpuSeconds,
        gbSeconds: before.gbSeconds + use.gbSeconds,
      });
      const actions: TransactionAction[] = [
        ["delete", { ...key, etag: entry.etag }],
        total === 404 ? ["create", after] : ["update", after, "Replace", { etag: total.etag }],
      ];
      const result = await storageCall(() => this.#table.submitTransaction(actions), 404, 409, 412);
      return typeof result === "number" ? conflict : done(undefined);
    });
  }

  async #used(now: number): Promise<Used> {
    const date = dayOf(now);
    const total = this.#totalKey(date);
    let use: Use = { ...nothingUsed, date, at: now, vcpu: 0, gb: 0 };
    for await (const row of this.#rows(total, `${total}~`)) {
      const { rowKey, at, cpu, memoryGB, expected } = row;
      if (rowKey === total) use = withUsed(use, usedIn(row));
      else if (at instanceof Date)
        use = withRunning(use, {
          at: at.getTime(),
          cpu: Number(cpu),
          memoryGB: Number(memoryGB),
          expected: Number(expected),
        });
    }
    this.#recent = use;
    return use;
  }

  /** The first attempt of a day removes what days before left behind. */
  async #openDay(date: string): Promise<void> {
    if (this.#today === date) return;
    const total = totalOf(this.#totalKey(date), nothingUsed);
    const made = await storageCall(() => this.#table.createEntity(total), 409);
    this.#today = date;
    if (made === 409) return;
    const yesterday = this.#totalKey(dayOf(Date.parse(date) - day));
    let removed = 0;
    for await (const { rowKey } of this.#rows(this.#prefix, yesterday)) {
      if (removed++ >= maxRemoved) return;
      await storageCall(() => this.#table.deleteEntity(budgetPartition, String(rowKey)), 404);
    }
  }

  async *#rows(from: string, to: string): AsyncGenerator<Readonly<Record<string, unknown>>> {
    const filter = odata`PartitionKey eq ${budgetPartition} and RowKey ge ${from} and RowKey lt ${to}`;
    const rows = this.#table.listEntities({ queryOptions: { filter } });
    for (;;) {
      const next = await storageCall(() => rows.next());
      if (next.done) return;
      yield next.value;
    }
  }
}

const nothingUsed: Used = { vcpuSeconds: 0, gbSeconds: 0 };
const double = (value: number) => ({ type: "Double" as const, value });

function totalOf(rowKey: string, { vcpuSeconds, gbSeconds }: Used) {
  return { partitionKey: budgetPartition, rowKey, vcpuSeconds: double(vcpuSeconds), gbSeconds: double(gbSeconds) };
}

function usedIn(row: Readonly<Record<string, unknown>>): Used {
  return { vcpuSeconds: Number(row["vcpuSeconds"]), gbSeconds: Number(row["gbSeconds"]) };
}

/** An attempt that runs counts for the time since its start, and for no less than it is expected to take. */
function withRunning(use: Use, { at, cpu, memoryGB, expected }: Running): Use {
  const elapsed = Math.max(0, use.at - at) / second;
  const seconds = Math.max(expected, elapsed);
  const isLonger = elapsed >= expected;
  return {
    ...withUsed(use, { vcpuSeconds: seconds * cpu, gbSeconds: seconds * memoryGB }),
    vcpu: use.vcpu + (isLonger ? cpu : 0),
    gb: use.gb + (isLonger ? memoryGB : 0),
  };
}

function withUsed(use: Use, { vcpuSeconds, gbSeconds }: Used): Use {
  return { ...use, vcpuSeconds: use.vcpuSeconds + vcpuSeconds, gbSeconds: use.gbSeconds + gbSeconds };
}

function usedBy({ at, vcpuSeconds, gbSeconds, vcpu, gb }: Use, now: number): Used {
  const seconds = (now - at) / second;
  return { vcpuSeconds: vcpuSeconds + seconds * vcpu, gbSeconds: gbSeconds + seconds * gb };
}

function dayOf(now: number): string {
  return new Date(now).toISOString().slice(0, 10);
}
