import { HttpRequest, InvocationContext, type StorageQueueHandler } from "@azure/functions";
import { enqueueingSweep } from "../../src/http/lib/second-clock.ts";
import { minute, second } from "../../src/shared/base/duration.ts";
import { makeDeps, type Deps } from "../../src/shared/deps.ts";
import { Unavailable } from "../../src/shared/base/errors.ts";
import { queueNames } from "../../src/shared/store/queues.ts";
import { requestTimeout } from "../../src/shared/job/step.ts";
import { events } from "../../src/workers/events.ts";
import { provisioner } from "../../src/workers/provisioner.ts";
import { runningSweep } from "../../src/workers/second-clock.ts";
import { sweep } from "../../src/workers/sweep.ts";
import { wake } from "../../src/workers/wake.ts";
import { start, subscription } from "../kit/kit.ts";
import { aciClient } from "./aci-client.ts";
import { Blobs, blobService } from "./blobs.ts";
import { Callers } from "./callers.ts";
import { ContainerInstances } from "./container-instances.ts";
import { Judge } from "./judge.ts";
import { Ring } from "./key-ring.ts";
import { Queue, queueService, type Message } from "./queues.ts";
import { mulberry32 } from "./random.ts";
import { Scheduler, settled, type Pending } from "./scheduler.ts";
import { installation, installationTag, kindsOfSettings, settings, skews, tagKey } from "./settings.ts";
import { pointReader, Table, tableClient } from "./tables.ts";

/**
 * The whole core on simulated services: real handlers, real stores, real machine; several hosts that crash and come back, clocks that
 * differ, messages that are lost, doubled and late, an ACI whose creates land late. What happens when is up to the commands.
 */
export type Trigger = "queue" | "events" | "timer";

export interface Host {
  readonly id: number;
  readonly place: number;
  readonly deps: Deps;
  readonly work: ReturnType<typeof handlersOf>;
}

interface Landing {
  readonly at: number;
  readonly land: () => void;
}

export class World {
  now: number;
  /** With teams or without. */
  readonly settings: typeof settings;
  readonly random: () => number;
  readonly scheduler = new Scheduler(() => this.now);
  readonly queue = new Queue(() => this.now);
  readonly judge: Judge;
  readonly aci: ContainerInstances;
  readonly blobs = new Blobs(() => this.now);
  readonly callers: Callers;
  readonly ring = new Ring();
  readonly #tables = new Map<string, Table>();
  #hosts: Host[] = [];
  #hostIds = 0;
  /** Effects of requests whose senders are gone. */
  #landings: Landing[] = [];
  readonly without: Trigger | undefined;

  /** @param without a kind of wake-up that never comes */
  constructor(seed: number, without?: Trigger) {
    this.without = without;
    this.random = mulberry32(seed);
    this.now = start + Math.floor(this.random() * 24 * 60) * minute;
    this.settings = kindsOfSettings[Math.floor(this.random() * kindsOfSettings.length)] ?? settings;
    this.judge = new Judge(this);
    this.callers = new Callers(this);
    this.aci = new ContainerInstances(() => this.now, this.judge, this.random);
    this.table("control").transact([
      [
        "create",
        {
          partitionKey: "control",
          rowKey: "installation",
          id: installation,
          tagKey,
          endpoint: "loopback",
          subscriptionId: subscription,
        },
      ],
    ]);
    this.#hosts = skews.map((_, place) => this.#boot(place));
  }

  table(name: string): Table {
    const known = this.#tables.get(name);
    if (known) return known;
    const table = new Table(name, (...change) => this.judge.written(...change));
    this.#tables.set(name, table);
    return table;
  }

  host(n: number): Host {
    const host = this.#hosts[n % this.#hosts.length];
    if (host === undefined) throw new Error("There is no host.");
    return host;
  }

