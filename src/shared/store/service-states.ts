import type { TableClient } from "@azure/data-tables";
import { entitiesOf, storageCall } from "./connect.ts";
import type { EndpointName } from "../job/job-events.ts";

/** Services that are asked once a minute whether they work, beside Azure Resource Manager. `storage`: its tables. */
export type ProbedService = "sealKey" | "vault" | "storage" | "logStorage";

export interface ServiceState {
  readonly ok: boolean;
  /** Since when that is so, milliseconds since 1970. */
  readonly since: number;
  /** Why it does not work. */
  readonly error: string | undefined;
}

const partition = "service";

/** How those services and the operator's endpoints are (partition `service` of the table `control`), for health, log and alerts. Nothing else depends on it. */
export class ServiceStates {
  readonly #table: TableClient;

  constructor(table: TableClient) {
    this.#table = table;
  }

  async all(): Promise<ReadonlyMap<string, ServiceState>> {
    const states = new Map<string, ServiceState>();
    for await (const { rowKey, ok, since, error } of entitiesOf(this.#table, partition)) {
      if (typeof rowKey !== "string" || typeof ok !== "boolean" || !(since instanceof Date)) continue;
      states.set(rowKey, { ok, since: since.getTime(), error: typeof error === "string" ? error : undefined });
    }
    return states;
  }

  /** @param error why the service does not work; without it, it does */
  async record(
    service: ProbedService | EndpointName,
    error: string | undefined,
    now: number,
    before?: ServiceState,
  ): Promise<void> {
    const ok = error === undefined;
    if (before?.ok === ok && before.error === error) return;
    const since = before?.ok === ok ? before.since : now;
    const entity = { partitionKey: partition, rowKey: service, ok, since: new Date(since), ...(ok ? {} : { error }) };
    await storageCall(() => this.#table.upsertEntity(entity, "Replace"));
  }

  /** The service is not set up any more. */
  async forget(service: ProbedService | EndpointName): Promise<void> {
    await storageCall(() => this.#table.deleteEntity(partition, service), 404);
  }
}
