/** An array on two hosts that work at the same time, as `reconcile` does its steps: what is read is old when it is used. */
import { second } from "../../../src/shared/base/duration.ts";
import { endedIn, nothingEnded, type ArrayOutcomes } from "../../../src/shared/job/array-outcomes.ts";
import { arrayEnd, arrayStep, makeTime, stepMade, type ArrayStep } from "../../../src/shared/job/array-step.ts";
import { hasEnded, type Job, type TerminalState } from "../../../src/shared/job/job.ts";
import { rules, start } from "../../kit/kit.ts";

export type Happening =
  | { readonly kind: "work"; readonly actor: number; readonly steps: number }
  | { readonly kind: "end"; readonly child: number; readonly as: TerminalState }
  | { readonly kind: "kill"; readonly actor: number }
  | { readonly kind: "pause"; readonly paused: boolean }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "cancel" };

/** A call to storage: others may have theirs before the next. */
type Actor = Generator<undefined, void>;

const letters = { Succeeded: "S", Failed: "F", Stopped: "O", TimedOut: "T", Canceled: "C" } as const;

export class ArrayWorld {
  readonly violations: string[] = [];
  #job: Job;
  #version = 0;
  #now = start;
  #paused = false;
  #outcomes: ArrayOutcomes = nothingEnded;
  readonly #alive = new Set<number>();
  readonly #ended = new Map<number, TerminalState>();
  readonly #made: number[] = [];
  readonly #canceled = new Set<number>();
  readonly #actors: (Actor | undefined)[] = [undefined, undefined];

  constructor(job: Job) {
    this.#job = job;
  }

