/** An app that is an ES module and awaits at its top. */
import { app } from "@azure/functions";

const greeting = await Promise.resolve("hello from a module");

app.http("greet", { methods: ["GET"], authLevel: "anonymous", handler: () => ({ body: greeting }) });
