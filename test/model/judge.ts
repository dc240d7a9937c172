import { minute } from "../../src/shared/base/duration.ts";
import { tagNames } from "../../src/shared/aci/arm-group.ts";
import type { Accepted } from "../../src/shared/intake/accept.ts";
import type { Result } from "../../src/shared/base/errors.ts";
import { nameKey, parseJobId, type JobId } from "../../src/shared/base/ids.ts";
import { endingOf, hasEnded, terminalStates, type Job } from "../../src/shared/job/job.ts";
import type { Reason } from "../../src/shared/job/reasons.ts";
import type { Caller, Post } from "./callers.ts";
import type { Sent, Watcher } from "./container-instances.ts";
import type { Group } from "./groups.ts";
import { jobOf, Ledger } from "./ledger.ts";
import { Listeners } from "./listeners.ts";
import { countsRow } from "../../src/shared/store/job-row.ts";
import { counted, made, rerunRefused } from "./promises/arrays.ts";
import { answerAllowed, postRefused, replacesInTime } from "./promises/conflicts.ts";
import { attemptEnded, ended, retried } from "./promises/ends.ts";
import { createdRightly, deletedRightly, gone, sentRightly } from "./promises/groups.ts";
import { allSettled, allDone, nextCheck, unfinished } from "./promises/settled.ts";
import { endObservedInTime, notTooEarly, notTooLate, resumedInTime, waitedForSomething } from "./promises/times.ts";
import { calledUpInTime } from "./promises/teams.ts";
import type { Entity } from "./tables.ts";
import type { World } from "./world.ts";

/** What the service promises (contract §6, and the options of §2), looked at whenever something happens. */
export class Judge implements Watcher {
  readonly #ledger: Ledger;
  readonly listeners: Listeners;
  readonly #deployments = new Map<string, number>();

