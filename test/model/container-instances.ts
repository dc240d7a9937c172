import type { CreateAnswer, DeleteAnswer } from "../../src/shared/job/arm-answers.ts";
import type { ListedGroup } from "../../src/shared/aci/arm-group.ts";
import { second } from "../../src/shared/base/duration.ts";
import type { InstallationTag } from "../../src/shared/aci/installation-tag.ts";
import type { Reason } from "../../src/shared/job/reasons.ts";
import type { JobTarget } from "../../src/shared/job/job.ts";
import type { Observation } from "../../src/shared/job/observation.ts";
import type { JsonObject } from "../../src/shared/base/json.ts";
import { groupOf, isStoppable, runs, observed, observedStrangely, type Group } from "./groups.ts";

/**
 * Container Instances in memory, with what makes it hard: a create is seen only some seconds after it took effect, its answer may get
 * lost and its effect come late, a deletion takes its time, groups vanish and are stopped by others.
 */

/**
 * How long a create that took effect is not seen: usually for seconds, now and then for longer than a look takes to come again. With a
 * create that lands late and with a flapping view it stays below the time that proves an absence.
 */
const commonLag = 4 * second;
const longLag = 90 * second;
export const maxFlapping = 40 * second;

/** The writes that ACI gets. */
export type Sent = "create" | "delete" | "stop";

/** What ACI answers to the next create: a refusal, or a failure of its own after which the group may be there all the same. */
export type Refusal = Extract<CreateAnswer, { kind: "refused" | "failed" }>;

/** Called with what is about to happen, to judge it. */
export interface Watcher {
  /** A write is sent. */
  sent(what: Sent, name: string): void;
  /** A create takes effect where `existing` is there. */
  created(group: Group, existing: Group | undefined): void;
  deleted(group: Group): void;
  /** A create of that group was refused. */
  refused(tags: Group["tags"], reason: Reason): void;
}

export class ContainerInstances {
  readonly #now: () => number;
  readonly #watcher: Watcher;
  readonly #random: () => number;
  readonly #groups = new Map<string, Group>();
  /** The next creates are answered so. */
  readonly refusals: Refusal[] = [];
  /** The next deletes and stops are refused so. */
  readonly deleteRefusals: Reason[] = [];
  /** The next look says words never seen before. */
  strange = 0;

  constructor(now: () => number, watcher: Watcher, random: () => number) {
    this.#now = now;
    this.#watcher = watcher;
    this.#random = random;
  }

  /** All that is there, whether reads see it or not. */
  get all(): readonly Group[] {
    const now = this.#now();
    for (const [key, { goneAt }] of this.#groups) if (goneAt !== undefined && goneAt <= now) this.#groups.delete(key);
    return [...this.#groups.values()];
  }

  at(place: string, name: string): Group | undefined {
    return this.all.find((group) => group.place === place && group.name.toLowerCase() === name.toLowerCase());
  }

  runs(group: Group): boolean {
    return runs(group, this.#now());
  }

  put(placed: JobTarget, name: string, body: JsonObject): CreateAnswer {
    const refused = this.refusals.shift();
    const lag = this.#random() < 0.3 ? longLag : commonLag;
    const group = groupOf(placed.resourceGroup, name, body, this.#now(), Math.floor(this.#random() * lag));
    if (refused !== undefined) this.#watcher.refused(group.tags, refused.reason);
    if (refused?.kind === "refused" || (refused !== undefined && this.#random() < 0.5)) return refused;
    // What an answered failure made nonetheless is seen at once: two looks soon after prove that nothing was made.
    const made = refused === undefined ? group : { ...group, visibleAt: this.#now() };
    this.#watcher.created(made, this.at(placed.resourceGroup, name));
    this.add(made);
    return refused ?? { kind: "accepted" };
  }

  /** By somebody else, or by `put`. */
  add(group: Group): void {
    this.#groups.set(`${group.place}/${group.name.toLowerCase()}`, group);
  }

  delete(placed: JobTarget, name: string): DeleteAnswer {
    const group = this.at(placed.resourceGroup, name);
    if (group === undefined || this.#isOverlooked(group)) return { kind: "absent" };
    const refused = this.#refusalOf(group, true);
    if (refused !== undefined) return refused;
    this.#watcher.deleted(group);
    group.goneAt ??= this.#now() + (this.runs(group) ? Math.floor(this.#random() * 20 * second) : 0);
    return { kind: "accepted" };
  }

  stop(placed: JobTarget, name: string): DeleteAnswer {
    const group = this.at(placed.resourceGroup, name);
    if (group === undefined || this.#isOverlooked(group)) return { kind: "absent" };
    const refused = this.#refusalOf(group, group.lockedWhole === true);
    if (refused !== undefined) return refused;
    if (group.stoppedAt === undefined && isStoppable(group, this.#now())) group.stoppedAt = this.#now();
    return { kind: "accepted" };
  }

  /** A write reads the same late view as reads do, now and then: then it says that nothing is there. */
  #isOverlooked(group: Group): boolean {
    return this.#now() < group.visibleAt && this.#random() < 0.5;
  }

  #refusalOf(group: Group, lockCounts: boolean): DeleteAnswer | undefined {
    const isLocked = lockCounts && this.#now() < (group.lockedUntil ?? 0);
    const reason = isLocked ? "ResourceLocked" : this.deleteRefusals.shift();
    if (reason === undefined) return undefined;
    group.refusedAt = this.#now();
    return { kind: "refused", reason, azure: undefined, retryAfter: isLocked ? undefined : 10 * second };
  }

  vanish({ place, name }: Group): void {
    this.#groups.delete(`${place}/${name.toLowerCase()}`);
  }

  look(placed: JobTarget, name: string, tag: InstallationTag): Observation {
    const group = this.at(placed.resourceGroup, name);
    const now = this.#now();
    if (group === undefined || now < group.visibleAt) return { group: "absent" };
    if (now < (group.flapsUntil ?? 0) && this.#random() < 0.7) return { group: "absent" };
    const check = { tag, place: { ...placed, name } };
    if (this.strange === 0) return { group: "present", ...observed(group, check, now) };
    this.strange--;
    return { group: "present", ...observedStrangely(group, check, now) };
  }

  list(place: string): readonly ListedGroup[] {
    const now = this.#now();
    return this.all
      .filter((group) => group.place === place && now >= group.visibleAt)
      .map(({ name, tags }) => ({ name, tags: { ...tags }, location: "westeurope", properties: {} }));
  }
}
