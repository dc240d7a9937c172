import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { load } from "js-yaml";
import { describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { bicep, infra, inCopy, without } from "./bicep.ts";
import { said, warmCompiler } from "./compiler.ts";
import { deploymentOf, environments, ofType } from "./environments.ts";

vi.setConfig({ testTimeout: 180_000 });

const root = join(infra, "..");

/** What is used of the published schema of azure.yaml (Azure/azure-dev, schemas/v1.0). */
const script = z.strictObject({ shell: z.enum(["sh", "pwsh"]), run: z.string() });
const hook = z.strictObject({ posix: script, windows: script });
const azureYaml = z.strictObject({
  name: z.string().regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/),
  infra: z.strictObject({ provider: z.literal("bicep"), path: z.string(), module: z.string() }),
  services: z.record(
    z.string(),
    z.strictObject({
      project: z.string(),
      host: z.literal("function"),
      language: z.literal("js"),
      dist: z.string(),
      remoteBuild: z.boolean(),
    }),
  ),
  hooks: z.partialRecord(z.enum(["preprovision", "prepackage", "postdeploy"]), hook),
});

describe("azd", () => {
  const yaml = azureYaml.parse(load(readFileSync(join(root, "azure.yaml"), "utf8")));
  const azd = environments.find(({ name }) => name === "azd");
  const deployment = azd ? deploymentOf(azd) : undefined;
  if (deployment === undefined) throw new Error("no azd environment");

  test("finds its template and parameters", () => {
    for (const extension of ["bicep", "bicepparam"]) {
      expect(existsSync(join(root, yaml.infra.path, `${yaml.infra.module}.${extension}`))).toBe(true);
    }
  });

  test("finds the Function App by the service's name, and its resource groups by the environment's", () => {
    const [app] = ofType(deployment, "Microsoft.Web/sites");
    expect(Object.keys(yaml.services)).toEqual([app?.tags?.["azd-service-name"]]);
    const groups = ofType(deployment, "Microsoft.Resources/resourceGroups");
    expect(groups.map(({ name, tags }) => [name, tags?.["azd-env-name"]])).toEqual([
      ["rg-aci-proxy", "aci-proxy"],
      ["rg-aci-proxy-groups", "aci-proxy"],
    ]);
  });

  test("uploads the folder that the package step lays out, and builds nothing in Azure", () => {
    expect(yaml.services["app"]).toMatchObject({ dist: ".local/package/app", remoteBuild: false });
    // azd refuses a build of one's own where .funcignore leaves node_modules out (service_target_functionapp.go).
    expect(existsSync(join(root, ".funcignore"))).toBe(false);
  });

  test("leaves in its environment what the step after deployment and a newcomer need", () => {
    expect(Object.keys(deployment.outputs).sort()).toEqual(
      expect.arrayContaining([
        "AZURE_LOCATION",
        "AZURE_RESOURCE_GROUP",
        "FUNCTION_APP_URL",
        "KEY_VAULT",
        "NEXT_1_IMAGE",
        "NEXT_2_PIPELINE",
      ]),
    );
  });
});

test("every environment says what comes next", () => {
  for (const environment of environments.filter(({ name }) => name !== "azd")) {
    const { outputs } = deploymentOf(environment);
    expect(outputs["NEXT_1_CODE"]).toBe("bash infra/publish.sh aci");
    expect(outputs["NEXT_2_IMAGE"]).toMatch(
      /^az acr build --registry \w+ --image container1:latest Containers\/container1$/,
    );
    expect(outputs["NEXT_3_PIPELINE"]).toMatch(
      /^https:\/\/adf\.azure\.com\/en\/authoring\?factory=%2Fsubscriptions%2F/,
    );
  }
});

/** What azd decides itself, or names otherwise. */
const azdsOwn = ["location", "tags", "groupsResourceGroup", "administratorId", "administratorType"];

const template = z.object({ parameters: z.record(z.string(), z.record(z.string(), z.unknown())) });

const compiler = warmCompiler();

async function parametersOf(file: string) {
  const compiled = await compiler().compile(join(infra, file));
  if (typeof compiled.contents !== "string") throw new Error(said(compiled));
  return template.parse(JSON.parse(compiled.contents)).parameters;
}

