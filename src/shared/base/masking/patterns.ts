/**
 * Finds many patterns in bytes in one pass, however many there are: the automaton of Aho and Corasick ("Efficient string matching: an
 * aid to bibliographic search", 1975), behind a filter on four bytes that passes over text in which nothing can begin. It takes a few
 * steps for each byte of the text, whatever the patterns are.
 */
export class Patterns {
  /** Bytes of the longest pattern. */
  readonly longest: number;
  /** Steps taken so far, for whoever counts what a search costs. */
  steps = 0;
  readonly #filter: Int32Array;
  readonly #shift: number;
  /** Nodes by their parent and byte; at most half of it is used, so that a look-up is a step or two. */
  readonly #edges: Int32Array;
  readonly #parent: Int32Array;
  readonly #byte: Uint8Array;
  readonly #depth: Int32Array;
  /** Of the node: the node of its longest proper suffix that begins a pattern; -1 until a text first comes by. */
  readonly #fail: Int32Array;
  /** Of the node: how long the longest pattern is that ends in it; 0 where no pattern ends. */
  readonly #ends: Int32Array;
  /** Of the node: how long the shortest pattern is that goes through it. */
  readonly #least: Int32Array;

  /** @param patterns each of at least four bytes */
  constructor(patterns: readonly Uint8Array[]) {
    const size = patterns.reduce((sum, { length }) => sum + length, 1);
    this.longest = patterns.reduce((max, { length }) => Math.max(max, length), 0);
    this.#edges = new Int32Array(powerOfTwo(2 * size));
    this.#parent = new Int32Array(size);
    this.#byte = new Uint8Array(size);
    this.#depth = new Int32Array(size);
    this.#ends = new Int32Array(size);
    this.#least = new Int32Array(size).fill(this.longest);
    const slots = powerOfTwo(patterns.length * 128);
    this.#shift = 32 - Math.log2(slots);
    this.#filter = new Int32Array(slots / 32);
    let nodes = 1;
    for (const pattern of patterns) {
      let node = 0;
      for (const byte of pattern) {
        const edge = this.#edge(node, byte);
        const known = int(this.#edges, edge);
        const next = known === 0 ? nodes++ : known;
        if (known === 0) {
          this.#edges[edge] = next;
          this.#parent[next] = node;
          this.#byte[next] = byte;
          this.#depth[next] = int(this.#depth, node) + 1;
        }
        node = next;
        this.#least[node] = Math.min(int(this.#least, node), pattern.length);
      }
      this.#ends[node] = pattern.length;
      const slot = this.#slot(pattern, 0);
      this.#filter[slot >>> 5] = int(this.#filter, slot >>> 5) | (1 << (slot & 31));
    }
    this.#fail = new Int32Array(nodes).fill(-1, 1);
  }

  /** Reports every position of a pattern; of patterns that end at the same byte, the longest. */
  search(text: Uint8Array, found: (from: number, to: number) => void): void {
    for (let begin = 0; begin + 4 <= text.length;) {
      this.steps++;
      const slot = this.#slot(text, begin);
      if ((int(this.#filter, slot >>> 5) & (1 << (slot & 31))) === 0) {
        begin++;
        continue;
      }
      // Read on as long as what was read last begins a pattern, be it shorter than what the filter judges and not yet judged.
      let node = 0;
      let end = begin;
      do {
        node = this.#read(node, byteAt(text, end++));
        const length = int(this.#ends, node);
        if (length > 0) found(end - length, end);
      } while (end < text.length && (int(this.#depth, node) >= 4 || int(this.#depth, node) === end - begin));
      begin = end < text.length ? end - int(this.#depth, node) : end;
    }
  }

  /**
   * Reports what a cut may have left of a pattern: for each position where the text may have been cut, the longest beginning of a pattern that
   * ends there, if it is half of its pattern or has six bytes.
   *
   * @param cuts rising
   */
  beginnings(text: Uint8Array, cuts: readonly number[], found: (from: number, to: number) => void): void {
    let node = 0;
    let read = 0;
    for (const cut of cuts) {
      if (cut - this.longest > read) [node, read] = [0, cut - this.longest];
      for (; read < cut; read++) node = this.#read(node, byteAt(text, read));
      for (let part = node; part !== 0; part = int(this.#fail, part)) {
        const depth = int(this.#depth, part);
        if (depth < Math.min(6, Math.max(4, Math.ceil(int(this.#least, part) / 2)))) continue;
        found(cut - depth, cut);
        break;
      }
    }
  }

  /** From node to node, whose failures are known from then on, and those of their failures. */
  #read(from: number, byte: number): number {
    const node = this.#next(from, byte);
    if (int(this.#fail, node) >= 0) return node;
    const fresh: number[] = [];
    for (let each = node; int(this.#fail, each) < 0; each = int(this.#fail, each)) {
      const parent = int(this.#parent, each);
      this.#fail[each] = parent === 0 ? 0 : this.#next(int(this.#fail, parent), byteAt(this.#byte, each));
      fresh.push(each);
    }
    // A pattern may end in a node's failure, too.
    for (const each of fresh.reverse())
      if (int(this.#ends, each) === 0) this.#ends[each] = int(this.#ends, int(this.#fail, each));
    return node;
  }

  #next(from: number, byte: number): number {
    for (let node = from; ; node = int(this.#fail, node)) {
      this.steps++;
      const next = int(this.#edges, this.#edge(node, byte));
      if (next !== 0) return next;
      if (node === 0) return 0;
    }
  }

  /** Where a node's edge is, or would be. */
  #edge(node: number, byte: number): number {
    const mask = this.#edges.length - 1;
    const hash = Math.imul(node ^ Math.imul(byte + 1, 0x9e3779b1), 0x85ebca6b);
    for (let slot = (hash ^ (hash >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const there = int(this.#edges, slot);
      if (there === 0 || (int(this.#parent, there) === node && byteAt(this.#byte, there) === byte)) return slot;
    }
  }

  /** Where the filter has the four bytes from here on. */
  #slot(bytes: Uint8Array, from: number): number {
    const low = byteAt(bytes, from) | (byteAt(bytes, from + 1) << 8);
    const four = low | (byteAt(bytes, from + 2) << 16) | (byteAt(bytes, from + 3) << 24);
    return Math.imul(four, 0x9e3779b1) >>> this.#shift;
  }
}

/** The smallest power of two from here on; at least 1024. */
function powerOfTwo(least: number): number {
  return 2 ** Math.max(10, Math.ceil(Math.log2(least)));
}

// Elements that are there: every index was made from a length. A function for each kind of list is what makes them fast.
const int = (list: Int32Array, index: number): number => list[index] ?? 0;
const byteAt = (list: Uint8Array, index: number): number => list[index] ?? 0;
