/**
 * A handler's result as a reply, without the library's detour over a fetch `Response`, where the result is of the common kind: a
 * plain object with text, JSON or bytes. The library converts all others. Pure.
 */
import type { RpcHttp, RpcTypedData } from "./core-api.ts";

/** Statuses that have no body (fetch, "null body status"). */
const BODILESS = new Set([204, 205, 304]);

/** @returns undefined for a result that the library has to convert, or to refuse. */
export function simpleReply(result: unknown): RpcHttp | undefined {
  if (!isPlain(result) || result["cookies"] !== undefined) return undefined;
  const status = result["status"] ?? 200;
  if (typeof status !== "number" || !Number.isInteger(status) || status < 200 || status > 599) return undefined;
  const headers = plainHeaders(result["headers"]);
  if (headers === undefined) return undefined;
  const statusCode = String(status);
  if (BODILESS.has(status)) return { statusCode, headers };
  const body = simpleBody(result, headers);
  return body === undefined ? undefined : { statusCode, headers, body };
}

/** The body, or null; its media type goes to the headers unless they have one. */
function simpleBody(result: Record<string, unknown>, headers: Record<string, string>): RpcTypedData | null | undefined {
  const { body, jsonBody } = result;
  if (jsonBody !== undefined && jsonBody !== null) {
    headers["content-type"] ??= "application/json";
    const text: unknown = JSON.stringify(jsonBody); // undefined for a function or a symbol
    return typeof text === "string" ? { string: text } : undefined;
  }
  if (body === undefined || body === null) return null;
  if (typeof body === "string") {
    headers["content-type"] ??= "text/plain;charset=UTF-8";
    return { string: body };
  }
  return body instanceof Uint8Array ? { bytes: body } : undefined;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Names in lower case; undefined when they are not a plain record of texts. */
function plainHeaders(headers: unknown): Record<string, string> | undefined {
  if (headers === undefined) return {};
  if (!isPlain(headers)) return undefined;
  const read: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    if (typeof value !== "string" || key in read) return undefined;
    read[key] = value;
  }
  return read;
}
