// Longer than 350 lines: a row for each rule about definitions.
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../src/shared/base/json.ts";
import { accepted, container, faultsOf, group, groupOf, parseFixture, reported, warningsOf } from "./kit.ts";

const c = "properties.containers[0]";
const subnet = "/subscriptions/0a/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/aci";

/** One row per rule: the group's properties, and what is reported of them. */
type Row = readonly [what: string, properties: JsonObject, told: readonly string[], top?: JsonObject];

const rows = (table: readonly Row[]) =>
  table.map(([what, properties, expected, top = {}]) => ({ what, properties, expected, top }));

const refused: readonly Row[] = [
  ["no osType", { osType: null }, ["properties.osType: osType is missing: write Linux or Windows."]],
  [
    "no containers",
    { containers: null },
    ["properties.containers: containers is missing or empty: a group needs at least one container."],
  ],
  [
    "no container",
    { containers: [] },
    ["properties.containers: containers is missing or empty: a group needs at least one container."],
  ],
  [
    "an empty container",
    { containers: [null] },
    [
      `${c}.name: name is missing: each container needs a name.`,
      `${c}.properties: properties is missing: it holds the container's image and the rest.`,
    ],
  ],
  [
    "61 containers",
    { containers: Array.from({ length: 61 }, (_, index) => container({}, `c${index}`)) },
    [
      "properties.containers: A group may have at most 60 containers.",
      "properties.containers: The containers together ask for more than ACI gives one group (31 CPUs, 240 GB); ask for less.",
    ],
  ],
  [
    "a bad location",
    {},
    ["location: A template placeholder is left in location; write a region, or leave it out."],
    { location: "[resourceGroup().location]" },
  ],
  ["two zones", {}, ["zones[1]: A container group stands in one zone only; keep one of zones."], { zones: ["1", "2"] }],
  [
    "a NUL in a command",
    { containers: [container({ command: ["sh", "a\0b"] })] },
    [`${c}.properties.command[1]: A command can't have a NUL character.`],
  ],
  [
    "null in a command",
    { containers: [container({ command: ["sh", null] })] },
    [`${c}.properties.command[1]: An item of command is null; write text, in quotes if it is empty.`],
  ],
  [
    "a tag's name",
    {},
    ["tags.a/b: A tag's name may have at most 512 characters and may not contain < > % & \\ ? /."],
    { tags: { "a/b": "c" } },
  ],
  [
    "51 tags",
    {},
    ["tags: tags has more than the 50 that a resource may carry."],
    { tags: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`t${index}`, "x"])) },
  ],
  [
    "a container's name",
    { containers: [container({}, "Main")] },
    [
      `${c}.name: A container's name must be 1 to 63 lower-case letters, digits and dashes, with no dash first or last.`,
    ],
  ],
  [
    "a name given twice",
    { containers: [container(), container()] },
    ["properties.containers[1].name: Two containers of the group have this name; each needs its own."],
  ],
  [
    "a name given to an init container too",
    { initContainers: [container()] },
    [`${c}.name: Two containers of the group have this name; each needs its own.`],
  ],
  [
    "no image",
    { containers: [container({ image: null })] },
    [`${c}.properties.image: image is missing: name the image to run.`],
  ],
  [
    "an image with blanks",
    { containers: [container({ image: "my image" })] },
    [
      `${c}.properties.image: image is no image reference, which is like REGISTRY/NAME:TAG, without blanks and without https://.`,
    ],
  ],
  [
    "an image with https://",
    { containers: [container({ image: "https://a.io/b" })] },
    [
      `${c}.properties.image: image is no image reference, which is like REGISTRY/NAME:TAG, without blanks and without https://.`,
    ],
  ],
  ...["user:hunter2@a.io/b", "user:hunter2@a.io/b:1@sha256:" + "0".repeat(64), "a.io/b@hunter2", "a@b.io:5000/c"].map(
    (image): Row => [
      `an image with a password or something else in front of its registry: ${image.slice(0, 20)}`,
      { containers: [container({ image })] },
      [
        `${c}.properties.image: image must hold no user and password, and '@' only in front of a digest; credentials belong in imageRegistryCredentials.`,
      ],
    ],
  ),
  [
    "no requests",
    { containers: [container({ resources: {} })] },
    [
      `${c}.properties.resources.requests: resources.requests is missing: say how much cpu and memoryInGB the container needs.`,
    ],
  ],
  [
    "no cpu",
    { containers: [container({ resources: { requests: { memoryInGB: 1 } } })] },
    [`${c}.properties.resources.requests.cpu: cpu is missing in resources.requests.`],
  ],
  [
    "no memory to speak of",
    { containers: [container({ resources: { requests: { cpu: 1, memoryInGB: 0 } } })] },
    [`${c}.properties.resources.requests.memoryInGB: memoryInGB must be more than 0.`],
  ],
  [
    "memory in other steps than tenths",
    { containers: [container({ resources: { requests: { cpu: 1, memoryInGB: 1.25 } } })] },
    [`${c}.properties.resources.requests.memoryInGB: memoryInGB must be a multiple of 0.1.`],
  ],
  [
    "33 CPUs",
    { containers: [container({ resources: { requests: { cpu: 33, memoryInGB: 1 } } })] },
    [
      "properties.containers: The containers together ask for more than ACI gives one group (31 CPUs, 240 GB); ask for less.",
    ],
  ],
  [
    "a limit above the group's total",
    {
      containers: [
        container({ resources: { requests: { cpu: 1, memoryInGB: 1 }, limits: { cpu: 2, memoryInGB: 1 } } }),
      ],
    },
    [
      `${c}.properties.resources.limits.cpu: A container's limit of cpu can't be more than all containers of the group request together.`,
    ],
  ],
  [
    "a variable's name",
    { containers: [container({ environmentVariables: [{ name: "a.b", value: "1" }] })] },
    [
      `${c}.properties.environmentVariables[0].name: A variable's name must begin with a letter or '_' and have only letters, digits and '_'.`,
    ],
  ],
  [
    "a variable without a name",
    { containers: [container({ environmentVariables: [{ value: "1" }] })] },
    [`${c}.properties.environmentVariables[0].name: name is missing: each environment variable needs a name.`],
  ],
  [
    "a probe of two kinds",
    { containers: [container({ livenessProbe: { exec: { command: ["a"] }, httpGet: { port: 80 } } })] },
    [`${c}.properties.livenessProbe: A probe needs one of exec and httpGet, and only one.`],
  ],
  [
    "a probe of no kind",
    { containers: [container({ readinessProbe: { periodSeconds: 5 } })] },
    [`${c}.properties.readinessProbe: A probe needs one of exec and httpGet, and only one.`],
  ],
  [
    "a probe without a command",
    { containers: [container({ readinessProbe: { exec: {} } })] },
    [`${c}.properties.readinessProbe.exec.command: command is missing or empty: a probe's exec needs a command.`],
  ],
  [
    "a probe without a port",
    { containers: [container({ readinessProbe: { httpGet: { path: "/" } } })] },
    [`${c}.properties.readinessProbe.httpGet.port: port is missing.`],
  ],
  [
    "a probe in the past",
    { containers: [container({ readinessProbe: { httpGet: { port: 80 }, periodSeconds: -1 } })] },
    [`${c}.properties.readinessProbe.periodSeconds: periodSeconds can't be negative.`],
  ],
  [
    "a port out of range",
    { containers: [container({ ports: [{ port: 65536 }] })] },
    [`${c}.properties.ports[0].port: port must be from 1 to 65535.`],
  ],
  [
    "one port in two containers",
    {
      containers: [
        container({ ports: [{ port: 80 }] }),
        container(
          {
            ports: [
              { port: 80, protocol: "tcp" },
              { port: 80, protocol: "UDP" },
            ],
          },
          "other",
        ),
      ],
    },
    [
      "properties.containers[1].properties.ports[0]: The group's containers share one address, so that each port can be listened on once; remove one of the two.",
    ],
  ],
  [
    "an address without ports",
    { ipAddress: { type: "Public", ports: [] } },
    [
      "properties.ipAddress.ports: ports is missing or empty in ipAddress: name at least one port, or remove ipAddress.",
    ],
  ],
  [
    "an address without type",
    { containers: [container({ ports: [{ port: 80 }] })], ipAddress: { ports: [{ port: 80 }] } },
    ["properties.ipAddress.type: type is missing in ipAddress: write Public or Private."],
  ],
  [
    "a port that no container lists",
    { ipAddress: { type: "Public", ports: [{ port: 80 }] } },
    ["properties.ipAddress.ports[0].port: No container of the group lists this port in its own ports; add it there."],
  ],
  [
    "six ports",
    {
      containers: [container({ ports: [1, 2, 3, 4, 5, 6].map((port) => ({ port })) })],
      ipAddress: { type: "Public", ports: [1, 2, 3, 4, 5, 6].map((port) => ({ port })) },
    },
    ["properties.ipAddress.ports: An ipAddress may have at most 5 ports."],
  ],
  [
    "a port twice",
    {
      containers: [container({ ports: [{ port: 80 }] })],
      ipAddress: { type: "Public", ports: [{ port: 80 }, { port: "80", protocol: "tcp" }] },
    },
    ["properties.ipAddress.ports[1]: This port is listed twice in ipAddress; keep one."],
  ],
  [
    "a private address without subnet",
    { containers: [container({ ports: [{ port: 80 }] })], ipAddress: { type: "private", ports: [{ port: 80 }] } },
    ["properties.ipAddress.type: A Private ipAddress needs subnetIds; add the subnet, or remove ipAddress."],
  ],
  [
    "a public address in a subnet",
    {
      containers: [container({ ports: [{ port: 80 }] })],
      subnetIds: [{ id: subnet }],
      ipAddress: { type: "Public", ports: [{ port: 80 }] },
    },
    [
      "properties.ipAddress.type: A group in a subnet can't have a Public ipAddress; make it Private, or remove subnetIds.",
    ],
  ],
  [
    "a DNS label",
    {
      containers: [container({ ports: [{ port: 80 }] })],
      ipAddress: { type: "Public", ports: [{ port: 80 }], dnsNameLabel: "a_label" },
    },
    [
      "properties.ipAddress.dnsNameLabel: dnsNameLabel must be 5 to 63 letters, digits and dashes, with no dash first or last.",
    ],
  ],
  [
    "a subnet's name for its id",
    { subnetIds: [{ id: "aci" }] },
    [
      "properties.subnetIds[0].id: A subnet is named by its full resource id: /subscriptions/.../virtualNetworks/NAME/subnets/NAME.",
    ],
  ],
  [
    "a subnet without id",
    { subnetIds: [{ name: "aci" }] },
    ["properties.subnetIds[0].id: id is missing: a subnet is named by its full resource id."],
  ],
  [
    "a volume without kind",
    { volumes: [{ name: "files" }] },
    [
      "properties.volumes[0]: The volume does not say what it is: give it one of azureFile, emptyDir, secret, secretReference, gitRepo.",
    ],
  ],
  [
    "an empty directory written as null",
    { volumes: [{ name: "files", emptyDir: null }] },
    [
      "properties.volumes[0]: The volume does not say what it is: give it one of azureFile, emptyDir, secret, secretReference, gitRepo (an empty directory is written emptyDir: {}).",
    ],
  ],
  [
    "a volume of two kinds",
    { volumes: [{ name: "files", emptyDir: {}, gitRepo: { repository: "https://a.invalid/b" } }] },
    [
      "properties.volumes[0]: A volume is one of azureFile, emptyDir, secret, secretReference, gitRepo; split this one.",
    ],
  ],
  [
    "a volume's name",
    { volumes: [{ name: "My_Files", emptyDir: {} }] },
    [
      "properties.volumes[0].name: A volume's name must be 5 to 63 lower-case letters, digits and dashes, with no dash first or last.",
    ],
  ],
  [
    "a volume's name twice",
    {
      volumes: [
        { name: "files", emptyDir: {} },
        { name: "files", emptyDir: {} },
      ],
    },
    ["properties.volumes[1].name: Two volumes have this name; each needs its own."],
  ],
  [
    "21 volumes",
    { volumes: Array.from({ length: 21 }, (_, index) => ({ name: `files${index}`, emptyDir: {} })) },
    ["properties.volumes: A group may have at most 20 volumes."],
  ],
  [
    "a share without account",
    { volumes: [{ name: "files", azureFile: { shareName: "s", storageAccountKey: "k" } }] },
    ["properties.volumes[0].azureFile.storageAccountName: storageAccountName is missing in azureFile."],
  ],
  [
    "a repository without address",
    { volumes: [{ name: "files", gitRepo: {} }] },
    ["properties.volumes[0].gitRepo.repository: repository is missing in gitRepo."],
  ],
  [
    "a mount without volume",
    { containers: [container({ volumeMounts: [{ name: "files", mountPath: "/a" }] })] },
    [
      `${c}.properties.volumeMounts[0].name: No volume of the group has this name; add it to volumes, under the group's properties.`,
    ],
  ],
  [
    "a mount's path",
    {
      containers: [container({ volumeMounts: [{ name: "files", mountPath: "/a:b" }] })],
      volumes: [{ name: "files", emptyDir: {} }],
    },
    [`${c}.properties.volumeMounts[0].mountPath: mountPath can't have a ':'.`],
  ],
  [
    "credentials for no registry",
    { imageRegistryCredentials: [{ username: "u", password: "p" }] },
    [
      "properties.imageRegistryCredentials[0].server: server is missing: name the registry's host, like NAME.azurecr.io.",
    ],
  ],
  [
    "two containers on Windows",
    { osType: "Windows", containers: [container(), container({}, "other")] },
    ["properties.osType: A Windows group may have one container only, and no init containers."],
  ],
  [
    "a Spot group with an address",
    {
      priority: "Spot",
      containers: [container({ ports: [{ port: 80 }] })],
      ipAddress: { type: "Public", ports: [{ port: 80 }] },
    },
    ["properties.ipAddress: A Spot group can't have an ipAddress; remove it or make priority Regular."],
  ],
  [
    "a Spot group of another sku",
    { priority: "Spot", sku: "Dedicated" },
    ["properties.sku: A Spot group must have sku Standard."],
  ],
  [
    "a Spot group with GPUs",
    {
      priority: "Spot",
      containers: [container({ resources: { requests: { cpu: 1, memoryInGB: 1, gpu: { count: 1, sku: "V100" } } } })],
    },
    [`${c}.properties.resources.requests.gpu: A Spot group can't have GPUs; remove gpu or make priority Regular.`],
  ],
];

