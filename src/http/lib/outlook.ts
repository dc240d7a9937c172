import { Unavailable } from "../../shared/base/errors.ts";
import type { Deps } from "../../shared/deps.ts";
import { hasEnded, type Job, type Waiting } from "../../shared/job/job.ts";
import { expectedEndOf, isLate, typicalTime } from "../../shared/job/typical.ts";
import type { Reply } from "../openapi/replies.ts";

/** What a reply says of a job's time to come: its place in a line, when it is expected to end, whether it is late. */
export type Outlook = Pick<Reply<"Status">, "queue" | "expectedEndAt" | "late">;

type OutlookDeps = Pick<Deps, "waitQueues" | "now" | "log">;

/**
 * No read for a job that does not wait, nor for one whose line was read a moment ago. A reply does not fail for want of an outlook.
 */
export async function outlookOf(deps: OutlookDeps, job: Job): Promise<Outlook> {
  try {
    return await readOutlook(deps, job);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    deps.log("warn", "wait queue can't be read", { job: job.id, service: error.service });
    return {};
  }
}

async function readOutlook({ waitQueues, now }: OutlookDeps, job: Job): Promise<Outlook> {
  if (hasEnded(job.phase)) return {};
  const { expectedStartAt: startAt, ...place } = (await waitQueues.standing(job)) ?? {};
  const time = startAt === undefined ? undefined : typicalTime(await waitQueues.typical(job.name));
  const endAt = startAt === undefined || time === undefined ? expectedEndOf(job) : startAt + time;
  const start = startAt === undefined ? {} : { expectedStartAt: new Date(startAt).toISOString() };
  return {
    ...("position" in place ? { queue: { ...place, ...start } } : {}),
    ...(endAt === undefined ? {} : { expectedEndAt: new Date(endAt).toISOString() }),
    ...(isLate(job, now()) ? { late: true } : {}),
  };
}

/** With the place that it has now, where that is known. */
export function shownWaiting(
  { expectedStartAt: _row, since, ...waiting }: Waiting,
  { queue }: Outlook,
): NonNullable<Reply<"JobRecord">["waiting"]> {
  const position = queue?.position ?? waiting.position;
  return { ...waiting, since: new Date(since).toISOString(), ...(position === undefined ? {} : { position }) };
}
