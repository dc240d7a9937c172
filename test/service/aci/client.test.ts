import type { ContainerGroup } from "@azure/arm-containerinstance";
import { isRestError } from "@azure/core-rest-pipeline";
import type { RestError } from "@azure/core-rest-pipeline";
import { describe, expect, it } from "vitest";
import { virtualClock } from "../../../local/aci/clock.ts";
import type { Clock } from "../../../local/aci/clock.ts";
import { armClient, GROUP, serve, wire } from "./kit.ts";

/**
 * Conformance: every container-group operation of the official client (@azure/arm-containerinstance 9.1.0), driven against the
 * simulated engine. DIFFERENCES.md lists the operations.
 */
const START = Date.parse("2026-01-01T00:00:00Z");

const group = (env: Record<string, string> = {}, more: Partial<ContainerGroup> = {}): ContainerGroup => ({
  location: "westeurope",
  osType: "Linux",
  restartPolicy: "Never",
  containers: [
    {
      name: "app",
      image: "registry.example/team/job:1",
      resources: { requests: { cpu: 1, memoryInGB: 1.5 } },
      environmentVariables: Object.entries(env).map(([name, value]) => ({ name, value })),
    },
  ],
  ...more,
});

async function setUp(): Promise<{ client: ReturnType<typeof armClient>; clock: Clock; url: string }> {
  const clock = virtualClock(START);
  const { url } = await serve({ engine: "simulated", clock, pollSeconds: 0 });
  return { client: armClient(url), clock, url };
}

const quick = { updateIntervalInMs: 1 };

async function errorOf(call: Promise<unknown>): Promise<RestError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (isRestError(error)) return error;
  throw new Error(`Expected a RestError, got ${String(error)}`);
}

describe("containerGroups of the official client", () => {
  it("beginCreateOrUpdateAndWait resolves with the running group", async () => {
    const { client } = await setUp();
    const created = await client.containerGroups.beginCreateOrUpdateAndWait(GROUP, "Job-1", group(), quick);
    expect(created).toMatchObject({
      id: `/subscriptions/${client.subscriptionId}/resourceGroups/${GROUP}/providers/Microsoft.ContainerInstance/containerGroups/Job-1`,
      name: "Job-1",
      type: "Microsoft.ContainerInstance/containerGroups",
      provisioningState: "Succeeded",
      instanceView: { state: "Running" },
    });
    expect(created.containers[0]?.instanceView).toMatchObject({
      restartCount: 0,
      currentState: { state: "Running", startTime: new Date(START) },
    });
    expect(created.containers[0]?.instanceView?.events?.map(({ name }) => name)).toEqual([
      "Pulling",
      "Pulled",
      "Created",
      "Started",
    ]);
  });

  it("get shows how containers ended", async () => {
    const { client, clock } = await setUp();
    const env = { SIM_RUN_SECONDS: "60", SIM_EXIT_CODE: "3" };
    await client.containerGroups.beginCreateOrUpdateAndWait(GROUP, "job", group(env), quick);
    clock.advance(61_000);
    const ended = await client.containerGroups.get(GROUP, "JOB");
    expect(ended.name).toBe("job");
    expect(ended.instanceView?.state).toBe("Failed");
    expect(ended.provisioningState).toBe("Succeeded");
    expect(ended.containers[0]?.instanceView?.currentState).toEqual({
      state: "Terminated",
      startTime: new Date(START),
      finishTime: new Date(START + 60_000),
      exitCode: 3,
      detailStatus: "Error",
    });
  });

  it("get of an unknown group is 404 ResourceNotFound", async () => {
    const { client } = await setUp();
    expect(await errorOf(client.containerGroups.get(GROUP, "none"))).toMatchObject({
      statusCode: 404,
      code: "ResourceNotFound",
    });
  });

  it("listByResourceGroup and list follow the pages and carry no instance view", async () => {
    const clock = virtualClock(START);
    const { url } = await serve({ engine: "simulated", clock, pageSize: 2 });
    const client = armClient(url);
    for (const name of ["a", "b", "c", "d", "e"]) {
      await client.containerGroups.beginCreateOrUpdate(GROUP, name, group({}, { tags: { which: name } }), quick);
    }
    await client.containerGroups.beginCreateOrUpdate("other", "f", group(), quick);
    const listed: ContainerGroup[] = [];
    for await (const one of client.containerGroups.listByResourceGroup(GROUP)) listed.push(one);
    expect(listed.map(({ name, tags }) => [name, tags?.["which"]])).toEqual(
      ["a", "b", "c", "d", "e"].map((n) => [n, n]),
    );
    for (const one of listed) {
      expect(one.provisioningState).toBeDefined();
      expect(one.instanceView).toBeUndefined();
      expect(one.containers[0]?.instanceView).toBeUndefined();
    }
    let all = 0;
    for await (const one of client.containerGroups.list()) all += one.name === undefined ? 0 : 1;
    expect(all).toBe(6);
  });

  it("update changes tags only", async () => {
    const { client } = await setUp();
    await client.containerGroups.beginCreateOrUpdateAndWait(GROUP, "job", group({}, { tags: { a: "1" } }), quick);
    const updated = await client.containerGroups.update(GROUP, "job", { tags: { b: "2" } });
    expect(updated.tags).toEqual({ b: "2" });
    expect(updated.containers[0]?.instanceView?.currentState?.state).toBe("Running");
  });

  it("beginDeleteAndWait takes the group away; once more is no error", async () => {
    const { client } = await setUp();
    await client.containerGroups.beginCreateOrUpdateAndWait(GROUP, "job", group(), quick);
    await client.containerGroups.beginDeleteAndWait(GROUP, "job", quick);
    expect((await errorOf(client.containerGroups.get(GROUP, "job"))).statusCode).toBe(404);
    await client.containerGroups.beginDeleteAndWait(GROUP, "job", quick);
  });

  it("stop, beginStartAndWait and beginRestartAndWait move the group", async () => {
    const { client, clock } = await setUp();
    await client.containerGroups.beginCreateOrUpdateAndWait(GROUP, "job", group(), quick);
    await client.containerGroups.stop(GROUP, "job");
    const stopped = await client.containerGroups.get(GROUP, "job");
    expect(stopped.instanceView?.state).toBe("Stopped");
    expect(stopped.containers[0]?.instanceView?.events?.map(({ name }) => name)).toContain("Killing");
    clock.advance(5000);
    await client.containerGroups.beginStartAndWait(GROUP, "job", quick);
    const started = await client.containerGroups.get(GROUP, "job");
    expect(started.instanceView?.state).toBe("Running");
    expect(started.containers[0]?.instanceView?.currentState?.startTime).toEqual(new Date(START + 5000));
    clock.advance(5000);
    await client.containerGroups.beginRestartAndWait(GROUP, "job", quick);
    clock.settle();
    const restarted = await client.containerGroups.get(GROUP, "job");
    expect(restarted.containers[0]?.instanceView?.currentState?.startTime).toEqual(new Date(START + 10_000));
  });

  it("getOutboundNetworkDependenciesEndpoints is an empty list", async () => {
    const { client } = await setUp();
    await client.containerGroups.beginCreateOrUpdateAndWait(GROUP, "job", group(), quick);
    expect(await client.containerGroups.getOutboundNetworkDependenciesEndpoints(GROUP, "job")).toEqual([]);
  });
});

