import { isDeeperThan, parseJson } from "../base/json.ts";

/** A program's result: one JSON object, printed as the last line of its log or sent to `ACI_PROXY_RESULT_URL`. Pure. */
export type JobResult = Readonly<Record<string, unknown>>;

/** Of a sent one, in bytes. */
export const maxSentBytes = 256 * 1024;
const maxPrintedBytes = 64 * 1024;
/** A deeper one is read, but could not be written again. */
const maxDepth = 100;
/** A line that Container Instances cut is at least this long; anything shorter is a line of another kind. */
const minCutLength = 12 * 1024;

const otherWay = "or PUT it to ACI_PROXY_RESULT_URL (option env)";

/** Why something that looks like a result is none: what a person reads after "The result was dropped: ". */
export const whyDropped = {
  tooLong: `its line is longer than 64 KiB. Shorten it, ${otherWay}.`,
  cut: `Container Instances kept only the end of its line. Shorten it to 12 KiB, ${otherWay}.`,
  severalLines: `it has several lines. Print it as one line, ${otherWay}.`,
  tooDeep: "its objects and lists are nested more than 100 deep.",
  noMain: `the group has several containers and no main. Set the option main, ${otherWay}.`,
  unread: "storage did not answer when the result was read.",
} as const;
export type Dropped = keyof typeof whyDropped;

export function isDropped(word: string): word is Dropped {
  return Object.hasOwn(whyDropped, word);
}

export type ReadResult =
  | { readonly kind: "result"; readonly value: JobResult }
  | { readonly kind: "dropped"; readonly why: Dropped }
  | { readonly kind: "none" };

const none = { kind: "none" } as const;
const dropped = (why: Dropped): ReadResult => ({ kind: "dropped", why });

/** @param log the end of a container's log, without timestamps and marks */
export function printedResult(log: string): ReadResult {
  const lines = log.trimEnd().split("\n");
  const last = lines.at(-1)?.trim() ?? "";
  if (!last.endsWith("}")) return none;
  if (last === "}") return endsWithObject(lines) ? dropped("severalLines") : none;
  if (!last.startsWith("{")) return last.length >= minCutLength ? dropped("cut") : none;
  return Buffer.byteLength(last) > maxPrintedBytes ? dropped("tooLong") : sentResult(last);
}

/** What a text says that should be a result and nothing else. */
export function sentResult(text: string): ReadResult {
  const value = parsed(text);
  if (value === undefined) return none;
  return isDeeperThan(value, maxDepth) ? dropped("tooDeep") : { kind: "result", value };
}

/** With several containers it is unclear which has the result. */
export function resultOfMany(logs: readonly string[]): ReadResult {
  return logs.some((log) => printedResult(log).kind !== "none") ? dropped("noMain") : none;
}

/** Whether the last lines are an object, as a JSON printer indents it. */
function endsWithObject(lines: readonly string[]): boolean {
  const from = lines.lastIndexOf("{");
  const text = from < 0 ? "" : lines.slice(from).join("\n");
  return text.length <= maxSentBytes && parsed(text) !== undefined;
}

function parsed(text: string): JobResult | undefined {
  const value = parseJson(text);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}
