import { z } from "zod";
import { err, ok, type Result } from "../base/errors.ts";
import { childIn, parseJobId, type JobId } from "../base/ids.ts";
import { foldName, isDeeperThan, type JsonObject, type JsonValue, parseJson } from "../base/json.ts";
import { memberSpan } from "../base/json-span.ts";
import { openBytes, openText, type NotText } from "../base/written-text.ts";

/**
 * What is submitted, by POST, in a message on `aci-jobs` or in a file: a definition (YAML or JSON), or an envelope around one, which is
 * distinguished from a definition by its `version`. The service's own messages on that queue are envelopes too.
 */
export type JobMessage =
  /** An id of a row that is there already. */
  | { readonly kind: "run"; readonly id: JobId }
  | { readonly kind: "cancel"; readonly id: JobId }
  | { readonly kind: "submit"; readonly submission: Envelope }
  /** An envelope of a newer release: not ours to judge. */
  | { readonly kind: "newer" }
  | { readonly kind: "malformed"; readonly why: string; readonly at: Position; readonly of: Sender };

interface Position {
  /** A member of the envelope; absent where the text itself is wrong. */
  readonly path?: string | undefined;
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** What a message that can't be read still says about its sender. */
interface Sender {
  readonly id?: JobId | undefined;
  readonly name?: string | undefined;
  readonly replyTo?: string | undefined;
  readonly callBackUri?: string | undefined;
  readonly correlationId?: string | undefined;
}

export interface Envelope {
  readonly id: JobId | undefined;
  readonly idempotencyKey: string | undefined;
  readonly definition: { readonly text: string } | { readonly blob: string } | { readonly template: TemplateCall };
  readonly options: JsonObject;
  readonly replyTo: string | undefined;
  readonly correlationId: string | undefined;
  readonly callBackUri: string | undefined;
  readonly traceparent: string | undefined;
  /** Members that mean nothing: no envelope has them, or they are there twice, in different letter case. */
  readonly unknown: readonly string[];
}

/** A stored definition to run, and the values of its parameters. */
export interface TemplateCall {
  readonly name: string;
  /** The newest, unless one is named. */
  readonly version: number | undefined;
  readonly parameters: JsonObject;
}

/** Letters of any case, which does not count. */
export const templateName = /^[A-Za-z0-9](?:[\w.-]{0,62}[A-Za-z0-9])?$/;
export const mustBeTemplateName = "must be 1 to 64 letters, digits and . _ -, with a letter or digit at both ends";

/** A definition's own limit is 64; beyond it whatever walks the message could run out of stack. */
const maxDepth = 100;

/** `JSON.parse` makes infinity of a number with too large an exponent. */
const json: z.ZodType<JsonValue> = z.lazy(() =>
  z.union(
    [z.string(), z.number(), z.boolean(), z.null(), z.array(json), z.record(z.string(), json)],
    "must have no number that is too large",
  ),
);

/** The envelope; published as JSON Schema. Its members' names ignore case, and one that is null counts as absent. */
export const envelopeSchema = z
  .object({
    version: z.literal(1, "must be the number 1"),
    op: z.enum(["submit", "cancel", "run"], "must be submit or cancel").default("submit"),
    id: z.guid("must be a UUID").optional(),
    idempotencyKey: z
      .string("must be text")
      .regex(/^[\x20-\x7e]{1,256}$/, "must be 1 to 256 printable ASCII characters")
      .optional(),
    definition: z
      .union([z.string(), z.record(z.string(), json)], "must be text or an object, a container group")
      .optional(),
    definitionBlob: z
      .string("must be text")
      .regex(/^aci-definitions\/.{1,900}$/, "must name a blob of the container aci-definitions")
      .optional(),
    template: z.string("must be a template's name").regex(templateName, mustBeTemplateName).optional(),
    templateVersion: z.int("must be a whole number").min(1, "must be at least 1").optional(),
    parameters: z.record(z.string(), json, "must be an object").optional(),
    options: z.record(z.string(), json, "must be an object").default({}),
    replyTo: z.object({ queue: z.string("must be a queue's name") }, "must be an object with a queue").optional(),
    correlationId: z.string("must be text").max(256, "must have at most 256 characters").optional(),
    callBackUri: z.string("must be text").max(4096, "must have at most 4096 characters").optional(),
    traceparent: z.string("must be text").max(256, "must have at most 256 characters").optional(),
  })
  .meta({ id: "aciproxy-message", title: "A message on the queue aci-jobs" });

const start: Position = { line: 1, column: 1 };

/**
 * @param body text or its bytes; or what the text parsed to, as the queue trigger gives it where the text was JSON
 */
export function readJobMessage(body: unknown): JobMessage {
  if (typeof body !== "string" && !(body instanceof Uint8Array)) return readParsed(body);
  const opened = typeof body === "string" ? openText(body) : openBytes(body);
  if (!opened.ok) return { kind: "malformed", why: opened.error.message, at: opened.error, of: {} };
  const text = opened.value;
  const value = jsonObjectIn(text);
  return value !== undefined && isEnvelope(value)
    ? readEnvelope(value, text)
    : { kind: "submit", submission: bare(text) };
}

/**
 * What a POST says that names its template in the query: the envelope's members, but for those, as JSON; or nothing.
 */
export function readTemplateMessage(body: string, { name, version }: Omit<TemplateCall, "parameters">): JobMessage {
  const opened = openText(body);
  if (!opened.ok) return { kind: "malformed", why: opened.error.message, at: opened.error, of: {} };
  const value = opened.value.trim() === "" ? {} : jsonObjectIn(opened.value);
  if (value === undefined) {
    const why = "With template the body must be JSON: {parameters, options}, or nothing.";
    return { kind: "malformed", why, at: start, of: {} };
  }
  const named = new Set(["version", "template", "templateversion"]);
  const given = Object.entries(value).filter(([key]) => !named.has(foldName(key)));
  const template = { version: 1, template: name, templateVersion: version };
  return readEnvelope({ ...Object.fromEntries(given), ...template }, undefined);
}

/** The text of what is submitted, with one more option: the envelope that it is, or one around it. */
export function withOption(text: string, name: string, option: unknown): string {
  const value = jsonObjectIn(text);
  return value !== undefined && isEnvelope(value)
    ? JSON.stringify(optionAdded(value, name, option))
    : JSON.stringify({ version: 1, definition: text, options: { [name]: option } });
}

/** An envelope, or what is sent to a template, with one more option. */
export function optionAdded(envelope: object, name: string, option: unknown): object {
  const isOptions = ([key]: readonly [string, unknown]): boolean => foldName(key) === "options";
  const members = Object.entries<unknown>({ ...envelope });
  const given = members.find(isOptions)?.[1];
  const options = { ...(typeof given === "object" ? given : {}), [name]: option };
  return { ...Object.fromEntries(members.filter((member) => !isOptions(member))), options };
}

function readParsed(value: unknown): JobMessage {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { kind: "malformed", why: "The message is neither a definition nor an envelope.", at: start, of: {} };
  }
  if (!isDeeperThan(value, maxDepth) && !isEnvelope(value))
    return { kind: "submit", submission: bare(JSON.stringify(value)) };
  return readEnvelope(value, undefined);
}

