/**
 * The storage queue trigger: one listener for each function, after the Azure WebJobs SDK's QueueListener and QueueProcessor.
 *
 * A batch is hidden for the lease, each message's lease is renewed at half its length while the function runs. A run that
 * succeeds deletes the message; one that fails shows it again after `visibilityTimeout`, or, at `maxDequeueCount`, moves its text
 * to `QUEUE-poison`. A crash leaves the message hidden until the lease has run out: nothing is lost.
 */
import { RestError } from "@azure/core-rest-pipeline";
import type { DequeuedMessageItem, QueueClient, QueueServiceClient } from "@azure/storage-queue";
import type { AppFunction } from "./functions.ts";
import type { QueueOptions } from "./host-json.ts";
import type { Invoker } from "./invoke.ts";
import type { Logs } from "./logs.ts";
import { decodeText, receivedText, sendableText, triggerMetadata } from "./message.ts";
import { PollDelay } from "./poll.ts";

export interface QueueListenerOptions {
  readonly listening: AppFunction;
  readonly binding: string;
  readonly queueName: string;
  readonly service: QueueServiceClient;
  readonly queues: QueueOptions;
  /** 600 on the real host. */
  readonly leaseSeconds: number;
  readonly invoker: Invoker;
  readonly logs: Logs;
  /** Called with the name of a queue that a message was written to. */
  readonly onEnqueued: (queueName: string) => void;
}

const SUFFIX = "-poison";
const LONGEST_QUEUE_NAME = 63;

/** The name of a queue's poison queue; undefined for a poison queue itself, or where the name gets too long. */
export function poisonQueueName(queueName: string): string | undefined {
  const name = `${queueName}${SUFFIX}`;
  return queueName.endsWith(SUFFIX) || name.length > LONGEST_QUEUE_NAME ? undefined : name;
}

export class QueueListener {
  readonly #options: QueueListenerOptions;
  readonly #queue: QueueClient;
  readonly #poison: QueueClient | undefined;
  readonly #delay: PollDelay;
  readonly #category: string;
  readonly #processing = new Set<Promise<void>>();
  #stopped = false;
  #wake: () => void = () => undefined;
  #loop: Promise<void> = Promise.resolve();
  #reachable = true;

  constructor(options: QueueListenerOptions) {
    this.#options = options;
    this.#queue = options.service.getQueueClient(options.queueName);
    const poison = poisonQueueName(options.queueName);
    this.#poison = poison === undefined ? undefined : options.service.getQueueClient(poison);
    this.#delay = new PollDelay(options.queues.maxPollingIntervalMs);
    this.#category = `Host.Triggers.Queue.${options.listening.name}`;
  }

  start(): void {
    this.#loop = this.#poll();
  }

