/** What a request asks for. The words are also what counters and faults call it. */
export type CallKind =
  | "put"
  | "get"
  | "patch"
  | "delete"
  | "list"
  | "listBySubscription"
  | "start"
  | "stop"
  | "restart"
  | "logs"
  | "exec"
  | "attach"
  | "outboundNetworkDependencies"
  | "usages"
  | "capabilities"
  | "cachedImages"
  | "operation"
  | "operationResult"
  | "providerOperations"
  | "provider"
  | "resourceGroup"
  | "subscription"
  | "notEmulated"
  | "unknown";

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
  const [type, name, action, item, last] = segments;
  const fixed = segments.map((segment) => segment.toLowerCase());
  if (type === undefined) return when(method, { GET: "provider" }, at);
  if (fixed[0] === "locations" && name !== undefined && action !== undefined) {
    return inLocation(method, fixed[2] ?? "", item, { ...at, location: name });
  }
  if (fixed[0] !== "containergroups") return { ...at, kind: "notEmulated", item: type };
  if (name === undefined) return when(method, { GET: at.resourceGroup === "" ? "listBySubscription" : "list" }, at);
  if (at.resourceGroup === "") return at;
  const group = { ...at, name };
  switch (fixed.slice(2).length) {
    case 0:
      return when(method, { PUT: "put", GET: "get", PATCH: "patch", DELETE: "delete" }, group);
    case 1:
      if (fixed[2] === "start" || fixed[2] === "stop" || fixed[2] === "restart") {
        return when(method, { POST: fixed[2] }, group);
      }
      return fixed[2] === "outboundnetworkdependenciesendpoints"
        ? when(method, { GET: "outboundNetworkDependencies" }, group)
        : group;
    default:
      if (fixed[2] !== "containers" || item === undefined || last === undefined || fixed.length !== 5) return group;
      if (fixed[4] === "logs") return when(method, { GET: "logs" }, { ...group, item });
      if (fixed[4] === "exec" || fixed[4] === "attach") return when(method, { POST: fixed[4] }, { ...group, item });
      return group;
  }
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
