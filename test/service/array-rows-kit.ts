/** Arrays and their children as the machine writes them. */
import { second } from "../../src/shared/base/duration.ts";
import { childJobId } from "../../src/shared/base/ids.ts";
import { inParallel } from "../../src/shared/base/in-parallel.ts";
import type { Deps } from "../../src/shared/deps.ts";
import type { ArrayState, Job, TerminalState } from "../../src/shared/job/job.ts";
import { nothingEnded } from "../../src/shared/job/array-outcomes.ts";
import { columnsOf, jobKey } from "../../src/shared/store/job-row.ts";
import { job, jobId, start } from "../kit/kit.ts";

export const nothingSealed = { definition: undefined, callbacks: undefined };

type Changes = NonNullable<Parameters<typeof job>[0]>;
type ArrayChanges = Omit<Changes, "array"> & { readonly array?: Partial<ArrayState> };

/** An array of that many indexes, all of which have a child. */
export function arrayOf(size: number, { array, ...changes }: ArrayChanges = {}): Job {
  const { counts } = nothingEnded;
  const state = { size, parallelism: 100, failFast: false, made: size, failures: [], vcpuSeconds: 0, gbSeconds: 0 };
  return job({
    id: jobId(900),
    phase: { state: "Running", startedAt: start + second },
    ...changes,
    array: { ...state, counts, ...array },
  });
}

/** The child of an index, which waits. */
export function childOf(array: Job, index: number, { child, ...changes }: Changes = {}): Job {
  const { id, createdAt, name, options } = array;
  const createdLater = createdAt + second;
  return job({
    id: childJobId(id, createdAt, index),
    name,
    options,
    createdAt: createdLater,
    queuedAt: createdLater,
    ...changes,
    child: { array: id, arrayAt: createdAt, index, size: array.array?.size ?? 0, ...child },
  });
}

/** It was created 10 s after the array and ended 30 s later: 30 vCPU seconds. */
export function endedAs(child: Job, state: TerminalState, exitCode = state === "Succeeded" ? 0 : 1): Job {
  const reason = state === "Succeeded" ? "Completed" : state === "Canceled" ? "CanceledByCaller" : "ExitCode";
  const verdict = { reason, exitCode } as const;
  const [provisioningAt, startedAt, finishedAt] = [start + 10 * second, start + 15 * second, start + 40 * second];
  return {
    ...child,
    provisioningAt,
    startedAt,
    attempts: [{ number: 1, state, verdict, provisioningAt, startedAt, finishedAt }],
    phase: { state, verdict, finishedAt, group: "gone", captured: true, tidy: true },
  };
}

export async function insertAll({ jobs }: Deps, all: readonly Job[]): Promise<void> {
  const insert = (each: Job): Promise<unknown> => jobs.insert(each, nothingSealed);
  const failed = (_: Job, error: unknown): void => {
    throw error;
  };
  await inParallel(all, insert, { width: 32, until: Infinity, now: Date.now, failed });
}

/** The job's entry in the index, as a job has one until it is done with. */
export async function enter({ jobs }: Deps, each: Job): Promise<void> {
  await jobs.index.mirror(each.id, jobKey(each.id, each.createdAt), each.checkAt, columnsOf(each, jobs.prices));
}

/** The child's row, its end, and what the array counts of it. */
export async function insertEnded({ jobs }: Deps, child: Job, state: TerminalState, exitCode?: number): Promise<void> {
  await jobs.insert(child, nothingSealed);
  const stored = await jobs.find(child.id);
  if (stored === undefined) throw new Error("A child's id leads to its row.");
  await jobs.save(stored, endedAs(child, state, exitCode));
}
