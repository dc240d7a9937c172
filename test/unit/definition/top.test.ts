import { describe, expect, test } from "vitest";
import {
  accepted,
  definitionOf,
  faultsOf,
  fixture,
  group,
  parse,
  parseFixture,
  pathsOf,
  reported,
  warningsOf,
} from "./kit.ts";

describe("name", () => {
  test.each(["a", "Group", "MYGROUP-1", "0a", "a".repeat(63)])("%s is taken as written", (name) => {
    expect(definitionOf(group({}, { name })).name).toBe(name);
  });

  test.each(["-a", "a-", "a--b", "a_b", "a.b", "a b", "a".repeat(64), "ä", "a\n"])("%j breaks the rule", (name) => {
    expect(reported(faultsOf(group({}, { name })))).toEqual([
      "name: name must be 1 to 63 letters, digits and dashes, with no dash first, last or twice in a row.",
    ]);
  });

  test.each(["0190b6c4-3f1e-7a2b-8c4d-0123456789ab", "0190B6C4-3F1E-7A2B-8C4D-0123456789AB"])(
    "%s looks like a job's id",
    (name) => {
      expect(faultsOf(group({}, { name }))[0]?.message).toContain("UUID");
    },
  );

  test.each(["", "name:\n", "name: ~\n", 'name: ""\n'])("a missing or empty one is a fault (%j)", (line) => {
    const text = `${line}properties: {osType: Linux, restartPolicy: Never, containers: []}\n`;
    expect(reported(faultsOf(text))).toContain("name: name is missing: give the container group a name.");
  });
});

describe("apiVersion", () => {
  test("is the default where it is missing", () => {
    expect(definitionOf(group()).apiVersion).toBe("2025-09-01");
    expect(definitionOf(group({}, { apiVersion: null })).apiVersion).toBe("2025-09-01");
  });

  test.each(["2018-10-01", "2018-07-01", "2024-05-01-preview", "2026-07-01"])(
    "%s, unquoted, is sent as written",
    (version) => {
      const text = `apiVersion: ${version}\nname: a\nproperties: {osType: Linux, restartPolicy: Never, containers: [{name: a, properties: {image: a, resources: {requests: {cpu: 1, memoryInGB: 1}}}}]}\n`;
      expect(definitionOf(text).apiVersion).toBe(version);
      expect(warningsOf(text)).toEqual([]);
    },
  );

  test.each(["2023-03-15", "2018-10-02", "v1", "latest", "2018-13-45", "1.0", "2030-01-01-beta"])(
    "%s was never published",
    (apiVersion) => {
      expect(reported(faultsOf(group({}, { apiVersion })))).toEqual([
        "apiVersion: No such apiVersion was ever published for container groups; write 2025-09-01, or leave it out.",
      ]);
    },
  );

  test.each(["2027-01-01", "2031-02-03-preview"])(
    "%s is newer than we know: a warning, and nothing of it refused",
    (apiVersion) => {
      const text = group({ brandNew: { a: 1 } }, { apiVersion });
      expect(definitionOf(text).apiVersion).toBe(apiVersion);
      expect(pathsOf(warningsOf(text))).toEqual(["apiVersion", "properties.brandNew"]);
    },
  );
});

describe("type", () => {
  test.each(["Microsoft.ContainerInstance/containerGroups", "microsoft.containerinstance/CONTAINERGROUPS", null])(
    "%s is a container group",
    (type) => {
      expect(warningsOf(group({}, { type }))).toEqual([]);
      expect(faultsOf(group({}, { type }))).toEqual([]);
    },
  );

  test("the provider's name alone is taken, with a warning", () => {
    expect(pathsOf(warningsOf(group({}, { type: "Microsoft.ContainerInstance" })))).toEqual(["type"]);
  });

  test("another is a fault", () => {
    expect(faultsOf(group({}, { type: "Microsoft.ContainerInstance/containerGroupProfiles" }))).toMatchObject([
      { path: "type", line: 4 },
    ]);
  });
});

