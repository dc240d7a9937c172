/** Replies that never change: what the provider and the subscription are. */

export const usage = (
  path: string,
  value: string,
  localizedValue: string,
  currentValue: number,
  limit: number,
): object => ({
  id: `${path}/${value}`,
  unit: "Count",
  currentValue,
  limit,
  name: { value, localizedValue },
});

/** "Resource availability": the most that a Standard group may ask for. */
export const capabilities = (location: string): object[] =>
  ["Public", "Private"].map((ipAddressType) => ({
    resourceType: "containerGroups",
    osType: "Linux",
    location,
    ipAddressType,
    gpu: "None",
    capabilities: { maxMemoryInGB: 240, maxCpu: 31, maxGpuCount: 0 },
  }));

export const subscription = (id: string): object => ({
  id: `/subscriptions/${id}`,
  subscriptionId: id,
  displayName: "Local subscription",
  state: "Enabled",
});

export const PROVIDER = {
  namespace: "Microsoft.ContainerInstance",
  registrationState: "Registered",
  resourceTypes: [{ resourceType: "containerGroups" }, { resourceType: "locations/operations" }],
};

export const OPERATIONS = [
  ["read", "Get Container Group"],
  ["write", "Create/Update Container Group"],
  ["delete", "Delete Container Group"],
  ["start/action", "Start Container Group"],
  ["stop/action", "Stop Container Group"],
  ["restart/action", "Restart Container Group"],
  ["containers/logs/read", "Get Logs for Container"],
].map(([action, operation]) => ({
  name: `Microsoft.ContainerInstance/containerGroups/${action ?? ""}`,
  display: {
    provider: "Microsoft Container Instance",
    resource: "Container Groups",
    operation,
    description: operation,
  },
  origin: "User",
}));
