/**
 * What happened to a text on its way here, where it can't be read. Shells, template engines, serializers and web pages leave marks, which
 * are easier to act on than the parser's own words.
 */
export interface Cause {
  /** Offset in the text. */
  readonly at: number;
  /** One sentence that says what it is and what to do; it quotes nothing. */
  readonly message: string;
}

/** Of a longer text or line only this much is examined, so that no text takes long. */
const maxLooked = 2000;

/** @param at where the parser stopped, or what it could not take begins */
export function causeOf(text: string, at: number): Cause | undefined {
  const start = Math.max(text.search(/\S/), 0);
  const begin = text.slice(start, start + maxLooked);
  // A line that the parser took for the end of the one before it is where it stops.
  const { start: line } = lineAt(text, at);
  const offsets = [at, Math.max(line - (text.startsWith("\r\n", line - 2) ? 2 : 1), 0)];
  const whole = ofNotation(begin, start) ?? ofQuotes(text, start) ?? ofLostLineBreaks(text, begin, start);
  return whole ?? ofOddSpace(text, offsets) ?? ofTemplate(text, offsets);
}

/** What the whole text is, if it is neither YAML nor JSON. */
const notations: readonly (readonly [RegExp, string])[] = [
  [
    /^b["']/i,
    "The text is Python's notation of bytes, b'...': send the bytes themselves, or the text that their decode() gives.",
  ],
  [
    /^@(?:\{|[A-Za-z]\w{0,60} ?\()/,
    "The text is a Data Factory expression that nobody evaluated; make the activity's body dynamic content.",
  ],
  [
    /^@[\w./\\:~-]{1,300}\s*$/,
    "The text is '@' and a file's name: curl sends the file itself with --data-binary @FILE.",
  ],
  [
    /^--[-\w]{2,100}[\r\n]{1,2}content-/i,
    "The text is a multipart form; send the file alone, with curl --data-binary @FILE.",
  ],
  [
    /^[\w.~*-]{0,100}%(?:0[AD]|3A(?:%20|\+))/i,
    "The text is URL-encoded, as forms are; send it as it is, with curl --data-binary @FILE.",
  ],
  [/^<(?:[!?]|[A-Za-z][\w-]{0,40}[\s>])/, "The text is HTML or XML; send a container group as YAML or JSON."],
];

function ofNotation(begin: string, start: number): Cause | undefined {
  const known = notations.find(([pattern]) => pattern.test(begin));
  return known && { at: start, message: known[1] };
}

/** Quotes around a text with line breaks. (A JSON string, which can't have line breaks, has been unwrapped before.) */
function ofQuotes(text: string, start: number): Cause | undefined {
  const quote = text.charAt(start);
  const inside = text.slice(start + 1, start + maxLooked);
  if (!/["']/.test(quote) || !text.trimEnd().endsWith(quote) || !/^[^"']*:\s/.test(inside)) return undefined;
  return { at: start, message: "The whole text stands in quotes; send it without them." };
}

/** A text of one line that had more. */
function ofLostLineBreaks(text: string, begin: string, start: number): Cause | undefined {
  if (/[\r\n]/.test(text.slice(start).trimEnd())) return undefined;
  const isJson = /^[{[]/.test(begin);
  const escaped = (isJson ? /^[{[]\s*\\r?\\?n/ : /\\n|\\r\\n/).exec(begin);
  if (escaped)
    return {
      at: start + escaped.index,
      message: "The line breaks are written as the two characters \\n; send real line breaks.",
    };
  if (isJson || !/^#.*:\s|:\s.*:(?:\s|$)/.test(begin)) return undefined;
  const message =
    "The line breaks are gone, as curl -d @FILE removes them; send the file with curl --data-binary @FILE.";
  return { at: start, message };
}

const oddSpaces: Readonly<Record<string, string>> = {
  "\u00A0": "A no-break space (U+00A0)",
  "\u202F": "A narrow no-break space (U+202F)",
  "\u2007": "A figure space (U+2007)",
  "\u200B": "A zero-width space (U+200B)",
  "\u3000": "An ideographic space (U+3000)",
  "\uFEFF": "A byte-order mark (U+FEFF)",
};

/** A character that looks like a space but is no space to YAML: in a line's indentation, or in the lines where something is wrong. */
export function ofOddSpace(text: string, offsets: readonly number[]): Cause | undefined {
  const indented = /^[ \t]*[\u00A0\u1680\u2000-\u200B\u202F\u205F\u3000\uFEFF]/m.exec(text);
  if (indented) return oddSpace(text, indented.index + indented[0].length - 1);
  const at = inLines(text, offsets, /[\u00A0\u1680\u2000-\u200B\u202F\u205F\u3000\uFEFF]/);
  return at === undefined ? undefined : oddSpace(text, at);
}

function oddSpace(text: string, at: number): Cause {
  const what = oddSpaces[text.charAt(at)] ?? "A special space";
  return { at, message: `${what} stands here, as web pages and documents have them; replace it with a plain space.` };
}

export const templateLeft =
  "A template placeholder, {{ ... }}, is left here; fill in the template before it is sent, or put the value in quotes.";

function ofTemplate(text: string, offsets: readonly number[]): Cause | undefined {
  const at = inLines(text, offsets, /\{\{|\{%/);
  return at === undefined ? undefined : { at, message: templateLeft };
}

/** Where a pattern first is found in the lines of the offsets. */
function inLines(text: string, offsets: readonly number[], pattern: RegExp): number | undefined {
  for (const offset of offsets) {
    const { line, start } = lineAt(text, offset);
    const at = line.search(pattern);
    if (at >= 0) return start + at;
  }
  return undefined;
}

/** The line around an offset, or the part of it that is near. */
function lineAt(text: string, offset: number): { readonly line: string; readonly start: number } {
  const from = Math.max(0, offset - maxLooked);
  const before = text.slice(from, offset);
  const start = from + Math.max(before.lastIndexOf("\n"), before.lastIndexOf("\r")) + 1;
  const [line = ""] = text.slice(start, offset + maxLooked).split(/[\r\n]/, 1);
  return { line, start };
}
