/** Compares what the service answers with its own description: every reply of the service and system tests goes by here. */
import { closed, type Answer, type Call } from "../../src/http/openapi/call.ts";
import { calls } from "../../src/http/openapi/calls.ts";
import { replySchemas, type ReplyName } from "../../src/http/openapi/replies.ts";
import { listedColumns } from "../../src/shared/store/job-row.ts";

export interface Answered {
  readonly method: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

interface Known {
  readonly call: Call;
  readonly pattern: RegExp;
  /** Names in the path. */
  readonly names: string;
}

const nameList = (names: readonly string[]): string => names.toSorted().join();

const known: readonly Known[] = calls().map((call) => ({
  call,
  // Routes ignore case.
  pattern: new RegExp(`^${call.path.replaceAll(/\{\w+\}/g, "[^/]+")}/?$`, "i"),
  names: nameList([...call.path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name)),
}));

/** What the description does not say of a reply; nothing when it says it all. @param path without the query */
export function undescribed(path: string, reply: Answered): string | undefined {
  // The host's own: no key, no route.
  if (reply.text === "" && [401, 403, 404].includes(reply.status)) return undefined;
  const found = known.find(({ call, pattern }) => call.method === reply.method.toLowerCase() && pattern.test(path));
  const where = `${reply.method} ${path} ${reply.status}`;
  if (found === undefined) return /\/dashboard\//.test(path) ? undefined : `${where}: no such call is described`;
  const why = mismatch(found.call, reply);
  return why === undefined ? undefined : `${where}: ${why} in ${reply.text.slice(0, 2000)}`;
}

/** The same for a handler of which only its method and the names in its path are known: one such call has to fit. */
export function undescribedByAny(names: readonly string[], reply: Answered): string | undefined {
  const fitting = known.filter(
    ({ call, names: own }) => call.method === reply.method.toLowerCase() && own === nameList(names),
  );
  const all = fitting.map(({ call }) => `${call.id}: ${mismatch(call, reply) ?? ""}`);
  if (fitting.some(({ call }) => mismatch(call, reply) === undefined)) return undefined;
  return `${reply.method} with {${names.join()}} ${reply.status}: ${all.join("; ")} in ${reply.text.slice(0, 2000)}`;
}

function mismatch({ replies, guard }: Call, { status, headers, text }: Answered): string | undefined {
  const answer: Answer | undefined =
    (guard === "open" ? undefined : closed[status]) ?? replies[status] ?? replies[`${Math.floor(status / 100)}XX`];
  if (answer === undefined) return "this status is not described";
  const missing = (answer.headers ?? []).find((name) => isDue(name, status) && !headers.has(name));
  if (missing !== undefined) return `there is no header ${missing}`;
  const type = (headers.get("content-type") ?? "").split(";")[0] ?? "";
  if (type === "application/json") return mismatchOfJson(answer.json, text);
  if (!answer.others?.includes(type)) return `the content type ${type} is not described`;
  if (type === "text/csv" && text.split("\r\n")[0] !== listedColumns.join(",")) return "the columns are others";
  if (type !== "application/x-ndjson") return undefined;
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => mismatchOfJson(["JobRow"], line))
    .find((why) => why !== undefined);
}

/** A page has a continuation, and a job at once a place to poll, where there is a need for it. */
function isDue(name: string, status: number): boolean {
  return name !== "x-continuation" && (name === "Retry-After" ? [202, 429, 503].includes(status) : status === 202);
}

function mismatchOfJson(names: readonly ReplyName[], text: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "the body is no JSON";
  }
  const whys: string[] = [];
  for (const name of names) {
    const read = replySchemas()[name].safeParse(value);
    if (read.success) return undefined;
    whys.push(
      `no ${name} (${read.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join(", ")})`,
    );
  }
  return whys.join(", ");
}
