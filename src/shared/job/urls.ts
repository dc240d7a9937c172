import type { JobId } from "../base/ids.ts";
import type { Settings } from "../config/settings.ts";

/** Absolute addresses of a job, from settings alone: a request's own headers are never trusted. */
export type Links = Pick<Settings, "publicUrl"> & {
  /** The path of the routes; default `/api`. */
  readonly apiPath?: string;
};

export type PollUntil = "ended" | "started" | "deleted";

export function statusUrl({ publicUrl, apiPath = "/api" }: Links, id: JobId): string {
  return `${publicUrl}${apiPath}/status/${id}`;
}

export function logsUrl({ publicUrl, apiPath = "/api" }: Links, id: JobId): string {
  return `${publicUrl}${apiPath}/logs/${id}`;
}

/** What came of each index of an array. */
export function resultsUrl({ publicUrl, apiPath = "/api" }: Links, id: JobId): string {
  return `${publicUrl}${apiPath}/jobs/${id}/results`;
}

/** The `Location` of a 202: it says of itself that it is polled, so that only the job's own end ends the poll. */
export function pollUrl(settings: Links, id: JobId, until: PollUntil): string {
  return `${statusUrl(settings, id)}?poll=1${until === "ended" ? "" : `&until=${until}`}`;
}

/** The job on the operators' page. */
export function jobPageUrl({ publicUrl }: Links, id: JobId): string {
  return `${publicUrl}/api/dashboard#/job/${id}`;
}

/** Where an attempt may PUT its result. */
export function resultUrl({ publicUrl }: Links, token: string): string {
  return `${publicUrl}/api/result/${token}`;
}

/** The same as `pollUrl` for a capability link. */
export function linkUrl({ publicUrl }: Links, token: string): string {
  return `${publicUrl}/api/link/${token}?poll=1`;
}
