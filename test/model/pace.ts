import { afterCapture, afterDelete } from "../../src/shared/job/arm-answers.ts";
import { minute, second } from "../../src/shared/base/duration.ts";
import { Budget } from "../../src/shared/limits/rate-budget.ts";
import { hasEnded, type Job, type Typical } from "../../src/shared/job/job.ts";
import type { ObservedGroup, Observation } from "../../src/shared/job/observation.ts";
import { nextStep } from "../../src/shared/job/next-step.ts";
import type { Rules } from "../../src/shared/job/step.ts";
import { observationCeilingFor } from "../../src/shared/job/timing.ts";
import { logPause, logPauseAfterFailure } from "../../src/shared/store/log-pace.ts";
import { container, exited, group, job, jobId, pacing, target, rules, settings } from "../kit/kit.ts";
import { Table, tableClient } from "./tables.ts";

/**
 * How soon an end is seen when many groups run: the real machine and the real budget of three instances in simulated time. As many jobs
 * come as ACI lets be created in an hour, and they run long enough for the given number to be active at a time.
 */
export interface Plan {
  readonly active: number;
  readonly containers: number;
  readonly minutes: number;
  /** Whether a job of each name ran before: for 0.9 to 1.1 times as long. */
  readonly known?: boolean;
}

export interface Observed {
  /** Seconds from a group's end to the row that says so. */
  readonly p50: number;
  readonly p95: number;
  /** ARM's reads a second. */
  readonly observationsPerSecond: number;
  readonly logReadsPerSecond: number;
  readonly refusedLooks: number;
}

/** Seconds between two creates, by ACI's limit of an hour. */
const every = 3600 / 300;
/** From the create to running containers. */
const startTime = 30 * second;
/** At the most, from a message's time to its delivery: host.json's longest pause between two polls. */
const maxPause = 2 * second;
/** A look and its save. */
const workTime = second / 2;
const logInterval = minute;
const instances = 3;
/** At the start all are looked at in the same moment, as after an outage: what ends by then is not counted. */
const settlingTime = 15 * minute;

interface Life {
  job: Job;
  readonly startsAt: number;
  readonly endsAt: number;
  goneAt: number;
  shownAt: number | undefined;
  /** When each container's log is to be read next. */
  readonly logsDue: number[];
}

export async function simulate({ active, containers, minutes, known = false }: Plan): Promise<Observed> {
  const simulation = new Simulation(active, containers, known);
  await simulation.run(minutes * minute);
  return simulation.seen(minutes * 60);
}

class Simulation {
  readonly #active: number;
  readonly #known: boolean;
  readonly #containers: readonly string[];
  readonly #budgets: readonly Budget[];
  readonly #rules: Rules;
  readonly #random = randomNumbers(7);
  readonly #delays: number[] = [];
  #now = 0;
  #born = 0;
  #observations = 0;
  #logReads = 0;
  #refused = 0;
  /** What is due, by tenths of a second. */
  readonly #due = new Map<number, Life[]>();

