import { randomUUID } from "node:crypto";
import type { Operation } from "./arm/operations.ts";
import type { Shown } from "./arm/view.ts";
import type { Definition } from "./definition/definition.ts";
import type { Deployment } from "./groups/deployment.ts";

/** Where a group is: names as the first request wrote them. */
export interface GroupId {
  readonly subscription: string;
  readonly resourceGroup: string;
  readonly name: string;
}

/** A container group that exists. */
export interface Group {
  readonly id: GroupId;
  /** Unique among all groups that ever were; the name of its folder. */
  readonly key: string;
  readonly createdAt: number;
  definition: Definition;
  deployment: Deployment;
  /** What the present deployment is the outcome of; `undefined` once it is decided. */
  operation: Operation | undefined;
  deleting: Operation | undefined;
  readonly systemIdentity: { readonly principalId: string; readonly tenantId: string };
}

export const LOCAL_TENANT = "72f988bf-0000-4000-8000-2d7cd011db47";

export const newIdentity = (): Group["systemIdentity"] => ({ principalId: randomUUID(), tenantId: LOCAL_TENANT });

/** Ids compare without case. */
export const groupKey = ({ subscription, resourceGroup, name }: GroupId): string =>
  `${subscription}/${resourceGroup}/${name}`.toLowerCase();

export const resourceId = ({ subscription, resourceGroup, name }: GroupId): string =>
  `/subscriptions/${subscription}/resourceGroups/${resourceGroup}` +
  `/providers/Microsoft.ContainerInstance/containerGroups/${name}`;

/** `West US` and `westus` are one region. */
export const normalLocation = (location: string): string => location.replace(/\s+/g, "").toLowerCase();

export const locationOf = (group: Group): string => normalLocation(group.definition.location ?? "");

export function shown(group: Group): Shown {
  const { definition, id } = group;
  const address = definition.properties?.ipAddress;
  const label = address?.dnsNameLabel;
  const given = definition.identity?.type ?? "";
  return {
    id: resourceId(id),
    name: id.name,
    definition,
    life: group.deployment.life,
    deleting: group.deleting !== undefined,
    ip: address === undefined ? undefined : (group.deployment.engine.ip() ?? address.ip),
    fqdn: label === undefined ? undefined : `${label}.${locationOf(group)}.azurecontainer.io`,
    systemIdentity: given.startsWith("SystemAssigned") ? group.systemIdentity : undefined,
  };
}
