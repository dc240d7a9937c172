/** From what the app registered to the functions this host can run: one trigger each, or the reason why not. */
import type { FunctionMetadata, Registration, RpcBinding } from "./core-api.ts";
import type { AuthLevel } from "./keys.ts";
import { compileTemplate } from "./router.ts";
import { expand, FunctionFault, isDisabled, type Settings } from "./settings.ts";

export type Trigger =
  | {
      readonly kind: "http";
      readonly binding: string;
      readonly route: string;
      readonly methods: readonly string[];
      readonly authLevel: AuthLevel;
    }
  | { readonly kind: "queue"; readonly binding: string; readonly queueName: string; readonly connection: string }
  | {
      readonly kind: "timer";
      readonly binding: string;
      readonly schedule: string;
      readonly runOnStartup: boolean;
      readonly useMonitor: boolean;
    }
  | { readonly kind: "eventGrid"; readonly binding: string; readonly many: boolean };

interface QueueOutput {
  readonly queueName: string;
  readonly connection: string;
}

export interface AppFunction {
  readonly name: string;
  readonly metadata: FunctionMetadata;
  readonly callback: Registration["callback"];
  readonly trigger: Trigger;
  /** By binding name; `$return` is the function's return value. */
  readonly queueOutputs: ReadonlyMap<string, QueueOutput>;
}

export type FunctionState =
  | { readonly state: "ready"; readonly function: AppFunction }
  | { readonly state: "disabled"; readonly metadata: FunctionMetadata }
  | { readonly state: "error"; readonly metadata: FunctionMetadata; readonly error: string };

const NAME = /^[a-z][a-z0-9_-]{0,127}$/i;
/** Names of the storage queue service ("Naming Queues and Metadata"). */
const QUEUE_NAME = /^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;
/** The host's own routes; anything that begins so, `administration` too, is refused as the real host does. */
const RESERVED_ROUTE = /^(admin|runtime)/i;

/** Reads each registration; a fault touches only its own function. */
export function readFunctions(registrations: Iterable<Registration>, settings: Settings): FunctionState[] {
  const routes = new Map<string, string>();
  return [...registrations].map(({ metadata, callback }): FunctionState => {
    if (isDisabled(metadata.name, settings)) return { state: "disabled", metadata };
    try {
      const read = readFunction(metadata, callback, settings);
      claimRoute(read, routes);
      return { state: "ready", function: read };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return { state: "error", metadata, error: error.message };
    }
  });
}

function readFunction(metadata: FunctionMetadata, callback: Registration["callback"], settings: Settings): AppFunction {
  if (!NAME.test(metadata.name)) throw new FunctionFault(`'${metadata.name}' is not a valid function name.`);
  let trigger: Trigger | undefined;
  const queueOutputs = new Map<string, QueueOutput>();
  for (const [name, binding] of Object.entries(metadata.bindings)) {
    const type = binding.type.toLowerCase();
    if (type.endsWith("trigger")) trigger = readTrigger(name, binding, metadata.name, settings);
    else if (type === "queue" && binding.direction === "out") queueOutputs.set(name, readQueue(binding, settings));
    else if (type !== "http")
      throw new FunctionFault(`The binding type '${binding.type}' is not offered by this host.`);
  }
  if (trigger === undefined) throw new FunctionFault(`The function '${metadata.name}' has no trigger.`);
  return { name: metadata.name, metadata, callback, trigger, queueOutputs };
}

function readTrigger(binding: string, from: RpcBinding, functionName: string, settings: Settings): Trigger {
  switch (from.type.toLowerCase()) {
    case "httptrigger":
      return readHttp(binding, from, functionName);
    case "queuetrigger":
      return { kind: "queue", binding, ...readQueue(from, settings) };
    case "timertrigger":
      return {
        kind: "timer",
        binding,
        schedule: expand(text(from["schedule"]), settings),
        runOnStartup: from["runOnStartup"] === true,
        useMonitor: from["useMonitor"] !== false,
      };
    case "eventgridtrigger":
      return { kind: "eventGrid", binding, many: text(from["cardinality"]).toLowerCase() === "many" };
    default:
      throw new FunctionFault(`The trigger type '${from.type}' is not offered by this host.`);
  }
}

function readHttp(binding: string, from: RpcBinding, functionName: string): Trigger {
  const route = (text(from["route"]) || functionName).replace(/^\/+|\/+$/g, "");
  if (RESERVED_ROUTE.test(route))
    throw new FunctionFault("The specified route conflicts with one or more built in routes.");
  compileTemplate(route);
  const methods = Array.isArray(from["methods"]) ? from["methods"].map((method) => text(method).toUpperCase()) : [];
  const level = text(from["authLevel"]).toLowerCase();
  if (level !== "anonymous" && level !== "function" && level !== "admin")
    throw new FunctionFault(`The authorization level '${level}' is not known.`);
  return { kind: "http", binding, route, methods, authLevel: level };
}

function readQueue(from: RpcBinding, settings: Settings): QueueOutput {
  // The real extension lowers the case of queue names.
  const queueName = expand(text(from["queueName"]), settings).toLowerCase();
  if (!QUEUE_NAME.test(queueName)) throw new FunctionFault(`'${queueName}' is not a valid queue name.`);
  return { queueName, connection: text(from["connection"]) || "AzureWebJobsStorage" };
}

function claimRoute({ name, trigger }: AppFunction, routes: Map<string, string>): void {
  if (trigger.kind !== "http") return;
  const claims = trigger.methods.map((method) => `${method} ${trigger.route.toLowerCase()}`);
  for (const claim of claims) {
    const holder = routes.get(claim);
    if (holder !== undefined)
      throw new FunctionFault(`The route specified conflicts with the route defined by function '${holder}'.`);
  }
  for (const claim of claims) routes.set(claim, name);
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
