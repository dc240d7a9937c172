import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { bicep, infra, without, type Evaluated, type Resource } from "./bicep.ts";
import { warmCompiler } from "./compiler.ts";
import { ofType } from "./environments.ts";
import { evaluateWith } from "./evaluate.ts";
import { siteOf } from "./site.ts";

vi.setConfig({ testTimeout: 180_000 });

const compiled = bicep === undefined ? describe.skip : describe;
const skipped = bicep === undefined ? ` (${without})` : "";
const compiler = warmCompiler();

type Parameters = Readonly<Record<string, unknown>>;

async function deploymentWith(parameters: Parameters): Promise<Evaluated> {
  const deployment = await evaluateWith(compiler(), parameters);
  if (typeof deployment === "string") throw new Error(deployment);
  return deployment;
}

const hub = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/hub";
const inHub = (type: string, name: string): string => `${hub}/providers/${type}/${name}`;
const network = inHub("Microsoft.Network/virtualNetworks", "net");
const subnets = {
  network: true,
  existingAppSubnetId: `${network}/subnets/functions`,
  existingContainerSubnetId: `${network}/subnets/containers`,
  existingEndpointSubnetId: `${network}/subnets/endpoints`,
};
const everything = {
  ...subnets,
  existingRegistryId: inHub("Microsoft.ContainerRegistry/registries", "images"),
  existingFactoryId: inHub("Microsoft.DataFactory/factories", "pipelines"),
  existingWorkspaceId: inHub("Microsoft.OperationalInsights/workspaces", "logs"),
  existingActionGroupIds: [inHub("Microsoft.Insights/actionGroups", "on-call")],
  existingDnsZonesGroupId: hub,
  privateInbound: true,
};

