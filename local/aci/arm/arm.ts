import { isRecord } from "../definition/shape.ts";
import type { Cause } from "../events.ts";
import { groupKey, normalLocation, shown } from "../group.ts";
import type { GroupId } from "../group.ts";
import { shownLog } from "../groups/logs.ts";
import type { Outcome, Provider } from "../groups/provider.ts";
import { capabilities, OPERATIONS, PROVIDER, subscription, usage } from "./catalog.ts";
import { checkEnvelope } from "./envelope.ts";
import { ArmError, badRequest, invalidContent, notImplemented } from "./errors.ts";
import { isVisible, listed, observed, refusalOf } from "./observed.ts";
import { operationBody, operationPath } from "./operations.ts";
import type { Operation } from "./operations.ts";
import type { Route } from "./routes.ts";
import { checkApiVersion } from "./versions.ts";
import { fullView } from "./view.ts";

/** A request, as far as ARM looks at it. */
export interface Call {
  readonly method: string;
  readonly route: Route;
  readonly query: URLSearchParams;
  /** `http://127.0.0.1:PORT`, as the caller wrote it. */
  readonly base: string;
  readonly path: string;
  /** The text of the body; empty where there is no body. */
  readonly body: string;
  readonly cause: Cause;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON; no body where `undefined`. */
  readonly body?: unknown;
}

export interface ArmOptions {
  readonly provider: Provider;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly quota: () => { readonly groups: number; readonly cores: number };
  readonly defaultLocation: string;
  /** Where given, every other subscription or resource group is unknown. */
  readonly subscriptions?: readonly string[] | undefined;
  readonly resourceGroups?: readonly string[] | undefined;
  readonly pageSize: number;
  /** Seconds until a poller should look again. */
  readonly pollSeconds: number;
}

/** Azure Resource Manager as callers of container groups see it: a call in, a reply or {@link ArmError} out. */
export class Arm {
  readonly #options: ArmOptions;
  readonly #provider: Provider;

  constructor(options: ArmOptions) {
    this.#options = options;
    this.#provider = options.provider;
  }

