import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { infra } from "./bicep.ts";
import { deploymentOf, environments, ofType } from "./environments.ts";

/** Secrets of the pipelines' vault; ACI-PROXY-KEY comes later, when the host has made its key. */
const always = [
  "ACI-PROXY-URL",
  "ACR-LOGIN-SERVER",
  "APPINSIGHTS-CONN-STR",
  "AZURE-RESOURCE-GROUP",
  "AZURE-SUBSCRIPTION-ID",
  "AZURE-TENANT-ID",
  "DATALAKE-ACC-NAME",
];

describe.each(environments)("In $name", (environment) => {
  const deployment = deploymentOf(environment);
  const legacy = environment.name === "test";

  test("storage accounts have no shared keys, no public blobs and no old TLS", () => {
    const accounts = ofType(deployment, "Microsoft.Storage/storageAccounts");
    expect(accounts).toHaveLength(2);
    for (const { properties } of accounts) {
      expect(properties).toMatchObject({
        allowSharedKeyAccess: false,
        allowBlobPublicAccess: false,
        defaultToOAuthAuthentication: true,
        minimumTlsVersion: "TLS1_2",
        supportsHttpsTrafficOnly: true,
      });
    }
  });

  test("vaults ask for roles, and Application Insights for an identity", () => {
    const vaults = ofType(deployment, "Microsoft.KeyVault/vaults");
    expect(vaults.map(({ properties }) => properties["enableRbacAuthorization"])).toEqual([true, true]);
    const [insights] = ofType(deployment, "Microsoft.Insights/components");
    expect(insights?.properties["DisableLocalAuth"]).toBe(true);
  });

  test("the app is reached by https alone and takes no passwords for deployment", () => {
    const [app] = ofType(deployment, "Microsoft.Web/sites");
    expect(app?.properties).toMatchObject({
      httpsOnly: true,
      siteConfig: { minTlsVersion: "1.2", ftpsState: "Disabled" },
    });
    const doors = ofType(deployment, "Microsoft.Web/sites/basicPublishingCredentialsPolicies");
    expect(doors.map(({ name, properties }) => [name.split("/")[1], properties["allow"]])).toEqual([
      ["ftp", false],
      ["scm", false],
    ]);
  });

  test("the registry's admin user is off unless the original's pipeline wants it", () => {
    const [registry] = ofType(deployment, "Microsoft.ContainerRegistry/registries");
    expect(registry?.properties["adminUserEnabled"]).toBe(legacy);
  });

  test("the vault has the original's secret names that still make sense", () => {
    const names = ofType(deployment, "Microsoft.KeyVault/vaults/secrets").map(({ name }) => name.split("/")[1] ?? "");
    expect(names.sort()).toEqual([...always, ...(legacy ? ["ACR-PASSWORD", "ACR-USERNAME"] : [])].sort());
  });

  test("keys and passwords are read nowhere but for the registry's secrets", () => {
    const readers = deployment.predictedResources.filter((resource) =>
      /list(Keys|Credentials|Secrets)\(/i.test(JSON.stringify(resource)),
    );
    expect(readers.map(({ name }) => name.split("/")[1]).sort()).toEqual(
      legacy ? ["ACR-PASSWORD", "ACR-USERNAME"] : [],
    );
  });

  test("no output is a secret", () => {
    const text = JSON.stringify(deployment.outputs);
    expect(text).not.toMatch(/list(Keys|Credentials)|connectionString|InstrumentationKey|password|secrets\/|[?&]sig=/i);
  });

  test("what a network makes private stays reachable for Event Grid, a trusted service", () => {
    const network = ofType(deployment, "Microsoft.Network/virtualNetworks").length > 0;
    const [storage] = ofType(deployment, "Microsoft.Storage/storageAccounts").filter(({ name }) =>
      name.includes("funcstorage"),
    );
    expect(storage?.properties["networkAcls"]).toEqual({
      bypass: "AzureServices",
      defaultAction: network ? "Deny" : "Allow",
    });
    const endpoints = ofType(deployment, "Microsoft.Network/privateEndpoints").map(({ name }) => name);
    const wanted = ["blob", "queue", "table", "vault"].map((group) => `aci-proxy-${group}`);
    expect(endpoints.sort()).toEqual(network ? wanted : []);
  });

  test("alerts ask for functions that the app has", () => {
    const app = readFileSync(join(infra, "../src/index.ts"), "utf8");
    const queries = JSON.stringify(ofType(deployment, "Microsoft.Insights/scheduledQueryRules"));
    const asked = [...queries.matchAll(/Name (?:==|in) \(?([^)|]*?)\)? and/g)].flatMap(
      ([, list = ""]) => list.match(/\w+/g) ?? [],
    );
    expect(asked.length).toBeGreaterThan(0);
    for (const name of asked) expect(app).toContain(`("${name}"`);
  });
});

test("resources that can be logged have diagnostic settings", () => {
  const [dev] = environments;
  const deployment = dev ? deploymentOf(dev) : undefined;
  const settings = deployment ? ofType(deployment, "Microsoft.Insights/diagnosticSettings") : [];
  const logged = settings
    .map(({ id }) =>
      id
        .replace(/\/providers\/Microsoft\.Insights\/diagnosticSettings.*$/i, "")
        .split("/")
        .at(-2),
    )
    .sort();
  expect(logged).toEqual(["blobServices", "factories", "registries", "sites", "vaults", "vaults"]);
});

test("deploying again gives every resource and secret the same name and value", () => {
  for (const file of readdirSync(infra, { recursive: true, encoding: "utf8" })) {
    if (file.endsWith(".bicep"))
      expect(readFileSync(join(infra, file), "utf8"), file).not.toMatch(/newGuid\(|utcNow\(/);
  }
});
