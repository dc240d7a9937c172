import type { Accepted } from "../../../src/shared/intake/accept.ts";
import { second } from "../../../src/shared/base/duration.ts";
import type { Result } from "../../../src/shared/base/errors.ts";
import { nameKey } from "../../../src/shared/base/ids.ts";
import { endingOf, hasEnded, type Job } from "../../../src/shared/job/job.ts";
import type { Caller } from "../callers.ts";
import type { Ledger } from "../ledger.ts";
import { specOf } from "../submissions.ts";
import { maxSkew } from "../settings.ts";

/** `onConflict`: who is refused, joined to another job, or takes its place. */

/** The answer to a caller that asked at a time. */
export function answerAllowed(ledger: Ledger, { spec, key }: Caller, since: number, answer: Result<Accepted>): void {
  const { onConflict } = spec.options;
  if (!answer.ok) {
    const { code, more } = answer.error;
    if (code === "GroupFull" && spec.options.onGroupFull === "reject") return;
    if (code === "TooManyJobs" && ledger.world.settings.maxActiveJobs !== undefined) return;
    const holder = ledger.job(String(more?.["id"]));
    const rightly =
      code === "NameActive" && onConflict === "reject" && holder && wasActive(ledger, holder, spec.name, since);
    if (!rightly) ledger.violated(`a job with ${onConflict} was refused: ${code}`);
    return;
  }
  const { job, attached } = answer.value;
  if (attached) {
    // With a key it may be the caller's own job.
    if (key === undefined && (onConflict !== "attach" || !wasActive(ledger, job, spec.name, since)))
      ledger.violated(`a job with ${onConflict} was attached to ${job.id}`);
    return;
  }
  if (onConflict !== "reject" && onConflict !== "attach") return;
  const holder = ledger
    .sharing(job)
    .find((other) => isLive(other) && (other.provisioningAt ?? Infinity) < since - maxSkew);
  if (holder) ledger.violated(`${job.id} with ${onConflict} was accepted beside ${holder.id}`);
}

/** A posted job that is kept out has a row that says why. */
export function postRefused(ledger: Ledger, { id, phase }: Job): void {
  const reason = hasEnded(phase) ? phase.verdict.reason : undefined;
  const rightly = ledger.posts.some(({ id: posted, key, spec: { options } }) => {
    if (posted !== id) return false;
    if (reason === "GroupFull") return options.onGroupFull === "reject";
    if (reason === "KeyReused") return key !== undefined;
    return reason === "NameActive" && (options.onConflict === "reject" || options.onConflict === "attach");
  });
  if (!rightly) ledger.violated(`the posted job ${id} was refused: ${String(reason)}`);
}

function wasActive(ledger: Ledger, { id }: Job, name: string, since: number): boolean {
  const job = ledger.job(id);
  if (job === undefined || nameKey(job.groupName) !== nameKey(name)) return false;
  return !hasEnded(job.phase) || job.phase.finishedAt >= since - maxSkew;
}

/** Its group is there, or on its way, and nobody wants it to end. */
function isLive({ phase, cancel }: Job): boolean {
  return !hasEnded(phase) && phase.state !== "Queued" && endingOf(phase) === undefined && cancel === undefined;
}

/** Who is to be replaced does not go on. */
export function replacesInTime(ledger: Ledger, job: Job): void {
  if (!isLive(job) || ledger.quietSince === Infinity || ledger.pausedSince !== undefined) return;
  const heirs = ledger.sharing(job).filter(({ phase }) => phase.state === "Queued");
  // A rerun only waits.
  const heir = heirs.find((other) => other.via !== "rerun" && specOf(other).options.onConflict === "replace");
  if (heir === undefined) return;
  const since = Math.max(heir.createdAt, job.provisioningAt ?? 0, ledger.resumedAt);
  if (ledger.now > ledger.latest(heir, since) + second)
    ledger.violated(`${job.id} goes on though ${heir.id} is to replace it`);
}
