import { afterEach, expect } from "vitest";
import { undescribed, undescribedByAny, type Answered } from "./described.ts";

/** Each test fails whose replies of the service were others than its description says, whoever in the test asked for them. */

const faults: string[] = [];
const pending: Promise<void>[] = [];

/** For handlers that are called without a server. @param names those in the route's path */
export function compare(names: readonly string[], reply: Answered): void {
  const fault = undescribedByAny(names, reply);
  if (fault !== undefined) faults.push(fault);
}

/** For tests of replies with a newer release's own words, which no description can know: what was found so far, and is no fault. */
export function takeUndescribed(): readonly string[] {
  return faults.splice(0);
}

async function look(input: string | URL | Request, init: RequestInit | undefined, response: Response): Promise<void> {
  const method = init?.method ?? (input instanceof Request ? input.method : "GET");
  const { pathname } = new URL(input instanceof Request ? input.url : input);
  const type = response.headers.get("content-type") ?? "";
  if (!pathname.startsWith("/api/") || !/json|csv/.test(type)) return;
  // A copy that breaks off is no reply.
  const text = await response.text().catch(() => undefined);
  if (text === undefined) return;
  const fault = undescribed(pathname, { method, status: response.status, headers: response.headers, text });
  if (fault !== undefined) faults.push(fault);
}

declare global {
  var comparesReplies: boolean | undefined;
}

if (!globalThis.comparesReplies) {
  globalThis.comparesReplies = true;
  const fetchPlain = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const response = await fetchPlain(input, init);
    pending.push(look(input, init, response.clone()));
    return response;
  };
}

afterEach(async () => {
  await Promise.all(pending.splice(0));
  expect(faults.splice(0), "replies that the API's description does not know").toEqual([]);
});
