// Longer than 350 lines: a method for each call of the service.
import { retryAfter } from "../src/shared/base/duration.ts";
import { optionAdded, withOption } from "../src/shared/job/envelope.ts";
import type {
  Accepted,
  Adoptable,
  Canceled,
  CancelManyBody,
  Checked,
  Group,
  Groups,
  HealthDetails,
  JobPage,
  JobRecord,
  JobsQuery,
  LogsQuery,
  Paused,
  PauseBody,
  PoisonList,
  PoisonReplayBody,
  PoisonTaken,
  Priority,
  Reindexed,
  Replies,
  Rerun,
  RerunManyBody,
  Results,
  ResultsQuery,
  Resumed,
  Status,
  SteerGroupBody,
  Summary,
  SummaryQuery,
  Template,
  TemplateDeleted,
  TemplateInfo,
  TemplatePage,
  TemplateStored,
  TriggerQuery,
} from "./api.ts";
import { Refused } from "./errors.ts";
import { call, notOurs, refused, streamOf, textOf, type Call, type Target } from "./http.ts";
import { readReply, type ReplyName } from "./replies.ts";
import { isLast } from "./status.ts";

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

/** What a submission may ask for: the service's options, and those that only a newer service knows. */
export type SubmitOptions = Omit<TriggerQuery, "array"> & {
  /** How many children, or an item for each: text or objects, which the service judges. */
  readonly array?: string | number | readonly unknown[] | undefined;
} & Readonly<Record<string, unknown>>;

/** A job that was accepted, and where its state is read. */
export interface Submitted {
  readonly job: Accepted;
  readonly path: StatusPath;
}

/** The service's calls (docs/http.md), typed. All throw {@link Refused} and {@link Unreachable}. */
export class Service {
  readonly target: Target;

  constructor(target: Target) {
    this.target = target;
  }

  /**
   * Runs a container group as a job.
   *
   * @param definition as YAML or JSON, or an object that is sent as JSON
   * @param options the items of an array (`array`) are sent in the body, all others in the query
   * @param idempotencyKey the same key again gives the same job, not a second run
   */
  async submit(definition: string | object, options: SubmitOptions = {}, idempotencyKey?: string): Promise<Submitted> {
    const headers = idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey };
    const answer = await call(this.target, "POST", "/api/trigger", sent(definition, options, headers));
    const job = await this.#read(answer, "Accepted");
    return { job, path: this.#pathOf(answer, job.id) };
  }

  /** All the service's checks and no job. */
  dryRun(definition: string | object, options: SubmitOptions = {}): Promise<Checked> {
    return this.#call("POST", "/api/trigger", "Checked", sent(definition, { ...options, dryRun: true }));
  }

  /**
   * Stores a new version of a template.
   *
   * @param expected the version that must be the newest still; 0: there must be no such template
   */
  putTemplate(name: string, text: string, expected?: number): Promise<TemplateStored> {
    const condition: Readonly<Record<string, string>> =
      expected === undefined ? {} : expected === 0 ? { "if-none-match": "*" } : { "if-match": `"${expected}"` };
    return this.#call("PUT", templatePath(name), "TemplateStored", sent(text, {}, condition));
  }

  /** @param version the newest, unless one is named */
  template(name: string, version?: number): Promise<Template> {
    return this.#call("GET", templatePath(name), "Template", { query: { version } });
  }

  /** Every template, by name. */
  async *templates(): AsyncGenerator<TemplateInfo> {
    let continuation: string | undefined;
    do {
      const page: TemplatePage = await this.#call("GET", "/api/templates", "TemplatePage", { query: { continuation } });
      yield* page.templates;
      ({ continuation } = page);
    } while (continuation !== undefined);
  }

  deleteTemplate(name: string): Promise<TemplateDeleted> {
    return this.#call("DELETE", templatePath(name), "TemplateDeleted");
  }

  /** @param job an id, or a name, which means its newest job */
  async status(job: string): Promise<Status> {
    return (await this.poll(job)).status;
  }

  /** The state of a job, and when and where the service wants to be asked again. */
  poll(job: string): Promise<PollResult> {
    return this.pollAt(this.statusPath(job));
  }

  statusPath(job: string): StatusPath {
    return `/api/status/${encodeURIComponent(job)}` as StatusPath; // on this very service
  }

