/**
 * How long a queue listener waits before it asks again: from 100 ms upwards, doubling with a fifth of jitter, to the maximum of
 * host.json (Azure WebJobs SDK, RandomizedExponentialBackoffStrategy).
 */
export const MINIMUM_POLLING_MS = 100;
const JITTER = 0.2;

export class PollDelay {
  readonly #maximumMs: number;
  readonly #random: () => number;
  #exponent = 0;

  constructor(maximumMs: number, random: () => number = Math.random) {
    this.#maximumMs = Math.max(maximumMs, MINIMUM_POLLING_MS);
    this.#random = random;
  }

  /** Milliseconds until the next look; `found` says that a message came since the last wait. */
  next(found: boolean): number {
    if (found) {
      this.#exponent = 1;
      return MINIMUM_POLLING_MS;
    }
    const jitter = 1 - JITTER + this.#random() * 2 * JITTER;
    const step = this.#exponent === 0 ? 0 : jitter * 2 ** (this.#exponent - 1) * MINIMUM_POLLING_MS;
    const delay = MINIMUM_POLLING_MS + step;
    if (delay >= this.#maximumMs) return this.#maximumMs;
    this.#exponent += 1;
    return delay;
  }
}
