/**
 * Calls to simulated services, one at a time: each waits until the schedule lets it go, so that every order of the calls of several
 * workers, and a crash between any two of them, can be made to happen. The code that makes the calls is the real one.
 */
type Kind = "storage" | "arm read" | "arm write" | "wait";

/**
 * Lets an effect happen when its turn comes.
 *
 * @param failed the caller's result when it did not, or when its answer got lost; without it an error
 */
export type Call = <T>(label: string, kind: Kind, effect: () => T, failed?: () => T) => Promise<T>;

export interface Pending {
  readonly host: number;
  readonly label: string;
  readonly kind: Kind;
  readonly since: number;
  /** The effect and its answer. */
  go(): void;
  /** No answer; the effect came before, or not, or comes later. */
  fail(effect: "done" | "not done"): void;
  /** The effect alone: nobody hears of it. */
  land(): void;
}

class Unreachable extends Error {
  readonly statusCode = 503;
}

export class Scheduler {
  readonly #now: () => number;
  #pending: Pending[] = [];
  /** Every call that was let go, by label. */
  readonly counts = new Map<string, number>();
  /** How many calls got no answer. */
  failures = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  get pending(): readonly Pending[] {
    return this.#pending;
  }

  /** The calls of one host, which is one process: they are lost together. */
  callsOf(host: number): Call {
    return (label, kind, effect, failed) =>
      new Promise((resolve, reject) => {
        const land = (): void => {
          try {
            effect();
          } catch {
            // It was refused, and nobody hears of it.
          }
        };
        const pending: Pending = {
          host,
          label,
          kind,
          since: this.#now(),
          land,
          go: () => {
            this.#take(pending);
            try {
              resolve(effect());
            } catch (error) {
              reject(error instanceof Error ? error : new Error(String(error)));
            }
          },
          fail: (how) => {
            this.#take(pending);
            this.failures++;
            if (how === "done") land();
            if (failed) resolve(failed());
            else reject(new Unreachable(label));
          },
        };
        this.#pending.push(pending);
      });
  }

  #take(pending: Pending): void {
    this.#pending = this.#pending.filter((other) => other !== pending);
    this.counts.set(pending.label, (this.counts.get(pending.label) ?? 0) + 1);
  }

  /** The host's process is gone, and nobody waits for its calls any more. Returns them: some may be on their way. */
  crash(host: number): readonly Pending[] {
    const lost = this.#pending.filter((pending) => pending.host === host);
    this.#pending = this.#pending.filter((pending) => pending.host !== host);
    this.failures += lost.length;
    return lost;
  }
}

/** Resolves when all code that could go on has gone on to its next call, or to its end. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