  async answer(call: Call): Promise<Reply> {
    const { route } = call;
    if (route.kind === "unknown") throw noSuchRoute(call);
    const type = RESOURCE_TYPES[route.kind];
    const version = checkApiVersion(call.query.get("api-version"), type, this.#options.defaultLocation);
    this.#checkScope(route);
    return route.name === "" ? this.#answerOther(call, version) : this.#answerGroup(call, version);
  }

  /** What concerns one group. */
  async #answerGroup(call: Call, version: string): Promise<Reply> {
    const { route, cause } = call;
    const id: GroupId = { subscription: route.subscription, resourceGroup: route.resourceGroup, name: route.name };
    const existing = this.#provider.find(id);
    const refusal = existing && refusalOf(existing, route.kind, this.#options.now());
    if (refusal) throw refusal;
    switch (route.kind) {
      case "put":
        return this.#put(call, id, version);
      case "get":
        return { status: 200, body: observed(this.#provider.get(id), this.#options.now()) };
      case "patch":
        return { status: 200, body: fullView(shown(this.#provider.patch(id, jsonBody(call), cause))) };
      case "delete":
        return this.#delete(call, id, version);
      case "start":
        return this.#accepted(call, await this.#provider.start(id, cause), version, 202);
      case "restart":
        return this.#accepted(call, await this.#provider.restart(id, cause), version, 204);
      case "stop":
        await this.#provider.stop(id, cause);
        return { status: 204 };
      case "logs": {
        const content = await shownLog(this.#provider.get(id), route.item, tail(call.query), timestamps(call.query));
        return { status: 200, body: { content } };
      }
      case "outboundNetworkDependencies":
        this.#provider.get(id);
        return { status: 200, body: [] };
      case "exec":
      case "attach":
        this.#provider.get(id);
        throw notImplemented(`containers/${route.kind}`);
      default:
        throw noSuchRoute(call);
    }
  }

  /** Lists, regions, operations, and ARM's own resources. */
  #answerOther(call: Call, version: string): Reply {
    const { route } = call;
    switch (route.kind) {
      case "list":
      case "listBySubscription":
        return this.#list(call);
      case "usages":
        return { status: 200, body: { value: this.#usages(route) } };
      case "capabilities":
        return { status: 200, body: { value: capabilities(route.location) } };
      case "cachedImages":
        return { status: 200, body: { value: [] } };
      case "operation":
        return this.#operationStatus(this.#operation(route));
      case "operationResult":
        return this.#result(call, this.#operation(route), version);
      case "providerOperations":
        return { status: 200, body: { value: OPERATIONS } };
      case "provider":
        return { status: 200, body: PROVIDER };
      case "resourceGroup":
        return { status: 200, body: this.#resourceGroup(route) };
      case "subscription":
        return { status: 200, body: subscription(route.subscription) };
      case "notEmulated":
        throw notImplemented(`Microsoft.ContainerInstance/${route.item}`);
      default:
        throw noSuchRoute(call);
    }
  }

  #checkScope({ subscription: given, resourceGroup }: Route): void {
    const { subscriptions, resourceGroups } = this.#options;
    if (given !== "" && subscriptions && !includes(subscriptions, given)) {
      throw new ArmError(404, "SubscriptionNotFound", `The subscription '${given}' could not be found.`);
    }
    if (resourceGroup !== "" && resourceGroups && !includes(resourceGroups, resourceGroup)) {
      throw new ArmError(404, "ResourceGroupNotFound", `Resource group '${resourceGroup}' could not be found.`);
    }
  }

  async #put(call: Call, id: GroupId, version: string): Promise<Reply> {
    const body = jsonBody(call);
    checkEnvelope(id, body);
    const outcome = await this.#provider.put(id, body, call.cause);
    return this.#withOperation(call, outcome, version, outcome.created ? 201 : 200);
  }

  async #delete(call: Call, id: GroupId, version: string): Promise<Reply> {
    const existing = this.#provider.find(id);
    // ARM answers from the same view that a GET shows.
    if (!existing || !isVisible(existing, this.#options.now())) return { status: 204 };
    const outcome = await this.#provider.delete(id, call.cause);
    if (!outcome) return { status: 204 };
    return this.#withOperation(call, outcome, version, outcome.operation ? 202 : 200);
  }

  #withOperation(call: Call, outcome: Outcome, version: string, status: number): Reply {
    const body = status === 202 ? {} : { body: fullView(shown(outcome.group)) };
    return { status, headers: this.#operationHeaders(call, outcome.operation, version), ...body };
  }

  #accepted(call: Call, operation: Operation | undefined, version: string, status: number): Reply {
    return { status: operation ? status : 204, headers: this.#operationHeaders(call, operation, version) };
  }

  #operationHeaders(call: Call, operation: Operation | undefined, version: string): Record<string, string> {
    if (!operation) return {};
    const link = (segment: "operations" | "operationResults"): string =>
      `${call.base}${operationPath(operation, segment)}?api-version=${version}`;
    return {
      "azure-asyncoperation": link("operations"),
      location: link("operationResults"),
      ...this.#retryAfter(),
    };
  }

  #retryAfter(): Record<string, string> {
    return { "retry-after": String(this.#options.pollSeconds) };
  }

  #operation(at: Route): Operation {
    const found = this.#provider.operations.find(at.subscription, at.item);
    if (!found) throw new ArmError(404, "OperationNotFound", `The operation '${at.item}' was not found.`);
    return found;
  }

  #operationStatus(operation: Operation): Reply {
    const group = this.#provider.find({ ...operation, name: operation.group });
    const body = operationBody(operation, group ? shown(group) : undefined);
    return { status: 200, headers: operation.outcome.status === "Running" ? this.#retryAfter() : {}, body };
  }

  #result(call: Call, operation: Operation, version: string): Reply {
    const { outcome } = operation;
    if (outcome.status === "Running") {
      return { status: 202, headers: this.#operationHeaders(call, operation, version) };
    }
    if ("error" in outcome) {
      throw new ArmError(409, outcome.error.code, outcome.error.message);
    }
    const group = this.#provider.find({ ...operation, name: operation.group });
    if (!group || operation.kind !== "create") return { status: 204 };
    return { status: 200, body: fullView(shown(group)) };
  }

  /** Pages in the order of ids; the token is the last id of the page before. */
  #list(call: Call): Reply {
    const { route, query } = call;
    const prefix = groupKey({ subscription: route.subscription, resourceGroup: route.resourceGroup, name: "" });
    const scope = route.kind === "list" ? prefix : `${route.subscription.toLowerCase()}/`;
    const now = this.#options.now();
    const after = Buffer.from(query.get("$skipToken") ?? "", "base64url").toString("utf8");
    const all = [...this.#provider.all()]
      .map((group) => ({ key: groupKey(group.id), group }))
      .filter(({ key, group }) => key.startsWith(scope) && key > after && isVisible(group, now))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    const page = all.slice(0, this.#options.pageSize);
    const last = page.at(-1);
    const more = all.length > page.length && last !== undefined;
    const next = new URLSearchParams(query);
    if (more) next.set("$skipToken", Buffer.from(last.key).toString("base64url"));
    return {
      status: 200,
      body: {
        value: page.map(({ group }) => listed(group, now)),
        ...(more ? { nextLink: `${call.base}${call.path}?${next.toString()}` } : {}),
      },
    };
  }

  #usages({ subscription: within, location }: Route): unknown[] {
    const used = this.#provider.usage.of(within, normalLocation(location));
    const path = `/subscriptions/${within}/providers/Microsoft.ContainerInstance/locations/${location}/usages`;
    return [
      usage(path, "ContainerGroups", "Container Groups", used.groups, this.#options.quota().groups),
      usage(path, "StandardCores", "Standard Cores", used.cores, this.#options.quota().cores),
    ];
  }

  #resourceGroup({ subscription: within, resourceGroup: name }: Route): object {
    return {
      id: `/subscriptions/${within}/resourceGroups/${name}`,
      name,
      type: "Microsoft.Resources/resourceGroups",
      location: this.#options.defaultLocation,
      properties: { provisioningState: "Succeeded" },
    };
  }
}

/** What the `api-version` is checked against; ARM's own resources have versions of their own. */
const RESOURCE_TYPES: Partial<Record<Route["kind"], string>> = {
  put: "containerGroups",
  get: "containerGroups",
  patch: "containerGroups",
  delete: "containerGroups",
  list: "containerGroups",
  listBySubscription: "containerGroups",
  start: "containerGroups",
  stop: "containerGroups",
  restart: "containerGroups",
  logs: "containerGroups",
  exec: "containerGroups",
  attach: "containerGroups",
  outboundNetworkDependencies: "containerGroups",
  usages: "locations/usages",
  capabilities: "locations/capabilities",
  cachedImages: "locations/cachedImages",
  operation: "locations/operations",
  operationResult: "locations/operationResults",
  providerOperations: "operations",
};

function jsonBody(call: Call): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(call.body.replace(/^\uFEFF/, ""));
  } catch {
    throw invalidContent("The body is not valid JSON.");
  }
  if (!isRecord(parsed)) throw invalidContent("The body must be a JSON object.");
  return parsed;
}

function tail(query: URLSearchParams): number | undefined {
  const given = query.get("tail");
  if (given === null) return undefined;
  const lines = Number(given);
  if (!Number.isInteger(lines) || lines < 0) {
    throw badRequest("InvalidQueryParameter", `The query parameter 'tail' must be a non-negative integer.`);
  }
  return lines;
}

const timestamps = (query: URLSearchParams): boolean => query.get("timestamps")?.toLowerCase() === "true";

function noSuchRoute(call: Call): ArmError {
  return new ArmError(
    404,
    "InvalidResourceType",
    `No operation of the local Azure Resource Manager answers ${call.method} ${call.path}.`,
  );
}

const includes = (names: readonly string[], name: string): boolean =>
  names.some((known) => known.toLowerCase() === name.toLowerCase());