describe("what is sent", () => {
  test("is what Azure Resource Manager has at the top, spelt its way, without null", () => {
    const top = {
      LOCATION: "West Europe",
      tags: { a: "b" },
      identity: { type: "None" },
      zones: ["1"],
      sku: { name: "s" },
      plan: { name: "p" },
      kind: "k",
      managedBy: "m",
      extendedLocation: { name: "e" },
    };
    const text = group({}, top).replace('"location": "westeurope",', "");
    const { body } = definitionOf(text);
    const { LOCATION, ...others } = top;
    expect(body).toEqual({ ...others, location: LOCATION, properties: body["properties"] });
    expect(Object.keys(definitionOf(group({}, { tags: null, zones: null, location: null })).body)).toEqual([
      "properties",
    ]);
  });

  test("other members are left out and named; what Azure sets is left out too", () => {
    const top = {
      "api-version": "2018-10-01",
      additional_properties: {},
      resourceGroup: "rg",
      extended_location: null,
      id: "/x",
      etag: "1",
      systemData: {},
    };
    const text = group({}, top);
    expect(Object.keys(definitionOf(text).body)).toEqual(["location", "properties"]);
    expect(pathsOf(warningsOf(text))).toEqual(Object.keys(top));
    expect(warningsOf(text)[0]?.message).toContain("is apiVersion meant?");
    expect(warningsOf(text)[3]?.message).toContain("is extendedLocation meant?");
  });

  test("properties missing, null or no mapping is one fault", () => {
    for (const properties of [undefined, null, [], "text"]) {
      const faults = faultsOf(JSON.stringify({ name: "a", properties }));
      expect(pathsOf(faults)).toEqual(["properties"]);
    }
  });

  test.each([
    [{ resources: [{ name: "a", properties: {} }] }, "an ARM deployment template"],
    [{ $schema: "s", contentVersion: "1.0.0.0", parameters: {} }, "the parameters of an ARM deployment template"],
    [{ apiVersion: "v1", kind: "List", items: [] }, "a Kubernetes manifest"],
    [{ services: { web: { image: "nginx" } } }, "a Compose file"],
  ])("something else is one clear fault: %j", (given, what) => {
    const text = JSON.stringify(given);
    expect(faultsOf(text)).toMatchObject([{ path: "", message: expect.stringContaining(` ${what}`) as string }]);
    expect(parse(text).warnings).toEqual([]);
  });

  test("a deployment template is one clear fault", () => {
    const template = {
      $schema: "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
      contentVersion: "1.0.0.0",
      resources: [],
    };
    expect(faultsOf(JSON.stringify(template, null, 2))).toMatchObject([
      { path: "", line: 2, column: 3, message: expect.stringContaining("deployment template") as string },
    ]);
    expect(parse(JSON.stringify(template)).warnings).toEqual([]);
  });
});

describe("x-aciproxy and callBackUri", () => {
  test("are taken out, with the places of the options", () => {
    const { block, callBackUri, definition, warnings } = accepted(parseFixture("options-block.yaml"));
    expect(Object.keys(definition.body)).toEqual(["location", "properties"]);
    expect(block?.values).toEqual({
      timeout: "PT2H",
      retries: 2,
      polling: "started",
      main: "01",
      tags: { team: "007" },
    });
    expect(block?.place("retries")).toEqual({ line: 3, column: 3 });
    expect(block?.place("absent")).toEqual({ line: 1, column: 1 });
    expect(callBackUri).toBe("https://example.invalid/callback?token=not-a-real-token");
    expect(warnings).toEqual([]);
  });

  test.each([
    ["a mapping", "{ team: 007, nightly: }", { team: "007", nightly: null }],
    ["a list", "[team=007, 1.10, nightly]", ["team=007", "1.10", "nightly"]],
    ["a text", "team=007, nightly", "team=007, nightly"],
    ["a number", "007", "007"],
  ])("labels may be %s, as written", (_, written, tags) => {
    const { block } = accepted(parse(`x-aciproxy:\n  tags: ${written}\n${fixture("windows.yaml")}`));
    expect(block?.values).toEqual({ tags });
  });

  test("group and team are text, as written", () => {
    const { block } = accepted(parse(`x-aciproxy: {group: 007, team: 1.10}\n${fixture("windows.yaml")}`));
    expect(block?.values).toEqual({ group: "007", team: "1.10" });
  });

  test("null counts as absent", () => {
    expect(accepted(parse(group({}, { "x-aciproxy": null, callBackUri: null })))).toMatchObject({
      block: undefined,
      callBackUri: undefined,
    });
  });

  test.each(["X-ACIProxy", "x-aci-proxy", "aciproxy", "x_aciproxy"])("%s is no options block, and says so", (key) => {
    const parsed = accepted(parse(group({}, { [key]: { retries: 1 } })));
    expect(parsed.block).toBeUndefined();
    expect(reported(parsed.warnings)).toEqual([
      `${key}: No options are read here: they stand under x-aciproxy, in exactly these letters.`,
    ]);
  });

  test.each(["callbackUri", "callBackUrl", "callback_uri"])("%s is no callback, and its value is not shown", (key) => {
    const parsed = accepted(parse(group({}, { [key]: "https://hunter2.invalid" })));
    expect(parsed.callBackUri).toBeUndefined();
    expect(reported(parsed.warnings)).toEqual([
      `${key}: No address is read here: it stands at callBackUri, in exactly these letters.`,
    ]);
  });

  test("of the wrong type are faults", () => {
    expect(pathsOf(faultsOf(group({}, { "x-aciproxy": [1], callBackUri: 5 })))).toEqual(["x-aciproxy", "callBackUri"]);
  });
});
