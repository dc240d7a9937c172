import { describe, expect, test } from "vitest";
import { secretValues } from "../../../src/shared/definition/index.ts";
import type { JsonObject } from "../../../src/shared/base/json.ts";
import {
  accepted,
  container,
  definitionOf,
  faultsOf,
  group,
  groupOf,
  parseFixture,
  pathsOf,
  reported,
  warningsOf,
} from "./kit.ts";

const first = "properties.containers[0].properties";

describe("text", () => {
  test("a plain scalar where text belongs is sent as the text written; null stays null", () => {
    const { name, body } = accepted(parseFixture("plain-scalars.yaml")).definition;
    expect(name).toBe("007");
    expect(body["tags"]).toEqual({ release: "1.10", "cost-center": "0042", live: "yes", date: "2024-02-30" });
    expect(JSON.stringify(body["properties"])).toContain('"command":["sleep","1e3","0x1F","true"]');
    expect(body["properties"]).toMatchObject({
      containers: [
        {
          properties: {
            environmentVariables: [
              { name: "VERSION", value: "1.10" },
              { name: "CODE", value: "007" },
              { name: "FLAG", value: "true" },
              { name: "OCTAL", value: "0o17" },
              { name: "NOTHING", value: null },
              { name: "QUOTED", value: "null" },
              { name: "EMPTY", value: "" },
              { name: "SCRIPT", value: "first\n  second\n" },
              { name: "FOLDED", value: "one line" },
              { name: "SECRET", secureValue: "1234" },
            ],
          },
        },
      ],
    });
  });

  test("numbers and truth values of JSON where text belongs are text too", () => {
    const variables = [
      { name: "A", value: 8080 },
      { name: "B", value: true },
      { name: "C", value: 1.5 },
    ];
    const text = groupOf({ environmentVariables: variables }).replace('"value": 1.5', '"value": 1.50');
    expect(JSON.stringify(definitionOf(text).body)).toContain(
      '{"name":"A","value":"8080"},{"name":"B","value":"true"},{"name":"C","value":"1.50"}',
    );
    expect(warningsOf(text)).toEqual([]);
  });

  test.each([
    [{ image: ["a"] }, `${first}.image: image must be text, not a list.`],
    [
      { command: "run --fast" },
      `${first}.command: command must be a list, each item after its own '- ', not a single value.`,
    ],
    [{ command: [["a"]] }, `${first}.command[0]: An item of command must be text, not a list.`],
    [
      { environmentVariables: { A: 1 } },
      `${first}.environmentVariables: environmentVariables must be a list, each item after its own '- ', not a mapping.`,
    ],
    [
      { environmentVariables: ["A=1"] },
      `${first}.environmentVariables[0]: An item of environmentVariables must be a mapping, not a single value.`,
    ],
    [{ resources: [] }, `${first}.resources: resources must be a mapping, not a list.`],
  ])("a value of another shape is a fault, once (%j)", (properties: JsonObject, fault) => {
    expect(reported(faultsOf(groupOf(properties))).filter((each) => !each.includes("missing"))).toEqual([fault]);
  });

  test("credentials of another shape are likely to be refused, but not by us", () => {
    const credentials = [{ server: ["acrserver"], username: ["u"], password: ["not-a-real-password"] }];
    const parsed = definitionOf(group({ imageRegistryCredentials: credentials }));
    expect(secretValues(parsed.body)).toEqual(["not-a-real-password"]);
    expect(pathsOf(warningsOf(group({ imageRegistryCredentials: credentials })))).toHaveLength(3);
  });
});

