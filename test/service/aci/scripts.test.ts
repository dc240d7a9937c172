import { describe, expect, it } from "vitest";
import { trialFaults } from "../../../local/aci/control/faults.ts";
import { virtualClock } from "../../../local/aci/clock.ts";
import { container, definition, GROUP, groupState, propertiesOf, serve, SUBSCRIPTION, viewOf, wire } from "./kit.ts";
import type { Wire } from "./kit.ts";

const START = Date.parse("2026-01-01T00:00:00Z");

async function playing(script: readonly object[]) {
  const clock = virtualClock(START);
  const { url } = await serve({ engine: "simulated", clock, control: true, limits: false });
  const call = (method: string, path: string, body?: unknown): Promise<Wire> => wire(url, method, path, body);
  const effect = { type: "script", script };
  expect((await call("POST", "/local/faults", { match: { name: "^job$" }, effect })).status).toBe(201);
  const group = "containerGroups/job";
  return {
    clock,
    call,
    put: (body: unknown = definition()) => call("PUT", group, body),
    get: () => call("GET", group),
    remove: () => call("DELETE", group),
    names: async () => JSON.stringify((await call("GET", "containerGroups")).body),
  };
}

const running = (after: number): object => ({
  after,
  state: "Running",
  containers: [{ restartCount: 0, currentState: { state: "Running", startTime: "@1" } }],
});
const ended = (after: number, exitCode: number | null, state = exitCode === 0 ? "Succeeded" : "Failed"): object => ({
  after,
  state,
  containers: [{ restartCount: 0, currentState: { state: "Terminated", startTime: "@1", finishTime: "@3", exitCode } }],
});

