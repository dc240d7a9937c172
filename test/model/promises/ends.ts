import { minute, second } from "../../../src/shared/base/duration.ts";
import { entryOf, type ReasonWord } from "../../../src/shared/job/reasons.ts";
import { nameKey } from "../../../src/shared/base/ids.ts";
import {
  endingOf,
  type Job,
  type TerminalPhase,
  type TerminalState,
  type Verdict,
} from "../../../src/shared/job/job.ts";
import type { Ledger } from "../ledger.ts";
import { specOf } from "../orders.ts";
import { mostSkew } from "../settings.ts";
import { exitCodeOf, type Spec } from "../specs.ts";

/** How a job may end, and which attempts it may have: what its containers did, what its options ask for, and nothing else. */

export function ended(ledger: Ledger, before: Job, job: Job, phase: TerminalPhase): void {
  const running = ledger.groupsOf(job.id).some((group) => ledger.world.aci.runs(group));
  const since = endingOf(before.phase)?.since;
  const gaveUp = since !== undefined && ledger.now >= since + 14 * minute;
  if (running && !gaveUp) ledger.violated(`${job.id} became ${phase.state} while its group runs`);

  const { state, verdict } = phase;
  const expected = stateOf[verdict.reason];
  if (state !== expected || !isReasonable(ledger, job, verdict.reason))
    ledger.violated(`${job.id} ended ${state} ${verdict.reason}, which nobody asked for`);
  attemptEnded(ledger, job, job.attempt);
  if (!gaveUp && before.phase.state !== "Queued") notRetried(ledger, job, phase, since ?? phase.finishedAt);
}

/** The ends that there are in the model. */
const stateOf: Partial<Record<ReasonWord, TerminalState>> = {
  Completed: "Succeeded",
  ExitCode: "Failed",
  OutOfMemory: "Failed",
  RegistryBusy: "Failed",
  NameTaken: "Failed",
  GroupDisappeared: "Failed",
  StoppedExternally: "Stopped",
  CanceledByCaller: "Canceled",
  Replaced: "Canceled",
  LeaseExpired: "Canceled",
  DeadlineExceeded: "TimedOut",
  QueueTimeout: "TimedOut",
  StartTimeout: "TimedOut",
  RunTimeout: "TimedOut",
};

/** Whether somebody gave a reason for such an end; that times have run out is judged with the times. */
function isReasonable(ledger: Ledger, job: Job, reason: ReasonWord): boolean {
  switch (reason) {
    case "CanceledByCaller":
      return ledger.canceled.has(job.id);
    case "Replaced":
      return ledger.sharing(job).some((other) => specOf(other).options.onConflict === "replace");
    case "GroupDisappeared":
    case "StoppedExternally":
      return ledger.interfered.has(job.id);
    case "NameTaken":
      return ledger.foreignNames.has(nameKey(job.groupName));
    default:
      return true;
  }
}

const ofPrograms: readonly ReasonWord[] = ["Completed", "ExitCode", "OutOfMemory"];

/** What a program's attempt gave the job is what its containers ended with. */
export function attemptEnded(ledger: Ledger, job: Job, number: number): void {
  const attempt = job.attempts.findLast((each) => each.number === number);
  if (attempt === undefined || ledger.interfered.has(job.id) || !ofPrograms.includes(attempt.verdict.reason)) return;
  const expected = exitCodeOf(specOf(job), number);
  if (attempt.verdict.exitCode !== expected)
    ledger.violated(`attempt ${number} of ${job.id} ended ${attempt.verdict.exitCode}, not ${expected}`);
  if (ledger.world.table("attempts").get(job.id, String(number).padStart(3, "0")) === undefined)
    ledger.violated(`nothing was captured of attempt ${number} of ${job.id}`);
}

/** Another attempt began. */
export function retried(ledger: Ledger, before: Job, job: Job): void {
  const verdict = job.attempts.findLast(({ number }) => number === before.attempt)?.verdict;
  const spec = specOf(job);
  const { retries = 0 } = spec.options;
  if (job.attempt !== before.attempt + 1 || job.attempt > 1 + retries)
    ledger.violated(`attempt ${job.attempt} of ${job.id}, which may have ${1 + retries}`);
  if (verdict === undefined || !retriesOn(spec, verdict))
    ledger.violated(`${job.id} was tried again after ${verdict?.reason} ${verdict?.exitCode}`);
}

/** No further attempt: there was none left, or none was asked for. */
function notRetried(ledger: Ledger, job: Job, { state, verdict }: TerminalPhase, decidedAt: number): void {
  const spec = specOf(job);
  const { retries = 0, timeout = Infinity } = spec.options;
  if ((state !== "Failed" && state !== "TimedOut") || job.attempt > retries || verdict.reason === "NameTaken") return;
  if (decidedAt >= job.createdAt + timeout * second - mostSkew || !retriesOn(spec, verdict)) return;
  ledger.violated(`${job.id} was not tried again after ${verdict.reason} ${verdict.exitCode}`);
}

/** Without rules: whatever can be the program's, the image's or the start's fault. */
const retriedUnasked: readonly ReasonWord[] = [
  "ExitCode",
  "OutOfMemory",
  "RegistryBusy",
  "GroupDisappeared",
  "StartTimeout",
  "RunTimeout",
];

/** As `retryOn` is documented: exit codes, reasons, faults or `*`; the first match decides, `!` is no, and so is no match. */
function retriesOn({ options }: Spec, { reason, exitCode }: Verdict): boolean {
  if (options.retryOn === undefined) return retriedUnasked.includes(reason);
  const names = ["*", reason, entryOf(reason).party, String(exitCode)];
  const rule = options.retryOn.split(",").find((each) => names.includes(each.replace("!", "")));
  return rule !== undefined && !rule.startsWith("!");
}
