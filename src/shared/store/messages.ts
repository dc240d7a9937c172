import { z } from "zod";
import { parseJobId, type JobId } from "../base/ids.ts";
import { isDeeperThan, type JsonObject, type JsonValue } from "../base/json.ts";

/**
 * What travels on the queues, in and out. A message on `aci-jobs` is plain text or base64 of it: a definition (YAML or JSON), or an
 * envelope, which is told from a definition by its `version`. Our own messages are envelopes too.
 */
export type JobMessage =
  /** An id of a row that is there already. */
  | { readonly kind: "run"; readonly id: JobId }
  | { readonly kind: "cancel"; readonly id: JobId }
  | { readonly kind: "submit"; readonly submission: Submission }
  /** An envelope of a newer release: not ours to judge. */
  | { readonly kind: "newer" }
  | { readonly kind: "malformed"; readonly why: string; readonly of: Sender };

/** What a message that can't be read still tells of who sent it. */
export interface Sender {
  readonly id?: JobId | undefined;
  readonly name?: string | undefined;
  readonly replyTo?: string | undefined;
  readonly callBackUri?: string | undefined;
  readonly correlationId?: string | undefined;
}

export interface Submission {
  readonly id: JobId | undefined;
  readonly idempotencyKey: string | undefined;
  readonly definition: { readonly text: string } | { readonly blob: string };
  readonly options: JsonObject;
  readonly replyTo: string | undefined;
  readonly correlationId: string | undefined;
  readonly callBackUri: string | undefined;
  readonly traceparent: string | undefined;
  /** Members that no envelope has. */
  readonly unknown: readonly string[];
}

/** A definition's own limit is 64; beyond it whatever walks the message could run out of stack. */
const mostDepth = 100;

const json: z.ZodType<JsonValue> = z.json();

/** The envelope; published as JSON Schema. */
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
    options: z.record(z.string(), json, "must be an object").default({}),
    replyTo: z.object({ queue: z.string("must be a queue's name") }, "must be an object with a queue").optional(),
    correlationId: z.string("must be text").max(256, "must have at most 256 characters").optional(),
    callBackUri: z.string("must be text").max(4096, "must have at most 4096 characters").optional(),
    traceparent: z.string("must be text").max(256, "must have at most 256 characters").optional(),
  })
  .meta({ id: "aciproxy-message", title: "A message on the queue aci-jobs" });

/**
 * @param body the queue trigger's argument: the text, or what it parsed to where the text was JSON
 */
export function readJobMessage(body: unknown): JobMessage {
  const value = typeof body === "string" ? unwrap(body) : body;
  if (typeof value === "string") return { kind: "submit", submission: bare(value) };
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { kind: "malformed", why: "The message is neither a definition nor an envelope.", of: {} };
  }
  if (isDeeperThan(value, mostDepth)) {
    const why = "Too many collections are inside each other; nest them less deeply.";
    return { kind: "malformed", why, of: { id: idOf(value) } };
  }
  if (!isEnvelope(value)) return { kind: "submit", submission: bare(JSON.stringify(value)) };
  return readEnvelope(value);
}

/** A definition may have a `version` too, as it may have any member that ACI doesn't know; but no envelope has `properties` instead of one. */
function isEnvelope(value: object): boolean {
  const own = ["op", "definition", "definitionBlob"].some((name) => name in value);
  return "version" in value && (own || !Object.keys(value).some((name) => name.toLowerCase() === "properties"));
}

function readEnvelope(value: object): JobMessage {
  const id = idOf(value);
  const malformed = (why: string): JobMessage => ({ kind: "malformed", why, of: senderOf(value) });
  if ("version" in value && typeof value.version === "number" && value.version > 1) return { kind: "newer" };
  const parsed = envelopeSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues.at(0);
    const where = issue?.path.join(".") ?? "";
    return malformed(
      `The envelope is wrong at ${where === "" ? "its top" : where}: it ${issue?.message ?? "is not known"}.`,
    );
  }
  const { op, definition, definitionBlob, replyTo, version: _version, id: _id, ...rest } = parsed.data;
  if (op !== "submit") {
    if (id !== undefined) return { kind: op, id };
    return malformed(`An envelope with op ${op} needs an id.`);
  }
  if ((definition === undefined) === (definitionBlob === undefined)) {
    return malformed("The envelope needs a definition or a definitionBlob, and not both.");
  }
  const text = typeof definition === "string" ? definition : JSON.stringify(definition);
  const read = definitionBlob === undefined ? { text } : { blob: definitionBlob };
  const unknown = Object.keys(value).filter((name) => !Object.hasOwn(envelopeSchema.shape, name));
  const submission = { ...bare(""), ...rest, id, definition: read, replyTo: replyTo?.queue, unknown };
  return { kind: "submit", submission };
}

