import { second } from "../../shared/base/duration.ts";
import { eachInTime, type Deadline } from "../../shared/base/deadline.ts";
import { Unavailable } from "../../shared/base/errors.ts";
import type { AttemptResult, ContainerResult } from "../../shared/store/attempts.ts";
import type { CapturedLog } from "../../shared/store/captured-logs.ts";
import { isMark, linesOf, mergeLog, plainLog, tailOf, textOf } from "../../shared/store/log-merge.ts";
import { linesAfter, logPause, logPauseAfterFailure } from "../../shared/store/log-pace.ts";
import type { OpenDeps } from "../../shared/security/opened-definition.ts";
import type { Deps } from "../../shared/deps.ts";
import { defined } from "../../shared/base/defined.ts";
import { endingOf, hasContainers, hasEnded, type Job, type Phase } from "../../shared/job/job.ts";
import type { ObservedContainer, ObservedGroup } from "../../shared/job/observation.ts";
import { readContainerLog } from "../../shared/aci/masked-client.ts";
import { firstEndOf, isPack } from "../../shared/job/observed-group.ts";
import { resultOf, resultsOfItems, takeSentResult } from "./attempt-result.ts";

/** All containers' outputs together fit into a status reply of Data Factory's 4 MB with room to spare. */
const maxOutput = 256 * 1024;
/** Logs are read this many at a time, and no longer than that in one go: others have work too. */
const atOnce = 8;
const captureTime = 30 * second;
/** No log is begun with less time than that: it would only be read again. */
const leastTime = 4 * second;
/** How long an end waits for a log. What could not be read or stored by then is missing, and that is found out by the second time. */
const patience = 60 * second;
const longestPatience = 110 * second;
/** An end that was decided that long ago may have been captured in part before. */
const mayBePartial = 4 * second;

type CaptureDeps = OpenDeps & Pick<Deps, "now" | "log" | "attempts" | "aci" | "jobs">;

/**
 * Stores what an attempt's containers did: their logs as far as ACI still has them, exit codes, times. May be repeated, and goes on
 * where it stopped. Trouble with a log holds an end up for a minute or so, and never drives it.
 *
 * @param since when the end was decided
 * @returns what is stored; `again` when a log could not be read or stored now but may be later: what could be read is stored all the same
 */
export async function captureAttempt(
  deps: CaptureDeps,
  job: Job,
  group: ObservedGroup | undefined,
  since: number,
  deadline: Deadline,
): Promise<AttemptResult | "again"> {
  const now = deps.now();
  const last = now >= since + patience;
  const time = last ? Math.max(since + longestPatience - now, captureTime / 3) : captureTime;
  const inTime = deadline.within(Math.min(time, captureTime));
  const before = now >= since + mayBePartial ? await deps.attempts.find(job.id, job.attempt) : undefined;
  const earlier = new Map(before?.containers.map((each) => [each.name, each]));
  const sent = await takeSentResult(deps, job, inTime);
  const left = job.containers.filter(({ name }) => earlier.get(name)?.settled !== true);
  const ends = await eachInTime(left, atOnce, inTime, ({ name, init }) =>
    endOfLog(deps, job, viewOf(group, name, init), name, last, inTime),
  );
  if (ends.includes(overtaken)) return "again";
  const fresh = new Map<string, EndOfLog>();
  for (const [index, { name }] of left.entries()) {
    const end = ends[index] ?? "late";
    // What could be read the last time is better than nothing.
    if (end !== "late" && (end.settled || end.text !== "" || !earlier.has(name))) fresh.set(name, end);
  }
  const texts = new Map([...fresh].map(([name, { text }]) => [name, withoutMarks(text)]));
  const result = resultOf(job, sent, texts, before);
  const ofItems = isPack(job) ? resultsOfItems(texts) : undefined;
  let room = maxOutput;
  for (const { name, output } of earlier.values()) if (!fresh.has(name)) room -= Buffer.byteLength(output);
  const containers = job.containers.map(({ name, init }): ContainerResult => {
    const known = earlier.get(name);
    const end = fresh.get(name);
    if (end === undefined && known !== undefined) return known;
    const { text, bytes, verdict, settled, whole } = end ?? nothing;
    const output = tailOf(text, Math.min(job.options.outputLimit, Math.max(room, 0)));
    room -= Buffer.byteLength(output.text);
    return {
      name,
      init,
      ...asObserved(viewOf(group, name, init), job, !init && name === job.options.main),
      ...ofItems?.get(name),
      output: output.text,
      outputTruncated: output.truncated || !whole,
      log: verdict,
      logBytes: bytes,
      settled,
    };
  });
  const captured = { attempt: job.attempt, containers, ...result };
  await deps.attempts.save(job.id, captured);
  return last || (sent.kind !== "unknown" && containers.every(({ settled }) => settled)) ? captured : "again";
}

