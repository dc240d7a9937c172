import { setTimeout as delay } from "node:timers/promises";
import { second } from "../src/shared/base/duration.ts";
import type { ChildResult, JobRow, JobsQuery, LogsQuery, ResultsQuery, Status } from "./api.ts";
import { untilEnded, type FollowOptions } from "./follow.ts";
import { target, type Token } from "./http.ts";
import { LiveLogs, type WriteLine } from "./live-logs.ts";
import { Service, type StatusPath } from "./service.ts";

/** Where `npm start` serves. */
export const defaultUrl = "http://localhost:7071";

export interface JobFollowOptions extends Pick<FollowOptions, "onPoll" | "onFailure" | "signal" | "patience"> {
  /** Where to begin; the answer to a submission names it. */
  readonly path?: StatusPath;
  /** Called with every line of output, once, while the job runs. */
  readonly onLine?: WriteLine | undefined;
}

/**
 * A service of ACI Proxy, as programs call it. The command `aci-proxy` uses this class too.
 *
 * @example
 * const proxy = new AciProxy("https://my-app.azurewebsites.net", { key });
 * const { job } = await proxy.submit(definition, { timeout: "PT1H" });
 * const end = await proxy.follow(job.id, { onLine: (container, line) => console.log(container, line) });
 */
export class AciProxy extends Service {
  /**
   * @param key the service's function key; without key and token a service on this machine is taken to have the local stack's own
   * @param token a bearer token, for a service with `AUTH_MODE=entra`; or a function that gives one for each call, so that it can be renewed
   * @throws Misuse when the address is not one of a service
   */
  constructor(
    url: string = defaultUrl,
    { key, token }: { readonly key?: string | undefined; readonly token?: Token | undefined } = {},
  ) {
    super(target(url, key, token));
  }

  /** The jobs that match, newest first, page by page as they are asked for. */
  async *jobs(query: JobsQuery = {}): AsyncGenerator<JobRow, void> {
    for await (const page of this.pages(query)) yield* page.jobs;
  }

  /** What became of an array's indexes, in their order, page by page as they are asked for. One without a job yet is left out. */
  async *results(array: string, query: ResultsQuery = {}): AsyncGenerator<ChildResult, void> {
    for await (const page of this.resultPages(array, query)) yield* page.results;
  }

  /** A job's whole log as text. @param container absent: all containers */
  async logText(job: string, container?: string, query: LogsQuery = {}): Promise<string> {
    return new Response(await this.logs(job, container, { query })).text();
  }

  /** What the job's program left as its result: a JSON object; `undefined` without one, and before the end. */
  async result(job: string): Promise<Status["result"]> {
    return (await this.status(job)).result;
  }

  /**
   * Cancels a job that has not ended, and removes its container group.
   *
   * @param wait until the group is gone
   * @returns what the service says of it, with `wait` in the end
   */
  async cancel(
    job: string,
    { wait = false, signal }: { readonly wait?: boolean | undefined; readonly signal?: AbortSignal } = {},
  ): Promise<string> {
    const { message, path } = await this.remove(job);
    if (!wait || path === undefined) return message;
    for (;;) {
      const removed = await this.removed(path);
      if (removed !== undefined) return removed;
      await delay(second, undefined, signal && { signal });
    }
  }

  /** Waits for a job's end without its output; {@link follow}. */
  wait(id: string, options: Omit<JobFollowOptions, "onLine"> = {}): Promise<Status> {
    return this.follow(id, options);
  }

  /**
   * Follows a job to its end, whatever that is: a failed job is a result too.
   *
   * @throws Refused, Unreachable when the job can't be seen any more; the signal's reason when it is aborted. The job goes on then
   */
  async follow(id: string, options: JobFollowOptions = {}): Promise<Status> {
    const { onLine, onPoll, signal } = options;
    const logs = onLine && new LiveLogs(this, id, onLine);
    const path = options.path ?? this.statusPath(id);
    try {
      const status = await untilEnded(this, path, {
        ...options,
        onPoll: (look) => {
          onPoll?.(look);
          logs?.look(look);
        },
      });
      await logs?.finish(status, signal);
      signal?.throwIfAborted();
      return status;
    } finally {
      logs?.stop();
    }
  }
}
