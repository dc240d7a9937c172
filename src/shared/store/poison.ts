import type { QueueServiceClient, ReceivedMessageItem } from "@azure/storage-queue";
import { queueNames, wireText } from "./queues.ts";
import { storageCall } from "./connect.ts";

/**
 * The poison queue of `aci-jobs`: messages that failed again and again. They stay until somebody replays or drops them. Their texts
 * may hold a poster's secrets, so they are never shown.
 */
export interface PoisonMessage {
  readonly messageId: string;
  readonly insertedAt: string;
  readonly bytes: number;
}

export class PoisonQueue {
  readonly #service: QueueServiceClient;

  constructor(service: QueueServiceClient) {
    this.#service = service;
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
      insertedAt: insertedOn.toISOString(),
      bytes: Buffer.byteLength(messageText),
    }));
  }

  /**
   * Sends a message to `aci-jobs` again, or drops it; all of them when none is named. First sent, then deleted: a crash between the
   * two leaves one message too many, which is the same job.
   *
   * @returns how many
   */
  async take(what: "replay" | "drop", messageId: string | undefined): Promise<number> {
    let taken = 0;
    const others = new Map<string, string>();
    const isWanted = (id: string): boolean => messageId === undefined || id === messageId;
    for (;;) {
      const batch = await this.#receive();
      // Who asks for one message leaves the others hidden until it is found, so that each is seen once.
      for (const { messageId: id, popReceipt, messageText } of batch.filter((each) => isWanted(each.messageId))) {
        if (what === "replay") {
          const jobs = this.#service.getQueueClient(queueNames.jobs);
          await storageCall(() => jobs.sendMessage(wireText(messageText), { messageTimeToLive: -1 }));
        }
        await storageCall(() => this.#queue.deleteMessage(id, popReceipt), 404);
        taken++;
      }
      const before = others.size;
      for (const { messageId: id, popReceipt } of batch) if (!isWanted(id)) others.set(id, popReceipt);
      const found = messageId !== undefined && taken > 0;
      if (!found && (messageId === undefined ? batch.length > 0 : others.size > before)) continue;
      for (const [id, popReceipt] of others) await this.#show(id, popReceipt);
      return taken;
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