describe("what the service surely refuses is a fault", () => {
  test.each(rows(refused))("$what", ({ properties, expected, top }) => {
    expect(reported(faultsOf(group(properties, top))).toSorted()).toEqual(expected.toSorted());
  });
});

const doubted: readonly Row[] = [
  [
    "a GPU",
    { containers: [container({ resources: { requests: { cpu: 1, memoryInGB: 1, gpu: { count: 1, sku: "V100" } } } })] },
    [
      `${c}.properties.resources.requests.gpu: GPUs in ACI were retired in July 2025; the group is likely to be refused.`,
    ],
  ],
  [
    "more than 4 CPUs",
    { containers: [container({ resources: { requests: { cpu: 5, memoryInGB: 1 } } })] },
    [
      "properties.containers: More than 4 CPUs or 16 GB need a quota that was asked for in the region; without it the group is refused.",
    ],
  ],
  [
    "more than 4 CPUs of Spot",
    { priority: "Spot", containers: [container({ resources: { requests: { cpu: 5, memoryInGB: 1 } } })] },
    ["properties.containers: A Spot group may have at most 4 CPUs and 16 GB; it is likely to be refused."],
  ],
  [
    "200 GB of a confidential group",
    { sku: "Confidential", containers: [container({ resources: { requests: { cpu: 4, memoryInGB: 200 } } })] },
    [
      "properties.containers: The containers together ask for more than ACI's documented 31 CPUs and 180 GB; it is likely to be refused.",
    ],
  ],
  [
    "a reserved port",
    { containers: [container({ ports: [{ port: 22 }] })], ipAddress: { type: "Public", ports: [{ port: 22 }] } },
    [
      `${c}.properties.ports[0].port: Azure keeps this port for itself; the group may be refused, choose another.`,
      "properties.ipAddress.ports[0].port: Azure keeps this port for itself; the group may be refused, choose another.",
    ],
  ],
  [
    "a network profile",
    { networkProfile: { id: "/subscriptions/0a/x" } },
    [
      "properties.networkProfile: Network profiles are retired; use subnetIds with apiVersion 2021-07-01 or newer, or the group may be refused.",
    ],
    { apiVersion: "2019-12-01" },
  ],
  [
    "a short DNS label",
    {
      containers: [container({ ports: [{ port: 80 }] })],
      ipAddress: { type: "Public", ports: [{ port: 80 }], dnsNameLabel: "abc" },
    },
    ["properties.ipAddress.dnsNameLabel: dnsNameLabel should have at least 5 characters; it may be refused."],
  ],
  [
    "a DNS label of a private address",
    {
      containers: [container({ ports: [{ port: 80 }] })],
      subnetIds: [{ id: subnet }],
      ipAddress: { type: "Private", ports: [{ port: 80 }], dnsNameLabel: "label" },
    },
    [
      "properties.ipAddress.dnsNameLabel: A Private ipAddress has no public name: dnsNameLabel has no effect or is refused.",
    ],
  ],
  [
    "a short volume's name",
    { volumes: [{ name: "data", emptyDir: {} }] },
    [
      "properties.volumes[0].name: A volume's name should have at least 5 characters and no two dashes in a row; it may be refused.",
    ],
  ],
  [
    "Spot in a zone",
    { priority: "Spot" },
    ["zones: Spot groups are not supported in zones; it is likely to be refused."],
    { zones: ["1"] },
  ],
  [
    "a command in one word",
    { containers: [container({ command: ["python app.py"] })] },
    [
      `${c}.properties.command[0]: The whole first item is taken as the program's name, blanks and all; split it, or run it by a shell: [sh, -c, ...].`,
    ],
  ],
  [
    "a command whose first item holds arguments",
    { containers: [container({ livenessProbe: { exec: { command: ["cat /tmp/healthy", "-v"] } } })] },
    [
      `${c}.properties.livenessProbe.exec.command[0]: The whole first item is taken as the program's name, blanks and all; give each argument an item of its own.`,
    ],
  ],
  [
    "secrets that end with a line break",
    {
      containers: [
        container({
          environmentVariables: [
            { name: "PLAIN", value: "text\n" },
            { name: "DB_PASSWORD", value: "hunter2\r" },
            { name: "OTHER", secureValue: "hunter3\r\n" },
            { name: "PEM_KEY", secureValue: "-----BEGIN-----\nabc\n-----END-----\n" },
          ],
        }),
      ],
      imageRegistryCredentials: [{ server: "demo.azurecr.io", username: "u", password: "hunter4\r" }],
    },
    [
      `${c}.properties.environmentVariables[1].value: The value ends with a line break, which becomes a part of it; remove that if it is a password or key.`,
      `${c}.properties.environmentVariables[2].secureValue: The value ends with a line break, which becomes a part of it; remove that if it is a password or key.`,
      "properties.imageRegistryCredentials[0].password: password ends with a line break, which becomes a part of it; remove that, or it is likely to be refused.",
    ],
  ],
  [
    "a storage account's key with a blank behind it, and names of share and account that can't be",
    {
      volumes: [
        {
          name: "files",
          azureFile: {
            shareName: "My_Share",
            storageAccountName: "acc.file.core.windows.net",
            storageAccountKey: "a2V5 ",
          },
        },
      ],
    },
    [
      "properties.volumes[0].azureFile.shareName: shareName is 3 to 63 lower-case letters, digits and single dashes; the volume is likely not to be mounted.",
      "properties.volumes[0].azureFile.storageAccountKey: storageAccountKey begins or ends with a blank, which becomes a part of it; remove that, or it is likely to be refused.",
      "properties.volumes[0].azureFile.storageAccountName: storageAccountName is 3 to 24 lower-case letters and digits, without a host's ending; the volume is likely not to be mounted.",
    ],
  ],
  [
    "a share without key",
    { volumes: [{ name: "files", azureFile: { shareName: "files", storageAccountName: "account" } }] },
    [
      "properties.volumes[0].azureFile.storageAccountKey: storageAccountKey is missing in azureFile; the volume can't be mounted without it.",
    ],
  ],
  [
    "a secret file that is no base64",
    { volumes: [{ name: "files", secret: { a: "not base64!" } }] },
    ["properties.volumes[0].secret.a: A secret volume's files are given in base64; this one is likely to be refused."],
  ],
  [
    "a path mounted twice",
    {
      volumes: [{ name: "files", emptyDir: {} }],
      containers: [
        container({
          volumeMounts: [
            { name: "files", mountPath: "/a" },
            { name: "files", mountPath: "/a" },
            { name: "files", mountPath: "/A" },
          ],
        }),
      ],
    },
    [`${c}.properties.volumeMounts[1].mountPath: Two volumes are mounted at this path; it is likely to be refused.`],
  ],
  [
    "a variable without value",
    { containers: [container({ environmentVariables: [{ name: "A" }] })] },
    [`${c}.properties.environmentVariables[0]: The variable has no value; write value: "" if it is meant to be empty.`],
  ],
  [
    "a variable with two values",
    { containers: [container({ environmentVariables: [{ name: "A", value: "1", secureValue: "2" }] })] },
    [
      `${c}.properties.environmentVariables[0].secureValue: The variable has more than one value; keep one of value, secureValue and secureValueReference.`,
    ],
  ],
  [
    "a variable given twice",
    {
      containers: [
        container({
          environmentVariables: [
            { name: "A", value: "1" },
            { name: "A", value: "2" },
            { name: "a", value: "3" },
          ],
        }),
      ],
    },
    [`${c}.properties.environmentVariables[1].name: This variable is given twice to one container; keep one.`],
  ],
  [
    "a variable's odd name",
    { containers: [container({ environmentVariables: [{ name: "_A", value: "1" }] })] },
    [
      `${c}.properties.environmentVariables[0].name: A variable's name should have at most 63 characters and no '_' first or last; it may be refused.`,
    ],
  ],
  [
    "a reference to no secret",
    { containers: [container({ environmentVariables: [{ name: "A", secureValueReference: "s" }] })] },
    [
      `${c}.properties.environmentVariables[0].secureValueReference: secureValueReference is not the name of an entry in secretReferences; the service is likely to refuse it.`,
    ],
  ],
  [
    "an image's name in capitals",
    { containers: [container({ image: "Demo.azurecr.io/Tool:V1" })] },
    [`${c}.properties.image: A registry takes only lower-case letters in an image's name; it is likely to be refused.`],
  ],
  [
    "credentials without password",
    { imageRegistryCredentials: [{ server: "a.azurecr.io", username: "u" }] },
    [
      "properties.imageRegistryCredentials[0]: The credential has neither password nor identity; pulling is likely to fail.",
    ],
  ],
  [
    "a registry's address",
    { imageRegistryCredentials: [{ server: "https://a.azurecr.io", username: "u", password: "p" }] },
    [
      "properties.imageRegistryCredentials[0].server: server is the registry's host only, without https:// and path; pulling is likely to fail.",
    ],
  ],
  [
    "one registry twice",
    {
      imageRegistryCredentials: [
        { server: "a.io", username: "u", password: "p" },
        { server: "A.io", username: "u", password: "p" },
      ],
    },
    ["properties.imageRegistryCredentials[1].server: Two credentials are for this server; keep one."],
  ],
  [
    "a pull identity that is not attached",
    { imageRegistryCredentials: [{ server: "a.io", identity: "/x" }] },
    [
      "properties.imageRegistryCredentials[0].identity: This identity is not among the group's identity.userAssignedIdentities; pulling is likely to fail.",
    ],
  ],
  [
    "analytics without key",
    { diagnostics: { logAnalytics: { workspaceId: "w" } } },
    [
      "properties.diagnostics.logAnalytics.workspaceKey: workspaceKey is missing in logAnalytics; it is likely to be refused.",
    ],
  ],
  [
    "an identity's name for its id",
    {},
    [
      "identity.userAssignedIdentities.puller: A user-assigned identity is named by its full resource id; this one is likely to be refused.",
    ],
    { identity: { type: "UserAssigned", userAssignedIdentities: { puller: {} } } },
  ],
  [
    "no identity where one is said",
    {},
    [
      "identity.userAssignedIdentities: identity names no userAssignedIdentities, though its type has UserAssigned; it is likely to be refused.",
    ],
    { identity: { type: "UserAssigned" } },
  ],
  [
    "an identity on Windows",
    { osType: "Windows" },
    ["identity: Managed identities are not supported in every Windows group; it may be refused."],
    { identity: { type: "SystemAssigned" } },
  ],
  [
    "a Spot group in a subnet",
    { priority: "Spot", subnetIds: [{ id: subnet }] },
    ["properties.subnetIds: Spot groups are not supported in virtual networks; it is likely to be refused."],
  ],
];

