import type { AttemptResult, ContainerResult } from "../shared/attempts.ts";
import { plainLog, resultOf, tailOf } from "../shared/captured-log.ts";
import type { Deps } from "../shared/deps.ts";
import type { ContainerSeen, GroupSeen, Job } from "../shared/job.ts";
import { readContainerLog } from "../shared/masking.ts";

/** All containers' outputs together fit into a status reply of Data Factory's 4 MB with room to spare. */
const mostOutput = 256 * 1024;

/**
 * Stores what an attempt's containers did: their logs as far as ACI still has them, exit codes, times. May be repeated.
 *
 * @returns `again` when a log could not be read now but may be later; what was had is stored all the same
 */
export async function captureAttempt(
  deps: Deps,
  job: Job,
  group: GroupSeen | undefined,
): Promise<"captured" | "again"> {
  const containers: ContainerResult[] = [];
  let again = false;
  let left = mostOutput;
  for (const { name, init } of job.containers) {
    const seen = group?.containers.find((candidate) => candidate.name === name && candidate.init === init);
    const log = await readLog(deps, job, group === undefined ? undefined : seen, name, true);
    again ||= log.again;
    const limit = Math.min(job.options.outputLimit, left);
    const output = tailOf(plainLog(log.tail), limit);
    left -= Buffer.byteLength(output.text);
    containers.push({
      name,
      init,
      state: seen?.state ?? "Unknown",
      ...given({
        startTime: seen?.startTime,
        finishTime: seen?.finishTime,
        exitCode: seen?.exitCode,
        detailStatus: seen?.detailStatus,
      }),
      restartCount: seen?.restartCount ?? 0,
      output: output.text,
      outputTruncated: output.truncated || log.bytes > Buffer.byteLength(log.tail),
      log: log.verdict,
      logBytes: log.bytes,
    });
  }
  const result = mainResult(job, containers);
  const attempt: AttemptResult = { attempt: job.attempt, containers, ...(result ? { result } : {}) };
  await deps.attempts.save(job.id, attempt);
  return again ? "again" : "captured";
}

/** Adds to the stored logs what running containers wrote since the last time. Trouble with a log never drives the job. */
export async function captureRunning(deps: Deps, job: Job, group: GroupSeen): Promise<void> {
  for (const seen of group.containers) {
    if (seen.state === "Running") await readLog(deps, job, seen, seen.name, false);
  }
}

async function readLog(deps: Deps, job: Job, seen: ContainerSeen | undefined, name: string, last: boolean) {
  const started = seen !== undefined && (seen.state === "Running" || seen.state === "Terminated");
  if (!started || job.placed === undefined) {
    return { ...(await deps.blobs.capture(job.id, job.attempt, name, undefined)), again: false };
  }
  const read = await readContainerLog(deps, job, name, last);
  const fresh = read.kind === "value" ? read.value : undefined;
  return { ...(await deps.blobs.capture(job.id, job.attempt, name, fresh)), again: read.kind === "unknown" };
}

/** The result is the main container's, or the only one's. */
function mainResult(job: Job, containers: readonly ContainerResult[]): Record<string, unknown> | undefined {
  const others = containers.filter(({ init }) => !init);
  const main = others.find(({ name }) => name === job.options.main) ?? (others.length === 1 ? others[0] : undefined);
  return main && resultOf(main.output);
}

function given<T extends Record<string, unknown>>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> }; // the undefined ones were left out
}
