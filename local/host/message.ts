/** Queue messages between the wire and a function: encoding, trigger metadata, and the texts of a queue output. Pure. */
import type { RpcTypedData } from "./core-api.ts";

export type MessageEncoding = "base64" | "none";

/** A message as the queue service gives it; times are as the SDK parsed them. */
export interface ReceivedMessage {
  readonly messageId: string;
  readonly popReceipt: string;
  readonly messageText: string;
  readonly dequeueCount: number;
  readonly insertedOn: Date;
  readonly expiresOn: Date;
  readonly nextVisibleOn: Date;
}

const BASE64 = /^[a-z0-9+/]*={0,2}$/i;

/** The text that the function sees; undefined when the message is not in the configured encoding. */
export function decodeText(text: string, encoding: MessageEncoding): string | undefined {
  if (encoding === "none") return text;
  const packed = text.replace(/\s/g, "");
  if (packed.length % 4 !== 0 || !BASE64.test(packed)) return undefined;
  return Buffer.from(packed, "base64").toString("utf8");
}

/** The JavaScript client hands a carriage return over as the reference that stood for it in XML; .NET's reads it. */
export function receivedText(text: string): string {
  return text.replaceAll("&#xD;", "\r");
}

/** What the JavaScript client can send of a text: it drops line feeds, and base64 keeps them. .NET's client keeps them itself. */
export function sendableText(text: string): string {
  return /[\r\n]/.test(text) ? Buffer.from(text, "utf8").toString("base64") : text;
}

export function encodeText(text: string, encoding: MessageEncoding): string {
  return encoding === "none" ? text : Buffer.from(text, "utf8").toString("base64");
}

/**
 * The binding data of a message. What a JSON object message says itself comes over it, names compared without case, as in the
 * real host (Utility.ApplyBindingData): every member but arrays and nulls, so a poster can overwrite `Id` and `DequeueCount`.
 */
export function triggerMetadata(message: ReceivedMessage, text: string): Record<string, RpcTypedData> {
  const data: Record<string, RpcTypedData> = {
    QueueTrigger: { string: text },
    DequeueCount: { int: message.dequeueCount },
    Id: { string: message.messageId },
    PopReceipt: { string: message.popReceipt },
    InsertionTime: time(message.insertedOn),
    ExpirationTime: time(message.expiresOn),
    NextVisibleTime: time(message.nextVisibleOn),
  };
  for (const [name, value] of Object.entries(jsonObject(text))) {
    const typed = bindingValue(value);
    if (typed === undefined) continue;
    const known = Object.keys(data).find((key) => key.toLowerCase() === name.toLowerCase());
    data[known ?? name] = typed;
  }
  return data;
}

function jsonObject(text: string): object {
  const trimmed = text.trim();
  if (!trimmed.startsWith("{") || !trimmed.endsWith("}")) return {};
  try {
    const value: unknown = JSON.parse(trimmed);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {}; // not JSON: no binding data of its own
  }
}

function bindingValue(value: unknown): RpcTypedData | undefined {
  if (value === null || value === undefined || Array.isArray(value)) return undefined;
  if (typeof value === "object") return { json: JSON.stringify(value) };
  if (typeof value === "boolean") return { string: value ? "True" : "False" }; // .NET's text of a boolean
  return typeof value === "string" || typeof value === "number" ? { string: String(value) } : undefined;
}

/** .NET's text of a UTC time of the storage service: whole seconds, offset zero. */
function time(at: Date): RpcTypedData {
  return { json: JSON.stringify(at.toISOString().replace(/\.\d{3}Z$/, "+00:00")) };
}

/** The messages that a value for a queue output makes: an array (also one written as JSON text) is one for each element. */
export function outputTexts(value: RpcTypedData): string[] {
  if (value.string !== undefined) return jsonArray(value.string)?.map(elementText) ?? [value.string];
  if (value.json !== undefined) return jsonArray(value.json)?.map(elementText) ?? [value.json];
  if (value.bytes !== undefined) return [Buffer.from(value.bytes).toString("utf8")];
  const number = value.int ?? value.double;
  return number === undefined ? [] : [String(number)];
}

function jsonArray(text: string): unknown[] | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith("[") || !trimmed.endsWith("]")) return undefined;
  try {
    const value: unknown = JSON.parse(trimmed);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined; // only looks like an array: one message
  }
}

function elementText(element: unknown): string {
  return typeof element === "string" ? element : JSON.stringify(element);
}
