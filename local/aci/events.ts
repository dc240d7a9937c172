import { randomUUID } from "node:crypto";
import { LOCAL_TENANT, resourceId } from "./group.ts";
import type { GroupId } from "./group.ts";

/** The request that an event is about. */
export interface Cause {
  readonly requestId: string;
  readonly correlationId: string;
  readonly clientRequestId: string;
  readonly method: string;
  readonly url: string;
}

export type Action = "write" | "delete" | "start/action" | "stop/action" | "restart/action";

/** An event of a resource group's system topic (Event Grid, "Azure resource group as an Event Grid source"). */
export interface ResourceEvent {
  readonly subject: string;
  readonly eventType: string;
  readonly eventTime: string;
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly dataVersion: "2";
  readonly metadataVersion: "1";
  readonly topic: string;
}

/** `httpRequest` is there only for what concerns a resource that existed, as the page says. */
export function resourceEvent(
  group: GroupId,
  action: Action,
  succeeded: boolean,
  at: number,
  cause: Cause,
  existed: boolean,
): ResourceEvent {
  const subject = resourceId(group);
  const operationName = `Microsoft.ContainerInstance/containerGroups/${action}`;
  const verb = action === "write" ? "Write" : action === "delete" ? "Delete" : "Action";
  return {
    subject,
    eventType: `Microsoft.Resources.Resource${verb}${succeeded ? "Success" : "Failure"}`,
    // Seven digits of a second, as the service writes them.
    eventTime: new Date(at).toISOString().replace("Z", "0000Z"),
    id: randomUUID(),
    data: {
      authorization: { scope: subject, action: operationName, evidence: { role: "Subscription Admin" } },
      claims: CLAIMS,
      correlationId: cause.correlationId,
      ...(existed
        ? {
            httpRequest: {
              clientRequestId: cause.clientRequestId,
              clientIpAddress: "127.0.0.1",
              method: cause.method,
              url: cause.url,
            },
          }
        : {}),
      resourceProvider: "Microsoft.ContainerInstance",
      resourceUri: subject,
      operationName,
      status: succeeded ? "Succeeded" : "Failed",
      subscriptionId: group.subscription,
      tenantId: LOCAL_TENANT,
    },
    dataVersion: "2",
    metadataVersion: "1",
    topic: `/subscriptions/${group.subscription}/resourceGroups/${group.resourceGroup}`,
  };
}

/** Real events carry who asked: names and addresses of people. These are made up, to be found where they must not be. */
const CLAIMS = {
  aud: "https://management.core.windows.net/",
  iss: `https://sts.windows.net/${LOCAL_TENANT}/`,
  appid: "00000000-0000-4000-8000-000000000001",
  appidacr: "2",
  ipaddr: "127.0.0.1",
  name: "Lou Local-Claim",
  "http://schemas.microsoft.com/identity/claims/objectidentifier": "00000000-0000-4000-8000-000000000002",
  "http://schemas.microsoft.com/identity/claims/tenantid": LOCAL_TENANT,
  "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": "lou.local-claim@example.com",
  ver: "1.0",
};

/** What a webhook must answer before it gets events ("Endpoint validation with Event Grid event schema"). */
export const validationEvent = (code: string, at: number): ResourceEvent => ({
  subject: "",
  eventType: "Microsoft.EventGrid.SubscriptionValidationEvent",
  eventTime: new Date(at).toISOString().replace("Z", "0000Z"),
  id: randomUUID(),
  data: { validationCode: code },
  dataVersion: "2",
  metadataVersion: "1",
  topic: "/subscriptions/local",
});