compiled(`An estate that has its registry, factory, workspace, network and action group already${skipped}`, () => {
  let deployed: Promise<Evaluated> | undefined;
  const deployment = (): Promise<Evaluated> => (deployed ??= deploymentWith(everything));

  test("gets no second one of any of them", async () => {
    const types = new Set((await deployment()).predictedResources.map(({ type }) => type));
    for (const type of [
      "Microsoft.ContainerRegistry/registries",
      "Microsoft.DataFactory/factories",
      "Microsoft.DataFactory/factories/pipelines",
      "Microsoft.Insights/actionGroups",
      "Microsoft.Network/natGateways",
      "Microsoft.Network/privateDnsZones",
      "Microsoft.Network/publicIPAddresses",
      "Microsoft.Network/virtualNetworks",
      "Microsoft.OperationalInsights/workspaces",
    ])
      expect(types).not.toContain(type);
    expect(types).toContain("Microsoft.Insights/components");
  });

  test("gets roles there, and nothing else is made outside the app's own resource groups", async () => {
    const { predictedResources } = await deployment();
    const elsewhere = predictedResources.filter(({ id }) => id.includes("/resourceGroups/hub/"));
    const subjects = elsewhere.map(
      ({ type, id }) => `${type} ${/^\[extensionResourceId\('([^']+)'/.exec(id)?.[1] ?? id}`,
    );
    expect(
      subjects.map((subject) => subject.replace(/roleDefinitions\/[0-9a-f-]{36}/, "roleDefinitions/ID")).sort(),
    ).toEqual(
      [
        `Microsoft.Authorization/roleAssignments ${everything.existingRegistryId}`,
        `Microsoft.Authorization/roleAssignments ${everything.existingContainerSubnetId}`,
        `Microsoft.Authorization/roleDefinitions ${hub}/providers/Microsoft.Authorization/roleDefinitions/ID`,
      ].sort(),
    );
  });

  test("lets the factory read the pipelines' vault and the data lake", async () => {
    const assignments = ofType(await deployment(), "Microsoft.Authorization/roleAssignments");
    const factorys = assignments.filter(({ properties }) =>
      String(properties["principalId"]).includes("existingFactory-"),
    );
    const scopes = factorys.map(({ id }) => /Microsoft\.\w+\/\w+\/\w+'/.exec(id)?.[0] ?? id);
    expect(scopes.sort()).toEqual([
      expect.stringContaining("Microsoft.KeyVault/vaults/"),
      expect.stringContaining("Microsoft.Storage/storageAccounts/"),
    ]);
    expect((await deployment()).outputs).toMatchObject({
      DATA_FACTORY: "pipelines",
      NEXT_2_IMAGE: "az acr build --registry images --image container1:latest Containers/container1",
      NEXT_3_PIPELINE: expect.stringContaining(encodeURIComponent(everything.existingFactoryId)) as unknown,
    });
  });

  test("sends its logs to that workspace and its alerts to that action group", async () => {
    const made = await deployment();
    for (const { properties } of ofType(made, "Microsoft.Insights/diagnosticSettings"))
      expect(workspaceOf(properties)).toContain("outputs.workspaceId");
    expect(ofType(made, "Microsoft.Insights/components")[0]?.properties["WorkspaceResourceId"]).toBe(
      everything.existingWorkspaceId,
    );
    const rules = ofType(made, "Microsoft.Insights/scheduledQueryRules");
    expect(rules.length).toBeGreaterThan(10);
    for (const { properties } of rules)
      expect(properties["actions"]).toEqual({ actionGroups: everything.existingActionGroupIds });
    const [deadLetters] = ofType(made, "Microsoft.Insights/metricAlerts");
    expect(deadLetters?.properties["actions"]).toEqual([{ actionGroupId: everything.existingActionGroupIds[0] }]);
  });

  test("joins its subnets, and finds the private endpoints by its zones", async () => {
    const made = await deployment();
    expect(siteOf(made).virtualNetworkSubnetId).toBe(everything.existingAppSubnetId);
    const settings = siteOf(made).siteConfig.appSettings;
    expect(settings.find(({ name }) => name === "POLICY_SUBNETS")?.value).toBe(everything.existingContainerSubnetId);
    const endpoints = ofType(made, "Microsoft.Network/privateEndpoints");
    expect(endpoints.map(({ name }) => name).sort()).toEqual(
      ["blob", "queue", "sites", "table", "vault"].map((group) => `aci-proxy-${group}`),
    );
    for (const { properties } of endpoints)
      expect(properties["subnet"]).toEqual({ id: everything.existingEndpointSubnetId });
    const zones = ofType(made, "Microsoft.Network/privateEndpoints/privateDnsZoneGroups").map(({ properties }) =>
      JSON.stringify(properties),
    );
    expect(zones).toHaveLength(5);
    for (const zone of zones)
      expect(zone).toContain(`format('{0}/providers/Microsoft.Network/privateDnsZones/{1}', '${hub}'`);
  });
});

const workspaceOf = (properties: Resource["properties"]): string => String(properties["workspaceId"]);

compiled(`Private inbound${skipped}`, () => {
  test("gives the app an endpoint and a zone of its own, and closes it to everybody else", async () => {
    const deployment = await deploymentWith({ network: true, privateInbound: true });
    expect(siteOf(deployment).publicNetworkAccess).toBe("Disabled");
    const endpoints = ofType(deployment, "Microsoft.Network/privateEndpoints");
    const app = endpoints.find(({ name }) => name === "aci-proxy-sites");
    expect(JSON.stringify(app?.properties)).toContain('"groupIds":["sites"]');
    expect(JSON.stringify(app?.properties)).toContain("/subnets/endpoints");
    const zones = ofType(deployment, "Microsoft.Network/privateDnsZones").map(({ name }) => name);
    expect(zones.filter((name) => name.includes("websites") || name.includes("azurewebsites.net"))).toHaveLength(1);
    expect(ofType(deployment, "Microsoft.Network/privateDnsZones/virtualNetworkLinks")).toHaveLength(5);
  });
});

compiled(`Callers${skipped}`, () => {
  test("that are named are let in, by block or service tag, and the way out of our own containers with them", async () => {
    const allowedCallers = ["203.0.113.0/24", "DataFactory.WestEurope", "2001:db8::/32"];
    const { siteConfig, publicNetworkAccess } = siteOf(await deploymentWith({ allowedCallers, network: true }));
    expect(publicNetworkAccess).toBe("Enabled");
    expect(siteConfig.ipSecurityRestrictionsDefaultAction).toBe("Deny");
    expect(siteConfig.ipSecurityRestrictions?.map(({ ipAddress, tag }) => [ipAddress, tag])).toEqual([
      ["203.0.113.0/24", "Default"],
      ["DataFactory.WestEurope", "ServiceTag"],
      ["2001:db8::/32", "Default"],
      [expect.stringContaining("outputs.natAddress"), "Default"],
    ]);
  });

  test("restrict deployments only where it is asked for", async () => {
    const allowedCallers = ["203.0.113.7/32"];
    const open = siteOf(await deploymentWith({ allowedCallers }));
    const closed = siteOf(await deploymentWith({ allowedCallers, restrictDeployment: true }));
    expect(open.siteConfig.scmIpSecurityRestrictionsUseMain).toBe(false);
    expect(closed.siteConfig.scmIpSecurityRestrictionsUseMain).toBe(true);
  });
});

compiled(`Instances that are always ready${skipped}`, () => {
  test("are for functions that the app has, and only where they are asked for", async () => {
    const plain = siteOf(await deploymentWith({}));
    expect(plain.functionAppConfig.scaleAndConcurrency.alwaysReady).toEqual([]);
    const some = siteOf(
      await deploymentWith({
        alwaysReadyHttp: 1,
        alwaysReadyProvisioner: 2,
        alwaysReadyWake: 3,
        alwaysReadyEvents: 4,
      }),
    );
    const ready = some.functionAppConfig.scaleAndConcurrency.alwaysReady;
    const app = readFileSync(join(infra, "../src/index.ts"), "utf8");
    const queueFunctions = [...app.matchAll(/app\.storageQueue\(\s*"(\w+)"/g)].map(
      ([, name]) => `function:${name ?? ""}`,
    );
    expect(ready.map(({ name }) => name).sort()).toEqual([...queueFunctions, "http"].sort());
    expect(ready.reduce((sum, { instanceCount }) => sum + instanceCount, 0)).toBe(10);
  });
});

compiled(`What contradicts itself${skipped}`, () => {
  const cases: readonly (readonly [string, Parameters, string])[] = [
    ["an existing subnet without a network", { ...subnets, network: false }, "need network: set network to true"],
    ["zones without a network", { existingDnsZonesGroupId: hub }, "need network: set network to true"],
    ["two subnets of three", { ...subnets, existingEndpointSubnetId: "" }, "are given together"],
    [
      "one subnet for two",
      { ...subnets, existingEndpointSubnetId: subnets.existingAppSubnetId },
      "are given together, and are three subnets",
    ],
    [
      "subnets of two networks",
      { ...subnets, existingEndpointSubnetId: `${network}2/subnets/endpoints` },
      "must be subnets of one virtual network",
    ],
    [
      "an underscore on Flex Consumption",
      { ...subnets, existingAppSubnetId: `${network}/subnets/the_app` },
      "names a subnet with an underscore",
    ],
    ["private inbound without a network", { privateInbound: true }, "privateInbound needs network"],
    [
      "private inbound with callers",
      { network: true, privateInbound: true, allowedCallers: ["DataFactory"] },
      "allowedCallers would open nothing",
    ],
    [
      "a restricted deployment without callers",
      { restrictDeployment: true },
      "restrictDeployment needs allowedCallers",
    ],
    ["always ready on a dedicated plan", { plan: "Dedicated", alwaysReadyWake: 1 }, "are for Flex Consumption"],
    [
      "an address without its length",
      { allowedCallers: ["203.0.113.7"] },
      'allowedCallers takes blocks of addresses, like 203.0.113.7/32, and service tags, like DataFactory; not "203.0.113.7"',
    ],
    ["words with a slash for addresses", { allowedCallers: ["our/office"] }, 'not "our/office"'],
    ["an empty caller", { allowedCallers: [""] }, 'not ""'],
    [
      "a name for an id",
      { existingRegistryId: "images" },
      "existingRegistryId must be the id of Microsoft.ContainerRegistry/registries, like /subscriptions/",
    ],
    [
      "an id of another type",
      { existingRegistryId: everything.existingFactoryId },
      "existingRegistryId must be the id",
    ],
    [
      "an id with a hole",
      { existingWorkspaceId: everything.existingWorkspaceId.replace("hub", "") },
      "existingWorkspaceId must",
    ],
    ["a network for a subnet", { ...subnets, existingAppSubnetId: network }, "existingAppSubnetId must be the id of"],
    [
      "another child of a network",
      { ...subnets, existingAppSubnetId: `${network}/virtualNetworkPeerings/x` },
      "existingAppSubnetId must be the id of",
    ],
    [
      "a mail address for an action group",
      { existingActionGroupIds: ["me@x"] },
      "existingActionGroupIds must be the id",
    ],
    [
      "a zone for its group",
      { network: true, existingDnsZonesGroupId: network },
      "existingDnsZonesGroupId must be the id",
    ],
  ];

  test.each(cases)("is refused in a sentence: %s", async (_, parameters, sentence) => {
    expect(await evaluateWith(compiler(), parameters)).toContain(sentence);
  });

  test("is all named at once", async () => {
    const said = await evaluateWith(compiler(), { privateInbound: true, restrictDeployment: true });
    expect(said).toContain("privateInbound needs network");
    expect(said).toContain("restrictDeployment needs allowedCallers");
  });

  test("is not what ids in other letters' case are", async () => {
    const shouted = everything.existingRegistryId
      .replace("resourceGroups", "RESOURCEGROUPS")
      .replace("registries", "Registries");
    expect(await evaluateWith(compiler(), { existingRegistryId: shouted })).not.toBeTypeOf("string");
  });
});

compiled(`The cap of the workspace${skipped}`, () => {
  test.each([
    [{}, 1],
    [{ dailyCapGb: 5 }, 5],
    [{ dailyCapGb: 0 }, -1],
  ])("with %o is %i", async (parameters, dailyQuotaGb) => {
    const [workspace] = ofType(await deploymentWith(parameters), "Microsoft.OperationalInsights/workspaces");
    expect(workspace?.properties["workspaceCapping"]).toEqual({ dailyQuotaGb });
  });
});
