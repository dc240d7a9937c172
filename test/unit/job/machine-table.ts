/** The rows and columns of the machine's table: every kind of phase, every kind of look. */
import { minute, second } from "../../../src/shared/base/duration.ts";
import { endingOf, hasEnded, type Job, type TerminalPhase } from "../../../src/shared/job/job.ts";
import type { Observation } from "../../../src/shared/job/observation.ts";
import type { Step } from "../../../src/shared/job/step.ts";
import {
  absent,
  ended,
  ending,
  exited,
  group,
  job,
  jobId,
  live,
  present,
  running,
  start,
  succeeded,
  unseen,
} from "../../kit/kit.ts";

interface Row {
  readonly job: Job;
  readonly admitted: boolean;
}

/** When the look is: a minute after the accept. */
export const now = start + minute;

const provisioning = { state: "Provisioning", sentAt: start + 10 * second } as const;
const pendingPhase = { state: "Pending", acceptedAt: start + 12 * second } as const;
const runningPhase = { state: "Running", startedAt: start + 20 * second } as const;
const live_ = (phase: Parameters<typeof live>[0], changes: Parameters<typeof live>[1] = {}): Row => ({
  job: live(phase, changes),
  admitted: false,
});
const canceled = ending("Canceled");
const retried = ending("Queued", { verdict: { reason: "ExitCode", exitCode: 3 } });
/** One more time is enough. */
const missed = { absentAt: now - 3 * minute, absences: 4 } as const;
const unknownExit = ending("Failed", { verdict: { reason: "ExitUnknown" }, observeStopped: true });
const cancel = { at: start + 50 * second, reason: "CanceledByCaller" } as const;

export const phases: Readonly<Record<string, Row>> = {
  Queued: { job: job(), admitted: false },
  "Queued, not yet its time": {
    job: job({ phase: { state: "Queued", refusals: 1, notBefore: now + 20 * second } }),
    admitted: false,
  },
  "Queued, canceled": { job: job({ cancel }), admitted: false },
  "Queued, admitted": { job: job(), admitted: true },
  Provisioning: live_(provisioning),
  "Provisioning, missed once": live_({ ...provisioning, absentAt: now - 12 * second, absences: 1 }),
  "Provisioning, answered with a failure, missed once": live_({
    ...provisioning,
    answered: true,
    absentAt: now - 12 * second,
    absences: 1,
  }),
  "Provisioning, missed four times over three minutes": live_({ ...provisioning, ...missed }),
  "Provisioning, missed long enough, create still on its way": live_({
    ...provisioning,
    ...missed,
    mayLandUntil: now + 10 * second,
  }),
  Pending: live_(pendingPhase),
  "Pending, past its startTimeout": live_(pendingPhase, { options: { startTimeout: 50 * second } }),
  "Pending, an hour past its startTimeout": live_(pendingPhase, {
    options: { startTimeout: 50 * second },
    provisioningAt: start + 10 * second - 60 * minute,
  }),
  Running: live_(runningPhase),
  "Running, missed once": live_({ ...runningPhase, absentAt: now - 12 * second, absences: 1 }),
  "Running, missed four times over three minutes": live_({ ...runningPhase, ...missed }),
  "Running, canceled": live_(runningPhase, { cancel }),
  "Running, past its deadline": live_(runningPhase, { deadlineAt: now }),
  "Running, past its runTimeout": live_(runningPhase, { options: { runTimeout: 40 * second } }),
  "canceling, not captured": live_({ ...runningPhase, ending: { ...canceled, captured: false } }),
  canceling: live_({ ...runningPhase, ending: canceled }),
  "canceling, delete sent": live_({ ...runningPhase, ending: { ...canceled, sentAt: now - 3 * second } }),
  "canceling, delete accepted, missed once": live_({
    ...runningPhase,
    ending: {
      ...canceled,
      sentAt: now - 15 * second,
      deletedAt: now - 15 * second,
      absentAt: now - 10 * second,
      absences: 1,
    },
  }),
  "canceling, Azure says that it is gone": live_({ ...runningPhase, ending: { ...canceled, gone: true } }),
  "canceling, a lock refused the delete": live_({
    ...runningPhase,
    ending: { ...canceled, sendAt: now + 20 * second, refused: { reason: "ResourceLocked", since: now, times: 1 } },
  }),
  "canceling, Azure is busy with it": live_({
    ...runningPhase,
    ending: { ...canceled, sendAt: now + 8 * second, refused: { reason: "GroupBusy", since: now, times: 1 } },
  }),
  "canceling, delete sent long ago": live_({ ...runningPhase, ending: { ...canceled, sentAt: now - 30 * second } }),
  "canceling, missed once": live_({ ...runningPhase, ending: { ...canceled, absentAt: now - 12 * second } }),
  "canceling, overdue": live_({ ...runningPhase, ending: { ...canceled, since: now - 15 * minute } }),
  "canceling, kept": live_({ ...runningPhase, ending: canceled }, { options: { keep: "always" } }),
  "canceling while Pending, never seen": live_({ ...pendingPhase, ending: canceled }),
  "canceling while Provisioning": live_({
    ...provisioning,
    mayLandUntil: now + 10 * second,
    ending: { ...canceled, absentAt: now - 12 * second, absences: 1 },
  }),
  "ended without an exit code": live_({ ...runningPhase, ending: unknownExit }),
  "ended without an exit code, stop sent": live_({ ...runningPhase, ending: { ...unknownExit, sentAt: now - second } }),
  retrying: live_({ ...runningPhase, ending: retried }),
  "retrying, overdue": live_({ ...runningPhase, ending: { ...retried, since: now - 15 * minute } }),
  "ended, group present": { job: ended(), admitted: false },
  "ended, not captured": { job: ended({ captured: false }), admitted: false },
  "ended, missed once": { job: ended({ absentAt: now - 12 * second, absences: 1 }), admitted: false },
  "ended, delete accepted, missed once": {
    job: ended({ sentAt: now - 15 * second, deletedAt: now - 15 * second, absentAt: now - 10 * second, absences: 1 }),
    admitted: false,
  },
  "ended, delete sent": { job: ended({ sentAt: now - 3 * second }), admitted: false },
  "ended, delete sent long ago": { job: ended({ sentAt: now - 30 * second }), admitted: false },
  "ended, kept": { job: ended({ keepUntil: now + minute }), admitted: false },
  "ended, kept, but must yield": { job: ended({ keepUntil: now + minute }, { yield: true }), admitted: false },
  "ended, group gone": { job: ended({ group: "gone" }), admitted: false },
  "ended, tidy": { job: ended({ group: "gone", tidy: true }), admitted: false },
  "ended, somebody to tell": { job: ended({}, { callback: { state: "pending", tries: 0 } }), admitted: false },
  "ended, tidy, to tell later": {
    job: ended({ group: "gone", tidy: true }, { reply: { state: "pending", tries: 1, nextAt: now + 7 * second } }),
    admitted: false,
  },
  claimed: { job: live(provisioning, { claimUntil: now + 10 * second }), admitted: false },
  "claim run out": { job: live(provisioning, { claimUntil: now - 5 * second }), admitted: false },
};

