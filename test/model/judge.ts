import { tagNames } from "../../src/shared/arm-group.ts";
import { nameKey, parseJobId, type JobId } from "../../src/shared/ids.ts";
import { endingOf, hasEnded, terminalStates, type Job } from "../../src/shared/job.ts";
import { minute } from "../../src/shared/backoff.ts";
import type { Group, Watcher } from "./container-instances.ts";
import type { Entity } from "./tables.ts";
import { installation, type Spec, type World } from "./world.ts";

/** What the service promises (contract §6), looked at whenever something happens. */
export class Judge implements Watcher {
  readonly violations: string[] = [];
  readonly #world: World;
  readonly #specs = new Map<JobId, Spec>();
  readonly #interfered = new Set<JobId>();
  /** Names that somebody else's group ever had. */
  readonly #foreignNames = new Set<string>();
  readonly #deployments = new Map<string, number>();
  readonly #rows = new Map<string, Entity>();
  #posted = 0;

  constructor(world: World) {
    this.#world = world;
  }

  violated(what: string): void {
    this.violations.push(`at ${this.#world.now}: ${what}`);
  }

  submitted(id: JobId, spec: Spec): void {
    this.#specs.set(id, spec);
    if (this.job(id) === undefined) this.violated("accepted without a row");
  }

  posted(_spec: Spec): void {
    this.#posted++;
  }

  interfered(id: JobId): void {
    this.#interfered.add(id);
  }

