interface TtlCacheOptions<T> {
  /** How long an answer is kept, in milliseconds. */
  readonly time: number;
  /** Of more answers than these the oldest is dropped. */
  readonly max: number;
  readonly now: () => number;
  /** What an answer takes, and how much all together may: of more the oldest are dropped. Without it only their number counts. */
  readonly room?: { readonly of: (value: T) => number; readonly max: number };
}

interface Entry<T> {
  readonly at: number;
  readonly value: Promise<T>;
  /** Known once the answer is there. */
  size: number;
}

/** Keeps answers for a while. Callers who ask at the same time share one question; a failure reaches all of them and is not kept. */
export class TtlCache<T> {
  readonly #options: TtlCacheOptions<T>;
  readonly #entries = new Map<string, Entry<T>>();

  constructor(options: TtlCacheOptions<T>) {
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
    const entry = { at, value: ask(), size: 0 };
    this.#entries.set(key, entry);
    const drop = (): void => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    };
    entry.value.then((value) => {
      if (isKept(value)) this.#makeRoom(entry, value);
      else drop();
    }, drop);
    return entry.value;
  }

  #makeRoom(entry: Entry<T>, value: T): void {
    const { room } = this.#options;
    if (room === undefined) return;
    entry.size = room.of(value);
    let total = 0;
    for (const { size } of this.#entries.values()) total += size;
    for (const [key, { size }] of this.#entries) {
      if (total <= room.max) return;
      if (size > 0) this.#entries.delete(key);
      total -= size;
    }
  }

  clear(): void {
    this.#entries.clear();
  }
}
