import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { evaluate, type Json, type Scope } from "./expressions.ts";
import { timeSpan, type WebActivity } from "./pipeline.ts";

/** What an activity came to. */
export type Outcome =
  | { readonly status: "Succeeded"; readonly output: { readonly [name: string]: Json } }
  | { readonly status: "Failed"; readonly error: { readonly errorCode: string; readonly message: string } };

/** What surrounds a factory. */
export interface World {
  /** Where a host name leads: stands in for DNS. */
  readonly resolve: (url: URL) => URL;
  /** Between two polls; Data Factory's own interval is not documented. */
  readonly pollMs: number;
  /** The token that the factory's identity gets for an audience. */
  readonly token: (audience: string) => Promise<string>;
  /** Before a retry, for the 30 s and more of `retryIntervalInSeconds`. */
  readonly retryMs: number;
  /** The rows that a dataset has, by its name and parameters. */
  readonly rows: (dataset: string, parameters: Readonly<Record<string, Json>>) => readonly Json[];
}

const maxBytes = 4 * 1024 * 1024;
const objectBody = z.record(z.string(), z.json());

/**
 * A Web activity ("Web activity in Azure Data Factory"): one request; a 202 with a `Location` is polled by GET with the same headers
 * until the answer is something else, unless `turnOffAsync`; what counts must be a JSON object of at most 4 MB; an answer of 400 or
 * more, no answer within `httpRequestTimeout`, and nothing but 202 within the activity's timeout, is a failure.
 */
export async function runWeb(activity: WebActivity, scope: Scope, world: World): Promise<Outcome> {
  const { typeProperties, policy } = activity;
  const { method, turnOffAsync, authentication } = typeProperties;
  const url = text(evaluate(typeProperties.url, scope));
  const body = typeProperties.body === undefined ? undefined : evaluate(typeProperties.body, scope);
  if ((method === "GET" || method === "DELETE") === (body !== undefined))
    return failed("2100", `${method} and its body don't fit`);
  const headers: Record<string, string> = Object.fromEntries(
    Object.entries(typeProperties.headers).map(([name, value]) => [name, text(evaluate(value, scope))]),
  );
  if (authentication) {
    const audience = text(evaluate(authentication.resource, scope));
    headers["authorization"] = `Bearer ${await world.token(audience)}`;
  }
  if (body !== undefined && !Object.keys(headers).some((name) => name.toLowerCase() === "content-type"))
    headers["content-type"] = "application/json";
  const patience = timeSpan(typeProperties.httpRequestTimeout);
  const ask = (address: string, how: string, sent: string | undefined): Promise<Response> =>
    fetch(world.resolve(new URL(address)), {
      method: how,
      headers,
      ...(sent === undefined ? {} : { body: sent }),
      signal: AbortSignal.timeout(patience),
    });
  const until = performance.now() + timeSpan(policy.timeout);
  try {
    let response = await ask(url, method, body === undefined ? undefined : text(body));
    while (response.status === 202 && !turnOffAsync) {
      await response.body?.cancel();
      const location = response.headers.get("location");
      if (location === null) break;
      if (performance.now() > until) return failed("ActivityTimeout", `${activity.name} timed out`);
      await delay(world.pollMs);
      response = await ask(new URL(location, url).href, "GET", undefined);
    }
    return await judge(response);
  } catch (error) {
    return failed("2108", error instanceof Error ? error.message : String(error));
  }
}

async function judge(response: Response): Promise<Outcome> {
  const bytes = response.bodyUsed ? new ArrayBuffer(0) : await response.arrayBuffer();
  const said = Buffer.from(bytes).toString("utf8");
  if (response.status >= 400) return failed("2108", `${response.status} ${said}`);
  if (bytes.byteLength > maxBytes) return failed("2001", "The response is larger than 4 MB.");
  const output = objectBody.safeParse(said === "" ? {} : parse(said));
  if (!output.success) return failed("2104", "The response is no JSON object.");
  return {
    status: "Succeeded",
    output: { ...output.data, ADFWebActivityResponseHeaders: Object.fromEntries(response.headers) },
  };
}

function parse(said: string): unknown {
  try {
    return JSON.parse(said);
  } catch {
    return undefined;
  }
}

export function failed(errorCode: string, message: string): Outcome {
  return { status: "Failed", error: { errorCode, message } };
}

export function text(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
