import type { JobId } from "./ids.ts";

/**
 * A caller's `traceparent`, checked, as a version 00 header; `undefined` for anything else, which is to be ignored as if it were not
 * there (W3C Trace Context, "traceparent Header" and "Versioning of traceparent"). Pure.
 */
export function parseTraceparent(text: string | undefined): string | undefined {
  const match = header.exec(text ?? "");
  if (match === null) return undefined;
  const [, version = "", trace = "", parent = "", flags = "", more = ""] = match;
  const known = version === "00";
  if (version === "ff" || (known && more !== "") || /^0+$/.test(trace) || /^0+$/.test(parent)) return undefined;
  // Of a later version only the sampled flag is sure to mean what it does in this one.
  const kept = known ? flags : sampled(flags);
  return `00-${trace}-${parent}-${kept}`;
}

export function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35);
}

/** A trace of its own, always the same one, for a job whose caller brought no trace. */
export function traceparentOf(id: JobId): string {
  const trace = id.replaceAll("-", "").toLowerCase();
  return `00-${trace}-${trace.slice(16)}-01`;
}

const header = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.{0,200})?$/;

function sampled(flags: string): string {
  return Number.parseInt(flags, 16) % 2 === 1 ? "01" : "00";
}
