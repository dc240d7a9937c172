import { parseJobId, type JobId } from "../base/ids.ts";
import { openText } from "../base/written-text.ts";
import { parseJson } from "../base/json.ts";

/** The service's own messages, and Azure's events. What others post is read by `readJobMessage` (job/envelope.ts). */
export function runMessage(id: JobId): string {
  return JSON.stringify({ version: 1, op: "run", id });
}

/** What travels on `aci-wake`: a job to look at, and the `lookAt` of its row for which the message was sent; or the sweep, to be run. */
export type RequeueMessage =
  { readonly kind: "job"; readonly id: JobId; readonly at: number | undefined } | { readonly kind: "sweep" };

/** A release that does not know it drops it. */
export const sweepMessage = JSON.stringify({ version: 1, sweep: true });

export function requeueMessage(id: JobId, at: number | undefined): string {
  return JSON.stringify(at === undefined ? { version: 1, job: id } : { version: 1, job: id, at });
}

export function readRequeueMessage(body: unknown): RequeueMessage | undefined {
  const value = typeof body === "string" ? jsonIn(body) : body;
  if (typeof value !== "object" || value === null) return undefined;
  if ("sweep" in value && value.sweep === true) return { kind: "sweep" };
  if (!("job" in value) || typeof value.job !== "string") return undefined;
  const id = parseJobId(value.job);
  if (id === undefined) return undefined;
  return { kind: "job", id, at: "at" in value && typeof value.at === "number" ? value.at : undefined };
}

/** What an Event Grid event is reduced to: the name of a container group. Nothing else in it is trusted or logged. */
export function readGroupEvents(body: unknown): readonly string[] {
  const value = typeof body === "string" ? jsonIn(body) : body;
  const events: readonly unknown[] = Array.isArray(value) ? value : [value];
  return events.flatMap((event) => {
    if (typeof event !== "object" || event === null || !("subject" in event) || typeof event.subject !== "string")
      return [];
    const match = /\/providers\/microsoft\.containerinstance\/containergroups\/([^/]{1,63})$/i.exec(event.subject);
    return match?.[1] === undefined ? [] : [match[1]];
  });
}

function jsonIn(text: string): unknown {
  const opened = openText(text);
  return opened.ok ? parseJson(opened.value) : undefined;
}
