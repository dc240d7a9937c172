/**
 * The embedded Functions host: runs a built Functions v4 app, unmodified, in this process. What it does differently from the
 * real host is listed in DIFFERENCES.md.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join, resolve } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Running } from "../part.ts";
import { type LoadedApp, loadApp } from "./app.ts";
import type { EventGridFunction } from "./event-grid.ts";
import { type FunctionState, readFunctions } from "./functions.ts";
import { type HttpFunction, requestListener } from "./http.ts";
import { parseHostJson } from "./host-json.ts";
import { Invoker } from "./invoke.ts";
import { Keys } from "./keys.ts";
import { Logs, type LogSink, logSink } from "./logs.ts";
import { management } from "./management.ts";
import { type HostOptions, HostOptionsSchema, type ParsedHostOptions } from "./options.ts";
import { writeQueueOutputs } from "./queue-output.ts";
import { type Route, Router } from "./router.ts";
import { type Settings, StorageClients } from "./settings.ts";
import { type Listener, openListeners, runByHand } from "./triggers.ts";

export interface RunningHost extends Running {
  readonly port: number;
  /** What the app registered: ready, disabled, or in error and why. */
  readonly functions: readonly FunctionState[];
}

/** As long as the real host's server (Kestrel) keeps an idle connection. */
const KEEP_ALIVE_MS = 130_000;

/** How long a host that is to be restarted settles what its failed runs leave, messages among it. */
const SETTLE_MS = 5_000;

/**
 * Loads the app, listens, and starts its triggers.
 * @param sink where the log goes, instead of `logFile` or stdout.
 * @param restart called once a run exceeded `functionTimeout`: this host has closed its port then and takes no more work, but what its
 * runs still do only the end of its thread stops. Without it the host goes on.
 * @throws {AppLoadError} when the app can't be loaded; an error with code `InvalidHostJson`; `EADDRINUSE` and the like when the
 * port is not available.
 */
export async function startHost(options: HostOptions, sink?: LogSink, restart?: () => void): Promise<RunningHost> {
  const parsed = HostOptionsSchema.parse(options);
  const settings: Settings = { ...process.env, ...parsed.env };
  const hostJson = parseHostJson(readHostJson(parsed.appFolder), settings);
  const logs = new Logs(hostJson.logLevels, sink ?? logSink(parsed.logFile));
  const app = await loadApp(parsed.appFolder, (level, message) => logs.write(level, "Worker", message));
  for (const hook of app.registry.hooks.appStart) await hook({ hookData: {} });

  const clients = new StorageClients(settings);
  const listeners: Listener[] = [];
  const onEnqueued = (queueName: string): void => {
    for (const listener of listeners) listener.notify?.(queueName);
  };
  const outputs = { clients, encoding: hostJson.queues.messageEncoding, onEnqueued };
  let abandoned: Promise<void> | undefined;
  const invoker = new Invoker({
    app,
    logs,
    functionTimeoutMs: hostJson.functionTimeoutMs,
    onTimeout: () => {
      if (restart) abandoned ??= abandon(server, listeners, logs).then(restart);
    },
    bindOutputs: (ran, response) => writeQueueOutputs(outputs, ran, response),
  });
  const hostId = parsed.hostId ?? createHash("sha256").update(resolve(parsed.appFolder)).digest("hex").slice(0, 32);
  const opened = await openListeners(
    { ...parsed, ...hostJson, clients, settings, hostId, invoker, logs, onEnqueued },
    readFunctions(app.registry.functions.values(), settings),
  );
  listeners.push(...opened.listeners);
  logFunctions(logs, opened.states, hostJson.routePrefix);

  const keys = keysOf(parsed);
  const { routes, eventGrid } = entrances(opened.states);
  const managed = {
    ...hostJson,
    functions: eventGrid,
    keys,
    invoker,
    hostId,
    states: opened.states,
    run: runByHand(invoker),
  };
  const server = createServer(
    requestListener({
      router: new Router(hostJson.routePrefix, routes),
      keys,
      invoker,
      logs,
      management: (request, path, query) => management(managed, request, path, query),
      deliver: app.deliver,
    }),
  );
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const port = await listen(server, parsed.port, parsed.address);
  for (const listener of listeners) listener.start();

  let stopped: Promise<void> | undefined;
  return {
    url: `http://${parsed.address === "127.0.0.1" ? "localhost" : parsed.address}:${port}`,
    port,
    functions: opened.states,
    stop: () => (stopped ??= stop(server, listeners, invoker, app, logs, parsed.drainSeconds)),
  };
}

