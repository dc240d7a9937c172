import { InvocationContext, type StorageQueueHandler } from "@azure/functions";
import { createCipheriv, createDecipheriv } from "node:crypto";
import { accept, check, type Checked, type Order } from "../../src/shared/accept.ts";
import { minute, second } from "../../src/shared/backoff.ts";
import { cancel } from "../../src/shared/cancel.ts";
import { makeDeps, type Deps } from "../../src/shared/deps.ts";
import { Unavailable } from "../../src/shared/errors.ts";
import type { JobId } from "../../src/shared/ids.ts";
import { queueNames } from "../../src/shared/queue.ts";
import type { KeyRing } from "../../src/shared/seal.ts";
import { requestTimeout } from "../../src/shared/step.ts";
import { events } from "../../src/workers/events.ts";
import { provisioner } from "../../src/workers/provisioner.ts";
import { sweep } from "../../src/workers/sweep.ts";
import { wake } from "../../src/workers/wake.ts";
import { settings as baseSettings, start, subscription } from "../kit.ts";
import { Blobs, blobService } from "./blobs.ts";
import { aciClient, ContainerInstances } from "./container-instances.ts";
import { Judge } from "./judge.ts";
import { Queue, queueService, type Message } from "./queues.ts";
import { Scheduler, settled, type Pending } from "./scheduler.ts";
import { Table, tableClient } from "./tables.ts";

/**
 * The whole core on simulated services: real handlers, real stores, real machine; several hosts that crash and come back, clocks that
 * differ, messages that are lost, doubled and late, an ACI whose creates land late. What happens when is up to the commands.
 */
export interface Spec {
  readonly name: string;
  readonly runSeconds: number;
  readonly exitCode: number;
  /** How many attempts end with the exit code before one succeeds. */
  readonly fails: number;
  readonly retries: number;
  readonly onConflict: "reject" | "wait" | "replace" | "attach";
  readonly keep: "never" | "failed" | "always";
}

export const installation = "installation-1";
const settings = baseSettings({
  AZURE_LOCATION: "westeurope",
  KEEP_TIME: "PT2M",
  LOOK_INTERVAL_MIN: "PT4S",
  DEFAULT_TIMEOUT: "PT6H",
  MAX_TIMEOUT: "PT6H",
});

/** Clocks of the hosts differ from the services' by so much: less than the margin that the machine keeps. */
const skews = [0, 2 * second, -2 * second];

export type WakeUp = "queue" | "events" | "timer";

export interface Host {
  readonly id: number;
  readonly place: number;
  readonly deps: Deps;
  readonly work: ReturnType<typeof handlersOf>;
}

interface Caller {
  readonly spec: Spec;
  readonly key: string | undefined;
  answered: boolean;
}

interface Landing {
  readonly at: number;
  readonly land: () => void;
}

export class World {
  now = start;
  readonly random: () => number;
  readonly scheduler = new Scheduler(() => this.now);
  readonly queue = new Queue(() => this.now);
  readonly judge: Judge;
  readonly aci: ContainerInstances;
  readonly blobs = new Blobs();
  readonly #tables = new Map<string, Table>();
  #hosts: Host[] = [];
  #hostIds = 0;
  readonly #callers: Caller[] = [];
  /** Effects of requests whose senders are gone. */
  #landings: Landing[] = [];
  readonly #without: WakeUp | undefined;

