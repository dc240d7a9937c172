import { EVENT_ID, type Event } from "js-yaml";
import { compose, type Limits } from "./tree-builder.ts";
import { parseYaml, type Stopped } from "./parse.ts";
import { causeOf } from "./causes.ts";
import { Findings, Positions } from "./positions.ts";
import { Trail } from "./trail.ts";
import type { MapNode } from "./tree.ts";
import { containsExpression } from "../placeholders.ts";

export type ReadYaml =
  | {
      readonly ok: true;
      readonly root: MapNode;
      readonly findings: Findings;
      readonly places: Positions;
      /** What offsets point into. */
      readonly source: string;
    }
  | { readonly ok: false; readonly findings: Findings; readonly places: Positions };

/**
 * Reads one YAML 1.2 document (core schema, merge keys) or JSON text, whose top must be a mapping. Time and memory grow with the
 * length of the text and with `limits`, whatever it says.
 */
export function readYaml(text: string, limits: Limits): ReadYaml {
  const written = text.startsWith("\uFEFF") ? text.slice(1) : text;
  const findings = new Findings();
  const [, marker] = written.matchAll(documentStart);
  if (marker) {
    findings.fault(Trail.top(marker.index), severalDocuments);
    return { ok: false, findings, places: new Positions(written) };
  }
  const parsed = parseYaml(written, limits.maxDepth, limits.maxNodes);
  const { source, places } = parsed;
  const refuse = (offset: number, message: string): ReadYaml => {
    findings.fault(Trail.top(offset), message);
    return { ok: false, findings, places };
  };
  for (const offset of parsed.mended) findings.warn(Trail.top(offset), mended);

  const refuseFor = (offset: number, message: string): ReadYaml => {
    const cause = causeOf(source, offset);
    return cause ? refuse(cause.at, cause.message) : refuse(offset, message);
  };
  if ("stopped" in parsed) return refuseFor(parsed.stopped.offset, sentence(parsed.stopped, source));
  const second = secondDocument(parsed.events, source);
  if (second !== undefined) return refuse(second, severalDocuments);
  const [document, content] = parsed.events;
  if (document?.type !== EVENT_ID.DOCUMENT || (content?.type === EVENT_ID.SCALAR && content.valueStart < 0)) {
    return refuseFor(0, "The text is empty; send a container group with name, location and properties.");
  }
  if (document.directives.some(({ kind }) => kind === "tag")) {
    return refuse(0, "A %TAG directive is not supported; remove it and the tags that need it.");
  }
  const root = compose(parsed.events, source, limits, findings);
  if (!root) return { ok: false, findings, places };
  if (root.kind === "map") return { ok: true, root, findings, places, source };
  return refuseFor(root.at, `The definition must be a mapping with name, location and properties, not a ${root.kind}.`);
}

const mended = "This line must be indented more than the property that it belongs to; it is read as if it were.";

/** At a line's start it is nothing else (YAML 1.2.2, 9.1.2). */
const documentStart = /(?:^|(?<=[\r\n]))---(?=\s|$)/g;
const severalDocuments = "The text holds more than one YAML document; send one container group at a time.";

/** Where a second document begins that is separated from the first by only one `---`, or by a `...`. */
function secondDocument(events: readonly Event[], source: string): number | undefined {
  const second = events.findIndex((event, index) => index > 0 && event.type === EVENT_ID.DOCUMENT);
  if (second < 0) return undefined;
  const [marker] = source.matchAll(documentStart);
  if (marker && marker.index > 0) return marker.index;
  return Math.max(source.search(/(?<=[\r\n])\.\.\.(?=\s|$)/), 0);
}

/** What js-yaml's reasons mean for somebody who wrote the text. */
const sentences: readonly (readonly [RegExp, string])[] = [
  [/^nesting exceeded/, "Too many collections are inside each other; nest them less deeply."],
  [/^tab characters/, "A tab indents this line; YAML takes only spaces there."],
  [
    /non-printable|null byte|expected valid JSON/,
    "A control character stands here; remove it or write it as an escape in double quotes.",
  ],
  [/^unexpected end of the (stream|document) within a (single|double) quoted/, "A quoted text has no closing quote."],
  [/^unexpected end of the stream within a flow/, "A '[' or '{' is not closed; is the text complete?"],
  [
    /^missed comma|^expected the node content/,
    "A comma is missing or too many between the items of a '[...]' or '{...}'.",
  ],
  [/^a whitespace character is expected after the key-value/, "A space is missing after the ':'."],
  [
    /^expected ':' after a mapping key|multiline key/,
    "A ':' is missing after a property's name, or the line belongs to no property.",
  ],
  [
    /escape sequence|hexadecimal/,
    "A backslash in double quotes begins an unknown escape; double it, or use single quotes.",
  ],
  [/\btag\b/, "A value that begins with '!' is read as a tag; put it in quotes."],
  [/anchor|alias/, "A value that begins with '&' or '*' is read as an anchor or alias; put it in quotes."],
  [
    /^bad indentation|^deficient/,
    "The indentation does not fit the lines above, or a value with ': ', ' #' or quotes in it needs quotes.",
  ],
];

function sentence({ reason, offset, tooLarge }: Stopped, source: string): string {
  if (tooLarge) return "The definition has too many parts; make it smaller.";
  const lineStart = Math.max(source.lastIndexOf("\n", offset - 1), source.lastIndexOf("\r", offset - 1)) + 1;
  if (/^ *\t/.test(source.slice(lineStart, lineStart + 1000)))
    return "A tab indents this line; YAML takes only spaces there.";
  if (containsExpression(source.slice(offset, offset + 100)))
    return "A Data Factory expression is left here, not evaluated; make the activity's body dynamic content, or put it in quotes.";
  if (/[@`%]/.test(source.charAt(offset))) return "A value that begins with '@', '`' or '%' must stand in quotes.";
  const known = sentences.find(([pattern]) => pattern.test(reason));
  return known?.[1] ?? "This is neither YAML nor JSON here; check indentation, colons and quotes.";
}
