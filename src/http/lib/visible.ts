import type { InvocationContext } from "@azure/functions";
import { Unreadable, type Refusal } from "../../shared/base/errors.ts";
import { childJobId, parseJobId, type JobId } from "../../shared/base/ids.ts";
import { defaultTeam } from "../../shared/config/teams.ts";
import type { Job, Packing } from "../../shared/job/job.ts";
import { teamOf } from "../../shared/intake/team.ts";
import { arrayPartition } from "../../shared/store/job-row.ts";
import type { JobStore, Stored } from "../../shared/store/jobs.ts";
import { teamIn, type JobColumns, type JobFilter } from "../../shared/store/job-filter.ts";
import { openTeamsOf } from "./auth.ts";

/** How many jobs are read at once. */
const width = 16;

/**
 * The guard of teams: every handler that is asked for jobs reads them through here, so that a caller sees, and steers, those of its own
 * teams alone. Another team's job is as unknown as one that never was. A test keeps handlers from reading the store themselves.
 */
export class VisibleJobs {
  readonly #jobs: JobStore;
  readonly #teams: readonly string[] | undefined;

  constructor(jobs: JobStore, context: InvocationContext, what: "sees" | "steers" = "sees") {
    this.#jobs = jobs;
    this.#teams = openTeamsOf(context, what);
  }

  find(id: JobId): Promise<Stored | undefined> {
    return this.#ifOpen(() => this.#jobs.find(id));
  }

  peek(id: JobId): Promise<Stored | undefined> {
    return this.#ifOpen(() => this.#jobs.peek(id));
  }

  /** The pack that has an item of an array, or had it last. */
  async packOf(array: Job, { packs }: Packing, index: number): Promise<JobId | undefined> {
    const live = packs.find(({ items }) => items.includes(index));
    if (live !== undefined) return childJobId(array.id, array.createdAt, live.number);
    return this.#jobs.packOf(array, index);
  }

  /** A name means its newest job. */
  findByIdOrName(idOrName: string): Promise<Stored | undefined> {
    const id = parseJobId(idOrName);
    if (id !== undefined) return this.peek(id);
    if (!/^[a-z0-9-]{1,63}$/i.test(idOrName)) return Promise.resolve(undefined);
    return this.#ifOpen(() => this.#jobs.peekNewest(idOrName, this.#teams));
  }

  async columns(id: JobId): Promise<JobColumns | undefined> {
    const columns = await this.#jobs.columns(id);
    return columns !== undefined && this.#isOpen(teamIn(columns)) ? columns : undefined;
  }

  /** The jobs of a name that have not ended, up to a number. A reservation whose row is not there is no job yet, or never. */
  async activeOf(name: string, max: number): Promise<readonly JobId[]> {
    const ids = await this.#jobs.index.activeOf(name);
    const active: JobId[] = [];
    for (let at = 0; at < ids.length && active.length < max; at += width) {
      const peeked = await Promise.all(ids.slice(at, at + width).map((id) => this.peek(id)));
      active.push(...peeked.flatMap((stored) => stored?.job.id ?? []));
    }
    return active.slice(0, max);
  }

  /**
   * The same filter, for the caller's jobs alone.
   *
   * @param array whose children are meant
   * @returns `nothing` for an array that the caller does not see, and for a job that is not one
   */
  async within(filter: JobFilter, array?: string): Promise<JobFilter | "nothing"> {
    if (array === undefined) return { ...filter, teams: this.#teams };
    const id = parseJobId(array);
    const parent = id && (await this.peek(id));
    if (parent?.job.array === undefined) return "nothing";
    const partition = arrayPartition(parent.job.id, parent.job.createdAt);
    return { ...filter, teams: this.#teams, array: { id: parent.job.id, partition } };
  }

  /** Whether an entry that names its job's team is shown. */
  shows({ team }: { readonly team?: string | undefined }): boolean {
    return this.#isOpen(team ?? defaultTeam);
  }

  get seesAll(): boolean {
    return this.#teams === undefined;
  }

  /** The same for callers who may see the same. */
  get key(): readonly string[] | undefined {
    return this.#teams;
  }

  #isOpen(team: string): boolean {
    return this.#teams?.includes(team) !== false;
  }

  async #ifOpen(read: () => Promise<Stored | undefined>): Promise<Stored | undefined> {
    try {
      const stored = await read();
      return stored !== undefined && this.#isOpen(teamOf(stored.job)) ? stored : undefined;
    } catch (error) {
      // Its columns tell whose it is.
      const isHidden = error instanceof Unreadable && (await this.columns(error.id)) === undefined;
      if (this.#teams !== undefined && isHidden) return undefined;
      throw error;
    }
  }
}

/** Whether a caller may read what belongs to no team. */
export function seesEverything(context: InvocationContext): boolean {
  return openTeamsOf(context, "sees") === undefined;
}

export const notEverybodys: Refusal = {
  code: "Forbidden",
  message: "Forbidden: this belongs to no team; it needs the app role Job.Read.All or Job.Operate.",
};