describe("what is likely to be refused later, or has no effect, is a warning", () => {
  test.each(rows(doubted))("$what", ({ properties, expected, top }) => {
    expect(faultsOf(group(properties, top))).toEqual([]);
    expect(reported(warningsOf(group(properties, top))).toSorted()).toEqual(expected.toSorted());
  });
});

describe("nothing is said of", () => {
  test.each<[string, JsonObject, JsonObject?]>([
    [
      "a group of a profile, which may lack nearly everything",
      {
        osType: null,
        containers: [{ name: "main", properties: { configMap: { keyValuePairs: { a: "b" } } } }],
        containerGroupProfile: { id: "/x", revision: 1 },
      },
    ],
    [
      "a group of a standby pool without containers",
      { osType: null, containers: null, standbyPoolProfile: { id: "/x" } },
    ],
    [
      "a private group in a subnet",
      {
        containers: [container({ ports: [{ port: 80 }] })],
        subnetIds: [{ id: subnet }],
        ipAddress: { type: "Private", ports: [{ port: 80 }] },
      },
    ],
    ["a group in a subnet without address", { subnetIds: [{ id: subnet, name: "a" }] }],
    [
      "a limit up to what all request together",
      {
        containers: [
          container({ resources: { requests: { cpu: 1, memoryInGB: 1 }, limits: { cpu: 2, memoryInGB: 2 } } }),
          container({ resources: { requests: { cpu: 1, memoryInGB: 1 } } }, "other"),
        ],
      },
    ],
    [
      "an image by digest, with a registry's port",
      { containers: [container({ image: `localhost:5000/a/b_c-d.e@sha256:${"0".repeat(64)}` })] },
    ],
    [
      "members that are null",
      {
        ipAddress: null,
        volumes: null,
        initContainers: null,
        imageRegistryCredentials: null,
        diagnostics: null,
        dnsConfig: null,
      },
      { tags: null, identity: null },
    ],
    [
      "tenths of a GB, whatever binary fractions make of them",
      {
        containers: [
          container({ resources: { requests: { cpu: 0.9, memoryInGB: 0.3 } } }),
          container({ resources: { requests: { cpu: 0.2, memoryInGB: 0.7 }, limits: { cpu: 0.3 } } }, "b"),
        ],
      },
    ],
  ])("%s", (_, properties, top = {}) => {
    expect(faultsOf(group(properties, top))).toEqual([]);
    expect(warningsOf(group(properties, top))).toEqual([]);
  });

  test("a Windows group, and a group with init containers", () => {
    expect(accepted(parseFixture("windows.yaml")).warnings).toEqual([]);
    expect(accepted(parseFixture("init-containers.yaml")).warnings).toEqual([]);
  });
});

