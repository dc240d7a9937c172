import { describe, expect, it } from "vitest";
import { virtualClock } from "../../../local/aci/clock.ts";
import { container, definition, GROUP, propertiesOf, serve, SUBSCRIPTION, wire } from "./kit.ts";
import type { Wire } from "./kit.ts";

const LIST = `/subscriptions/${SUBSCRIPTION}/resourceGroups/${GROUP}/providers/Microsoft.ContainerInstance/containerGroups`;

async function simulated() {
  const clock = virtualClock(Date.parse("2026-01-01T00:00:00Z"));
  const { url } = await serve({ engine: "simulated", clock, limits: false });
  return {
    clock,
    url,
    put: (name: string, body: unknown): Promise<Wire> => wire(url, "PUT", `containerGroups/${name}`, body),
    get: (name: string): Promise<Wire> => wire(url, "GET", `containerGroups/${name}`),
    call: (method: string, path: string, body?: unknown): Promise<Wire> => wire(url, method, path, body),
  };
}

describe("api-version", () => {
  it.each([
    ["", "MissingApiVersionParameter"],
    ["?api-version=", "MissingApiVersionParameter"],
    ["?api-version=latest", "InvalidApiVersionParameter"],
    ["?api-version=2023-03-15", "NoRegisteredProviderFound"],
  ])("%j is a 400 %s", async (query, code) => {
    const { url } = await simulated();
    const reply = await fetch(`${url}${LIST}${query}`);
    expect([reply.status, await reply.json()]).toMatchObject([400, { error: { code } }]);
  });

  it.each(["2018-10-01", "2023-05-01", "2026-07-01", "2024-05-01-PREVIEW"])("%s is taken", async (version) => {
    const { url } = await simulated();
    expect((await fetch(`${url}${LIST}?api-version=${version}`)).status).toBe(200);
  });
});

