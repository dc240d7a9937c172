import { minute, second } from "../base/duration.ts";
import type { GroupEvent, Job, Verdict } from "./job.ts";
import { startReason } from "./group-events.ts";
import type { Outcome } from "./verdict.ts";
import type { Rules } from "./step.ts";

/** From the first image that began to be pulled to the last that was there, by the group's events. */
export function pullSeconds(events: readonly GroupEvent[]): number | undefined {
  const at = (name: string): number[] =>
    events.flatMap((event) => (event.name === name && event.at !== undefined ? [event.at] : []));
  const [from, to] = [at("Pulling"), at("Pulled")];
  return from.length === 0 || to.length === 0 ? undefined : Math.max(0, Math.max(...to) - Math.min(...from)) / second;
}

/**
 * An end that comes from outside the group: a cancel, or a time that ran out.
 *
 * @param unseen the group can't be read now: whether it started, and still runs, is not known, so the times of these wait for a look
 */
export function interrupted(job: Job, now: number, unseen?: "unseen"): Outcome | undefined {
  if (job.cancel) return { state: "Canceled", verdict: { reason: job.cancel.reason } };
  if (now >= job.deadlineAt) return { state: "TimedOut", verdict: { reason: "DeadlineExceeded", ...waitedFor(job) } };
  const over = timeouts(job).find(({ at, ofGroup }) => now >= at + (unseen && ofGroup ? maxUnseen : 0));
  return over?.outcome;
}

/** A delay between attempts is no cause: the cause is that of the attempt. */
function waitedFor({ phase }: Job): Pick<Verdict, "waitedFor"> {
  const reason = phase.state === "Queued" ? phase.waiting?.reason : undefined;
  return reason === undefined || reason === "RetryDelay" ? {} : { waitedFor: reason };
}

/** What kept the group from starting, as far as its events show. */
function notStarted({ events }: Job): Pick<Verdict, "detail" | "waitedFor"> {
  const { reason, detail } = startReason(events);
  return {
    ...(reason === "Starting" ? {} : { waitedFor: reason }),
    ...(detail === undefined ? {} : { detail }),
  };
}

/** After an outage an observation usually succeeds within minutes; a job whose group we may no longer read must not wait for its deadline. */
const maxUnseen = 60 * minute;

/** When the next of the job's own times runs out. */
export function nextTimeout(job: Job): number {
  return Math.min(job.deadlineAt, ...timeouts(job).map(({ at }) => at));
}

/** A read of a `Location` is written this often at most, so that a status stays one read. A lease runs out that much later, and never early. */
export const leaseGrain = (lease: number): number => lease / 10;

interface Timeout {
  readonly at: number;
  readonly outcome: Outcome;
  /** It is about what the group does, which only an observation shows. */
  readonly ofGroup: boolean;
}

function timeouts(job: Job): Timeout[] {
  const { lease } = job.options;
  // The others are those of an array's children.
  const own = job.array === undefined ? ownTimeouts(job) : [];
  if (lease === undefined) return own;
  const expired: Timeout = {
    at: (job.leaseSeenAt ?? job.createdAt) + lease + leaseGrain(lease),
    outcome: { state: "Canceled", verdict: { reason: "LeaseExpired" } },
    ofGroup: false,
  };
  return [...own, expired];
}

function ownTimeouts(job: Job): Timeout[] {
  const { options, phase } = job;
  const list: Timeout[] = [];
  if (options.queueTimeout !== undefined && job.firstCreateAt === undefined) {
    list.push({
      at: job.createdAt + options.queueTimeout,
      outcome: { state: "TimedOut", verdict: { reason: "QueueTimeout", ...waitedFor(job) } },
      ofGroup: false,
    });
  }
  if ((phase.state === "Provisioning" || phase.state === "Pending") && job.provisioningAt !== undefined) {
    list.push({
      at: job.provisioningAt + options.startTimeout,
      outcome: { state: "TimedOut", verdict: { reason: "StartTimeout", ...notStarted(job) } },
      ofGroup: true,
    });
  }
  if (phase.state === "Running" && options.runTimeout !== undefined) {
    list.push({
      at: phase.startedAt + options.runTimeout,
      outcome: { state: "TimedOut", verdict: { reason: "RunTimeout" } },
      ofGroup: true,
    });
  }
  return list;
}

/** How late an observation may be without anything being wrong; less than half the shortest lease. */
const maxLate = 2 * minute;

/**
 * The job as a look finds it that comes far too late: in that time nobody could read the job's `Location`, so it does not count against
 * the lease.
 *
 * @param since when it was due
 */
export function withoutOutage(job: Job, now: number, since = job.lookAt): Job {
  const late = now - since;
  if (job.options.lease === undefined || late < maxLate) return job;
  return { ...job, leaseSeenAt: Math.min(now, (job.leaseSeenAt ?? job.createdAt) + late) };
}

/**
 * How long until the next look: a tenth of the age, so that a young job is seen at once and an old one costs little, and sooner around
 * the time that jobs of its name took before. A little more or less by chance, so that jobs that were once observed together (after an
 * outage, say) are so for ever and ask for more than there is. Not before those whose observation was refused have had theirs.
 */
export function pace(job: Job, now: number, rules: Rules): number {
  const { phase } = job;
  const since = phase.state === "Running" ? phase.startedAt : (job.provisioningAt ?? job.createdAt);
  const even = Math.min(Math.max((now - since) / 10, rules.observationFloor), rules.observationCeiling);
  const next = Math.min(even, Math.max(fromTypicalEnd(job, now) / 2, even / soonest));
  return Math.max(rules.observationFloor, rules.backlog, Math.round(next * (0.9 + 0.2 * rules.random)));
}

/** Around its typical end a job is observed at most this many times as often: a wrong guess costs a few reads. */
const soonest = 8;

function fromTypicalEnd({ phase, typical }: Job, now: number): number {
  return phase.state === "Running" && typical !== undefined ? Math.abs(phase.startedAt + typical.run - now) : Infinity;
}

/** This share of ARM's reads is for observations of running groups; the others are for young ones, ends, and logs. */
const observedShare = 18 / 25;

/**
 * The longest time between two observations, by how many jobs are active: enough for all to get their turn, and at least 5/12 of the
 * ceiling.
 *
 * @param readsPerSecond that ARM allows
 */
export function observationCeilingFor(activeJobs: number, ceiling: number, readsPerSecond: number): number {
  return Math.min(ceiling, Math.max((ceiling * 5) / 12, (activeJobs / (observedShare * readsPerSecond)) * second));
}
