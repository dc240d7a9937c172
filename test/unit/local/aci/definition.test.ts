import { describe, expect, it } from "vitest";
import { definitionShape } from "../../../../local/aci/definition/definition.ts";
import { ShapeError } from "../../../../local/aci/definition/shape.ts";

const read = (value: unknown): unknown => definitionShape.read(value, "");

describe("a definition as the service reads it", () => {
  it("takes member names in any case and keeps the published one", () => {
    const definition = read({
      LOCATION: "westus",
      Properties: { containers: [{ name: "a", properties: { resources: { requests: { CPU: 1, memoryInGb: 2 } } } }] },
    });
    expect(definition).toEqual({
      location: "westus",
      properties: { containers: [{ name: "a", properties: { resources: { requests: { cpu: 1, memoryInGB: 2 } } } }] },
    });
  });

  it("takes numbers and switches as text, and text from numbers and switches", () => {
    const definition = read({
      properties: {
        ipAddress: { ports: [{ port: "80" }] },
        containers: [
          {
            name: "a",
            properties: {
              environmentVariables: [
                { name: "N", value: 7 },
                { name: "B", value: true },
              ],
              volumeMounts: [{ name: "data1", readOnly: "True" }],
            },
          },
        ],
      },
    });
    expect(definition).toMatchObject({
      properties: {
        ipAddress: { ports: [{ port: 80 }] },
        containers: [
          {
            properties: {
              environmentVariables: [{ value: "7" }, { value: "true" }],
              volumeMounts: [{ readOnly: true }],
            },
          },
        ],
      },
    });
  });

  it("passes over unknown and read-only members and nulls", () => {
    expect(read({ tags: null, properties: { provisioningState: "Succeeded", instanceView: {}, made_up: 1 } })).toEqual({
      properties: {},
    });
  });

  it("knows words in any case", () => {
    expect(read({ properties: { osType: "linux", restartPolicy: "never" } })).toEqual({
      properties: { osType: "Linux", restartPolicy: "Never" },
    });
  });

  it.each([
    [{ properties: [] }, "properties"],
    [{ properties: { containers: {} } }, "properties.containers"],
    [
      { properties: { containers: [{ name: "a", properties: { command: "sh" } }] } },
      "properties.containers[0].properties.command",
    ],
    [{ properties: { ipAddress: { ports: [{ port: "http" }] } } }, "properties.ipAddress.ports[0].port"],
  ])("refuses a value of another type with its path, never its text: %j", (value, path) => {
    expect(() => read(value)).toThrow(ShapeError);
    expect(() => read(value)).toThrow(`Path '${path}'`);
  });

  it("shows no secret", () => {
    const definition = definitionShape.read(
      {
        properties: {
          containers: [{ name: "a", properties: { environmentVariables: [{ name: "S", secureValue: "hush-1" }] } }],
          imageRegistryCredentials: [{ server: "r.azurecr.io", username: "u", password: "hush-2" }],
          volumes: [
            { name: "share", azureFile: { shareName: "s", storageAccountName: "n", storageAccountKey: "hush-3" } },
            { name: "files", secret: { file: "hush-4" } },
          ],
          diagnostics: { logAnalytics: { workspaceId: "w", workspaceKey: "hush-5" } },
          extensions: [{ name: "e", properties: { protectedSettings: { kube: "hush-6" } } }],
        },
      },
      "",
    );
    const shown = JSON.stringify(definitionShape.show(definition ?? {}));
    expect(shown).not.toContain("hush");
    expect(shown).toContain('"secret":{}');
    expect(shown).toContain('{"name":"S"}');
  });
});
