import { describe, expect, test } from "vitest";
import { blobContainers } from "../../src/shared/store/blobs.ts";
import { tableNames } from "../../src/shared/store/connect.ts";
import { queueNames } from "../../src/shared/store/queues.ts";
import { deploymentOf, environments, ofType } from "./environments.ts";

/** What names must look like ("Naming rules and restrictions for Azure resources"); the last part of a name, where it has parts. */
const rules: Readonly<Record<string, RegExp>> = {
  "Microsoft.ContainerRegistry/registries": /^[a-zA-Z0-9]{5,50}$/,
  "Microsoft.DataFactory/factories": /^(?!.*--)[a-zA-Z0-9][a-zA-Z0-9-]{1,61}[a-zA-Z0-9]$/,
  "Microsoft.DataFactory/factories/pipelines": /^[a-zA-Z0-9_][^<>*#.%&:\\+?/]{0,139}$/,
  "Microsoft.EventGrid/systemTopics": /^[a-zA-Z0-9-]{3,128}$/,
  "Microsoft.EventGrid/systemTopics/eventSubscriptions": /^[a-zA-Z0-9-]{3,64}$/,
  "Microsoft.EventGrid/topics": /^[a-zA-Z0-9-]{3,50}$/,
  "Microsoft.Insights/components": /^[^%&\\?/]{1,260}$/,
  "Microsoft.Insights/metricAlerts": /^[^*#&+:<>?@%{}\\/|]{1,260}$/,
  "Microsoft.Insights/scheduledQueryRules": /^[^*<>%{}&:\\?/#|]{1,260}$/,
  "Microsoft.KeyVault/vaults": /^(?!.*--)[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]$/,
  "Microsoft.KeyVault/vaults/keys": /^[a-zA-Z0-9-]{1,127}$/,
  "Microsoft.KeyVault/vaults/secrets": /^[a-zA-Z0-9-]{1,127}$/,
  "Microsoft.ManagedIdentity/userAssignedIdentities": /^[a-zA-Z0-9][a-zA-Z0-9-_]{2,127}$/,
  "Microsoft.Network/natGateways": /^[a-zA-Z0-9][\w.-]{0,79}$/,
  "Microsoft.Network/publicIPAddresses": /^[a-zA-Z0-9][\w.-]{0,79}$/,
  "Microsoft.Network/virtualNetworks": /^[a-zA-Z0-9][\w.-]{1,63}$/,
  "Microsoft.OperationalInsights/workspaces": /^[a-zA-Z0-9][a-zA-Z0-9-]{2,61}[a-zA-Z0-9]$/,
  "Microsoft.Resources/resourceGroups": /^[\w.()-]{0,89}[\w()-]$/,
  "Microsoft.Storage/storageAccounts": /^[a-z0-9]{3,24}$/,
  "Microsoft.Storage/storageAccounts/blobServices/containers": /^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
  "Microsoft.Storage/storageAccounts/queueServices/queues": /^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
  "Microsoft.Storage/storageAccounts/tableServices/tables": /^[A-Za-z][A-Za-z0-9]{2,62}$/,
  "Microsoft.Web/serverfarms": /^[a-zA-Z0-9-]{1,60}$/,
  "Microsoft.Web/sites": /^[a-zA-Z0-9-]{2,60}$/,
};

/** Names of these are taken once in all of Azure. */
const global = [
  "Microsoft.ContainerRegistry/registries",
  "Microsoft.DataFactory/factories",
  "Microsoft.KeyVault/vaults",
  "Microsoft.Storage/storageAccounts",
  "Microsoft.Web/sites",
];

const lastPart = (name: string): string => name.slice(name.lastIndexOf("/") + 1);

describe.each(environments)("Names in $name", (environment) => {
  const deployment = deploymentOf(environment);

  test("are what Azure allows for their type", () => {
    const wrong = deployment.predictedResources.filter(
      ({ type, name }) => rules[type] !== undefined && !rules[type].test(lastPart(name)),
    );
    expect(wrong.map(({ type, name }) => `${type} ${name}`)).toEqual([]);
  });

  test("make every resource another", () => {
    const ids = deployment.predictedResources.map(({ id }) => id.toLowerCase());
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
  });
});

test("a prefix and an environment as long as may be are among the snapshots: storage accounts of 24 characters", () => {
  const accounts = environments.flatMap((environment) =>
    ofType(deploymentOf(environment), "Microsoft.Storage/storageAccounts"),
  );
  expect(Math.max(...accounts.map(({ name }) => name.length))).toBe(24);
});

test("no two environments want the same name of those that Azure gives once", () => {
  const wanted = environments.flatMap((environment) =>
    global.flatMap((type) => ofType(deploymentOf(environment), type).map(({ name }) => `${type} ${name}`)),
  );
  expect(wanted).toHaveLength(new Set(wanted).size);
});

describe.each(environments)("The functions' storage in $name", (environment) => {
  const deployment = deploymentOf(environment);
  const inFunctionsStorage = (type: string): readonly string[] =>
    ofType(deployment, `Microsoft.Storage/storageAccounts/${type}`)
      .filter(({ name }) => name.includes("funcstorage"))
      .map(({ name }) => lastPart(name))
      .sort();

  test("has the queues that the code reads, each with its poison queue", () => {
    const queues = Object.values(queueNames).flatMap((name) => [name, `${name}-poison`]);
    expect(inFunctionsStorage("queueServices/queues")).toEqual(queues.sort());
  });

  test("has the code's tables", () => {
    expect(inFunctionsStorage("tableServices/tables")).toEqual(Object.values(tableNames).sort());
  });

  test("has the code's containers, one for the package and one for dead letters", () => {
    const containers = [...Object.values(blobContainers), "app-package", "eventgrid-deadletter"];
    expect(inFunctionsStorage("blobServices/containers")).toEqual(containers.sort());
  });
});
