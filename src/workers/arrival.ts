import type { InvocationContext } from "@azure/functions";
import { inspect } from "node:util";
import { deriveJobId, type JobId } from "../shared/base/ids.ts";

/** What the host says about a message that it delivers. */
export interface Arrival {
  /** Of the job that it brings, if its sender gave no id: the same at every delivery. */
  readonly id: JobId;
  /** When it came, milliseconds since 1970. */
  readonly at: number;
  /** False where that is unknown: then it is now, and another time at each delivery. */
  readonly isTimed: boolean;
  /** The queue's own id of the message, where it is known. */
  readonly messageId: string | undefined;
  /** From 1. Where it is unknown, this delivery may be the last. */
  readonly deliveries: number;
}

/**
 * The host lets properties of a JSON message overwrite its own metadata of the message. So no metadata is trusted that the text could
 * have set: in place of the message's own id its text and the second of its arrival are used.
 */
export function arrivalOf(body: unknown, { triggerMetadata }: InvocationContext, now: () => number): Arrival {
  const own = typeof body === "object" && body !== null ? Object.keys(body).map((key) => key.toLowerCase()) : [];
  const told = (name: string): unknown => (own.includes(name.toLowerCase()) ? undefined : triggerMetadata?.[name]);
  const inserted = told("insertionTime");
  const came = typeof inserted === "string" || inserted instanceof Date ? new Date(inserted).getTime() : NaN;
  const isTimed = !Number.isNaN(came);
  const at = isTimed ? came : now();
  const messageId = told("id");
  const seed = typeof messageId === "string" ? messageId : `${at} ${textOf(body)}`;
  return {
    id: deriveJobId(at, seed),
    at,
    isTimed,
    messageId: typeof messageId === "string" ? messageId : undefined,
    deliveries: own.includes("dequeuecount") ? Infinity : Number(told("dequeueCount") ?? 1),
  };
}

/** A message's text, as far as the host did not parse it. */
export function textOf(body: unknown): string {
  if (typeof body === "string") return body;
  try {
    return JSON.stringify(body);
  } catch {
    return inspect(body, { depth: 50 }); // too deep to be read, but still distinguishable from others
  }
}
