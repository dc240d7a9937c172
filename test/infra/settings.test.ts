import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { parseSettings, settingsTable } from "../../src/shared/config/settings.ts";
import { infra } from "./bicep.ts";
import { deploymentOf, environments, ofType, type Environment } from "./environments.ts";

const known = new Set(Object.values(settingsTable).map(({ name }): string => name));

const { absent, platform } = z
  .strictObject({
    absent: z.array(z.strictObject({ why: z.string().min(10), names: z.array(z.string()) })),
    platform: z.record(z.string(), z.string()),
  })
  .parse(JSON.parse(readFileSync(join(infra, "settings.json"), "utf8")));
const absentNames = absent.flatMap(({ names }) => names);

const site = z.object({
  siteConfig: z.object({ appSettings: z.array(z.strictObject({ name: z.string(), value: z.string() })) }),
});

function settingsOf(environment: Environment): Readonly<Record<string, string>> {
  const [app] = ofType(deploymentOf(environment), "Microsoft.Web/sites");
  const { appSettings } = site.parse(app?.properties).siteConfig;
  expect(appSettings.length).toBe(new Set(appSettings.map(({ name }) => name)).size);
  return Object.fromEntries(appSettings.map(({ name, value }) => [name, value]));
}

/** What Azure puts where a snapshot has an expression, by the module output that it reads. */
const samples: readonly (readonly [RegExp, string])[] = [
  [/outputs\.appClientId/, "33333333-3333-3333-3333-333333333333"],
  [/outputs\.connectionString/, "InstrumentationKey=44444444-4444-4444-4444-444444444444;IngestionEndpoint=https://x/"],
  [/outputs\.blobUri/, "https://acct.blob.core.windows.net/"],
  [/outputs\.queueUri/, "https://acct.queue.core.windows.net/"],
  [/outputs\.tableUri/, "https://acct.table.core.windows.net/"],
  [
    /outputs\.pullId/,
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/pull",
  ],
  [/outputs\.loginServer/, "acct.azurecr.io"],
  [/outputs\.sealKeyId/, "https://acct.vault.azure.net/keys/seal"],
  [/outputs\.jobVaultUri/, "https://acct.vault.azure.net/"],
  [/outputs\.endpoint/, "https://topic.westeurope-1.eventgrid.azure.net/api/events"],
  [
    /outputs\.containerSubnetId/,
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n/subnets/c",
  ],
  [/^\[environment\(\)\.resourceManager\]$/, "https://management.azure.com/"],
];

const evaluatedValue = (value: string): string =>
  value.startsWith("[") ? (samples.find(([pattern]) => pattern.test(value))?.[1] ?? value) : value;

describe.each(environments)("The app settings of $name", (environment) => {
  const settings = settingsOf(environment);

  test("are each a setting that the code knows or one of the platform's", () => {
    const unknown = Object.keys(settings).filter((name) => !known.has(name) && platform[name] === undefined);
    expect(unknown, "add it to the settings table or to infra/settings.json").toEqual([]);
  });

  test("leave out only what infra/settings.json gives a reason for", () => {
    const missing = [...known].filter((name) => !(name in settings) && !absentNames.includes(name));
    expect(missing, "set it in infra/main.bicep or give a reason in infra/settings.json").toEqual([]);
  });

  test("are valid for the code that reads them", () => {
    const values = Object.entries(settings).map(([name, value]) => [name, evaluatedValue(value)] as const);
    expect(values.filter(([, value]) => value.startsWith("["))).toEqual([]);
    const { faults, storage, targets } = parseSettings({
      ...Object.fromEntries(values),
      WEBSITE_HOSTNAME: "app.azurewebsites.net",
    });
    expect(faults).toEqual([]);
    expect(storage.kind).toBe("identity");
    expect(targets[0]?.location).toBe("westeurope");
  });

  test("hold no secret, nor a reference to one", () => {
    const text = JSON.stringify(settings);
    expect(text).not.toMatch(/AccountKey|SharedAccess|listKeys|listCredentials|@Microsoft\.KeyVault|[?&]sig=/i);
  });
});

test("infra/settings.json names no setting that is not there, and no setting twice", () => {
  expect(absentNames.filter((name) => !known.has(name))).toEqual([]);
  expect(absentNames).toHaveLength(new Set(absentNames).size);
});

test("the extra places of prod are targets, each with its region", () => {
  const prod = environments.find(({ name }) => name === "prod");
  const targets = prod
    ? settingsOf(prod)
        ["TARGETS"]?.split(",")
        .map((target) => target.split("/").slice(1).join("/"))
    : [];
  expect(targets).toEqual(["aci-groups/westeurope", "aci-groups/swedencentral", "aci-groups-north/northeurope"]);
});