  happen(what: Happening): void {
    switch (what.kind) {
      case "work":
        for (let n = 0; n < what.steps; n++) this.#work(what.actor);
        return;
      case "end":
        this.#end([...this.#alive][what.child % Math.max(1, this.#alive.size)], what.as);
        return;
      case "kill":
        this.#actors[what.actor] = undefined;
        return;
      case "pause":
        this.#paused = what.paused;
        return;
      case "pass":
        this.#now += what.ms;
        return;
      case "cancel":
        if (!hasEnded(this.#job.phase))
          this.#save(this.#version, { ...this.#job, cancel: { at: this.#now, reason: "CanceledByCaller" } });
    }
  }

  /** Nothing goes wrong any more. */
  finish(): void {
    this.#paused = false;
    for (let rounds = 0; rounds < 200 && !hasEnded(this.#job.phase); rounds++) {
      for (let n = 0; n < 100; n++) this.#work(rounds);
      this.#now += 5 * second;
      const [first] = this.#alive;
      this.#end(first, first !== undefined && this.#canceled.has(first) ? "Canceled" : "Succeeded");
    }
    // Whoever is still in the midst of a step goes on with it.
    for (const actor of [0, 1]) for (let n = 0; n < 100 && this.#actors[actor] !== undefined; n++) this.#work(actor);
    this.#judge();
  }

  #work(n: number): void {
    const at = n % this.#actors.length;
    const actor = this.#actors[at] ?? this.#reconcile();
    this.#actors[at] = actor.next().done === true ? undefined : actor;
  }

  #end(index: number | undefined, as: TerminalState): void {
    if (index === undefined) return;
    this.#alive.delete(index);
    this.#ended.set(index, as);
    const { ends, counts } = this.#outcomes;
    const padded = ends.padEnd(index + 1, ".");
    this.#outcomes = {
      ...this.#outcomes,
      ends: padded.slice(0, index) + letters[as] + padded.slice(index + 1),
      counts: { ...counts, [as]: counts[as] + 1 },
    };
  }

  #save(version: number, job: Job): boolean {
    if (version !== this.#version) return false;
    const [was, is] = [this.#job.array, job.array];
    if (hasEnded(this.#job.phase)) this.violations.push("An array that had ended was changed.");
    if (was?.ending !== undefined && JSON.stringify(was.ending) !== JSON.stringify(is?.ending))
      this.violations.push("An ending was taken back.");
    if ((is?.made ?? 0) < (was?.made ?? 0)) this.violations.push("What was made was forgotten.");
    if (was?.ending !== undefined && is?.step !== undefined && was.step?.to !== is.step.to)
      this.violations.push("An array that is ending began a step.");
    if (hasEnded(job.phase) && this.#alive.size > 0) this.violations.push("The array ended before its children.");
    this.#job = job;
    this.#version++;
    return true;
  }

  #insert(index: number): void {
    if (this.#alive.has(index) || this.#ended.has(index)) return;
    if (hasEnded(this.#job.phase)) this.violations.push(`Child ${index} was made after the array's end.`);
    if (index <= (this.#made.at(-1) ?? -1)) this.violations.push(`Child ${index} was made out of turn.`);
    this.#made.push(index);
    this.#alive.add(index);
    if (this.#alive.size > (this.#job.array?.parallelism ?? 0)) this.violations.push("There are too many children.");
  }

  /** As `reconcile.ts` does it: again from the row whenever somebody else changed that. */
  *#reconcile(): Actor {
    let madeTo: number | undefined;
    for (;;) {
      const read = { job: this.#job, version: this.#version };
      yield;
      if (hasEnded(read.job.phase)) return;
      const outcomes = this.#outcomes;
      yield;
      const job = read.job.array?.step?.to === madeTo ? stepMade(read.job) : read.job;
      const result = yield* this.#toRest(job, read.version, outcomes);
      if (result === "rests") return;
      madeTo = result ?? madeTo;
      yield;
    }
  }

  /** @returns the end of the step whose children it made last, where somebody else changed the row then */
  *#toRest(
    found: Job,
    foundVersion: number,
    outcomes: ArrayOutcomes,
  ): Generator<undefined, "rests" | number | undefined> {
    let [job, version] = [found, foundVersion];
    let madeTo: number | undefined;
    for (let rounds = 0; rounds < 40; rounds++) {
      const { array } = job;
      if (array === undefined) break;
      const step = arrayStep(job, array, outcomes, { admitted: true, mayMake: !this.#paused }, this.#now, rules);
      if (step.do === "admit") break;
      const saved = step.do === "end" ? arrayEnd(step.job, array, this.#outcomes, this.#now) : step.job;
      if (!this.#save(version, saved)) return madeTo;
      [job, version] = [saved, this.#version];
      yield;
      if (step.do === "requeue" || step.do === "end") return "rests";
      if (step.do === "cancel") {
        if (yield* this.#cancel(step)) return "rests";
        this.#save(version, arrayEnd(job, job.array ?? array, this.#outcomes, this.#now));
        return madeTo;
      }
      const until = this.#now + makeTime;
      for (const { number: index } of step.children) {
        if (this.#now >= until) return "rests";
        this.#insert(index);
        yield;
      }
      madeTo = job.array?.step?.to;
      job = stepMade(job);
    }
    throw new Error("The array does not come to rest.");
  }

  /** @returns whether the array must wait before it ends */
  *#cancel({ indexes, endsFrom }: Extract<ArrayStep, { do: "cancel" }>): Generator<undefined, boolean> {
    let alive = 0;
    for (const index of indexes) {
      if (this.#alive.has(index)) alive++;
      this.#canceled.add(index);
      yield;
    }
    return alive > 0 || this.#now < endsFrom;
  }

  #judge(): void {
    const { phase, array } = this.#job;
    if (!hasEnded(phase) || array === undefined) {
      this.violations.push("The array did not end.");
      return;
    }
    const { size, only, ending, counts, minSuccess } = array;
    const all = Array.from({ length: size }, (_, index) => index);
    const runs = all.filter((index) => only?.some(([from, to]) => index >= from && index <= to) ?? true);
    if (this.#made.some((index, n) => index !== runs[n])) this.violations.push("Another index was made than the next.");
    if (ending === undefined && this.#made.length < runs.length) this.violations.push("An index was left out.");
    const succeeded = [...this.#ended.values()].filter((as) => as === "Succeeded").length;
    if (counts.Succeeded !== succeeded || endedIn(counts) !== this.#ended.size)
      this.violations.push(`${JSON.stringify(counts)} is not what became of them.`);
    const judged = succeeded >= (minSuccess ?? runs.length) ? "Succeeded" : "Failed";
    const isOfChildren = ending?.verdict.reason === "ChildrenFailed" || succeeded === runs.length;
    if (phase.state !== (isOfChildren ? judged : (ending?.state ?? judged)))
      this.violations.push(`It ended ${phase.state}.`);
    if (phase.state === "Canceled" && this.#job.cancel === undefined) this.violations.push("Nobody canceled it.");
  }
}
