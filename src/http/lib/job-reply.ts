import type { HttpResponseInit } from "@azure/functions";
import type { AttemptResult, ContainerResult } from "../../shared/store/attempts.ts";
import { second } from "../../shared/base/duration.ts";
import type { LocatedFault } from "../../shared/base/errors.ts";
import { entryOf } from "../../shared/job/reasons.ts";
import type { Deps } from "../../shared/deps.ts";
import type { JobId } from "../../shared/base/ids.ts";
import { type ContainerView, hasEnded, type Job, stateWord } from "../../shared/job/job.ts";
import { whyDropped } from "../../shared/job/result.ts";
import { leaseGrain } from "../../shared/job/timing.ts";
import { keptOf } from "../../shared/store/array-results.ts";
import type { Stored } from "../../shared/store/jobs.ts";
import { withStopped } from "../../shared/store/stopped-containers.ts";
import { blame, describe, stoppingOf, waitingOf } from "../../shared/job/describe.ts";
import { type Links, logsUrl, type PollUntil } from "../../shared/job/urls.ts";
import { arrayMembers, finalMembers } from "./array-reply.ts";
import { outlookOf, shownWaiting, type Outlook } from "./outlook.ts";
import { oneOf } from "./query.ts";
import { json, retryAfterHeader } from "./reply.ts";
import type { Reply } from "../openapi/replies.ts";

/** What replies about a job need, wherever the job was asked for. */
export type StatusDeps = Pick<Deps, "now" | "log" | "jobs" | "attempts" | "waitQueues"> & {
  readonly settings: Links & Pick<Deps["settings"], "gatewayParameters">;
};

/** What says of a read that it is a poll. */
export const pollParameter = oneOf(
  ["1"],
  "Only the job's own end ends this poll: nothing else in the query is judged.",
);

export function unknownReply(id: JobId, location: string): HttpResponseInit {
  const body: Reply<"Unknown"> = { message: "The job's state can't be read now; ask again.", id, state: "Unknown" };
  return json(202, body, { location, ...retryAfterHeader(15 * second) });
}

export async function renewLease({ jobs, now }: StatusDeps, { job }: Stored): Promise<void> {
  const { lease } = job.options;
  if (lease === undefined || hasEnded(job.phase)) return;
  if (now() < (job.leaseSeenAt ?? job.createdAt) + leaseGrain(lease)) return;
  await jobs.change(job.id, (fresh) => (hasEnded(fresh.phase) ? undefined : { job: { ...fresh, leaseSeenAt: now() } }));
}

/** Whether nothing of a job is in Azure any more; of an array one read more, where groups of its children may stay. */
export async function isGone({ jobs }: Pick<Deps, "jobs">, job: Job): Promise<boolean> {
  if (!hasEnded(job.phase) || job.phase.group !== "gone") return false;
  return job.array === undefined || (await keptOf(jobs, job)).length === 0;
}

/** @param location where to ask again while it is not satisfied */
export async function statusReply(
  deps: StatusDeps,
  job: Job,
  until: PollUntil,
  location: string,
): Promise<HttpResponseInit> {
  const { phase } = job;
  const ended = hasEnded(phase);
  const satisfied =
    until === "deleted" ? await isGone(deps, job) : until === "started" ? ended || phase.state === "Running" : ended;
  if (!satisfied) {
    const wait = Math.min(Math.max(job.lookAt - deps.now(), second), 30 * second);
    return json(202, running(job, await outlookOf(deps, job), deps.settings), { location, ...retryAfterHeader(wait) });
  }
  if (!ended || until === "deleted") return json(200, running(job, await outlookOf(deps, job), deps.settings));
  const captured = await deps.attempts.find(job.id, job.attempt);
  const attempt = captured && withStopped(job, captured);
  const { failureStatus } = job.options;
  // To who waits for the start, 200 says that the group runs.
  const failed = until === "started" && failureStatus < 400 ? 500 : failureStatus;
  return json(phase.state === "Succeeded" ? 200 : failed, finished(job, attempt, deps.settings));
}

