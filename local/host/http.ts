/**
 * HTTP triggers, as the real host answers: what matches no route and method is 404, a missing or wrong key 401, a failed run 500,
 * each with an empty body.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { declaredTooLarge, discardBody, readBody } from "./body.ts";
import type { AppFunction, Trigger } from "./functions.ts";
import type { DeliverToProxy } from "./http-stream.ts";
import { HttpRequest } from "./http-request.ts";
import type { Invoker } from "./invoke.ts";
import { type Keys, shownKey } from "./keys.ts";
import type { Logs } from "./logs.ts";
import { type Answer, empty, writeAnswer } from "./reply.ts";
import type { Router } from "./router.ts";
import { traceContext } from "./trace.ts";

export interface HttpFunction {
  readonly called: AppFunction;
  readonly trigger: Extract<Trigger, { kind: "http" }>;
}

export interface HttpOptions {
  readonly router: Router<HttpFunction>;
  readonly keys: Keys;
  readonly invoker: Invoker;
  readonly logs: Logs;
  /** Answers what lies under `/admin` and `/runtime`. */
  readonly management: (request: IncomingMessage, path: string, query: string) => Promise<Answer>;
  /** Set when the app streams: the library then writes the reply itself. */
  readonly deliver: DeliverToProxy | undefined;
}

const MANAGEMENT = /^\/(admin|runtime)(\/|$)/i;

export function requestListener(options: HttpOptions): RequestListener {
  return (request, response) => {
    // A client that speaks as to a proxy sends the whole address (RFC 9112, 3.2.2).
    const url = (request.url ?? "/").replace(/^https?:\/\/[^/?]*/i, "") || "/";
    const mark = url.indexOf("?");
    const path = mark < 0 ? url : url.slice(0, mark);
    const query = mark < 0 ? "" : url.slice(mark + 1);
    response.once("finish", () => discardBody(request));
    const answered = MANAGEMENT.test(path)
      ? options.management(request, path, query)
      : answer(options, request, response, url, path, query);
    answered
      .then((answer) => writeAnswer(response, answer))
      .catch((error: unknown) => {
        // A caller that went away while sending, or a reply that can't be written.
        options.logs.write("warning", "Host.Http", error instanceof Error ? error.message : String(error));
        writeAnswer(response, empty(500));
      });
  };
}

async function answer(
  options: HttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
  url: string,
  path: string,
  query: string,
): Promise<Answer> {
  const method = request.method ?? "GET";
  const found = options.router.match(method, path);
  if (found === undefined) return empty(404);
  const { called, trigger } = found.target;
  if (
    trigger.authLevel !== "anonymous" &&
    !options.keys.opens(trigger.authLevel, shownKey(request.headers["x-functions-key"], query), called.name)
  )
    return empty(401);
  if (declaredTooLarge(request)) return empty(500);
  const { deliver, invoker } = options;
  const body = deliver === undefined ? await readBody(request) : streamedBody(request);
  if (body === "too-large") return empty(500);

  const { headers } = request;
  const input = new HttpRequest({
    method,
    url: `http://${headers.host ?? "localhost"}${url}`,
    headers,
    query,
    joinQuery: deliver === undefined,
    params: found.params,
    body,
  });
  const trace = traceContext(headers["traceparent"], headers["tracestate"]);
  const outcome = await invoker.invoke(
    called,
    { inputData: [], traceContext: trace },
    { input, stream: deliver === undefined ? undefined : (invocationId) => deliver(invocationId, response) },
  );
  if (!outcome.ok) return empty(500);
  if (response.headersSent) return { kind: "written" };
  const reply = outcome.response.returnValue?.http;
  return reply === undefined ? empty(204) : { kind: "reply", reply };
}

function streamedBody(request: IncomingMessage): IncomingMessage | undefined {
  const { headers } = request;
  return headers["content-length"] === undefined && headers["transfer-encoding"] === undefined ? undefined : request;
}