test("every fault is reported at once, each with its position", () => {
  const text = `name: my_group
type: Microsoft.Storage/storageAccounts
properties:
  osType: Plan9
  containers:
  - name: Main
    properties:
      image: <image>
      ports: [{port: 0}]
`;
  expect(faultsOf(text).map(({ path, line, column }) => `${path} ${line}:${column}`)).toEqual([
    "name 1:1",
    "type 2:1",
    "properties.osType 4:3",
    `${c}.name 6:5`,
    `${c}.properties.resources.requests 7:5`,
    `${c}.properties.image 8:7`,
    `${c}.properties.ports[0].port 9:16`,
  ]);
});

test("messages name properties and quote no value", () => {
  const secret = "hunter2";
  const bad = (value: string): string =>
    groupOf({
      image: `https://${value}`,
      command: { [value]: value },
      environmentVariables: [{ name: `-${value}`, value, secureValue: value }],
      ports: [{ port: value }],
      livenessProbe: { exec: { command: value } },
    });
  const texts = [
    bad(secret),
    group(
      { osType: secret, volumes: [{ name: `_${secret}`, secret: { a: `${secret}!` } }] },
      { name: `${secret}_`, apiVersion: secret, location: `${secret}/`, type: secret, callBackUri: [secret] },
    ),
  ];
  for (const text of texts) {
    const messages = [...faultsOf(text), ...warningsOf(text)].map(({ message }) => message);
    expect(messages.length).toBeGreaterThan(3);
    expect(messages.join("\n")).not.toContain(secret);
  }
});
