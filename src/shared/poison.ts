import type { QueueServiceClient } from "@azure/storage-queue";
import { queueNames, wireText } from "./queue.ts";
import { storageCall } from "./storage.ts";

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
    const seen = new Set<string>();
    for (;;) {
      const batch = await storageCall(
        () => this.#queue.receiveMessages({ numberOfMessages: 32, visibilityTimeout: 60 }),
        404,
      );
      if (batch === 404 || batch.receivedMessageItems.length === 0) return taken;
      for (const message of batch.receivedMessageItems) {
        if (seen.has(message.messageId)) return taken;
        seen.add(message.messageId);
        const wanted = messageId === undefined || message.messageId === messageId;
        if (!wanted) {
          await storageCall(
            () => this.#queue.updateMessage(message.messageId, message.popReceipt, wireText(message.messageText), 0),
            404,
          );
          continue;
        }
        if (what === "replay") {
          const jobs = this.#service.getQueueClient(queueNames.jobs);
          await storageCall(() => jobs.sendMessage(wireText(message.messageText), { messageTimeToLive: -1 }));
        }
        await storageCall(() => this.#queue.deleteMessage(message.messageId, message.popReceipt), 404);
        taken++;
        if (messageId !== undefined) return taken;
      }
    }
  }
}
