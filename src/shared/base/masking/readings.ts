import { allEscapes, escapesByKind, meaningOf, unfinishedLength } from "./escapes.ts";

/**
 * A text as somebody might read it who looks for a secret in it: as it is, with its lines put together, with its escapes undone, with
 * its base64 decoded, and one inside the other. Each reading is bytes (UTF-8) that know where in the text they come from. Pure.
 */
export interface Reading {
  readonly bytes: Uint8Array;
  /** Rising places before which, and behind which, something may have been cut off. */
  readonly ends: readonly number[];
  readonly begins: readonly number[];
  /** False of what is too short to be taken for a secret, because it stands in several places of the text. */
  counts(from: number, to: number): boolean;
  /** Marks in the text what stands in this reading from the one byte to before the other. */
  mark(from: number, to: number): void;
}

/** Which ends of a text, or of its lines, may be cuts. */
export type Cut = "end" | "anywhere";

/** Escapes inside each other: JSON in JSON in a URL, say. */
const maxLayers = 3;

/** The text as it is. */
export function asWritten(bytes: Uint8Array, marks: Uint8Array, cut: Cut): Reading {
  return {
    bytes,
    ends: [bytes.length],
    begins: cut === "anywhere" ? [0] : [],
    counts: () => true,
    mark: (from, to) => void marks.fill(1, from, to),
  };
}

export function* readingsOf(text: Reading, cut: Cut): Generator<Reading> {
  let latest = withoutBreaks(text, cut) ?? text;
  yield latest;
  for (const next of peeled(latest, cut)) yield (latest = next);
  for (const packed of decoded(latest)) {
    yield packed;
    let inner = packed;
    for (const next of peeled(packed, cut)) yield (inner = next);
    // Base64 in base64: the credentials of a registry in a Kubernetes secret, say.
    yield* decoded(inner);
  }
}

/** With lines put together, and with escapes undone as often as there are any. */
export function* peeled(text: Reading, cut: Cut): Generator<Reading> {
  const joined = withoutBreaks(text, cut);
  if (joined) yield joined;
  let latest = joined ?? text;
  for (const next of unescapedLayers(latest)) yield (latest = next);
  const rejoined = latest === (joined ?? text) ? undefined : withoutBreaks(latest, cut);
  if (rejoined) yield rejoined;
}

/**
 * With escapes undone, once, twice, as often as there are any: of all kinds at once, and of each kind alone, because what one kind
 * takes for an escape may be a sign of the secret that another one wrote as it is.
 */
export function* unescapedLayers(text: Reading): Generator<Reading> {
  for (const kind of escapesByKind) {
    const once = unescaped(text, kind);
    if (once === undefined) continue;
    yield once;
    for (const other of escapesByKind) {
      const twice = unescaped(once, other);
      if (twice) yield twice;
    }
  }
  let latest: Reading | undefined = text;
  for (let layer = 0; layer < maxLayers; layer++) {
    latest = unescaped(latest, allEscapes);
    if (latest === undefined) return;
    yield latest;
  }
}

/** A reading made of another, byte by byte. */
class Derived implements Reading {
  readonly #of: Reading;
  readonly #bytes: Uint8Array;
  /** Where in the other a byte begins, and how many of its bytes it stands for. */
  readonly #from: Int32Array;
  readonly #width: Uint8Array;
  #length = 0;
  readonly #leastAcross: number;
  ends: readonly number[] = [];
  begins: readonly number[] = [];

