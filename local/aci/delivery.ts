import { randomUUID } from "node:crypto";
import { QueueClient } from "@azure/storage-queue";
import type { Clock } from "./clock.ts";
import { isRecord } from "./definition/shape.ts";
import { validationEvent } from "./events.ts";
import type { ResourceEvent } from "./events.ts";

/** A subscriber. Rejects where an event was not taken. */
export interface Destination {
  deliver(event: ResourceEvent): Promise<void>;
}

export interface DeliveryOptions {
  readonly clock: Clock;
  readonly destinations: readonly Destination[];
  /** Chances of at-least-once delivery, from 0 to 1, and the longest delay. */
  readonly duplicate: number;
  readonly reorder: number;
  readonly delaySeconds: number;
  readonly random: () => number;
  readonly failed: (error: unknown) => void;
}

/** Seconds between attempts: quicker than Event Grid's ("delivery and retry"), which begin at 10. */
const RETRY_AFTER = [1, 5, 10, 30, 60];
const ATTEMPTS = 30;

/** Event Grid's side of a subscription: at least once, in no promised order. What is undelivered at a stop is lost. */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #busy = new Set<Promise<void>>();
  #held: ResourceEvent | undefined;
  #order: Promise<void> = Promise.resolve();

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  publish(event: ResourceEvent): void {
    const { reorder, duplicate, random } = this.#options;
    if (this.#options.destinations.length === 0) return;
    const held = this.#held;
    this.#held = undefined;
    if (!held && random() < reorder) {
      this.#held = event;
      // Should no other event come, it goes alone.
      this.#options.clock.at(this.#options.clock.now() + 1000, () => {
        if (this.#held !== event) return;
        this.#held = undefined;
        this.#send(event);
      });
      return;
    }
    this.#send(event);
    if (held) this.#send(held);
    if (random() < duplicate) this.#send(event);
  }

  /** Resolves when what was published has been tried, or after `milliseconds`. */
  async flush(milliseconds = 2000): Promise<void> {
    const late = new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
    await Promise.race([late, Promise.all(this.#busy)]);
  }

  #send(event: ResourceEvent): void {
    const { clock, delaySeconds, random } = this.#options;
    if (delaySeconds > 0) clock.at(clock.now() + random() * delaySeconds * 1000, () => this.#inOrder(event));
    else this.#inOrder(event);
  }

  #inOrder(event: ResourceEvent): void {
    const sent = this.#order.then(async () => {
      await Promise.all(this.#options.destinations.map((destination) => this.#attempt(destination, event, 0)));
    });
    this.#order = sent;
    this.#busy.add(sent);
    void sent.then(() => this.#busy.delete(sent));
  }

  async #attempt(destination: Destination, event: ResourceEvent, failures: number): Promise<void> {
    try {
      await destination.deliver(event);
    } catch (error) {
      if (failures === 0 || failures + 1 === ATTEMPTS) this.#options.failed(error);
      if (failures + 1 === ATTEMPTS) return;
      const { clock } = this.#options;
      const wait = RETRY_AFTER[Math.min(failures, RETRY_AFTER.length - 1)] ?? 0;
      clock.at(clock.now() + wait * 1000, () => void this.#attempt(destination, event, failures + 1));
    }
  }
}

/** A storage queue destination: one event a message, as base64. */
export function queueDestination(connectionString: string, queueName: string): Destination {
  const queue = new QueueClient(connectionString, queueName, { retryOptions: { maxTries: 1 } });
  let made: Promise<unknown> | undefined;
  return {
    async deliver(event) {
      made ??= queue.createIfNotExists();
      try {
        await made;
      } catch (error) {
        made = undefined;
        throw error;
      }
      await queue.sendMessage(Buffer.from(JSON.stringify(event)).toString("base64"));
    },
  };
}

/** A webhook: it must pass the validation handshake first; then an array of one event, acknowledged by 200 to 204. */
export function webhookDestination(url: string, clock: Clock): Destination {
  let validated: Promise<void> | undefined;
  const post = (type: string, event: ResourceEvent): Promise<Response> =>
    fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json; charset=utf-8", "aeg-event-type": type, "aeg-delivery-count": "0" },
      body: JSON.stringify([event]),
      signal: AbortSignal.timeout(30_000),
    });
  const validate = async (): Promise<void> => {
    const code = randomUUID().toUpperCase();
    const reply = await post("SubscriptionValidation", validationEvent(code, clock.now()));
    const body: unknown = await reply.json();
    if (!reply.ok || !isRecord(body) || body["validationResponse"] !== code) {
      throw new Error(
        `The webhook ${new URL(url).origin} did not pass the validation handshake (HTTP ${reply.status}).`,
      );
    }
  };
  return {
    async deliver(event) {
      validated ??= validate();
      try {
        await validated;
      } catch (error) {
        validated = undefined;
        throw error;
      }
      const reply = await post("Notification", event);
      if (reply.status < 200 || reply.status > 204) {
        throw new Error(`The webhook ${new URL(url).origin} answered HTTP ${reply.status}.`);
      }
    },
  };
}
