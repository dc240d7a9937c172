import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { infra } from "./bicep.ts";
import { deploymentOf, environments, ofType } from "./environments.ts";

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