  #lost(id: string): boolean {
    const parsed = parseJobId(id);
    return parsed !== undefined && this.#interfered.has(parsed);
  }

  interferedWith(group: Group): void {
    const id = parseJobId(group.tags[tagNames.job] ?? "");
    if (id) this.#interfered.add(id);
  }

  foreign(name: string): void {
    this.#foreignNames.add(nameKey(name));
  }

  // ------------------------------------------------------------------------------------------------------- looking up

  get rows(): readonly Job[] {
    return [...this.#rows.values()].map(jobOf);
  }

  job(id: string): Job | undefined {
    const row = this.#rows.get(id);
    return row && jobOf(row);
  }

  #groupsOf(id: string): Group[] {
    return this.#world.aci.all.filter(
      ({ tags }) => tags[tagNames.job] === id && tags[tagNames.installation] === installation,
    );
  }

  #index(prefix: string): Entity[] {
    return [...this.#world.table("jobindex").all()].filter(({ rowKey }) => rowKey.startsWith(prefix));
  }

  // ----------------------------------------------------------------------------------------------------- the table

  written(table: string, before: Entity | undefined, after: Entity | undefined): void {
    if (table !== "jobs") return;
    if (after === undefined) {
      this.violated("a row was removed");
      return;
    }
    const { id, state, attempt } = after;
    this.#rows.set(String(id), after);
    if (
      isTerminal(before) &&
      (before?.["state"] !== state ||
        before?.["exitCode"] !== after["exitCode"] ||
        before?.["reason"] !== after["reason"])
    ) {
      this.violated(`terminal ${String(before?.["state"])} became ${String(state)} of ${String(id)}`);
    }
    if (before === undefined) return;
    if (Number(attempt) > Number(before["attempt"])) this.#mustBeGone(String(id), `attempt ${String(attempt)} began`);
    if (after["groupDeleted"] === true && before["groupDeleted"] !== true)
      this.#mustBeGone(String(id), "groupDeleted was told");
    if (isTerminal(after) && !isTerminal(before)) this.#endedNow(jobOf(before), jobOf(after));
  }

  #mustBeGone(id: string, when: string): void {
    if (this.#groupsOf(id).length > 0) this.violated(`${when} while a group of ${id} is there`);
  }

  #endedNow(before: Job, after: Job): void {
    const running = this.#groupsOf(after.id).some((group) => this.#world.aci.runs(group));
    const since = endingOf(before.phase)?.since;
    const gaveUp = since !== undefined && this.#world.now >= since + 14 * minute;
    if (running && !gaveUp) this.violated(`${after.id} became ${after.phase.state} while its group runs`);
  }

  // ------------------------------------------------------------------------------------------------------------- ACI

  sent(what: "create" | "delete" | "stop" | "tag", name: string): void {
    const claimed = this.rows.some(
      ({ groupName, claimUntil }) =>
        nameKey(groupName) === nameKey(name) && claimUntil !== undefined && claimUntil > this.#world.now - 5000,
    );
    const orphan = this.#world.aci.all.some(
      (group) => nameKey(group.name) === nameKey(name) && this.job(group.tags[tagNames.job] ?? "") === undefined,
    );
    if (!claimed && !(what === "delete" && orphan)) this.violated(`a ${what} of ${name} was sent without a claim`);
  }

  created(group: Group, existing: Group | undefined): void {
    const id = group.tags[tagNames.job] ?? "";
    const attempt = Number(group.tags[tagNames.attempt]);
    const key = `${id} ${attempt}`;
    const deployments = (this.#deployments.get(key) ?? 0) + 1;
    this.#deployments.set(key, deployments);
    // One that vanished before it was ever seen can't be told from one that never was.
    if (deployments > 1 && !this.#lost(id))
      this.violated(`attempt ${attempt} of ${id} was started ${deployments} times`);
    if (existing)
      this.violated(`a create of ${id} went over a group of ${existing.tags[tagNames.job] ?? "somebody else"}`);
    const job = this.job(id);
    if (job === undefined) {
      this.violated(`a group was created for ${id}, which has no row`);
      return;
    }
    if (hasEnded(job.phase)) this.violated(`a group was created for ${id} after its end`);
    if (job.attempt !== attempt) this.violated(`attempt ${attempt} of ${id} was created in attempt ${job.attempt}`);
    if (job.phase.state === "Queued") this.violated(`a create of ${id} landed after it was given up`);
    const others = this.#groupsOf(id).filter((other) => this.#world.aci.runs(other));
    if (others.length > 0) this.violated(`a second live group of ${id}`);
  }

  deleted(group: Group): void {
    if (group.tags[tagNames.installation] !== installation) {
      this.violated(`the foreign group ${group.name} was deleted`);
      return;
    }
    const id = group.tags[tagNames.job] ?? "";
    const job = this.job(id);
    if (job === undefined || hasEnded(job.phase)) return;
    if (Number(group.tags[tagNames.attempt]) < job.attempt) return;
    const ending = endingOf(job.phase);
    if (ending === undefined) {
      this.violated(`the group of ${id}, which is ${job.phase.state}, was deleted`);
      return;
    }
    if (!ending.captured) this.violated(`the group of ${id} was deleted before its logs were captured`);
  }

  // --------------------------------------------------------------------------------------------------------- the end

  allDone(): boolean {
    const rows = [...this.#rows.values()].every((row) => isTerminal(row) && row["groupDeleted"] === true);
    if (!rows || this.#world.queue.all.some(({ queue }) => queue === "aci-jobs")) return false;
    return this.unfinished() === "";
  }

  /** What is left to do. */
  unfinished(): string {
    const rows = this.rows.filter(({ phase }) => !hasEnded(phase) || phase.group !== "gone" || !phase.tidy);
    const groups = this.#world.aci.all.filter(({ tags }) => tags[tagNames.installation] === installation);
    return [
      ...rows.map(({ id, phase }) => `job ${id} is ${JSON.stringify(phase)}`),
      ...groups.map(({ name }) => `group ${name}`),
      ...this.#index("job_")
        .filter(({ rowKey }) => this.#world.hasTimer || this.job(rowKey.slice("job_".length)) !== undefined)
        .map(({ rowKey }) => rowKey),
      // A look that was overtaken by its job's end may have left it in a line: the timer calls it up, and it is gone.
      ...(this.#world.hasTimer ? this.#index("wait_~").map(({ rowKey }) => rowKey) : []),
    ].join(", ");
  }

  /** When the timer has something to do: a due job, somebody in a line, a group to be swept. */
  nextCheck(): number {
    const checks = this.#index("job_").map(({ checkAt }) => (checkAt instanceof Date ? checkAt.getTime() : Infinity));
    const lines =
      this.#index("wait_~").length > 0 ||
      this.#world.aci.all.some(({ tags }) => tags[tagNames.installation] === installation);
    return Math.min(...checks, lines ? this.#world.now + minute : Infinity);
  }

  /** After everything has come to rest. */
  verdict(): void {
    const left = this.#world.hasTimer ? [...this.#index("hold_"), ...this.#index("wait_")] : [];
    for (const { rowKey } of left) this.violated(`${rowKey} was left behind`);
    for (const job of this.rows) this.#judgeEnd(job);
    const queued = this.rows.filter(({ via }) => via === "queue").length;
    const poisoned = this.#world.queue.poisoned.filter(({ queue }) => queue === "aci-jobs").length;
    if (queued + poisoned < this.#posted) this.violated(`${this.#posted - queued} posted jobs have no row`);
    for (const name of this.#foreignNames) {
      const left = this.#world.aci.all.filter(
        (group) => nameKey(group.name) === name && group.tags[tagNames.installation] !== installation,
      );
      if (left.length !== 1) this.violated(`the foreign group ${name} is gone`);
    }
  }

  #judgeEnd({ id, name, phase, attempt, cancel, options }: Job): void {
    if (!hasEnded(phase)) return;
    const spec = this.#specs.get(id);
    const excused =
      this.#interfered.has(id) ||
      this.#foreignNames.has(nameKey(name)) ||
      cancel !== undefined ||
      ["StartTimeout", "DeadlineExceeded", "RegistryBusy"].includes(phase.verdict.reason);
    if (excused || spec === undefined) return;
    const succeeds = spec.exitCode === 0 || spec.fails <= options.retries;
    const expected = succeeds ? "Succeeded 0" : `Failed ${spec.exitCode}`;
    const told = `${phase.state} ${phase.verdict.exitCode ?? phase.verdict.reason}`;
    if (told !== expected) this.violated(`${id} ended ${told}, not ${expected}`);
    if (this.#world.table("attempts").get(id, String(attempt).padStart(3, "0")) === undefined)
      this.violated(`nothing was captured of ${id}`);
  }
}

const read = new WeakMap<Entity, Job>();

/** Read once: a row is never changed, only replaced. */
function jobOf(row: Entity): Job {
  const known = read.get(row);
  if (known) return known;
  const job = JSON.parse(String(row["record"])) as Job; // our own code wrote it, and here it is short
  read.set(row, job);
  return job;
}

function isTerminal(row: Entity | undefined): boolean {
  return terminalStates.some((state) => state === row?.["state"]);
}