  /** Looks at once: somebody in this host wrote to the queue. */
  notify(queueName: string): void {
    if (queueName === this.#options.queueName) this.#wake();
  }

  /** Takes no more messages; resolves when those under way are dealt with. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#loop;
    await Promise.allSettled(this.#processing);
  }

  async #poll(): Promise<void> {
    let found = false;
    while (!this.#stopped) {
      const batch = await this.#receive();
      for (const message of batch) {
        const work = this.#process(message).catch((error: unknown) => {
          this.#logs("error", `Message '${message.messageId}' could not be settled: ${reason(error)}`);
        });
        this.#processing.add(work);
        void work.finally(() => this.#processing.delete(work));
      }
      if (batch.length === 0) {
        await this.#wait(this.#delay.next(found));
        found = false;
      } else {
        found = true;
        while (this.#processing.size > this.#options.queues.newBatchThreshold) await Promise.race(this.#processing);
      }
    }
  }

  async #receive(): Promise<readonly DequeuedMessageItem[]> {
    const { queues, leaseSeconds } = this.#options;
    try {
      const received = await this.#queue.receiveMessages({
        numberOfMessages: queues.batchSize,
        visibilityTimeout: leaseSeconds,
      });
      if (!this.#reachable) this.#logs("information", `Queue '${this.#queue.name}' can be read again.`);
      this.#reachable = true;
      return received.receivedMessageItems;
    } catch (error) {
      // A queue that does not exist yet is an empty one; anything else is said once, until it is over.
      if (status(error) !== 404 && this.#reachable) {
        this.#reachable = false;
        this.#logs("error", `Queue '${this.#queue.name}' can't be read: ${reason(error)}`);
      }
      return [];
    }
  }

  async #process(message: DequeuedMessageItem): Promise<void> {
    const { queues, listening, binding, invoker } = this.#options;
    if (this.#stopped) {
      await this.#release(message.messageId, message.popReceipt, 0);
      return;
    }
    const text = decodeText(receivedText(message.messageText), queues.messageEncoding);
    if (text === undefined) {
      await this.#toPoison(message, message.popReceipt, `is not ${queues.messageEncoding}`);
      return;
    }
    const spent = `has reached MaxDequeueCount of ${queues.maxDequeueCount}`;
    if (message.dequeueCount > queues.maxDequeueCount) {
      await this.#toPoison(message, message.popReceipt, spent);
      return;
    }
    const lease = new Lease(this.#queue, message, this.#options.leaseSeconds);
    const outcome = await invoker.invoke(listening, {
      inputData: [{ name: binding, data: { string: text } }],
      triggerMetadata: triggerMetadata(message, text),
    });
    const popReceipt = await lease.end();
    if (outcome.ok) await ignoreTaken(this.#queue.deleteMessage(message.messageId, popReceipt));
    else if (message.dequeueCount >= queues.maxDequeueCount) await this.#toPoison(message, popReceipt, spent);
    // Without a poison queue the message stays hidden until its lease ends, so that a failure is no hot loop.
    else if (this.#poison !== undefined) await this.#release(message.messageId, popReceipt, queues.visibilityTimeoutMs);
  }

  async #release(messageId: string, popReceipt: string, delayMs: number): Promise<void> {
    await ignoreTaken(this.#queue.updateMessage(messageId, popReceipt, undefined, Math.floor(delayMs / 1000)));
  }

  async #toPoison(message: DequeuedMessageItem, popReceipt: string, why: string): Promise<void> {
    if (this.#poison === undefined) return;
    this.#logs("warning", `Message Id '${message.messageId}' ${why}. Moving message to queue '${this.#poison.name}'.`);
    await sendCreating(this.#poison, sendableText(receivedText(message.messageText)));
    this.#options.onEnqueued(this.#poison.name);
    await ignoreTaken(this.#queue.deleteMessage(message.messageId, popReceipt));
  }

  #wait(milliseconds: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #logs(level: "information" | "warning" | "error", message: string): void {
    this.#options.logs.write(level, this.#category, message);
  }
}

/** Keeps one message hidden while its function runs, renewing at half the lease. */
class Lease {
  readonly #queue: QueueClient;
  readonly #message: DequeuedMessageItem;
  readonly #seconds: number;
  #popReceipt: string;
  #timer: NodeJS.Timeout | undefined;
  #renewal: Promise<void> = Promise.resolve();

  constructor(queue: QueueClient, message: DequeuedMessageItem, seconds: number) {
    this.#queue = queue;
    this.#message = message;
    this.#seconds = seconds;
    this.#popReceipt = message.popReceipt;
    this.#schedule(seconds * 500);
  }

  /** Stops renewing; the receipt is the one that settles the message. */
  async end(): Promise<string> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#renewal;
    clearTimeout(this.#timer);
    return this.#popReceipt;
  }

  #schedule(milliseconds: number): void {
    this.#timer = setTimeout(() => {
      this.#renewal = this.#renew();
    }, milliseconds);
  }

  async #renew(): Promise<void> {
    try {
      const renewed = await this.#queue.updateMessage(
        this.#message.messageId,
        this.#popReceipt,
        undefined,
        this.#seconds,
      );
      this.#popReceipt = renewed.popReceipt ?? this.#popReceipt;
    } catch (error) {
      if (isTaken(error)) return; // somebody else has the message now
      this.#schedule(this.#seconds * 125); // a storage fault: sooner again, while the lease still holds
      return;
    }
    this.#schedule(this.#seconds * 500);
  }
}

/** Sends, making the queue when it is not there. */
export async function sendCreating(queue: QueueClient, text: string): Promise<void> {
  try {
    await queue.sendMessage(text);
  } catch (error) {
    if (status(error) !== 404) throw error;
    await queue.createIfNotExists();
    await queue.sendMessage(text);
  }
}

async function ignoreTaken(settling: Promise<unknown>): Promise<void> {
  try {
    await settling;
  } catch (error) {
    if (!isTaken(error)) throw error;
  }
}

/** The message is gone, or another receiver's: 404, or 400 PopReceiptMismatch. */
function isTaken(error: unknown): boolean {
  return status(error) === 404 || (error instanceof RestError && error.code === "PopReceiptMismatch");
}

function status(error: unknown): number | undefined {
  return error instanceof RestError ? error.statusCode : undefined;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
