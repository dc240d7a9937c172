import { second } from "../base/duration.ts";
import { mergeLog } from "../store/log-merge.ts";
import type { Job } from "../job/job.ts";
import { readContainerLog, type ReadLogDeps } from "./masked-client.ts";

/**
 * A container's log as it is now: the captured copy, and while the job runs what ACI has beyond it. However many ask, ACI is read
 * once per container and couple of seconds; with no room in the budget the captured copy has to do.
 */
const freshFor = 2 * second;

interface LiveLogDeps extends ReadLogDeps {
  readonly now: () => number;
}

export class LiveLogs {
  readonly #deps: LiveLogDeps;
  readonly #lately = new Map<string, { readonly at: number; readonly text: Promise<string | undefined> }>();

  constructor(deps: LiveLogDeps) {
    this.#deps = deps;
  }

  /** Lines with their timestamps, oldest first. */
  async lines(job: Job, attempt: number, container: string): Promise<readonly string[]> {
    const stored = (await this.#deps.blobs.logText(job.id, attempt, container)) ?? "";
    const fresh =
      job.phase.state === "Running" && attempt === job.attempt ? await this.#fresh(job, container) : undefined;
    const text = fresh === undefined ? stored : stored + mergeLog(stored, fresh).append;
    return text.split("\n").filter((line) => line !== "");
  }

  #fresh(job: Job, container: string): Promise<string | undefined> {
    const key = `${job.id}/${container}`;
    const now = this.#deps.now();
    const known = this.#lately.get(key);
    if (known && now - known.at < freshFor) return known.text;
    for (const [old, { at }] of this.#lately) if (now - at >= freshFor) this.#lately.delete(old);
    const text = this.#read(job, container);
    this.#lately.set(key, { at: now, text });
    return text;
  }

  async #read(job: Job, container: string): Promise<string | undefined> {
    const read = await readContainerLog(this.#deps, job, container, false);
    return read.kind === "value" ? read.value : undefined;
  }
}
