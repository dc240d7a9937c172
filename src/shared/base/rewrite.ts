import { second } from "./duration.ts";
import { Unavailable } from "./errors.ts";

/** One try to read, change and write back: its result, or `conflict` when somebody else wrote in between. */
export type Try<T> = { readonly done: T } | "conflict";

/** What a repetition needs of the surroundings. */
export interface Pacing {
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Between 0 and 1. */
  readonly random: () => number;
}

export const maxTries = 20;
const maxTime = 20 * second;
const maxPause = second / 2;

/**
 * Every read-modify-write on an ETag goes through here. Each conflict means that somebody else's write went through, so a few tries
 * are enough; random pauses keep many writers from meeting again.
 *
 * @param what is changed, for the error
 * @throws Unavailable when 20 tries, or 20 s, were not enough
 */
export async function rewrite<T>(what: string, pacing: Pacing, attempt: () => Promise<Try<T>>): Promise<T> {
  const result = await tryRewrite(pacing, attempt);
  if (result === conflict) throw tooMany(what);
  return result.done;
}

/** The same, for callers that can do better than fail: `conflict` when the tries or the time were not enough. */
export async function tryRewrite<T>(pacing: Pacing, attempt: () => Promise<Try<T>>): Promise<Try<T>> {
  const until = pacing.now() + maxTime;
  for (let tries = 1; ; tries++) {
    const result = await attempt();
    if (result !== conflict || tries >= maxTries || pacing.now() >= until) return result;
    await pauseAfter(tries, pacing);
  }
}

/** Pauses after this many conflicts in a row. */
export function pauseAfter(tries: number, { sleep, random }: Pick<Pacing, "sleep" | "random">): Promise<void> {
  return sleep(random() * Math.min(10 * 2 ** tries, maxPause));
}

export function tooMany(what: string): Unavailable {
  return new Unavailable("storage", `Too many change ${what} at once.`);
}

export const conflict = "conflict";
export const done = <T>(value: T): { readonly done: T } => ({ done: value });
