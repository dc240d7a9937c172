import { parseEvents, YAMLException, type Event } from "js-yaml";
import { Positions } from "./positions.ts";

/** What js-yaml made of a text: its events, or where and why it stopped. */
export type ParsedText = {
  /** The text that was parsed, which offsets point into. */
  readonly source: string;
  readonly places: Positions;
  /** Offsets of lines that had to be indented first. */
  readonly mended: readonly number[];
} & ({ readonly events: readonly Event[] } | { readonly stopped: Stopped });

export interface Stopped {
  /** js-yaml's words, which may quote the text: never to be shown. */
  readonly reason: string;
  readonly offset: number;
  readonly tooLarge: boolean;
}

/** Spaces that a line with too little indentation gets; deeper than any definition is nested. */
const pad = 200;
/** Characters that may be read again or put in, all tries together. */
const patience = 1 << 20;

/**
 * Parses YAML. It wants each line of a quoted text and of a `{...}` indented more than its key (YAML 1.2.2, 6.1 and 7.3), and
 * js-yaml 5 insists. Older readers, the original's among them, did not, and certificates are pasted so; leading blanks mean nothing
 * there, so they are put in.
 */
export function parseYaml(text: string, maxDepth: number, maxNodes: number): ParsedText {
  const padded = new Set<number>();
  const mended: number[] = [];
  let source = text;
  for (let read = text.length; ; read += source.length) {
    const result = parseOnce(source, maxDepth, maxNodes);
    if ("line" in result && result.reason === "deficient indentation" && !padded.has(result.line) && read <= patience) {
      const indented = indent(source, result.lineStart, result.line, padded);
      if (indented !== undefined) {
        mended.push(result.line);
        source = indented;
        continue;
      }
    }
    const places = new Positions(source, padded, pad);
    const told = { source, places, mended: mended.map((line) => places.startOf(line)) };
    return "line" in result ? { ...told, stopped: result } : { ...told, events: result.events };
  }
}

/** js-yaml compares its depth with this before it reads a node: so nodes can be counted, and a text with too many of them be left early. */
class Meter {
  left: number;
  readonly #maxDepth: number;

  constructor(maxDepth: number, maxNodes: number) {
    this.#maxDepth = maxDepth;
    this.left = maxNodes;
  }

  valueOf(): number {
    this.left -= 1;
    return this.left < 0 ? 0 : this.#maxDepth;
  }
}

type Once = { readonly events: Event[] } | (Stopped & { readonly line: number; readonly lineStart: number });

function parseOnce(source: string, maxDepth: number, maxNodes: number): Once {
  const meter = new Meter(maxDepth + 1, maxNodes);
  try {
    // js-yaml only compares it with numbers, for which any object with valueOf will do; a test has its limit reached
    return { events: parseEvents(source, { maxDepth: meter as unknown as number }) };
  } catch (error) {
    const { reason, mark } = error instanceof YAMLException ? error : { reason: "", mark: undefined };
    const offset = mark?.position ?? 0;
    return { reason, offset, tooLarge: meter.left < 0, line: mark?.line ?? 0, lineStart: offset - (mark?.column ?? 0) };
  }
}

/**
 * Indents a line and those after it, up to the first with a character that could end the quoted text or the collection that they
 * all are in. `undefined` where that would be too many.
 */
function indent(source: string, start: number, line: number, padded: Set<number>): string | undefined {
  const rest = source.slice(start);
  const closing = rest.search(/["'}\]]/);
  const max = Math.floor(patience / pad);
  const lines = rest.slice(0, closing < 0 ? rest.length : closing).split(/(?<=\r\n|\n|\r(?!\n))/, max + 2);
  const inside = lines.slice(0, Math.max(lines.length - 1, 1));
  if (inside.length > max) return undefined;
  inside.forEach((_, index) => padded.add(line + index));
  const blanks = " ".repeat(pad);
  const length = inside.reduce((sum, each) => sum + each.length, 0);
  return source.slice(0, start) + inside.map((each) => blanks + each).join("") + rest.slice(length);
}
