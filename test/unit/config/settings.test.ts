import { describe, expect, it } from "vitest";
import { minute, second } from "../../../src/shared/base/duration.ts";
import { isLoopback, parseSettings, settingsTable } from "../../../src/shared/config/settings.ts";
import type { Row } from "../../../src/shared/config/readers.ts";
import { connectStorage } from "../../../src/shared/store/connect.ts";
import { resourceGroup, settings, subscription } from "../../kit/kit.ts";

const azure = {
  AZURE_SUBSCRIPTION_ID: subscription,
  AZURE_RESOURCE_GROUP: resourceGroup,
  AzureWebJobsStorage: "UseDevelopmentStorage=true",
  WEBSITE_HOSTNAME: "func-jobs.azurewebsites.net",
  SEAL_KEY_ID: "https://kv-jobs.vault.azure.net/keys/seal",
};
const faults = (environment: Record<string, string | undefined>) => parseSettings({ ...azure, ...environment }).faults;
const rows: readonly Row<unknown>[] = Object.values(settingsTable);

describe("the environment", () => {
  it("of a deployed app has no fault", () => expect(faults({})).toEqual([]));

  it("of a local stack has no fault", () => expect(settings().faults).toEqual([]));

  it("that is empty has every fault at once, each naming what to set", () => {
    const told = parseSettings({}).faults.join("\n");
    for (const name of [
      "AZURE_SUBSCRIPTION_ID",
      "AZURE_RESOURCE_GROUP",
      "SEAL_KEY_ID",
      "PUBLIC_URL",
      "AzureWebJobsStorage",
    ])
      expect(told).toContain(name);
  });

  it.each(rows.map(({ name }) => name))("%s that is an unresolved Key Vault reference is a fault", (name) => {
    for (const start of ["@Microsoft.KeyVault(", "@microsoft.keyvault(", `"@Microsoft.KeyVault(`]) {
      const told = faults({ [name]: `${start}SecretUri=https://kv.vault.azure.net/secrets/s/)` });
      expect(told[0]).toMatch(new RegExp(`^${name} is a Key Vault reference that was not resolved`));
      expect(told.join()).not.toContain("kv.vault");
    }
  });

  it("never repeats a value in a fault, because it may be a secret", () => {
    const told = parseSettings(Object.fromEntries(rows.map(({ name }) => [name, "hunter2?!"]))).faults.join();
    expect(told).not.toContain("hunter2");
  });

  it.each(rows.map(({ name }) => name))("%s that is empty or blank means its default", (name) => {
    expect(parseSettings({ ...azure, [name]: "  " })).toEqual(parseSettings({ ...azure, [name]: undefined }));
  });
});

describe("a setting that nobody reads", () => {
  const misspelt = (environment: Record<string, string>) => parseSettings({ ...azure, ...environment }).misspelt;

  it.each([
    ["POLICY_IMAGE", "POLICY_IMAGES"],
    ["policy_registries", "POLICY_REGISTRIES"],
    ["TARGET", "TARGETS"],
    ["JobsStorage__acountName", "JobsStorage__accountName"],
  ])("%s is named with %s", (name, meant) =>
    expect(misspelt({ [name]: "x" })).toEqual([`${name} is no setting and is not read. Is ${meant} meant?`]),
  );

  it("is named by its prefix where it looks like no other", () =>
    expect(misspelt({ POLICY_REGISTRY: "contoso.azurecr.io" })).toEqual([
      "POLICY_REGISTRY is no setting and is not read: docs/settings.md lists all.",
    ]));

  it("is not named where the right one is set as well, where it is empty, or where it is the platform's", () =>
    expect(
      misspelt({
        AZURE_SUBSCRIPTION: "x",
        POLICY_IMAGE: " ",
        AZURE_CLIENT_ID: "x",
        AzureWebJobsStorage__credential: "managedidentity",
        AzureWebJobsSecretStorageType: "files",
        FUNCTIONS_WORKER_RUNTIME: "node",
        WEBSITE_SITE_NAME: "x",
      }),
    ).toEqual([]));

  it("stops nothing", () => expect(faults({ POLICY_IMAGE: "x" })).toEqual([]));
});

