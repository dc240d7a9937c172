import type { JobId } from "../../../src/shared/base/ids.ts";
import { endedIn } from "../../../src/shared/job/array-outcomes.ts";
import { hasEnded, type ArrayState, type Job, type TerminalPhase } from "../../../src/shared/job/job.ts";
import type { Ledger } from "../ledger.ts";
import { specOf } from "../submissions.ts";
import type { Entity } from "../tables.ts";

/** Arrays: each child is made once, never too many at once, and the array ends after them, with what became of them. */

function childrenOf(ledger: Ledger, array: JobId): readonly Job[] {
  return ledger.rows.filter(({ child }) => child?.array === array);
}

interface Plan {
  readonly indexes: readonly number[];
  /** How many must succeed; all where it is absent. */
  readonly minSuccess: number | undefined;
}

/** What of an array is to run: of a rerun what did not succeed before. */
function planOf(ledger: Ledger, { options, child, rerunOf }: Job): Plan {
  const { array: size = 0, minSuccess } = specOf({ options, child }).options;
  const before = rerunOf === undefined ? undefined : ledger.job(rerunOf);
  if (before === undefined) return { indexes: Array.from({ length: size }, (_, index) => index), minSuccess };
  const done = succeededOf(ledger, before);
  const plan = planOf(ledger, before);
  const missing = (plan.minSuccess ?? 0) - done.length;
  return {
    indexes: plan.indexes.filter((index) => !done.includes(index)),
    minSuccess: missing > 0 ? missing : undefined,
  };
}

function succeededOf(ledger: Ledger, { id }: Job): readonly number[] {
  const children = childrenOf(ledger, id).filter(({ phase }) => phase.state === "Succeeded");
  return children.flatMap(({ child }) => (child === undefined ? [] : [child.index]));
}

/** Nothing of an array is run again that is not over, or that succeeded; and no child alone. */
export function rerunRefused(ledger: Ledger, job: Job, code: string): void {
  if (code === "TooManyJobs" && ledger.world.settings.maxActiveJobs !== undefined) return;
  const now = ledger.job(job.id) ?? job;
  const isLeft = !hasEnded(job.phase) || succeededOf(ledger, now).length === planOf(ledger, now).indexes.length;
  const rightly = job.child !== undefined || (job.array !== undefined && isLeft);
  if (code !== "CannotRerun" || !rightly) ledger.violated(`a rerun of ${job.id} was refused: ${code}`);
}

/** A row is new. */
export function made(ledger: Ledger, { id, child }: Job): void {
  if (child === undefined) return;
  const array = ledger.job(child.array);
  if (array === undefined) {
    ledger.violated(`${id} was made for an array that is not there`);
    return;
  }
  if (hasEnded(array.phase)) ledger.violated(`child ${child.index} of ${array.id} was made after the array's end`);
  const { parallelism = 0 } = specOf(array).options;
  if (!planOf(ledger, array).indexes.includes(child.index))
    ledger.violated(`child ${child.index} of ${array.id} was made, which is not to run`);
  const alive = childrenOf(ledger, array.id).filter(({ phase }) => !hasEnded(phase)).length;
  if (alive > parallelism) ledger.violated(`${alive} children of ${array.id} exist at once, of ${parallelism}`);
}

/** What was counted once is not counted again, or otherwise. */
export function counted(ledger: Ledger, before: Entity | undefined, after: Entity | undefined): void {
  const [was, is] = [endsIn(before), endsIn(after)];
  const changed = is.filter((letter, index) => letter !== (was[index] ?? ".")).length;
  const forgotten = was.some((letter, index) => letter !== "." && letter !== is[index]);
  if (forgotten || changed !== 1) ledger.violated(`the counts of an array became ${is.join("")} after ${was.join("")}`);
}

function endsIn(row: Entity | undefined): readonly string[] {
  const ends = row?.["ends"];
  return typeof ends === "string" ? Array.from(ends) : [];
}

export function arrayEnded(ledger: Ledger, job: Job, array: ArrayState, { state, verdict }: TerminalPhase): void {
  const children = childrenOf(ledger, job.id);
  const ends = children.flatMap(({ phase }) => (hasEnded(phase) ? [phase.state] : []));
  if (ends.length < children.length)
    ledger.violated(`${job.id} became ${state} while ${children.length - ends.length} of its children have not ended`);
  const wrong = ends.some((end) => array.counts[end] !== ends.filter((each) => each === end).length);
  if (wrong || endedIn(array.counts) !== ends.length)
    ledger.violated(`${job.id} counts ${JSON.stringify(array.counts)}, and its children ended ${ends.join(" ")}`);
  const { failFast } = specOf(job).options;
  const { indexes, minSuccess = indexes.length } = planOf(ledger, job);
  const succeeded = ends.filter((end) => end === "Succeeded").length;
  const stoppedEarly = failFast && ends.some((end) => end !== "Succeeded");
  if (verdict.reason === "Completed" && succeeded < minSuccess)
    ledger.violated(`${job.id} Succeeded with ${succeeded} of ${minSuccess}`);
  if (verdict.reason === "ChildrenFailed" && succeeded >= minSuccess && !stoppedEarly)
    ledger.violated(`${job.id} Failed though ${succeeded} of ${minSuccess} succeeded`);
  if (
    (state === "Succeeded" || verdict.reason === "ChildrenFailed") &&
    children.length < indexes.length &&
    !stoppedEarly
  )
    ledger.violated(`${job.id} ended ${verdict.reason} after ${children.length} of ${indexes.length}`);
}

/** Whether it wants nothing of its children any more. */
export function isEnding({ phase, array, cancel }: Job): boolean {
  return hasEnded(phase) || array?.ending !== undefined || cancel !== undefined;
}
