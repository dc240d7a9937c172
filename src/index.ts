import { app } from "@azure/functions";
import { makeDeps } from "./shared/deps.ts";
import { queueNames } from "./shared/queue.ts";
import { parseSettings } from "./shared/settings.ts";
import { jsonLog } from "./shared/telemetry.ts";
import { remove } from "./http/delete.ts";
import { health, healthDetails } from "./http/health.ts";
import { job, jobs } from "./http/jobs.ts";
import { logs } from "./http/logs.ts";
import { cancelMany, pause, rerun, resume } from "./http/operate.ts";
import { listPoison, takePoison } from "./http/poison.ts";
import { openapi } from "./http/openapi.ts";
import { status } from "./http/status.ts";
import { trigger } from "./http/trigger.ts";
import { events } from "./workers/events.ts";
import { provisioner } from "./workers/provisioner.ts";
import { sweep } from "./workers/sweep.ts";
import { wake } from "./workers/wake.ts";

/** Every function of the app. */
const settings = parseSettings(process.env);
const log = jsonLog((level, line) => process.stdout.write(`${level} ${line}\n`));
for (const fault of settings.faults) log("error", "invalid setting", { fault });
const deps = makeDeps({ settings, log });

app.setup({ enableHttpStream: true });

app.http("trigger", { methods: ["POST"], route: "trigger", authLevel: "function", handler: trigger(deps) });
app.http("status", { methods: ["GET"], route: "status/{idOrName}", authLevel: "function", handler: status(deps) });
app.http("delete", { methods: ["DELETE"], route: "delete/{idOrName}", authLevel: "function", handler: remove(deps) });
app.http("jobs", { methods: ["GET"], route: "jobs", authLevel: "function", handler: jobs(deps) });
app.http("job", { methods: ["GET"], route: "jobs/{id}", authLevel: "function", handler: job(deps) });
app.http("rerun", { methods: ["POST"], route: "jobs/{id}/rerun", authLevel: "function", handler: rerun(deps) });
app.http("cancel", { methods: ["POST"], route: "jobs/cancel", authLevel: "function", handler: cancelMany(deps) });
app.http("pause", { methods: ["POST"], route: "pause", authLevel: "function", handler: pause(deps) });
app.http("resume", { methods: ["POST"], route: "resume", authLevel: "function", handler: resume(deps) });
app.http("poison", { methods: ["GET"], route: "poison", authLevel: "function", handler: listPoison(deps) });
app.http("poisonReplay", {
  methods: ["POST"],
  route: "poison/replay",
  authLevel: "function",
  handler: takePoison(deps, "replay"),
});
app.http("poisonDrop", {
  methods: ["POST"],
  route: "poison/drop",
  authLevel: "function",
  handler: takePoison(deps, "drop"),
});
app.http("logs", {
  methods: ["GET"],
  route: "logs/{idOrName}/{container?}",
  authLevel: "function",
  handler: logs(deps),
});
app.http("openapi", { methods: ["GET"], route: "openapi.json", authLevel: "function", handler: openapi(deps) });
app.http("health", { methods: ["GET"], route: "health", authLevel: "anonymous", handler: health(deps) });
app.http("healthDetails", {
  methods: ["GET"],
  route: "health/details",
  authLevel: "function",
  handler: healthDetails(deps),
});

const { setting: connection } = settings.storage;
app.storageQueue("provisioner", { queueName: queueNames.jobs, connection, handler: provisioner(deps) });
app.storageQueue("wake", { queueName: queueNames.wake, connection, handler: wake(deps) });
app.storageQueue("events", { queueName: queueNames.events, connection, handler: events(deps) });
app.eventGrid("eventGrid", { handler: events(deps) });
app.timer("sweep", { schedule: "0 * * * * *", handler: sweep(deps) });