describe("a scripted group", () => {
  it("shows each view from its second on, with times that count from the PUT", async () => {
    const { clock, put, get } = await playing([running(0), ended(4, null, "Running"), ended(14, 5)]);
    clock.advance(1000);
    expect((await put()).status).toBe(201);
    expect(viewOf(await get())).toMatchObject({
      currentState: { state: "Running", startTime: "2026-01-01T00:00:02.000Z" },
    });
    clock.advance(3999);
    expect(groupState(await get())).toBe("Running");
    expect(viewOf(await get())).toMatchObject({ currentState: { state: "Running" } });
    clock.advance(1);
    expect(viewOf(await get())).toMatchObject({
      currentState: { state: "Terminated", finishTime: "2026-01-01T00:00:04.000Z", exitCode: null },
    });
    clock.advance(10_000);
    expect(groupState(await get())).toBe("Failed");
    expect(viewOf(await get())).toMatchObject({ currentState: { exitCode: 5 } });
    expect(propertiesOf(await get())).toMatchObject({ provisioningState: "Succeeded", restartPolicy: "Never" });
  });

  it("is being created until its first view", async () => {
    const { put, get } = await playing([running(5)]);
    await put();
    expect(propertiesOf(await get())).toMatchObject({
      provisioningState: "Creating",
      instanceView: { state: "Pending" },
    });
    expect(viewOf(await get())).toBeUndefined();
  });

  it("is neither listed nor deleted while GET says 404, and keeps what tags and definition it has", async () => {
    const { clock, put, get, remove, names, call } = await playing([
      { after: 0, status: 404, code: "ResourceNotFound" },
      running(25),
    ]);
    await put({ ...definition(), tags: { mine: "yes" } });
    expect(await get()).toMatchObject({ status: 404, body: { error: { code: "ResourceNotFound" } } });
    expect((await remove()).status).toBe(204);
    expect(await names()).not.toContain("job");
    expect((await call("POST", "containerGroups/job/stop")).status).toBe(404);
    clock.advance(25_000);
    expect(await get()).toMatchObject({ status: 200, body: { tags: { mine: "yes" } } });
    expect(await names()).toContain('"mine":"yes"');
    expect((await remove()).status).toBe(202);
    expect((await get()).status).toBe(404);
  });

  it("is answered 202 on DELETE while it runs, and 200 with the group once it has ended", async () => {
    const { clock, put, get, remove } = await playing([running(0), ended(3, 0)]);
    await put();
    clock.advance(1);
    expect((await remove()).status).toBe(202);
    expect((await get()).status).toBe(404);
    await put();
    clock.advance(3000);
    expect(await remove()).toMatchObject({ status: 200, body: { name: "job" } });
    expect((await remove()).status).toBe(204);
  });

  it("begins anew with the next PUT, whose views may be others; a PUT without any ends well after a second", async () => {
    const failed = { put: 1, after: 0, provisioningState: "Failed", state: "Failed", containers: [null] };
    const { clock, put, get, remove } = await playing([failed, { ...running(0), put: 2 }]);
    const two = definition({}, { containers: [container("a"), container("b")] });
    await put(two);
    expect(propertiesOf(await get())).toMatchObject({ provisioningState: "Failed", instanceView: { state: "Failed" } });
    expect(viewOf(await get())).toBeUndefined();
    await remove();
    await put(two);
    clock.advance(60_000);
    expect(groupState(await get())).toBe("Running");
    await remove();
    await put(two);
    expect(groupState(await get())).toBe("Running");
    clock.advance(1000);
    expect(groupState(await get())).toBe("Succeeded");
    expect(viewOf(await get(), 1)).toMatchObject({ currentState: { exitCode: 0 } });
  });

  it("shows whatever is written: no containers, no instance view, null counts, unheard words, the year 1", async () => {
    const { clock, put, get } = await playing([
      { after: 0, state: "Floating", provisioningState: "Dreaming", containers: [] },
      {
        after: 1,
        containers: [{ restartCount: null, currentState: { state: "Hovering", startTime: "0001-01-01T00:00:00" } }],
      },
    ]);
    await put();
    expect(propertiesOf(await get())).toMatchObject({
      provisioningState: "Dreaming",
      containers: [],
      instanceView: { state: "Floating" },
    });
    clock.advance(1000);
    const { body } = await get();
    expect(JSON.stringify(body)).toContain('"restartCount":null');
    expect(JSON.stringify(body)).toContain('"startTime":"0001-01-01T00:00:00"');
    expect(body).not.toHaveProperty("properties.instanceView");
  });

  it("says Stopped from a stop on, and what ran is killed", async () => {
    const { clock, put, get, call } = await playing([running(0), ended(60, 0)]);
    await put();
    clock.advance(5000);
    expect((await call("POST", "containerGroups/job/stop")).status).toBe(204);
    clock.advance(600_000);
    expect(groupState(await get())).toBe("Stopped");
    expect(viewOf(await get())).toMatchObject({ currentState: { state: "Terminated", exitCode: 137 } });
  });

  it("has an empty log from its start on", async () => {
    const { clock, put, call } = await playing([{ after: 0, state: "Pending", containers: [null] }, running(5)]);
    await put();
    const log = () => call("GET", "containerGroups/job/containers/app/logs");
    expect((await log()).status).toBe(404);
    clock.advance(5000);
    expect(await log()).toMatchObject({ status: 200, body: { content: "" } });
  });

  it.each([
    [404, "ResourceGroupNotFound", 404],
    [404, "SubscriptionNotFound", 404],
    [403, "AuthorizationFailed", 202],
    [503, "ServiceUnavailable", 202],
  ])("whose view is %i %s answers a GET so, and a DELETE %i", async (status, code, deleted) => {
    const { put, get, remove } = await playing([{ after: 0, status, code, text: "Scripted." }]);
    await put();
    expect(await get()).toMatchObject({ status, body: { error: { code, message: "Scripted." } } });
    expect((await remove()).status).toBe(deleted);
  });

  it("counts each PUT that came, whatever it was answered", async () => {
    const { call, put } = await playing([running(0)]);
    for (const fault of trialFaults({ other: { fault: { status: 409, code: "X", text: "Y" } } })) {
      await call("POST", "/local/faults", fault);
    }
    await put();
    expect(await call("PUT", "containerGroups/other", definition())).toMatchObject({
      status: 409,
      body: { error: { code: "X", message: "Y" } },
    });
    const key = (name: string): string => `${SUBSCRIPTION}/${GROUP}/${name}`;
    expect((await call("GET", "/local/counters")).body).toMatchObject({
      putCallsByGroup: { [key("job")]: 1, [key("other")]: 1 },
      putsByGroup: { [key("job")]: 1 },
    });
  });
});
