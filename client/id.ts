import { Misuse, Refused } from "./errors.ts";
import type { PollResult, Service } from "./service.ts";

const whole = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const beginning = /^[0-9a-f][0-9a-f-]{3,34}$/i;
/** The beginning of an id is looked up among this many jobs, newest first. */
const maxSearched = 200;

/**
 * The job that a person means: by its id, by its name, which means its newest job, or by the beginning of a recent job's id.
 *
 * @throws Misuse when it is the beginning of several ids
 * @throws Refused when there is no such job
 */
export async function findJob(service: Pick<Service, "poll" | "list">, job: string): Promise<PollResult> {
  try {
    return await service.poll(job);
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== 404 || whole.test(job) || !beginning.test(job)) throw error;
    const { jobs } = await service.list({ top: String(maxSearched) });
    const [first, second] = jobs.filter(({ id }) => id.startsWith(job.toLowerCase()));
    if (first === undefined) throw error;
    if (second !== undefined)
      throw new Misuse(`${job} is the beginning of several ids, such as ${first.id} and ${second.id}`);
    return service.poll(first.id);
  }
}

/** The same, for calls that take only an id. */
export async function idOf(service: Pick<Service, "poll" | "list">, job: string): Promise<string> {
  return whole.test(job) ? job : (await findJob(service, job)).status.id;
}
