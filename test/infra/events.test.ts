import { describe, expect, test } from "vitest";
import type { GroupId } from "../../local/aci/group.ts";
import { resourceEvent, type Action } from "../../local/aci/events.ts";
import { queueNames } from "../../src/shared/store/queues.ts";
import { readGroupEvents } from "../../src/shared/store/messages.ts";
import { resourceGroup, subscriptionId } from "./bicep.ts";
import { deploymentOf, environments, ofType } from "./environments.ts";
import { filterShape, passes } from "./event-filter.ts";

const cause = {
  requestId: "r",
  correlationId: "c",
  clientRequestId: "q",
  method: "PUT",
  url: "https://management.azure.com/",
};
const group = (name: string): GroupId => ({ subscription: subscriptionId, resourceGroup: name, name: "bellaciao" });

function eventOf(of: GroupId, action: Action, succeeded: boolean) {
  return resourceEvent(of, action, succeeded, 0, cause, true);
}

const subscriptionsOf = (name: string) => {
  const environment = environments.find((candidate) => candidate.name === name);
  if (environment === undefined) throw new Error(name);
  return ofType(deploymentOf(environment), "Microsoft.EventGrid/systemTopics/eventSubscriptions");
};

const filterOf = (name: string) => filterShape.parse(subscriptionsOf(name)[0]?.properties["filter"]);

describe("Event Grid's filter", () => {
  const filter = filterOf("dev");
  const actions: readonly Action[] = ["write", "delete", "start/action", "stop/action", "restart/action"];
  const cases = actions.flatMap((action) => [true, false].map((succeeded) => ({ action, succeeded })));

  test.each(cases)(
    "passes $action, succeeded $succeeded, and the code finds the group in it",
    ({ action, succeeded }) => {
      const event = eventOf(group(resourceGroup), action, succeeded);
      expect(passes(filter, event)).toBe(true);
      expect(readGroupEvents(event)).toEqual(["bellaciao"]);
    },
  );

  test("passes ids in other letters' case", () => {
    const event = eventOf(group(resourceGroup), "write", true);
    expect(passes(filter, { ...event, subject: event.subject.toUpperCase() })).toBe(true);
    const operationName = "MICROSOFT.CONTAINERINSTANCE/CONTAINERGROUPS/WRITE";
    expect(passes(filter, { ...event, data: { ...event.data, operationName } })).toBe(true);
  });

  test("passes nothing of another resource group", () => {
    expect(passes(filter, eventOf(group("elsewhere"), "write", true))).toBe(false);
    expect(passes(filter, eventOf(group(`${resourceGroup}-2`), "write", true))).toBe(false);
  });

  test("passes nothing of another kind of resource", () => {
    const event = eventOf(group(resourceGroup), "write", true);
    const subject = `/subscriptions/${subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Storage/storageAccounts/x`;
    expect(passes(filter, { ...event, subject })).toBe(false);
  });

  test("passes no action that changes nothing, like a shell in a container", () => {
    const event = eventOf(group(resourceGroup), "stop/action", true);
    const operationName = "Microsoft.ContainerInstance/containerGroups/containers/exec/action";
    expect(passes(filter, { ...event, data: { ...event.data, operationName } })).toBe(false);
  });
});

describe.each(environments)("The event subscriptions of $name", ({ name }) => {
  test("write to the queue that the code reads, with the topic's own identity, and dead-letter with it too", () => {
    for (const { properties } of subscriptionsOf(name)) {
      expect(properties).toMatchObject({
        eventDeliverySchema: "EventGridSchema",
        deliveryWithResourceIdentity: {
          identity: { type: "SystemAssigned" },
          destination: { endpointType: "StorageQueue", properties: { queueName: queueNames.events } },
        },
        deadLetterWithResourceIdentity: {
          identity: { type: "SystemAssigned" },
          deadLetterDestination: { properties: { blobContainerName: "eventgrid-deadletter" } },
        },
      });
    }
  });
});

test("every resource group that holds container groups has its topic and subscription", () => {
  const sources = subscriptionsOf("prod").map(({ id }) => /resourceGroups\/([^/]+)/.exec(id)?.[1]);
  expect(sources).toEqual(["aci-groups", "aci-groups-north"]);
  expect(subscriptionsOf("azd").map(({ id }) => /resourceGroups\/([^/]+)/.exec(id)?.[1])).toEqual([
    "rg-aci-proxy-groups",
  ]);
});
