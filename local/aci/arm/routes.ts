/** What a request asks for. The words are also what counters and faults call it. */
export const callKinds = [
  "put",
  "get",
  "patch",
  "delete",
  "list",
  "listBySubscription",
  "start",
  "stop",
  "restart",
  "logs",
  "exec",
  "attach",
  "outboundNetworkDependencies",
  "usages",
  "capabilities",
  "cachedImages",
  "operation",
  "operationResult",
  "providerOperations",
  "provider",
  "resourceGroup",
  "subscription",
  "notEmulated",
  "unknown",
] as const;
export type CallKind = (typeof callKinds)[number];

export interface Route {
  readonly kind: CallKind;
  readonly subscription: string;
  readonly resourceGroup: string;
  /** The group's name. */
  readonly name: string;
  /** The container's name, the operation's id, or what is not emulated. */
  readonly item: string;
  readonly location: string;
}

const NOTHING: Route = { kind: "unknown", subscription: "", resourceGroup: "", name: "", item: "", location: "" };

const PROVIDER = "microsoft.containerinstance";

/** Reads an ARM path. Every fixed segment is compared without case, as ARM does. */
export function route(method: string, path: string): Route {
  const segments = path
    .split("/")
    .filter((segment) => segment !== "")
    .map(decoded);
  const fixed = segments.map((segment) => segment.toLowerCase());
  if (fixed[0] === "providers" && fixed[1] === PROVIDER && fixed[2] === "operations" && fixed.length === 3) {
    return when(method, { GET: "providerOperations" }, NOTHING);
  }
  if (fixed[0] !== "subscriptions" || segments[1] === undefined) return NOTHING;
  const at = { ...NOTHING, subscription: segments[1] };
  if (fixed.length === 2) return when(method, { GET: "subscription" }, at);
  if (fixed[2] === "resourcegroups" && segments[3] !== undefined) {
    const inGroup = { ...at, resourceGroup: segments[3] };
    if (fixed.length === 4) return when(method, { GET: "resourceGroup" }, inGroup);
    if (fixed[4] === "providers" && fixed[5] === PROVIDER) return inProvider(method, segments.slice(6), inGroup);
  }
  if (fixed[2] === "providers" && fixed[3] === PROVIDER) return inProvider(method, segments.slice(4), at);
  return at;
}

function inProvider(method: string, segments: readonly string[], at: Route): Route {
  const [type, name, ...rest] = segments;
  if (type === undefined) return when(method, { GET: "provider" }, at);
  const fixedType = type.toLowerCase();
  if (fixedType === "locations" && name !== undefined && rest[0] !== undefined) {
    return inLocation(method, rest[0].toLowerCase(), rest[1], { ...at, location: name });
  }
  if (fixedType !== "containergroups") return { ...at, kind: "notEmulated", item: type };
  if (name === undefined) return when(method, { GET: at.resourceGroup === "" ? "listBySubscription" : "list" }, at);
  return at.resourceGroup === "" ? at : onGroup(method, rest, { ...at, name });
}

const GROUP_ACTIONS: Record<string, Partial<Record<string, CallKind>>> = {
  start: { POST: "start" },
  stop: { POST: "stop" },
  restart: { POST: "restart" },
  outboundnetworkdependenciesendpoints: { GET: "outboundNetworkDependencies" },
};

const CONTAINER_ACTIONS: Record<string, Partial<Record<string, CallKind>>> = {
  logs: { GET: "logs" },
  exec: { POST: "exec" },
  attach: { POST: "attach" },
};

/** Below a group: nothing, an action, or a container and its action. */
function onGroup(method: string, segments: readonly string[], group: Route): Route {
  const [action, item, last, ...more] = segments;
  if (action === undefined) return when(method, { PUT: "put", GET: "get", PATCH: "patch", DELETE: "delete" }, group);
  if (item === undefined) return when(method, GROUP_ACTIONS[action.toLowerCase()] ?? {}, group);
  if (action.toLowerCase() !== "containers" || last === undefined || more.length > 0) return group;
  return when(method, CONTAINER_ACTIONS[last.toLowerCase()] ?? {}, { ...group, item });
}

function inLocation(method: string, what: string, item: string | undefined, at: Route): Route {
  if (item === undefined) {
    const kinds: Record<string, CallKind> = {
      usages: "usages",
      capabilities: "capabilities",
      cachedimages: "cachedImages",
    };
    return when(method, { GET: kinds[what] ?? "unknown" }, at);
  }
  if (what === "operations") return when(method, { GET: "operation" }, { ...at, item });
  if (what === "operationresults") return when(method, { GET: "operationResult" }, { ...at, item });
  return at;
}

const when = (method: string, kinds: Partial<Record<string, CallKind>>, at: Route): Route => ({
  ...at,
  kind: kinds[method] ?? "unknown",
});

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
