import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { accepted, parse, parseFixture } from "./kit.ts";

const first = "properties.containers[0].properties";

/** What is reported of each quirk: faults where it is refused, warnings where it is taken, `path line:column`. */
const quirks: Readonly<Record<string, { readonly taken: boolean; readonly told: readonly string[] }>> = {
  "anchors.yaml": { taken: true, told: ["x-common 4:1"] },
  "bom.yaml": { taken: true, told: [] },
  "command-as-text.yaml": { taken: false, told: [`${first}.command 14:7`] },
  "flow-indentation.yaml": { taken: true, told: [" 8:1", " 24:1", " 25:1"] },
  "init-containers.yaml": { taken: true, told: [] },
  "octal-ports.yaml": { taken: true, told: [`${first}.ports[0].port 11:9`, `${first}.ports[1].port 12:9`] },
  "options-block.yaml": { taken: true, told: [] },
  "plain-scalars.yaml": { taken: true, told: [`${first}.environmentVariables[4] 19:9`] },
  "quoted-numbers.yaml": { taken: true, told: [] },
  "tabs.yaml": { taken: false, told: [" 3:1"] },
  "variables-as-mapping.yaml": { taken: false, told: [`${first}.environmentVariables 14:7`] },
  "windows.yaml": { taken: true, told: [] },
};

describe("each quirk of the fixtures", () => {
  test("has its row", () => {
    expect(readdirSync(new URL("../../fixtures/definitions", import.meta.url)).toSorted()).toEqual(Object.keys(quirks));
  });

  test.each(Object.entries(quirks))("%s is taken or refused as its row says", (name, { taken, told }) => {
    const parsed = parseFixture(name);
    const findings = parsed.ok ? parsed.warnings : parsed.faults;
    expect(parsed.ok).toBe(taken);
    expect(findings.map(({ path, line, column }) => `${path} ${line}:${column}`)).toEqual(told);
  });
});

test("the example is taken without a word, and waits three seconds", () => {
  const { definition, warnings } = accepted(
    parse(readFileSync(new URL("../../../examples/bellaciao.yaml", import.meta.url), "utf8")),
  );
  expect(warnings).toEqual([]);
  expect(definition).toMatchObject({ name: "bellaciao", apiVersion: "2018-10-01" });
  expect(definition.view).toMatchObject({
    location: "westeurope",
    restartPolicy: "Never",
    containers: [{ name: "app1" }, { name: "app2" }],
    images: ["demo.azurecr.io/container1:latest"],
    cpu: 2,
    memoryGB: 3,
  });
  expect(JSON.stringify(definition.body)).toContain('{"name":"WAIT_SECONDS","value":"3"}');
});
