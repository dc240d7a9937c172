import { minute, second } from "../../shared/base/duration.ts";
import { inParallel } from "../../shared/base/in-parallel.ts";
import { errorFields } from "../../shared/base/log.ts";
import type { Deps } from "../../shared/deps.ts";
import type { DueJob } from "../../shared/store/job-index.ts";
import type { ArmState, Pass } from "../../shared/store/control.ts";
import { queueNames } from "../../shared/store/queues.ts";
import type { RunEnd } from "../../shared/store/periodic-runs.ts";
import { reconcile } from "../reconcile/reconcile.ts";

export type Load = NonNullable<Pass["load"]>;

/** How long a requeued job may take to move before it is due again. */
const requeuedTime = minute;
/** If no message moved a job, the sweep reconciles it itself, at most this many in a pass, in case the queue is broken. */
const maxByItself = 20;
/** While jobs are active, passes follow each other more closely than the timer's minute. */
const nextPass = 30 * second;
const width = 16;

/**
 * Requeues the jobs whose observations stopped: their message is lost, or held by a host that died. While jobs are active a message
 * brings on the next pass: a dead host's jobs go on within 90 s, and passes need no timer. It is sent first, so that it outlives this host,
 * and nothing waits for it: where queues take nothing, the jobs go on all the same.
 */
export async function requeueDue(deps: Deps, until: number, report: (load: Load) => void): Promise<RunEnd> {
  const now = deps.now();
  let active = 0;
  const due: DueJob[] = [];
  for await (const job of deps.jobs.index.watched()) {
    active++;
    if (job.checkAt <= now) due.push(job);
  }
  const isMessageDue = bringOnNext(deps, active);

  let byItself = 0;
  const requeue = async ({ id, told }: DueJob): Promise<void> => {
    await deps.jobs.index.setCheck(id, now + requeuedTime, true);
    if (told && byItself++ < maxByItself) await reconcile(deps, id, { at: undefined });
    else await deps.queues.requeue(id, undefined, 0);
  };
  const failed = ({ id }: DueJob, error: unknown): void =>
    deps.log("error", "sweep failed in part", { part: "due job", job: id, ...errorFields(error) });
  due.sort((a, b) => a.checkAt - b.checkAt);
  const reached = await inParallel(due, requeue, { width, until, now: deps.now, failed });
  if (due.length > 0) deps.log("info", "sweep requeued jobs", { due: due.length, all: reached === "all" });
  report({ activeJobs: active, arm: await armState(deps), isMessageDue: await isMessageDue });
  return { kind: reached === "all" ? "completed" : "unfinished", cursor: undefined };
}

/**
 * Never fails.
 *
 * @returns whether a message had to be sent; it may not have been taken
 */
async function bringOnNext({ queues, log }: Deps, active: number): Promise<boolean> {
  try {
    // Posted messages wait too, and a queue that delivers nothing is found out by this message.
    if (active === 0 && (await queues.length(queueNames.jobs)) === 0) return false;
    await queues.sweep(nextPass);
  } catch (error) {
    log("error", "sweep failed in part", { part: "next pass", ...errorFields(error) });
  }
  return true;
}

async function armState(deps: Deps): Promise<ArmState> {
  const [target] = deps.settings.targets;
  if (target === undefined) return "unknown";
  const { aci } = await deps.aci();
  return aci.ping(target);
}
