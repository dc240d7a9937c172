import { createHash } from "node:crypto";
import { second } from "../base/duration.ts";
import { Unavailable } from "../base/errors.ts";
import type { JobId } from "../base/ids.ts";
import { TtlCache } from "../base/ttl-cache.ts";
import type { LogNow } from "../store/log-cursor.ts";
import { hasContainers, type Job } from "../job/job.ts";
import type { Stored } from "../store/jobs.ts";
import { readContainerLog, type ReadLogDeps } from "./masked-client.ts";

/**
 * Logs as they are now. What a running container wrote is read from ACI, stored, and shown from there, so that what somebody followed
 * is kept. However many ask, one instance reads a container's log, and a job's row, once per couple of seconds; with no capacity in the
 * budget the captured copy has to do.
 */
const freshFor = 2 * second;
/** Answers that are remembered. */
const maxRemembered = 200;
/** Their text, in characters: a log that is not stored yet may have 4 MB. */
const maxText = 32 * 1024 * 1024;

/** A log as it is now, and whether Container Instances no longer knows of it: then its job goes on, or has ended. */
export type LiveLog = LogNow & { readonly isGone: boolean };

interface LiveLogDeps extends ReadLogDeps {
  readonly now: () => number;
}

export class LiveLogs {
  readonly #deps: LiveLogDeps;
  readonly #logs: TtlCache<LiveLog>;
  /** What each log was when it was stored last: one that did not change since costs no call to storage. */
  readonly #stores = new Map<string, { readonly hash: string; readonly pieces: LogNow["pieces"] }>();
  readonly #jobs: TtlCache<Stored | undefined>;

  constructor(deps: LiveLogDeps) {
    this.#deps = deps;
    const kept = { time: freshFor, max: maxRemembered, now: deps.now };
    const textOf = ({ added, unstored = "" }: LiveLog): number => added.length + unstored.length;
    this.#logs = new TtlCache({ ...kept, room: { of: textOf, max: maxText } });
    this.#jobs = new TtlCache(kept);
  }

  /** @throws Unavailable when the log can't be read now */
  log(job: Job, attempt: number, container: string): Promise<LiveLog> {
    const runs = hasContainers(job.phase) && attempt === job.attempt;
    const key = `${job.id}/${attempt}/${container}/${String(runs)}`;
    return this.#logs.get(key, () =>
      runs ? this.#live(job, container) : this.#stored(job.id, attempt, container, false),
    );
  }

  /** The job as it is now. */
  async job(id: JobId): Promise<Job | undefined> {
    return (await this.#jobs.get(id, () => this.#deps.jobs.peek(id)))?.job;
  }

  async #stored(id: JobId, attempt: number, container: string, isGone: boolean): Promise<LiveLog> {
    const pieces = await this.#deps.blobs.logs.pieces(id, attempt, container);
    return { pieces, added: "", unstored: undefined, isGone };
  }

  async #live(job: Job, container: string): Promise<LiveLog> {
    const { id, attempt, phase } = job;
    const read = await readContainerLog(this.#deps, job, container, false);
    if (read.kind !== "value") return this.#stored(id, attempt, container, read.kind === "absent");
    const { logs } = this.#deps.blobs;
    const key = `${id}/${attempt}/${container}`;
    const hash = createHash("sha256").update(read.value).digest("base64");
    const stored = this.#stores.get(key);
    if (stored?.hash === hash) return { pieces: stored.pieces, added: "", unstored: undefined, isGone: false };
    // One that was not observed to run may have ended, and this be its tail: that is for the reconciler to judge.
    const ran = hasContainers(phase) && Object.hasOwn(phase.logs ?? {}, container);
    try {
      if (!ran) {
        const pieces = await logs.pieces(id, attempt, container);
        return { pieces, added: "", unstored: read.value, isGone: false };
      }
      const { added } = await logs.capture(id, attempt, container, read.value, {
        container: "unknown",
        restarted: false,
      });
      const pieces = await logs.pieces(id, attempt, container);
      if (pieces.length === 0) return { pieces, added, unstored: read.value, isGone: false };
      this.#remember(key, { hash, pieces });
      return { pieces, added, unstored: undefined, isGone: false };
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      return { pieces: [], added: "", unstored: read.value, isGone: false };
    }
  }

  #remember(key: string, stored: { readonly hash: string; readonly pieces: LogNow["pieces"] }): void {
    this.#stores.delete(key);
    const [oldest] = this.#stores.keys();
    if (oldest !== undefined && this.#stores.size >= maxRemembered) this.#stores.delete(oldest);
    this.#stores.set(key, stored);
  }
}
