import { describe, expect, it } from "vitest";
import { faultSchema } from "../../../local/aci/control/faults.ts";
import { CAUSES } from "../../../local/aci/groups/course.ts";
import { virtualClock } from "../../../local/aci/clock.ts";
import { definition, groupState, propertiesOf, serve, viewOf, wire } from "./kit.ts";
import type { Wire } from "./kit.ts";

async function troubled(effect: object, match: object = { kind: "put" }) {
  const clock = virtualClock(Date.parse("2026-01-01T00:00:00Z"));
  const { url, faults } = await serve({ engine: "simulated", clock, limits: false });
  const add = (given: object): number => faults.add(faultSchema.parse(given));
  add({ match, effect });
  const call = (method: string, path = "", body?: unknown): Promise<Wire> =>
    wire(url, method, `containerGroups/job${path}`, body);
  return {
    clock,
    call,
    add,
    put: (env: Record<string, string | number> = {}, more: object = {}) => call("PUT", "", definition(env, more)),
    get: () => call("GET"),
    list: async () => JSON.stringify((await wire(url, "GET", "containerGroups")).body),
  };
}

const text = ({ body }: Wire): string => JSON.stringify(body);

describe("what ACI was seen to do, as faults", () => {
  it("a created group is not to be seen for a while: 404 to GET, 204 to DELETE, not listed", async () => {
    const { clock, put, get, call, list } = await troubled({ type: "notVisible", seconds: 30 });
    expect((await put({ SIM_RUN_SECONDS: 10 })).status).toBe(201);
    clock.advance(29_999);
    expect((await get()).status).toBe(404);
    expect((await call("DELETE")).status).toBe(204);
    expect(await list()).not.toContain("job");
    clock.advance(1);
    expect(groupState(await get())).toBe("Succeeded");
    expect(await list()).toContain("job");
  });

  it("a group that was seen flaps", async () => {
    const { clock, put, get, add } = await troubled({ type: "stuckPending" }, { name: "other" });
    await put();
    expect((await get()).status).toBe(200);
    add({ match: { kind: "get" }, effect: { type: "notVisible", seconds: 20 }, count: 1 });
    expect((await get()).status).toBe(404);
    clock.advance(19_999);
    expect((await get()).status).toBe(404);
    clock.advance(1);
    expect((await get()).status).toBe(200);
  });

  it("the platform restarts a failed container in spite of Never, as often as asked for", async () => {
    const { clock, put, get } = await troubled({ type: "restartAnyway", times: 1 });
    await put({ SIM_RUN_SECONDS: 5, SIM_EXIT_CODE: 2 });
    clock.advance(5001);
    expect(viewOf(await get())).toMatchObject({ restartCount: 1, previousState: { exitCode: 2 } });
    expect(groupState(await get())).toBe("Running");
    clock.advance(5001);
    expect(groupState(await get())).toBe("Failed");
    expect(viewOf(await get())).toMatchObject({ restartCount: 1, currentState: { state: "Terminated", exitCode: 2 } });
  });

  it("a volume can't be mounted: the group says Running, its containers wait, the event counts", async () => {
    const { clock, put, get } = await troubled({ type: "mountFailure", seconds: 90 });
    await put({ SIM_RUN_SECONDS: 5 });
    clock.advance(65_000);
    const failing = propertiesOf(await get());
    expect(failing).toMatchObject({
      provisioningState: "Creating",
      instanceView: { state: "Running", events: [{ name: "FailedMountAzureFileVolume", count: 4 }] },
    });
    expect(viewOf(await get())).toMatchObject({ currentState: { state: "Waiting" } });
    clock.advance(35_000);
    expect(groupState(await get())).toBe("Succeeded");
  });

  it("a mount that never works fails provisioning after 30 minutes, and the group goes on trying", async () => {
    const { clock, put, get } = await troubled({ type: "mountFailure" });
    await put();
    clock.advance(31 * 60_000);
    expect(propertiesOf(await get())).toMatchObject({
      provisioningState: "Failed",
      instanceView: { state: "Running" },
    });
  });

  it("a container can't be started: it waits, the event counts, and provisioning fails", async () => {
    const { clock, put, get } = await troubled({ type: "startFailure", failAfterSeconds: 60 });
    await put();
    clock.advance(59_000);
    expect(propertiesOf(await get())).toMatchObject({
      provisioningState: "Creating",
      instanceView: { state: "Pending" },
    });
    expect(viewOf(await get())).toMatchObject({ currentState: { state: "Waiting" } });
    expect(text(await get())).toMatch(/"count":3[^}]*"name":"Failed","message":"Error: Failed to start container/);
    clock.advance(2000);
    expect(propertiesOf(await get())).toMatchObject({ provisioningState: "Failed" });
  });

  it("a container that could not be started at first runs at last", async () => {
    const { clock, put, get } = await troubled({ type: "startFailure", times: 2, message: "no" });
    await put({ SIM_RUN_SECONDS: 5 });
    clock.advance(40_000);
    expect(groupState(await get())).toBe("Succeeded");
    expect(viewOf(await get())).toMatchObject({ restartCount: 0 });
  });

  it("an exit code is not known for a while, and the group says Running", async () => {
    const { clock, put, get } = await troubled({ type: "unknownExitCode", seconds: 10 });
    await put({ SIM_RUN_SECONDS: 5, SIM_EXIT_CODE: 4 });
    clock.advance(6000);
    expect(groupState(await get())).toBe("Running");
    expect(viewOf(await get())).toMatchObject({ currentState: { state: "Terminated", exitCode: null } });
    clock.advance(9000);
    expect(groupState(await get())).toBe("Failed");
    expect(viewOf(await get())).toMatchObject({ currentState: { exitCode: 4 } });
  });

  it("an exit code is never known, though the group has ended", async () => {
    const { clock, put, get } = await troubled({ type: "unknownExitCode", groupSaysRunning: false });
    await put({ SIM_RUN_SECONDS: 5 });
    clock.advance(3_600_000);
    expect(groupState(await get())).toBe("Succeeded");
    expect(viewOf(await get())).toMatchObject({ currentState: { state: "Terminated", exitCode: null } });
  });

  it.each(CAUSES)("provisioning fails by cause: %s", async (cause) => {
    const { clock, put, get, call } = await troubled({ type: "provisioningFailure", cause });
    expect((await put()).status).toBe(201);
    clock.advance(1001);
    const failed = await get();
    expect(propertiesOf(failed)).toMatchObject({ provisioningState: "Failed" });
    const words = {
      quota: "quota 'StandardCores' exceeded in region 'westeurope'",
      capacity: "is not available in the location 'westeurope'",
      image: "Failed to pull image",
      mount: "FailedMountAzureFileVolume",
      start: "executable file not found",
      network: "network",
    };
    expect(text(failed)).toContain(words[cause]);
    expect(viewOf(failed)?.restartCount ?? 0).toBe(0);
    expect([200, 202]).toContain((await call("DELETE")).status);
    expect((await get()).status).toBe(404);
  });

  it.each([
    [{}, 7148],
    [{ exitCode: 7147 }, 7147],
    [{ exitCode: null }, null],
  ])("a Spot group is evicted some time after its PUT and runs again: %j", async (more, exitCode) => {
    const { clock, put, get } = await troubled({ type: "interrupt", reason: "Evicted", afterSeconds: 20, ...more });
    await put({ SIM_RUN_SECONDS: 60 }, { priority: "Spot" });
    clock.advance(19_000);
    expect(viewOf(await get())).toMatchObject({ restartCount: 0 });
    clock.advance(2000);
    expect(viewOf(await get())).toMatchObject({
      restartCount: 1,
      previousState: { state: "Terminated", exitCode },
      currentState: { state: "Running" },
    });
    clock.advance(61_000);
    expect(groupState(await get())).toBe("Succeeded");
  });

  it("a group is repaired for a while", async () => {
    const { clock, put, get, list } = await troubled({ type: "repairing", seconds: 60 });
    await put();
    expect(propertiesOf(await get())).toMatchObject({ provisioningState: "Repairing" });
    expect(await list()).toContain("Repairing");
    clock.advance(60_000);
    expect(propertiesOf(await get())).toMatchObject({ provisioningState: "Succeeded" });
  });

  it("a lock refuses the DELETE and lets stop pass; a read-only one refuses both", async () => {
    const { clock, put, get, call } = await troubled({ type: "locked" }, { name: "job" });
    await put();
    clock.advance(1);
    expect(await call("DELETE")).toMatchObject({ status: 409, body: { error: { code: "ScopeLocked" } } });
    expect((await call("POST", "/stop")).status).toBe(204);
    expect(groupState(await get())).toBe("Stopped");
    const readOnly = await troubled({ type: "locked", level: "ReadOnly" }, {});
    expect(await readOnly.put()).toMatchObject({ status: 409, body: { error: { code: "ScopeLocked" } } });
    expect((await readOnly.call("POST", "/stop")).status).toBe(409);
    expect((await readOnly.get()).status).toBe(404);
  });

  it("a DELETE comes too early, and the answer says when to come again", async () => {
    const { put, call } = await troubled({ type: "transitioning", retryAfter: 12 }, { kind: "delete" });
    await put();
    const refused = await call("DELETE");
    expect(refused).toMatchObject({ status: 409, body: { error: { code: "ContainerGroupTransitioning" } } });
    expect(refused.headers.get("retry-after")).toBe("12");
  });

  it.each([
    ["ResourceGroupNotFound", 404],
    ["SubscriptionNotFound", 404],
    ["MissingSubscriptionRegistration", 409],
    ["RequestDisallowedByPolicy", 403],
    ["SubnetIsFull", 400],
    ["InternalServerError", 500],
    ["NeverHeardOf", 500],
  ])("a refusal is named by its code alone: %s is a %i", async (code, status) => {
    const { put } = await troubled({ type: "status", code });
    expect(await put()).toMatchObject({ status, body: { error: { code } } });
  });
});
