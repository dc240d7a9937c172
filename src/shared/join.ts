import type { Deps } from "./deps.ts";
import type { JobId } from "./ids.ts";
import { jobKey } from "./job-row.ts";
import { hasEnded, type Job } from "./job.ts";
import type { Checked, Order } from "./order.ts";

type JoinDeps = Pick<Deps, "jobs" | "sealer" | "queues">;

/** An order that is answered with a job of an earlier one: whoever gave it finds that job by its own id, and is told of its end too. */
export async function join(
  deps: JoinDeps,
  { id: own, replyTo, correlationId }: Order,
  { callBackUri }: Checked,
  job: Job,
): Promise<void> {
  if (own?.id === job.id) return; // the same message again
  const id = own?.foreign === true ? own.id : undefined;
  if (id === undefined && replyTo === undefined && callBackUri === undefined) return;
  if (id !== undefined) await deps.jobs.index.alias(id, jobKey(job.id, job.createdAt));
  const joined: Joined = {
    ...(id === undefined ? {} : { id }),
    ...(replyTo === undefined ? {} : { replyTo }),
    ...(correlationId === undefined ? {} : { correlationId }),
  };
  await remember(deps, job.id, joined, callBackUri);
}

type Joined = Job["joined"][number];

/** At once told, when the job has ended already. */
async function remember(deps: JoinDeps, id: JobId, joined: Joined, uri: string | undefined): Promise<void> {
  const { jobs, sealer, queues } = deps;
  const stored = await jobs.find(id);
  if (stored === undefined) return;
  let { job, sealed } = stored;
  if (!job.joined.some((each) => sameAs(each, joined))) job = { ...job, joined: [...job.joined, joined] };
  if (joined.replyTo !== undefined) job = { ...job, reply: { state: "pending", tries: 0 } };
  if (uri !== undefined) {
    const opened = sealed.callbacks && (await sealer.open(sealed.callbacks, id));
    const before: unknown = opened?.kind === "open" ? JSON.parse(opened.text) : [];
    const uris = [...new Set([...(Array.isArray(before) ? before.map(String) : []), uri])];
    sealed = { ...sealed, callbacks: await sealer.seal(JSON.stringify(uris), id) };
    job = { ...job, callback: { state: "pending", tries: 0 } };
  }
  if ((await jobs.save(stored, job, sealed)) === "conflict") return remember(deps, id, joined, uri);
  if (hasEnded(job.phase)) await queues.wake(id, undefined, 0);
}

function sameAs(a: Joined, b: Joined): boolean {
  return a.id === b.id && a.replyTo === b.replyTo && a.correlationId === b.correlationId;
}