  #boot(place: number): Host {
    const id = ++this.#hostIds;
    const call = this.scheduler.callsOf(id);
    const deps = makeDeps({
      settings: this.settings,
      log: () => undefined,
      now: () => this.now + (skews[place] ?? 0),
      random: this.random,
      instead: {
        storage: {
          table: (name) => tableClient(this.table(name), call),
          pointReader: (name) => pointReader(this.table(name), call),
          queues: queueService(this.queue, call),
          blobs: blobService(this.blobs, call),
        },
        ring: this.ring,
        aci: () => aciClient(this.aci, call, installationTag, this.judge),
        sleep: () => call("sleep", "wait", () => undefined),
        post: this.judge.listeners.post(call),
        endpoints: [this.judge.listeners.topic(call)],
      },
    });
    return { id, place, deps, work: handlersOf(deps) };
  }

  /** Whether a request may have its effect yet though nobody waits for it. */
  get landing(): boolean {
    return this.#landings.length > 0;
  }

  get nextLanding(): number {
    return Math.min(...this.#landings.map(({ at }) => at));
  }

  // ----------------------------------------------------------------------------------------------- what the host does

  deliver(message: Message, on: Host): void {
    this.judge.began();
    this.queue.take(message, on.id);
    const { id, dequeueCount, insertedAt } = message;
    const triggerMetadata = { id, dequeueCount, insertionTime: new Date(insertedAt).toISOString() };
    const body: unknown = message.text.startsWith("{") ? JSON.parse(message.text) : message.text;
    const context = new InvocationContext({ triggerMetadata });
    this.run(
      () => on.work.message(message.queue, body, context),
      () => this.queue.done(message),
      () => this.queue.failed(message),
    );
  }

  /** What a host may receive. */
  get messages(): readonly Message[] {
    return this.queue.visible.filter((message) => this.comes(message));
  }

  /** Whether it is of a kind that is delivered at all. */
  comes({ queue }: Message): boolean {
    const never = { queue: queueNames.wake, events: queueNames.events, timer: "" };
    return this.without === undefined || queue !== never[this.without];
  }

  /** A minute of the clock. Without a timer somebody calls instead: any call brings on what the timer would have done. */
  tick(on: Host): void {
    this.judge.began();
    this.run(() => (this.without === "timer" ? on.work.call() : on.work.timer()));
  }

  /** The code goes on until its first call, and from each call to the next as the schedule lets them go. */
  run(work: () => unknown, done: () => void = () => undefined, failed: () => void = () => undefined): void {
    void Promise.resolve()
      .then(work)
      .then(done, (error: unknown) => {
        if (!(error instanceof Unavailable)) this.judge.violated(`unexpected ${String(error)}`);
        failed();
      });
  }

  // -------------------------------------------------------------------------------------------------- what goes wrong

  /** The process is gone. Requests that it had sent may have their effect yet, or not. */
  crash(place: number): void {
    const old = this.host(place);
    for (const lost of this.scheduler.crash(old.id)) this.#mayLand(lost);
    this.queue.crash(old.id);
    this.#hosts = this.#hosts.map((host) => (host === old ? this.#boot(host.place) : host));
  }

  /** The caller waits no longer, or got no answer. */
  lose(pending: Pending): void {
    pending.fail("not done");
    this.#mayLand(pending);
  }

  #mayLand(pending: Pending): void {
    const chance = this.random();
    if (pending.kind === "storage" && chance < 0.5) pending.land();
    const last = pending.since + requestTimeout;
    if (pending.kind !== "arm write" || chance < 0.3 || last < this.now) return;
    this.#landings.push({ at: this.now + Math.floor(this.random() * (last - this.now)), land: () => pending.land() });
  }

  /** Time goes on, and what falls due on the way happens: late effects, and callers that give up waiting. */
  async advance(milliseconds: number): Promise<void> {
    const target = this.now + milliseconds;
    for (;;) {
      const landing = this.#landings.reduce<Landing | undefined>((a, b) => (a && a.at <= b.at ? a : b), undefined);
      const waiting = this.scheduler.pending.reduce<Pending | undefined>(
        (a, b) => (a && givesUpAt(a) <= givesUpAt(b) ? a : b),
        undefined,
      );
      const at = Math.min(landing?.at ?? Infinity, waiting ? givesUpAt(waiting) : Infinity);
      if (at > target) break;
      this.now = Math.max(this.now, at);
      if (landing && landing.at === at) {
        this.#landings = this.#landings.filter((other) => other !== landing);
        landing.land();
      } else if (waiting) this.lose(waiting);
      await settled();
    }
    this.now = target;
  }
}

/** As the clients do: ARM's writes under a claim, reads and storage calls have limits of their own. */
function givesUpAt({ kind, since }: Pending): number {
  const limit = { storage: 45 * second, "arm read": 15 * second, "arm write": requestTimeout, wait: Infinity };
  return since + limit[kind];
}

function handlersOf(deps: Deps) {
  const handlers: Readonly<Record<string, StorageQueueHandler>> = {
    [queueNames.jobs]: runningSweep(deps, provisioner(deps)),
    [queueNames.wake]: runningSweep(deps, wake(deps)),
    [queueNames.events]: runningSweep<unknown>(deps, events(deps)),
  };
  const timer = sweep(deps);
  const health = enqueueingSweep(deps, () => ({ status: 200 }));
  const schedule = { adjustForDST: false };
  const scheduleStatus = { last: "", lastUpdated: "", next: "" };
  return {
    message: (queue: string, body: unknown, context: InvocationContext): unknown => {
      const handler = handlers[queue];
      if (handler === undefined) throw new Error(`Nobody reads ${queue}.`);
      return handler(body, context);
    },
    call: (): unknown =>
      health(new HttpRequest({ method: "GET", url: "http://localhost/api/health" }), new InvocationContext()),
    timer: (): unknown => timer({ isPastDue: false, schedule, scheduleStatus }, new InvocationContext()),
  };
}
