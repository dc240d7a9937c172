/** The timer trigger: one listener for each function, one run at a time, on one host at a time. */
import { RestError } from "@azure/core-rest-pipeline";
import type { BlockBlobClient, ContainerClient } from "@azure/storage-blob";
import type { AppFunction, Trigger } from "./functions.ts";
import type { Invoker } from "./invoke.ts";
import type { Logs } from "./logs.ts";
import {
  afterRun,
  isFrequent,
  parseSchedule,
  parseStatus,
  resume,
  type Schedule,
  type ScheduleStatus,
  statusJson,
} from "./schedule.ts";
import { TimerLock } from "./timer-lock.ts";

export interface TimerListenerOptions {
  readonly called: AppFunction;
  readonly trigger: Extract<Trigger, { kind: "timer" }>;
  readonly timeZone: string;
  /** The container of the host's storage account that holds locks and statuses. */
  readonly container: ContainerClient;
  readonly hostId: string;
  /** 60 on the real host. */
  readonly leaseSeconds: number;
  readonly invoker: Invoker;
  readonly logs: Logs;
}

type Reason = "scheduled" | "pastDue" | "startup";

/** Node's timers hold 24.8 days at most. */
const LONGEST_WAIT_MS = 24 * 24 * 3_600_000;

export class TimerListener {
  readonly #options: TimerListenerOptions;
  readonly #schedule: Schedule;
  readonly #lock: TimerLock;
  readonly #statusBlob: BlockBlobClient;
  #stopped = false;
  #wake: () => void = () => undefined;
  #loop: Promise<void> = Promise.resolve();

  /** @throws {FunctionFault} for a schedule that can't be read. */
  constructor(options: TimerListenerOptions) {
    const { called, trigger, container, hostId, leaseSeconds } = options;
    this.#options = options;
    this.#schedule = parseSchedule(trigger.schedule, options.timeZone);
    const name = `Host.Functions.${called.name}`;
    this.#lock = new TimerLock(container, `locks/${hostId}/${name}.Listener`, leaseSeconds, () => this.#wake());
    this.#statusBlob = container.getBlockBlobClient(`timers/${hostId}/${name}/status`);
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Starts no more runs; resolves when the one under way has ended and the lock is free. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#loop;
    await this.#lock.release();
  }

  async #run(): Promise<void> {
    let said = false;
    while (!this.#stopped) {
      try {
        if (await this.#lock.acquire()) {
          said = false;
          await this.#tick();
          continue;
        }
        this.#log("debug", "Another host runs this timer.");
      } catch (error) {
        if (!said)
          this.#log(
            "error",
            `The timer waits for its storage: ${error instanceof Error ? error.message : String(error)}`,
          );
        said = true;
        await this.#lock.release();
      }
      await this.#wait(this.#options.leaseSeconds * 1000);
    }
  }

  /** Runs the schedule for as long as the lock is held. */
  async #tick(): Promise<void> {
    const { trigger } = this.#options;
    const monitored = trigger.useMonitor && !isFrequent(this.#schedule, new Date());
    const resumed = resume(this.#schedule, monitored ? await this.#readStatus() : undefined, new Date());
    let { status } = resumed;
    if (monitored && resumed.changed) await this.#writeStatus(status);
    let reason: Reason = resumed.pastDue ? "pastDue" : trigger.runOnStartup ? "startup" : "scheduled";
    while (!this.#stopped && this.#lock.held) {
      if (reason === "scheduled") {
        const left = status.next.getTime() - Date.now();
        if (left > 0) {
          await this.#wait(Math.min(left, LONGEST_WAIT_MS));
          continue;
        }
      }
      const startedAt = new Date();
      await this.#invoke(reason === "pastDue", monitored ? status : undefined);
      status = afterRun(this.#schedule, startedAt);
      if (monitored) await this.#writeStatus(status);
      reason = "scheduled";
    }
  }

  async #invoke(isPastDue: boolean, status: ScheduleStatus | undefined): Promise<void> {
    const { called, trigger, invoker } = this.#options;
    await invoker.invoke(called, timerRequest(trigger.binding, isPastDue, status));
  }

  async #readStatus(): Promise<ScheduleStatus | undefined> {
    try {
      return parseStatus((await this.#statusBlob.downloadToBuffer()).toString("utf8"));
    } catch (error) {
      if (error instanceof RestError && error.statusCode === 404) return undefined;
      throw error;
    }
  }

  /** Best effort, as on the real host: a status that can't be written must not stop the schedule. */
  async #writeStatus(status: ScheduleStatus): Promise<void> {
    const text = JSON.stringify(statusJson(status));
    try {
      await this.#statusBlob.upload(text, Buffer.byteLength(text));
    } catch (error) {
      this.#log(
        "error",
        `The timer's status can't be written: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
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

  #log(level: "debug" | "error", message: string): void {
    this.#options.logs.write(level, `Host.Triggers.Timer.${this.#options.called.name}`, message);
  }
}

/** What a timer function is given; the library camel-cases the names. */
export function timerRequest(binding: string, isPastDue: boolean, status: ScheduleStatus | undefined) {
  const timer = {
    Schedule: { AdjustForDST: true },
    ScheduleStatus: status === undefined ? null : statusJson(status),
    IsPastDue: isPastDue,
  };
  return { inputData: [{ name: binding, data: { json: JSON.stringify(timer) } }], triggerMetadata: {} };
}