describe("numbers and truth values", () => {
  test("in quotes they are sent as written", () => {
    const { body, view } = accepted(parseFixture("quoted-numbers.yaml")).definition;
    expect(JSON.stringify(body)).toContain('"requests":{"cpu":"1.0","memoryInGb":"1.5"}');
    expect(JSON.stringify(body)).toContain('"ports":[{"port":"8080","protocol":"tcp"}]');
    expect([view.cpu, view.memoryGB]).toEqual([1, 1.5]);
  });

  test.each(["1", "1.0", "0.5", "1e0", '"1"', "' 1.5 '", "0x1"])("cpu %s is a number", (cpu) => {
    expect(faultsOf(groupOf({}).replace('"cpu": 1', `"cpu": ${cpu}`))).toEqual([]);
  });

  test.each(["one", "1,5", "1_000", "true", '"0x1"', "1 CPU", "500m", ".inf", ".nan", "1e400", '"-1e999"'])(
    "cpu %s is refused",
    (cpu) => {
      const text = `name: a
properties:
  osType: Linux
  containers:
  - name: a
    properties:
      image: a
      resources:
        requests:
          memoryInGB: 1
          cpu: ${cpu}
`;
      expect(faultsOf(text)).toMatchObject([{ path: `${first}.resources.requests.cpu`, line: 11, column: 11 }]);
    },
  );

  test("ports that look octal are read as YAML 1.2 has them, with a warning", () => {
    const { body } = accepted(parseFixture("octal-ports.yaml")).definition;
    expect(JSON.stringify(body)).toContain('"ports":[{"port":80},{"port":448}]');
    expect(parseFixture("octal-ports.yaml").warnings.map(({ path, line }) => [path, line])).toEqual([
      [`${first}.ports[0].port`, 11],
      [`${first}.ports[1].port`, 12],
    ]);
  });

  test.each([80.5, "eighty", "8080:80", true])("port %j is no whole number", (port) => {
    expect(reported(faultsOf(groupOf({ ports: [{ port }] })))).toEqual([
      `${first}.ports[0].port: port must be a whole number.`,
    ]);
  });

  test.each([true, false, "true", "False"])("%j is a truth value", (privileged) => {
    expect(faultsOf(groupOf({ securityContext: { privileged } }))).toEqual([]);
  });

  test.each(["yes", "on", 1, "1"])("%j is no truth value", (privileged) => {
    expect(reported(faultsOf(groupOf({ securityContext: { privileged } })))).toEqual([
      `${first}.securityContext.privileged: privileged must be true or false.`,
    ]);
  });

  test("a number too long for JSON here is warned of, and infinity refused, where no type is known", () => {
    const text = group({ later: { a: 0 } });
    expect(reported(warningsOf(text.replace('"a": 0', '"a": 12345678901234567890')))).toContain(
      "properties.later.a: a is too long a number to be sent exactly; write it in quotes.",
    );
    expect(reported(faultsOf(text.replace('"a": 0', '"a": .inf')))).toEqual([
      "properties.later.a: a can't be infinite or no number; write a number, or quotes if text is meant.",
    ]);
  });
});

describe("words", () => {
  test.each([{ osType: "linux" }, { restartPolicy: "NEVER" }, { sku: "standard" }])(
    "are taken in any letter case (%j)",
    (properties) => {
      expect(faultsOf(group(properties))).toEqual([]);
    },
  );

  test.each([
    [{ osType: "Plan9" }, "properties.osType: osType must be Linux or Windows."],
    [{ restartPolicy: "Sometimes" }, "properties.restartPolicy: restartPolicy must be Always or OnFailure or Never."],
    [{ priority: "Low" }, "properties.priority: priority must be Regular or Spot."],
    [{ sku: "Premium" }, "properties.sku: sku must be Standard or Dedicated or Confidential or NotSpecified."],
  ])("that the service doesn't know are faults (%j)", (properties, fault) => {
    expect(reported(faultsOf(group(properties)))).toEqual([fault]);
  });

  test.each(["SystemAssigned,UserAssigned", "userassigned , SystemAssigned"])(
    "of an identity of both types are taken in any order, with or without a blank (%j)",
    (type) => {
      const userAssignedIdentities = {
        "/subscriptions/s/resourceGroups/r/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i": {},
      };
      const text = group({}, { identity: { type, userAssignedIdentities } });
      expect(definitionOf(text).body["identity"]).toEqual({ type, userAssignedIdentities });
      expect(warningsOf(text)).toEqual([]);
    },
  );

  test.each(["SystemAssigned,", "SystemAssigned,SystemAssigned", "SystemAssigned,None"])(
    "of an identity of other types together are a fault (%j)",
    (type) => {
      expect(pathsOf(faultsOf(group({}, { identity: { type } })))).toEqual(["identity.type"]);
    },
  );

  test("that may be new in a newer api version are warned of only", () => {
    const text = group({ sku: "Premium" }, { apiVersion: "2031-01-01" });
    expect(pathsOf(warningsOf(text))).toEqual(["apiVersion", "properties.sku"]);
  });
});