describe("containers of the official client", () => {
  it("listLogs gives the output, its tail, and times", async () => {
    const { client } = await setUp();
    await client.containerGroups.beginCreateOrUpdateAndWait(GROUP, "job", group({ SIM_OUTPUT: "one\ntwo\n" }), quick);
    expect((await client.containers.listLogs(GROUP, "job", "app")).content).toBe("one\ntwo\n");
    expect((await client.containers.listLogs(GROUP, "job", "app", { tail: 1, timestamps: true })).content).toBe(
      "2026-01-01T00:00:00.000000000Z two\n",
    );
  });

  it("listLogs of what has not started is 404 ContainerLogNotAvailable", async () => {
    const { client } = await setUp();
    const env = { SIM_START_SECONDS: "100" };
    await client.containerGroups.beginCreateOrUpdate(GROUP, "job", group(env), quick);
    expect(await errorOf(client.containers.listLogs(GROUP, "job", "app"))).toMatchObject({
      statusCode: 404,
      code: "ContainerLogNotAvailable",
    });
  });

  it.each(["exec", "attach"] as const)("%s is 501 NotImplemented, by name", async (operation) => {
    const { client } = await setUp();
    await client.containerGroups.beginCreateOrUpdateAndWait(GROUP, "job", group(), quick);
    const call =
      operation === "exec"
        ? client.containers.executeCommand(GROUP, "job", "app", { command: "/bin/sh" })
        : client.containers.attach(GROUP, "job", "app");
    const error = await errorOf(call);
    expect(error).toMatchObject({ statusCode: 501, code: "NotImplemented" });
    expect(error.message).toContain(`containers/${operation}`);
  });
});

describe("location and operations of the official client", () => {
  it("listUsage counts groups and cores of the region", async () => {
    const { client } = await setUp();
    await client.containerGroups.beginCreateOrUpdate(GROUP, "job", group(), quick);
    const usages: [string | undefined, number | undefined, number | undefined][] = [];
    for await (const { name, currentValue, limit } of client.location.listUsage("West Europe")) {
      usages.push([name?.value, currentValue, limit]);
    }
    expect(usages).toEqual([
      ["ContainerGroups", 1, 100],
      ["StandardCores", 1, 100],
    ]);
  });

  it("listCapabilities, listCachedImages and operations.list answer", async () => {
    const { client } = await setUp();
    const seen = { capabilities: 0, images: 0, operations: 0 };
    for await (const one of client.location.listCapabilities("westeurope")) seen.capabilities += one.location ? 1 : 0;
    for await (const one of client.location.listCachedImages("westeurope")) seen.images += one.image ? 1 : 0;
    for await (const one of client.operations.list()) seen.operations += one.name ? 1 : 0;
    expect(seen).toEqual({ capabilities: 2, images: 0, operations: 7 });
  });

  it("what is not emulated is 501, by name", async () => {
    const { url } = await setUp();
    const reply = await wire(url, "GET", "containerGroupProfiles/p");
    expect(reply).toMatchObject({ status: 501, body: { error: { code: "NotImplemented" } } });
    expect(JSON.stringify(reply.body)).toContain("containerGroupProfiles");
  });
});
