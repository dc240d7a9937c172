import type { TableClient } from "@azure/data-tables";
import { day } from "../base/duration.ts";
import type { Job } from "../job/job.ts";
import type { Settings } from "../config/settings.ts";
import { storageCall } from "../store/connect.ts";

/** The daily budget of vCPU and GB seconds: what ended attempts used today, UTC. No storage call where no budget is set. */
const partition = "daily";

export class DailyBudget {
  readonly #table: TableClient;
  readonly #vcpu: number | undefined;
  readonly #gb: number | undefined;

  constructor(table: TableClient, settings: Pick<Settings, "dailyVcpuSeconds" | "dailyGbSeconds">) {
    this.#table = table;
    this.#vcpu = settings.dailyVcpuSeconds;
    this.#gb = settings.dailyGbSeconds;
  }

  /** Whether a job may start now, or when it may. */
  async left(now: number): Promise<{ readonly ok: true } | { readonly ok: false; readonly at: number }> {
    if (!this.#limited) return { ok: true };
    const { vcpuSeconds, gbSeconds } = await this.#used(now);
    const full = vcpuSeconds >= (this.#vcpu ?? Infinity) || gbSeconds >= (this.#gb ?? Infinity);
    return full ? { ok: false, at: (Math.floor(now / day) + 1) * day } : { ok: true };
  }

  /** Adds what a job's last attempt used. */
  async add(job: Job, now: number): Promise<void> {
    const last = job.attempts.at(-1);
    if (!this.#limited || last?.provisioningAt === undefined) return;
    const seconds = Math.max(0, (last.finishedAt - last.provisioningAt) / 1000);
    for (;;) {
      const used = await this.#used(now);
      const entity = {
        partitionKey: partition,
        rowKey: dayOf(now),
        vcpuSeconds: { type: "Double" as const, value: used.vcpuSeconds + seconds * job.cpu },
        gbSeconds: { type: "Double" as const, value: used.gbSeconds + seconds * job.memoryGB },
      };
      const { etag } = used;
      const result = await storageCall<unknown, [404, 409, 412]>(
        () =>
          etag === undefined ? this.#table.createEntity(entity) : this.#table.updateEntity(entity, "Replace", { etag }),
        404,
        409,
        412,
      );
      if (typeof result !== "number") return;
    }
  }

  get #limited(): boolean {
    return this.#vcpu !== undefined || this.#gb !== undefined;
  }

  async #used(now: number): Promise<{ vcpuSeconds: number; gbSeconds: number; etag: string | undefined }> {
    const row = await storageCall(() => this.#table.getEntity(partition, dayOf(now)), 404);
    if (row === 404) return { vcpuSeconds: 0, gbSeconds: 0, etag: undefined };
    return { vcpuSeconds: Number(row["vcpuSeconds"]), gbSeconds: Number(row["gbSeconds"]), etag: row.etag };
  }
}

function dayOf(now: number): string {
  return new Date(now).toISOString().slice(0, 10);
}