function readHostJson(appFolder: string): unknown {
  const file = join(appFolder, "host.json");
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw Object.assign(new Error(`host.json can't be read: ${reason}`), { code: "InvalidHostJson" });
  }
}

function keysOf({ hostKey, masterKey, systemKey, functionKeys }: ParsedHostOptions): Keys {
  return new Keys({
    host: hostKey,
    master: masterKey ?? hostKey,
    system: systemKey ?? hostKey,
    functions: functionKeys,
  });
}

/** The functions that callers reach, by route and by name. */
function entrances(states: readonly FunctionState[]): {
  readonly routes: readonly Route<HttpFunction>[];
  readonly eventGrid: ReadonlyMap<string, EventGridFunction>;
} {
  const routes: Route<HttpFunction>[] = [];
  const eventGrid = new Map<string, EventGridFunction>();
  for (const state of states) {
    if (state.state !== "ready") continue;
    const { name, trigger } = state.function;
    const target = { called: state.function };
    if (trigger.kind === "http")
      routes.push({ template: trigger.route, methods: trigger.methods, target: { ...target, trigger } });
    if (trigger.kind === "eventGrid") eventGrid.set(name.toLowerCase(), { ...target, trigger });
  }
  return { routes, eventGrid };
}

async function listen(server: Server, port: number, address: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, address, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const bound = server.address();
  return typeof bound === "object" && bound !== null ? bound.port : port;
}

/** Takes no more work, waits for what runs, then notifies the app. */
async function stop(
  server: Server,
  listeners: readonly Listener[],
  invoker: Invoker,
  app: LoadedApp,
  logs: Logs,
  drainSeconds: number,
): Promise<void> {
  server.close();
  const drained = await within(
    Promise.allSettled(listeners.map((listener) => listener.stop())).then(() => invoker.idle()),
    drainSeconds * 1000,
  );
  if (!drained) logs.write("warning", "Host", `Stopping with ${invoker.running} functions still running.`);
  for (const hook of app.registry.hooks.appTerminate) await hook({ hookData: {} });
  server.closeAllConnections();
  logs.close();
}

/** Takes no more work, and lets what was failed be answered and settled; the rest ends with the thread. */
async function abandon(server: Server, listeners: readonly Listener[], logs: Logs): Promise<void> {
  logs.write("warning", "Host", "A function timeout has occurred. Restarting the worker.");
  server.close();
  await nextTurn(); // the failed calls are answered in this one
  server.closeIdleConnections(); // nobody gets through to the worker that ends
  await within(Promise.allSettled(listeners.map((listener) => listener.stop())), SETTLE_MS);
  logs.close();
}

/** Whether the work ends within the time. */
async function within(work: Promise<unknown>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  const inTime = await Promise.race([work.then(() => true), late]);
  clearTimeout(timer);
  return inTime;
}

function logFunctions(logs: Logs, states: readonly FunctionState[], routePrefix: string): void {
  for (const state of states) {
    if (state.state === "error")
      logs.write("error", "Host.Startup", `The '${state.metadata.name}' function is in error: ${state.error}`);
    else if (state.state === "disabled")
      logs.write("information", "Host.Startup", `Function '${state.metadata.name}' is disabled`);
    else if (state.function.trigger.kind === "http") {
      const { methods, route } = state.function.trigger;
      const path = [routePrefix, route].filter((part) => part !== "").join("/");
      logs.write(
        "information",
        "Host.Startup",
        `Mapped function route '${path}' [${methods.join(",")}] to '${state.function.name}'`,
      );
    }
  }
}