describe("replies", () => {
  it("carry request ids, the caller's correlation id, and what is left of the limits", async () => {
    const { url } = await serve({ engine: "simulated", clock: virtualClock(0) });
    const reply = await fetch(`${url}${LIST}?api-version=2023-05-01`, {
      headers: { "x-ms-correlation-request-id": "corr-1", authorization: "Bearer anything" },
    });
    expect(reply.headers.get("x-ms-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(reply.headers.get("x-ms-correlation-request-id")).toBe("corr-1");
    expect(reply.headers.get("x-ms-ratelimit-remaining-subscription-reads")).toBe("249");
  });

  it("to a path that nothing answers, and to a body that is no JSON, are ARM's errors", async () => {
    const { call } = await simulated();
    expect(await call("GET", "/subscriptions/s/resourceGroups/r/providers/Microsoft.Web/sites/x")).toMatchObject({
      status: 404,
      body: { error: { code: "InvalidResourceType" } },
    });
    for (const body of ["{", "[]", "7", ""]) {
      expect(await call("PUT", "containerGroups/job", body)).toMatchObject({
        status: 400,
        body: { error: { code: "InvalidRequestContent" } },
      });
    }
  });
});

describe("a resource group and subscription", () => {
  it("exist whatever their name, unless they are named", async () => {
    const open = await simulated();
    expect(await open.call("GET", `/subscriptions/any/resourceGroups/Some-RG`)).toMatchObject({
      status: 200,
      body: { name: "Some-RG", location: "westeurope", type: "Microsoft.Resources/resourceGroups" },
    });
    const { url } = await serve({ engine: "simulated", subscriptions: [SUBSCRIPTION], resourceGroups: ["RG-Test"] });
    expect((await wire(url, "GET", "containerGroups")).status).toBe(200);
    expect(await wire(url, "GET", `/subscriptions/${SUBSCRIPTION}/resourceGroups/other`)).toMatchObject({
      status: 404,
      body: { error: { code: "ResourceGroupNotFound" } },
    });
    expect(await wire(url, "GET", "/subscriptions/other/resourceGroups/rg-test")).toMatchObject({
      status: 404,
      body: { error: { code: "SubscriptionNotFound" } },
    });
  });
});

describe("PUT", () => {
  it("answers 201 Pending with the operation's links, and the operation follows the group", async () => {
    const { put, call, clock } = await simulated();
    const reply = await put("Job", definition({ SIM_START_SECONDS: 20 }));
    expect(reply.status).toBe(201);
    expect(reply.body).toMatchObject({
      name: "Job",
      properties: { provisioningState: "Pending", instanceView: { events: [], state: "Pending" }, initContainers: [] },
    });
    expect(reply.headers.get("retry-after")).toBe("1");
    expect(reply.headers.get("location")).toContain("/operationResults/");
    const operation = new URL(reply.headers.get("azure-asyncoperation") ?? "");
    expect(operation.pathname).toBe(
      `/subscriptions/${SUBSCRIPTION}/providers/Microsoft.ContainerInstance/locations/westeurope/operations/${reply.headers.get("x-ms-request-id") ?? ""}`,
    );
    const poll = () => call("GET", operation.pathname + operation.search);
    clock.advance(1000);
    expect((await poll()).body).toMatchObject({
      status: "Creating",
      id: expect.stringContaining("/containerGroups/Job") as string,
    });
    clock.advance(20_000);
    const done = await poll();
    expect(done.body).toMatchObject({ status: "Succeeded" });
    expect(JSON.stringify(done.body)).toContain("Started container app");
  });

  it("refuses a foreign member of the envelope, another name or type, and no location", async () => {
    const { put } = await simulated();
    const refusals: [object, string][] = [
      [{ ...definition(), apiVersion: "2021-10-01" }, "InvalidRequestContent"],
      [{ ...definition(), ipAddress: {} }, "InvalidRequestContent"],
      [{ ...definition(), name: "another" }, "MismatchingResourceName"],
      [{ ...definition(), type: "Microsoft.Web/sites" }, "MismatchingResourceType"],
      [{ ...definition(), location: null }, "LocationRequired"],
      [definition({}, { osType: null }), "InvalidOsType"],
      [definition({}, { containers: "all" }), "InvalidRequestContent"],
    ];
    for (const [body, code] of refusals) {
      expect(await put("job", body)).toMatchObject({ status: 400, body: { error: { code } } });
    }
    expect(
      (await put("job", { ...definition(), name: "JOB", type: "microsoft.containerinstance/containergroups" })).status,
    ).toBe(201);
  });

  it("never shows a secret", async () => {
    const { put, get, call, clock } = await simulated();
    const body = definition(
      {},
      {
        containers: [
          container("app", {}, { environmentVariables: [{ name: "S", secureValue: "hush-1" }], volumeMounts: [] }),
        ],
        imageRegistryCredentials: [{ server: "r.azurecr.io", username: "u", password: "hush-2" }],
        volumes: [
          { name: "files", secret: { one: Buffer.from("hush-3").toString("base64") } },
          { name: "share", azureFile: { shareName: "s", storageAccountName: "n", storageAccountKey: "hush-4" } },
        ],
      },
    );
    const replies = [await put("job", body)];
    clock.advance(1);
    replies.push(
      await get("job"),
      await call("GET", "containerGroups"),
      await call("PATCH", "containerGroups/job", { tags: {} }),
    );
    const text = JSON.stringify(replies.map((reply) => reply.body));
    expect(text).not.toMatch(/hush|aHVzaC0z/);
    expect(text).toContain('"username":"u"');
  });

  it("keeps the casing of the first request, whoever asks how", async () => {
    const { put, call, clock } = await simulated();
    await put("MyJob", definition());
    clock.advance(1);
    const asked = await call(
      "GET",
      `/SUBSCRIPTIONS/${SUBSCRIPTION}/RESOURCEGROUPS/RG-TEST/providers/microsoft.containerinstance/CONTAINERGROUPS/myjob`,
    );
    expect(asked.body).toMatchObject({
      name: "MyJob",
      id: `/subscriptions/${SUBSCRIPTION}/resourceGroups/${GROUP}/providers/Microsoft.ContainerInstance/containerGroups/MyJob`,
    });
  });
});

describe("PUT on a group that is there", () => {
  it("while it is transitioning is 409 ContainerGroupTransitioning", async () => {
    const { put } = await simulated();
    await put("job", definition({ SIM_START_SECONDS: 5 }));
    expect(await put("job", definition())).toMatchObject({
      status: 409,
      body: { error: { code: "ContainerGroupTransitioning" } },
    });
  });

  it("that runs changes nothing where nothing differs", async () => {
    const { put, get, clock } = await simulated();
    await put("job", definition());
    clock.advance(1000);
    const again = await put("job", definition());
    expect(again.status).toBe(200);
    expect(again.headers.get("azure-asyncoperation")).toBeNull();
    expect(propertiesOf(await get("job"))).toMatchObject({ provisioningState: "Succeeded" });
  });

  it("that runs restarts it in place where something differs", async () => {
    const { put, get, clock } = await simulated();
    await put("job", definition());
    clock.advance(5000);
    const update = await put("job", definition({ NEW: "1" }));
    expect(update.status).toBe(200);
    expect(propertiesOf(update)).toMatchObject({ provisioningState: "Pending" });
    clock.advance(1);
    expect(propertiesOf(await get("job"))).toMatchObject({
      containers: [{ properties: { instanceView: { currentState: { startTime: "2026-01-01T00:00:05.000Z" } } } }],
    });
  });

  it.each([
    ["the restart policy", definition({}, { restartPolicy: "Always" })],
    [
      "resources",
      definition({}, { containers: [container("app", {}, { resources: { requests: { cpu: 2, memoryInGB: 1 } } })] }),
    ],
  ])("that runs cannot change %s", async (_, changed) => {
    const { put, clock } = await simulated();
    await put("job", definition());
    clock.advance(1);
    expect(await put("job", changed)).toMatchObject({
      status: 400,
      body: { error: { code: "InvalidContainerGroupUpdate" } },
    });
  });

  it("in another region is 409 InvalidResourceLocation", async () => {
    const { put, clock } = await simulated();
    await put("job", definition());
    clock.advance(1);
    expect(await put("job", { ...definition(), location: "eastus" })).toMatchObject({
      status: 409,
      body: { error: { code: "InvalidResourceLocation" } },
    });
  });

  it("that ended deploys it anew, even unchanged", async () => {
    const { put, get, clock } = await simulated();
    await put("job", definition({ SIM_RUN_SECONDS: 10 }));
    clock.advance(11_000);
    expect(propertiesOf(await get("job"))).toMatchObject({ instanceView: { state: "Succeeded" } });
    expect((await put("job", definition({ SIM_RUN_SECONDS: 10 }))).status).toBe(200);
    clock.advance(1);
    expect(propertiesOf(await get("job"))).toMatchObject({ instanceView: { state: "Running" } });
  });
});

describe("DELETE", () => {
  it("of what runs is 202 with links, of what ended 200, of nothing 204", async () => {
    const { put, get, call, clock } = await simulated();
    await put("runs", definition());
    await put("ended", definition({ SIM_RUN_SECONDS: 1 }));
    clock.advance(2000);
    const running = await call("DELETE", "containerGroups/runs");
    expect(running.status).toBe(202);
    const operation = running.headers.get("azure-asyncoperation") ?? "";
    expect(running.headers.get("location")).toContain("/operationResults/");
    expect((await call("GET", new URL(operation).pathname)).body).toMatchObject({ status: "Succeeded" });
    expect((await get("runs")).status).toBe(404);
    expect(await call("DELETE", "containerGroups/ended")).toMatchObject({ status: 200, body: { name: "ended" } });
    expect((await call("DELETE", "containerGroups/ended")).status).toBe(204);
  });
});

describe("start, stop and restart", () => {
  it("race with each other as 409, and leave ended groups as they are", async () => {
    const { put, get, call, clock } = await simulated();
    await put("job", definition({ SIM_START_SECONDS: 5, SIM_RUN_SECONDS: 5 }));
    expect((await call("POST", "containerGroups/job/stop")).status).toBe(409);
    clock.advance(11_000);
    expect((await call("POST", "containerGroups/job/stop")).status).toBe(204);
    expect(propertiesOf(await get("job"))).toMatchObject({ instanceView: { state: "Succeeded" } });
    expect((await call("POST", "containerGroups/job/start")).status).toBe(202);
    expect((await call("POST", "containerGroups/job/restart")).status).toBe(409);
    clock.advance(5000);
    expect((await call("POST", "containerGroups/job/start")).status).toBe(204);
    expect((await call("POST", "containerGroups/none/start")).status).toBe(404);
  });
});

describe("logs", () => {
  it("of an unknown group or container are 404, a bad tail 400", async () => {
    const { put, call, clock } = await simulated();
    await put("job", definition());
    clock.advance(1);
    expect((await call("GET", "containerGroups/none/containers/app/logs")).body).toMatchObject({
      error: { code: "ResourceNotFound" },
    });
    expect((await call("GET", "containerGroups/job/containers/none/logs")).status).toBe(404);
    expect((await call("GET", "containerGroups/job/containers/app/logs?tail=many")).status).toBe(400);
    expect(await call("GET", "containerGroups/job/containers/APP/logs")).toMatchObject({
      status: 200,
      body: { content: "" },
    });
  });
});
