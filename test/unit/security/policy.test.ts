import { describe, expect, test } from "vitest";
import { imageName } from "../../../src/shared/definition/image-name.ts";
import { allows } from "../../../src/shared/intake/policy.ts";
import type { Settings } from "../../../src/shared/config/settings.ts";
import { settings as localSettings } from "../../kit/kit.ts";
import { refusalOf } from "./kit.ts";

const identity = (name: string): string =>
  `/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/${name}`;
const subnet = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/jobs";
const profile = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerInstance/containerGroupProfiles/p";

/** Settings against the real Azure, where everything that is lent is closed. */
const settings = (environment: Readonly<Record<string, string>> = {}): Settings =>
  localSettings({ AZURE_RESOURCE_MANAGER_ENDPOINT: "https://management.azure.com", ...environment });

interface Told {
  readonly code: string;
  readonly rules: readonly string[];
  readonly places: readonly string[];
}

/** What the order's check says: the rules that it names, and where. */
function judge(text: string, by: Settings): Told | "accepted" {
  const refusal = refusalOf(text, by);
  if (refusal === undefined) return "accepted";
  const { code, errors = [] } = refusal;
  return {
    code,
    rules: errors.map(({ message }) => /^[A-Z_]+/.exec(message)?.[0] ?? message),
    places: errors.map(({ path, line }) => `${path}:${line}`),
  };
}

const group = (more = "", container = "image: contoso.azurecr.io/etl/load:7"): string => `name: nightly
location: westeurope
properties:
  osType: Linux
  restartPolicy: Never
  containers:
    - name: app
      properties:
        ${container}
        resources: { requests: { cpu: 2, memoryInGB: 4 } }
${more}`;

const refused = (rule: string, place: string): Told => ({ code: "PolicyRefused", rules: [rule], places: [place] });

describe("open unless restricted", () => {
  test("dropping capabilities asks for no privilege", () => {
    const text = group("", "securityContext: { capabilities: { add: [], drop: [ALL] } }\n        image: a.io/b");
    expect(judge(text, settings({ POLICY_PRIVILEGED: "no" }))).toBe("accepted");
  });

  test("without a rule an ordinary definition passes", () => {
    expect(judge(group(), settings())).toBe("accepted");
  });

  test.each<[Record<string, string>, string, string, string]>([
    [
      { POLICY_REGISTRIES: "fabrikam.azurecr.io" },
      group(),
      "POLICY_REGISTRIES",
      "properties.containers[0].properties.image:9",
    ],
    [
      { POLICY_IMAGES: "contoso.azurecr.io/web/*" },
      group(),
      "POLICY_IMAGES",
      "properties.containers[0].properties.image:9",
    ],
    [{ POLICY_REGIONS: "northeurope" }, group(), "POLICY_REGIONS", "location:2"],
    [{ POLICY_MAX_CPU: "1.5" }, group(), "POLICY_MAX_CPU", "properties.containers:6"],
    [{ POLICY_MAX_MEMORY_GB: "3.5" }, group(), "POLICY_MAX_MEMORY_GB", "properties.containers:6"],
    [
      { POLICY_MAX_CONTAINERS: "1" },
      group("  initContainers: [{ name: first, properties: { image: contoso.azurecr.io/x } }]"),
      "POLICY_MAX_CONTAINERS",
      "properties.containers:6",
    ],
    [
      { POLICY_PUBLIC_IP: "false" },
      group("  ipAddress: { type: Public, ports: [{ port: 80 }] }", "image: a.io/b\n        ports: [{ port: 80 }]"),
      "POLICY_PUBLIC_IP",
      "properties.ipAddress:12",
    ],
    [
      { POLICY_PRIVILEGED: "no" },
      group("", "securityContext: { privileged: True }\n        image: a.io/b"),
      "POLICY_PRIVILEGED",
      "properties.containers[0].properties.securityContext.privileged:9",
    ],
    [
      { POLICY_PRIVILEGED: "no" },
      group("", "securityContext: { capabilities: { ADD: [SYS_ADMIN] } }\n        image: a.io/b"),
      "POLICY_PRIVILEGED",
      "properties.containers[0].properties.securityContext.capabilities.ADD:9",
    ],
    [
      { POLICY_PRIVILEGED: "no" },
      group(
        "  initContainers: [{ name: i, properties: { image: a.io/b, securityContext: { capabilities: { add: [NET_RAW] } } } }]",
      ),
      "POLICY_PRIVILEGED",
      "properties.initContainers[0].properties.securityContext.capabilities.add:11",
    ],
    [
      { POLICY_PRIVILEGED: "no" },
      group("", "securityContext: { seccompProfile: e30= }\n        image: a.io/b"),
      "POLICY_PRIVILEGED",
      "properties.containers[0].properties.securityContext.seccompProfile:9",
    ],
    [
      { POLICY_VOLUMES: "emptyDir,secret" },
      group("  volumes: [{ name: source, gitRepo: { repository: https://example.com/x } }]"),
      "POLICY_VOLUMES",
      "properties.volumes[0].gitRepo:11",
    ],
  ])("%j is named by what it refuses, with path and line", (environment, text, rule, place) => {
    expect(judge(text, settings())).toBe("accepted");
    expect(judge(text, settings(environment))).toEqual(refused(rule, place));
  });

  test("everything that is refused is reported at once", () => {
    const told = judge(group(), settings({ POLICY_REGISTRIES: "x.io", POLICY_MAX_CPU: "1", POLICY_REGIONS: "eastus" }));
    expect(told).toMatchObject({ rules: ["POLICY_REGISTRIES", "POLICY_MAX_CPU", "POLICY_REGIONS"] });
  });

  test("a region is compared as Azure does: West Europe is westeurope", () => {
    expect(judge(group(), settings({ POLICY_REGIONS: "West Europe" }))).toBe("accepted");
  });
});

