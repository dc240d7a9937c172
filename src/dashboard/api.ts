import type { Reply } from "../http/openapi/replies.ts";
import { setClock } from "./clock.ts";
import { waitOf } from "./logic/clock.ts";
import { apiBase, session, signOut, type Open } from "./session.ts";

export type JobRow = Reply<"JobRow">;
export type JobRecord = Reply<"JobRecord">;
export type Summary = Reply<"Summary">;
export type Health = Reply<"HealthDetails">;
export type Template = Reply<"Template">;
export type Parameter = Reply<"TemplateParameter">;
export type Group = Reply<"Group">;
type Problem = Reply<"Problem">;

/** Why a call gave no answer, in words for the reader. */
export interface Failure {
  /** `away`: it may work soon without anybody's help. */
  readonly kind: "away" | "refused" | "unknown" | "signed out";
  readonly message: string;
  /** Milliseconds after which it may be tried again, where the service said so. */
  readonly wait?: number;
  /** Every fault with its place, where the service named them. */
  readonly faults?: NonNullable<Problem["errors"]>;
  /** The job that has the name already. */
  readonly nameHeldBy?: string;
}
export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Failure };

const failed = (kind: Failure["kind"], message: string): Answer<never> => ({ ok: false, error: { kind, message } });

/** How long an answer may take: the summary of a busy month reads 100,000 rows. */
const maxWait = 150_000;