describe("property names", () => {
  test("are matched without regard to case, and sent as written", () => {
    const text = groupOf({ RESOURCES: { Requests: { CPU: 2, memoryinGb: 4 } } }).replace(
      /"resources"[^}]*}\s*},\s*/,
      "",
    );
    const { body, view } = definitionOf(text);
    expect([view.cpu, view.memoryGB]).toEqual([2, 4]);
    expect(JSON.stringify(body)).toContain('"RESOURCES":{"Requests":{"CPU":2,"memoryinGb":4}}');
    expect(warningsOf(text)).toEqual([]);
  });

  test("of one written in two letter cases the last counts, for our checks and the service alike", () => {
    const text = groupOf({ Image: "demo.azurecr.io/other:1" });
    const { body, view } = definitionOf(text);
    expect(view.images).toEqual(["demo.azurecr.io/other:1"]);
    expect(JSON.stringify(body)).not.toContain("tool:1");
    expect(reported(warningsOf(text))).toEqual([
      `${first}.Image: image is written twice, in different letter case; the last one counts.`,
    ]);
  });

  test("unknown ones are sent, and warned of with their place and what may be meant", () => {
    const text = group({
      containers: [container({ comand: ["a"], dependsOn: ["b"] })],
      volumesFrom: { deep: { er: 1 } },
    });
    expect(definitionOf(text).body["properties"]).toMatchObject({
      volumesFrom: { deep: { er: 1 } },
      containers: [{ properties: { comand: ["a"], dependsOn: ["b"] } }],
    });
    expect(warningsOf(text)).toMatchObject([
      {
        path: `${first}.comand`,
        line: 18,
        column: 6,
        message: expect.stringMatching(/^comand has no effect.*is command meant\?$/) as string,
      },
      { path: `${first}.dependsOn`, line: 21, message: expect.stringMatching(/^dependsOn has no effect/) as string },
      { path: "properties.volumesFrom", message: expect.stringMatching(/^volumesFrom has no effect/) as string },
    ]);
  });

  test("for misplaced ones the warning says where they belong", () => {
    const misplaced = { ...container(), image: "a", ports: [] };
    const text = group({ containers: [misplaced], type: "x", imageRegistryCredentials: [] }, { volumes: [] });
    expect(reported(warningsOf(text))).toEqual([
      "volumes: volumes has no effect here: it belongs under properties. It is left out of what is sent.",
      "properties.containers[0].image: image has no effect here: it belongs under properties.",
      "properties.containers[0].ports: ports has no effect here: it belongs under properties.",
      "properties.type: type has no effect here: it belongs one level up.",
    ]);
  });

  test("read-only ones are sent, and warned of", () => {
    const text = group({
      provisioningState: "Succeeded",
      instanceView: { state: "Running" },
      containers: [container({ instanceView: {} })],
    });
    expect(definitionOf(text).body["properties"]).toMatchObject({ provisioningState: "Succeeded" });
    expect(pathsOf(warningsOf(text))).toEqual([
      `${first}.instanceView`,
      "properties.provisioningState",
      "properties.instanceView",
    ]);
  });

  test.each([
    [
      "2022-09-01",
      { containers: [container({ securityContext: {} })] },
      `${first}.securityContext: securityContext needs apiVersion 2023-05-01 or newer: under 2022-09-01 it has no effect.`,
    ],
    [
      "2018-06-01",
      { subnetIds: [] },
      "properties.subnetIds: subnetIds needs apiVersion 2021-07-01 or newer: under 2018-06-01 it has no effect.",
    ],
    [
      "2024-09-01-preview",
      { standbyPoolProfile: {} },
      "properties.standbyPoolProfile: standbyPoolProfile needs apiVersion 2025-09-01 or newer: under 2024-09-01-preview it has no effect.",
    ],
    [
      "2023-05-01",
      { provisioningTimeoutInSeconds: 60 },
      "properties.provisioningTimeoutInSeconds: provisioningTimeoutInSeconds ends with apiVersion 2023-02-01-preview: under 2023-05-01 it has no effect.",
    ],
  ])("those of another api version than %s are warned of", (apiVersion, properties, warning) => {
    expect(reported(warningsOf(group(properties, { apiVersion })))).toEqual([warning]);
  });

  test("those that the default api version does not have get a warning, where no version is written", () => {
    const volumes = [
      {
        name: "share",
        azureFile: { shareName: "files", storageAccountName: "account", userAssignedIdentityClientId: "0a" },
      },
    ];
    expect(reported(warningsOf(group({ volumes })))).toEqual([
      "properties.volumes[0].azureFile.userAssignedIdentityClientId: userAssignedIdentityClientId needs apiVersion 2026-07-01 or newer: under 2025-09-01 it has no effect.",
    ]);
    expect(warningsOf(group({ volumes }, { apiVersion: "2026-07-01" }))).toEqual([]);
  });

  test("names of the caller's own are free: tags, variables, files of a volume, identities", () => {
    const volumes = [{ name: "files", secret: { "odd name": "YQ==", Image: "YQ==" } }];
    expect(warningsOf(group({ volumes }, { tags: { image: "x", "a b": "y" } }))).toEqual([]);
  });
});
