import { minute } from "../base/duration.ts";
import { clip } from "../base/errors.ts";
import { startReason } from "./group-events.ts";
import { endedIn, runsIn } from "./array-outcomes.ts";
import { endingOf, hasEnded, type ArrayState, type Ending, type Job, type Verdict, type Waiting } from "./job.ts";
import { entryOf, type Entry, type ReasonWord } from "./reasons.ts";

/** What a job says of itself to people, in every state. Pure. */

/** Who has to do something about an end, and what. A wait that took too long is put down to what was waited for. */
export function blame({ reason, waitedFor }: Verdict): Pick<Entry, "party" | "advice"> {
  if (waitedFor === undefined) return entryOf(reason);
  const { party, advice } = entryOf(waitedFor);
  return { party, advice: `${entryOf(reason).advice} It waited for ${waitedFor}: ${advice}` };
}

/** The sentence for people, at most 300 characters: `bellaciao Failed: app2 exit 137 OutOfMemory (program). Raise memoryInGB.` */
export function sentence(name: string, state: string, verdict: Verdict): string {
  const { party, advice } = blame(verdict);
  if (state === "Succeeded") return `Container Group ${name} finished`;
  const exit = verdict.exitCode === undefined ? "" : `${verdict.container ?? "a container"} exit ${verdict.exitCode} `;
  const detail = (verdict.detail ?? "") === "" ? "" : ` ${verdict.detail}`;
  return clip(`${name} ${state}: ${exit}${verdict.reason} (${party}).${detail} ${advice}`.trim(), 300);
}

/** `3 of 300: #7 exit 137 OutOfMemory, #19, #204.` Who looks further begins with the first. */
function failuresOf(array: ArrayState): string {
  const { counts, failures } = array;
  const failed = endedIn(counts) - counts.Succeeded;
  const listed = failures.map(({ index, exitCode, reason }, n) =>
    n > 0 ? `#${index}` : `#${index} ${exitCode === undefined ? "" : `exit ${exitCode} `}${reason}`,
  );
  return `${failed} of ${runsIn(array)}: ${listed.join(", ")}${failed > listed.length ? ", ..." : "."}`;
}

/** `120 of 300 ended, 3 failed`. */
function progressOf(array: ArrayState): string {
  const ended = endedIn(array.counts);
  const failed = ended - array.counts.Succeeded;
  return `${ended} of ${runsIn(array)} ended${failed === 0 ? "" : `, ${failed} failed`}`;
}

/** What an array says of itself: how it ended, or how far it is; `undefined` where that is what any job would say. */
function describeArray({ name, phase }: Job, array: ArrayState): string | undefined {
  const { counts, ending } = array;
  if (phase.state === "Succeeded") return `${name} finished: ${counts.Succeeded} of ${runsIn(array)} succeeded`;
  if (phase.state === "Failed" && phase.verdict.reason === "ChildrenFailed")
    return clip(`${name} Failed: ${failuresOf(array)}`, 300);
  if (hasEnded(phase) || phase.state === "Unknown") return undefined;
  if (ending) return clip(`${name} is being stopped: ${ending.verdict.reason}; ${progressOf(array)}`, 300);
  if (phase.state === "Queued" && phase.waiting) return undefined;
  if (phase.state !== "Running" || array.waiting === undefined) return `${name}: ${progressOf(array)}`;
  const { reason } = array.waiting;
  return clip(`${name}: ${progressOf(array)}; no child runs: ${reason}. ${entryOf(reason).advice}`, 300);
}

/** A read that fails once is nothing to speak of. */
const unseenTime = minute;

/** Why a job does not run yet, or can't be seen, and since when; `undefined` while all is well. */
export function waitingOf(job: Job): Waiting | undefined {
  const { phase, events, queuedAt, provisioningAt = queuedAt, unseen } = job;
  if (hasEnded(phase) || phase.state === "Unknown") return undefined;
  if (phase.state === "Queued") return phase.waiting ?? { reason: "Accepted", since: queuedAt };
  if (unseen !== undefined && job.lookAt >= unseen.since + unseenTime) return unseen;
  if (phase.state === "Running") return job.array?.waiting;
  return { ...startReason(events), since: provisioningAt };
}

/** What `message` says of a job, whatever its state, in at most 300 characters. */
export function describe(job: Job): string {
  const { phase } = job;
  const ofArray = job.array && describeArray(job, job.array);
  if (ofArray !== undefined) return ofArray;
  if (hasEnded(phase)) return sentence(job.name, phase.state, phase.verdict);
  if (phase.state === "Unknown")
    return `Container Group ${job.name} is ${phase.written.state}, as a newer release of the service wrote`;
  const ending = endingOf(phase);
  if (ending) return clip(`Container Group ${job.name} is being stopped: ${stopping(ending)}`, 300);
  if (phase.state === "Queued" && phase.waiting) {
    const { reason, detail } = phase.waiting;
    // Azure's own text begins with its code, which often is the reason.
    const why = detail?.startsWith(`${reason}: `) ? detail.slice(reason.length + 2) : detail;
    return clip(`Container Group ${job.name} is waiting: ${reason}. ${why ?? entryOf(reason).advice}`, 300);
  }
  const { reason, detail } = waitingOf(job) ?? {};
  if (reason === undefined || detail === undefined) return `Container Group ${job.name} is in progress`;
  return clip(`Container Group ${job.name} is in progress: ${reason}. ${detail}`, 300);
}

function stopping({ verdict, refused }: Ending): string {
  if (refused === undefined) return verdict.reason;
  return `${verdict.reason}. Azure does not delete it now: ${refused.reason}. ${entryOf(refused.reason).advice}`;
}

/** Why Azure refuses to stop or delete the group now, also after the job's end. */
export function deleteRefusedOf({ phase }: Job): ReasonWord | undefined {
  if (hasEnded(phase)) return phase.group === "gone" ? undefined : phase.refused?.reason;
  return endingOf(phase)?.refused?.reason;
}

/** The row's and the reply's `stopping`: why the job is being stopped, or why that does not go on, and since when. */
export function stoppingOf({ phase, array }: Job): { readonly reason: ReasonWord; readonly since: number } | undefined {
  if (array?.ending !== undefined && !hasEnded(phase))
    return { reason: array.ending.verdict.reason, since: array.ending.since };
  const ending = endingOf(phase);
  if (ending === undefined) return undefined;
  return { reason: ending.refused?.reason ?? ending.verdict.reason, since: ending.since };
}