  constructor(world: World) {
    this.#ledger = new Ledger(world);
    this.listeners = new Listeners(this.#ledger);
  }

  get violations(): readonly string[] {
    return this.#ledger.violations;
  }

  get rows(): readonly Job[] {
    return this.#ledger.rows;
  }

  /** The groups that are there and belong to our jobs. */
  get groups(): readonly Group[] {
    return this.#ledger.world.aci.all.filter((group) => this.jobOf(group) !== undefined);
  }

  jobOf({ tags }: Group): Job | undefined {
    return this.#ledger.job(tags[tagNames.job] ?? "");
  }

  get paused(): boolean {
    return this.#ledger.pausedSince !== undefined;
  }

  violated(what: string): void {
    this.#ledger.violated(what);
  }

  // ----------------------------------------------------------------------------------------------------- who did what

  answered(caller: Caller, since: number, answer: Result<Accepted>): void {
    if (answer.ok && this.#ledger.job(answer.value.job.id) === undefined) this.violated("accepted without a row");
    answerAllowed(this.#ledger, caller, since, answer);
    if (answer.ok) this.listeners.promised(caller.address, answer.value.job.id);
  }

  rerunRefused(job: Job, code: string): void {
    rerunRefused(this.#ledger, job, code);
  }

  posted(post: Post): void {
    this.#ledger.posts.push(post);
  }

  /** When something was last posted under an id. */
  postedAt(id: JobId): number | undefined {
    return this.#ledger.posts.findLast((post) => post.id === id)?.at;
  }

  /** Ids that posters chose, or can compute from their messages. */
  get postedIds(): readonly JobId[] {
    return this.#ledger.posts.map(({ id }) => id);
  }

  read(id: JobId): void {
    this.#ledger.reads.set(id, this.#ledger.now);
  }

  canceled(id: JobId): void {
    this.#ledger.canceled.add(id);
  }

  preferred(id: JobId): void {
    this.#ledger.preferred.add(id);
  }

  canceledMany(): void {
    this.#ledger.manyCanceledAt = this.#ledger.now;
  }

  interferedWith(group: Group): void {
    const id = parseJobId(group.tags[tagNames.job] ?? "");
    if (id) this.#ledger.interfered.add(id);
  }

  foreign(name: string): void {
    this.#ledger.foreignNames.add(nameKey(name));
  }

  /** A host is given work. */
  began(): void {
    this.#ledger.began();
  }

  /** From now on nothing goes wrong. */
  quiet(): void {
    this.#ledger.quietSince = this.#ledger.now;
  }

  // ------------------------------------------------------------------------------------------------------- the tables

  written(table: string, before: Entity | undefined, after: Entity | undefined): void {
    if (table === "control") this.#control(before, after);
    if (table !== "jobs") return;
    if ((after ?? before)?.rowKey === countsRow) {
      counted(this.#ledger, before, after);
      return;
    }
    if (after === undefined) {
      this.violated("a row was removed");
      return;
    }
    if (isRefusal(after)) {
      if (before === undefined) postRefused(this.#ledger, jobOf(after));
      this.listeners.refused(jobOf(after).id);
      return;
    }
    this.#ledger.noted(after);
    if (isTerminal(before) && ["state", "exitCode", "reason"].some((column) => before?.[column] !== after[column]))
      this.violated(`terminal ${String(before?.["state"])} became ${String(after["state"])} of ${String(after["id"])}`);
    if (before === undefined) made(this.#ledger, jobOf(after));
    else this.#changed(jobOf(before), jobOf(after), before, after);
  }

  #control(before: Entity | undefined, after: Entity | undefined): void {
    if ((after ?? before)?.rowKey !== "pause") return;
    if (after === undefined) this.#ledger.resume();
    else this.#ledger.pause();
  }

  #changed(before: Job, after: Job, { groupDeleted: was }: Entity, { groupDeleted: is }: Entity): void {
    const ledger = this.#ledger;
    notTooLate(ledger, before);
    endObservedInTime(ledger, before);
    resumedInTime(ledger, before, after);
    replacesInTime(ledger, before);
    calledUpInTime(ledger, before);
    if (after.attempt > before.attempt) {
      gone(ledger, after.id, `attempt ${after.attempt} began`);
      attemptEnded(ledger, after, before.attempt);
      retried(ledger, before, after);
    }
    if (is === true && was !== true) gone(ledger, after.id, "groupDeleted was reported");
    const decided = endingOf(after.phase);
    if (decided !== undefined && endingOf(before.phase) === undefined)
      notTooEarly(ledger, after, decided.verdict.reason, decided.since);
    if (hasEnded(after.phase) && !hasEnded(before.phase)) {
      if (endingOf(before.phase) === undefined)
        notTooEarly(ledger, after, after.phase.verdict.reason, after.phase.finishedAt);
      waitedForSomething(ledger, before, after.phase.verdict.reason);
      ended(ledger, before, after, after.phase);
    }
  }

  // ------------------------------------------------------------------------------------------------------------- ACI

  sent(what: Sent, name: string): void {
    sentRightly(this.#ledger, what, name);
  }

  created(group: Group, existing: Group | undefined): void {
    const key = `${group.tags[tagNames.job] ?? ""} ${group.tags[tagNames.attempt] ?? ""}`;
    const deployments = (this.#deployments.get(key) ?? 0) + 1;
    this.#deployments.set(key, deployments);
    createdRightly(this.#ledger, group, existing, deployments);
    this.#ledger.groupMade(group);
  }

  refused({ [tagNames.job]: id = "" }: Group["tags"], reason: Reason): void {
    this.#ledger.refused(id, reason);
  }

  deleted(group: Group): void {
    this.#ledger.lastGroupAt = this.#ledger.now;
    deletedRightly(this.#ledger, group);
  }

  // --------------------------------------------------------------------------------------------------------- the end

  allDone(): boolean {
    return allDone(this.#ledger) && !this.listeners.isDue;
  }

  unfinished(): string {
    return unfinished(this.#ledger);
  }

  nextCheck(): number {
    return Math.min(nextCheck(this.#ledger), this.listeners.isDue ? this.#ledger.now + minute : Infinity);
  }

  /** After everything has come to rest. */
  verdict(): void {
    allSettled(this.#ledger);
    this.listeners.settled();
  }
}

/** The row of a message whose job was refused. */
function isRefusal(row: Entity): boolean {
  return jobOf(row).containers.length === 0;
}

function isTerminal(row: Entity | undefined): boolean {
  return terminalStates.some((state) => state === row?.["state"]);
}
