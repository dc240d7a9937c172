import type { HttpRequest } from "@azure/functions";
import { Deadline } from "../../shared/base/deadline.ts";
import { second } from "../../shared/base/duration.ts";
import { err, type Result } from "../../shared/base/errors.ts";
import { decodeUtf8, type NotText } from "../../shared/base/written-text.ts";

/** A whole body must arrive within this time. Data Factory waits one minute for a reply, and sends its body at once. */
const bodyTime = 30 * second;

export type NoBody = "too large" | "too slow" | NotText;

/** Reads a request's body as text: at max `max` bytes, for at max 30 seconds, whatever its sender does. */
export async function readText(request: HttpRequest, max: number): Promise<Result<string, NoBody>> {
  const declared = request.headers.get("content-length");
  if (Number(declared ?? 0) > max) return err("too large");
  const deadline = Deadline.in(() => performance.now(), bodyTime);
  // HTTP ends a body where its declared length does, so such a one may be taken whole.
  if (declared !== null) {
    const bytes = await deadline.limit(request.arrayBuffer());
    return bytes === "late" ? err("too slow") : decoded(new Uint8Array(bytes), max);
  }
  if (request.body === null) return decoded(new Uint8Array(), max);
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  for (let length = 0; ;) {
    const next = await deadline.limit(reader.read());
    // The rest stays unread: canceling the stream would close the connection before the reply is sent.
    if (next === "late") return err("too slow");
    if (next.done) return decoded(Buffer.concat(chunks), max);
    const chunk: unknown = next.value;
    if (!(chunk instanceof Uint8Array)) return err({ line: 1, column: 1, message: "The body is not made of bytes." });
    length += chunk.length;
    if (length > max) {
      await reader.cancel();
      return err("too large");
    }
    chunks.push(chunk);
  }
}

function decoded(bytes: Uint8Array, max: number): Result<string, NoBody> {
  return bytes.length > max ? err("too large") : decodeUtf8(bytes);
}

export const tooSlow = {
  code: "BodyTooSlow",
  message: `The body did not arrive whole within ${bodyTime / second} seconds.`,
} as const;

/** The same of a text that somebody wrote, with what is wrong as a refusal. */
export async function readWritten(request: HttpRequest, max: number, tooLarge: string): Promise<Result<string>> {
  const read = await readText(request, max);
  if (read.ok) return read;
  if (read.error === "too slow") return err(tooSlow);
  if (read.error === "too large") return err({ code: "BodyTooLarge", message: tooLarge });
  return err({ code: "InvalidDefinition", message: read.error.message, errors: [{ path: "", ...read.error }] });
}
