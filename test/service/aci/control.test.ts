import { describe, expect, it } from "vitest";
import { virtualClock } from "../../../local/aci/clock.ts";
import { definition, GROUP, groupState, propertiesOf, serve, SUBSCRIPTION, viewOf, wire } from "./kit.ts";
import type { Wire } from "./kit.ts";

const key = (name: string): string => `${SUBSCRIPTION}/${GROUP}/${name}`;

async function controlled() {
  const clock = virtualClock(Date.parse("2026-01-01T00:00:00Z"));
  const { url } = await serve({ engine: "simulated", clock, control: true, limits: false });
  const call = (method: string, path: string, body?: unknown): Promise<Wire> => wire(url, method, path, body);
  return {
    clock,
    url,
    call,
    fault: async (fault: object): Promise<void> => {
      expect((await call("POST", "/local/faults", fault)).status).toBe(201);
    },
    put: (name: string, body: unknown = definition()): Promise<Wire> => call("PUT", `containerGroups/${name}`, body),
    get: (name: string): Promise<Wire> => call("GET", `containerGroups/${name}`),
  };
}

describe("faults on demand", () => {
  it.each([
    [{ type: "status", status: 429, retryAfter: 7 }, 429, "TooManyRequests"],
    [{ type: "transitioning" }, 409, "ContainerGroupTransitioning"],
    [{ type: "status", status: 500 }, 500, "InternalServerError"],
    [{ type: "status", status: 502 }, 502, "BadGateway"],
    [{ type: "status", status: 503, code: "ServiceUnavailable" }, 503, "ServiceUnavailable"],
  ])("%j instead of the work, as often as asked for", async (effect, status, code) => {
    const { fault, put, get } = await controlled();
    await fault({ match: { kind: "put" }, effect, count: 1 });
    const refused = await put("job");
    expect(refused).toMatchObject({ status, body: { error: { code } } });
    if (status === 429) expect(refused.headers.get("retry-after")).toBe("7");
    expect((await get("job")).status).toBe(404);
    expect((await put("job")).status).toBe(201);
  });

  it("strike by method, kind and name", async () => {
    const { fault, put, get } = await controlled();
    await fault({ match: { method: "PUT", name: "^bad-" }, effect: { type: "status", status: 500 } });
    expect((await put("bad-1")).status).toBe(500);
    expect((await put("good")).status).toBe(201);
    expect((await get("bad-1")).status).toBe(404);
  });

  it("cut the connection before and after the work was done", async () => {
    const { fault, put, get } = await controlled();
    await fault({ match: { kind: "put" }, effect: { type: "drop", when: "before" }, count: 1 });
    await expect(put("job")).rejects.toThrow();
    expect((await get("job")).status).toBe(404);
    await fault({ match: { kind: "put" }, effect: { type: "drop", when: "after" }, count: 1 });
    await expect(put("job")).rejects.toThrow();
    expect((await get("job")).status).toBe(200);
  });

  it("never answer", async () => {
    const { fault, url } = await controlled();
    await fault({ match: { kind: "list" }, effect: { type: "silence" } });
    const path =
      "/subscriptions/s/resourceGroups/r/providers/Microsoft.ContainerInstance/containerGroups?api-version=2023-05-01";
    const error: unknown = await fetch(url + path, { signal: AbortSignal.timeout(100) }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ name: "TimeoutError" });
  });

  it("answer late, by the service's clock", async () => {
    const { fault, put, get, clock } = await controlled();
    await put("job");
    await fault({ match: { kind: "get" }, effect: { type: "slow", seconds: 30 } });
    let answered = false;
    const reply = get("job").then(() => (answered = true));
    await put("other");
    expect(answered).toBe(false);
    clock.advance(30_000);
    await reply;
  });

  it("answer with what is no JSON", async () => {
    const { fault, put } = await controlled();
    await fault({ match: { kind: "put" }, effect: { type: "notJson" } });
    await expect(put("job")).rejects.toThrow(SyntaxError);
  });

  it("leave a group in Pending, until its 30 minutes are over", async () => {
    const { fault, put, get, clock } = await controlled();
    await fault({ match: { kind: "put" }, effect: { type: "stuckPending" } });
    await put("job");
    clock.advance(29 * 60_000);
    expect(propertiesOf(await get("job"))).toMatchObject({ provisioningState: "Pending" });
    clock.advance(2 * 60_000);
    expect(propertiesOf(await get("job"))).toMatchObject({
      provisioningState: "Failed",
      instanceView: { state: "Pending" },
    });
  });

  it("let a group vanish after a call, or without one", async () => {
    const { fault, put, get, call } = await controlled();
    await fault({ match: { kind: "get" }, effect: { type: "vanish" }, count: 1 });
    await put("job");
    expect((await get("job")).status).toBe(200);
    expect((await get("job")).status).toBe(404);
    await put("job");
    expect((await call("POST", "/local/groups/job/vanish")).status).toBe(204);
    expect((await get("job")).status).toBe(404);
  });

  it("evict a Spot group, which then runs again", async () => {
    const { put, get, call, clock } = await controlled();
    await put("job", definition({}, { priority: "Spot" }));
    clock.advance(5000);
    await call("POST", "/local/groups/job/interrupt", { reason: "Evicted" });
    clock.advance(1);
    const again = await get("job");
    expect(groupState(again)).toBe("Running");
    expect(viewOf(again)).toMatchObject({
      restartCount: 1,
      previousState: { exitCode: 7148 },
      currentState: { state: "Running" },
    });
  });

  it("report times that are off, states never heard of, and the end of a log only", async () => {
    const { fault, put, get, call, clock } = await controlled();
    await put("job", definition({ SIM_OUTPUT: "0123456789" }));
    clock.advance(1);
    await fault({ match: { kind: "get" }, effect: { type: "clockSkew", seconds: -3600 }, count: 1 });
    expect(JSON.stringify((await get("job")).body)).toContain('"startTime":"2025-12-31T23:00:00.000Z"');
    const states = { provisioningState: "Dreaming", groupState: "Asleep", containerState: "Snoring" };
    await fault({ match: { kind: "get" }, effect: { type: "unknownState", ...states }, count: 1 });
    expect(propertiesOf(await get("job"))).toMatchObject({
      provisioningState: "Dreaming",
      instanceView: { state: "Asleep" },
      containers: [{ properties: { instanceView: { currentState: { state: "Snoring" } } } }],
    });
    await fault({ match: { kind: "logs" }, effect: { type: "truncateLog", bytes: 3 } });
    expect((await call("GET", "containerGroups/job/containers/app/logs")).body).toEqual({ content: "789" });
  });

  it("can be seen and taken back; a wrong one is refused", async () => {
    const { fault, call, put } = await controlled();
    await fault({ effect: { type: "status", status: 500 } });
    expect((await call("GET", "/local/faults")).body).toHaveLength(1);
    expect((await call("DELETE", "/local/faults")).status).toBe(204);
    expect((await put("job")).status).toBe(201);
    expect((await call("POST", "/local/faults", { effect: { type: "earthquake" } })).status).toBe(400);
  });
});

