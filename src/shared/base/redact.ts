/**
 * Masking what was a secret wherever text leaves us: by value, in whatever form programs write it, and by what credentials look like.
 * Each text is read once for all secrets together, in each of its readings (`masking/readings.ts`). Pure.
 */
import { credentialPositions } from "./masking/credentials.ts";
import { Patterns } from "./masking/patterns.ts";
import { asWritten, peeled, readingsOf, unescapedLayers, type Cut, type Reading } from "./masking/readings.ts";

export type Mask = (text: string) => string;

const stars = "***";
/** Shorter values are words like `dev`: masking them would only make messages unreadable. */
const shortest = 4;
/** The length from which a line of a multi-line secret (a key's PEM, say) can't be an ordinary word. */
const shortestLine = 12;
/** A longer secret is looked for in pieces, which cost less memory and are found where only some of them are shown. */
const longestPiece = 4096;

/** A mask for texts that may have been cut at their end. */
export function maskOf(secrets: readonly string[]): Mask {
  return atOnce(masker(secrets, "end"));
}

/** For what a container wrote, of which the log driver may have cut off anything: its beginning, its end, the end of a long line. */
export function maskOfOutput(secrets: readonly string[]): Mask {
  return atOnce(masker(secrets, "anywhere"));
}

/** The same for whole logs: with megabytes it lets others go on between two readings of the text. */
export function maskOfLog(secrets: readonly string[]): (text: string) => Promise<string> {
  const mask = masker(secrets, "anywhere");
  return async (text) => {
    const masking = mask(text);
    for (;;) {
      const step = masking.next();
      if (step.done) return step.value;
      await new Promise((resolve) => void setImmediate(resolve));
    }
  };
}

/** Pauses after each reading of the text. */
type Masking = (text: string) => Generator<void, string, void>;

function atOnce(mask: Masking): Mask {
  return (text) => {
    const masking = mask(text);
    for (;;) {
      const step = masking.next();
      if (step.done) return step.value;
    }
  };
}

function masker(secrets: readonly string[], cut: Cut): Masking {
  const wanted = patternsOf(secrets);
  const forward = new Patterns(wanted);
  let backward: Patterns | undefined;
  return function* (text) {
    if (wanted.length === 0) return text;
    const bytes = Buffer.from(text);
    const marks = new Uint8Array(bytes.length);
    for (const reading of readingsOf(asWritten(bytes, marks, cut), cut)) {
      const found = new Spans(reading);
      forward.search(reading.bytes, found.add);
      forward.beginnings(reading.bytes, reading.ends, found.add);
      if (reading.begins.length > 0) {
        const { length } = reading.bytes;
        backward ??= new Patterns(wanted.map(reversed));
        const cuts = reading.begins.map((begin) => length - begin).reverse();
        backward.beginnings(reversed(reading.bytes), cuts, (from, to) => found.add(length - to, length - from));
      }
      found.end();
      yield;
    }
    return starred(text, bytes, marks);
  };
}

/** What is found overlaps, often at each byte: it is marked once for all. */
class Spans {
  readonly #reading: Reading;
  #from = 0;
  #to = 0;

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  readonly add = (from: number, to: number): void => {
    if (!this.#reading.counts(from, to)) return;
    if (from > this.#to || to < this.#from) {
      this.end();
      [this.#from, this.#to] = [from, to];
    } else [this.#from, this.#to] = [Math.min(from, this.#from), Math.max(to, this.#to)];
  };

  end(): void {
    if (this.#to > this.#from) this.#reading.mark(this.#from, this.#to);
  }
}

function starred(text: string, bytes: Buffer, marks: Uint8Array): string {
  let from = marks.indexOf(1);
  if (from < 0) return text;
  let masked = "";
  for (let read = 0; ;) {
    masked += bytes.toString("utf8", read, from) + stars;
    read = marks.indexOf(0, from);
    from = read < 0 ? -1 : marks.indexOf(1, read);
    if (from < 0) return masked + (read < 0 ? "" : bytes.toString("utf8", read));
  }
}

/** Every form in which a secret is searched: itself, its lines, and what it becomes where a reading undoes escapes of its own. */
function patternsOf(secrets: readonly string[]): readonly Uint8Array[] {
  const found = new Map<string, Uint8Array>();
  const add = (bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.length; at += longestPiece) {
      const piece = bytes.subarray(at, at + longestPiece);
      if (piece.length >= shortest) found.set(Buffer.from(piece).toString("latin1"), piece);
    }
  };
  for (const secret of secrets.map((each) => each.trim()).filter((each) => each.length >= shortest)) {
    const whole = Buffer.from(secret);
    add(whole);
    for (const { bytes } of peeled(
      { bytes: whole, ends: [], begins: [], counts: () => true, mark: () => undefined },
      "end",
    ))
      add(bytes);
    // As a form writes it (URL Standard, "application/x-www-form-urlencoded").
    if (secret.includes(" ")) add(Buffer.from(secret.replaceAll(" ", "+")));
    if (/[\r\n]/.test(secret))
      for (const line of secret.split(/[\r\n]+/)) if (line.trim().length >= shortestLine) add(Buffer.from(line.trim()));
  }
  return [...found.values()];
}

function reversed(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes).reverse();
}

/** For what Azure says: it may quote credentials that are in no definition. */
export const withCredentials =
  (mask: Mask): Mask =>
  (text) =>
    maskCredentials(mask(text));

/** Masks by structure what is in no definition: for logs, and for what Azure says. */
export const maskCredentials: Mask = (text) => {
  const bytes = Buffer.from(text);
  const marks = new Uint8Array(bytes.length);
  for (const { reading, places } of credentialsOf(asWritten(bytes, marks, "end")))
    for (const [from, to] of places) reading.mark(from, to);
  return starred(text, bytes, marks);
};

/** The values themselves, for masking them where their structure is lost. */
export function credentialsIn(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  return [...credentialsOf(asWritten(bytes, new Uint8Array(0), "end"))].flatMap(({ reading, places }) =>
    places.map(([from, to]) => Buffer.from(reading.bytes.subarray(from, to)).toString("utf8")),
  );
}

function* credentialsOf(text: Reading) {
  for (const reading of [text, ...unescapedLayers(text)]) {
    const places = credentialPositions(Buffer.from(reading.bytes).toString("latin1"));
    if (places.length > 0) yield { reading, places };
  }
}
