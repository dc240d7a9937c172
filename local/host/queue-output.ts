/** Queue outputs: a function's return value and `extraOutputs`, written in the encoding of host.json. */
import type { InvocationResponse, RpcTypedData } from "./core-api.ts";
import type { AppFunction } from "./functions.ts";
import { encodeText, type MessageEncoding, outputTexts } from "./message.ts";
import { sendCreating } from "./queues.ts";
import type { StorageClients } from "./settings.ts";

export interface QueueOutputOptions {
  readonly clients: StorageClients;
  readonly encoding: MessageEncoding;
  readonly onEnqueued: (queueName: string) => void;
}

/** @throws the storage's error, of which a message over its 64 KiB is one; the run has failed then. */
export async function writeQueueOutputs(
  options: QueueOutputOptions,
  ran: AppFunction,
  response: InvocationResponse,
): Promise<void> {
  const values = new Map<string, RpcTypedData>((response.outputData ?? []).map(({ name, data }) => [name, data]));
  if (response.returnValue) values.set("$return", response.returnValue);
  for (const [name, { queueName, connection }] of ran.queueOutputs) {
    const value = values.get(name);
    if (value === undefined) continue;
    const queue = (await options.clients.queue(connection)).getQueueClient(queueName);
    for (const text of outputTexts(value)) await sendCreating(queue, encodeText(text, options.encoding));
    options.onEnqueued(queueName);
  }
}