  constructor(active: number, containers: number, known: boolean) {
    this.#active = active;
    this.#known = known;
    this.#containers = Array.from({ length: containers }, (_, n) => `app${n + 1}`);
    const table = new Table("control", () => undefined);
    const client = tableClient(table, (_label, _kind, effect) => new Promise((resolve) => resolve(effect())));
    this.#budgets = Array.from({ length: instances }, () => new Budget(client, settings(), pacing));
    this.#rules = {
      ...rules,
      observationCeiling: observationCeilingFor(active, rules.observationCeiling, settings().armReads.perSecond),
    };
  }

  async run(time: number): Promise<void> {
    const mean = this.#active * every * second;
    // Those that are there at the start are of every age.
    for (let n = 0; n < this.#active; n++) this.#begin(-this.#random() * mean, 2 * mean * this.#random());
    for (let tenth = 0; tenth < time / 100; tenth++) {
      this.#now = tenth * 100;
      if (tenth % (every * 10) === 0) this.#begin(this.#now, 2 * mean * this.#random());
      const lives = this.#due.get(tenth) ?? [];
      this.#due.delete(tenth);
      for (const life of lives) await this.#wake(life);
    }
  }

  seen(seconds: number): Observed {
    const sorted = [...this.#delays].sort((a, b) => a - b);
    const at = (share: number): number => Math.round((sorted[Math.floor(share * sorted.length)] ?? 0) / 100) / 10;
    const rate = (count: number): number => Math.round((count / seconds) * 10) / 10;
    return {
      p50: at(0.5),
      p95: at(0.95),
      observationsPerSecond: rate(this.#observations),
      logReadsPerSecond: rate(this.#logReads),
      refusedLooks: this.#refused,
    };
  }

  /** A job whose group was created then, and which runs for this time from now on. */
  #begin(createdAt: number, more: number): void {
    const startsAt = createdAt + startTime;
    const endsAt = Math.max(startsAt, this.#now) + more;
    const life: Life = {
      job: job({
        id: jobId(++this.#born),
        containers: this.#containers.map((name) => ({ name, init: false })),
        placed: target,
        createdAt: createdAt,
        queuedAt: createdAt,
        provisioningAt: createdAt,
        firstCreateAt: createdAt,
        deadlineAt: 1e15, // never
        ...(this.#known ? { typical: typicalRun((endsAt - startsAt) * (0.9 + 0.2 * this.#random())) } : {}),
        phase:
          startsAt < this.#now
            ? { state: "Running", startedAt: startsAt }
            : { state: "Pending", acceptedAt: createdAt },
      }),
      startsAt,
      endsAt,
      goneAt: Infinity,
      shownAt: undefined,
      logsDue: this.#containers.map(() => startsAt),
    };
    this.#schedule(life, this.#now);
  }

  #schedule(life: Life, at: number): void {
    const delay = Math.round(Math.max(0, at - this.#now) / second) * second;
    const tenth = Math.ceil((this.#now + delay + this.#random() * maxPause + workTime) / 100);
    const others = this.#due.get(tenth);
    if (others) others.push(life);
    else this.#due.set(tenth, [life]);
  }

  /** As `workers/reconcile.ts` does. */
  async #wake(life: Life): Promise<void> {
    const now = this.#now;
    let seen: Observation | undefined;
    for (;;) {
      const backlog = this.#budget().backlog(target, now);
      const step = nextStep(life.job, seen, true, now, { ...this.#rules, backlog, random: this.#random() });
      switch (step.do) {
        case "observe":
          seen = await this.#look(life);
          continue;
        case "save":
          this.#save(life, step.job);
          continue;
        case "capture":
          for (const _ of this.#containers)
            if (!(await this.#take("read"))) {
              this.#schedule(life, now + 5 * second);
              return;
            }
          this.#logReads += this.#containers.length;
          this.#save(life, afterCapture(step.job, step.group, now, this.#rules));
          continue;
        case "delete": {
          life.goneAt = now;
          const after = afterDelete("delete", step.job, { kind: "accepted" }, now, this.#rules);
          if (after.do !== "requeue") throw new Error(`A delete is followed by ${after.do}.`);
          life.job = after.job;
          this.#schedule(life, after.until);
          return;
        }
        case "requeue":
          life.job = step.job;
          await this.#watch(life, seen);
          {
            this.#schedule(life, step.until);
            return;
          }
        case "finalize":
          return;
        default:
          throw new Error(`Nothing here leads to ${step.do}.`);
      }
    }
  }

  #save(life: Life, saved: Job): void {
    const shown = hasEnded(saved.phase) && !hasEnded(life.job.phase);
    if (shown && life.endsAt > settlingTime) this.#delays.push(this.#now - life.endsAt);
    life.job = saved;
  }

  async #look(life: Life): Promise<Observation> {
    const { phase } = life.job;
    const grant = await this.#grant(phase.state === "Queued" || hasEnded(phase) ? "read" : "observe");
    if (!grant.ok) {
      this.#refused++;
      return {
        group: "unknown",
        reason: grant.reason,
        retryAfter: Math.max(0, grant.at - this.#now),
        azure: undefined,
      };
    }
    this.#observations++;
    return this.#now >= life.goneAt ? { group: "absent" } : { group: "present", ...this.#group(life) };
  }

  #group({ job: { id }, startsAt, endsAt }: Life): ObservedGroup {
    const owner = { kind: "ours", jobId: id, attempt: 1, isBound: true } as const;
    const now = this.#now;
    if (now < startsAt)
      return group(
        "Pending",
        this.#containers.map((name) => container(name, { state: "Waiting" })),
        { owner },
      );
    if (now < endsAt)
      return group(
        "Running",
        this.#containers.map((name) => container(name, { startTime: startsAt })),
        { owner },
      );
    const finishTime = endsAt;
    return group(
      "Succeeded",
      this.#containers.map((name) => exited(name, 0, 0, { finishTime })),
      { owner },
    );
  }

  /** The logs of what runs, when they are due; they are quiet. */
  async #watch(life: Life, seen: Observation | undefined): Promise<void> {
    if (life.job.phase.state !== "Running" || seen?.group !== "present") return;
    const age = this.#now - life.startsAt;
    for (const [index, due] of life.logsDue.entries()) {
      if (this.#now < due) continue;
      const read = await this.#take("log");
      if (read) this.#logReads++;
      const pause = read
        ? logPause({ bytes: 0, lines: 0, time: age }, age, logInterval)
        : logPauseAfterFailure(undefined);
      life.logsDue[index] = this.#now + pause;
    }
  }

  async #take(kind: "read" | "observe" | "log"): Promise<boolean> {
    return (await this.#grant(kind)).ok;
  }

  #grant(kind: "read" | "observe" | "log") {
    return this.#budget().take(kind, target, this.#now);
  }

  /** Of any instance. */
  #budget(): Budget {
    const budget = this.#budgets[Math.floor(this.#random() * instances)];
    if (budget === undefined) throw new Error("There is no instance.");
    return budget;
  }
}

/** The same numbers in each run (Ettinger's mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const typicalRun = (run: number): Typical => ({ runs: 1, start: 0, run, most: run });
