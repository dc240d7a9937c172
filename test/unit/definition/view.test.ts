import { expect, test } from "vitest";
import { viewOf } from "../../../src/shared/definition/index.ts";
import type { JsonObject } from "../../../src/shared/base/json.ts";
import { container, definitionOf, group } from "./kit.ts";

const identity = (name: string): string =>
  `/subscriptions/0a/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`;
const subnet = "/subscriptions/0a/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/s";

test("the view holds what policy, placement and tables need", () => {
  const text = group(
    {
      osType: "linux",
      restartPolicy: "onfailure",
      PRIORITY: "regular",
      sku: "Standard",
      initContainers: [container({ image: "demo.azurecr.io/fetch:1", resources: null }, "fetch")],
      containers: [
        container({ environmentVariables: [{ name: "A", value: "1" }], securityContext: { privileged: "True" } }),
        container({ resources: { requests: { cpu: "0.5", memoryInGb: 0.7 } } }, "other"),
      ],
      imageRegistryCredentials: [{ server: "demo.azurecr.io", identity: identity("puller") }],
      subnetIds: [{ id: subnet }],
      volumes: [
        {
          name: "share",
          azureFile: { shareName: "s", storageAccountName: "account", storageAccountKey: "not-a-real-key" },
        },
        { name: "files", SECRET: { a: "YQ==" } },
        { name: "empty", emptyDir: {} },
      ],
      secretReferences: [
        { name: "s", identity: identity("vault-reader"), secretReferenceUri: "https://v.invalid/secrets/s" },
      ],
    },
    { identity: { type: "SystemAssigned, UserAssigned", userAssignedIdentities: { [identity("puller")]: {} } } },
  );
  const { view, body } = definitionOf(text);
  expect(view).toEqual({
    location: "westeurope",
    restartPolicy: "OnFailure",
    priority: "Regular",
    containers: [
      { name: "main", image: "demo.azurecr.io/tool:1", cpu: 1, memoryGB: 1.5 },
      { name: "other", image: "demo.azurecr.io/tool:1", cpu: 0.5, memoryGB: 0.7 },
    ],
    initContainers: ["fetch"],
    cpu: 1.5,
    memoryGB: 2.2,
    images: ["demo.azurecr.io/fetch:1", "demo.azurecr.io/tool:1"],
    registryServers: ["demo.azurecr.io"],
    publicIp: false,
    vaultReferences: [],
  });
  expect(viewOf(JSON.parse(JSON.stringify(body)) as JsonObject)).toEqual(view); // JSON by construction
});

test("no restartPolicy is Always", () => {
  for (const restartPolicy of [undefined, null]) {
    const { view } = definitionOf(
      group()
        .replace('"Never"', restartPolicy === null ? "null" : '"Never"')
        .replace(restartPolicy === undefined ? /"restartPolicy": "Never",\n/ : /$^/, ""),
    );
    expect(view.restartPolicy).toBe("Always");
  }
});

test("an address is public unless it says Private", () => {
  const exposed = { containers: [container({ ports: [{ port: 80 }] })] };
  const address = { ports: [{ port: 80 }], dnsNameLabel: "my-label" };
  expect(definitionOf(group({ ...exposed, ipAddress: { ...address, type: "Public" } })).view).toMatchObject({
    publicIp: true,
  });
  expect(viewOf({ properties: { ipAddress: address } }).publicIp).toBe(true);
});