  async pollAt(path: StatusPath): Promise<PollResult> {
    const answer = await call(this.target, "GET", path);
    const body = await textOf(answer, this.target);
    const read = readReply("Status", body);
    // A failed job is reported with an HTTP status of its caller's choice, so only the body distinguishes it from a refusal.
    if (read === undefined) throw answer.ok ? notOurs(answer, this.target) : refused(answer, body, this.target);
    return {
      status: read,
      ended: isLast(read, answer.status),
      retryAfter: retryAfter(answer.headers.get("retry-after") ?? undefined, Date.now()),
      path: answer.headers.has("location") ? this.#pathOf(answer, read.id) : path,
    };
  }

  /**
   * Cancels a job that has not ended, and removes its container group.
   *
   * @returns the path that answers 200 once the group is gone
   */
  async remove(job: string): Promise<{ readonly message: string; readonly path: StatusPath | undefined }> {
    const answer = await call(this.target, "DELETE", `/api/delete/${encodeURIComponent(job)}`, {
      query: { polling: true },
    });
    const reply = await this.#read(answer, "Deleted");
    const path = answer.headers.has("location") ? this.#pathOf(answer, job) : undefined;
    return { message: reply.message, path };
  }

  /** What the service says of the job once what {@link remove} began is done; `undefined` before. */
  async removed(path: StatusPath): Promise<string | undefined> {
    const answer = await call(this.target, "GET", path);
    if (answer.status !== 202) return (await this.#read(answer, "Deleted")).message;
    await textOf(answer, this.target);
    return undefined;
  }

  /** One page of jobs, newest first, as it came. */
  list(query: JobsQuery = {}): Promise<JobPage> {
    return this.#call("GET", "/api/jobs", "JobPage", { query });
  }

  /** Every page, from the newest job on. */
  pages(query: JobsQuery = {}): AsyncGenerator<JobPage, void> {
    return this.#pages(query.continuation, (continuation) => this.list({ ...query, continuation }));
  }

  /** Every page of what became of an array's indexes, in their order. */
  resultPages(array: string, query: ResultsQuery = {}): AsyncGenerator<Results, void> {
    return this.#pages(query.continuation, (continuation) => this.resultsPage(array, { ...query, continuation }));
  }

  async *#pages<P extends { readonly continuation?: string | undefined }>(
    first: string | undefined,
    read: (continuation: string | undefined) => Promise<P>,
  ): AsyncGenerator<P, void> {
    let continuation = first;
    do {
      const page = await read(continuation);
      yield page;
      if (page.continuation !== undefined && page.continuation === continuation)
        throw new Refused("NotAciProxy", 200, `${this.target.url} gave the same page again`);
      ({ continuation } = page);
    } while (continuation !== undefined && continuation !== "");
  }

  summary(query: SummaryQuery = {}): Promise<Summary> {
    return this.#call("GET", "/api/jobs/summary", "Summary", { query });
  }

  /** All that the service knows of a job. */
  record(id: string): Promise<JobRecord> {
    return this.#call("GET", `/api/jobs/${encodeURIComponent(id)}`, "JobRecord");
  }

  /** One page of what became of an array's indexes, as it came. */
  resultsPage(array: string, query: ResultsQuery = {}): Promise<Results> {
    return this.#call("GET", `/api/jobs/${encodeURIComponent(array)}/results`, "Results", { query });
  }

  /** How the service is, also when it is not well. */
  async health({ signal }: { readonly signal?: AbortSignal } = {}): Promise<HealthDetails> {
    const answer = await call(this.target, "GET", "/api/health/details", { signal });
    const body = await textOf(answer, this.target);
    const read = readReply("HealthDetails", body);
    if (read !== undefined && (answer.ok || answer.status === 503)) return read;
    throw answer.ok ? notOurs(answer, this.target) : refused(answer, body, this.target);
  }