describe("the control endpoint", () => {
  it("is not there unless asked for", async () => {
    const { url } = await serve({ engine: "simulated" });
    expect((await wire(url, "GET", "/local/counters")).status).toBe(404);
  });

  it("counts calls, deployments and live groups, by tag", async () => {
    const { put, call, clock } = await controlled();
    const tagged = (seconds: number): object => ({ ...definition({ SIM_RUN_SECONDS: seconds }), tags: { job: "j1" } });
    await put("one", tagged(10));
    await put("two", tagged(20));
    clock.advance(11_000);
    await put("one", tagged(10));
    await call("GET", "containerGroups");
    expect((await call("GET", "/local/counters?tag=job")).body).toMatchObject({
      calls: { put: 3, list: 1 },
      statuses: { "put 201": 2, "put 200": 1 },
      liveGroups: 2,
      mostLiveGroups: 2,
      liveByTag: { "job=j1": { now: 2, most: 2 } },
    });
    expect((await call("GET", "/local/counters")).body).toMatchObject({
      putsByGroup: { [key("one")]: 2, [key("two")]: 1 },
      deploymentsByGroup: { [key("one")]: 2, [key("two")]: 1 },
    });
  });

  it("moves the clock and resets everything", async () => {
    const { put, get, call } = await controlled();
    await put("job", definition({ SIM_RUN_SECONDS: 60 }));
    expect((await call("POST", "/local/clock", { seconds: 61 })).body).toEqual({ now: "2026-01-01T00:01:01.000Z" });
    expect(propertiesOf(await get("job"))).toMatchObject({ instanceView: { state: "Succeeded" } });
    await call("POST", "/local/reset");
    expect((await get("job")).status).toBe(404);
    expect((await call("GET", "/local/counters")).body).toMatchObject({ liveGroups: 0, calls: { get: 1 } });
  });

  it("sets limits while it runs", async () => {
    const { put, call } = await controlled();
    await call("PUT", "/local/limits", { limits: { quota: { groups: 1, cores: 100 } } });
    expect((await put("one")).status).toBe(201);
    expect(await put("two")).toMatchObject({ status: 409, body: { error: { code: "ContainerGroupQuotaReached" } } });
    await call("PUT", "/local/limits", { limits: false });
    expect((await put("two")).status).toBe(201);
  });
});