function common(job: Job, settings: Links): Reply<"Status"> {
  return {
    message: describe(job),
    name: job.name,
    state: stateWord(job.phase),
    id: job.id,
    attempt: job.attempt,
    createdAt: isoTime(job.createdAt),
    ...(job.startedAt === undefined ? {} : { startedAt: isoTime(job.startedAt) }),
    logsUrl: logsUrl(settings, job.id),
    ...arrayMembers(job, settings),
    ...(job.options.team === undefined ? {} : { team: job.options.team }),
    ...(job.rerunOf === undefined ? {} : { rerunOf: job.rerunOf }),
    ...(job.warnings.length > 0 ? { warnings: job.warnings } : {}),
    ...(job.azure === undefined ? {} : { azure: job.azure }),
  };
}

function running(job: Job, outlook: Outlook, settings: Links): Reply<"Status"> {
  const { phase } = job;
  const stopping = stoppingOf(job);
  const waiting = waitingOf(job);
  const of = (init: boolean) =>
    Object.fromEntries(job.containers.filter((each) => each.init === init).map(({ name }) => [name, {}]));
  return {
    ...common(job, settings),
    // Their names, so that their logs can be followed.
    ...(phase.state === "Running" && job.array === undefined
      ? { containers: of(false), initContainers: of(true) }
      : {}),
    ...(hasEnded(phase) ? { reason: phase.verdict.reason, groupDeleted: phase.group === "gone" } : {}),
    ...(waiting
      ? {
          reason: waiting.reason,
          waiting: { ...shownWaiting(waiting, outlook), advice: entryOf(waiting.reason).advice },
        }
      : {}),
    ...outlook,
    ...(stopping
      ? { reason: stopping.reason, stopping: { reason: stopping.reason, since: isoTime(stopping.since) } }
      : {}),
  };
}

function finished(job: Job, attempt: AttemptResult | undefined, settings: Links): Reply<"Status"> {
  const { phase } = job;
  if (!hasEnded(phase)) return running(job, {}, settings);
  const { reason, exitCode, container } = phase.verdict;
  const { party, advice } = blame(phase.verdict);
  const of = (init: boolean) =>
    Object.fromEntries(
      (attempt?.containers ?? []).filter((each) => each.init === init).map((each) => [each.name, containerReply(each)]),
    );
  const initContainers = of(true);
  const warnings = [...job.warnings, ...resultWarnings(attempt)];
  return {
    ...common(job, settings),
    ...(warnings.length > 0 ? { warnings } : {}),
    reason,
    ...(phase.state === "Succeeded" ? {} : { fault: party, advice }),
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(container === undefined ? {} : { failedContainer: container }),
    finishedAt: isoTime(phase.finishedAt),
    groupDeleted: phase.group === "gone",
    containers: of(false),
    ...(Object.keys(initContainers).length > 0 ? { initContainers } : {}),
    ...(attempt?.result ? { result: attempt.result } : {}),
    ...finalMembers(attempt),
  };
}

/** Why there is no result, where something looked like one. */
function resultWarnings(attempt: AttemptResult | undefined): readonly LocatedFault[] {
  if (attempt?.resultDropped === undefined) return [];
  const message = `The result was dropped: ${whyDropped[attempt.resultDropped]}`;
  return [{ path: "result", line: 1, column: 1, message }];
}

/** The original's fields and form; what is new follows them. */
export function containerReply(container: ContainerResult): Reply<"Container"> {
  const { output, outputTruncated: output_truncated, log } = container;
  return { ...containerNow(container), output, output_truncated, log };
}

/** A container as it was when its group was last observed: its log is not captured yet. */
export function containerNow(container: Omit<ContainerView, "container" | "init">) {
  return {
    start_time: plainTime(container.startTime),
    finish_time: plainTime(container.finishTime),
    state: container.state,
    exit_code: container.exitCode ?? null,
    detail_status: container.detailStatus ?? null,
    ...(container.restartCount > 0 ? { restart_count: container.restartCount } : {}),
  };
}

/** `YYYY-MM-DDTHH:MM:SS`, UTC. */
function plainTime(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString().slice(0, 19);
}

export function isoTime(at: number): string {
  return new Date(at).toISOString();
}