/** A container's log at its end, as far as it could be read. */
interface EndOfLog {
  /** Its last lines, without timestamps. */
  readonly text: string;
  /** Whether that is all that is stored. */
  readonly whole: boolean;
  readonly bytes: number;
  readonly verdict: ContainerResult["log"];
  /** False when a later try may do better. */
  readonly settled: boolean;
}

const nothing: EndOfLog = { text: "", whole: true, bytes: 0, verdict: "missing", settled: false };
/** Another host has captured the attempt, and its group may be gone since: what that one stored stays as it is. */
const overtaken: EndOfLog = { ...nothing };

/**
 * Reads and stores a log's end, in no more than half of the time that is left for each of the two.
 *
 * @param last the last try: what can't be read now is missing for good, and the log says so
 */
async function endOfLog(
  deps: CaptureDeps,
  job: Job,
  observed: ObservedContainer | undefined,
  name: string,
  last: boolean,
  deadline: Deadline,
): Promise<EndOfLog> {
  if (!last && deadline.left < leastTime) return nothing;
  const content = await contentOf(deps, job, observed, name, deadline);
  if (content.kind === "unknown" && !last) return nothing;
  if (content.kind !== "text" && (await isCaptured(deps, job))) return overtaken;
  try {
    const end = await deadline.within(deadline.left / 2).limit(storedEnd(deps, job, observed, name, content));
    if (end !== "late") return end;
    deps.log("warn", "log not stored", { job: job.id, attempt: job.attempt, container: name, service: "storage" });
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    deps.log("warn", "log not stored", { job: job.id, attempt: job.attempt, container: name, service: error.service });
  }
  if (content.kind !== "text") return nothing;
  const { append } = mergeLog("", content.text, { container: "ended", restarted: false });
  return { ...nothing, text: plainLog(append), whole: append === "" };
}

async function isCaptured({ jobs }: Pick<CaptureDeps, "jobs">, { id, attempt }: Job): Promise<boolean> {
  const job = (await jobs.peek(id))?.job;
  if (job === undefined) return false;
  const { phase } = job;
  return job.attempt !== attempt || endingOf(phase)?.captured === true || (hasEnded(phase) && phase.captured);
}

/** What Container Instances has of a log, or why nothing; `unknown` where a later try may do better. */
type Content =
  { readonly kind: "text"; readonly text: string } | { readonly kind: "none" | "unknown"; readonly why: string };

async function contentOf(
  deps: CaptureDeps,
  job: Job,
  observed: ObservedContainer | undefined,
  name: string,
  deadline: Deadline,
): Promise<Content> {
  if (observed === undefined || !hasRun(observed) || job.placed === undefined)
    return { kind: "none", why: "the container group was gone before it was read" };
  const read = await deadline.within(deadline.left / 2).limit(readContainerLog(deps, job, name, true));
  if (read === "late") return { kind: "unknown", why: "it could not be read in time" };
  if (read.kind === "unknown") return { kind: "unknown", why: `it could not be read (${read.reason})` };
  if (read.kind === "absent") return { kind: "none", why: "Container Instances had no log" };
  return { kind: "text", text: read.value };
}

/** @throws Unavailable when it can't be stored now */
async function storedEnd(
  deps: CaptureDeps,
  job: Job,
  observed: ObservedContainer | undefined,
  name: string,
  content: Content,
): Promise<EndOfLog> {
  const { logs } = deps.blobs;
  const { id, attempt } = job;
  const missing = async (why: string): Promise<EndOfLog> =>
    asEnd(deps, job, name, await logs.markEnd(id, attempt, name, `The end of the log is missing: ${why}.`));
  if (content.kind !== "text") return missing(content.why);
  const container = observed?.state === "Running" ? "running" : "ended";
  const restarted = (observed?.restartCount ?? 0) > 0;
  const log = await logs.capture(id, attempt, name, content.text, { container, restarted });
  if (content.text === "" && log.bytes > 0) return missing("Container Instances showed no log");
  // Of a run before the last restart ACI has nothing any more; what was read while it ran may not be all of it.
  const verdict = log.verdict === "complete" && restarted ? "truncated" : log.verdict;
  return asEnd(deps, job, name, { ...log, verdict });
}

async function asEnd({ blobs }: CaptureDeps, job: Job, name: string, log: CapturedLog): Promise<EndOfLog> {
  const { outputLimit } = job.options;
  const whole = log.bytes <= Buffer.byteLength(log.tail);
  // A capture reads some of what was stored before; the output may be longer than that.
  const enough = whole || Buffer.byteLength(plainLog(log.tail)) >= outputLimit;
  const tail = enough ? log.tail : await blobs.logs.tail(job.id, job.attempt, name, 4 * outputLimit);
  return { text: plainLog(tail), whole, bytes: log.bytes, verdict: log.verdict, settled: true };
}

