import type { z } from "zod";
import { retryAfter } from "../src/shared/base/duration.ts";
import { Refused } from "./errors.ts";
import { call, refused, shaped, textOf, type Call, type Target } from "./http.ts";
import {
  accepted,
  checked,
  hasEnded,
  health,
  jobs,
  record,
  type JobRecord,
  said,
  status,
  type Accepted,
  type Status,
  adoptable,
  poisonList,
  reindexed,
} from "./replies.ts";

/** Where to ask for a job's state: path and query on the service that was called. */
export type StatusPath = string & { readonly kind: unique symbol };

/** One answer about a job. */
export interface PollResult {
  readonly status: Status;
  readonly ended: boolean;
  /** Milliseconds that the service asks to wait before the next look. */
  readonly retryAfter: number | undefined;
  readonly path: StatusPath;
}

/** The service's calls (contract §2), typed. All throw {@link Refused} and {@link Unreachable}. */
export class Service {
  readonly target: Target;

  constructor(target: Target) {
    this.target = target;
  }

  async submit(
    definition: string,
    query: Readonly<Record<string, string>> = {},
    idempotencyKey?: string,
  ): Promise<{ readonly job: Accepted; readonly path: StatusPath }> {
    const answer = await call(this.target, "POST", "/api/trigger", {
      query,
      body: definition,
      headers: {
        "content-type": "application/yaml",
        ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
      },
    });
    const job = await this.#read(answer, accepted);
    return { job, path: this.#pathOf(answer, job.id) };
  }

  /** All the service's checks and no job. */
  dryRun(definition: string, query: Readonly<Record<string, string>> = {}): Promise<z.infer<typeof checked>> {
    return this.#call("POST", "/api/trigger", checked, { query: { ...query, dryRun: "true" }, body: definition });
  }

  /** @param job an id, or a name, which means its newest job */
  poll(job: string): Promise<PollResult> {
    return this.pollAt(this.statusPath(job));
  }

  statusPath(job: string): StatusPath {
    return `/api/status/${encodeURIComponent(job)}` as StatusPath; // on this very service
  }

  async pollAt(path: StatusPath): Promise<PollResult> {
    const answer = await call(this.target, "GET", path);
    const body = await textOf(answer, this.target);
    const read = shaped(body, status);
    // A failed job is reported with an HTTP status of its caller's choice, so only the body distinguishes it from a refusal.
    if (read === undefined) throw refused(answer, body);
    return {
      status: read,
      ended: hasEnded(read),
      retryAfter: retryAfter(answer.headers.get("retry-after") ?? undefined, Date.now()),
      path: answer.headers.has("location") ? this.#pathOf(answer, read.id) : path,
    };
  }

  /** @returns the path that answers 200 once the group is gone */
  async remove(job: string): Promise<{ readonly message: string; readonly path: StatusPath | undefined }> {
    const answer = await call(this.target, "DELETE", `/api/delete/${encodeURIComponent(job)}`, {
      query: { polling: "true" },
    });
    const reply = await this.#read(answer, said);
    const path = answer.headers.has("location") ? this.#pathOf(answer, job) : undefined;
    return { message: reply.message ?? "", path };
  }

  /** True once what {@link remove} began is done. */
  async isRemoved(path: StatusPath): Promise<boolean> {
    const answer = await call(this.target, "GET", path);
    const body = await textOf(answer, this.target);
    if (answer.status === 202) return false;
    if (!answer.ok) throw refused(answer, body);
    return true;
  }

  /** @returns the reply as it came, and its jobs */
  list(query: Readonly<Record<string, string | undefined>> = {}): Promise<z.infer<typeof jobs>> {
    return this.#call("GET", "/api/jobs", jobs, { query });
  }

  record(id: string): Promise<JobRecord> {
    return this.#call("GET", `/api/jobs/${encodeURIComponent(id)}`, record);
  }

  /** How the service is, also when it is not well. */
  async health(): Promise<z.infer<typeof health>> {
    const answer = await call(this.target, "GET", "/api/health/details");
    const body = await textOf(answer, this.target);
    const read = shaped(body, health);
    if (read === undefined || (!answer.ok && answer.status !== 503)) throw refused(answer, body);
    return read;
  }

  async rerun(id: string): Promise<{ readonly job: Accepted; readonly path: StatusPath }> {
    const answer = await call(this.target, "POST", `/api/jobs/${encodeURIComponent(id)}/rerun`);
    const job = await this.#read(answer, accepted);
    return { job, path: this.#pathOf(answer, job.id) };
  }

  /** `POST /api/jobs/cancel`, `/api/jobs/rerun`, `/api/pause`, `/api/resume`: a JSON body, and a reply that says what was done. */
  operate(
    path: "jobs/cancel" | "jobs/rerun" | "pause" | "resume" | "poison/replay" | "poison/drop",
    body: object,
  ): Promise<z.infer<typeof said>> {
    const headers = { "content-type": "application/json" };
    return this.#call("POST", `/api/${path}`, said, { headers, body: JSON.stringify(body) });
  }

  /** One piece of the rebuild of the job index, and how many milliseconds the service asks to wait before the next. */
  async reindex(): Promise<{ readonly reply: z.infer<typeof reindexed>; readonly pause: number }> {
    const answer = await call(this.target, "POST", "/api/reindex");
    const pause = retryAfter(answer.headers.get("retry-after") ?? undefined, Date.now()) ?? 0;
    return { reply: await this.#read(answer, reindexed), pause };
  }

  poison(): Promise<z.infer<typeof poisonList>> {
    return this.#call("GET", "/api/poison", poisonList);
  }

  adopt(): Promise<z.infer<typeof adoptable>> {
    return this.#call("GET", "/api/adopt", adoptable);
  }

  /** A job's log as it comes. @param container absent: all containers */
  async logs(job: string, container?: string, more: Call = {}): Promise<ReadableStream<Uint8Array> | null> {
    const path = [job, ...(container === undefined ? [] : [container])].map(encodeURIComponent).join("/");
    const answer = await call(this.target, "GET", `/api/logs/${path}`, more);
    if (!answer.ok) throw refused(answer, await textOf(answer, this.target));
    return answer.body;
  }

  async #call<T>(method: string, path: string, shape: z.ZodType<T>, more: Call = {}): Promise<T> {
    return this.#read(await call(this.target, method, path, more), shape);
  }

  async #read<T>(answer: Response, shape: z.ZodType<T>): Promise<T> {
    const body = await textOf(answer, this.target);
    if (!answer.ok) throw refused(answer, body);
    const read = shaped(body, shape);
    if (read !== undefined) return read;
    throw new Refused(
      answer.status,
      `${this.target.url} answered with something else than ACI Proxy does; is --url right?`,
    );
  }

  /**
   * The `Location` of an answer, on the service that was called. Its host may be another (a name that only callers inside know, or
   * somebody else's machine): that one never gets the key.
   */
  #pathOf(answer: Response, id: string): StatusPath {
    const location = answer.headers.get("location") ?? "";
    const { pathname, search } = URL.canParse(location, this.target.url)
      ? new URL(location, this.target.url)
      : new URL(this.target.url);
    const route = /\/api\/(status|delete)\/[^/]+$/.exec(pathname)?.[0] ?? `/api/status/${encodeURIComponent(id)}`;
    return (route + search) as StatusPath; // without a host, so on this service
  }
}