describe("a faulty value", () => {
  it.each([
    ["LOOK_INTERVAL_MIN", "soon", "observationFloor"],
    ["LOOK_INTERVAL_MAX", "PT2H", "observationCeiling"],
    ["STOP_TIMEOUT", "1", "stopTimeout"],
    ["FREE_RETRIES", "-1", "freeRetries"],
    ["MAX_BODY_BYTES", "1e6", "maxBodyBytes"],
    ["ADOPT_FINISHED_GROUPS", "maybe", "adoptFinishedGroups"],
    ["PRICE_VCPU_HOUR", "cheap", "priceVcpuHour"],
    ["PRICE_CURRENCY", "euro", "currency"],
    ["DEFAULT_API_VERSION", "latest", "defaultApiVersion"],
    ["AZURE_RESOURCE_MANAGER_ENDPOINT", "management.azure.com", "armEndpoint"],
    ["MAX_ACTIVE_JOBS", "many", "maxActiveJobs"],
  ] as const)("%s=%s is a fault, and its default goes on", (name, value, key) => {
    const parsed = parseSettings({ ...azure, [name]: value });
    expect(parsed.faults).toEqual([expect.stringMatching(new RegExp(`^${name} must `))]);
    expect(parsed[key]).toEqual(settingsTable[key].fallback);
  });

  it.each([
    ["AZURE_SUBSCRIPTION_ID", "my-subscription"],
    ["AZURE_RESOURCE_GROUP", "ends.with.dot."],
    ["TARGETS", "not-a-target"],
    ["TARGETS", `${subscription}/rg/westeurope/more`],
    ["REPLY_QUEUES", "Replies"],
    ["REPLY_QUEUES", "replies,no"],
    ["REPLY_QUEUES", "replies--all"],
    ["REPLY_QUEUES", `r${"x".repeat(63)}`],
    ["REPLY_QUEUES", "aci-jobs"],
    ["REPLY_QUEUES", "answers,Answers"],
    ["REPLY_QUEUES", "a--b"],
    ["REPLY_QUEUES", "-answers"],
    ["REPLY_QUEUES", "answers-"],
    ["REPLY_QUEUES", "ab"],
    ["REPLY_QUEUES", "a".repeat(64)],
    ["REPLY_QUEUES", "my_answers"],
    ["REPLY_QUEUES", "answers answers"],
    ["CALLBACK_HOSTS", "https://adf.azure.com"],
    ["CALLBACK_HOSTS", "adf.azure.com:443"],
    ["CALLBACK_HOSTS", "adf.*.com"],
    ["VAULT_SECRET_PREFIX", "job-*"],
    ["PUBLIC_URL", "https://jobs.example.com/?code=hunter2"],
    ["PUBLIC_URL", "https://user:hunter2@jobs.example.com"],
    ["PUBLIC_URL", "https://jobs.example.com/#jobs"],
    ["AZURE_RESOURCE_MANAGER_ENDPOINT", "https://:hunter2@management.azure.com"],
    ["TARGETS", `${subscription}/my group!/westeurope`],
    ["TARGETS", `${subscription}/rg/"westeurope"`],
    ["AZURE_LOCATION", "'westeurope'"],
  ])("%s=%s is a fault", (name, value) => expect(faults({ [name]: value })[0]).toMatch(new RegExp(`^${name} must `)));
});

it.each([
  { PUBLIC_URL: "jobs.example.com", WEBSITE_HOSTNAME: "" },
  { PULL_IDENTITY: "id-pull", PULL_REGISTRY: "contoso.azurecr.io" },
  { AUTH_MODE: "entra", ENTRA_TENANT_ID: "contoso.onmicrosoft.com", ENTRA_AUDIENCE: "api://jobs" },
])("%j has the one fault that it has, and is not called missing", (environment) => {
  expect(faults(environment)).toEqual([expect.stringMatching(/^(PUBLIC_URL|PULL_IDENTITY|ENTRA_TENANT_ID) must be /)]);
});