  /** Runs a job's definition again, as a new job. */
  async rerun(id: string): Promise<Submitted> {
    const answer = await call(this.target, "POST", `/api/jobs/${encodeURIComponent(id)}/rerun`);
    const job = await this.#read(answer, "Accepted");
    return { job, path: this.#pathOf(answer, job.id) };
  }

  /** Runs all jobs again that match and did not succeed. */
  rerunMany(which: RerunManyBody): Promise<Rerun> {
    return this.#call("POST", "/api/jobs/rerun", "Rerun", json(which));
  }

  /** Cancels all active jobs that match. */
  cancelMany(which: CancelManyBody): Promise<Canceled> {
    return this.#call("POST", "/api/jobs/cancel", "Canceled", json(which));
  }

  /** Groups of jobs of which a slot is held, or an operator has said something, by name; of each the first 20 who hold one and who wait. */
  async *groups(): AsyncGenerator<Group> {
    let continuation: string | undefined;
    do {
      const page: Groups = await this.#call("GET", "/api/groups", "Groups", { query: { continuation } });
      yield* page.groups;
      ({ continuation } = page);
    } while (continuation !== undefined);
  }

  /** A group of jobs: its slots and who waits for one. */
  group(name: string): Promise<Group> {
    return this.#call("GET", groupPath(name), "Group");
  }

  /** Limits or pauses a group of jobs; `null` gives it back. */
  putGroup(name: string, body: SteerGroupBody): Promise<Group> {
    return this.#call("PUT", groupPath(name), "Group", json(body));
  }

  /** @param priority seconds of head start for a job that waits */
  setPriority(id: string, priority: number): Promise<Priority> {
    return this.#call("POST", `/api/jobs/${encodeURIComponent(id)}/priority`, "Priority", json({ priority }));
  }

  /** Accepts jobs and lets them wait. */
  pause(body: PauseBody): Promise<Paused> {
    return this.#call("POST", "/api/pause", "Paused", json(body));
  }

  /** @param body a reason, for the record */
  resume(body: { readonly reason?: string | undefined } = {}): Promise<Resumed> {
    return this.#call("POST", "/api/resume", "Resumed", json(body));
  }

  /** One piece of the rebuild of the job index, and how many milliseconds the service asks to wait before the next. */
  async reindex(): Promise<{ readonly reply: Reindexed; readonly pause: number }> {
    const answer = await call(this.target, "POST", "/api/reindex");
    const pause = retryAfter(answer.headers.get("retry-after") ?? undefined, Date.now()) ?? 0;
    return { reply: await this.#read(answer, "Reindexed"), pause };
  }

  /** Messages that failed again and again. */
  poison(): Promise<PoisonList> {
    return this.#call("GET", "/api/poison", "PoisonList");
  }

  /** Tries such messages again, or drops them. */
  poisonTake(what: "replay" | "drop", which: PoisonReplayBody): Promise<PoisonTaken> {
    return this.#call("POST", `/api/poison/${what}`, "PoisonTaken", json(which));
  }

  adopt(): Promise<Adoptable> {
    return this.#call("GET", "/api/adopt", "Adoptable");
  }

  /** A job's log as it comes, UTF-8. @param container absent: all containers */
  async logs(
    job: string,
    container?: string,
    { query, signal }: { readonly query?: LogsQuery; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ReadableStream<Uint8Array> | null> {
    const path = [job, ...(container === undefined ? [] : [container])].map(encodeURIComponent).join("/");
    const answer = await call(this.target, "GET", `/api/logs/${path}`, { query, signal });
    if (!answer.ok) throw refused(answer, await textOf(answer, this.target), this.target);
    if (/html/.test(answer.headers.get("content-type") ?? "")) throw notOurs(answer, this.target);
    return streamOf(answer, this.target, signal);
  }

  async #call<N extends ReplyName>(method: string, path: string, reply: N, more: Call = {}): Promise<Replies[N]> {
    return this.#read(await call(this.target, method, path, more), reply);
  }

  async #read<N extends ReplyName>(answer: Response, reply: N): Promise<Replies[N]> {
    const body = await textOf(answer, this.target);
    if (!answer.ok) throw refused(answer, body, this.target);
    const read = readReply(reply, body);
    if (read !== undefined) return read;
    throw notOurs(answer, this.target);
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

/** A group's name is the rest of the path, slashes included. With parts that URLs take for steps it is encoded twice. */
function groupPath(name: string): string {
  const parts = name.split("/").map(encodeURIComponent);
  const isPath = parts.every((part) => !/^\.{0,2}$/.test(part));
  return `/api/groups/${isPath ? parts.join("/") : encodeURIComponent(parts.join("%2F").replaceAll(".", "%2E"))}`;
}

const templatePath = (name: string): string => `/api/templates/${encodeURIComponent(name)}`;

/** A definition as a call sends it. */
function sent(
  definition: string | object,
  options: SubmitOptions,
  headers: Readonly<Record<string, string>> = {},
): Call {
  const { array, ...query } = options;
  if (Array.isArray(array)) {
    const body =
      query.template === undefined || typeof definition === "string"
        ? withOption(typeof definition === "string" ? definition : JSON.stringify(definition), "array", array)
        : JSON.stringify(optionAdded(definition, "array", array));
    return { query, body, headers: { "content-type": "application/json", ...headers } };
  }
  const [type, body] = typeof definition === "string" ? ["yaml", definition] : ["json", JSON.stringify(definition)];
  return { query: options, body, headers: { "content-type": `application/${type}`, ...headers } };
}

const json = (body: object): Call => ({
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
