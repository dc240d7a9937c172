import { second } from "../base/duration.ts";
import { Unreadable } from "../base/errors.ts";
import type { GroupName, JobId } from "../base/ids.ts";
import { TtlCache } from "../base/ttl-cache.ts";
import { hasEnded, type Job, type JobTarget, type Typical } from "../job/job.ts";
import { expectedEndOf, typicalTime } from "../job/typical.ts";
import { teamMemberOf } from "../store/group-entries.ts";
import type { ExpectedEnd } from "../store/job-index.ts";
import type { JobStore } from "../store/jobs.ts";
import { expectedStarts } from "./expected-starts.ts";
import type { Groups } from "./groups.ts";
import { createQueue, regionQueueIn } from "./region-queues.ts";
import type { Budget } from "./rate-budget.ts";

/** Where a job stands in the line for what it waits for, in the order in which the line would be called. */
export interface Standing {
  /** From 1. */
  readonly position: number;
  /** How many stand in the line, up to {@link maxStanding}. */
  readonly of: number;
  /** When its create is expected to be sent, in milliseconds since 1970; where one can be expected. */
  readonly expectedStartAt?: number;
}

/** How many of a line are counted, and of those that hold what it waits for. */
const maxStanding = 1000;
/** How old a copy of a line may be. */
const copyTime = 15 * second;
/** How many copies an instance keeps: one for each line that somebody asked for lately. */
const maxCopies = 100;

/** A line as an instance has read it: who stands in it, in order, and when each is expected to start. */
interface Copy {
  readonly ids: readonly JobId[];
  readonly starts: readonly (number | undefined)[];
}

/** What a job waits for in a line. */
type WaitQueue =
  | { readonly kind: "name"; readonly key: string; readonly groupName: GroupName }
  | { readonly kind: "group"; readonly key: string; readonly group: string }
  /** A line of the region's own, or the lines of all teams, which share its creates. */
  | { readonly kind: "creates" | "shared creates"; readonly key: string; readonly placed: JobTarget }
  | { readonly kind: "other"; readonly key: string };

interface WaitQueuesOptions {
  readonly jobs: JobStore;
  readonly groups: Groups;
  readonly budget: Budget;
  readonly now: () => number;
}

/** Copies of wait queues, so that a status stays one read: each instance reads a line only when somebody asks, and at most every 15 s. */
export class WaitQueues {
  readonly #options: WaitQueuesOptions;
  readonly #copies: TtlCache<Copy>;
  readonly #typical: TtlCache<Typical | undefined>;

  constructor(options: WaitQueuesOptions) {
    const { now } = options;
    this.#options = options;
    this.#copies = new TtlCache({ time: copyTime, max: maxCopies, now });
    this.#typical = new TtlCache({ time: copyTime, max: maxCopies, now });
  }

  /** `undefined` for a job that stands in no line, entered it after it was read, or stands behind the first thousand. */
  async standing(job: Job): Promise<Standing | undefined> {
    const queue = queueOf(job);
    if (queue === undefined) return undefined;
    const { ids, starts } = await this.#copies.get(queue.key, () => this.#read(queue));
    const at = ids.indexOf(job.id);
    if (at === -1) return undefined;
    const expectedStartAt = starts[at];
    return { position: at + 1, of: ids.length, ...(expectedStartAt === undefined ? {} : { expectedStartAt }) };
  }

  /** How long jobs of a name take. */
  typical(name: GroupName): Promise<Typical | undefined> {
    return this.#typical.get(name.toLowerCase(), async () => (await this.#options.jobs.index.historyOf(name)).typical);
  }

  async #read(queue: WaitQueue): Promise<Copy> {
    const now = this.#options.now();
    switch (queue.kind) {
      case "creates": {
        const ids = await this.#order(queue.key);
        return { ids, starts: await this.#options.budget.nextCreates(queue.placed, ids.length, now) };
      }
      case "shared creates":
        return this.#readShared(queue.key, queue.placed, now);
      case "group":
        return this.#readGroup(queue.group, now);
      case "name":
        return this.#readName(queue.groupName, now);
      case "other":
        return { ids: await this.#order(queue.key), starts: [] };
    }
  }

  /** Who stands in a line, in the order in which it would be called now. */
  #order(queue: string): Promise<readonly JobId[]> {
    return this.#options.jobs.index.waiting(queue, maxStanding);
  }

