/** Request bodies: whole, and bounded as on the real host. */
import type { IncomingMessage } from "node:http";

/** Azure Functions' limit for a request (functions-limits): 100 MB. */
const LARGEST_BODY = 100 * 1024 * 1024;

/** Whether the request says itself that it is over the limit, so that nothing of it need be read. */
export function declaredTooLarge(request: IncomingMessage): boolean {
  return Number(request.headers["content-length"] ?? 0) > LARGEST_BODY;
}

/** @returns undefined for a request without a body. @throws when the caller goes away while sending. */
export async function readBody(request: IncomingMessage): Promise<Buffer | "too-large" | undefined> {
  const { headers } = request;
  if (headers["content-length"] === undefined && headers["transfer-encoding"] === undefined) return undefined;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= LARGEST_BODY) chunks.push(chunk);
      else resolve("too-large"); // the rest is read and dropped, so that the reply is seen
    });
    request.on("end", () => {
      const [first] = chunks;
      resolve(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks));
    });
    request.on("error", reject);
    request.on("close", () => {
      if (!request.complete) reject(new Error("The caller went away before the whole request had come."));
    });
  });
}

/** As long as the real host's server (Kestrel) waits for the rest of a body that was not wanted. */
const REST_MS = 5_000;

/** After the answer: what is left of the body is read and dropped, so that the connection can serve the next request. */
export function discardBody(request: IncomingMessage): void {
  if (request.readableEnded) return;
  // Of a reader that waits for more, which would hold it up. Without one the call would stop what flows already.
  if (request.listenerCount("readable") > 0) request.removeAllListeners("readable");
  request.resume();
  if (request.complete) return;
  const { socket } = request;
  const late = setTimeout(() => socket.destroy(), REST_MS);
  for (const over of ["end", "close"]) request.once(over, () => clearTimeout(late));
}

/** @returns the body as JSON; undefined when there is no body or it is not JSON. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const body = await readBody(request);
  if (!Buffer.isBuffer(body)) return undefined;
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined; // the caller answers 400
  }
}