interface Asking {
  readonly signal?: AbortSignal | undefined;
  /** A log that is followed ends when the service ends it. */
  readonly isEndless?: boolean;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function ask(
  method: string,
  path: string,
  { signal, isEndless = false, body, headers: more = {} }: Asking,
): Promise<Response | Answer<never>> {
  const who = session.value;
  if (who.kind !== "open") return failed("signed out", "Sign in.");
  const signals = [signal, isEndless ? undefined : AbortSignal.timeout(maxWait)];
  try {
    const headers = await who.headers();
    if (headers === undefined) return left(who);
    const sent = Date.now();
    const response = await fetch(`${apiBase}/${who.path}${path}`, {
      method,
      headers: { ...headers, ...more },
      cache: "no-store",
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.any(signals.filter((each) => each !== undefined)),
    });
    setClock(response, sent);
    // A person may lack the role for one call and have it for others.
    const isOver = response.status === 401 || (response.status === 403 && who.name === undefined);
    return isOver ? left(who) : response;
  } catch {
    return failed("away", navigator.onLine ? "The service can't be reached." : "This device is offline.");
  }
}

function left(who: Open): Answer<never> {
  // Another call may have found it out before.
  if (session.value === who) signOut(who.over, who);
  return failed("signed out", who.over);
}

/** @param isAnswer statuses that carry an answer and no fault */
async function json<T>(
  method: string,
  path: string,
  asking: Asking = {},
  isAnswer?: (status: number) => boolean,
): Promise<Answer<T>> {
  const response = await ask(method, path, asking);
  if (!(response instanceof Response)) return response;
  let body: unknown;
  try {
    body = await response.json();
  } catch {
    return failed("away", `The service's answer can't be read (${response.status}).`);
  }
  if (response.ok || isAnswer?.(response.status)) return { ok: true, value: body as T }; // typed by the service's own description, which its tests hold it to
  const message = messageOf(body) ?? `The service answered ${response.status}.`;
  const kind =
    response.status === 404 ? "unknown" : response.status >= 500 || response.status === 429 ? "away" : "refused";
  const { errors: faults, code, id } = body as Partial<Problem>; // as above; a gateway's own answer has no such members
  const nameHeldBy = code === "NameActive" && id !== undefined ? { nameHeldBy: id } : {};
  return {
    ok: false,
    error: {
      kind,
      message,
      wait: waitOf(response.headers.get("retry-after")),
      ...(faults === undefined ? {} : { faults }),
      ...nameHeldBy,
    },
  };
}

function messageOf(body: unknown): string | undefined {
  return typeof body === "object" && body !== null && "message" in body && typeof body.message === "string"
    ? body.message
    : undefined;
}

export const listJobs = (query: URLSearchParams, signal?: AbortSignal): Promise<Answer<Reply<"JobPage">>> =>
  json("GET", `jobs?${query.toString()}`, { signal });

export const readJob = (id: string, signal?: AbortSignal): Promise<Answer<JobRecord | Reply<"UnreadableJob">>> =>
  json("GET", `jobs/${encodeURIComponent(id)}`, { signal });

/** An index of an array: its item, and the job that runs it. */
export interface IndexRead {
  readonly item: unknown;
  readonly job: JobRecord;
}

/** @returns `nothing` while no job runs it */
export async function readIndex(
  id: string,
  index: number,
  signal?: AbortSignal,
): Promise<Answer<IndexRead | "nothing">> {
  const path = `jobs/${encodeURIComponent(id)}/results?from=${index}&top=1`;
  const answer = await json<Reply<"Results">>("GET", path, { signal });
  if (!answer.ok) return answer;
  const { results, size } = answer.value;
  if (index >= size) return failed("unknown", `The array has the indexes 0 to ${size - 1}.`);
  const [found] = results;
  if (found?.index !== index) return { ok: true, value: "nothing" };
  const job = await readJob(found.id, signal);
  if (!job.ok) return job;
  return "unreadable" in job.value
    ? failed("unknown", `Its row can't be read: ${job.value.unreadable}`)
    : { ok: true, value: { item: found.item, job: job.value } };
}

export const readDefinition = (id: string, signal?: AbortSignal): Promise<Answer<Reply<"Definition">>> =>
  json("GET", `jobs/${encodeURIComponent(id)}/definition`, { signal });

export const readSummary = (query: string, signal?: AbortSignal): Promise<Answer<Summary>> =>
  json("GET", `jobs/summary?${query}`, { signal });

/** A service that is not well says so with 503 and the same body. */
export async function readHealth(signal?: AbortSignal): Promise<Answer<Health>> {
  const answer = await json<Health>("GET", "health/details", { signal }, (status) => status === 503);
  return answer.ok && typeof answer.value.queueLength !== "number"
    ? failed("away", messageOf(answer.value) ?? "Health can't be read.")
    : answer;
}

export const cancelJob = (id: string): Promise<Answer<Reply<"Deleted">>> =>
  json("DELETE", `delete/${encodeURIComponent(id)}`);

export const rerunJob = (id: string): Promise<Answer<Reply<"Accepted">>> =>
  json("POST", `jobs/${encodeURIComponent(id)}/rerun`);

const page = (after: string | undefined, more: Record<string, string> = {}): string =>
  new URLSearchParams({ ...more, ...(after === undefined ? {} : { continuation: after }) }).toString();

export const listTemplates = (
  after: string | undefined,
  signal?: AbortSignal,
): Promise<Answer<Reply<"TemplatePage">>> => json("GET", `templates?${page(after, { top: "500" })}`, { signal });

const templatePath = (name: string): string => `templates/${encodeURIComponent(name)}`;

export const readTemplate = (
  name: string,
  version: number | undefined,
  signal?: AbortSignal,
): Promise<Answer<Template>> =>
  json("GET", `${templatePath(name)}${version === undefined ? "" : `?version=${version}`}`, { signal });

/** @param newest the version that the caller takes for the newest; 0: there is no such template */
export const storeTemplate = (name: string, text: string, newest: number): Promise<Answer<Reply<"TemplateStored">>> =>
  json("PUT", templatePath(name), {
    body: text,
    headers: newest === 0 ? { "if-none-match": "*" } : { "if-match": `"${newest}"` },
  });

export const deleteTemplate = (name: string): Promise<Answer<Reply<"TemplateDeleted">>> =>
  json("DELETE", templatePath(name));

/** @param idempotencyKey the same one when an answer was lost: no second job runs then */
export const runTemplate = (
  { name, version }: Pick<Template, "name" | "version">,
  body: { readonly parameters: object; readonly options?: { readonly onConflict: "wait" } | undefined },
  idempotencyKey: string,
): Promise<Answer<Reply<"Accepted">>> => {
  const query = new URLSearchParams({ template: name, version: String(version) });
  return json("POST", `trigger?${query.toString()}`, {
    body: JSON.stringify(body),
    headers: { "idempotency-key": idempotencyKey },
  });
};

export const listGroups = (after: string | undefined, signal?: AbortSignal): Promise<Answer<Reply<"Groups">>> =>
  json("GET", `groups?${page(after)}`, { signal });

/** A slash of its name stays encoded: otherwise the browser would resolve two dots between slashes. */
export const steerGroup = (
  group: string,
  what: { readonly limit?: number | null; readonly paused?: boolean },
): Promise<Answer<Group>> => json("PUT", `groups/${encodeURIComponent(group)}`, { body: JSON.stringify(what) });

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
  const response = await ask("GET", logPath(asked), { signal, isEndless: asked.follow });
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
