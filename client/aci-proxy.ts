import { untilEnded, type FollowOptions } from "./follow.ts";
import { target } from "./http.ts";
import { LiveLogs, type WriteLine } from "./live-logs.ts";
import type { Status } from "./replies.ts";
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
  /** @throws Misuse when the address is not one of a service */
  constructor(url: string = defaultUrl, { key }: { readonly key?: string | undefined } = {}) {
    super(target(url, key));
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
