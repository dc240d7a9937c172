import { HttpRequest, InvocationContext, type StorageQueueHandler } from "@azure/functions";
import { hour, minute } from "../../src/shared/base/duration.ts";
import type { Settings } from "../../src/shared/config/settings.ts";
import { makeDeps, type Deps } from "../../src/shared/deps.ts";
import { queueNames } from "../../src/shared/store/queues.ts";
import { trigger } from "../../src/http/trigger.ts";
import { provisioner } from "../../src/workers/provisioner.ts";
import { sweep } from "../../src/workers/sweep.ts";
import { wake } from "../../src/workers/wake.ts";
import { start, subscription } from "../kit/kit.ts";
import { aciClient } from "./aci-client.ts";
import { Blobs, blobService } from "./blobs.ts";
import { ContainerInstances } from "./container-instances.ts";
import { ring } from "./key-ring.ts";
import { Queue, queueService } from "./queues.ts";
import type { Call } from "./scheduler.ts";
import { installation, installationTag, tagKey } from "./settings.ts";
import { pointReader, Table, tableClient } from "./tables.ts";

/**
 * One host of the real core on simulated services, on which nothing goes wrong, in simulated time: what many jobs of several teams get of
 * the published limits.
 */
export class Flood {
  now = start;
  /** Every create that reached ACI, in order. */
  readonly creates: { readonly name: string; readonly at: number }[] = [];
  readonly deps: Deps;
  /** Calls to storage by label, since they were last forgotten. */
  readonly calls = new Map<string, number>();
  readonly #tables = new Map<string, Table>();
  readonly #queue = new Queue(() => this.now);
  readonly #handlers: Readonly<Record<string, StorageQueueHandler>>;
  readonly #timer: ReturnType<typeof sweep>;
  #nextTick = start;

  constructor(settings: Settings) {
    const call: Call = (label, _kind, effect) => {
      this.calls.set(label, (this.calls.get(label) ?? 0) + 1);
      return new Promise((resolve) => resolve(effect()));
    };
    const created = ({ name }: { readonly name: string }): void => void this.creates.push({ name, at: this.now });
    const nothing = (): void => undefined;
    const watcher = { sent: nothing, created, deleted: nothing, refused: nothing };
    const aci = new ContainerInstances(
      () => this.now,
      watcher,
      () => 0.5,
    );
    const at = { endpoint: "loopback", subscriptionId: subscription };
    const own = { partitionKey: "control", rowKey: "installation", id: installation, tagKey, ...at };
    this.table("control").transact([["create", own]]);
    this.deps = makeDeps({
      settings,
      log: nothing,
      now: () => this.now,
      random: () => 0.5,
      instead: {
        storage: {
          table: (name) => tableClient(this.table(name), call),
          pointReader: (name) => pointReader(this.table(name), call),
          queues: queueService(this.#queue, call),
          blobs: blobService(new Blobs(() => this.now), call),
        },
        ring,
        aci: () => aciClient(aci, call, installationTag, watcher),
        sleep: () => Promise.resolve(),
      },
    });
    this.#handlers = { [queueNames.jobs]: provisioner(this.deps), [queueNames.wake]: wake(this.deps) };
    this.#timer = sweep(this.deps);
  }

  /** Rows that reads of tables have come by so far. */
  get rowsRead(): number {
    return [...this.#tables.values()].reduce((sum, { rowsRead }) => sum + rowsRead, 0);
  }

  /** All calls since they were last forgotten. */
  get callCount(): number {
    return [...this.calls.values()].reduce((sum, count) => sum + count, 0);
  }

  table(name: string): Table {
    const table = this.#tables.get(name) ?? new Table(name, () => undefined);
    this.#tables.set(name, table);
    return table;
  }

  /** A job whose one container runs for a minute. */
  async post(name: string, team: string, more = "", location?: string): Promise<void> {
    const query = new URLSearchParams(`team=${team}${more}`);
    const text = `
name: ${name}${location === undefined ? "" : `\nlocation: ${location}`}
apiVersion: 2023-05-01
tags: {app: "60 0"}
properties:
  osType: Linux
  restartPolicy: Never
  containers: [{name: app, properties: {image: "i:1", resources: {requests: {cpu: 1, memoryInGB: 1}}}}]`;
    const url = `http://localhost/api/trigger?${query.toString()}`;
    const request = new HttpRequest({ method: "POST", url, query: Object.fromEntries(query), body: { string: text } });
    const reply = await trigger(this.deps)(request, new InvocationContext());
    if (typeof reply !== "object" || !("status" in reply) || reply.status !== 200)
      throw new Error(`not accepted: ${JSON.stringify(reply)}`);
    this.now++;
  }

  /** Time goes on: messages are delivered when they are due, the timer comes every minute. */
  async until(end: number): Promise<void> {
    while (this.now < end) {
      for (const message of this.#queue.visible) {
        this.#queue.take(message, 0);
        const { id, dequeueCount, insertedAt, text, queue } = message;
        const triggerMetadata = { id, dequeueCount, insertionTime: new Date(insertedAt).toISOString() };
        const body: unknown = text.startsWith("{") ? JSON.parse(text) : text;
        await this.#handlers[queue]?.(body, new InvocationContext({ triggerMetadata }));
        this.#queue.done(message);
      }
      if (this.now >= this.#nextTick) {
        this.#nextTick += minute;
        const schedule = { adjustForDST: false };
        const scheduleStatus = { last: "", lastUpdated: "", next: "" };
        await this.#timer({ isPastDue: false, schedule, scheduleStatus }, new InvocationContext());
      }
      const next = Math.min(end, this.#nextTick, ...this.#queue.all.map(({ visibleAt }) => visibleAt));
      this.now = Math.max(this.now + 1, next);
    }
  }

  /** How many creates there were from a time on, for an hour. */
  hourFrom(at: number): number {
    return this.creates.filter((create) => create.at >= at && create.at < at + hour).length;
  }
}
