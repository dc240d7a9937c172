/** The host's own routes: `/admin/...` for people and scripts, `/runtime/webhooks/...` for the extensions. */
import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { readJson } from "./body.ts";
import { type EventGridOptions, eventGridWebhook } from "./event-grid.ts";
import type { AppFunction, FunctionState } from "./functions.ts";
import { shownKey } from "./keys.ts";
import { type Answer, empty } from "./reply.ts";

export interface ManagementOptions extends EventGridOptions {
  readonly hostId: string;
  readonly routePrefix: string;
  readonly states: readonly FunctionState[];
  /** Runs a queue or timer function with the given input, in the background; false when it is of another kind. */
  readonly run: (called: AppFunction, input: string) => boolean;
}

const RunSchema = z.looseObject({ input: z.string().default("") }).prefault({});

export async function management(
  options: ManagementOptions,
  request: IncomingMessage,
  path: string,
  query: string,
): Promise<Answer> {
  const wanted = path.toLowerCase().split("/").slice(1);
  if (wanted.join("/") === "runtime/webhooks/eventgrid") return eventGridWebhook(options, request, query);
  if (wanted[0] === "runtime") return empty(404);
  if (wanted.join("/") === "admin/host/ping") return empty(200);
  if (!options.keys.opens("admin", shownKey(request.headers["x-functions-key"], query), "")) return empty(401);
  const [, area, name, leaf, ...rest] = wanted;
  if (rest.length > 0) return empty(404);
  switch (`${request.method ?? ""} ${area ?? ""}`) {
    case "GET host":
      return name === "status" && leaf === undefined ? { kind: "json", value: hostStatus(options) } : empty(404);
    case "GET functions":
      return readFunctions(options, request, name, leaf);
    case "POST functions":
      return leaf === undefined ? runByHand(options, request, name) : empty(404);
    default:
      return empty(404);
  }
}

function readFunctions(
  options: ManagementOptions,
  request: IncomingMessage,
  name: string | undefined,
  leaf: string | undefined,
): Answer {
  if (name === undefined)
    return { kind: "json", value: options.states.map((state) => describe(options, state, request)) };
  const state = findState(options, name);
  if (state === undefined) return empty(404);
  if (leaf === "status") return { kind: "json", value: functionStatus(state) };
  return leaf === undefined ? { kind: "json", value: describe(options, state, request) } : empty(404);
}

async function runByHand(
  options: ManagementOptions,
  request: IncomingMessage,
  name: string | undefined,
): Promise<Answer> {
  const state = findState(options, name);
  const parsed = RunSchema.safeParse(await readJson(request));
  if (!parsed.success) return empty(400);
  return state?.state === "ready" && options.run(state.function, parsed.data.input) ? empty(202) : empty(404);
}

function hostStatus(options: ManagementOptions): object {
  return {
    id: options.hostId,
    state: "Running",
    version: "embedded",
    versionDetails: "Embedded Functions host of the local stack",
    processUptime: Math.round(process.uptime() * 1000),
    errors: options.states.flatMap((state) =>
      state.state === "error" ? [`${state.metadata.name}: ${state.error}`] : [],
    ),
  };
}

function describe(options: ManagementOptions, state: FunctionState, request: IncomingMessage): object {
  const metadata = metadataOf(state);
  const base = `http://${request.headers.host ?? "localhost"}`;
  const trigger = state.state === "ready" ? state.function.trigger : undefined;
  const prefix = options.routePrefix === "" ? "" : `${options.routePrefix}/`;
  return {
    name: metadata.name,
    href: `${base}/admin/functions/${metadata.name}`,
    ...(trigger?.kind === "http" ? { invoke_url_template: `${base}/${prefix}${trigger.route}` } : {}),
    config: { bindings: Object.entries(metadata.bindings).map(([name, binding]) => ({ ...binding, name })) },
    isDisabled: state.state === "disabled",
    language: "node",
  };
}

function functionStatus(state: FunctionState): object {
  return { isDisabled: state.state === "disabled", errors: state.state === "error" ? [state.error] : [] };
}

function findState(options: ManagementOptions, name: string | undefined): FunctionState | undefined {
  return options.states.find((state) => metadataOf(state).name.toLowerCase() === name);
}

function metadataOf(state: FunctionState): AppFunction["metadata"] {
  return state.state === "ready" ? state.function.metadata : state.metadata;
}
