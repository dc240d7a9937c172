import type { Settings } from "../config/settings.ts";
import { parseDefinition, type Definition, type OptionsBlock } from "../definition/index.ts";
import { clip, no, ok, shownName, type PlacedFault, type Refusal, type Result } from "../base/errors.ts";
import type { JobId } from "../base/ids.ts";
import type { JsonObject } from "../base/json.ts";
import { readOptions, type JobOptions, type OptionsFrom } from "../job/options.ts";
import { notPermitted } from "./permitted.ts";
import { isAllowedAddress } from "../security/safe-post.ts";

/** What a caller asks for, by HTTP or on the queue, before anything is judged. */
export interface Order {
  readonly text: string;
  readonly query: JsonObject;
  readonly envelope: JsonObject;
  readonly via: "http" | "queue" | "rerun";
  /** Given by a poster, or derived from its message, whose own id stands beside it where it is known; minted when absent. */
  readonly id: { readonly id: JobId; readonly foreign: boolean; readonly messageId?: string } | undefined;
  readonly createdAt: number | undefined;
  readonly idempotencyKey: string | undefined;
  readonly callBackUri: string | undefined;
  readonly replyTo: string | undefined;
  readonly correlationId: string | undefined;
  readonly traceparent: string | undefined;
  readonly requestedBy: string | undefined;
  readonly rerunOf: JobId | undefined;
  /** Members of its envelope that mean nothing: told as warnings. */
  readonly unknown: readonly string[];
}

/** An order that can be taken: everything judged, nothing stored. */
export interface Checked {
  readonly definition: Definition;
  readonly options: JobOptions;
  readonly warnings: readonly PlacedFault[];
  readonly callBackUri: string | undefined;
}

/** More than a definition of the largest size has, and no more than a worker reads in the twinkling of an eye. */
const mostNodes = 50_000;

/** Every fault of an order at once: of its definition, its options, and what they are together. Pure. */
export function check(order: Order, settings: Settings): Result<Checked> {
  const parsed = parseDefinition(order.text, { defaultApiVersion: settings.defaultApiVersion, maxNodes: mostNodes });
  const callBackUri = order.callBackUri ?? parsed.callBackUri;
  const sources = sourcesOf(order, parsed.block);
  const read = readOptions(sources, {
    settings,
    via: order.via === "queue" ? "queue" : "http",
    containers: parsed.ok ? parsed.definition.view.containers.map(({ name }) => name) : undefined,
    hasCallBack: callBackUri !== undefined,
  });
  const found: Found[] = [
    { code: "InvalidDefinition", what: "The definition can't be taken", errors: parsed.ok ? [] : parsed.faults },
    {
      code: "InvalidOptions",
      what: "The options can't be taken",
      errors: [...(read.ok ? [] : read.error), ...addressFaults(order, callBackUri, settings)],
    },
  ];
  const refused = parsed.ok ? notPermitted(parsed.definition, parsed.place, settings) : undefined;
  const forbidden = refused ? [refused] : [];
  if (!parsed.ok || !read.ok) return no(refusalOf([...found, ...forbidden]));

  const { definition } = parsed;
  const { options } = read.value;
  const unknown = order.unknown
    .slice(0, mostUnknown)
    .map((name): PlacedFault => ({ path: shownName(name, "member"), line: 1, column: 1, message: unknownMember }));
  const warnings = [...unknown, ...parsed.warnings, ...read.value.warnings];
  const bounded = options.main !== undefined || options.runTimeout !== undefined || namesTimeout(sources);
  if (definition.view.restartPolicy === "Always" && !bounded) {
    const path = "properties.restartPolicy";
    const endless = { path, ...parsed.place(path), message: neverEnds };
    const waits = options.polling !== "false" || callBackUri !== undefined;
    if (waits) found.push({ code: "NeverEnds", what: "The job would never end", errors: [endless] });
    else warnings.push(endless);
  }
  if (options.strict)
    found.push({ code: "InvalidDefinition", what: "With strict, warnings are errors", errors: warnings });
  found.push(...forbidden);
  return found.some(({ errors }) => errors.length > 0)
    ? no(refusalOf(found))
    : ok({ definition, options, warnings, callBackUri });
}

function sourcesOf({ query, envelope }: Order, block: OptionsBlock | undefined): readonly OptionsFrom[] {
  return [
    { where: "query", values: query },
    { where: "envelope", values: envelope },
    ...(block ? [{ where: "block" as const, values: block.values, place: (name: string) => block.place(name) }] : []),
  ];
}

/** Faults of one kind, or none. */
interface Found {
  readonly code: Refusal["code"];
  readonly what: string;
  readonly errors: readonly PlacedFault[];
}

/** One refusal with all that was found; the first kind gives it its code. */
function refusalOf(found: readonly Found[]): Refusal {
  const first = found.find(({ errors }) => errors.length > 0);
  const errors = found.flatMap((each) => each.errors);
  return invalid(first?.code ?? "InvalidDefinition", first?.what ?? "", errors);
}

/** So many are told: a row and a reply are no place for thousands. */
const mostUnknown = 50;
const unknownMember = "This is no member of the envelope and has no effect; see docs/queue.md.";
const neverEnds =
  "A group with restartPolicy Always, or none, never ends: set Never or OnFailure, or name main, timeout or runTimeout.";

const longestUri = 4096;

function* addressFaults(
  { replyTo }: Order,
  callBackUri: string | undefined,
  settings: Settings,
): Generator<PlacedFault> {
  const at = { line: 1, column: 1 };
  if (callBackUri !== undefined && !isAllowedAddress(callBackUri, settings.callbackHosts))
    yield { ...at, path: "callBackUri", message: "callBackUri must be an https address on an allowed host." };
  if (callBackUri !== undefined && callBackUri.length > longestUri)
    yield { ...at, path: "callBackUri", message: `callBackUri must have at most ${longestUri} characters.` };
  if (replyTo !== undefined && !settings.replyQueues.includes(replyTo))
    yield { ...at, path: "replyTo", message: "replyTo must name a queue of the setting REPLY_QUEUES." };
}

function namesTimeout(sources: readonly OptionsFrom[]): boolean {
  return sources.some(({ values }) => Object.keys(values).some((name) => name.toLowerCase() === "timeout"));
}

function invalid(code: Refusal["code"], what: string, errors: readonly PlacedFault[]): Refusal {
  const first = errors.at(0);
  const where =
    first && first.path !== "" ? `${first.path} (line ${first.line}): ` : first ? `line ${first.line}: ` : "";
  const more = errors.length > 1 ? ` And ${errors.length - 1} more.` : "";
  return { code, message: clip(`${what}: ${where}${first?.message ?? ""}${more}`, 300), errors };
}