  /** @param leastAcross the number of bytes that must be there of what is put together from several positions */
  constructor(of: Reading, size: number, leastAcross = 0) {
    this.#of = of;
    this.#leastAcross = leastAcross;
    this.#bytes = new Uint8Array(size);
    this.#from = new Int32Array(size);
    this.#width = new Uint8Array(size);
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  get length(): number {
    return this.#length;
  }

  add(byte: number, from: number, width: number): void {
    this.#bytes[this.#length] = byte;
    this.#from[this.#length] = from;
    this.#width[this.#length] = width;
    this.#length++;
  }

  /** The cuts of the other, where they are here. */
  cutAsBefore(): this {
    const from = this.#from.subarray(0, this.#length);
    this.ends = this.#of.ends.map((cut) => firstFrom(from, cut));
    this.begins = this.#of.begins.map((cut) => firstFrom(from, cut));
    return this;
  }

  counts(from: number, to: number): boolean {
    return to - from >= this.#leastAcross || int(this.#from, to - 1) - int(this.#from, from) === to - 1 - from;
  }

  mark(from: number, to: number): void {
    for (let at = from; at < to;) {
      const begin = int(this.#from, at);
      let end = begin;
      for (; at < to && int(this.#from, at) <= end; at++)
        end = Math.max(end, int(this.#from, at) + byteAt(this.#width, at));
      this.#of.mark(begin, end);
    }
  }
}

/** The first index from which on a rising list has no less. */
function firstFrom(list: Int32Array, least: number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (int(list, middle) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

// ----------------------------------------------------------------------------------------------------------------- Lines

/** A log driver cuts or splits lines at 16 KB, others sooner: behind a line from here on something may be missing, or go on in the next. */
const longLine = 1000;
/** What is shorter may stand at two lines' meeting by chance. */
const leastAcross = 6;

/** Without line breaks and the timestamps behind them, so that a secret is found that was split over lines, or has some of its own. */
function withoutBreaks(text: Reading, cut: Cut): Reading | undefined {
  const { bytes } = text;
  const first = stampLength(bytes, 0);
  if (first === 0 && !bytes.includes(newline)) return undefined;
  const joined = new Derived(text, bytes.length, leastAcross);
  const seams: number[] = [];
  for (let at = first, line = first; at < bytes.length;) {
    const byte = byteAt(bytes, at);
    if (byte === newline || (byte === carriageReturn && bytes[at + 1] === newline)) {
      const next = at + (byte === newline ? 1 : 2);
      if (at - line >= longLine) seams.push(joined.length);
      at = line = next + stampLength(bytes, next);
    } else joined.add(byte, at++, 1);
  }
  joined.cutAsBefore();
  if (cut === "anywhere") {
    joined.ends = merged(joined.ends, seams);
    joined.begins = merged(joined.begins, seams);
  }
  return joined;
}

function merged(cuts: readonly number[], seams: readonly number[]): readonly number[] {
  return [...new Set([...cuts, ...seams])].sort((a, b) => a - b);
}

const newline = 0x0a;
const carriageReturn = 0x0d;
const stamp = /^\d{4}-\d\d-\d\dT[\d:.]{4,20}(?:Z|[+-]\d\d:?\d\d) ?/;

function stampLength(bytes: Uint8Array, at: number): number {
  const digit = byteAt(bytes, at);
  if (digit < 0x30 || digit > 0x39 || byteAt(bytes, at + 4) !== 0x2d) return 0;
  return (
    stamp.exec(
      Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(40, bytes.length - at)).toString("latin1"),
    )?.[0].length ?? 0
  );
}

// --------------------------------------------------------------------------------------------------------------- Escapes

function unescaped(text: Reading, escapes: RegExp): Reading | undefined {
  const { bytes } = text;
  if (!(bytes.includes(0x5c) || bytes.includes(0x25) || bytes.includes(0x26))) return undefined;
  // One character for each byte, so that places are the same.
  const latin = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  const whole = text.ends.includes(bytes.length) ? latin.length - unfinishedLength(latin) : latin.length;
  const plain = new Derived(text, bytes.length);
  let read = 0;
  let found = false;
  for (const match of latin.matchAll(escapes)) {
    const meant = meaningOf(match.groups ?? {});
    if (meant === undefined) continue;
    found = true;
    for (; read < match.index; read++) plain.add(byteAt(bytes, read), read, 1);
    for (const byte of meant) plain.add(byte, match.index, match[0].length);
    read = match.index + match[0].length;
  }
  if (!found && whole === latin.length) return undefined;
  for (; read < whole; read++) plain.add(byteAt(bytes, read), read, 1);
  return plain.cutAsBefore();
}

// ---------------------------------------------------------------------------------------------------------------- Base64

/** Of fewer characters there are not the four bytes that a secret has. */
const shortestRun = 6;
/** A character's six bits in base64 and base64url (RFC 4648), -1 of others. */
const sextets = new Int8Array(256).fill(-1);
for (const [index, sign] of Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/").entries())
  sextets[sign.charCodeAt(0)] = index;
sextets[0x2d] = 62;
sextets[0x5f] = 63;

const sextet = (byte: number): number => sextets[byte] ?? -1;

/** What looks like base64, decoded from each place where a group of four characters may begin: a secret may stand anywhere in it. */
function* decoded(text: Reading): Generator<Reading> {
  const runs = runsOf(text.bytes);
  if (runs.length === 0) return;
  for (let shift = 0; shift < 4; shift++) {
    const reading = new Derived(
      text,
      runs.reduce((sum, [from, to]) => sum + to - from, 0),
    );
    const cuts = { ends: new Set<number>(), begins: new Set<number>() };
    for (const [from, to] of runs) {
      const first = from + shift;
      const base = reading.length;
      for (let at = first; at + 1 < to; at++) {
        const place = (at - first) % 4;
        if (place === 3) continue;
        const bits = (sextet(byteAt(text.bytes, at)) << 6) | sextet(byteAt(text.bytes, at + 1));
        reading.add((bits >>> (4 - 2 * place)) & 0xff, at, 2);
      }
      const placeOf = (cut: number, round: (x: number) => number): number =>
        base + round(Math.max(0, (cut - first) * 0.75));
      for (const cut of text.ends)
        if (cut > from && cut <= to) cuts.ends.add(Math.min(placeOf(cut, Math.floor), reading.length));
      for (const cut of text.begins)
        if (cut >= from && cut < to) cuts.begins.add(Math.min(placeOf(cut, Math.ceil), reading.length));
      reading.add(0, to, 0);
    }
    reading.ends = [...cuts.ends];
    reading.begins = [...cuts.begins];
    yield reading;
  }
}

function runsOf(bytes: Uint8Array): readonly (readonly [from: number, to: number])[] {
  const runs: (readonly [number, number])[] = [];
  for (let at = 0, from = 0; at <= bytes.length; at++) {
    if (at < bytes.length && sextet(byteAt(bytes, at)) >= 0) continue;
    if (at - from >= shortestRun) runs.push([from, at]);
    from = at + 1;
  }
  return runs;
}

const int = (list: Int32Array, index: number): number => list[index] ?? 0;
const byteAt = (list: Uint8Array, index: number): number => list[index] ?? 0;
