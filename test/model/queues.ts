import type { QueueServiceClient } from "@azure/storage-queue";
import { minute, second } from "../../src/shared/base/duration.ts";
import type { Call } from "./scheduler.ts";

/** The Queue service in memory: messages that are hidden for a while, are delivered at least once, in any order. */
export interface Message {
  readonly id: string;
  readonly queue: string;
  readonly text: string;
  readonly insertedAt: number;
  visibleAt: number;
  dequeueCount: number;
  /** The host that works on it, if one does. */
  takenBy: number | undefined;
}

/** host.json: a failed run is seen again after 30 s, and the tenth failure goes to the poison queue. */
const failureDelay = 30 * second;
const maxDequeues = 10;
/** How long the lease of a host that died hides a message. */
const leaseTime = 10 * minute;

/** The posters' own. */
export const replyQueue = "replies";

export class Queue {
  readonly #now: () => number;
  #messages: Message[] = [];
  #ids = 0;
  readonly poisoned: Message[] = [];
  /** What posters were sent, in their own queue. */
  readonly replies: string[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @returns the message's id */
  send(queue: string, text: string, delay = 0): string {
    const now = this.#now();
    const id = `message-${++this.#ids}`;
    const times = { insertedAt: now, visibleAt: now + delay, dequeueCount: 0 };
    const message: Message = { id, queue, text, ...times, takenBy: undefined };
    if (queue === replyQueue) this.replies.push(text);
    else if (queue.endsWith("-poison")) this.poisoned.push({ ...message, queue: queue.slice(0, -"-poison".length) });
    else this.#messages.push(message);
    return id;
  }

  get all(): readonly Message[] {
    return this.#messages;
  }

  get visible(): readonly Message[] {
    const now = this.#now();
    return this.#messages.filter(({ takenBy, visibleAt }) => takenBy === undefined && visibleAt <= now);
  }

  take(message: Message, host: number): void {
    message.takenBy = host;
    message.dequeueCount++;
  }

  done(message: Message): void {
    this.#messages = this.#messages.filter((other) => other !== message);
  }

  failed(message: Message): void {
    message.takenBy = undefined;
    message.visibleAt = this.#now() + failureDelay;
    if (message.dequeueCount < maxDequeues) return;
    this.done(message);
    this.poisoned.push(message);
  }

  crash(host: number): void {
    for (const message of this.#messages) {
      if (message.takenBy !== host) continue;
      message.takenBy = undefined;
      message.visibleAt = this.#now() + leaseTime;
    }
  }

  /** Delivered again, though it was or will be. */
  duplicate(message: Message): void {
    this.#messages.push({ ...message, takenBy: undefined, visibleAt: this.#now() });
  }
}

export function queueService(queue: Queue, call: Call): QueueServiceClient {
  const client = {
    getQueueClient: (name: string) => ({
      createIfNotExists: () => call(`queue ${name} make`, "storage", () => undefined),
      getProperties: () =>
        call(`queue ${name} length`, "storage", () => ({ approximateMessagesCount: queue.all.length })),
      sendMessage: (text: string, { visibilityTimeout = 0 }: { visibilityTimeout?: number } = {}) =>
        call(`queue ${name} send`, "storage", () => void queue.send(name, text, visibilityTimeout * second)),
    }),
  };
  return client as unknown as QueueServiceClient; // the members that `Queues` and `Control` call, and no others
}
