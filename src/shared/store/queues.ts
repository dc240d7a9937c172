import type { QueueClient, QueueServiceClient } from "@azure/storage-queue";
import { second } from "../base/duration.ts";
import type { JobId } from "../base/ids.ts";
import { noTelemetry, type Telemetry } from "../base/telemetry.ts";
import { runMessage, sweepMessage, requeueMessage } from "./messages.ts";
import { storageCall, writeInto } from "./connect.ts";

/** The queues: submissions, jobs to reconcile now or later, Event Grid's events. */
export const queueNames = { jobs: "aci-jobs", wake: "aci-wake", events: "aci-events" } as const;

/** "Scalability and performance targets for Queue Storage": a message has at most 64 KiB. */
export const maxMessageBytes = 64 * 1024;

/** The service takes at most 7 days; a later observation is reached in steps. */
const maxDelay = 6 * 24 * 3600;

export class Queues {
  readonly #service: QueueServiceClient;
  readonly #telemetry: Telemetry;
  /** Of our own queues: to make a client takes half as long as to send a message by it. */
  readonly #clients = new Map<string, QueueClient>();

  constructor(service: QueueServiceClient, telemetry: Telemetry = noTelemetry) {
    this.#service = service;
    this.#telemetry = telemetry;
    for (const name of Object.values(queueNames)) this.#clients.set(name, service.getQueueClient(name));
  }

  /** A job that was accepted by HTTP. */
  async run(id: JobId): Promise<void> {
    await this.send(queueNames.jobs, runMessage(id), 0);
  }

  /**
   * Has a job reconciled.
   *
   * @param at the row's `lookAt` that this message stands for; absent for a message that counts whatever the row says
   * @param delay milliseconds
   */
  async requeue(id: JobId, at: number | undefined, delay: number): Promise<void> {
    await this.send(queueNames.wake, requeueMessage(id, at), delay);
  }

  /** Brings on a pass of the sweep. */
  async sweep(delay: number): Promise<void> {
    await this.send(queueNames.wake, sweepMessage, delay);
  }

  /** Never expires: the default would drop a message after 7 days in silence. */
  async send(queue: string, text: string, delay: number): Promise<void> {
    // Rounded up: a wake that came before its time would do nothing but send the next, again and again until the second is over.
    const visibilityTimeout = Math.min(Math.max(0, Math.ceil(delay / second)), maxDelay);
    const attributes = { "messaging.system": "azure_storage_queues", "messaging.destination.name": queue } as const;
    const message = { visibilityTimeout, messageTimeToLive: -1 };
    const client = this.#client(queue);
    const write = () => client.sendMessage(wireText(text), message);
    await this.#telemetry.span({ name: `send ${queue}`, kind: "producer", attributes }, () =>
      this.#clients.has(queue) ? writeInto(client, write) : storageCall(write),
    );
  }

  #client(queue: string): QueueClient {
    return this.#clients.get(queue) ?? this.#service.getQueueClient(queue);
  }

  async length(queue: string): Promise<number> {
    const properties = await storageCall(() => this.#client(queue).getProperties(), 404);
    return properties === 404 ? 0 : (properties.approximateMessagesCount ?? 0);
  }
}

/**
 * The JavaScript client drops line feeds from a message's text (`stringifyXML` of @azure/core-xml); base64 keeps them. Two characters
 * can't stand in XML at all: in JSON, which is all that we write ourselves, they can be escaped.
 */
export function wireText(text: string): string {
  if (/[\r\n]/.test(text)) return Buffer.from(text).toString("base64");
  return text.replace(/[\uFFFE\uFFFF]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`);
}