const failed = group("Failed", [exited("app1", 0), exited("app2", 3)]);
export const observations: Readonly<Record<string, Observation | undefined>> = {
  "not looked": undefined,
  unknown: unseen,
  absent: absent,
  running: present(running),
  succeeded: present(succeeded),
  failed: present(failed),
  "ended, one without an exit code": present(
    group("Running", [exited("app1", 0), exited("app2", 0, 40, { exitCode: undefined })]),
  ),
  stopped: present({ ...running, state: "Stopped", containers: [exited("app1", 137), exited("app2", 137)] }),
  "never seen before": present({ ...running, state: "Unknown", provisioning: "Other", containers: [] }),
  "an earlier attempt's": present({ ...running, owner: { kind: "ours", jobId: jobId(), attempt: 0, isBound: true } }),
  "another job's": present({ ...succeeded, owner: { kind: "ours", jobId: jobId(2), attempt: 1, isBound: true } }),
  foreign: present({ ...succeeded, owner: { kind: "foreign" } }),
  untagged: present({ ...succeeded, owner: { kind: "untagged" } }),
};

/** A step in a few words: `requeue in 5 s`, `save Failed NameTaken`, `capture, then Canceled`. */
export function described(step: Step): string {
  switch (step.do) {
    case "requeue":
      return `requeue in ${(step.until - now) / second} s${noted(step.job)}`;
    case "save":
      return `save ${shown(step.job)}`;
    case "create":
    case "delete":
    case "stop":
      return `${step.do}${step.job.claimUntil === now + minute ? "" : " without a claim"}`;
    case "capture":
      return `capture ${step.group === undefined ? "without a group" : "the group"}, then ${endingOf(step.job.phase)?.to ?? "as it is"}`;
    default:
      return step.do;
  }
}

function noted({ phase }: Job): string {
  if (phase.state === "Queued") return `, ${phase.waiting?.reason ?? "waiting for nothing"}`;
  if (phase.state === "Unknown") return "";
  const { absentAt, absences }: Pick<TerminalPhase, "absentAt" | "absences"> = hasEnded(phase)
    ? phase
    : (endingOf(phase) ?? phase);
  return absentAt === undefined ? "" : `, missed ${absences ?? 1}`;
}

function shown({ phase, attempt, claimUntil }: Job): string {
  if (claimUntil !== undefined) return `${phase.state} with a claim`;
  if (hasEnded(phase)) return `${phase.state} ${phase.verdict.reason}, group ${phase.group}`;
  const under = endingOf(phase);
  if (phase.state === "Queued") return `Queued, attempt ${attempt}`;
  return under ? `${phase.state}, ending ${under.to} ${under.verdict.reason}` : phase.state;
}
