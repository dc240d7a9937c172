import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  findApp,
  providers,
  registerProviders,
  storeKey,
  waitForHealth,
  type App,
  type Arm,
} from "../../scripts/after-deploy-steps.ts";
import { infra } from "./bicep.ts";
import { deploymentOf, environments } from "./environments.ts";

const place = { subscriptionId: "11111111-1111-1111-1111-111111111111", resourceGroup: "aci" };
const pace = { pause: 1, looks: 5 };
const group = `/subscriptions/${place.subscriptionId}/resourceGroups/aci/providers`;
const site = (name: string, tags: Record<string, string>) => ({
  id: `${group}/Microsoft.Web/sites/${name}`,
  name,
  tags,
  properties: { defaultHostName: `${name}.azurewebsites.net` },
});

let server: Server;
let arm: Arm;
let calls: string[];
let bodies: string[];
/** Answers by `METHOD PATH`, one after another, the last again and again. */
let answers: Map<string, { status: number; body?: unknown }[]>;

beforeEach(async () => {
  calls = [];
  bodies = [];
  answers = new Map();
  server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      const call = `${request.method ?? ""} ${(request.url ?? "").replace(/\?.*/, "")}`;
      calls.push(call);
      if (body !== "") bodies.push(body);
      const list = answers.get(call) ?? [{ status: 404, body: { error: { code: "NotFound", message: call } } }];
      const answer = list.length > 1 ? list.shift() : list[0];
      const { status = 404, body: answered } = answer ?? {};
      if (answered === undefined) response.writeHead(status).end();
      else response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answered));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const endpoint = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  arm = { endpoint, token: () => Promise.resolve("a-token") };
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const app: App = { id: `${group}/Microsoft.Web/sites/app`, name: "app", host: "app.azurewebsites.net", vault: "kv" };

describe("After a deployment", () => {
  test("resource providers that are not registered are, and it is waited for", async () => {
    const address = (name: string): string => `/subscriptions/${place.subscriptionId}/providers/${name}`;
    for (const name of providers)
      answers.set(`GET ${address(name)}`, [{ status: 200, body: { registrationState: "Registered" } }]);
    const states = ["NotRegistered", "Registering", "Registered"].map((registrationState) => ({
      status: 200,
      body: { registrationState },
    }));
    answers.set(`GET ${address("Microsoft.ContainerInstance")}`, states);
    answers.set(`POST ${address("Microsoft.ContainerInstance")}/register`, [{ status: 200 }]);
    expect(await registerProviders(arm, place.subscriptionId, pace)).toEqual(["Microsoft.ContainerInstance"]);
    expect(calls.filter((call) => call.startsWith("POST"))).toHaveLength(1);
  });

  test("the app is found by the tag that the template gives it", async () => {
    const sites = [site("other", {}), site("app", { "azd-service-name": "app", "aci-proxy-vault": "kv" })];
    answers.set(`GET ${group}/Microsoft.Web/sites`, [{ status: 200, body: { value: sites } }]);
    expect(await findApp(arm, place)).toEqual(app);
    const [dev] = environments;
    expect(JSON.stringify(dev ? deploymentOf(dev) : {})).toContain('"aci-proxy-vault":');
  });

  test("no app, or two, is a sentence", async () => {
    answers.set(`GET ${group}/Microsoft.Web/sites`, [{ status: 200, body: { value: [] } }]);
    await expect(findApp(arm, place)).rejects.toThrow("Resource group aci has no Function App");
    const two = ["a", "b"].map((name) => site(name, { "aci-proxy-vault": "kv" }));
    answers.set(`GET ${group}/Microsoft.Web/sites`, [{ status: 200, body: { value: two } }]);
    await expect(findApp(arm, place)).rejects.toThrow("several");
  });

  test("the host's key goes into the vault once the host has one, and nowhere else", async () => {
    const key = "a-key-that-nobody-may-see";
    answers.set(`POST ${app.id}/host/default/listKeys`, [
      { status: 500, body: { error: { code: "InternalServerError", message: "the host is starting" } } },
      { status: 200, body: { masterKey: "m", functionKeys: { default: key }, systemKeys: {} } },
    ]);
    const secret = `${group}/Microsoft.KeyVault/vaults/kv/secrets/ACI-PROXY-KEY`;
    answers.set(`PUT ${secret}`, [{ status: 200 }]);
    await storeKey(arm, place, app, pace);
    expect(calls.at(-1)).toBe(`PUT ${secret}`);
    expect(bodies).toEqual([JSON.stringify({ properties: { value: key } })]);
  });

  test("a vault that refuses is reported in Azure's words, without the key", async () => {
    answers.set(`POST ${app.id}/host/default/listKeys`, [
      { status: 200, body: { functionKeys: { default: "the-key" } } },
    ]);
    const forbidden = { status: 403, body: { error: { code: "AuthorizationFailed", message: "no write" } } };
    answers.set(`PUT ${group}/Microsoft.KeyVault/vaults/kv/secrets/ACI-PROXY-KEY`, [forbidden]);
    const refused = storeKey(arm, place, app, pace);
    await expect(refused).rejects.toThrow(/403 AuthorizationFailed: no write/);
    await expect(refused).rejects.not.toThrow(/the-key/);
  });

  test("an app that never answers is given up with a hint", async () => {
    answers.set("GET /api/health", [{ status: 503 }]);
    await expect(waitForHealth(arm.endpoint, pace)).rejects.toThrow("does not answer 200");
    answers.set("GET /api/health", [{ status: 503 }, { status: 200 }]);
    expect(await waitForHealth(arm.endpoint, pace)).toBe("answers");
  });

  test("an app that refuses this machine again and again is closed to it, which is no fault", async () => {
    answers.set("GET /api/health", [
      { status: 403 },
      { status: 503 },
      { status: 403 },
      { status: 403 },
      { status: 200 },
    ]);
    expect(await waitForHealth(arm.endpoint, pace)).toBe("answers");
    answers.set("GET /api/health", [{ status: 403 }]);
    expect(await waitForHealth(arm.endpoint, pace)).toBe("closed");
    expect(calls.filter((call) => call === "GET /api/health")).toHaveLength(5 + 3);
  });

  test("every provider of the templates is in the list of providers", () => {
    const used = new Set(
      environments.flatMap((environment) =>
        deploymentOf(environment).predictedResources.map(({ type }) => type.split("/")[0] ?? ""),
      ),
    );
    for (const always of ["Microsoft.Authorization", "Microsoft.Resources"]) used.delete(always); // there in every subscription
    expect([...used, "Microsoft.ContainerInstance"].sort()).toEqual([...providers].sort());
  });
});

test("publish.sh and azure.yaml run what is there", () => {
  const root = join(infra, "..");
  const scripts: unknown = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  expect(scripts).toMatchObject({ scripts: { package: expect.stringContaining("scripts/package.mjs") as unknown } });
  for (const file of ["infra/publish.sh", "azure.yaml"]) {
    const text = readFileSync(join(root, file), "utf8");
    expect(text).toContain("npm run package");
    expect(text).toContain("npx tsx scripts/after-deploy.ts");
  }
});
