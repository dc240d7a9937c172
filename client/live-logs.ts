import { createHash, type Hash } from "node:crypto";
import type { LogsQuery, Status } from "./api.ts";
import { Refused, Unreachable } from "./errors.ts";
import { containersOf } from "./status.ts";
import type { Service } from "./service.ts";

/** Takes a line of a container's output, without its line end. */
export type WriteLine = (container: string, line: string) => void;

/**
 * Shows the output of a job's containers: live while it runs, as far as the service can, and from the captured copy what was
 * still missing at the end, so that every line is shown once.
 */
export class LiveLogs {
  readonly #service: Pick<Service, "logs">;
  readonly #job: string;
  readonly #write: WriteLine;
  readonly #containers = new Map<string, ContainerLog>();
  readonly #stop = new AbortController();

  constructor(service: Pick<Service, "logs">, job: string, write: WriteLine) {
    this.#service = service;
    this.#job = job;
    this.#write = write;
  }

  /** To be called after every poll of the job. A service disconnects followers after a while, so a poll also reconnects. */
  look(status: Status): void {
    if (status.state !== "Running") return;
    for (const [name] of containersOf(status)) {
      const log = this.#logOf(name, status.attempt);
      if (log.isLive) continue;
      log.isLive = true;
      log.restart();
      const query = { follow: "true", ...log.query };
      log.live = this.#copy(name, log, query, this.#stop.signal).finally(() => (log.isLive = false));
    }
  }

  /** Ends what still follows the job. */
  stop(): void {
    this.#stop.abort();
  }

  /** To be called when the job has ended. */
  async finish(status: Status, signal?: AbortSignal): Promise<void> {
    this.stop();
    for (const [name] of containersOf(status)) this.#logOf(name, status.attempt);
    // Of earlier attempts too what was still missing.
    for (const log of this.#containers.values()) {
      await log.live;
      log.restart();
      await this.#copy(log.container, log, log.query, signal);
      log.end();
    }
  }

  /** Each attempt has a log of its own; a service that counts no attempts has one. */
  #logOf(name: string, attempt: number | undefined): ContainerLog {
    const key = `${name} ${attempt ?? ""}`;
    const query = attempt === undefined ? {} : { attempt: String(attempt) };
    const log = this.#containers.get(key) ?? new ContainerLog(name, query, (line) => this.#write(name, line));
    this.#containers.set(key, log);
    return log;
  }

  async #copy(name: string, log: ContainerLog, query: LogsQuery, signal: AbortSignal | undefined): Promise<void> {
    try {
      const stream = await this.#service.logs(this.#job, name, { query, signal });
      for await (const bytes of stream ?? []) log.take(bytes);
    } catch (error) {
      // There is no log yet or no longer, or the job's end cut the stream: the captured copy and the summary show the rest.
      if (!(error instanceof Refused || error instanceof Unreachable || signal?.aborted)) throw error;
    }
  }
}

/** The output of one container, read from its beginning as often as need be and shown once. */
class ContainerLog {
  live: Promise<void> = Promise.resolve();
  isLive = false;
  readonly #line: (line: string) => void;
  /** Bytes that were shown, and their digest so far. */
  #shown = 0;
  readonly #digest = createHash("sha256");
  /** What was shown, coming again. */
  #again: { seen: number; readonly digest: Hash } | undefined;
  #differs = false;
  #text = new TextDecoder();
  #rest = "";

  readonly container: string;
  /** What asks for this log alone. */
  readonly query: LogsQuery;

  constructor(container: string, query: LogsQuery, line: (line: string) => void) {
    this.container = container;
    this.query = query;
    this.#line = line;
  }

  take(bytes: Uint8Array): void {
    const fresh = this.#again === undefined ? bytes : this.#skip(bytes, this.#again);
    if (fresh.length === 0) return;
    this.#shown += fresh.length;
    this.#digest.update(fresh);
    const lines = (this.#rest + this.#text.decode(fresh, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
  }

  /** What follows is the same output from its beginning again. */
  restart(): void {
    this.#again = this.#shown === 0 ? undefined : { seen: 0, digest: createHash("sha256") };
  }

  end(): void {
    const last = this.#rest + this.#text.decode();
    if (last !== "") this.#line(last);
    this.#rest = "";
  }

  /** The part of these bytes that was not shown yet. */
  #skip(bytes: Uint8Array, again: { seen: number; readonly digest: Hash }): Uint8Array {
    const known = bytes.subarray(0, this.#shown - again.seen);
    again.seen += known.length;
    again.digest.update(known);
    if (again.seen < this.#shown) return bytes.subarray(bytes.length);
    this.#again = undefined;
    if (!this.#differs && again.digest.digest("hex") !== this.#digest.copy().digest("hex")) {
      this.#differs = true;
      this.#line("[the log begins differently from what was shown; aci-proxy logs shows it whole]");
    }
    return bytes.subarray(known.length);
  }
}