describe("values", () => {
  it("durations are ISO 8601 or seconds, words ignore case", () => {
    const parsed = parseSettings({
      ...azure,
      LOOK_INTERVAL_MIN: "PT5S",
      LOOK_INTERVAL_MAX: "90",
      ADOPT_FINISHED_GROUPS: "True",
    });
    expect([parsed.observationFloor, parsed.observationCeiling, parsed.adoptFinishedGroups, parsed.faults]).toEqual([
      5 * second,
      90 * second,
      true,
      [],
    ]);
  });

  it("GATEWAY_PARAMETERS always has code, by which the host takes a key", () => {
    expect(parseSettings({ ...azure, GATEWAY_PARAMETERS: "apikey, code" }).gatewayParameters).toEqual([
      "code",
      "apikey",
    ]);
  });

  it("TARGETS is an ordered list of places, and replaces the original's two settings", () => {
    const other = "99999999-2222-3333-4444-555555555555";
    expect(parseSettings({ ...azure, TARGETS: `${other}/rg-b/northeurope, ${subscription}/rg-a` }).targets).toEqual([
      { subscriptionId: other, resourceGroup: "rg-b", location: "northeurope" },
      { subscriptionId: subscription, resourceGroup: "rg-a", location: undefined },
    ]);
  });

  it("a resource group may have letters of any language, as in Azure, and a region blanks", () => {
    const parsed = parseSettings({ ...azure, AZURE_RESOURCE_GROUP: "rg-(größe)_1", AZURE_LOCATION: "West US 2" });
    expect(parsed.faults).toEqual([]);
    expect(parsed.targets).toMatchObject([{ resourceGroup: "rg-(größe)_1", location: "West US 2" }]);
  });

  it("the original's two settings are one target", () => {
    expect(parseSettings({ ...azure, AZURE_LOCATION: "westeurope" }).targets).toEqual([
      { subscriptionId: subscription, resourceGroup, location: "westeurope" },
    ]);
  });
});

describe("where callers reach the app", () => {
  it.each([
    [{ PUBLIC_URL: "https://jobs.example.com/" }, "https://jobs.example.com"],
    [{}, "https://func-jobs.azurewebsites.net"],
    [{ WEBSITE_HOSTNAME: "localhost:7071" }, "http://localhost:7071"],
  ])("%j: %s", (environment, url) => expect(parseSettings({ ...azure, ...environment }).publicUrl).toBe(url));
});

