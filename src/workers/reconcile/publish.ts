import { second } from "../../shared/base/duration.ts";
import { Deadline } from "../../shared/base/deadline.ts";
import { errorFields } from "../../shared/base/log.ts";
import type { Deps } from "../../shared/deps.ts";
import type { Job } from "../../shared/job/job.ts";
import { dueEvents, withPublished, type EndpointName } from "../../shared/job/job-events.ts";
import type { Endpoint } from "../../shared/notify/endpoint.ts";

/** Sends the operator's endpoints what they have not got of a job yet. */
export type PublishDeps = Pick<Deps, "log" | "now" | "jobs" | "attempts" | "endpoints" | "undelivered">;

/** Whether an endpoint may be tried now. */
export type MayTry = (endpoint: Endpoint) => Promise<boolean>;
const whileOpen: MayTry = (endpoint) => endpoint.isOpen();

export interface Publication {
  /** How far each endpoint has come that is further than the row says. */
  readonly published: NonNullable<Job["published"]>;
  /** Endpoints that were tried and did not take it, or that rest. */
  readonly left: readonly EndpointName[];
}

/** At least once: whoever dies before `published` is saved has the events sent again, with the same ids. */
export async function publish(deps: PublishDeps, job: Job, mayTry: MayTry = whileOpen): Promise<Publication> {
  const published: Partial<Record<EndpointName, number>> = {};
  const left: EndpointName[] = [];
  await Promise.all(
    deps.endpoints.map(async (endpoint) => {
      const { name } = endpoint;
      const { due, dropped, last } = dueEvents(job, endpoint, deps.now());
      if (due.length > 0) {
        const wantsResult = name === "eventTopic" && due.some(({ kind }) => kind === "finished");
        const isSent =
          (await mayTry(endpoint)) &&
          (await endpoint.send(job, due, wantsResult ? await resultOf(deps, job) : undefined));
        if (!isSent) {
          left.push(name);
          return;
        }
      }
      if (dropped > 0) {
        deps.log("warn", "events dropped", { job: job.id, endpoint: name, events: dropped });
        await deps.undelivered.addDropped(dropped);
      }
      if (last > (job.published?.[name] ?? 0)) published[name] = last;
    }),
  );
  return { published, left };
}

async function resultOf({ attempts }: PublishDeps, { id, attempt }: Job) {
  return (await attempts.find(id, attempt))?.result;
}

/** A job that is saved now is not held up for longer than this by an endpoint that is slow. */
const maxPause = 2 * second;

/** Publishes beside a reconcile, which waits for no endpoint: what was sent by the time of a save travels with it. */
export class Publisher {
  readonly #deps: PublishDeps;
  #published: NonNullable<Job["published"]> = {};
  #newest = new Map<EndpointName, number>();
  #work: Promise<void> | undefined;
  #isLeft = false;

  constructor(deps: PublishDeps) {
    this.#deps = deps;
  }

  /** Begins to send what this job has to say and was not tried yet. */
  begin(job: Job): void {
    const news = this.#deps.endpoints.filter((endpoint) => {
      const { last } = dueEvents(job, endpoint, this.#deps.now());
      const known = this.#newest.get(endpoint.name) ?? job.published?.[endpoint.name] ?? 0;
      if (last > known) this.#newest.set(endpoint.name, last);
      return last > known;
    });
    if (news.length === 0) return;
    const before = this.#work ?? Promise.resolve();
    this.#work = before.then(() => this.#publish(job));
  }

  async #publish(job: Job): Promise<void> {
    try {
      const { published, left } = await publish(this.#deps, this.withPublished(job));
      this.#published = { ...this.#published, ...published };
      this.#isLeft = left.length > 0;
    } catch (error) {
      this.#deps.log("warn", "events not published", { job: job.id, ...errorFields(error) });
      this.#isLeft = true;
    }
  }

  /** The job, and what the endpoints have got of it by now. */
  withPublished(job: Job): Job {
    return withPublished(job, this.#published);
  }

  /** Waits a moment for what is under way. */
  async pause(): Promise<void> {
    if (this.#work !== undefined) await Deadline.in(this.#deps.now, maxPause).limit(this.#work);
  }

  /** Waits for all that is under way, and notes for the sweep what no endpoint took. Before it nothing may let the job be forgotten. */
  async settle({ id, createdAt }: Job): Promise<void> {
    await this.#work;
    if (this.#isLeft) await this.#deps.undelivered.note(id, createdAt, Math.max(0, ...this.#newest.values()));
  }

  /** The same, and saves what no save took along. */
  async end(job: Job): Promise<void> {
    await this.settle(job);
    if (this.withPublished(job) !== job) await savePublished(this.#deps.jobs, job.id, this.#published);
  }
}

/** Saves how far the endpoints have come over whatever the row says by now. */
export async function savePublished(
  jobs: Deps["jobs"],
  id: Job["id"],
  published: Publication["published"],
): Promise<void> {
  await jobs.change(id, (job) => {
    const changed = withPublished(job, published);
    return changed === job ? undefined : { job: changed };
  });
}
