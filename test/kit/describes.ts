import { afterEach, expect } from "vitest";
import { undescribed, undescribedByAny, type Answered } from "./described.ts";

/** Each test fails whose replies of the service were others than its description says, whoever in the test asked for them. */

interface Compared {
  /** What the description does not say of replies so far. */
  readonly faults: string[];
  readonly pending: Promise<void>[];
}

declare global {
  /** Files of a worker share its globals, and not this module: each file loads it anew. */
  var comparedReplies: Compared | undefined;
}

const { faults, pending } = (globalThis.comparedReplies ??= compareFetched({ faults: [], pending: [] }));

/** For handlers that are called without a server. @param names those in the route's path */
export function compare(names: readonly string[], reply: Answered): void {
  const fault = undescribedByAny(names, reply);
  if (fault !== undefined) faults.push(fault);
}

/** For tests of replies with a newer release's own words, which no description can know: what was found so far, and is no fault. */
export function takeUndescribed(): readonly string[] {
  return faults.splice(0);
}

function compareFetched(compared: Compared): Compared {
  const fetchPlain = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const response = await fetchPlain(input, init);
    const method = init?.method ?? (input instanceof Request ? input.method : "GET");
    const { pathname } = new URL(input instanceof Request ? input.url : input);
    const type = response.headers.get("content-type") ?? "";
    // What is not compared is not copied: a caller's cancel waits until its copy too has ended.
    if (pathname.startsWith("/api/") && /json|csv/.test(type))
      compared.pending.push(compareReply(compared, { method, pathname }, response.clone()));
    return response;
  };
  return compared;
}

async function compareReply(
  compared: Compared,
  { method, pathname }: { readonly method: string; readonly pathname: string },
  copy: Response,
): Promise<void> {
  // A copy that breaks off is no reply.
  const text = await copy.text().catch(() => undefined);
  if (text === undefined) return;
  const fault = undescribed(pathname, { method, status: copy.status, headers: copy.headers, text });
  if (fault !== undefined) compared.faults.push(fault);
}

afterEach(async () => {
  await Promise.all(pending.splice(0));
  expect(faults.splice(0), "replies that the API's description does not know").toEqual([]);
});