  /** @param without a kind of wake-up that never comes */
  constructor(seed: number, without?: WakeUp) {
    this.#without = without;
    this.random = mulberry32(seed);
    this.judge = new Judge(this);
    this.aci = new ContainerInstances(() => this.now, this.judge, this.random);
    this.table("control").transact([
      [
        "create",
        {
          partitionKey: "control",
          rowKey: "installation",
          id: installation,
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
      settings,
      log: () => undefined,
      now: () => this.now + (skews[place] ?? 0),
      random: this.random,
      instead: {
        storage: {
          table: (name) => tableClient(this.table(name), call),
          queues: queueService(this.queue, call),
          blobs: blobService(this.blobs, call),
        },
        ring,
        aci: () => aciClient(this.aci, call, installation, this.judge),
        sleep: () => call("sleep", "wait", () => undefined),
      },
    });
    return { id, place, deps, work: handlersOf(deps) };
  }

  /** A reservation whose row was never written is the timer's alone. */
  get hasTimer(): boolean {
    return this.#without !== "timer";
  }

  /** Whether a request may have its effect yet though nobody waits for it. */
  get landing(): boolean {
    return this.#landings.length > 0;
  }

  // ------------------------------------------------------------------------------------------------ what callers do

  submit(spec: Spec, on: Host): void {
    this.#submit({ spec, key: undefined, answered: false }, on);
  }

  /** With an Idempotency-Key: this caller repeats itself until it is answered. */
  insist(spec: Spec, on: Host): void {
    const caller = { spec, key: `key ${this.#callers.length}`, answered: false };
    this.#callers.push(caller);
    this.#submit(caller, on);
  }

  #submit(caller: Caller, on: Host): void {
    const { spec } = caller;
    const { order, checked } = orderOf(spec, "http");
    this.#run(async () => {
      const accepted = await accept(on.deps, { ...order, idempotencyKey: caller.key }, checked);
      caller.answered = true;
      if (!accepted.ok || accepted.value.attached) return;
      const { id } = accepted.value.job;
      this.judge.submitted(id, spec);
      // As the trigger does: from the row on a message that can't be sent is the timer's business.
      await on.deps.queues.run(id).catch(() => undefined);
    });
  }

  post(spec: Spec): void {
    const { order } = orderOf(spec, "queue");
    this.queue.send(queueNames.jobs, JSON.stringify({ version: 1, definition: order.text, options: order.envelope }));
    this.judge.posted(spec);
  }

  cancel(id: JobId, on: Host): void {
    this.judge.interfered(id);
    this.#run(() => cancel(on.deps, id, undefined));
  }

  // ----------------------------------------------------------------------------------------------- what the host does

  deliver(message: Message, on: Host): void {
    this.queue.take(message, on.id);
    const { id, dequeueCount, insertedAt } = message;
    const triggerMetadata = { id, dequeueCount, insertionTime: new Date(insertedAt).toISOString() };
    const body: unknown = message.text.startsWith("{") ? JSON.parse(message.text) : message.text;
    const context = new InvocationContext({ triggerMetadata });
    this.#run(
      () => on.work.message(message.queue, body, context),
      () => this.queue.done(message),
      () => this.queue.failed(message),
    );
  }

  /** What a host may receive. */
  get messages(): readonly Message[] {
    return this.queue.visible.filter((message) => this.#comes(message));
  }

  #comes({ queue }: Message): boolean {
    const never = { queue: queueNames.wake, events: queueNames.events, timer: "" };
    return this.#without === undefined || queue !== never[this.#without];
  }

  tick(on: Host): void {
    if (this.#without === "timer") return;
    this.#run(() => on.work.timer());
  }

  #run(work: () => unknown, done: () => void = () => undefined, failed: () => void = () => undefined): void {
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

  /** The caller waits no longer, or was told nothing. */
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

  // ---------------------------------------------------------------------------------------------------------- the end

  /** Nothing goes wrong any more: everything must come to its end. */
  async finish(): Promise<void> {
    for (let steps = 0; steps < 6000; steps++) {
      const [pending] = this.scheduler.pending;
      if (pending) {
        pending.go();
        await settled();
        continue;
      }
      await settled();
      if (this.scheduler.pending.length > 0) continue;
      const [message] = this.messages;
      if (message) {
        this.deliver(message, this.host(steps));
        await settled();
        continue;
      }
      const unanswered = this.#callers.filter(({ answered }) => !answered);
      if (unanswered.length > 0) {
        await this.advance(10 * second);
        for (const caller of unanswered) this.#submit(caller, this.host(steps));
        await settled();
        continue;
      }
      if (this.judge.allDone()) return;
      const tick = this.#nextTick();
      const next = Math.min(this.#nextMessage, tick, ...this.#landings.map(({ at }) => at));
      if (next === Infinity) break;
      await this.advance(Math.max(1, next - this.now));
      if (this.now >= tick) this.tick(this.host(steps));
      await settled();
    }
    this.judge.violated(`did not end: ${this.judge.unfinished()}`);
  }

  get #nextMessage(): number {
    const free = this.queue.all.filter((message) => message.takenBy === undefined && this.#comes(message));
    return Math.min(...free.map(({ visibleAt }) => visibleAt));
  }

  /** The next minute in which the timer finds something to do. */
  #nextTick(): number {
    if (this.#without === "timer") return Infinity;
    const due = this.judge.nextCheck();
    return due === Infinity ? Infinity : Math.max(Math.ceil(due / minute) * minute, this.now);
  }
}

/** As the clients do: ARM's writes under a claim, reads and storage calls have limits of their own. */
function givesUpAt({ kind, since }: Pending): number {
  const limit = { storage: 45 * second, "arm read": 15 * second, "arm write": requestTimeout, wait: Infinity };
  return since + limit[kind];
}

function handlersOf(deps: Deps) {
  const handlers: Readonly<Record<string, StorageQueueHandler>> = {
    [queueNames.jobs]: provisioner(deps),
    [queueNames.wake]: wake(deps),
    [queueNames.events]: events(deps),
  };
  const timer = sweep(deps);
  const schedule = { adjustForDST: false };
  const scheduleStatus = { last: "", lastUpdated: "", next: "" };
  return {
    message: (queue: string, body: unknown, context: InvocationContext): unknown => {
      const handler = handlers[queue];
      if (handler === undefined) throw new Error(`Nobody reads ${queue}.`);
      return handler(body, context);
    },
    timer: (): unknown => timer({ isPastDue: false, schedule, scheduleStatus }, new InvocationContext()),
  };
}

const known = new Map<string, { readonly order: Order; readonly checked: Checked }>();

function orderOf(spec: Spec, via: Order["via"]): { readonly order: Order; readonly checked: Checked } {
  const key = JSON.stringify([via, spec]);
  const before = known.get(key);
  if (before) return before;
  const { name, runSeconds, exitCode, fails, retries, onConflict, keep } = spec;
  const text = `
name: ${name}
tags: {run: "${runSeconds}", code: "${exitCode}", fails: "${fails}", start: "3"}
properties:
  osType: Linux
  restartPolicy: Never
  containers:
    - name: app
      properties: {image: example/app:1, resources: {requests: {cpu: 1, memoryInGB: 1}}}
`;
  const order: Order = {
    text,
    query: {},
    envelope: { retries, onConflict, keep },
    via,
    id: undefined,
    createdAt: undefined,
    idempotencyKey: undefined,
    callBackUri: undefined,
    replyTo: undefined,
    correlationId: undefined,
    traceparent: undefined,
    requestedBy: undefined,
    rerunOf: undefined,
  };
  const checked = check(order, settings);
  if (!checked.ok) throw new Error(checked.error.message);
  const made = { order, checked: checked.value };
  known.set(key, made);
  return made;
}

/** A sealing key in memory. */
const master = Buffer.alloc(32, 7);
const nonce = Buffer.alloc(12, 1);
const ring: KeyRing = {
  wrap(key) {
    const cipher = createCipheriv("aes-256-gcm", master, nonce);
    return Promise.resolve({
      kid: "model",
      wrapped: Buffer.concat([cipher.update(key), cipher.final(), cipher.getAuthTag()]),
    });
  },
  unwrap(kid, wrapped) {
    const bytes = Buffer.from(wrapped);
    const decipher = createDecipheriv("aes-256-gcm", master, nonce).setAuthTag(bytes.subarray(-16));
    const key = Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]);
    return Promise.resolve(kid === "model" ? { kind: "key", key } : { kind: "unknown key" });
  },
};

/** A small random generator with a seed (Tommy Ettinger's mulberry32), so that a run can be had again. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
