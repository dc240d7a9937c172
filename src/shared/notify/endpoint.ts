import { second } from "../base/duration.ts";
import type { Log } from "../base/log.ts";
import { TtlCache } from "../base/ttl-cache.ts";
import type { Job } from "../job/job.ts";
import type { EndpointName, JobEvent } from "../job/job-events.ts";
import type { JobResult } from "../job/result.ts";
import type { ServiceStates } from "../store/service-states.ts";

/** Where events of every job go: the operator's topic or webhook. */
export interface EndpointClient {
  readonly name: EndpointName;
  readonly wants: (job: Job, event: JobEvent) => boolean;
  /**
   * Sends events of a job, in their order; throws where they were not taken. The error's text is shown to operators, so it holds no
   * address.
   */
  readonly deliver: (job: Job, events: readonly JobEvent[], result: JobResult | undefined) => Promise<void>;
}

/** After this many failures in a row an endpoint rests: only the sweep tries it, once a minute. */
const maxFailures = 3;
/** For this long an instance believes what it read of an endpoint's state. */
const believed = 15 * second;

/** One endpoint with its state, which all instances share: while it rests nobody waits for it. */
export class Endpoint {
  readonly #client: EndpointClient;
  readonly #states: ServiceStates;
  readonly #now: () => number;
  readonly #log: Log;
  readonly #known: TtlCache<boolean>;
  #failures = 0;

  constructor(client: EndpointClient, { states, now, log }: { states: ServiceStates; now: () => number; log: Log }) {
    this.#client = client;
    this.#states = states;
    this.#now = now;
    this.#log = log;
    this.#known = new TtlCache({ time: believed, max: 1, now });
  }

  get name(): EndpointName {
    return this.#client.name;
  }

  wants(job: Job, event: JobEvent): boolean {
    return this.#client.wants(job, event);
  }

  /** False while the endpoint rests. */
  isOpen(): Promise<boolean> {
    return this.#known.get(this.name, async () => (await this.#states.all()).get(this.name)?.ok !== false);
  }

  /** @returns whether the endpoint took the events */
  async send(job: Job, events: readonly JobEvent[], result: JobResult | undefined): Promise<boolean> {
    try {
      await this.#client.deliver(job, events, result);
    } catch (error) {
      const why = reasonOf(error);
      this.#failures++;
      this.#log("warn", "events not delivered", { job: job.id, endpoint: this.name, why, failures: this.#failures });
      if (this.#failures >= maxFailures) await this.#record(why);
      return false;
    }
    if (this.#failures >= maxFailures || !(await this.isOpen())) await this.#record(undefined);
    this.#failures = 0;
    return true;
  }

  async #record(error: string | undefined): Promise<void> {
    const before = (await this.#states.all()).get(this.name);
    await this.#states.record(this.name, error, this.#now(), before);
    this.#known.clear();
  }
}

/** An endpoint did not take what was sent. */
export class NotDelivered extends Error {
  override readonly name = "NotDelivered";
}

/** Of other errors only the kind is shown: their text may hold an address. */
function reasonOf(error: unknown): string {
  if (error instanceof NotDelivered) return error.message;
  if (!(error instanceof Error)) return "unknown error";
  const status = "statusCode" in error && typeof error.statusCode === "number" ? `HTTP ${error.statusCode}` : undefined;
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return status ?? code ?? error.name;
}
