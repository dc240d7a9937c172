import { odata, type TableClient, type TransactionAction } from "@azure/data-tables";
import { defined } from "../base/defined.ts";
import { day, second } from "../base/duration.ts";
import type { JobId } from "../base/ids.ts";
import { conflict, done, rewrite, type Pacing } from "../base/rewrite.ts";
import type { Job } from "../job/job.ts";
import { typicalTime } from "../job/typical.ts";
import type { Settings } from "../config/settings.ts";
import { storageCall } from "../store/connect.ts";

/**
 * The daily budget of vCPU and GB seconds (UTC). An attempt counts for the day on which it starts, from its start on, and once: what
 * runs has an entry with its start, what ended is in the day's total, and one transaction moves it from there to here. No storage call
 * where no budget is set. A team's budget is the same in a partition of its own, but that what runs counts for no less than it is
 * expected to take.
 */
const allPartition = "daily";
/** Entries of past days that are removed when a day begins. */
const maxRemoved = 500;

interface Used {
  readonly vcpuSeconds: number;
  readonly gbSeconds: number;
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
  readonly #partition: string;
  #today = "";

  constructor(
    table: TableClient,
    settings: Partial<Pick<Settings, "dailyVcpuSeconds" | "dailyGbSeconds">>,
    pacing: Pacing,
    team?: string,
  ) {
    this.#table = table;
    this.#team = team;
    this.#partition = team === undefined ? allPartition : `${allPartition}~${team}`;
    this.#pacing = pacing;
    this.#vcpu = settings.dailyVcpuSeconds;
    this.#gb = settings.dailyGbSeconds;
  }

