import { lastLinesAt, positionOf } from "../../shared/store/log-reader.ts";
import { LogCursor } from "../../shared/store/log-cursor.ts";
import type { LogPiece } from "../../shared/store/captured-logs.ts";
import { textOf, timeOf } from "../../shared/store/log-merge.ts";
import type { Deps } from "../../shared/deps.ts";
import { endingOf, hasContainers, hasEnded, type Job } from "../../shared/job/job.ts";
import { describe, sentence, waitingOf } from "../../shared/job/describe.ts";
import type { LiveLogs } from "../../shared/aci/live-logs.ts";

/** What of an attempt's logs is asked for. */
export interface Asked {
  readonly names: readonly string[];
  readonly attempt: number;
  /** Only the last lines of each container. */
  readonly tail: number | undefined;
  /** Only what was written since; milliseconds since 1970. */
  readonly since: number | undefined;
}

type ViewDeps = Pick<Deps, "attempts" | "blobs">;

/** One reader's view of the logs of an attempt: it goes on where it stopped. */
export class LogView {
  readonly #deps: ViewDeps;
  readonly #live: LiveLogs;
  readonly #asked: Asked;
  readonly #cursors = new Map<string, LogCursor>();
  /** Containers whose log Container Instances did not know when it was last asked for, or was not asked for yet. */
  readonly #gone = new Set<string>();
  /** With `tail`, by container: the last lines read so far, and whether they were handed out. */
  readonly #tails = new Map<string, { lines: readonly string[]; shown: boolean }>();

  constructor(deps: ViewDeps, live: LiveLogs, asked: Asked) {
    this.#deps = deps;
    this.#live = live;
    this.#asked = asked;
  }

  get names(): readonly string[] {
    return this.#asked.names;
  }

  get attempt(): number {
    return this.#asked.attempt;
  }

  /** The next attempt's logs, from their beginning. */
  ofNextAttempt(): LogView {
    const { names, attempt } = this.#asked;
    return new LogView(this.#deps, this.#live, { names, attempt: attempt + 1, tail: undefined, since: undefined });
  }

  hasShown(name: string): boolean {
    return this.#cursors.get(name)?.isEmpty === false;
  }

  /** False while every log can be read where it is written: then its containers run, or have only just ended. */
  get mayMoveOn(): boolean {
    return this.#gone.size > 0;
  }

  /**
   * A container's lines that came since the last time, with their timestamps, some at a time.
   *
   * @throws Unavailable when they can't be read now; a later call goes on with the first that was not handed out
   */
  async *lines(job: Job, name: string): AsyncGenerator<readonly string[]> {
    this.#gone.add(name);
    if (this.attempt === job.attempt && !mayHaveLogs(job)) return;
    const now = await this.#live.log(job, this.attempt, name);
    if (!now.isGone) this.#gone.delete(name);
    const cursor = this.#cursors.get(name) ?? new LogCursor(this.#deps.blobs.logs, (pieces) => this.#begin(pieces));
    this.#cursors.set(name, cursor);
    const { tail, since } = this.#asked;
    const wanted = (lines: readonly string[]): readonly string[] =>
      since === undefined ? lines : lines.filter((line) => (timeOf(line) ?? Infinity) >= since);
    const last = this.#tails.get(name) ?? { lines: [], shown: false };
    this.#tails.set(name, last);
    // All of it is stored: the cursor begins with the first of the last lines, so that they need not be counted.
    if (now.unstored === undefined && last.lines.length === 0) last.shown = true;
    if (tail === undefined || last.shown) {
      for await (const lines of cursor.next(now)) if (wanted(lines).length > 0) yield wanted(lines);
      return;
    }
    // What is not stored comes after what is, and both together are asked for.
    for await (const lines of cursor.next(now))
      last.lines = tail === 0 ? [] : [...last.lines, ...wanted(lines)].slice(-tail);
    last.shown = true;
    if (last.lines.length > 0) yield last.lines;
    last.lines = [];
  }

  /** Lines as text. With several containers the container's name is in front of each line. */
  shown(name: string, lines: readonly string[]): string {
    const front = this.names.length > 1 ? `${name} | ` : "";
    return lines.map((line) => `${front}${textOf(line)}\n`).join("");
  }

  /** Why a container's log has no line; `undefined` where the container just wrote nothing, or may yet. */
  async whyEmpty(job: Job, name: string): Promise<string | undefined> {
    if (this.#asked.tail === 0 || this.#asked.since !== undefined) return undefined;
    if (job.logsDropped) return "The captured logs were removed when their time was over.";
    const over = this.attempt < job.attempt || hasEnded(job.phase);
    if (!over) return job.phase.state === "Running" ? undefined : `${name} has not started: ${whyNot(job)}`;
    const result = await this.#deps.attempts.find(job.id, this.attempt);
    const container = result?.containers.find((each) => each.name === name);
    const started = container !== undefined && (container.startTime !== undefined || container.log !== "missing");
    if (!started) return `${name} never started: ${endOf(job, this.attempt)}`;
    return container.log === "missing" ? `The log of ${name} is missing: it could not be read or stored.` : undefined;
  }

  #begin(pieces: readonly LogPiece[]): Promise<number> {
    const { logs } = this.#deps.blobs;
    const { tail, since } = this.#asked;
    if (tail !== undefined) return lastLinesAt(logs, pieces, tail);
    return since === undefined ? Promise.resolve(pieces.at(0)?.start ?? 0) : positionOf(logs, pieces, since);
  }
}

/** Before its containers run, an attempt has no logs. */
function mayHaveLogs({ phase }: Job): boolean {
  return hasContainers(phase) || hasEnded(phase) || endingOf(phase) !== undefined;
}

function whyNot(job: Job): string {
  const waiting = waitingOf(job);
  if (job.phase.state === "Queued" || waiting === undefined) return describe(job);
  return `${describe(job)} (${waiting.reason})`;
}

function endOf(job: Job, attempt: number): string {
  const ended = job.attempts.find(({ number }) => number === attempt);
  if (ended) return sentence(job.name, ended.state, ended.verdict);
  return describe(job);
}

/** Between the logs of two attempts. */
export function attemptEnded(job: Job, attempt: number): string {
  const { verdict } = job.attempts.find(({ number }) => number === attempt) ?? {};
  const why =
    verdict === undefined
      ? ""
      : `: ${verdict.reason}${verdict.exitCode === undefined ? "" : ` (${verdict.container ?? "a container"} exit ${verdict.exitCode})`}`;
  return `Attempt ${attempt} ended${why}. Attempt ${attempt + 1} follows.`;
}
