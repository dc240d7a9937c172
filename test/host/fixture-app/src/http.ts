import { appendFileSync } from "node:fs";
import { app, type HttpHandler, type HttpMethod } from "@azure/functions";
import { note } from "./runs.ts";

const named =
  (name: string): HttpHandler =>
  (request) => ({ jsonBody: { name, params: request.params } });

function open(name: string, route: string | undefined, handler: HttpHandler, methods: HttpMethod[] = ["GET"]): void {
  app.http(name, { ...(route === undefined ? {} : { route }), methods, authLevel: "anonymous", handler });
}

open(
  "echo",
  "echo/{id}",
  async (request) => ({
    jsonBody: {
      method: request.method,
      url: request.url,
      params: request.params,
      query: Object.fromEntries(request.query),
      body: await request.text(),
    },
  }),
  ["GET", "POST"],
);
open("cancel", "jobs/cancel", named("cancel"), ["POST"]);
open("job", "jobs/{id}", named("job"), ["GET", "POST"]);
open("twin", "JOBS/cancel", named("twin"), ["POST"]);
open("optional", "optional/{x?}", named("optional"));
open("rest", "rest/{*path}", named("rest"));
open("openapi", "openapi.json", named("openapi"));
open("NoRoute", undefined, named("NoRoute"));
open("reservedAdmin", "admin/pause", named("reservedAdmin"), ["POST"]);
open("reservedRuntime", "runtime/x", named("reservedRuntime"));
open("administration", undefined, named("administration"));
open("switchedOff", undefined, named("switchedOff"));
open("throws", undefined, () => {
  throw new Error("on purpose");
});
open("hangs", undefined, () => {
  note("hangs");
  return new Promise(() => undefined);
});
/** Never answers, and leaves a mark in the given file for as long as it lives. */
open(
  "beats",
  undefined,
  async (request) => {
    const file = await request.text();
    return new Promise(() => setInterval(() => appendFileSync(file, "."), 10));
  },
  ["POST"],
);
open("nothing", undefined, () => undefined as never);
open("cookies", undefined, () => ({
  status: 201,
  body: "set",
  cookies: [{ name: "a", value: "b c", path: "/", httpOnly: true }],
}));
open("huge", undefined, async (request) => ({ body: String((await request.arrayBuffer()).byteLength) }), ["POST"]);
open("seenBy", undefined, (request, context) => ({
  jsonBody: { trace: context.traceContext, user: request.user, headers: Object.fromEntries(request.headers) },
}));
open("quiet", undefined, (_, context) => {
  context.log("not written");
  context.error("written");
  return {};
});
open("runs", undefined, () => ({ jsonBody: globalThis.fixtureRuns ?? [] }));

app.http("keyed", { methods: ["GET"], authLevel: "function", handler: named("keyed") });
app.http("otherKeyed", { methods: ["GET"], authLevel: "function", handler: named("otherKeyed") });
app.http("adminOnly", { route: "keyed/admin", methods: ["GET"], authLevel: "admin", handler: named("adminOnly") });