describe("closed unless listed: what is not its submitter's", () => {
  const cases: readonly [string, string, string, string][] = [
    [
      "a user-assigned identity",
      group(`identity:\n  type: UserAssigned\n  userAssignedIdentities:\n    ${identity("other")}: {}`),
      "POLICY_IDENTITIES",
      `identity.userAssignedIdentities.${identity("other")}:14`,
    ],
    [
      "a registry's credential by identity",
      group(`  imageRegistryCredentials: [{ server: a.io, identity: ${identity("other")} }]`),
      "POLICY_IDENTITIES",
      "properties.imageRegistryCredentials[0].identity:11",
    ],
    [
      "a registry's identity by its address",
      group(
        "  imageRegistryCredentials: [{ server: a.io, username: u, password: p, identityUrl: https://identity.example/x }]",
      ),
      "POLICY_IDENTITIES",
      "properties.imageRegistryCredentials[0].identityUrl:11",
    ],
    ["a subnet", group(`  subnetIds: [{ id: ${subnet} }]`), "POLICY_SUBNETS", "properties.subnetIds[0].id:11"],
    [
      "a storage account",
      group(
        "  volumes: [{ name: share, azureFile: { shareName: s, storageAccountName: theirs, storageAccountKey: k } }]",
      ),
      "POLICY_STORAGE_ACCOUNTS",
      "properties.volumes[0].azureFile.storageAccountName:11",
    ],
    [
      "a profile, which may bring anything",
      `apiVersion: 2025-09-01\n${group(`  containerGroupProfile: { id: ${profile}, revision: 1 }`)}`,
      "POLICY_PROFILES",
      "properties.containerGroupProfile.id:12",
    ],
  ];

  test.each(cases)("%s", (_, text, rule, place) => {
    expect(judge(text, settings())).toEqual(refused(rule, place));
    expect(judge(text, settings({ [rule]: "*" }))).toBe("accepted");
  });

  test.each(cases)(
    "on a local ACI, where nothing can be borrowed, %s is open, unless a list says otherwise",
    (_, text, rule) => {
      expect(judge(text, localSettings())).toBe("accepted");
      expect(judge(text, localSettings({ [rule]: "another" }))).toMatchObject({ rules: [rule] });
    },
  );

  test("a file share's identity by its client id", () => {
    const client = "11111111-2222-3333-4444-555555555555";
    const share = `{ shareName: s, storageAccountName: a, userAssignedIdentityClientId: ${client} }`;
    const text = `apiVersion: 2026-07-01\n${group(`  volumes: [{ name: v, azureFile: ${share} }]`)}`;
    const place = "properties.volumes[0].azureFile.userAssignedIdentityClientId:12";
    const by = { POLICY_STORAGE_ACCOUNTS: "a" };
    expect(judge(text, settings(by))).toEqual(refused("POLICY_IDENTITIES", place));
    expect(judge(text, settings({ ...by, POLICY_IDENTITIES: client }))).toBe("accepted");
  });

  test("in any letter case of its properties", () => {
    const text = group(`  SUBNETIDS: [{ ID: ${subnet} }]`);
    expect(judge(text, settings())).toMatchObject({ rules: ["POLICY_SUBNETS"] });
  });

  test("the pull identity needs no list", () => {
    const text = group(
      `identity: { type: UserAssigned, userAssignedIdentities: { ${identity("pull").toUpperCase()}: {} } }`,
    );
    const by = settings({ PULL_IDENTITY: identity("pull"), PULL_REGISTRY: "contoso.azurecr.io" });
    expect(judge(text, by)).toBe("accepted");
  });

  test.each([subnet.toUpperCase(), subnet])("a listed subnet is open, in any case", (id) => {
    expect(judge(group(`  subnetIds: [{ id: ${id} }]`), settings({ POLICY_SUBNETS: subnet }))).toBe("accepted");
  });

  test.each(["jobs/../other", "jobs/%2e%2e/x", "jobs//x", "jobs/./x", "jobs\\u200b"])(
    "a pattern does not cover an id in another form: %s",
    (form) => {
      const text = group(`identity: { type: UserAssigned, userAssignedIdentities: { "${identity(form)}": {} } }`);
      const by = settings({ POLICY_IDENTITIES: identity("jobs*") });
      expect(judge(text, by)).toMatchObject({
        code: expect.stringMatching(/PolicyRefused|InvalidDefinition/) as string,
      });
    },
  );

  test("the system-assigned identity is the group's own, and open", () => {
    expect(judge(group("identity: { type: SystemAssigned }"), settings())).toBe("accepted");
  });
});

