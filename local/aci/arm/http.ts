import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Reply } from "./arm.ts";
import { ArmError } from "./errors.ts";

/** ARM takes no larger body. */
const LARGEST_BODY = 4 * 1024 * 1024;

/** A request with its body read. */
export interface Incoming {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  /** Ids that every reply repeats, and events carry. */
  readonly requestId: string;
  readonly correlationId: string;
}

/** `silence` never answers; `drop` cuts the connection. */
export type Answer = Reply | "silence" | "drop" | { readonly status: number; readonly raw: string };

/** Serves on 127.0.0.1 only. Rejects with the system's error (`EADDRINUSE`, ...) where it can't listen. */
export async function listen(port: number, answer: (incoming: Incoming) => Promise<Answer>): Promise<Listening> {
  const server = createServer((request, response) => {
    void serve(request, response, answer);
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve();
    });
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => close(server) };
}

export interface Listening {
  readonly url: string;
  close(): Promise<void>;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (incoming: Incoming) => Promise<Answer>,
): Promise<void> {
  const requestId = randomUUID();
  const correlationId = header(request, "x-ms-correlation-request-id") ?? requestId;
  let given: Answer;
  try {
    const body = await readBody(request);
    const host = header(request, "host") ?? "127.0.0.1";
    const url = new URL(request.url ?? "/", `http://${host}`);
    given = await answer({
      method: request.method ?? "GET",
      url,
      headers: request.headers,
      body,
      requestId,
      correlationId,
    });
  } catch (error) {
    given = errorReply(error, requestId, correlationId);
  }
  if (given === "silence") return;
  if (given === "drop") {
    request.socket.destroy();
    return;
  }
  send(request, response, given, { requestId, correlationId });
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Exclude<Answer, string>,
  ids: { requestId: string; correlationId: string },
): void {
  const raw = "raw" in reply;
  const text = raw ? reply.raw : reply.body === undefined ? "" : JSON.stringify(reply.body);
  const clientRequestId = header(request, "x-ms-client-request-id");
  response.writeHead(reply.status, {
    "cache-control": "no-cache",
    "x-ms-request-id": ids.requestId,
    "x-ms-correlation-request-id": ids.correlationId,
    "x-ms-routing-request-id": `LOCAL:${ids.requestId}`,
    ...(header(request, "x-ms-return-client-request-id") === "true" && clientRequestId !== undefined
      ? { "x-ms-client-request-id": clientRequestId }
      : {}),
    ...(text === "" ? {} : { "content-type": raw ? "text/html" : "application/json; charset=utf-8" }),
    "content-length": Buffer.byteLength(text),
    ...(raw ? {} : reply.headers),
  });
  response.end(request.method === "HEAD" ? "" : text);
}

/** An {@link ArmError} as it is; anything else is a fault of this emulator, said in ARM's words. */
export function errorReply(error: unknown, requestId: string, correlationId: string): Reply {
  if (error instanceof ArmError) {
    const headers = error.retryAfter === undefined ? {} : { "retry-after": String(error.retryAfter) };
    return { status: error.status, headers, body: error.body() };
  }
  process.stderr.write(
    `local ACI: ${requestId}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return {
    status: 500,
    body: {
      error: {
        code: "InternalServerError",
        message: `Encountered an internal server error. The tracking activity id is '${requestId}', correlation id is '${correlationId}'.`,
      },
    },
  };
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_BODY) {
      throw new ArmError(413, "RequestEntityTooLarge", "The request content size exceeds the maximum size of 4 MB.");
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
