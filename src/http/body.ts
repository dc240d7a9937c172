import type { HttpRequest } from "@azure/functions";
import { no, ok, type Result } from "../shared/errors.ts";

/** A request's body as text. No more is read of it than may be there, whatever its sender goes on sending. */
export async function readText(request: HttpRequest, most: number): Promise<Result<string, "too large" | "not text">> {
  if (Number(request.headers.get("content-length") ?? 0) > most) return no("too large");
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    if (!(chunk instanceof Uint8Array)) return no("not text");
    length += chunk.length;
    if (length > most) return no("too large");
    chunks.push(chunk);
  }
  try {
    return ok(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)));
  } catch {
    return no("not text");
  }
}
