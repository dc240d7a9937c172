import type { Reply } from "../http/openapi/replies.ts";
import { apiBase, session, signOut, type Open } from "./session.ts";

export type JobRow = Reply<"JobRow">;
export type JobRecord = Reply<"JobRecord">;
export type Summary = Reply<"Summary">;
export type Health = Reply<"HealthDetails">;

/** Why a call gave no answer, in words for the reader. */
export interface Failure {
  /** `away`: it may work soon without anybody's help. */
  readonly kind: "away" | "refused" | "unknown job" | "signed out";
  readonly message: string;
}
export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Failure };

const failed = (kind: Failure["kind"], message: string): Answer<never> => ({ ok: false, error: { kind, message } });

/** How long an answer may take: the summary of a busy month reads 100,000 rows. */
const maxWait = 150_000;

/** @param isEndless a log that is followed ends when the service ends it */
async function ask(
  method: string,
  path: string,
  signal?: AbortSignal,
  isEndless = false,
): Promise<Response | Answer<never>> {
  const who = session.value;
  if (who.kind !== "open") return failed("signed out", "Sign in.");
  const signals = [signal, isEndless ? undefined : AbortSignal.timeout(maxWait)];
  try {
    const headers = await who.headers();
    if (headers === undefined) return left(who);
    const response = await fetch(`${apiBase}/${who.path}${path}`, {
      method,
      headers,
      cache: "no-store",
      signal: AbortSignal.any(signals.filter((each) => each !== undefined)),
    });
    // A person may lack the role for one call and have it for others.
    const isOver = response.status === 401 || (response.status === 403 && who.name === undefined);
    return isOver ? left(who) : response;
  } catch {
    return failed("away", navigator.onLine ? "The service can't be reached." : "This device is offline.");
  }
}

function left({ over }: Open): Answer<never> {
  signOut(over);
  return failed("signed out", over);
}

/** @param isAnswer statuses that carry an answer and no fault */
async function json<T>(
  method: string,
  path: string,
  signal?: AbortSignal,
  isAnswer?: (status: number) => boolean,
): Promise<Answer<T>> {
  const response = await ask(method, path, signal);
  if (!(response instanceof Response)) return response;
  let body: unknown;
  try {
    body = await response.json();
  } catch {
    return failed("away", `The service's answer can't be read (${response.status}).`);
  }
  if (response.ok || isAnswer?.(response.status)) return { ok: true, value: body as T }; // typed by the service's own description, which its tests hold it to
  const message = messageOf(body) ?? `The service answered ${response.status}.`;
  if (response.status === 404) return failed("unknown job", message);
  return failed(response.status >= 500 || response.status === 429 ? "away" : "refused", message);
}

function messageOf(body: unknown): string | undefined {
  return typeof body === "object" && body !== null && "message" in body && typeof body.message === "string"
    ? body.message
    : undefined;
}

export const listJobs = (query: URLSearchParams, signal?: AbortSignal): Promise<Answer<Reply<"JobPage">>> =>
  json("GET", `jobs?${query.toString()}`, signal);

export const readJob = (id: string, signal?: AbortSignal): Promise<Answer<JobRecord | Reply<"UnreadableJob">>> =>
  json("GET", `jobs/${encodeURIComponent(id)}`, signal);

export const readDefinition = (id: string, signal?: AbortSignal): Promise<Answer<Reply<"Definition">>> =>
  json("GET", `jobs/${encodeURIComponent(id)}/definition`, signal);

export const readSummary = (query: string, signal?: AbortSignal): Promise<Answer<Summary>> =>
  json("GET", `jobs/summary?${query}`, signal);

/** A service that is not well says so with 503 and the same body. */
export async function readHealth(signal?: AbortSignal): Promise<Answer<Health>> {
  const answer = await json<Health>("GET", "health/details", signal, (status) => status === 503);
  return answer.ok && typeof answer.value.queueLength !== "number"
    ? failed("away", messageOf(answer.value) ?? "Health can't be read.")
    : answer;
}

export const cancelJob = (id: string): Promise<Answer<Reply<"Deleted">>> =>
  json("DELETE", `delete/${encodeURIComponent(id)}`);

export const rerunJob = (id: string): Promise<Answer<Reply<"Accepted">>> =>
  json("POST", `jobs/${encodeURIComponent(id)}/rerun`);

export interface LogAsked {
  readonly id: string;
  readonly container: string | undefined;
  readonly attempt: number | undefined;
  readonly follow: boolean;
  /** Only the last lines. */
  readonly tail?: number | undefined;
}

function logPath({ id, container, attempt, follow, tail }: LogAsked): string {
  const query = new URLSearchParams();
  if (attempt !== undefined) query.set("attempt", String(attempt));
  if (tail !== undefined) query.set("tail", String(tail));
  if (follow) query.set("follow", "true");
  const text = query.toString();
  const place = container === undefined ? "" : `/${encodeURIComponent(container)}`;
  return `logs/${encodeURIComponent(id)}${place}${text === "" ? "" : `?${text}`}`;
}

/** A log, piece by piece as it comes; ends when the service ends it. */
export async function readLog(
  asked: LogAsked,
  signal: AbortSignal,
  take: (text: string) => void,
): Promise<Answer<true>> {
  const response = await ask("GET", logPath(asked), signal, asked.follow);
  if (!(response instanceof Response)) return response;
  try {
    if (!response.ok || response.body === null) {
      const kind = response.status >= 500 ? "away" : "refused";
      const text = await response.text();
      return failed(kind, messageIn(text) ?? `The service answered ${response.status}.`);
    }
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { ok: true, value: true };
      take(value);
    }
  } catch {
    return failed("away", "The log can't be reached now.");
  }
}

function messageIn(text: string): string | undefined {
  try {
    return messageOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}
