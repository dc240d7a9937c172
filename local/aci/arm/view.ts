import { definitionShape } from "../definition/definition.ts";
import type { Definition } from "../definition/definition.ts";
import type { ContainerState, GroupLife, LifeEvent, MemberLife } from "../groups/life-types.ts";

/** What a reply needs to know of a group. */
export interface Shown {
  readonly id: string;
  readonly name: string;
  readonly definition: Definition;
  readonly life: GroupLife;
  readonly deleting: boolean;
  /** What the service adds to the address. */
  readonly ip: string | undefined;
  readonly fqdn: string | undefined;
  readonly systemIdentity: { readonly principalId: string; readonly tenantId: string } | undefined;
}

/** A group as GET by name, PUT and PATCH reply: secrets left out, with instance views. */
export function fullView(group: Shown): Record<string, unknown> {
  const { life } = group;
  return view(group, (init) => life.members.filter((member) => member.init === init), {
    instanceView: { events: life.events.map((event) => eventView(event)), state: groupState(life) },
  });
}

/** A group as lists show it: no instance view, neither the group's nor its containers'. */
export const listView = (group: Shown): Record<string, unknown> => view(group, () => [], {});

/** The order of members is the service's own. */
function view(
  group: Shown,
  membersOf: (init: boolean) => readonly MemberLife[],
  more: Record<string, unknown>,
): Record<string, unknown> {
  // The shape of a definition shows objects whose members are by name.
  const { properties, identity, ...envelope } = definitionShape.show(group.definition) as Record<string, object>;
  const { containers, initContainers, ...inner } = (properties ?? {}) as Record<string, unknown>;
  const { definition, systemIdentity, life } = group;
  // Before a group has a place to run, its containers have no view yet.
  const placed = life.provisioning !== "Pending";
  const shown = (list: unknown, init: boolean): unknown[] => containersView(list, placed ? membersOf(init) : []);
  return {
    properties: {
      sku: "Standard",
      provisioningState: group.deleting ? "Deleting" : life.provisioning,
      containers: shown(containers, false),
      initContainers: shown(initContainers, true),
      ...inner,
      restartPolicy: definition.properties?.restartPolicy ?? "Always",
      ...(definition.properties?.ipAddress ? { ipAddress: address(inner["ipAddress"], group) } : {}),
      ...more,
    },
    ...(identity ? { identity: { ...systemIdentity, ...identity } } : {}),
    id: group.id,
    name: group.name,
    type: "Microsoft.ContainerInstance/containerGroups",
    ...envelope,
  };
}

const address = (shown: unknown, { ip, fqdn }: Shown): object => ({
  ...(shown as object),
  ...(ip === undefined ? {} : { ip }),
  ...(fqdn === undefined ? {} : { fqdn }),
});

const groupState = (life: GroupLife): string => (life.phase === "Stopping" ? "Running" : life.phase);

function containersView(list: unknown, members: readonly MemberLife[]): unknown[] {
  const containers = (Array.isArray(list) ? list : []) as { name?: string; properties?: object }[];
  return containers.map(({ name, properties }, index) => {
    const member = members[index];
    const instance = member?.current ? { instanceView: instanceView(member) } : {};
    return { name, properties: { environmentVariables: [], ...properties, ...instance } };
  });
}

const instanceView = (member: MemberLife): object => ({
  restartCount: member.restartCount,
  ...(member.current ? { currentState: stateView(member.current) } : {}),
  ...(member.previous ? { previousState: stateView(member.previous) } : {}),
  ...(member.events.length > 0 ? { events: member.events.map((event) => eventView(event)) } : {}),
});

function stateView(state: ContainerState): object {
  switch (state.state) {
    case "Waiting":
      return { state: "Waiting", detailStatus: state.detailStatus };
    case "Running":
      return { state: "Running", startTime: time(state.startTime), detailStatus: state.detailStatus };
    case "Terminated":
      return {
        state: "Terminated",
        startTime: time(state.startTime),
        exitCode: state.exitCode,
        finishTime: time(state.finishTime),
        detailStatus: state.detailStatus,
      };
  }
}

export const eventView = (event: LifeEvent): object => ({
  count: event.count,
  firstTimestamp: time(event.firstTimestamp),
  lastTimestamp: time(event.lastTimestamp),
  name: event.name,
  message: event.message,
  type: event.type,
});

const time = (milliseconds: number): string => new Date(milliseconds).toISOString();
