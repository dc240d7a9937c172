import { z } from "zod";
import { Unavailable } from "../../shared/base/errors.ts";
import { conflict, done } from "../../shared/base/rewrite.ts";
import { parseJobId, type JobId } from "../../shared/base/ids.ts";
import { allInParallel } from "../../shared/base/in-parallel.ts";
import type { Deps } from "../../shared/deps.ts";
import { requeueCalled } from "../../shared/intake/group-slot.ts";
import { hasEnded, type Job } from "../../shared/job/job.ts";
import { logFieldsOf } from "../../shared/job/log-fields.ts";
import { maxPriority } from "../../shared/job/options.ts";
import { queueTimeOf } from "../../shared/job/slot.ts";
import { activeJobs } from "../../shared/store/active-jobs.ts";
import type { ActiveJob } from "../../shared/store/job-index.ts";
import { arrayPartition, columnsOf } from "../../shared/store/job-row.ts";
import type { Stored } from "../../shared/store/jobs.ts";
import { memberOf } from "../../shared/store/group-entries.ts";
import { audit } from "../lib/audit.ts";
import { readJson } from "../lib/json-body.ts";
import { handler, json, refuse } from "../lib/reply.ts";
import { VisibleJobs } from "../lib/visible.ts";
import { maxCall } from "./max-call.ts";
import type { Reply } from "../openapi/replies.ts";

const mustBe = `must be a whole number from ${-maxPriority} to ${maxPriority}`;
export const priorityBody = z.object({ priority: z.int(mustBe).min(-maxPriority, mustBe).max(maxPriority, mustBe) });

type PriorityDeps = Pick<Deps, "groups" | "teamSlots" | "jobs" | "queues" | "now" | "log">;

/** `POST /api/jobs/{id}/priority`: a job that waits gets another place where it waits, an array's children too. May be repeated. */
export function setPriority(deps: PriorityDeps) {
  const { jobs, log, now } = deps;
  return handler(log, async (request, context) => {
    const body = await readJson(request, priorityBody);
    if (!body.ok) return refuse(body.error, context);
    const { priority } = body.value;
    const id = parseJobId(request.params["id"] ?? "");
    const before = id && (await new VisibleJobs(jobs, context, "steers").peek(id));
    if (id === undefined || before === undefined)
      return refuse({ code: "JobNotFound", message: "No job of that id is known." }, context);
    const saved = await prefer(deps, before, priority);
    if (saved === undefined)
      return refuse({ code: "JobEnded", message: "The job has ended: it waits for nothing any more." }, context);
    const { job } = saved;
    const one = async (child: ActiveJob): Promise<void> => {
      const stored = await jobs.peek(child.id);
      if (stored !== undefined) await prefer(deps, stored, priority);
    };
    const children = job.array === undefined ? [] : activeJobs(jobs, { array: arrayOf(job) }, undefined);
    const reached = await allInParallel(children, one, { width: 8, until: now() + maxCall, now });
    if (reached !== "all") throw new Unavailable("storage", "Not all children of the array have it yet.");
    audit(log, context, "priority", { ...logFieldsOf(job), priority });
    const reply: Reply<"Priority"> = { message: `The job has a head start of ${priority} seconds.`, id, priority };
    return json(200, reply);
  });
}

/** @returns the job with it; `undefined` for one that has ended */
async function prefer(deps: PriorityDeps, before: Stored, priority: number): Promise<Stored | undefined> {
  const { jobs, groups, teamSlots } = deps;
  const to = withPriority(before.job, priority);
  // Once more after its row says so: it may have begun to wait for something else meanwhile.
  await move(deps, before.job, to);
  const saved = await savePriority(deps, before.job.id, priority);
  if (saved === undefined) return undefined;
  await move(deps, before.job, saved.job);
  const { job, key } = saved;
  await jobs.index.mirror(job.id, key, job.checkAt, columnsOf(job, jobs.prices));
  for (const member of [memberOf(job), teamSlots.memberOf(job)])
    if (member !== undefined) await requeueCalled(deps, await groups.callUp(member.group));
  return saved;
}

const withPriority = (job: Job, priority: number): Job => ({ ...job, options: { ...job.options, priority } });

/**
 * Where it waits for a ceiling or a create, a job that stands in its line no more was called up. So it stands at both places while its
 * row is saved, whatever is interrupted.
 */
async function savePriority({ jobs }: PriorityDeps, id: JobId, priority: number): Promise<Stored | undefined> {
  const places = new Map<string, { readonly line: string; readonly turn: number }>();
  const add = (line: string, turn: number) => places.set(`${line} ${turn}`, { line, turn });
  const saved = await jobs.rewrite<Stored | undefined>(async () => {
    const stored = await jobs.find(id);
    if (stored === undefined || hasEnded(stored.job.phase)) return done(undefined);
    const to = withPriority(stored.job, priority);
    const [from, turn] = [turnOf(stored.job), turnOf(to)];
    const { line, createdAt } = to;
    if (line !== undefined && from !== turn && (await jobs.index.standAlso(line, from, { id, createdAt, turn }))) {
      add(line, from);
      add(line, turn);
    }
    const result = await jobs.save(stored, to);
    return result === conflict ? conflict : done(result);
  });
  if (saved?.job.line !== undefined) places.delete(`${saved.job.line} ${turnOf(saved.job)}`);
  for (const { line, turn } of places.values()) await jobs.index.dequeue(line, id, turn);
  return saved;
}

const turnOf = ({ createdAt, options }: Job): number => queueTimeOf(createdAt, options.priority);

function arrayOf({ id, createdAt }: Job): { readonly id: JobId; readonly partition: string } {
  return { id, partition: arrayPartition(id, createdAt) };
}

/** In the lines in which it is found by its id, or asks for its place itself. */
async function move({ jobs: { index }, groups, teamSlots }: PriorityDeps, before: Job, after: Job): Promise<void> {
  const { id, createdAt, groupName, options } = after;
  const [from, turn] = [turnOf(before), turnOf(after)];
  if (from === turn) return;
  await index.move(groupName, from, { id, createdAt, turn, replaces: options.onConflict === "replace" });
  for (const of of [memberOf, (job: Job) => teamSlots.memberOf(job)]) {
    const [left, entered] = [of(before), of(after)];
    if (left !== undefined && entered !== undefined) await groups.move(left, entered);
  }
}
