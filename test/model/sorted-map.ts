/** A map that knows the order of its keys, so that a part of millions is read without looking at the others. */
const maxBucket = 512;

export class SortedMap<V> {
  readonly #values = new Map<string, V>();
  /** All keys in order, in buckets that are short enough to insert into; a bucket is never empty. */
  readonly #buckets: string[][] = [];

  get size(): number {
    return this.#values.size;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  get(key: string): V | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: V): void {
    if (!this.#values.has(key)) this.#insert(key);
    this.#values.set(key, value);
  }

  delete(key: string): boolean {
    if (!this.#values.delete(key)) return false;
    const at = this.#bucketOf(key);
    const bucket = this.#buckets[at] ?? [];
    bucket.splice(firstFrom(bucket, key), 1);
    if (bucket.length === 0) this.#buckets.splice(at, 1);
    return true;
  }

  /** In order, from a key on, as long as no key comes or goes. */
  *from(first = ""): Generator<[string, V]> {
    let at = this.#bucketOf(first);
    let index = firstFrom(this.#buckets[at] ?? [], first);
    for (let bucket = this.#buckets[at]; bucket !== undefined; bucket = this.#buckets[++at], index = 0) {
      for (; index < bucket.length; index++) {
        const key = bucket[index] ?? "";
        const value = this.#values.get(key);
        if (value !== undefined) yield [key, value];
      }
    }
  }

  #insert(key: string): void {
    const at = this.#bucketOf(key);
    const bucket = this.#buckets[at];
    if (bucket === undefined) {
      this.#buckets.push([key]);
      return;
    }
    bucket.splice(firstFrom(bucket, key), 0, key);
    if (bucket.length > maxBucket) this.#buckets.splice(at + 1, 0, bucket.splice(maxBucket / 2));
  }

  /** The last bucket that begins at or before a key; without such a bucket the first. */
  #bucketOf(key: string): number {
    let [low, high] = [0, this.#buckets.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#buckets[middle]?.[0] ?? "") <= key) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }
}

/** Where the first key stands that is not less. */
function firstFrom(keys: readonly string[], key: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] ?? "") < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
