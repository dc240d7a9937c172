import type { Refusal } from "../base/errors.ts";
import type { JobId } from "../base/ids.ts";
import { conflict, done } from "../base/rewrite.ts";
import { jobKey, type Sealed } from "../store/job-row.ts";
import { expectCallback, expectReply } from "../job/deliveries.ts";
import { hasEnded, stateWord, type Job } from "../job/job.ts";
import type { JobStore, Stored } from "../store/jobs.ts";
import type { Queues } from "../store/queues.ts";
import type { Sealer } from "../security/sealer.ts";
import type { Checked, Submission } from "./submission.ts";

interface AttachDeps {
  readonly jobs: JobStore;
  readonly sealer: Sealer;
  readonly queues: Queues;
}

/** This many callers can be notified of a job's end besides the one who started it; all of them stand in its row. */
const maxJoined = 100;
/** A binary property holds 64 KiB ("Understanding the Table service data model"). */
const maxCallbackBytes = 64 * 1024;

/**
 * Answers a submission with the job of an earlier one: its caller finds that job by an id of its own, and is notified of its end too.
 *
 * @returns a refusal when too many callers wait for that job's end already
 */
export async function attach(
  deps: AttachDeps,
  { id: given, via, replyTo: asked, correlationId }: Submission,
  { callBackUri }: Checked,
  job: Job,
): Promise<Refusal | undefined> {
  const isKnown = given?.id === job.id;
  if (isKnown && via === "queue") return undefined; // the same message again
  const own = isKnown ? undefined : given;
  const replyTo = isKnown && asked === job.replyTo && correlationId === job.correlationId ? undefined : asked;
  const id = own?.foreign === true ? own.id : undefined;
  if (id === undefined && replyTo === undefined && callBackUri === undefined) return undefined;
  const joined: Attached = {
    // The same for each delivery of a message, so that its poster is notified once.
    ...(own === undefined ? {} : { id: own.id }),
    ...(replyTo === undefined ? {} : { replyTo }),
    ...(correlationId === undefined ? {} : { correlationId }),
  };
  const full = await remember(deps, job.id, joined, callBackUri);
  if (full === undefined && id !== undefined) await deps.jobs.index.alias(id, jobKey(job.id, job.createdAt));
  return full;
}

type Attached = Job["joined"][number];

/** Notified at once when the job has ended already. */
function remember(
  deps: AttachDeps,
  id: JobId,
  joined: Attached,
  uri: string | undefined,
): Promise<Refusal | undefined> {
  const { jobs, sealer, queues } = deps;
  return jobs.rewrite(async () => {
    const stored = await jobs.find(id);
    if (stored === undefined) return done(undefined);
    let { job, sealed } = stored;
    const place = job.joined.findIndex((each) => sameAs(each, joined));
    if (place >= 0 && joined.id !== undefined) {
      // The same message again: all that it asks for was saved with it, and only its wake may not have been sent.
      if (hasEnded(job.phase) && [job.callback, job.reply].some(({ state }) => state === "pending"))
        await queues.requeue(id, undefined, 0);
      return done(undefined);
    }
    if (place < 0) job = { ...job, joined: [...job.joined, joined] };
    if (joined.replyTo !== undefined) job = expectReply(job, place < 0 ? job.joined.length - 1 : place);
    if (uri !== undefined) {
      const called = await withAddress(sealer, { ...stored, job }, uri);
      if (called === "full") return done(full(job));
      ({ job, sealed } = called);
    }
    if (job.joined.length > maxJoined) return done(full(job));
    if ((await jobs.save(stored, job, sealed)) === conflict) return conflict;
    if (hasEnded(job.phase)) await queues.requeue(id, undefined, 0);
    return done(undefined);
  });
}

/** One more address to call at the end. */
async function withAddress(
  sealer: Sealer,
  { job, sealed }: Stored,
  uri: string,
): Promise<{ readonly job: Job; readonly sealed: Sealed } | "full"> {
  // Once all were called their addresses are needed no more.
  const told = hasEnded(job.phase) && job.callback.state !== "pending";
  const opened = !told && sealed.callbacks && (await sealer.open(sealed.callbacks, job.id));
  const before: unknown = opened && opened.kind === "open" ? JSON.parse(opened.text) : [];
  const known = Array.isArray(before) ? before.map(String) : [];
  const uris = known.includes(uri) ? known : [...known, uri];
  const callbacks = await sealer.seal(JSON.stringify(uris), job.id);
  if (uris.length > maxJoined + 1 || callbacks.length > maxCallbackBytes) return "full";
  const fresh: Job = told
    ? { ...job, callback: { state: "none", tries: 0 }, notified: { ...job.notified, callbacks: [] } }
    : job;
  return { job: expectCallback(fresh, uris.indexOf(uri), uris.length), sealed: { ...sealed, callbacks } };
}

function full({ id, name, phase }: Job): Refusal {
  const message = `Job ${id} already notifies the maximum number of callers of its end. Attach without callBackUri, replyTo and an id, or use onConflict=wait for a run of your own.`;
  return { code: "NameActive", message, more: { id, name, state: stateWord(phase) } };
}

function sameAs(a: Attached, b: Attached): boolean {
  return a.id === b.id && a.replyTo === b.replyTo && a.correlationId === b.correlationId;
}