describe("patterns", () => {
  test.each<[string, string, boolean]>([
    ["*", "", true],
    ["a*c", "abc", true],
    ["a*c", "ac", true],
    ["a*c", "abd", false],
    ["a*a", "a", false],
    ["*.azurecr.io", "contoso.azurecr.io", true],
    ["*.azurecr.io", "azurecr.io.evil.example", false],
    ["a*b*c", "a-b-b-c", true],
    ["a.c", "abc", false],
    ["ABC", "abc", true],
  ])("%s on %s is %s", (pattern, text, expected) => {
    expect(allows([pattern], text)).toBe(expected);
  });

  test("many stars on a long text take no time", () => {
    const began = performance.now();
    expect(allows([`${"*a".repeat(500)}*b`], "a".repeat(100_000))).toBe(false);
    expect(performance.now() - began).toBeLessThan(250);
  });
});

describe("images are written out as Docker does it", () => {
  test.each<[string, string, string]>([
    ["ubuntu", "docker.io", "docker.io/library/ubuntu"],
    ["ubuntu:24.04", "docker.io", "docker.io/library/ubuntu"],
    ["team/app:1", "docker.io", "docker.io/team/app"],
    ["index.docker.io/team/app", "docker.io", "docker.io/team/app"],
    ["Contoso.azurecr.io/etl/load:7", "contoso.azurecr.io", "contoso.azurecr.io/etl/load"],
    ["localhost:5000/app@sha256:00", "localhost:5000", "localhost:5000/app"],
    ["contoso.azurecr.io.evil.example/app", "contoso.azurecr.io.evil.example", "contoso.azurecr.io.evil.example/app"],
    ["https://evil.example/app", "https:", "https://evil.example/app"],
  ])("%s", (image, registry, name) => {
    expect(imageName(image)).toMatchObject({ registry, name });
  });
});
