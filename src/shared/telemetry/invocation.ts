import type { InvocationContext } from "@azure/functions";
import type { SpanAttributes, SpanOptions, Telemetry } from "../base/telemetry.ts";

/** An invocation of a function as a span, by its trigger: nothing of a request but method, route and status is in it. */
export function invocationSpan<T>(
  telemetry: Telemetry,
  context: InvocationContext,
  work: () => T | Promise<T>,
  input: unknown,
): Promise<T> {
  return telemetry.span(spanOf(context, input), async (span) => {
    const result = await work();
    const status = statusOf(result);
    if (status !== undefined) span.set({ "http.response.status_code": status }, status >= 500);
    return result;
  });
}

function spanOf({ functionName, invocationId, options, traceContext }: InvocationContext, input: unknown): SpanOptions {
  const common: SpanAttributes = { "faas.name": functionName, "faas.invocation_id": invocationId };
  const parent = traceContext?.traceParent;
  const { trigger } = options;
  switch (trigger.type) {
    case "httpTrigger": {
      const route = `/api/${text(trigger["route"]) ?? functionName}`;
      const method = methodOf(input);
      const attributes: SpanAttributes = {
        ...common,
        "faas.trigger": "http",
        "http.route": route,
        "http.request.method": method,
      };
      return { name: `${method} ${route}`, kind: "server", parent, attributes };
    }
    case "queueTrigger": {
      const queue = text(trigger["queueName"]) ?? functionName;
      const attributes: SpanAttributes = {
        ...common,
        "faas.trigger": "pubsub",
        "messaging.system": "azure_storage_queues",
        "messaging.destination.name": queue,
      };
      return { name: `process ${queue}`, kind: "consumer", parent, attributes };
    }
    default: {
      const kind = trigger.type === "timerTrigger" ? "timer" : "other";
      return { name: functionName, kind: "consumer", parent, attributes: { ...common, "faas.trigger": kind } };
    }
  }
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

function methodOf(input: unknown): string {
  const method = typeof input === "object" && input !== null && "method" in input ? input.method : undefined;
  return typeof method === "string" && /^[A-Z]{1,10}$/.test(method) ? method : "_OTHER";
}

function statusOf(result: unknown): number | undefined {
  if (typeof result !== "object" || result === null || !("status" in result)) return undefined;
  return typeof result.status === "number" ? result.status : undefined;
}
