/** The app of the host's tests: what a Functions app can do, in one place. */
import { app } from "@azure/functions";
import { note } from "./runs.ts";
import "./http.ts";
import "./queues.ts";

app.timer("ticking", { schedule: "%TICK%", handler: (timer) => note("ticking", { timer }) });
app.timer("hourly", { schedule: "0 0 * * * *", runOnStartup: true, handler: (timer) => note("hourly", { timer }) });
app.timer("wrong", { schedule: "whenever", handler: () => undefined });
app.eventGrid("events", {
  handler: (event) => {
    note("events", { event });
    if (event.data?.["fail"] === true) throw new Error("on purpose");
  },
});
app.generic("strange", { trigger: { type: "cosmosDBTrigger", name: "doc" }, handler: () => undefined });
app.hook.appTerminate(() => note("terminated"));
