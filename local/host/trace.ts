/** W3C Trace Context for the runs of HTTP functions. */
import { randomUUID } from "node:crypto";

const TRACEPARENT = /^00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})$/;

/** A run's place in a trace: the caller's trace, or a new one, and a span of its own. */
export function traceContext(
  traceparent: string | string[] | undefined,
  tracestate: string | string[] | undefined,
): { readonly traceParent: string; readonly traceState?: string } {
  const random = randomUUID().replaceAll("-", "");
  const given = typeof traceparent === "string" ? TRACEPARENT.exec(traceparent) : null;
  const traceParent = `00-${given?.[1] ?? random}-${random.slice(13, 29)}-${given?.[2] ?? "00"}`;
  return given !== null && typeof tracestate === "string" ? { traceParent, traceState: tracestate } : { traceParent };
}
