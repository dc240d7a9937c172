import { tagNames } from "../../src/shared/aci/arm-group.ts";
import { minute } from "../../src/shared/base/duration.ts";
import { nameKey, parseJobId, type JobId } from "../../src/shared/base/ids.ts";
import { endingOf, hasEnded, type Job } from "../../src/shared/job/job.ts";
import type { Reason } from "../../src/shared/job/reasons.ts";
import type { Post } from "./callers.ts";
import type { Group } from "./groups.ts";
import { isTaggedOurs, maxSkew } from "./settings.ts";
import type { Entity } from "./tables.ts";
import type { World } from "./world.ts";

/** What happened, as far as it decides what may happen: written down for the judge. */
export class Ledger {
  readonly violations: string[] = [];
  readonly world: World;
  /** Jobs whose groups somebody else stopped or removed. */
  readonly interfered = new Set<JobId>();
  readonly canceled = new Set<JobId>();
  /** Jobs to which somebody gave another priority. */
  readonly preferred = new Set<string>();
  /** When all jobs of a kind were last canceled. */
  manyCanceledAt = -Infinity;
  /** Names that somebody else's group ever had. */
  readonly foreignNames = new Set<string>();
  /** When a job's own `Location` was last answered. */
  readonly reads = new Map<JobId, number>();
  /** Times in which nobody could look at a job, by the job. */
  readonly #outages = new Map<JobId, { from: number; to: number }[]>();
  /** When a group was last created or deleted. */
  lastGroupAt = -Infinity;
  /** Why creates of a job were refused, one after another. */
  readonly #refusals = new Map<string, Reason[]>();
  /** The group of each attempt, kept when it is gone. */
  readonly #groups = new Map<string, Group>();
  readonly posts: Post[] = [];
  pausedSince: number | undefined;
  resumedAt = 0;
  /** Those that were shown as waiting for that. */
  resumed: ReadonlySet<string> = new Set();
  /** Since then nothing goes wrong any more. */
  quietSince = Infinity;
  readonly #rows = new Map<string, Entity>();
  /** When the row was written first; a job may be older, by its message's time. */
  readonly #bornAt = new Map<string, number>();
  #lastBegin: number;

  constructor(world: World) {
    this.world = world;
    this.#lastBegin = world.now;
  }

  get now(): number {
    return this.world.now;
  }

  violated(what: string): void {
    this.violations.push(`at ${this.now}: ${what}`);
  }

  // ------------------------------------------------------------------------------------------------------------- jobs

  noted(row: Entity): void {
    const id = String(row["id"]);
    this.#rows.set(id, row);
    if (!this.#bornAt.has(id)) this.#bornAt.set(id, this.now);
  }

  get rows(): readonly Job[] {
    return [...this.#rows.values()].map(jobOf);
  }

  job(id: string): Job | undefined {
    const row = this.#rows.get(id);
    return row && jobOf(row);
  }

  /** Others whose groups have its name. */
  sharing({ id, groupName }: Job): readonly Job[] {
    const key = nameKey(groupName);
    return this.rows.filter((other) => other.id !== id && nameKey(other.groupName) === key);
  }

  groupsOf(id: string): Group[] {
    return this.world.aci.all.filter(({ tags }) => tags[tagNames.job] === id && isTaggedOurs(tags));
  }

  refused(id: string, reason: Reason): void {
    this.#refusals.set(id, [...this.refusalsOf(id), reason]);
  }

  refusalsOf(id: string): readonly Reason[] {
    return this.#refusals.get(id) ?? [];
  }

  groupMade(group: Group): void {
    this.lastGroupAt = this.now;
    this.#groups.set(`${group.tags[tagNames.job] ?? ""} ${group.tags[tagNames.attempt] ?? ""}`, group);
  }

  /** What an attempt really made, whether it was ever seen or not. */
  groupOf(id: string, attempt: number): Group | undefined {
    return this.#groups.get(`${id} ${attempt}`);
  }

  index(prefix: string): Entity[] {
    return [...this.world.table("jobindex").all()].filter(({ rowKey }) => rowKey.startsWith(prefix));
  }

  wasInterfered(id: string): boolean {
    const parsed = parseJobId(id);
    return parsed !== undefined && this.interfered.has(parsed);
  }

  /** Whether somebody may have canceled it by its id or a joined poster's, or the array whose child it is. */
  mayBeCanceled({ id, createdAt, child, joined }: Job): boolean {
    const array = child && this.job(child.array);
    if (array !== undefined && this.mayBeCanceled(array)) return true;
    return (
      [id, ...joined.map((each) => each.id)].some((each) => each !== undefined && this.canceled.has(each)) ||
      createdAt <= this.manyCanceledAt + maxSkew
    );
  }

  // ------------------------------------------------------------------------------------------------------------- time

  pause(): void {
    this.pausedSince ??= this.now;
  }

  resume(): void {
    this.pausedSince = undefined;
    this.resumedAt = this.now;
    const waiting = this.index("job_").filter(({ reason }) => reason === "Paused");
    this.resumed = new Set(waiting.map(({ rowKey }) => rowKey.slice("job_".length)));
  }

  /**
   * When something that is due at a time must have been done: at once while all is well, with room for a look or two. With the queue
   * of looks or the timer taken away it comes later.
   */
  latest({ id }: Job, dueAt: number): number {
    if (this.world.without === "queue" || this.world.without === "timer") return Infinity;
    return Math.max(dueAt, this.quietSince, this.#bornAt.get(id) ?? 0) + margin;
  }

  /** A host begins to work; until now nobody did. */
  began(): void {
    for (const { id, options, lookAt, phase } of this.rows) {
      if (options.lease === undefined || hasEnded(phase) || endingOf(phase)) continue;
      const from = Math.max(this.#lastBegin, lookAt + maxSkew);
      if (this.now < from + shortestOutage) continue;
      this.#outages.set(id, [...(this.#outages.get(id) ?? []), { from, to: this.now }]);
    }
    this.#lastBegin = this.now;
  }

  /** How much of the time since then was an outage of the service. */
  outageOf(id: JobId, since: number): number {
    const list = this.#outages.get(id) ?? [];
    return list.reduce((sum, { from, to }) => sum + Math.max(0, to - Math.max(from, since) - maxSkew), 0);
  }
}

const margin = 8 * minute;
/** A look that is late by less is no outage. */
const shortestOutage = 2 * minute + 2 * maxSkew;

const read = new WeakMap<Entity, Job>();

/** Read once: a row is never changed, only replaced. */
export function jobOf(row: Entity): Job {
  const known = read.get(row);
  if (known) return known;
  const job = JSON.parse(String(row["record"])) as Job; // our own code wrote it, and here it is short
  read.set(row, job);
  return job;
}
