import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { json } from "node:stream/consumers";
import { z } from "zod";
import { evaluate, type Json, type Scope } from "./expressions.ts";
import { timeSpan, type WebHook } from "./pipeline.ts";
import { failed, text, type Outcome, type World } from "./web.ts";

/**
 * A WebHook activity ("Webhook activity in Azure Data Factory"): one POST whose JSON body gets a `callBackUri`, answered within a minute
 * by less than 400; then it waits until the `callBackUri` is POSTed to with JSON, or its timeout. With `reportStatusOnCallBack` a
 * `StatusCode` (a text) of 400 or more fails the activity with the `Error` given.
 */
const callback = z.looseObject({
  Output: z.record(z.string(), z.json()).default({}),
  Error: z.looseObject({ ErrorCode: z.string(), Message: z.string() }).optional(),
  StatusCode: z.string().optional(),
});

export async function runWebHook(activity: WebHook, scope: Scope, world: World): Promise<Outcome> {
  const { typeProperties } = activity;
  const body = evaluate(typeProperties.body, scope);
  const object = z.record(z.string(), z.json()).parse(typeof body === "string" ? JSON.parse(body) : body);
  const headers = Object.fromEntries(
    Object.entries(typeProperties.headers).map(([name, value]) => [name, text(evaluate(value, scope))]),
  );
  const door = await openDoor();
  try {
    const response = await fetch(world.resolve(new URL(text(evaluate(typeProperties.url, scope)))), {
      method: "POST",
      headers,
      body: JSON.stringify({ ...object, callBackUri: door.uri }),
      signal: AbortSignal.timeout(60_000),
    });
    const said = await response.text();
    if (response.status >= 400) return failed("2108", `${response.status} ${said}`);
    const signal = AbortSignal.timeout(timeSpan(typeProperties.timeout));
    const late = new Promise<undefined>((resolve) => signal.addEventListener("abort", () => resolve(undefined)));
    const called = await Promise.race([door.called, late]);
    if (called === undefined) return failed("ActivityTimeout", `${activity.name} timed out`);
    const { Output, Error: fault, StatusCode } = callback.parse(called);
    if (typeProperties.reportStatusOnCallBack && Number(StatusCode ?? "200") >= 400)
      return failed(fault?.ErrorCode ?? "2108", fault?.Message ?? "");
    return { status: "Succeeded", output: Output };
  } finally {
    await door.close();
  }
}

/** Where the proxy calls back. It must send JSON, and the reply says whether the call was expected. */
async function openDoor(): Promise<{ uri: string; called: Promise<Json>; close: () => Promise<void> }> {
  const path = `/workflow/callback/${randomUUID()}`;
  let take: (value: Json) => void = () => undefined;
  const called = new Promise<Json>((resolve) => (take = resolve));
  const server = createServer((request, response) => {
    const wanted =
      request.method === "POST" &&
      request.url === path &&
      request.headers["content-type"]?.startsWith("application/json");
    if (!wanted) {
      response.writeHead(404).end();
      return;
    }
    void json(request).then((value) => {
      response.writeHead(200).end();
      take(z.json().parse(value));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    uri: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}${path}`,
    called,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
