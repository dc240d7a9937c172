/** An app that asks for HTTP streaming. */
import { ReadableStream } from "node:stream/web";
import { app } from "@azure/functions";

app.setup({ enableHttpStream: true });

/** Ends when the test has seen the first chunk. */
async function* chunks(): AsyncGenerator<string> {
  yield "first\n";
  await new Promise<void>((resolve) => (globalThis.fixtureGates ??= new Map()).set("chunk", resolve));
  yield "second\n";
}

app.http("stream", {
  route: "stream/{name}",
  methods: ["GET"],
  authLevel: "anonymous",
  handler: (request) => ({ headers: { "x-name": request.params["name"] ?? "" }, body: ReadableStream.from(chunks()) }),
});
app.http("whole", {
  methods: ["GET", "POST"],
  authLevel: "anonymous",
  handler: async (request) => ({
    jsonBody: { text: await request.text(), query: request.query.getAll("a"), url: request.url },
  }),
});
app.http("counted", {
  methods: ["POST"],
  authLevel: "anonymous",
  handler: async (request) => {
    let bytes = 0;
    for await (const chunk of request.body ?? []) bytes += (chunk as Uint8Array).byteLength;
    return { body: String(bytes) };
  },
});
app.http("broken", {
  methods: ["GET"],
  authLevel: "anonymous",
  handler: () => {
    throw new Error("on purpose");
  },
});
app.http("nothing", { methods: ["GET"], authLevel: "anonymous", handler: () => undefined as never });
/** Reads no more than it must. */
app.http("refuses", {
  methods: ["POST"],
  authLevel: "anonymous",
  handler: async (request) => {
    await request.body?.getReader().read();
    return { status: 413 };
  },
});
app.http("stops", {
  methods: ["POST"],
  authLevel: "anonymous",
  handler: async (request) => {
    for await (const _ of request.body ?? []) break;
    return { status: 413 };
  },
});
