import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/shared/base/json.ts";
import { groupName } from "../../../src/shared/base/ids.ts";
import { packDefinition } from "../../../src/shared/definition/index.ts";
import { newChild, newJob } from "../../../src/shared/intake/new-job.ts";
import { check, type Checked } from "../../../src/shared/intake/submission.ts";
import { jobId, settings, start, submission } from "../../kit/kit.ts";

interface Parts {
  readonly name?: string;
  readonly container?: string;
  readonly cpu?: number;
  readonly memory?: number;
  readonly policy?: string;
  /** Further properties of the container, and of the group. */
  readonly inner?: string;
  readonly group?: string;
}

const definition = ({
  name = "nightly",
  container = "app",
  cpu = 1,
  memory = 1,
  policy = "restartPolicy: Never",
  inner = "",
  group = "",
}: Parts = {}): string => `
name: ${name}
properties:
  osType: Linux
  ${policy}
  containers:
    - name: ${container}
      properties:
        image: example/app:1
        resources: {requests: {cpu: ${cpu}, memoryInGB: ${memory}}}
        environmentVariables: [{name: A, value: "\${item}"}, {name: B, secureValue: "\${keyvault:job-b}"}]
        ${inner}
  ${group}
`;

const vault = { VAULT_URL: "https://contoso.vault.azure.net", VAULT_SECRETS: "job-*" };
const items = ["x", "y", "z"];
const judged = (parts: Parts, options: JsonObject = {}, environment: Readonly<Record<string, string>> = {}) =>
  check(
    submission(definition(parts), { envelope: { array: items, pack: 2, ...options } }),
    settings({ ...vault, ...environment }),
  );
const checked = (parts: Parts = {}, options: JsonObject = {}): Checked => {
  const result = judged(parts, options);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
};

describe("packs are refused", () => {
  it.each<[string, Parts, JsonObject, string]>([
    ["with init containers", { group: "initContainers: [{name: i, properties: {image: a}}]" }, {}, "init containers"],
    ["with restartPolicy Always by default", { policy: "" }, { timeout: "PT1H" }, "Always is the default"],
    ["with ports", { inner: "ports: [{port: 80}]" }, {}, "no ports"],
    [
      "with a probe of a port",
      { inner: "livenessProbe: {httpGet: {path: /, port: 80}}" },
      {},
      "a probe runs a command",
    ],
    ["with an emptyDir", { group: "volumes: [{name: v, emptyDir: {}}]" }, {}, "no emptyDir"],
    ["with main", {}, { main: "app" }, "main can't go together with pack"],
    ["with keep", {}, { keep: "failed" }, "keep must be never"],
    ["of one item", {}, { pack: 1 }, "pack must be"],
    ["of more items than a group has containers", {}, { pack: 61 }, "pack must be"],
    ["without an array", {}, { array: null }, "pack needs the option array"],
    ["too many at once", {}, { parallelism: 1001 }, "parallelism must be at most 1000"],
    [
      "with items outside the container",
      { group: "imageRegistryCredentials: [{server: a.example, username: '${item}', password: p}]" },
      {},
      "inside the container alone",
    ],
    ["with a long name of the container", { container: "a".repeat(62) }, {}, "Index 0: the container's name"],
    [
      "with a name of the container that an item makes too long",
      { container: "'a${item}'" },
      { array: ["x", "y".repeat(61)] },
      "Index 1: the container's name",
    ],
    ["with a long name", { name: "a".repeat(57) }, {}, "at most 55 characters"],
    ["that ask for too much", { cpu: 4 }, { pack: 20 }, "pack may be at most 7"],
    ["that ask for too much memory", { memory: 16 }, { pack: 20 }, "pack may be at most 15"],
    ["that can't share a group at all", { cpu: 20 }, {}, "leave pack out"],
  ])("%s", (_, parts, options, message) => {
    const { array = items, ...rest } = options;
    const given: JsonObject = { ...(array === null ? {} : { array }), pack: 2, ...rest };
    const result = check(submission(definition(parts), { envelope: given }), settings(vault));
    expect(result.ok ? "taken" : JSON.stringify(result.error)).toContain(message);
  });

  it("by what the operator allows, with the largest number that fits", () => {
    const messageOf = (environment: Readonly<Record<string, string>>): string => {
      const result = judged({}, { pack: 20 }, environment);
      return result.ok ? "taken" : result.error.message;
    };
    expect(messageOf({ POLICY_MAX_CPU: "8" })).toContain("POLICY_MAX_CPU allows 8 CPUs; pack may be at most 8");
    expect(messageOf({ POLICY_MAX_MEMORY_GB: "4" })).toContain("pack may be at most 4");
    expect(messageOf({ POLICY_MAX_CONTAINERS: "10" })).toContain("pack may be at most 10");
    expect(messageOf({})).toBe("taken");
  });
});

describe("a pack", () => {
  it("may have containers that would be too small for a group of their own", () => {
    const { warnings } = checked({ cpu: 0.1, memory: 0.1 }, { strict: true });
    expect(warnings).toEqual([]);
  });

  it("is one group with a container for each of its items, and its own references to the vault", () => {
    const { array } = checked();
    if (array === undefined) throw new Error("It is no array.");
    const { body, view } = packDefinition(array, [0, 2]);
    expect(view.containers.map(({ name }) => name)).toEqual(["app-0", "app-2"]);
    expect([view.cpu, view.memoryGB]).toEqual([2, 2]);
    expect(JSON.stringify(body)).toContain('"value":"z"');
    expect(view.vaultReferences.map(({ path }) => path)).toEqual(
      [0, 1].map((at) => `properties.containers[${at}].properties.environmentVariables[1].secureValue`),
    );
  });

  it("has a name of its own, no attempts of the caller's, and its items in its row", () => {
    const all = checked({}, { retries: 3 });
    const array = newJob(submission(definition()), all, jobId(), start);
    expect(array).toMatchObject({ array: { size: 3, packing: { size: 2, next: 0, packs: [] } } });
    if (all.array === undefined) throw new Error("It is no array.");
    const pack = newChild(array, { number: 1, items: [2], at: start }, packDefinition(all.array, [2]), 5);
    expect(pack).toMatchObject({
      groupName: groupName("nightly-p1"),
      child: { index: 1, items: [2], freeRetries: 5 },
      containers: [{ name: "app-2" }],
    });
  });
});
