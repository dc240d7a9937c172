import type { Deps } from "../../src/shared/deps.ts";
import type { JobId } from "../../src/shared/base/ids.ts";
import { hasEnded } from "../../src/shared/job/job.ts";
import type { EndpointClient } from "../../src/shared/notify/endpoint.ts";
import type { Ledger } from "./ledger.ts";
import type { Call } from "./scheduler.ts";

/**
 * Who hears of jobs by HTTP: callers at the address that they gave, and the operator's topic, which gets the events of every job. Whoever
 * was promised to hear must, at least once, and nothing before it is so.
 */
export class Listeners {
  readonly #ledger: Ledger;
  /** By the address: the job whose end it is promised, and how often it heard. */
  readonly #callers = new Map<string, { readonly jobs: Set<JobId>; heard: Map<string, number> }>();
  /** Of each job the numbers of the events that came. */
  readonly #events = new Map<JobId, Set<number>>();
  readonly #finished = new Set<JobId>();
  readonly #refused = new Set<JobId>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** A caller's address. */
  address(): string {
    const address = `https://listener-${this.#callers.size}.azure.com/`;
    this.#callers.set(address, { jobs: new Set(), heard: new Map() });
    return address;
  }

  /** The service said that the address will hear of this job's end. */
  promised(address: string | undefined, id: JobId): void {
    if (address !== undefined) this.#callers.get(address)?.jobs.add(id);
  }

  /** A posted message was refused: its row is the end of a job that never was. */
  refused(id: JobId): void {
    this.#refused.add(id);
  }

  /** What a host sends callers with. */
  post(call: Call): Deps["post"] {
    return (address, body) => call("callback", "storage", () => this.#heard(address, body));
  }

  #heard(address: string, body: string): number {
    const { Output: output } = JSON.parse(body) as { Output: { id: string; state: string } }; // our own code wrote it
    const phase = this.#ledger.job(output.id)?.phase;
    if (phase === undefined || !hasEnded(phase) || phase.state !== output.state)
      this.#ledger.violated(`${address} heard that ${output.id} is ${output.state}, which is not so`);
    const heard = this.#callers.get(address)?.heard;
    if (heard === undefined) this.#ledger.violated(`${address} heard, which nobody gave`);
    heard?.set(output.id, (heard.get(output.id) ?? 0) + 1);
    return 200;
  }

  /** What a host sends events with. */
  topic(call: Call): EndpointClient {
    return {
      name: "eventTopic",
      wants: () => true,
      deliver: (job, events) =>
        call("topic", "storage", () => {
          if (this.#refused.has(job.id)) return;
          for (const { kind, sequence, attempt } of events) {
            const row = this.#ledger.job(job.id);
            if (row === undefined || row.attempt < attempt)
              this.#ledger.violated(`attempt ${attempt} of ${job.id} was published before its row had it`);
            if (kind === "finished") {
              if (row === undefined || !hasEnded(row.phase))
                this.#ledger.violated(`${job.id} was published as finished, which it is not`);
              this.#finished.add(job.id);
            }
            const known = this.#events.get(job.id) ?? new Set();
            this.#events.set(job.id, known.add(sequence));
          }
        }),
    };
  }

  /** After everything has come to rest. */
  settled(): void {
    for (const [address, { jobs, heard }] of this.#callers)
      for (const id of jobs) {
        if ((heard.get(id) ?? 0) > 1 && this.#ledger.world.scheduler.failures === 0)
          this.#ledger.violated(`${address} heard of the end of ${id} more than once, though nothing failed`);
        if ((heard.get(id) ?? 0) === 0) this.#ledger.violated(`${address} never hears of the end of ${id}`);
      }
    for (const { id, attempt } of this.#ledger.rows) {
      const events = this.#events.get(id) ?? new Set();
      // Each attempt begins with an event of an odd number (accepted, retrying); the end has one too.
      for (let number = 1; number <= attempt; number++)
        if (!events.has(2 * number - 1))
          this.#ledger.violated(`the topic never gets the beginning of attempt ${number} of ${id}`);
      if (!this.#finished.has(id)) this.#ledger.violated(`the topic never gets the end of ${id}`);
    }
  }

  /** Events that the service knows to be undelivered. */
  get isDue(): boolean {
    return [...this.#ledger.world.table("control").all()].some(({ partitionKey }) => partitionKey === "undelivered");
  }
}
