import type { HttpRequest } from "@azure/functions";
import { no, type Result } from "../../shared/base/errors.ts";
import { decodeUtf8, type NotText } from "../../shared/base/written-text.ts";

/** A request's body as text. No more is read of it than may be there, whatever its sender goes on sending. */
export async function readText(request: HttpRequest, most: number): Promise<Result<string, "too large" | NotText>> {
  const declared = request.headers.get("content-length");
  if (Number(declared ?? 0) > most) return no("too large");
  // HTTP ends a body where its declared length does, so such a one may be taken whole.
  if (declared !== null) return decoded(new Uint8Array(await request.arrayBuffer()), most);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    if (!(chunk instanceof Uint8Array)) return no({ line: 1, column: 1, message: "The body is not made of bytes." });
    length += chunk.length;
    if (length > most) return no("too large");
    chunks.push(chunk);
  }
  return decoded(Buffer.concat(chunks), most);
}

function decoded(bytes: Uint8Array, most: number): Result<string, "too large" | NotText> {
  return bytes.length > most ? no("too large") : decodeUtf8(bytes);
}
