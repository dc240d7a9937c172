import type { AttemptResult, ContainerResult } from "../../shared/store/attempts.ts";
import { plainLog, resultOf, tailOf } from "../../shared/store/log-merge.ts";
import type { Deps } from "../../shared/deps.ts";
import { defined } from "../../shared/base/defined.ts";
import type { Job } from "../../shared/job/job.ts";
import type { ContainerSeen, GroupSeen } from "../../shared/job/observation.ts";
import { readContainerLog } from "../../shared/aci/masked-client.ts";
import { firstEndOf } from "../../shared/job/verdict.ts";

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
  const speaker = mainOf(job);
  let result: Record<string, unknown> | undefined;
  let again = false;
  let left = mostOutput;
  for (const { name, init } of job.containers) {
    const seen = group?.containers.find((candidate) => candidate.name === name && candidate.init === init);
    const log = await readLog(deps, job, seen, name, true);
    again ||= log.again;
    const text = plainLog(log.tail);
    if (!init && name === speaker) result = resultOf(text);
    const limit = Math.min(job.options.outputLimit, left);
    const output = tailOf(text, limit);
    left -= Buffer.byteLength(output.text);
    containers.push({
      name,
      init,
      ...asSeen(seen, job, !init && name === job.options.main),
      output: output.text,
      outputTruncated: output.truncated || log.bytes > Buffer.byteLength(log.tail),
      log: log.verdict,
      logBytes: log.bytes,
    });
  }
  const attempt: AttemptResult = { attempt: job.attempt, containers, ...(result ? { result } : {}) };
  await deps.attempts.save(job.id, attempt);
  return again ? "again" : "captured";
}

/** Adds to the stored logs what running containers wrote since the last time. Trouble with a log never drives the job. */
export async function captureRunning(deps: Deps, job: Job, group: GroupSeen): Promise<void> {
  for (const seen of group.containers) {
    if (seen.state !== "Terminated" && hasRun(seen)) await readLog(deps, job, seen, seen.name, false);
  }
}

async function readLog(deps: Deps, job: Job, seen: ContainerSeen | undefined, name: string, last: boolean) {
  if (seen === undefined || !hasRun(seen) || job.placed === undefined) {
    return { ...(await deps.blobs.capture(job.id, job.attempt, name, undefined)), again: false };
  }
  const read = await readContainerLog(deps, job, name, last);
  const fresh = read.kind === "value" ? read.value : undefined;
  const log = await deps.blobs.capture(job.id, job.attempt, name, fresh);
  // Of a run before the last restart ACI has nothing any more; what was read while it ran may not be all of it.
  const verdict = log.verdict === "complete" && seen.restartCount > 0 ? "truncated" : log.verdict;
  return { ...log, verdict, again: read.kind === "unknown" };
}

/** Of main, and under `Never` of every container, the first end decides; one that waits for its restart has had its last end. */
function asSeen(seen: ContainerSeen | undefined, { observed, restartPolicy }: Job, isMain: boolean) {
  if (seen === undefined) return { state: "Unknown", restartCount: 0 } as const;
  const { name, init, state, startTime, detailStatus, restartCount } = seen;
  const kept = observed.ends.find((end) => end.container === name && end.init === init);
  if (kept !== undefined && (isMain || restartPolicy === "Never")) {
    const { exitCode, finishTime, startTime: began = startTime } = kept;
    const detail = kept.detailStatus ?? (restartCount > kept.restartCount ? undefined : detailStatus);
    return {
      state: "Terminated",
      restartCount,
      ...defined({ startTime: began, finishTime, exitCode, detailStatus: detail }),
    };
  }
  const { exitCode, finishTime } = (state === "Waiting" && firstEndOf(seen)) || seen;
  return { state, restartCount, ...defined({ startTime, finishTime, exitCode, detailStatus }) };
}

/** One that waits for its restart has run too. */
function hasRun({ state, restartCount, previous }: ContainerSeen): boolean {
  return state === "Running" || state === "Terminated" || restartCount > 0 || previous !== undefined;
}

/** The result is the main container's, or the only one's. */
function mainOf(job: Job): string | undefined {
  const others = job.containers.filter(({ init }) => !init);
  return (others.find(({ name }) => name === job.options.main) ?? (others.length === 1 ? others[0] : undefined))?.name;
}