  /** The lines of all teams as one, in the order in which they would be called up. */
  async #readShared(key: string, placed: JobTarget, now: number): Promise<Copy> {
    const { jobs, budget } = this.#options;
    const waiting = new Map<string, JobId[]>();
    for await (const name of jobs.index.lines(`${key}~`)) {
      const line = regionQueueIn(name);
      if (line !== undefined) waiting.set(line.team, [...(await this.#order(name))]);
    }
    const counts = new Map([...waiting].map(([team, { length }]) => [team, length]));
    const calls = await budget.expectedCalls(placed, counts, maxStanding, now);
    const called = calls.flatMap(({ team, at }) => {
      const id = waiting.get(team)?.shift();
      return id === undefined ? [] : [{ id, at }];
    });
    return { ids: called.map(({ id }) => id), starts: called.map(({ at }) => at) };
  }

  async #readGroup(group: string, now: number): Promise<Copy> {
    const { groups, jobs } = this.#options;
    const [{ entry, queue }, holders] = await Promise.all([
      groups.view(group, maxStanding + 1),
      jobs.index.expectedEnds(group, maxStanding),
    ]);
    const ids = queue.map(({ id }) => id);
    const time = medianTime(holders);
    if (time === undefined || entry?.paused) return { ids, starts: [] };
    const ends = holders.map(({ to }) => Math.max(now, to));
    const { held = 0, limit: most = Infinity } = entry ?? {};
    return { ids, starts: expectedStarts(queue, { held, most, ends, time }, now) };
  }

  async #readName(groupName: GroupName, now: number): Promise<Copy> {
    const [ids, holder] = await Promise.all([this.#order(groupName), this.#holderOf(groupName)]);
    const time = typicalTime(holder?.typical);
    if (holder === undefined || time === undefined) return { ids, starts: [] };
    const end = hasEnded(holder.phase) ? now : expectedEndOf(holder);
    const ends = end === undefined ? [] : [Math.max(now, end)];
    const waiters = ids.map(() => ({ limit: 1 }));
    return { ids, starts: expectedStarts(waiters, { held: 1, most: 1, ends, time }, now) };
  }

  /** The job that has a name; one that can't be read says nothing. */
  async #holderOf(groupName: GroupName): Promise<Job | undefined> {
    const { jobs } = this.#options;
    const lock = await jobs.index.lockOf(groupName);
    try {
      return lock && (await jobs.peek(lock.lockedBy))?.job;
    } catch (error) {
      if (error instanceof Unreadable) return undefined;
      throw error;
    }
  }
}

function queueOf(job: Job): WaitQueue | undefined {
  const { phase, groupName, options, line, placed } = job;
  if (phase.state !== "Queued" || phase.waiting === undefined) return undefined;
  const { reason } = phase.waiting;
  if (reason === "NameBusy") return { kind: "name", key: groupName.toLowerCase(), groupName };
  if (reason === "GroupFull" && options.group !== undefined)
    return { kind: "group", key: `group ${options.group}`, group: options.group };
  if (reason === "TeamFull") {
    const { group } = teamMemberOf(job, Infinity);
    return { kind: "group", key: `group ${group}`, group };
  }
  if (line === undefined) return undefined;
  if (reason !== "CreateLimit" || placed === undefined) return { kind: "other", key: line };
  const region = createQueue(placed);
  return { kind: line === region ? "creates" : "shared creates", key: region, placed };
}

function medianTime(holders: readonly ExpectedEnd[]): number | undefined {
  const times = holders.map(({ from, to }) => to - from).sort((a, b) => a - b);
  return times[Math.floor((times.length - 1) / 2)];
}