  /** Whether an attempt may start now, or when it may, and who is kept from it. */
  async left(
    now: number,
  ): Promise<{ readonly ok: true } | { readonly ok: false; readonly at: number; readonly team?: string }> {
    if (!this.#limited) return { ok: true };
    const { vcpuSeconds, gbSeconds } = await this.#used(now);
    const full = vcpuSeconds >= (this.#vcpu ?? Infinity) || gbSeconds >= (this.#gb ?? Infinity);
    if (!full) return { ok: true };
    return { ok: false, at: (Math.floor(now / day) + 1) * day, ...defined({ team: this.#team }) };
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

  /** An attempt's create is about to be sent: it counts from now on. May be repeated. */
  async begin(job: Attempted): Promise<void> {
    const at = job.provisioningAt;
    if (!this.#limited || at === undefined) return;
    await this.#openDay(dayOf(at));
    await storageCall(() => this.#table.upsertEntity(this.#entryOf(job, at), "Replace"));
  }

  /** Its create was refused: nothing started. */
  async cancel(job: Attempted): Promise<void> {
    if (!this.#limited || job.provisioningAt === undefined) return;
    const rowKey = entryKey(dayOf(job.provisioningAt), job.id, job.attempt);
    await storageCall(() => this.#table.deleteEntity(this.#partition, rowKey), 404);
  }

  /** The attempts of a job that ended count with the time that they took. May be repeated. */
  async settle(job: Attempted): Promise<void> {
    if (!this.#limited) return;
    for (const { number, provisioningAt, finishedAt } of job.attempts) {
      if (provisioningAt === undefined) continue;
      const seconds = Math.max(0, (finishedAt - provisioningAt) / second);
      const use = { vcpuSeconds: seconds * job.cpu, gbSeconds: seconds * job.memoryGB };
      // Its create may have been sent on the day before it was seen to have been accepted.
      for (const at of [provisioningAt, provisioningAt - day])
        if (await this.#move(dayOf(at), entryKey(dayOf(at), job.id, number), use)) break;
    }
  }

  #entryOf(job: Attempted, at: number) {
    const expected = job.options.runTimeout ?? typicalTime(job.typical);
    const double = (value: number) => ({ type: "Double" as const, value });
    return {
      partitionKey: this.#partition,
      rowKey: entryKey(dayOf(at), job.id, job.attempt),
      at: new Date(at),
      cpu: double(job.cpu),
      memoryGB: double(job.memoryGB),
      ...(this.#team === undefined || expected === undefined ? {} : { expected: double(expected / second) }),
    };
  }

  get #limited(): boolean {
    return this.#vcpu !== undefined || this.#gb !== undefined;
  }

  /** @returns false when there is no such entry: it was moved before */
  #move(date: string, rowKey: string, { vcpuSeconds, gbSeconds }: Used): Promise<boolean> {
    return rewrite("the day's budget", this.#pacing, async () => {
      const entry = await storageCall(() => this.#table.getEntity(this.#partition, rowKey), 404);
      if (entry === 404) return done(false);
      const total = await storageCall(() => this.#table.getEntity(this.#partition, date), 404);
      const before = total === 404 ? { vcpuSeconds: 0, gbSeconds: 0 } : usedIn(total);
      const after = totalOf(this.#partition, date, {
        vcpuSeconds: before.vcpuSeconds + vcpuSeconds,
        gbSeconds: before.gbSeconds + gbSeconds,
      });
      const actions: TransactionAction[] = [
        ["delete", { partitionKey: this.#partition, rowKey, etag: entry.etag }],
        total === 404 ? ["create", after] : ["update", after, "Replace", { etag: total.etag }],
      ];
      const result = await storageCall(() => this.#table.submitTransaction(actions), 404, 409, 412);
      return typeof result === "number" ? conflict : done(true);
    });
  }

  async #used(now: number): Promise<Used> {
    const date = dayOf(now);
    let [vcpuSeconds, gbSeconds] = [0, 0];
    for await (const row of this.#rows(odata`RowKey ge ${date} and RowKey lt ${`${date}~`}`)) {
      if (row["rowKey"] === date) {
        const total = usedIn(row);
        vcpuSeconds += total.vcpuSeconds;
        gbSeconds += total.gbSeconds;
      } else if (row["at"] instanceof Date) {
        const expected = typeof row["expected"] === "number" ? row["expected"] : 0;
        const seconds = Math.max(expected, (now - row["at"].getTime()) / second);
        vcpuSeconds += seconds * Number(row["cpu"]);
        gbSeconds += seconds * Number(row["memoryGB"]);
      }
    }
    return { vcpuSeconds, gbSeconds };
  }

  /** The first attempt of a day removes what days before left behind. */
  async #openDay(date: string): Promise<void> {
    if (this.#today === date) return;
    const made = await storageCall(
      () => this.#table.createEntity(totalOf(this.#partition, date, { vcpuSeconds: 0, gbSeconds: 0 })),
      409,
    );
    this.#today = date;
    if (made === 409) return;
    const yesterday = dayOf(Date.parse(date) - day);
    let removed = 0;
    for await (const { rowKey } of this.#rows(odata`RowKey lt ${yesterday}`)) {
      if (removed++ >= maxRemoved) return;
      await storageCall(() => this.#table.deleteEntity(this.#partition, String(rowKey)), 404);
    }
  }

  async *#rows(filter: string): AsyncGenerator<Readonly<Record<string, unknown>>> {
    const rows = this.#table.listEntities({
      queryOptions: { filter: `${odata`PartitionKey eq ${this.#partition}`} and ${filter}` },
    });
    for (;;) {
      const next = await storageCall(() => rows.next());
      if (next.done) return;
      yield next.value;
    }
  }
}

function totalOf(partitionKey: string, date: string, { vcpuSeconds, gbSeconds }: Used) {
  return {
    partitionKey,
    rowKey: date,
    vcpuSeconds: { type: "Double" as const, value: vcpuSeconds },
    gbSeconds: { type: "Double" as const, value: gbSeconds },
  };
}

function entryKey(date: string, id: JobId, attempt: number): string {
  return `${date}_${id}_${attempt}`;
}

function usedIn(row: Readonly<Record<string, unknown>>): Used {
  return { vcpuSeconds: Number(row["vcpuSeconds"]), gbSeconds: Number(row["gbSeconds"]) };
}

function dayOf(now: number): string {
  return new Date(now).toISOString().slice(0, 10);
}
