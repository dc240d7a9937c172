import { app } from "@azure/functions";
import { makeDeps } from "./shared/deps.ts";
import { queueNames } from "./shared/store/queues.ts";
import { parseSettings } from "./shared/config/settings.ts";
import { jsonLog } from "./shared/base/log.ts";
import { adopt } from "./http/adopt.ts";
import { dashboard } from "./http/dashboard.ts";
import { remove } from "./http/delete.ts";
import { doors, openedBy } from "./http/lib/auth.ts";
import { health, healthDetails } from "./http/health.ts";
import { job, jobs } from "./http/jobs/list.ts";
import { link } from "./http/link.ts";
import { logs } from "./http/logs.ts";
import { cancelMany, pause, rerun, resume } from "./http/operate/operate.ts";
import { listPoison, takePoison } from "./http/operate/poison.ts";
import { openapi } from "./http/openapi.ts";
import { status, stillUnknown } from "./http/status.ts";
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
const allow = doors(deps);

app.setup({ enableHttpStream: true });

app.http("trigger", { methods: ["POST"], route: "trigger", ...allow("submit", trigger(deps)) });
app.http("status", {
  methods: ["GET"],
  route: "status/{idOrName}",
  ...allow("read", status(deps), stillUnknown(deps)),
});
app.http("delete", { methods: ["DELETE"], route: "delete/{idOrName}", ...allow("steer", remove(deps)) });
app.http("jobs", { methods: ["GET"], route: "jobs", ...allow("read", jobs(deps)) });
app.http("job", { methods: ["GET"], route: "jobs/{id}", ...allow("read", job(deps)) });
app.http("adopt", { methods: ["GET"], route: "adopt", ...allow("read", adopt(deps)) });
app.http("rerun", { methods: ["POST"], route: "jobs/{id}/rerun", ...allow("steer", rerun(deps)) });
app.http("cancel", { methods: ["POST"], route: "jobs/cancel", ...allow("operate", cancelMany(deps)) });
app.http("pause", { methods: ["POST"], route: "pause", ...allow("operate", pause(deps)) });
app.http("resume", { methods: ["POST"], route: "resume", ...allow("operate", resume(deps)) });
app.http("poison", { methods: ["GET"], route: "poison", ...allow("read", listPoison(deps)) });
app.http("poisonReplay", {
  methods: ["POST"],
  route: "poison/replay",
  ...allow("operate", takePoison(deps, "replay")),
});
app.http("poisonDrop", {
  methods: ["POST"],
  route: "poison/drop",
  ...allow("operate", takePoison(deps, "drop")),
});
const readLogs = logs(deps);
app.http("logs", {
  methods: ["GET"],
  route: "logs/{idOrName}/{container?}",
  ...allow("read", readLogs),
});
app.http("link", { methods: ["GET"], route: "link/{token}", authLevel: "anonymous", handler: link(deps) });
app.http("openapi", { methods: ["GET"], route: "openapi.json", ...allow("read", openapi(deps)) });
app.http("dashboard", {
  methods: ["GET"],
  route: "dashboard/{asset?}",
  authLevel: "anonymous",
  handler: dashboard(deps),
});
app.http("health", { methods: ["GET"], route: "health", authLevel: "anonymous", handler: health(deps) });
app.http("healthDetails", {
  methods: ["GET"],
  route: "health/details",
  ...allow("read", healthDetails(deps)),
});

if (settings.readKey) {
  const { readKey } = settings;
  const reading = status({ ...deps, settings: { ...settings, apiPath: "/api/read" } });
  const routes = {
    readStatus: { route: "read/status/{idOrName}", handler: reading },
    readJobs: { route: "read/jobs", handler: jobs(deps) },
    readJob: { route: "read/jobs/{id}", handler: job(deps) },
    readLogs: { route: "read/logs/{idOrName}/{container?}", handler: readLogs },
    readHealthDetails: { route: "read/health/details", handler: healthDetails(deps) },
  };
  for (const [name, { route, handler }] of Object.entries(routes))
    app.http(name, { methods: ["GET"], route, ...openedBy(readKey, handler) });
}

const { setting: connection } = settings.storage;
app.storageQueue("provisioner", { queueName: queueNames.jobs, connection, handler: provisioner(deps) });
app.storageQueue("wake", { queueName: queueNames.wake, connection, handler: wake(deps) });
app.storageQueue("events", { queueName: queueNames.events, connection, handler: events(deps) });
app.eventGrid("eventGrid", { handler: events(deps) });
app.timer("sweep", { schedule: "0 * * * * *", handler: sweep(deps) });
