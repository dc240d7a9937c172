import type { HttpHandler, HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import { minute, second } from "../../shared/base/duration.ts";
import { clip, indexLost, statusOf, Unavailable, Unreadable, type Refusal } from "../../shared/base/errors.ts";
import { errorFields, type Log } from "../../shared/base/log.ts";

/** Replies: one shape for each kind, and what a handler's failure becomes. */

export function json(status: number, body: object, headers: Readonly<Record<string, string>> = {}): HttpResponseInit {
  return {
    status,
    body: JSON.stringify(body),
    headers: { "content-type": "application/json; charset=utf-8", "cache-control": "no-store", ...headers },
  };
}

/** `Retry-After` in whole seconds, at least one. */
export function retryAfterHeader(ms: number): Readonly<Record<string, string>> {
  return { "retry-after": String(Math.max(1, Math.ceil(ms / second))) };
}

/** What a query or a body has wrong at one member, which has no line of its own. */
export function faulty(path: string, must: string): Refusal {
  const message = `${path} ${must}.`;
  return { code: "InvalidRequest", message, errors: [{ path, line: 1, column: 1, message }] };
}

export function refuse(refusal: Refusal, context: InvocationContext): HttpResponseInit {
  const { code, message, errors, warnings, retryAfter, more } = refusal;
  const body = {
    message: clip(message, 300),
    code,
    ...(errors ? { errors } : {}),
    ...(warnings && warnings.length > 0 ? { warnings } : {}),
    ...more,
    requestId: context.invocationId,
  };
  return json(statusOf[code], body, retryAfter === undefined ? {} : retryAfterHeader(retryAfter));
}

type Handle = (request: HttpRequest, context: InvocationContext) => Promise<HttpResponseInit>;

/**
 * A handler whose failures are replies: what we can't reach is a 503 that says when to come back (`onUnavailable` may say better),
 * and what nobody foresaw is a 500 with an id that is found in the logs, and no stack.
 */
export function handler(
  log: Log,
  handle: Handle,
  onUnavailable?: (request: HttpRequest) => HttpResponseInit | undefined,
): HttpHandler {
  return async (request, context) => {
    try {
      const reply = await handle(request, context);
      const { status = 200 } = reply;
      // Any reply that names its request is found in the logs, also where the host itself logs nothing of a run that ended well.
      if (status >= 400) log("info", "answered", { requestId: context.invocationId, status });
      return reply;
    } catch (error) {
      const requestId = context.invocationId;
      if (error instanceof Unavailable) {
        log("warn", "unavailable", { requestId, service: error.service, ...errorFields(error) });
        const better = onUnavailable?.(request);
        if (better) return better;
        if (error.service === "index") return refuse(indexLost, context);
        const code = error.service === "seal key" ? "SealKeyUnavailable" : "StorageUnavailable";
        return refuse(
          {
            code,
            message: `The ${error.service} can't be reached now; try again.`,
            retryAfter: error.retryAfter ?? 10 * second,
          },
          context,
        );
      }
      if (error instanceof Unreadable) {
        log("error", "job can't be read", { requestId, job: error.id, why: error.why });
        const message = `The row of job ${error.id} can't be read; an operator must repair it.`;
        return refuse({ code: "JobUnreadable", message, retryAfter: minute }, context);
      }
      log("error", "unforeseen", { requestId, ...errorFields(error) });
      return refuse(
        { code: "InternalError", message: `Internal error. Please report request id ${requestId}.` },
        context,
      );
    }
  };
}
