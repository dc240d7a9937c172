import type { JobId } from "../shared/ids.ts";
import type { Settings } from "../shared/settings.ts";

/** Absolute addresses of a job, from settings alone: a request's own headers are never believed. */
export type PollUntil = "ended" | "started" | "deleted";

export function statusUrl({ publicUrl }: Pick<Settings, "publicUrl">, id: JobId): string {
  return `${publicUrl}/api/status/${id}`;
}

export function logsUrl({ publicUrl }: Pick<Settings, "publicUrl">, id: JobId): string {
  return `${publicUrl}/api/logs/${id}`;
}

/** The `Location` of a 202: it says of itself that it is polled, so that only the job's own end ends the poll. */
export function pollUrl(settings: Pick<Settings, "publicUrl">, id: JobId, until: PollUntil): string {
  return `${statusUrl(settings, id)}?poll=1${until === "ended" ? "" : `&until=${until}`}`;
}
