interface TtlCacheOptions {
  /** How long an answer is kept, in milliseconds. */
  readonly time: number;
  /** Of more answers than these the oldest is dropped. */
  readonly max: number;
  readonly now: () => number;
}

/** Keeps answers for a while. Callers who ask at the same time share one question; a failure reaches all of them and is not kept. */
export class TtlCache<T> {
  readonly #options: TtlCacheOptions;
  readonly #entries = new Map<string, { readonly at: number; readonly value: Promise<T> }>();

  constructor(options: TtlCacheOptions) {
    this.#options = options;
  }

  /** @param isKept false for an answer that may be another one the next time */
  get(key: string, ask: () => Promise<T>, isKept: (value: T) => boolean = () => true): Promise<T> {
    const { time, max, now } = this.#options;
    const at = now();
    // A clock that was put back makes an answer no younger.
    const isFresh = (entry: { readonly at: number }): boolean => at >= entry.at && at - entry.at < time;
    const known = this.#entries.get(key);
    if (known !== undefined && isFresh(known)) return known.value;
    this.#entries.delete(key); // a new answer stands behind the older ones
    for (const [old, entry] of this.#entries)
      if (!isFresh(entry) || this.#entries.size >= max) this.#entries.delete(old);
    const entry = { at, value: ask() };
    this.#entries.set(key, entry);
    const drop = (): void => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    };
    entry.value.then((value) => {
      if (!isKept(value)) drop();
    }, drop);
    return entry.value;
  }

  clear(): void {
    this.#entries.clear();
  }
}