/** The variable that `azd env set` sets for a parameter: existingRegistryId is ACI_PROXY_EXISTING_REGISTRY_ID. */
const variableOf = (parameter: string): string =>
  `ACI_PROXY_${parameter.replace(/([a-z])([A-Z])/g, "$1_$2").toUpperCase()}`;

const compiled = bicep === undefined ? describe.skip : describe;

compiled(`azd can set everything that main.bicep can${bicep === undefined ? ` (${without})` : ""}`, () => {
  const text = readFileSync(join(infra, "azd.bicepparam"), "utf8");

  test("by a parameter of the same name, type, bounds and default", async () => {
    const [main, azd] = [await parametersOf("main.bicep"), await parametersOf("azd.bicep")];
    expect(
      Object.keys(azd)
        .filter((name) => name !== "environmentName")
        .sort(),
    ).toEqual(Object.keys(main).sort());
    for (const [name, { metadata: _mains, ...declared }] of Object.entries(main)) {
      if (azdsOwn.includes(name)) continue;
      const { metadata: _azds, ...asAzd } = azd[name] ?? {};
      expect(asAzd, name).toEqual(declared);
    }
  });

  test("and hands each on", () => {
    const azd = readFileSync(join(infra, "azd.bicep"), "utf8");
    for (const [, name = ""] of readFileSync(join(infra, "main.bicep"), "utf8").matchAll(/^param (\w+)/gm)) {
      const given = new RegExp(`^ {4}${name}: (.*)$`, "m").exec(azd)?.[1];
      expect(given, name).toMatch(azdsOwn.includes(name) ? /\w/ : new RegExp(`^${name}$`));
    }
  });

  test("from a variable of its own, which defaults to what the template has", async () => {
    const read = new Map(
      [...text.matchAll(/^param (\w+) = (?:\w+\()?readEnvironmentVariable\('(\w+)', (.*?)\)+$/gm)].map(
        ([, name = "", variable = "", otherwise = ""]) => [name, `${variable} ${otherwise.replace(/^'(.*)'$/, "$1")}`],
      ),
    );
    for (const [name, { defaultValue }] of Object.entries(await parametersOf("azd.bicep"))) {
      if (defaultValue === undefined || name.startsWith("administrator")) continue;
      const otherwise = typeof defaultValue === "string" ? defaultValue : JSON.stringify(defaultValue);
      expect(read.get(name), name).toBe(`${variableOf(name)} ${otherwise}`);
    }
  });
});

compiled(`What azd env set sets${bicep === undefined ? ` (${without})` : ""}`, () => {
  const set = {
    ACI_PROXY_NETWORK: "true",
    ACI_PROXY_ALWAYS_READY_WAKE: "2",
    ACI_PROXY_INSTANCE_MEMORY_MB: "4096",
    ACI_PROXY_EXTRA_TARGETS: '[{"location":"northeurope"}]',
    ACI_PROXY_EXTRA_SETTINGS: '{"ACI_CREATES_PER_HOUR":"150"}',
    ACI_PROXY_GROUPS_RESOURCE_GROUP: "their-groups",
  };
  const withSet = warmCompiler(set);

  test("arrives, numbers, lists and objects too", async () => {
    const deployed = await withSet().snapshot(join(infra, "azd.bicepparam"), {
      subscriptionId: "11111111-1111-1111-1111-111111111111",
      location: "westeurope",
    });
    expect(deployed.refused).toBe(false);
    for (const part of [
      '"instanceMemoryMB": 4096',
      '"name": "function:wake"',
      '"value": "150"',
      "/their-groups/northeurope",
    ])
      expect(deployed.text).toContain(part);
    expect(deployed.text).not.toContain("rg-aci-proxy-groups");
  });

  test("is refused where it is no such thing", async () => {
    const said = await inCopy(async (folder) => {
      const text = readFileSync(join(infra, "azd.bicepparam"), "utf8").replace("'false'", "'perhaps'");
      await writeFile(join(folder, "azd.bicepparam"), text);
      return compiler().compile(join(folder, "azd.bicepparam"));
    });
    expect(said.success).toBe(false);
  });
});