/** A definition may have a `version` too, as it may have any member that ACI doesn't know; but no envelope has `properties` instead of one. */
function isEnvelope(value: object): boolean {
  const names = new Set(Object.keys(value).map(foldName));
  const own = ["op", "definition", "definitionblob"].some((name) => names.has(name));
  return names.has("version") && (own || !names.has("properties"));
}

/** @param text what it was parsed from, where that is at hand */
function readEnvelope(value: object, text: string | undefined): JobMessage {
  const { given, unknown } = named(value, Object.keys(envelopeSchema.shape));
  const id = typeof given["id"] === "string" ? parseJobId(given["id"]) : undefined;
  // A row under such an id would stand in an array's way.
  const isTaken = id !== undefined && childIn(id) !== undefined;
  const own = isTaken ? undefined : id;
  if (isDeeperThan(value, maxDepth)) {
    const why = "Too many collections are inside each other; nest them less deeply.";
    return { kind: "malformed", why, at: start, of: { id: own } };
  }
  const malformed = (why: string, at = start): JobMessage => ({ kind: "malformed", why, at, of: senderOf(given, own) });
  if (typeof given["version"] === "number" && given["version"] > 1) return { kind: "newer" };
  const parsed = envelopeSchema.safeParse(given);
  if (!parsed.success) {
    const issue = parsed.error.issues.at(0);
    const where = issue?.path.join(".") ?? "";
    const why = `The envelope is wrong at ${where === "" ? "its top" : where}: it ${issue?.message ?? "is not known"}.`;
    return malformed(why, { ...start, path: where });
  }
  const { op, definition, definitionBlob, template, templateVersion, parameters, ...further } = parsed.data;
  if (op !== "submit") return id === undefined ? malformed(`An envelope with op ${op} needs an id.`) : { kind: op, id };
  if (isTaken) {
    const why = "The envelope is wrong at id: arrays give such ids to their jobs. Give a random UUID.";
    return malformed(why, { ...start, path: "id" });
  }
  const asked = askedFor({ definition, definitionBlob, template, templateVersion, parameters }, text);
  if (!asked.ok) return malformed(asked.error.message, asked.error);
  const { replyTo, version: _version, id: _id, ...rest } = further;
  const submission = { ...bare(""), ...rest, id, definition: asked.value, replyTo: replyTo?.queue, unknown };
  return { kind: "submit", submission };
}

