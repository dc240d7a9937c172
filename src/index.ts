import { app, type HttpFunctionOptions, type HttpHandler } from "@azure/functions";
import { makeDeps } from "./shared/deps.ts";
import { queueNames } from "./shared/store/queues.ts";
import { parseSettings } from "./shared/config/settings.ts";
import { invocationSpan } from "./shared/telemetry/invocation.ts";
import { startTelemetry } from "./shared/telemetry/start.ts";
import { jsonLog, loggingThrough, type LogLevel } from "./shared/base/log.ts";
import { adopt } from "./http/adopt.ts";
import { caller } from "./http/caller.ts";
import { dashboard, signInScript } from "./http/dashboard.ts";
import { remove } from "./http/delete.ts";
import { guards, openedBy } from "./http/lib/auth.ts";
import { health, healthDetails, version } from "./http/health.ts";
import { jobs } from "./http/jobs/list.ts";
import { definition } from "./http/jobs/definition.ts";
import { job } from "./http/jobs/record.ts";
import { results } from "./http/jobs/results.ts";
import { summary } from "./http/jobs/summary.ts";
import { withoutQuery } from "./http/lib/query.ts";
import { link } from "./http/link.ts";
import { result } from "./http/result.ts";
import { logs } from "./http/logs.ts";
import { cancelMany } from "./http/operate/cancel-many.ts";
import { getGroup, listGroups, putGroup } from "./http/operate/groups.ts";
import { pause } from "./http/operate/pause.ts";
import { setPriority } from "./http/operate/priority.ts";
import { rerun } from "./http/operate/rerun.ts";
import { rerunMany, rerunProgress } from "./http/operate/rerun-many.ts";
import { resume } from "./http/operate/resume.ts";
import { watchConnections } from "./http/lib/connections.ts";
import { listPoison, takePoison } from "./http/operate/poison.ts";
import { deleteTemplate, listTemplates, putTemplate, getTemplate } from "./http/operate/templates.ts";
import { reindex } from "./http/operate/reindex.ts";
import { openapi } from "./http/openapi.ts";
import { enqueueingSweep } from "./http/lib/second-clock.ts";
import { status, stillUnknown } from "./http/status.ts";
import { trigger } from "./http/trigger.ts";
import { events } from "./workers/events.ts";
import { provisioner } from "./workers/provisioner.ts";
import { runningSweep } from "./workers/second-clock.ts";
import { sweep } from "./workers/sweep.ts";
import { wake } from "./workers/wake.ts";

/** Every function of the app. */
const settings = parseSettings(process.env);
const log = jsonLog((_level, line) => process.stdout.write(`${line}\n`));
for (const fault of settings.faults) log("error", "invalid setting", { fault });
for (const doubt of settings.misspelt) log("warn", "unknown setting", { doubt });
const telemetry = startTelemetry({ settings, environment: process.env, version, log });
const deps = makeDeps({ settings, log, telemetry });
const allow = guards(deps);
/** A call without parameters. */
const plain = (handler: HttpHandler): HttpHandler => withoutQuery(deps, handler);

app.setup({ enableHttpStream: true });
app.hook.preInvocation((hook) => {
  const { functionHandler: handle, invocationContext: context } = hook;
  const write = (level: LogLevel, line: string): void => context[level](line);
  hook.functionHandler = (...inputs): unknown =>
    loggingThrough(write, () => invocationSpan(telemetry, context, (): unknown => handle(...inputs), inputs[0]));
});
app.hook.appTerminate(() => telemetry.flush());
/** Every call, and every message, sees to it that the sweep runs should its timer have stopped. */
const http = (name: string, options: HttpFunctionOptions): void =>
  app.http(name, { ...options, handler: enqueueingSweep(deps, options.handler) });

