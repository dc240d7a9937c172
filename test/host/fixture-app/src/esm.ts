/** An app that is an ES module, awaits at its top, and has hooks around its runs. */
import { app, type HttpResponseInit } from "@azure/functions";

const greeting = await Promise.resolve("hello from a module");

app.hook.appStart(({ hookData }) => {
  hookData["started"] = true;
});
app.hook.preInvocation((context) => {
  context.hookData["asked"] = context.invocationContext.functionName;
  const handler = context.functionHandler;
  context.functionHandler = async (...args) => {
    const result = (await handler(...args)) as HttpResponseInit;
    return { ...result, headers: { "x-wrapped": "yes" } };
  };
});
app.hook.postInvocation((context) => {
  const asked = String(context.hookData["asked"]);
  if (context.error !== null) {
    context.result = { status: 418, body: `${asked} failed` };
    context.error = null;
  }
});

app.http("greet", { methods: ["GET"], authLevel: "anonymous", handler: () => ({ body: greeting }) });
app.http("fails", {
  methods: ["GET"],
  authLevel: "anonymous",
  handler: () => {
    throw new Error("on purpose");
  },
});