type Asked = Pick<
  z.output<typeof envelopeSchema>,
  "definition" | "definitionBlob" | "template" | "templateVersion" | "parameters"
>;

/** What is to be run: a definition, a blob with one, or a template. */
function askedFor(
  { definition, definitionBlob, template, templateVersion, parameters }: Asked,
  text: string | undefined,
): Result<Envelope["definition"], Position & { readonly message: string }> {
  const fault = (message: string) => err({ ...start, message });
  if ([definition, definitionBlob, template].filter((each) => each !== undefined).length !== 1)
    return fault("The envelope needs one of definition, definitionBlob and template, and no second one.");
  if (template !== undefined)
    return ok({ template: { name: template, version: templateVersion, parameters: parameters ?? {} } });
  if ((parameters ?? templateVersion) !== undefined)
    return fault("parameters and templateVersion belong to a template, which the envelope does not name.");
  if (definition === undefined) return ok({ blob: definitionBlob ?? "" });
  const inner = definitionText(definition, text);
  if (inner.ok) return ok({ text: inner.value });
  const message = `The envelope is wrong at definition: ${inner.error.message}`;
  return err({ ...inner.error, path: "definition", message });
}

/**
 * The definition's own text. One that is an object is taken as it was written, where that is known, and with blanks for all that stands
 * before it: so numbers keep their digits, and places in it are places in what was sent.
 */
function definitionText(definition: string | JsonObject, envelope: string | undefined): Result<string, NotText> {
  if (typeof definition === "string") return openText(definition);
  const span = envelope === undefined ? undefined : memberSpan(envelope, "definition");
  if (envelope === undefined || span === undefined) return ok(JSON.stringify(definition));
  return ok(envelope.slice(0, span.start).replace(/[^\r\n]/g, " ") + envelope.slice(span.start, span.end));
}

/** Members by their right names, whatever letter case they were written in; what is null is left out. */
function named(
  value: object,
  names: readonly string[],
): { readonly given: Readonly<Record<string, unknown>>; readonly unknown: readonly string[] } {
  const known = new Map(names.map((name) => [foldName(name), name]));
  const given = new Map<string, unknown>();
  const unknown: string[] = [];
  for (const [key, member] of Object.entries(value) as [string, unknown][]) {
    // JSON's members are of any type
    const name = known.get(foldName(key));
    if (name === undefined || given.has(name)) unknown.push(key);
    if (name === undefined || member === null || member === undefined) continue;
    given.set(name, name === "replyTo" ? replyToIn(member) : name === "op" ? wordIn(member) : member);
  }
  return { given: Object.fromEntries(given), unknown };
}

function replyToIn(member: unknown): unknown {
  return typeof member === "object" && member !== null && !Array.isArray(member)
    ? named(member, ["queue"]).given
    : member;
}

function wordIn(member: unknown): unknown {
  return typeof member === "string" ? member.toLowerCase() : member;
}

function senderOf(given: Readonly<Record<string, unknown>>, id: JobId | undefined): Sender {
  const text = (member: unknown): string | undefined => (typeof member === "string" ? member : undefined);
  const { definition, replyTo } = given;
  const queue = typeof replyTo === "object" && replyTo !== null && "queue" in replyTo ? replyTo.queue : undefined;
  return {
    id,
    name: nameIn(typeof definition === "string" ? definition : JSON.stringify(definition ?? {})),
    replyTo: text(queue),
    callBackUri: text(given["callBackUri"]),
    correlationId: text(given["correlationId"])?.slice(0, 256),
  };
}

/** The name in a refused definition, if it can be read: so that the job's row is found by it. */
export function nameIn(text: string): string | undefined {
  const named = Object.entries(jsonObjectIn(text) ?? {}) as [string, unknown][]; // JSON's members are of any type
  if (named.length > 0) {
    const name = named.find(([key]) => foldName(key) === "name")?.[1];
    return typeof name === "string" && /^[a-z0-9-]{1,63}$/i.test(name) ? name : undefined;
  }
  // No two spans of spaces that could share: the text is anybody's, and may be long.
  return /^[ \t]{0,40}"?name"?[ \t]{0,40}:[ \t]{0,40}["']?([a-z0-9-]{1,63})["']?[ \t]{0,40}(?:[,#].*)?\r?$/im.exec(
    text,
  )?.[1];
}

function jsonObjectIn(text: string): object | undefined {
  if (!/^\s*\{/.test(text)) return undefined;
  const value = parseJson(text);
  return typeof value === "object" && value !== null ? value : undefined; // else it is text like any other
}

function bare(text: string): Envelope {
  return {
    id: undefined,
    idempotencyKey: undefined,
    definition: { text },
    options: {},
    replyTo: undefined,
    correlationId: undefined,
    callBackUri: undefined,
    traceparent: undefined,
    unknown: [],
  };
}
