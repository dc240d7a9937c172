import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { QueueClient } from "@azure/storage-queue";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { virtualClock } from "../../../local/aci/clock.ts";
import { Delivery } from "../../../local/aci/delivery.ts";
import { resourceEvent } from "../../../local/aci/events.ts";
import type { ResourceEvent } from "../../../local/aci/events.ts";
import { startAzurite } from "../../kit/azurite.ts";
import type { Azurite } from "../../kit/azurite.ts";
import { definition, GROUP, serve, SUBSCRIPTION, until, wire } from "./kit.ts";

const cause = { requestId: "r", correlationId: "c", clientRequestId: "k", method: "PUT", url: "http://127.0.0.1/x" };

const event = (name: string): ResourceEvent =>
  resourceEvent({ subscription: "s", resourceGroup: "g", name }, "write", true, 0, cause, false);

describe("a resource-group event", () => {
  it("has the published schema, with the request only for what existed", () => {
    const written = event("job");
    const id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerInstance/containerGroups/job";
    expect(written).toEqual({
      topic: "/subscriptions/s/resourceGroups/g",
      subject: id,
      eventType: "Microsoft.Resources.ResourceWriteSuccess",
      eventTime: "1970-01-01T00:00:00.0000000Z",
      id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      dataVersion: "2",
      metadataVersion: "1",
      data: {
        authorization: {
          scope: id,
          action: "Microsoft.ContainerInstance/containerGroups/write",
          evidence: { role: "Subscription Admin" },
        },
        claims: expect.any(Object) as object,
        correlationId: "c",
        resourceProvider: "Microsoft.ContainerInstance",
        resourceUri: id,
        operationName: "Microsoft.ContainerInstance/containerGroups/write",
        status: "Succeeded",
        subscriptionId: "s",
        tenantId: expect.any(String) as string,
      },
    });
    const stopped = resourceEvent(
      { subscription: "s", resourceGroup: "g", name: "job" },
      "stop/action",
      false,
      0,
      cause,
      true,
    );
    expect(stopped.eventType).toBe("Microsoft.Resources.ResourceActionFailure");
    expect(stopped.data).toMatchObject({
      status: "Failed",
      operationName: "Microsoft.ContainerInstance/containerGroups/stop/action",
      httpRequest: { clientRequestId: "k", clientIpAddress: "127.0.0.1", method: "PUT", url: "http://127.0.0.1/x" },
    });
  });
});

describe("delivery", () => {
  const deliveries = (chances: Partial<{ duplicate: number; reorder: number; delaySeconds: number }>, failures = 0) => {
    const clock = virtualClock(0);
    const got: string[] = [];
    let left = failures;
    const delivery = new Delivery({
      clock,
      random: () => 0.5,
      failed: () => undefined,
      duplicate: 0,
      reorder: 0,
      delaySeconds: 0,
      ...chances,
      destinations: [
        {
          deliver(one) {
            if (left-- > 0) return Promise.reject(new Error("not now"));
            got.push(one.subject.split("/").at(-1) ?? "");
            return Promise.resolve();
          },
        },
      ],
    });
    return { clock, got, delivery };
  };

  it("is in order and once where nothing else is asked for", async () => {
    const { delivery, got } = deliveries({});
    for (const name of ["a", "b", "c"]) delivery.publish(event(name));
    await delivery.flush();
    expect(got).toEqual(["a", "b", "c"]);
  });

  it("doubles and reorders where asked to", async () => {
    const doubled = deliveries({ duplicate: 1 });
    doubled.delivery.publish(event("a"));
    await doubled.delivery.flush();
    expect(doubled.got).toEqual(["a", "a"]);
    const swapped = deliveries({ reorder: 1 });
    for (const name of ["a", "b", "c"]) swapped.delivery.publish(event(name));
    swapped.clock.advance(1000);
    await swapped.delivery.flush();
    expect(swapped.got).toEqual(["b", "a", "c"]);
  });

  it("is late where asked to, and tries again what was not taken", async () => {
    const late = deliveries({ delaySeconds: 10 });
    late.delivery.publish(event("a"));
    late.clock.advance(4999);
    await late.delivery.flush();
    expect(late.got).toEqual([]);
    late.clock.advance(1);
    await late.delivery.flush();
    expect(late.got).toEqual(["a"]);
    const failing = deliveries({}, 2);
    failing.delivery.publish(event("a"));
    for (const wait of [0, 1000, 5000]) {
      failing.clock.advance(wait);
      await failing.delivery.flush();
      await new Promise(setImmediate);
    }
    expect(failing.got).toEqual(["a"]);
  });
});

describe("events of the service", () => {
  let azurite: Azurite;
  beforeAll(async () => {
    azurite = await startAzurite();
  }, 30_000);
  afterAll(() => azurite.stop());

  it("arrive on a storage queue as base64, for writes, deletes and actions, good and bad", async () => {
    const { connectionString } = azurite;
    const { url } = await serve({ engine: "simulated", eventQueue: { connectionString, queueName: "aci-events" } });
    await wire(url, "PUT", "containerGroups/job", definition());
    await until(
      () => wire(url, "GET", "containerGroups/job"),
      ({ body }) => JSON.stringify(body).includes('"provisioningState":"Succeeded"'),
    );
    await wire(url, "PUT", "containerGroups/job", definition({}, { osType: "none" }));
    await wire(url, "POST", "containerGroups/job/stop");
    await wire(url, "DELETE", "containerGroups/job");
    const queue = new QueueClient(connectionString, "aci-events");
    const got: ResourceEvent[] = [];
    await until(
      async () => {
        const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 32 });
        for (const { messageText } of receivedMessageItems) {
          got.push(JSON.parse(Buffer.from(messageText, "base64").toString("utf8")) as ResourceEvent);
        }
        return got.length;
      },
      (count) => count >= 4,
    );
    expect(got.map(({ eventType }) => eventType.replace("Microsoft.Resources.Resource", ""))).toEqual([
      "WriteSuccess",
      "WriteFailure",
      "ActionSuccess",
      "DeleteSuccess",
    ]);
    for (const { topic, subject } of got) {
      expect(topic).toBe(`/subscriptions/${SUBSCRIPTION}/resourceGroups/${GROUP}`);
      expect(subject).toBe(`${topic}/providers/Microsoft.ContainerInstance/containerGroups/job`);
    }
  }, 20_000);

  it("arrive at a webhook that passed the validation handshake, one in an array", async () => {
    const got: { type: string; events: ResourceEvent[] }[] = [];
    const hook = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString("utf8")));
      request.on("end", () => {
        const events = JSON.parse(body) as ResourceEvent[];
        got.push({ type: String(request.headers["aeg-event-type"]), events });
        const code = events[0]?.data["validationCode"];
        response.end(code === undefined ? "" : JSON.stringify({ validationResponse: code }));
      });
    }).listen(0, "127.0.0.1");
    onTestFinished(() => {
      hook.close();
    });
    await new Promise((resolve) => hook.once("listening", resolve));
    const { port } = hook.address() as AddressInfo;
    const { url } = await serve({ engine: "simulated", webhook: { url: `http://127.0.0.1:${port}/hook` } });
    await wire(url, "PUT", "containerGroups/job", definition());
    await until(
      () => Promise.resolve(got.length),
      (count) => count >= 2,
    );
    expect(got.map(({ type, events }) => [type, events.length, events[0]?.eventType])).toEqual([
      ["SubscriptionValidation", 1, "Microsoft.EventGrid.SubscriptionValidationEvent"],
      ["Notification", 1, "Microsoft.Resources.ResourceWriteSuccess"],
    ]);
  });
});