/** What the last reads of running containers' logs were like: when, and when the next are due. */
export type LogReads = NonNullable<Extract<Phase, { state: "Running" }>["logs"]>;

/**
 * Adds to the stored logs what running containers wrote since the last time, those that are due. Trouble with a log never drives the
 * job: it is read again later.
 *
 * @param observed `undefined` when the group was not observed just before; then those are read that ran when it was
 */
export async function captureRunning(
  deps: CaptureDeps,
  job: Job,
  observed: ObservedGroup | undefined,
  deadline: Deadline,
): Promise<LogReads> {
  const { phase } = job;
  const reads = new Map(Object.entries((hasContainers(phase) ? phase.logs : undefined) ?? {}));
  const now = deps.now();
  const names = observed?.containers
    .filter((observed) => observed.state !== "Terminated" && hasRun(observed))
    .map(({ name }) => name);
  const running = names ?? [...reads.keys()];
  const due = running.filter((name) => (reads.get(name)?.due ?? 0) <= now);
  const done = await eachInTime(due, atOnce, deadline.within(captureTime), (name) =>
    readAgain(deps, job, name, reads.get(name), observed),
  );
  const kept = [...reads].filter(([name]) => running.includes(name));
  const changed = due.map((name, index) => {
    const outcome = done[index] ?? "late";
    const { pause, lines } =
      outcome === "late" ? { pause: logPauseAfterFailure(undefined), lines: undefined } : outcome;
    const time = deps.now();
    // What was not read has grown since the last time that it was.
    const at = outcome !== "late" && outcome.read ? time : (reads.get(name)?.at ?? time);
    return [name, { at, due: time + pause, ...(lines === undefined ? {} : { lines }) }] as const;
  });
  return Object.fromEntries([...kept, ...changed]);
}

interface ReadAgain {
  readonly read: boolean;
  /** Until the next read, and how many lines that is to ask for. */
  readonly pause: number;
  readonly lines: number | undefined;
}

async function readAgain(
  deps: CaptureDeps,
  job: Job,
  name: string,
  before: LogReads[string] | undefined,
  group: ObservedGroup | undefined,
): Promise<ReadAgain> {
  const { id, attempt, startedAt } = job;
  const observed = group?.containers.find((candidate) => candidate.name === name);
  const container = observed?.state === "Running" ? "running" : "unknown";
  const restarted = (observed?.restartCount ?? 0) > 0;
  const failed = (retryAfter: number | undefined): ReadAgain => ({
    read: false,
    pause: logPauseAfterFailure(retryAfter),
    lines: undefined,
  });
  try {
    for (const tail of before?.lines === undefined ? [undefined] : [before.lines, undefined]) {
      const read = await readContainerLog(deps, job, name, false, tail);
      if (read.kind !== "value") return failed(read.kind === "unknown" ? read.retryAfter : undefined);
      const how = { container, restarted, part: tail !== undefined } as const;
      const { added, tooLittle } = await deps.blobs.logs.capture(id, attempt, name, read.value, how);
      if (tooLittle) continue;
      const now = deps.now();
      const age = Math.max(0, now - (observed?.startTime ?? startedAt ?? now));
      const lines = linesOf(added);
      const bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(textOf(line)) + 1, 0);
      const growth = { bytes, lines: lines.length, time: before === undefined ? age : now - before.at };
      const pause = logPause(growth, age, deps.settings.logInterval);
      return { read: true, pause, lines: linesAfter(pause, growth) };
    }
    return failed(undefined);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    deps.log("warn", "log not stored", { job: id, attempt, container: name, service: error.service });
    return failed(error.retryAfter);
  }
}

function viewOf(group: ObservedGroup | undefined, name: string, init: boolean): ObservedContainer | undefined {
  return group?.containers.find((candidate) => candidate.name === name && candidate.init === init);
}

/** Of main, and under `Never` of every container, the first end decides; one that waits for its restart has had its last end. */
function asObserved(container: ObservedContainer | undefined, { observed, restartPolicy }: Job, isMain: boolean) {
  if (container === undefined) return { state: "Unknown", restartCount: 0 } as const;
  const { name, init, state, startTime, detailStatus, restartCount } = container;
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
  const { exitCode, finishTime } = (state === "Waiting" && firstEndOf(container)) || container;
  return { state, restartCount, ...defined({ startTime, finishTime, exitCode, detailStatus }) };
}

/** One that waits for its restart has run too. */
function hasRun({ state, restartCount, previous }: ObservedContainer): boolean {
  return state === "Running" || state === "Terminated" || restartCount > 0 || previous !== undefined;
}

function withoutMarks(text: string): string {
  return linesOf(text)
    .filter((line) => !isMark(line))
    .join("\n");
}
