import { describe, expect, test } from "vitest";
import {
  containsPlaceholder,
  isPlaceholder,
  replaceVaultReferences,
  vaultReferencesIn,
} from "../../../src/shared/definition/placeholders.ts";
import { container, faultsOf, group, pathsOf, warningsOf } from "./kit.ts";

const leftovers = [
  "<your-registry>/tool:1",
  "${IMAGE}",
  "$(acrName).azurecr.io/$(imageName):$(Build.BuildId)",
  "$IMAGE_TAG",
  "tool:$TAG",
  "%IMAGE%",
  "__REGISTRY__/tool:__SHA__",
  "{{ image }}",
  "{{image}}:1",
  "#{Octopus.Image}",
  "[parameters('image')]",
  "YOUR_ACR/tool",
  "REPLACE_ME.azurecr.io/tool",
  "CHANGEME",
  "tool:TODO",
  "${keyvault:}",
  "${keyvault:a/b/c}",
];

const sound = [
  "demo.azurecr.io/tool:1",
  "your-registry.azurecr.io/events-api:latest",
  "my_tool",
  "a__b",
  "example.com/a",
  "${keyvault:image-name}",
  "${keyvault:a/0123456789abcdef}",
  "west europe",
  "todo-app",
];

describe("a template placeholder", () => {
  test.each(leftovers)("%s is one", (text) => {
    expect(containsPlaceholder(text)).toBe(true);
  });

  test.each(sound)("%s is no placeholder", (text) => {
    expect(containsPlaceholder(text)).toBe(false);
  });

  test.each(leftovers)("left in image, name, location, subnet or DNS label it is a fault (%s)", (text) => {
    const faults = faultsOf(
      group(
        {
          containers: [container({ image: text, ports: [{ port: 80 }] })],
          subnetIds: [{ id: text }],
          ipAddress: { type: "Private", ports: [{ port: 80 }], dnsNameLabel: text },
        },
        { name: text, location: text },
      ),
    );
    expect(pathsOf(faults)).toEqual([
      "name",
      "location",
      "properties.containers[0].properties.image",
      "properties.subnetIds[0].id",
      "properties.ipAddress.dnsNameLabel",
    ]);
    expect(faults.filter(({ message }) => message.includes("placeholder"))).toHaveLength(5);
  });

  test("left in credentials and values it is a warning", () => {
    const text = group({
      containers: [
        container({
          environmentVariables: [
            { name: "A", value: "<value>" },
            { name: "B", secureValue: "$(secret)" },
            { name: "C", value: "say <b>hello</b> to $USER" },
          ],
        }),
      ],
      imageRegistryCredentials: [{ server: "<registry>", username: "{{user}}", password: "__PASSWORD__" }],
      volumes: [
        {
          name: "files",
          azureFile: { shareName: "${share}", storageAccountName: "<account>", storageAccountKey: "[key]" },
        },
        { name: "certs", secret: { a: "<base64>" } },
      ],
      diagnostics: { logAnalytics: { workspaceId: "<id>", workspaceKey: "<key>" } },
    });
    expect(faultsOf(text)).toEqual([]);
    expect(pathsOf(warningsOf(text)).map((path) => path.split(".").at(-1))).toEqual([
      "value",
      "secureValue",
      "server",
      "username",
      "password",
      "shareName",
      "storageAccountName",
      "storageAccountKey",
      "a",
      "workspaceId",
      "workspaceKey",
    ]);
  });
});

describe("a reference to a vault", () => {
  test("is found anywhere in a text, with and without version", () => {
    expect(vaultReferencesIn("a ${keyvault:job-a} b ${keyvault:job-b/0f} c ${other}")).toMatchObject([
      { name: "job-a", version: undefined },
      { name: "job-b", version: "0f" },
    ]);
    expect(vaultReferencesIn("${keyvault:a_b} ${keyvault:} ${KEYVAULT:a}")).toEqual([]);
  });

  test("is replaced, dollar signs and all", () => {
    expect(
      replaceVaultReferences("x=${keyvault:a};y=${keyvault:b/1}", ({ name, version }) => `$&${name}${version ?? ""}`),
    ).toBe("x=$&a;y=$&b1");
  });

  test("is no placeholder, and no reason to warn", () => {
    expect(isPlaceholder("${keyvault:a}")).toBe(false);
    const text = group({
      containers: [container({ environmentVariables: [{ name: "A", secureValue: "${keyvault:job-a}" }] })],
      imageRegistryCredentials: [
        { server: "${keyvault:job-s}", username: "${keyvault:job-u}", password: "${keyvault:job-p/0123}" },
      ],
      volumes: [{ name: "files", secret: { a: "${keyvault:job-f}" } }],
    });
    expect(faultsOf(text)).toEqual([]);
    expect(warningsOf(text)).toEqual([]);
  });
});
