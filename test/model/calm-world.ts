import { InvocationContext, type StorageQueueHandler } from "@azure/functions";
import { minute } from "../../src/shared/base/duration.ts";
import type { LogFields } from "../../src/shared/base/log.ts";
import { makeDeps, type Deps } from "../../src/shared/deps.ts";
import { queueNames } from "../../src/shared/store/queues.ts";
import { provisioner } from "../../src/workers/provisioner.ts";
import { runPass } from "../../src/workers/sweep/pass.ts";
import { wake } from "../../src/workers/wake.ts";
import { settings, start, subscription } from "../kit/kit.ts";
import { aciClient } from "./aci-client.ts";
import { Blobs, blobService } from "./blobs.ts";
import { ContainerInstances, type Watcher } from "./container-instances.ts";
import { ring } from "./key-ring.ts";
import { Queue, queueService } from "./queues.ts";
import type { Call } from "./scheduler.ts";
import { installation, installationTag, tagKey } from "./settings.ts";
import { pointReader, Table, tableClient } from "./tables.ts";

/** The whole core on simulated services on a day when nothing goes wrong: one host, its timer, and time that only passes when nothing is due. */
export class CalmWorld {
  now = start;
  /** Calls to storage so far, by label. */
  readonly calls: string[] = [];
  /** What was logged so far. */
  readonly logged: (LogFields & { readonly event: string })[] = [];
  readonly deps: Deps;
  readonly #queue = new Queue(() => this.now);
  readonly #tables = new Map<string, Table>();

  constructor(environment: Readonly<Record<string, string>> = {}) {
    const call: Call = (label, kind, effect) => {
      if (kind === "storage") this.calls.push(label);
      return new Promise((resolve) => resolve(effect()));
    };
    const watcher: Watcher = { sent: nothing, created: nothing, deleted: nothing, refused: nothing };
    const aci = new ContainerInstances(
      () => this.now,
      watcher,
      () => 0.5,
    );
    const known = { id: installation, tagKey, endpoint: "loopback", subscriptionId: subscription };
    this.table("control").transact([["create", { partitionKey: "control", rowKey: "installation", ...known }]]);
    this.deps = makeDeps({
      settings: settings({ AZURE_LOCATION: "westeurope", ...environment }),
      log: (_level, event, fields) => this.logged.push({ ...fields, event }),
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
  }

  table(name: string): Table {
    const table = this.#tables.get(name) ?? new Table(name, nothing);
    this.#tables.set(name, table);
    return table;
  }

  /** A table is gone, with all that was in it. */
  lose(name: string): void {
    const table = this.table(name);
    for (const { partitionKey, rowKey } of [...table.all()]) table.transact([["delete", { partitionKey, rowKey }]]);
  }

  /** Messages are delivered when they are due, one after another, and the timer runs each minute, until that time or until it is over. */
  async work(until: number, isOver: () => Promise<boolean> = () => Promise.resolve(false)): Promise<void> {
    const handlers: Readonly<Record<string, StorageQueueHandler>> = {
      [queueNames.jobs]: provisioner(this.deps),
      [queueNames.wake]: wake(this.deps),
    };
    for (let timer = this.now; this.now < until;) {
      const message = this.#queue.visible.toSorted((a, b) => a.visibleAt - b.visibleAt)[0];
      const handler = message && handlers[message.queue];
      if (message !== undefined && handler !== undefined) {
        this.#queue.take(message, 0);
        const { id, insertedAt, text } = message;
        const triggerMetadata = { id, dequeueCount: 1, insertionTime: new Date(insertedAt).toISOString() };
        await handler(JSON.parse(text), new InvocationContext({ triggerMetadata }));
        this.#queue.done(message);
      } else if (this.now >= timer) {
        if (await isOver()) return;
        await runPass(this.deps, "timer");
        timer = this.now + minute;
      } else this.now = Math.min(timer, until, ...this.#queue.all.map(({ visibleAt }) => visibleAt));
    }
  }
}

const nothing = (): void => undefined;