function senderOf(value: object): Sender {
  const text = (of: object, name: string): string | undefined => {
    const member: unknown = Object.entries(of).find(([key]) => key === name)?.[1];
    return typeof member === "string" ? member : undefined;
  };
  const inner = (name: "definition" | "replyTo"): object => {
    const member: unknown = Object.entries(value).find(([key]) => key === name)?.[1];
    return typeof member === "object" && member !== null ? member : {};
  };
  const definition = text(value, "definition");
  return {
    id: idOf(value),
    name: definition === undefined ? nameIn(JSON.stringify(inner("definition"))) : nameIn(definition),
    replyTo: text(inner("replyTo"), "queue"),
    callBackUri: text(value, "callBackUri"),
    correlationId: text(value, "correlationId")?.slice(0, 256),
  };
}

/** The name in a definition that can't be taken, if it can be told: so that its row is found by it. */
export function nameIn(text: string): string | undefined {
  if (text.trimStart().startsWith("{")) {
    try {
      const value: unknown = JSON.parse(text);
      const named = typeof value === "object" && value !== null ? Object.entries(value) : [];
      const name: unknown = named.find(([key]) => key.toLowerCase() === "name")?.[1];
      return typeof name === "string" && /^[a-z0-9-]{1,63}$/i.test(name) ? name : undefined;
    } catch {
      // Then it is text like any other.
    }
  }
  // No two spans of spaces that could share: the text is anybody's, and may be long.
  return /^[ \t]{0,40}"?name"?[ \t]{0,40}:[ \t]{0,40}["']?([a-z0-9-]{1,63})["']?[ \t]{0,40}(?:[,#].*)?\r?$/im.exec(
    text,
  )?.[1];
}

function idOf(value: object): JobId | undefined {
  return "id" in value && typeof value.id === "string" ? parseJobId(value.id) : undefined;
}

function bare(text: string): Submission {
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

/** Base64 is opened; JSON that is an object is parsed, everything else stays the text that it is (YAML). */
function unwrap(text: string): unknown {
  const plain = fromBase64(text) ?? text;
  if (!plain.trimStart().startsWith("{")) return plain;
  try {
    const value: unknown = JSON.parse(plain);
    return typeof value === "object" && value !== null && isEnvelope(value) ? value : plain;
  } catch {
    return plain;
  }
}

/** No definition is base64 by chance: every definition has a colon. Its lines may be broken, as `base64` and MIME break them. */
export function fromBase64(text: string): string | undefined {
  const joined = text.trim().replaceAll(/\r?\n/g, "");
  if (joined.length < 8 || joined.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(joined)) return undefined;
  return Buffer.from(joined, "base64").toString("utf8");
}

export function runMessage(id: JobId): string {
  return JSON.stringify({ version: 1, op: "run", id });
}

export function cancelMessage(id: JobId): string {
  return JSON.stringify({ version: 1, op: "cancel", id });
}

/** What travels on `aci-wake`: a job to look at, and the `lookAt` of its row for which the message was sent. */
export interface Wake {
  readonly id: JobId;
  readonly at: number | undefined;
}

export function wakeMessage(id: JobId, at: number | undefined): string {
  return JSON.stringify(at === undefined ? { version: 1, job: id } : { version: 1, job: id, at });
}

export function readWake(body: unknown): Wake | undefined {
  const value = typeof body === "string" ? unwrap(body) : body;
  if (typeof value !== "object" || value === null || !("job" in value) || typeof value.job !== "string")
    return undefined;
  const id = parseJobId(value.job);
  if (id === undefined) return undefined;
  return { id, at: "at" in value && typeof value.at === "number" ? value.at : undefined };
}

/** What an Event Grid event is reduced to: the name of a container group. Everything else in it is not believed, nor logged. */
export function readGroupEvents(body: unknown): readonly string[] {
  const value = typeof body === "string" ? parseEvent(body) : body;
  const events: readonly unknown[] = Array.isArray(value) ? value : [value];
  return events.flatMap((event) => {
    if (typeof event !== "object" || event === null || !("subject" in event) || typeof event.subject !== "string")
      return [];
    const match = /\/providers\/microsoft\.containerinstance\/containergroups\/([^/]{1,63})$/i.exec(event.subject);
    return match?.[1] === undefined ? [] : [match[1]];
  });
}

function parseEvent(text: string): unknown {
  try {
    return JSON.parse(fromBase64(text) ?? text);
  } catch {
    return undefined;
  }
}
