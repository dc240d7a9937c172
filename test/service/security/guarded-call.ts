import { HttpRequest, InvocationContext, type HttpHandler } from "@azure/functions";
import { z } from "zod";
import { guards, type Guard } from "../../../src/http/lib/auth.ts";
import type { Deps } from "../../../src/shared/deps.ts";
import type { Bench } from "../kit.ts";

/** What a caller may send. */
export interface Call {
  readonly query?: string;
  readonly body?: unknown;
  readonly params?: Record<string, string>;
  readonly headers?: Record<string, string>;
  readonly roles?: readonly string[];
}

/** A handler by its name, as `src/index.ts` registers it: behind its guard, under its method. */
export type Guarded = readonly [guard: Guard, method: string, make: (deps: Deps) => HttpHandler];

export const answer = z.looseObject({ status: z.number(), body: z.string().optional(), headers: z.unknown() });

/** Calls a handler through its guard, with a token of Microsoft Entra ID. */
export async function callGuarded(
  { deps, clock }: Bench,
  [guard, method, make]: Guarded,
  token: string,
  { query = "", body, params = {}, headers = {} }: Call,
): Promise<z.infer<typeof answer>> {
  const allow = guards({ settings: deps.settings, log: () => undefined, now: () => clock.now() });
  const request = new HttpRequest({
    method,
    url: `http://localhost/api/called?${query}`,
    query: Object.fromEntries(new URLSearchParams(query)),
    headers: { ...headers, authorization: `Bearer ${token}` },
    params,
    ...(body === undefined ? {} : { body: { string: typeof body === "string" ? body : JSON.stringify(body) } }),
  });
  return answer.parse(await allow(guard, make(deps)).handler(request, new InvocationContext()));
}
