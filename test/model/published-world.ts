import { InvocationContext, type StorageQueueHandler } from "@azure/functions";
import { startAci, type RunningAci } from "../../local/aci/aci.ts";
import { virtualClock, type Clock } from "../../local/aci/clock.ts";
import { minute } from "../../src/shared/base/duration.ts";
import { makeDeps, type Deps } from "../../src/shared/deps.ts";
import { queueNames } from "../../src/shared/store/queues.ts";
import { provisioner } from "../../src/workers/provisioner.ts";
import { runPass } from "../../src/workers/sweep/pass.ts";
import { wake } from "../../src/workers/wake.ts";
import { settings, start } from "../kit/kit.ts";
import { Blobs, blobService } from "./blobs.ts";
import { ring } from "./key-ring.ts";
import { Queue, queueService, type Message } from "./queues.ts";
import type { Call } from "./scheduler.ts";
import { pointReader, Table, tableClient } from "./tables.ts";

class Crash extends Error {
  readonly statusCode = 503;
}

/** The whole core on storage in memory and the local ACI with Azure's published limits, in simulated time; nothing goes wrong unless a test asks for it. */
export class PublishedWorld {
  deps: Deps;
  readonly aci: RunningAci;
  /** Calls to storage so far. */
  calls = 0;
  readonly #clock: Clock;
  readonly #queue: Queue;
  readonly #tables = new Map<string, Table>();
  readonly #blobs: Blobs;
  #crash: { readonly at: number; readonly when: "before" | "after" } | undefined;
  #isDead = false;
  #nextTick = start;

  private constructor(aci: RunningAci, clock: Clock) {
    this.aci = aci;
    this.#clock = clock;
    this.#queue = new Queue(() => clock.now());
    this.#blobs = new Blobs(() => clock.now());
    this.deps = this.#host();
  }

  /** The app as it starts, with nothing in memory. */
  #host(): Deps {
    const call: Call = (_label, _kind, effect) =>
      new Promise((resolve) => {
        if (this.#isDead) throw new Crash();
        this.calls++;
        const { at, when } = this.#crash ?? { at: NaN };
        this.#isDead = this.calls === at;
        if (this.#isDead && when === "before") throw new Crash();
        const value = effect();
        if (this.#isDead) throw new Crash();
        resolve(value);
      });
    const table = (name: string): Table => {
      const known = this.#tables.get(name) ?? new Table(name, () => undefined);
      this.#tables.set(name, known);
      return known;
    };
    return makeDeps({
      settings: settings({ AZURE_LOCATION: "westeurope", AZURE_RESOURCE_MANAGER_ENDPOINT: this.aci.url }),
      log: () => undefined,
      now: () => this.now,
      random: () => 0.5,
      instead: {
        storage: {
          table: (name) => tableClient(table(name), call),
          pointReader: (name) => pointReader(table(name), call),
          queues: queueService(this.#queue, call),
          blobs: blobService(this.#blobs, call),
        },
        ring,
        sleep: () => Promise.resolve(),
      },
    });
  }

  /** The host dies at that call from now on, before or after it has its effect, and another one starts. */
  crashAt(call: number, when: "before" | "after"): void {
    this.#crash = { at: this.calls + call, when };
  }

  async #unlessItDies(work: () => unknown): Promise<boolean> {
    try {
      await work();
    } catch (error) {
      if (!this.#isDead) throw error;
    }
    if (!this.#isDead) return true;
    this.#isDead = false;
    this.#crash = undefined;
    this.deps = this.#host();
    return false;
  }

  #handle({ id, insertedAt, text, queue }: Message): unknown {
    const handlers: Readonly<Record<string, StorageQueueHandler>> = {
      [queueNames.jobs]: provisioner(this.deps),
      [queueNames.wake]: wake(this.deps),
    };
    const triggerMetadata = { id, dequeueCount: 1, insertionTime: new Date(insertedAt).toISOString() };
    return handlers[queue]?.(JSON.parse(text), new InvocationContext({ triggerMetadata }));
  }

  static async open(): Promise<PublishedWorld> {
    const clock = virtualClock(start);
    const world = new PublishedWorld(await startAci({ engine: "simulated", clock }), clock);
    await world.deps.control.installation();
    return world;
  }

  get now(): number {
    return this.#clock.now();
  }

  /** Messages are delivered when they are due, the timer comes every minute; until that time or until it is over. */
  async work(until: number, isOver: () => Promise<boolean>): Promise<void> {
    while (this.now < until) {
      for (const message of this.#queue.visible) {
        this.#queue.take(message, 0);
        if (await this.#unlessItDies(() => this.#handle(message))) this.#queue.done(message);
        else this.#queue.crash(0);
      }
      if (this.now >= this.#nextTick) {
        this.#nextTick += minute;
        await this.#unlessItDies(() => runPass(this.deps, "timer"));
        const end = { isOver: false };
        await this.#unlessItDies(async () => {
          end.isOver = await isOver();
        });
        if (end.isOver) return;
      }
      const next = Math.min(until, this.#nextTick, ...this.#queue.all.map(({ visibleAt }) => visibleAt));
      this.#clock.advance(Math.max(1, next - this.now));
    }
  }
}
