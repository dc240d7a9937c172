import type { Team } from "../config/teams.ts";
import type { Job } from "../job/job.ts";
import { isTeamGroup, teamGroup, teamMemberOf, type Member, type Queued } from "../store/group-entries.ts";

/** The ceilings of teams: a team's slots are held as a group's are, and its limit is the setting's at any time. */
export class TeamSlots {
  readonly #limits: ReadonlyMap<string, number>;

  constructor(teams: readonly Team[]) {
    this.#limits = new Map(teams.flatMap(({ name, limit }) => (limit === undefined ? [] : [[teamGroup(name), limit]])));
  }

  get areLimited(): boolean {
    return this.#limits.size > 0;
  }

  /** A job of a team that has a ceiling; also one that took a slot when it had. */
  memberOf(job: Pick<Job, "id" | "name" | "createdAt" | "options" | "teamSlot" | "array">): Member | undefined {
    if (job.array !== undefined) return undefined;
    const member = teamMemberOf(job, Infinity);
    const limit = this.#limits.get(member.group);
    return limit === undefined && !job.teamSlot ? undefined : { ...member, limit: limit ?? Infinity };
  }

  /** Whether jobs of a group must hold slots. */
  isLimited(group: string): boolean {
    return this.#limits.has(group);
  }

  limitOf(group: string): number {
    return this.#limits.get(group) ?? Infinity;
  }

  /** A job in a team's line waits for what the limit is now. */
  withLimit(waiter: Queued): Queued {
    return isTeamGroup(waiter.group) ? { ...waiter, limit: this.limitOf(waiter.group) } : waiter;
  }
}
