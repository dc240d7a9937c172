import type { JobId } from "../../../src/shared/base/ids.ts";
import { endedIn } from "../../../src/shared/job/array-outcomes.ts";
import { hasEnded, type ArrayState, type Job, type TerminalPhase, type Verdict } from "../../../src/shared/job/job.ts";
import { arrayPartition, countsRow } from "../../../src/shared/store/job-row.ts";
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

/** Of packs each item counts, and not its pack. */
const isOfPacks = (of: Pick<Job, "options" | "child">): boolean => specOf(of).options.pack !== undefined;

/** How the items of an array of packs ended: a letter each. */
function endsOf(ledger: Ledger, { id, createdAt }: Pick<Job, "id" | "createdAt">): readonly string[] {
  return endsIn(ledger.world.table("jobs").get(arrayPartition(id, createdAt), countsRow));
}

function succeededOf(ledger: Ledger, job: Job): readonly number[] {
  if (isOfPacks(job)) return endsOf(ledger, job).flatMap((letter, index) => (letter === "S" ? [index] : []));
  const { id } = job;
  const children = childrenOf(ledger, id).filter(({ phase }) => phase.state === "Succeeded");
  return children.flatMap(({ child }) => (child === undefined ? [] : [child.index]));
}

/** Nothing of an array is run again that is not over, or that succeeded; and no child alone. */
export function rerunRefused(ledger: Ledger, job: Job, code: string): void {
  if (code === "TooManyJobs" && ledger.world.settings.maxActiveJobs !== undefined) return;
  // What the sealing key kept away is not there to be run again, or not yet.
  if (job.awaitsDefinition && code === (hasEnded(job.phase) ? "DefinitionGone" : "SealKeyUnavailable")) return;
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
  const ends = endsOf(ledger, array);
  const { items = [child.index] } = child;
  const inOthers = childrenOf(ledger, array.id).flatMap((other) =>
    other.id === id || hasEnded(other.phase) ? [] : (other.child?.items ?? []),
  );
  for (const item of child.items ?? []) {
    if (inOthers.includes(item)) ledger.violated(`item ${item} of ${array.id} is in two packs at once`);
    if (/[A-Z]/.test(ends[item] ?? "")) ledger.violated(`item ${item} of ${array.id} begins after its end`);
  }
  if (items.some((item) => !planOf(ledger, array).indexes.includes(item)))
    ledger.violated(`child ${child.index} of ${array.id} was made, which is not to run`);
  const alive = childrenOf(ledger, array.id).filter(({ phase }) => !hasEnded(phase)).length;
  if (alive > parallelism) ledger.violated(`${alive} children of ${array.id} exist at once, of ${parallelism}`);
}

/** What was counted once is not counted again, or otherwise. */
export function counted(ledger: Ledger, before: Entity | undefined, after: Entity | undefined): void {
  const [was, is] = [endsIn(before), endsIn(after)];
  const changed = is.filter((letter, index) => letter !== (was[index] ?? ".")).length;
  // An item of a pack that is to be tried again has a small letter.
  const forgotten = was.some((letter, index) => /[A-Z]/.test(letter) && letter !== is[index]);
  const ofPacks = typeof after?.["tries"] === "string";
  if (forgotten || (changed !== 1 && !ofPacks))
    ledger.violated(`the counts of an array became ${is.join("")} after ${was.join("")}`);
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
  if (isOfPacks(job)) {
    packsEnded(ledger, job, array, verdict);
    return;
  }
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

/** Each item has run to the end that is counted, and an array that did not end early has all of them. */
function packsEnded(ledger: Ledger, job: Job, { counts }: ArrayState, { reason }: Verdict): void {
  const ends = endsOf(ledger, job);
  const { failFast } = specOf(job).options;
  const { indexes } = planOf(ledger, job);
  const succeeded = succeededOf(ledger, job);
  if (counts.Succeeded !== succeeded.length)
    ledger.violated(`${job.id} counts ${JSON.stringify(counts)}, and its items ended ${ends.join("")}`);
  const ran = childrenOf(ledger, job.id).flatMap(({ id, attempt }) => ledger.groupOf(id, attempt)?.containers ?? []);
  for (const index of succeeded)
    if (!ran.some(({ name, runs }) => name === `app-${index}` && runs.some(({ exitCode }) => exitCode === 0)))
      ledger.violated(`item ${index} of ${job.id} Succeeded, and never did`);
  const isWhole = reason === "Completed" || (reason === "ChildrenFailed" && !failFast);
  if (isWhole && endedIn(counts) < indexes.length)
    ledger.violated(`${job.id} ended ${reason} after ${endedIn(counts)} of ${indexes.length}`);
  if (reason === "Completed" && succeeded.length < indexes.length)
    ledger.violated(`${job.id} Succeeded with ${succeeded.length} of ${indexes.length}`);
}

/** Whether it wants nothing of its children any more. */
export function isEnding({ phase, array, cancel }: Job): boolean {
  return hasEnded(phase) || array?.ending !== undefined || cancel !== undefined;
}
