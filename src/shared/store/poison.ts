import type { QueueServiceClient, ReceivedMessageItem } from "@azure/storage-queue";
import { second } from "../base/duration.ts";
import { queueNames } from "./queues.ts";
import { storageCall } from "./connect.ts";

/**
 * The poison queue of `aci-jobs`: messages that failed again and again. They stay until somebody replays or drops them. Their texts
 * may hold a poster's secrets, so they are never shown.
 */
export interface PoisonMessage {
  readonly messageId: string;
  /** Milliseconds since 1970. */
  readonly insertedAt: number;
  readonly text: string;
}

export interface Taken {
  readonly taken: number;
  /** There may be more: the time for one call was over. */
  readonly more: boolean;
}

/** A caller waits: well below the time that Data Factory or a gateway waits for an answer. */
const maxTime = 20 * second;

export class PoisonQueue {
  readonly #service: QueueServiceClient;
  readonly #now: () => number;

  constructor(service: QueueServiceClient, now: () => number) {
    this.#service = service;
    this.#now = now;
  }

  get #queue() {
    return this.#service.getQueueClient(`${queueNames.jobs}-poison`);
  }

  /** The first 32, which is as many as the service shows. */
  async list(): Promise<readonly PoisonMessage[]> {
    const page = await storageCall(() => this.#queue.peekMessages({ numberOfMessages: 32 }), 404);
    if (page === 404) return [];
    return page.peekedMessageItems.map(({ messageId, insertedOn, messageText }) => ({
      messageId,
      insertedAt: insertedOn.getTime(),
      text: asPosted(messageText),
    }));
  }

  /**
   * Processes a message, then deletes it; all of them when no id is given. A crash between the two leaves one message too many,
   * which is the same job.
   */
  async take(messageId: string | undefined, deal: (message: PoisonMessage) => Promise<void>): Promise<Taken> {
    const until = this.#now() + maxTime;
    let taken = 0;
    const others = new Map<string, string>();
    const isWanted = (id: string): boolean => messageId === undefined || id === messageId;
    for (;;) {
      const batch = await this.#receive();
      // Who asks for one message leaves the others hidden until it is found, so that each is seen once.
      for (const { messageId: id, popReceipt, messageText, insertedOn } of batch) {
        if (!isWanted(id)) continue;
        await deal({ messageId: id, insertedAt: insertedOn.getTime(), text: asPosted(messageText) });
        await storageCall(() => this.#queue.deleteMessage(id, popReceipt), 404);
        taken++;
      }
      const before = others.size;
      for (const { messageId: id, popReceipt } of batch) if (!isWanted(id)) others.set(id, popReceipt);
      const isFound = messageId !== undefined && taken > 0;
      const goesOn = !isFound && (messageId === undefined ? batch.length > 0 : others.size > before);
      const late = this.#now() > until;
      if (goesOn && !late) continue;
      for (const [id, popReceipt] of others) await this.#show(id, popReceipt);
      return { taken, more: goesOn && late };
    }
  }

  async #receive(): Promise<readonly ReceivedMessageItem[]> {
    const hidden = { numberOfMessages: 32, visibilityTimeout: 60 };
    const batch = await storageCall(() => this.#queue.receiveMessages(hidden), 404);
    return batch === 404 ? [] : batch.receivedMessageItems;
  }

  async #show(id: string, popReceipt: string): Promise<void> {
    await storageCall(() => this.#queue.updateMessage(id, popReceipt, undefined, 0), 404);
  }
}

/** The JavaScript client hands a carriage return over as the reference that stood for it in XML. In the middle of a line it was written so. */
function asPosted(text: string): string {
  return text.replaceAll("&#xD;\n", "\r\n");
}
