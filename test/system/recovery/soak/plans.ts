import { z } from "zod";
import { definition } from "../../simulated.ts";

/** What is done with a job besides running it. */
type Mischief =
  /** Nothing. */
  | "none"
  /** It is canceled while it runs. */
  | "cancel"
  /** Its row can't be read for a while. */
  | "spoil"
  /** Somebody deletes its group and makes one of his own by that name. */
  | "replace"
  /** Somebody makes a copy of its group, our tags included, under another name. */
  | "copy";

export interface Plan {
  readonly name: string;
  readonly via: "http" | "queue";
  readonly seconds: number;
  readonly exitCode: number;
  readonly retries: number;
  readonly mischief: Mischief;
}

/**
 * Of the jobs that are submitted one after another: which share is meddled with, and how. The first four are one of each. Who is meddled
 * with runs long enough for it.
 */
const shares: readonly (readonly [Mischief, number])[] = [
  ["cancel", 0.08],
  ["spoil", 0.08],
  ["replace", 0.08],
  ["copy", 0.05],
];

export function steadyPlan(n: number, random: () => number): Plan {
  let at = random();
  const mischief = (shares[n] ?? shares.find(([, share]) => (at -= share) < 0))?.[0] ?? "none";
  const quiet = mischief === "none" || mischief === "copy";
  return {
    name: `soak-${n}`,
    via: "http",
    seconds: mischief === "none" ? 1 + Math.floor(30 * random()) : 120,
    exitCode: quiet && random() < 0.3 ? 1 + (n % 100) : 0,
    retries: quiet && random() < 0.3 ? 1 : 0,
    mischief,
  };
}

/** All at once, on the queue. */
export function burstPlan(n: number): Plan {
  return { name: `burst-${n}`, via: "queue", seconds: 1, exitCode: n % 5 === 4 ? 3 : 0, retries: 0, mischief: "none" };
}

/** On the queue while the job index is lost. */
export function waitingPlan(n: number): Plan {
  return { ...burstPlan(n), name: `waits-${n}` };
}

export function definitionOf({ name, seconds, exitCode }: Plan): string {
  return definition(name, { app: { seconds, exitCode } });
}

const own = z.object({ properties: z.looseObject({}) });

/** Somebody else's group: it runs until the end, and longer. */
export const foreignGroup = (tags: Readonly<Record<string, string>>): object => ({
  location: "westeurope",
  tags,
  ...own.parse(JSON.parse(definition("theirs", { app: { seconds: 1_000_000 } }))),
});
