import { app } from "@azure/functions";
import { floorCalls, floorShape } from "./floor-calls.ts";

/**
 * The other floor: a Functions app of two functions on the same host as ours. What it takes more than the bare server is the host's.
 */
const calls = floorCalls(floorShape.parse(JSON.parse(process.env["BENCH_FLOOR"] ?? "{}")));
const headers = { "content-type": "application/json" };

app.http("trigger", {
  methods: ["POST"],
  authLevel: "function",
  handler: async (request) => {
    await request.text();
    const { accept, answer } = await calls;
    await accept();
    return { status: 202, headers, body: answer };
  },
});

app.http("status", {
  methods: ["GET"],
  authLevel: "anonymous",
  route: "{*path}",
  handler: async () => {
    const { read, answer } = await calls;
    await read();
    return { status: 202, headers, body: answer };
  },
});
