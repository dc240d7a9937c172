import { hour, second } from "../../src/shared/base/duration.ts";
import { Bench, Interrupted, memoryGB, OutOfTime, removalTime, removeLeftovers, type World } from "./bench.ts";
import { broken, outOfTime, type Answer, type Question } from "./questions.ts";

/** US dollars an hour. */
export interface Prices {
  readonly vcpuHour: number;
  readonly gbHour: number;
}

/** The most that a question can cost: each of its groups from its begin to the last moment of their removal. */
export function costOf({ groups, time }: Question, { vcpuHour, gbHour }: Prices): number {
  const hours = (time + removalTime) / hour;
  return groups.reduce((sum, { cpu }) => sum + hours * (cpu * vcpuHour + memoryGB * gbHour), 0);
}

/** What would be made, as lines. */
export function planOf(questions: readonly Question[], prices: Prices): readonly string[] {
  const made = questions.filter(({ groups }) => groups.length > 0);
  const total = made.reduce((sum, question) => sum + costOf(question, prices), 0);
  const rows = made.map((question) => {
    const { id, groups, time } = question;
    const cores = groups.reduce((sum, { cpu }) => sum + cpu, 0);
    const cost = `$${costOf(question, prices).toFixed(3)}`;
    return `  ${id.padEnd(16)} ${groups.length} group${groups.length === 1 ? "" : "s"}, ${cores} vCPU, at most ${(time + removalTime) / second} s: ${cost}`;
  });
  return [
    ...rows,
    `  at most $${total.toFixed(2)} in all, at $${prices.vcpuHour} a vCPU hour and $${prices.gbHour} a GB hour`,
  ];
}

export interface Outcome {
  readonly answers: ReadonlyMap<string, Answer>;
  /** Groups that may still be there. */
  readonly left: readonly string[];
  readonly interrupted: boolean;
}

/** Asks one question after the other, and removes each one's groups before the next. */
export async function run(world: World, questions: readonly Question[]): Promise<Outcome> {
  const { say } = world;
  const found = await removeLeftovers(world, false);
  if (found === undefined) throw new Error("The resource group's container groups can't be listed.");
  if (found.length > 0) say(`Removed what an earlier run left: ${found.join(", ")}`);
  const answers = new Map<string, Answer>();
  const left: string[] = [];
  for (const question of questions) {
    const bench = new Bench(world);
    const answer = await answerTo(question, bench);
    left.push(...(await bench.removeAll()));
    if (answer === undefined) return { answers, left, interrupted: true };
    answers.set(question.id, answer);
    say(`${answer.result.padEnd(7)}  ${question.id.padEnd(16)} ${question.statement}: ${answer.because}`);
  }
  return { answers, left, interrupted: false };
}

/** `undefined` when the person interrupted it. */
async function answerTo(question: Question, bench: Bench): Promise<Answer | undefined> {
  if (bench.world.interrupted.aborted) return undefined;
  bench.allow(question.time);
  try {
    return await question.ask(bench);
  } catch (error) {
    if (error instanceof Interrupted) return undefined;
    return error instanceof OutOfTime ? outOfTime(question) : broken(error);
  }
}
