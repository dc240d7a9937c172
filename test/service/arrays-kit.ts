import { childJobId, type JobId } from "../../src/shared/base/ids.ts";
import { second } from "../../src/shared/base/duration.ts";
import { endedIn } from "../../src/shared/job/array-outcomes.ts";
import { hasEnded, type ArrayState, type Job } from "../../src/shared/job/job.ts";
import { reconcile } from "../../src/workers/reconcile/reconcile.ts";
import { jobOf, post, yaml, type Bench } from "./kit.ts";

/** An array by its POST; with `only` like one that a rerun made, with `made` like one that has made that many children. */
export async function postArray(
  { deps }: Bench,
  {
    name = "nightly",
    text = yaml(name),
    query = "",
    size,
    only,
    made,
    ...options
  }: Partial<Pick<ArrayState, "parallelism" | "failFast" | "minSuccess" | "only" | "made">> & {
    size: number;
    name?: string;
    text?: string;
    query?: string;
  },
): Promise<JobId> {
  const asked = new URLSearchParams(query);
  for (const [option, value] of Object.entries({ array: size, ...options })) asked.set(option, String(value));
  const reply = await post(deps, text, asked.toString());
  if (reply.status !== 200) throw new Error(reply.body.message);
  const state = { ...(only === undefined ? {} : { only }), ...(made === undefined ? {} : { made }) };
  await deps.jobs.change(reply.id, (job) => job.array && { job: { ...job, array: { ...job.array, ...state } } });
  return reply.id;
}

/** All jobs of the index, each when its row says so, until all are gone or until `enough`. */
export async function followAll(
  bench: Bench,
  enough: () => Promise<boolean> = () => Promise.resolve(false),
): Promise<void> {
  const { deps, clock } = bench;
  for (let rounds = 0; rounds < 400; rounds++) {
    const jobs: Job[] = [];
    for await (const { id } of deps.jobs.index.watched()) {
      const stored = await deps.jobs.find(id);
      if (stored !== undefined) jobs.push(stored.job);
    }
    if (jobs.length === 0 || (await enough())) return;
    const next = Math.min(...jobs.map(({ lookAt }) => lookAt));
    clock.advance(Math.max(0, next - clock.now()));
    // An array is requeued by each end of a child.
    const due = jobs.filter(({ lookAt, array }) => array !== undefined || lookAt <= clock.now() + second);
    for (const { id } of due) await reconcile(deps, id, { at: undefined });
  }
  throw new Error("The jobs do not come to an end.");
}

export async function childrenOf({ deps }: Bench, id: JobId): Promise<readonly Job[]> {
  const array = await jobOf(deps, id);
  const children: Job[] = [];
  for (let index = 0; index < (array.array?.size ?? 0); index++) {
    const stored = await deps.jobs.find(childJobId(id, array.createdAt, index));
    if (stored !== undefined) children.push(stored.job);
  }
  return children;
}

export function aliveIn(children: readonly Job[]): number {
  return children.filter(({ phase }) => !hasEnded(phase)).length;
}

export function endedOf({ array }: Job): number {
  return array === undefined ? 0 : endedIn(array.counts);
}
