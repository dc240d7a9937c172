/**
 * Time and what is due, with one timer for everything: ten thousand groups cost a heap entry each, never a timer each.
 *
 * `now()` is milliseconds since 1970, UTC. A callback gets the time it was due at, which may be earlier than `now()`.
 */
export interface Clock {
  now(): number;
  /** Calls back once when `time` has come; the function returned takes it back. */
  at(time: number, call: (due: number) => void): () => void;
  /** Runs what is due already, in order: a reader calls it first, so that a late timer is never seen. */
  settle(): void;
  /** Moves the time on, and runs what falls due on the way, each at its own time. */
  advance(milliseconds: number): void;
  close(): void;
}

interface Entry {
  readonly due: number;
  readonly order: number;
  call: ((due: number) => void) | undefined;
}

/** The machine's clock, plus whatever `advance` added. */
export const wallClock = (): Clock => new AgendaClock(Date.now, true);

/** A clock that stands still until it is advanced. */
export const virtualClock = (start: number): Clock => new AgendaClock(() => start, false);

/** The longest that a Node timer can wait. */
const LONGEST = 2 ** 31 - 1;

class AgendaClock implements Clock {
  readonly #base: () => number;
  readonly #ticking: boolean;
  readonly #heap: Entry[] = [];
  #offset = 0;
  #order = 0;
  #running: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerDue = Infinity;

  constructor(base: () => number, ticking: boolean) {
    this.#base = base;
    this.#ticking = ticking;
  }

  now(): number {
    return this.#running ?? this.#base() + this.#offset;
  }

  at(time: number, call: (due: number) => void): () => void {
    const entry: Entry = { due: time, order: this.#order++, call };
    push(this.#heap, entry);
    this.#arm();
    return () => {
      entry.call = undefined;
    };
  }

  settle(): void {
    if (this.#running === undefined) this.#run(this.now());
  }

  advance(milliseconds: number): void {
    const target = this.now() + milliseconds;
    this.#run(target, true);
    this.#offset += milliseconds;
    this.#arm();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#heap.length = 0;
  }

  /** Runs entries due by `until`. When time is being moved, `now()` is each entry's own time meanwhile. */
  #run(until: number, moving = false): void {
    for (let entry = this.#heap[0]; entry && entry.due <= until; entry = this.#heap[0]) {
      pop(this.#heap);
      const call = entry.call;
      if (!call) continue;
      if (moving) this.#running = Math.max(entry.due, this.#base() + this.#offset);
      try {
        call(entry.due);
      } finally {
        this.#running = undefined;
      }
    }
    this.#arm();
  }

  #arm(): void {
    const due = this.#heap[0]?.due ?? Infinity;
    if (!this.#ticking || due === this.#timerDue) return;
    clearTimeout(this.#timer);
    this.#timerDue = due;
    if (due === Infinity) return;
    const wait = Math.min(LONGEST, Math.max(0, due - (this.#base() + this.#offset)));
    this.#timer = setTimeout(() => {
      this.#timerDue = Infinity;
      this.settle();
      this.#arm();
    }, wait);
    this.#timer.unref();
  }
}

const before = (a: Entry, b: Entry): boolean => a.due < b.due || (a.due === b.due && a.order < b.order);

function push(heap: Entry[], entry: Entry): void {
  let index = heap.push(entry) - 1;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = heap[parent];
    if (!above || !before(entry, above)) break;
    heap[index] = above;
    index = parent;
  }
  heap[index] = entry;
}

function pop(heap: Entry[]): void {
  const last = heap.pop();
  if (!last || heap.length === 0) return;
  let index = 0;
  for (;;) {
    const leftIndex = 2 * index + 1;
    const left = heap[leftIndex];
    const right = heap[leftIndex + 1];
    if (!left) break;
    const [child, childIndex] = right && before(right, left) ? [right, leftIndex + 1] : [left, leftIndex];
    if (!before(child, last)) break;
    heap[index] = child;
    index = childIndex;
  }
  heap[index] = last;
}
