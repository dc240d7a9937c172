import type { Target } from "../config/settings.ts";
import type { JobTarget } from "../job/job.ts";

/** Paths of ARM's REST interface. */

/** `/subscriptions/{subscription}/resourceGroups/{group}/...`: what stands after a kind is a name. */
export function templateOf(path: string): string {
  const kinds = ["subscriptions", "resourceGroups", "containerGroups", "containers", "locations", "operations"];
  const parts = path.split("/");
  return parts.map((part, at) => (kinds.includes(parts[at - 1] ?? "") ? "{name}" : part)).join("/");
}

export function resourceGroupUrl({
  subscriptionId,
  resourceGroup,
}: Pick<Target, "subscriptionId" | "resourceGroup">): string {
  return `/subscriptions/${subscriptionId}/resourceGroups/${encodeURIComponent(resourceGroup)}`;
}

export function groupsUrl({ subscriptionId, resourceGroup }: Pick<Target, "subscriptionId" | "resourceGroup">): string {
  return `${resourceGroupUrl({ subscriptionId, resourceGroup })}/providers/Microsoft.ContainerInstance/containerGroups`;
}

export function groupUrl(placed: JobTarget, name: string): string {
  return `${groupsUrl(placed)}/${encodeURIComponent(name)}`;
}