http("trigger", { methods: ["POST"], route: "trigger", ...allow("submit", trigger(deps)) });
http("status", {
  methods: ["GET"],
  route: "status/{idOrName}",
  ...allow("read", status(deps), stillUnknown(deps)),
});
http("delete", { methods: ["DELETE"], route: "delete/{idOrName}", ...allow("cancel", remove(deps)) });
http("caller", { methods: ["GET"], route: "caller", ...allow("read", plain(caller(deps))) });
const connections = watchConnections();
http("jobs", { methods: ["GET"], route: "jobs", ...allow("read", jobs(deps, connections)) });
const summarize = summary(deps);
http("summary", { methods: ["GET"], route: "jobs/summary", ...allow("read", summarize) });
http("job", { methods: ["GET"], route: "jobs/{id}", ...allow("read", job(deps)) });
http("results", { methods: ["GET"], route: "jobs/{id}/results", ...allow("read", results(deps, connections)) });
http("definition", {
  methods: ["GET"],
  route: "jobs/{id}/definition",
  ...allow("read", plain(definition(deps))),
});
http("adopt", { methods: ["GET"], route: "adopt", ...allow("read", plain(adopt(deps))) });
http("rerun", { methods: ["POST"], route: "jobs/{id}/rerun", ...allow("steer", rerun(deps)) });
http("rerunMany", { methods: ["POST"], route: "jobs/rerun", ...allow("operate", plain(rerunMany(deps))) });
http("rerunProgress", { methods: ["GET"], route: "reruns/{key}", ...allow("read", plain(rerunProgress(deps))) });
http("cancel", { methods: ["POST"], route: "jobs/cancel", ...allow("operate", plain(cancelMany(deps))) });
http("priority", { methods: ["POST"], route: "jobs/{id}/priority", ...allow("operate", plain(setPriority(deps))) });
http("groups", { methods: ["GET"], route: "groups", ...allow("read", listGroups(deps)) });
http("group", { methods: ["GET"], route: "groups/{*group}", ...allow("read", plain(getGroup(deps))) });
http("steerGroup", { methods: ["PUT"], route: "groups/{*group}", ...allow("operate", plain(putGroup(deps))) });
http("pause", { methods: ["POST"], route: "pause", ...allow("operate", plain(pause(deps))) });
http("resume", { methods: ["POST"], route: "resume", ...allow("operate", plain(resume(deps))) });
http("reindex", { methods: ["POST"], route: "reindex", ...allow("operate", plain(reindex(deps))) });
http("templates", { methods: ["GET"], route: "templates", ...allow("read", listTemplates(deps)) });
http("template", { methods: ["GET"], route: "templates/{name}", ...allow("read", getTemplate(deps)) });
http("templatePut", {
  methods: ["PUT"],
  route: "templates/{name}",
  ...allow("operate", plain(putTemplate(deps))),
});
http("templateDelete", {
  methods: ["DELETE"],
  route: "templates/{name}",
  ...allow("operate", plain(deleteTemplate(deps))),
});
http("poison", { methods: ["GET"], route: "poison", ...allow("read", plain(listPoison(deps))) });
http("poisonReplay", {
  methods: ["POST"],
  route: "poison/replay",
  ...allow("operate", plain(takePoison(deps, "replay"))),
});
http("poisonDrop", {
  methods: ["POST"],
  route: "poison/drop",
  ...allow("operate", plain(takePoison(deps, "drop"))),
});
const readLogs = logs(deps, connections);
http("logs", {
  methods: ["GET"],
  route: "logs/{idOrName}/{container?}",
  ...allow("read", readLogs),
});
http("link", { methods: ["GET"], route: "link/{token}", authLevel: "anonymous", handler: link(deps) });
http("result", { methods: ["PUT"], route: "result/{token}", authLevel: "anonymous", handler: plain(result(deps)) });
http("openapi", { methods: ["GET"], route: "openapi.json", ...allow("read", plain(openapi(deps))) });
http("dashboard", {
  methods: ["GET"],
  route: "dashboard",
  authLevel: "anonymous",
  handler: dashboard(deps),
});
http("signInScript", {
  methods: ["GET"],
  route: "dashboard/signin.js",
  authLevel: "anonymous",
  handler: signInScript(deps),
});
http("health", { methods: ["GET"], route: "health", authLevel: "anonymous", handler: plain(health(deps)) });
http("healthDetails", {
  methods: ["GET"],
  route: "health/details",
  ...allow("read", plain(healthDetails(deps))),
});

if (settings.readKey) {
  const { readKey } = settings;
  const reading = status({ ...deps, settings: { ...settings, apiPath: "/api/read" } });
  const routes = {
    readCaller: { route: "read/caller", handler: plain(caller(deps)) },
    readStatus: { route: "read/status/{idOrName}", handler: reading },
    readJobs: { route: "read/jobs", handler: jobs(deps, connections) },
    readSummary: { route: "read/jobs/summary", handler: summarize },
    readJob: { route: "read/jobs/{id}", handler: job(deps) },
    readResults: { route: "read/jobs/{id}/results", handler: results(deps, connections) },
    readDefinition: { route: "read/jobs/{id}/definition", handler: plain(definition(deps)) },
    readLogs: { route: "read/logs/{idOrName}/{container?}", handler: readLogs },
    readHealthDetails: { route: "read/health/details", handler: plain(healthDetails(deps)) },
  };
  for (const [name, { route, handler }] of Object.entries(routes))
    http(name, { methods: ["GET"], route, ...openedBy(readKey, handler) });
}

const { setting: connection } = settings.storage;
app.storageQueue("provisioner", {
  queueName: queueNames.jobs,
  connection,
  handler: runningSweep(deps, provisioner(deps)),
});
app.storageQueue("wake", { queueName: queueNames.wake, connection, handler: runningSweep(deps, wake(deps)) });
app.storageQueue("events", { queueName: queueNames.events, connection, handler: runningSweep(deps, events(deps)) });
app.eventGrid("eventGrid", { handler: runningSweep(deps, events(deps)) });
app.timer("sweep", { schedule: "0 * * * * *", handler: sweep(deps) });
