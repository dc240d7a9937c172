/** Opens the listeners of an app's queue and timer functions. */
import type { AppFunction, FunctionState } from "./functions.ts";
import type { QueueOptions } from "./host-json.ts";
import type { Invoker } from "./invoke.ts";
import type { Logs } from "./logs.ts";
import { QueueListener } from "./queues.ts";
import { FunctionFault, type Settings, type StorageClients } from "./settings.ts";
import { TimerListener, timerRequest } from "./timers.ts";

export interface Listener {
  start(): void;
  stop(): Promise<void>;
  /** Somebody in this host wrote to that queue. */
  notify?(queueName: string): void;
}

export interface TriggerOptions {
  readonly clients: StorageClients;
  readonly settings: Settings;
  readonly queues: QueueOptions;
  readonly leaseSeconds: number;
  readonly timerLeaseSeconds: number;
  readonly hostId: string;
  readonly invoker: Invoker;
  readonly logs: Logs;
  readonly onEnqueued: (queueName: string) => void;
}

/** The container in which WebJobs hosts keep their locks and statuses. */
const HOST_CONTAINER = "azure-webjobs-hosts";

/** A connection or schedule that can't be used puts its function in error; the other functions serve. */
export async function openListeners(
  options: TriggerOptions,
  states: readonly FunctionState[],
): Promise<{ readonly states: readonly FunctionState[]; readonly listeners: readonly Listener[] }> {
  const listeners: Listener[] = [];
  const opened: FunctionState[] = [];
  for (const state of states) {
    if (state.state !== "ready") {
      opened.push(state);
      continue;
    }
    try {
      const listener = await open(options, state.function);
      if (listener !== undefined) listeners.push(listener);
      opened.push(state);
    } catch (error) {
      if (!(error instanceof FunctionFault)) throw error;
      opened.push({ state: "error", metadata: state.function.metadata, error: error.message });
    }
  }
  return { states: opened, listeners };
}

async function open(options: TriggerOptions, called: AppFunction): Promise<Listener | undefined> {
  for (const output of called.queueOutputs.values()) await options.clients.queue(output.connection);
  const { trigger } = called;
  if (trigger.kind === "queue") {
    const service = await options.clients.queue(trigger.connection);
    const { binding, queueName } = trigger;
    return new QueueListener({ ...options, listening: called, binding, queueName, service });
  }
  if (trigger.kind === "timer") {
    const container = (await options.clients.blob("AzureWebJobsStorage")).getContainerClient(HOST_CONTAINER);
    const timeZone = options.settings["WEBSITE_TIME_ZONE"] ?? "UTC";
    return new TimerListener({
      ...options,
      called,
      trigger,
      timeZone,
      container,
      leaseSeconds: options.timerLeaseSeconds,
    });
  }
  return undefined;
}

/** What `POST /admin/functions/NAME` does: runs a queue or timer function in the background, without its queue or schedule. */
export function runByHand(invoker: Invoker): (called: AppFunction, input: string) => boolean {
  return (called, input) => {
    const { trigger } = called;
    if (trigger.kind === "queue") {
      const data = { string: input };
      void invoker.invoke(called, {
        inputData: [{ name: trigger.binding, data }],
        triggerMetadata: { QueueTrigger: data },
      });
      return true;
    }
    if (trigger.kind === "timer") {
      void invoker.invoke(called, timerRequest(trigger.binding, false, undefined));
      return true;
    }
    return false;
  };
}