describe("storage", () => {
  const without = { ...azure, AzureWebJobsStorage: undefined };
  const storage = (environment: Record<string, string>) => parseSettings({ ...without, ...environment }).storage;

  it("by a connection string", () => {
    expect(parseSettings(azure).storage).toEqual({
      kind: "connectionString",
      setting: "AzureWebJobsStorage",
      value: "UseDevelopmentStorage=true",
    });
  });

  it("by identity, short form", () => {
    expect(storage({ AzureWebJobsStorage__accountName: "stjobs", AzureWebJobsStorage__clientId: "c" })).toEqual({
      kind: "identity",
      setting: "AzureWebJobsStorage",
      queue: "https://stjobs.queue.core.windows.net",
      table: "https://stjobs.table.core.windows.net",
      blob: "https://stjobs.blob.core.windows.net",
      clientId: "c",
    });
  });

  it("by identity, a service at a time", () => {
    const uris = {
      AzureWebJobsStorage__queueServiceUri: "https://q",
      AzureWebJobsStorage__tableServiceUri: "https://t",
      AzureWebJobsStorage__blobServiceUri: "https://b",
    };
    expect(storage(uris)).toMatchObject({
      kind: "identity",
      queue: "https://q",
      table: "https://t",
      blob: "https://b",
    });
  });

  it("jobs may live in another account than the host's own", () => {
    expect(parseSettings({ ...azure, JobsStorage: "UseDevelopmentStorage=true" }).storage).toMatchObject({
      setting: "JobsStorage",
    });
  });

  it("is read without blanks around it, and what is empty is absent", () => {
    const value = "UseDevelopmentStorage=true";
    expect(storage({ JobsStorage: " ", AzureWebJobsStorage: ` ${value}\n` })).toMatchObject({ value });
    const address = "AzureWebJobsStorage__queueServiceUri";
    expect(storage({ AzureWebJobsStorage__accountName: "stjobs ", [address]: "" })).toMatchObject({
      kind: "identity",
      queue: "https://stjobs.queue.core.windows.net",
    });
  });

  const suffix = "EndpointSuffix=core.windows.net";
  const addresses = ["Blob", "Queue", "Table"].map((service) => `${service}Endpoint=https://st.example.com/${service}`);

  it.each([
    `DefaultEndpointsProtocol=https;AccountName=stjobs;AccountKey=YQ==;${suffix}`,
    `AccountName=stjobs;AccountKey=YQ==;DefaultEndpointsProtocol=https;${addresses.join(";")};`,
    `${addresses.join(";")};SharedAccessSignature=sv=2024-11-04&sig=YQ%3D%3D`,
    "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://azurite",
  ])("by %s can be connected to", (value) => {
    const parsed = parseSettings({ ...azure, JobsStorage: value });
    expect(parsed.faults).toEqual([]);
    expect(connectStorage(parsed.storage).table("jobs").url).toMatch(/^http/);
  });

  it.each([
    ["JobsStorage", "hunter2"],
    ["JobsStorage", '"UseDevelopmentStorage=true"'],
    ["JobsStorage", `DefaultEndpointsProtocol=https;AccountName=stjobs;AccountKey=hunter2!;${suffix}`],
    ["JobsStorage", "DefaultEndpointsProtocol=https;AccountName=stjobs;AccountKey=YQ=="],
    ["JobsStorage", `AccountName=stjobs;AccountKey=YQ==;${suffix}`],
    ["JobsStorage", `DefaultEndpointsProtocol=https;AccountName=st jobs;AccountKey=YQ==;${suffix}`],
    ["JobsStorage", `${addresses[0]};SharedAccessSignature=sv=hunter2`],
    ["JobsStorage__accountName", "stjobs.blob.core.windows.net"],
    ["JobsStorage__accountName", "St-Jobs"],
  ])("that %s=%s can't name is a fault, and the app loads", (name, value) => {
    const parsed = parseSettings({ ...azure, [name]: value });
    expect(parsed.faults).toEqual([expect.stringMatching(new RegExp(`^${name} must be a storage account's `))]);
    expect(parsed.faults.join()).not.toContain("hunter2");
    expect(connectStorage(parsed.storage).table("jobs").url).toBe("http://127.0.0.1:1/missing");
  });

  it("with something else than an address is a fault that names it", () => {
    const [queue, table, blob] = ["queue", "table", "blob"].map((service) => `JobsStorage__${service}ServiceUri`);
    const environment = { [queue ?? ""]: "https://q", [table ?? ""]: "stjobs", [blob ?? ""]: "https://b" };
    expect(faults(environment)).toEqual([`${table} must be an address, like https://ACCOUNT.table.core.windows.net.`]);
  });

  it.each(
    ["", "__accountName", "__clientId", "__queueServiceUri"].flatMap((form) => [
      [`JobsStorage${form}`, "@Microsoft.KeyVault(VaultName=v;SecretName=s)"],
      [`JobsStorage${form}`, ` "@microsoft.keyvault (SecretUri=https://v/secrets/s)"`],
    ]),
  )("%s that is an unresolved Key Vault reference is a fault: %s", (name, reference) => {
    const account = name === "JobsStorage__accountName" ? {} : { JobsStorage__accountName: "stjobs" };
    const parsed = parseSettings({ ...azure, ...account, [name]: reference });
    expect(parsed.storage).toEqual({ kind: "missing", setting: "JobsStorage" });
    expect(parsed.faults).toEqual([expect.stringMatching(`^${name} is a Key Vault reference that was not resolved`)]);
  });

  it.each([
    ["none", {}],
    ["half an identity", { AzureWebJobsStorage__queueServiceUri: "https://q" }],
    ["an unresolved reference", { AzureWebJobsStorage: "@Microsoft.KeyVault(VaultName=v;SecretName=s)" }],
  ])("%s is a fault", (_, environment) => {
    const parsed = parseSettings({ ...without, ...environment });
    expect([parsed.storage.kind, parsed.faults.length]).toEqual(["missing", 1]);
  });
});

it.each([
  ["http://localhost:8080", true],
  ["http://127.0.0.1:1", true],
  ["http://[::1]:1", true],
  ["https://localhost", false],
  ["http://localhost.example.com", false],
  ["https://management.azure.com", false],
])("a token is not needed at %s: %s", (address, expected) => expect(isLoopback(address)).toBe(expected));

it("every setting is described, and its default in the docs is the default", () => {
  for (const { name, text } of rows) expect(text, name).toMatch(/\.$/);
  const parsed = parseSettings(azure);
  expect([parsed.observationFloor, parsed.stopTimeout]).toEqual([2 * second, 15 * minute]);
});
