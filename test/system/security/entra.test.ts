import { afterAll, beforeAll, expect, test } from "vitest";
import { Command } from "../client/kit.ts";
import { audience, claimsOf, startAuthority, tenant, type Authority } from "../../kit/authority.ts";
import { hostKey, startService, until, type Service } from "./kit.ts";

const pipeline = "11111111-aaaa-bbbb-cccc-000000000001";
const identity = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/pull";
let authority: Authority;
let service: Service;

beforeAll(async () => {
  authority = await startAuthority();
  service = await startService({
    AUTH_MODE: "entra",
    ENTRA_TENANT_ID: tenant,
    ENTRA_AUDIENCE: audience,
    ENTRA_AUTHORITY: authority.url,
    PULL_REGISTRY: "contoso.azurecr.io",
    PULL_IDENTITY: identity,
    POLICY_MAX_CPU: "2",
    POLICY_IDENTITIES: "none",
  });
}, 120_000);
afterAll(async () => {
  await service.stop();
  authority.stop();
});

const bearer = async (role: string): Promise<Record<string, string>> => ({
  authorization: `Bearer ${await authority.sign(claimsOf(pipeline, role, Date.now()))}`,
});

const definition = (name: string, cpu: number, more: object = {}): string =>
  JSON.stringify({
    name,
    ...more,
    properties: {
      osType: "Linux",
      restartPolicy: "Never",
      containers: [
        {
          name: "app",
          properties: {
            image: "contoso.azurecr.io/team/job:1",
            resources: { requests: { cpu, memoryInGB: 1 } },
            environmentVariables: [{ name: "SIM_RUN_SECONDS", value: "0" }],
          },
        },
      ],
    },
  });

test("a pipeline's token submits and polls a job, and the row says who it was", async () => {
  const accepted = await service.call(
    "POST",
    "/api/trigger?polling=true",
    definition("by-token", 1),
    await bearer("Job.Submit"),
  );
  expect(accepted.status).toBe(202);
  const location = accepted.headers.get("location") ?? "";
  await until("the job's end", async () => {
    const reply = await service.call("GET", location, undefined, await bearer("Job.Submit"));
    return reply.status === 200 ? reply : undefined;
  });
  const record = await service.call(
    "GET",
    `/api/jobs/${String(accepted.body["id"])}`,
    undefined,
    await bearer("Job.Read"),
  );
  expect(record.body["requestedBy"]).toBe(pipeline);
});

test("an image of the house's registry is pulled with the pull identity, named at both places", () => {
  const sent: unknown = JSON.parse(service.sent.get("by-token") ?? "{}");
  expect(sent).toMatchObject({
    identity: { type: "UserAssigned", userAssignedIdentities: { [identity]: {} } },
    properties: { imageRegistryCredentials: [{ server: "contoso.azurecr.io", identity }] },
  });
});

test("the host's key opens nothing now, nor does a role that is for something else", async () => {
  const keyed = { "x-functions-key": hostKey };
  for (const [method, path] of [
    ["POST", "/api/trigger"],
    ["GET", "/api/jobs"],
    ["GET", "/api/status/by-token"],
    ["GET", "/api/logs/by-token"],
    ["DELETE", "/api/delete/by-token"],
    ["POST", "/api/pause"],
    ["GET", "/api/health/details"],
    ["GET", "/api/openapi.json"],
  ] as const) {
    const body = method === "POST" ? definition("keyed", 1) : undefined;
    expect(await service.call(method, path, body, keyed)).toMatchObject({ status: 401, text: "" });
  }
  for (const [method, path, role] of [
    ["POST", "/api/trigger", "Job.Read"],
    ["DELETE", "/api/delete/by-token", "Job.Read"],
    ["POST", "/api/pause", "Job.Submit"],
    ["POST", "/api/jobs/cancel", "Job.Submit"],
  ] as const) {
    const body = method === "POST" ? definition("roles", 1) : undefined;
    expect(await service.call(method, path, body, await bearer(role))).toMatchObject({ status: 403 });
  }
});

test("the command runs a job with a token in the key's place, and says what to give in place of a key", async () => {
  const token = async (role: string): Promise<string> => authority.sign(claimsOf(pipeline, role, Date.now()));
  const run = async (env: NodeJS.ProcessEnv, ...flags: string[]): Promise<Command> => {
    const input = definition("by-command", 1);
    const command = new Command([...flags, "run", "-"], { env: { ACI_PROXY_URL: service.url, ...env }, input });
    await command.exitCode;
    return command;
  };
  const done = await run({ ACI_PROXY_TOKEN: await token("Job.Submit") });
  expect([await done.exitCode, done.stderr]).toEqual([0, expect.stringContaining("Succeeded")]);
  const keyed = await run({}, "--key", hostKey);
  expect([await keyed.exitCode, keyed.stderr]).toEqual([205, expect.stringContaining("give one in ACI_PROXY_TOKEN")]);
  const old = await authority.sign(claimsOf(pipeline, "Job.Submit", Date.now() - 7_200_000));
  const late = await run({}, "--token", old);
  expect([await late.exitCode, late.stderr]).toEqual([205, expect.stringContaining("it has expired")]);
  const reader = await run({ ACI_PROXY_TOKEN: await token("Job.Read") });
  expect([await reader.exitCode, reader.stderr]).toEqual([
    205,
    expect.stringContaining("the app role Job.Run or Job.Submit"),
  ]);
});

test("health needs no token", async () => {
  expect(await service.call("GET", "/api/health", undefined, {})).toMatchObject({ status: 200 });
});

test("what the operator's policy forbids is a 400 by HTTP, with rule and place", async () => {
  const borrowed = { identity: { type: "UserAssigned", userAssignedIdentities: { [`${identity}-of-others`]: {} } } };
  for (const [text, rule, path] of [
    [definition("large", 3), "POLICY_MAX_CPU", "properties.containers"],
    [definition("borrows", 1, borrowed), "POLICY_IDENTITIES", `identity.userAssignedIdentities.${identity}-of-others`],
  ] as const) {
    const reply = await service.call("POST", "/api/trigger", text, await bearer("Job.Submit"));
    expect(reply).toMatchObject({ status: 400, body: { code: "PolicyRefused", errors: [{ path, line: 1 }] } });
    expect(String(reply.body["message"])).toContain(rule);
  }
});

test("and a failed row by the queue", async () => {
  const id = "0198f000-0000-4000-8000-00000000000a";
  await service.post("aci-jobs", JSON.stringify({ version: 1, id, definition: definition("posted", 3) }));
  const row = await until("the row", async () => {
    const reply = await service.call("GET", `/api/status/${id}`, undefined, await bearer("Job.Read"));
    return reply.status === 500 ? reply : undefined;
  });
  expect(row.body).toMatchObject({ state: "Failed", reason: "PolicyRefused" });
  expect(String(row.body["message"])).toContain("POLICY_MAX_CPU");
});
