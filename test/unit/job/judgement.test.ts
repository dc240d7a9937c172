import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/shared/base/json.ts";
import { mergeTags } from "../../../src/shared/job/group-tags.ts";
import { judgeJob, refusalOf, type Judgement } from "../../../src/shared/job/judgement.ts";
import { settings } from "../../kit/kit.ts";
import { group } from "../definition/kit.ts";

const judge = (text: string, query: JsonObject = {}): Judgement =>
  judgeJob(
    { source: { kind: "text", text }, query, envelope: {}, unknown: [], callBackUri: undefined, via: "http" },
    settings(),
  );
const errorsOf = (judged: Judgement) => judged.found.flatMap(({ errors }) => errors);

describe("a refusal", () => {
  const misspelt = `name: nightly
location: westeurope
properties:
  osType: Linux
  restartPolicy: Never
  conatiners:
    - name: main
      properties: { image: busybox, resources: { requests: { cpu: 1, memoryInGB: 1 } } }
`;

  it("names the misspelt property that is the cause, in its first sentence", () => {
    const { found, warnings } = judge(misspelt);
    expect(refusalOf(found, warnings)).toEqual({
      code: "InvalidDefinition",
      message:
        "The definition can't be taken: properties.containers (line 3): containers is missing or empty: a group needs at least one container. Line 6 has conatiners, which probably stands for it.",
      errors: [expect.objectContaining({ path: "properties.containers", line: 3, column: 1 })],
      warnings: [
        expect.objectContaining({
          path: "properties.conatiners",
          line: 6,
          message: expect.stringContaining("is containers meant?") as unknown,
        }),
      ],
    });
  });

  it.each([
    [
      "a property one level too high",
      misspelt.replace("properties:\n", "x:\n").replace("  conatiners", "containers"),
      "properties is missing",
      "containers, which probably belongs there",
    ],
    [
      "the name",
      misspelt.replace("conatiners", "containers").replace("name: n", "nmae: n"),
      "name is missing",
      "nmae, which probably stands for it",
    ],
    [
      "an image beside properties",
      group({
        containers: [{ name: "a", image: "b", properties: { resources: { requests: { cpu: 1, memoryInGB: 1 } } } }],
      }),
      "image is missing",
      "image, which probably stands for it",
    ],
    [
      "a container without properties",
      group({ containers: [{ name: "a", image: "b" }] }),
      "properties is missing",
      "image, which probably belongs there",
    ],
    [
      "a property one level too deep",
      group({ osType: undefined as never, ipAddress: { osType: "Linux", type: "Public", ports: [] } }),
      "osType is missing",
      "osType, which probably stands for it",
    ],
  ])("whose cause is %s names it first", (_, text, fault, cause) => {
    const first = errorsOf(judge(text))[0]?.message;
    expect(first).toContain(fault);
    expect(first).toContain(cause);
  });

  it("never repeats a malformed name", () => {
    const { found, warnings } = judge(misspelt.replace("conatiners", '"<>conatiners"'));
    const { message } = refusalOf(found, warnings);
    expect(message).toContain("Line 6 has a name, which probably stands for it.");
    expect(message).not.toContain("<>");
  });

  it("of faulty options carries the definition's warnings, too", () => {
    const text = misspelt.replace("conatiners", "containers").replace("restartPolicy", "typo: 1\n  restartPolicy");
    const { found, warnings } = judge(text, { retries: 99, polling: "perhaps" });
    expect(errorsOf({ found } as never).map(({ path }) => path)).toEqual(["retries"]);
    expect(warnings.map(({ path }) => path)).toEqual(["properties.typo", "polling"]);
  });

  it("has each warning once: as an error where strict makes it one", () => {
    const { found, warnings } = judge(
      misspelt.replace("conatiners", "containers").replace("osType", "typo: 1\n  osType"),
      { strict: true },
    );
    expect(errorsOf({ found } as never).map(({ path }) => path)).toEqual(["properties.typo"]);
    expect(warnings).toEqual([]);
  });

  it("has at most 300 characters, whatever the path", () => {
    const { found, warnings } = judge(group({ ["x".repeat(250)]: [{ "\u202Ey": Number.MAX_VALUE }], osType: "Amiga" }));
    expect(refusalOf(found, warnings).message.length).toBeLessThanOrEqual(300);
  });
});

describe("a name that doesn't read like one", () => {
  const secret = "Zm9v+YmFy/aHVudGVyMg==";

  it.each<[string, JsonObject, JsonObject, string]>([
    ["of a property", { [secret]: 1 }, {}, "properties.?"],
    [
      "of a property that is refused below it",
      { ipAddress: { [secret]: 1, ports: "x" } },
      {},
      "properties.ipAddress.?",
    ],
    ["at the top", {}, { [secret]: 1 }, "?"],
  ])("%s is not shown in a path", (_, properties, top, path) => {
    const { found, warnings } = judge(group(properties, top));
    expect([...warnings, ...found.flatMap(({ errors }) => errors)].map((each) => each.path)).toContain(path);
    expect(JSON.stringify([warnings, refusalOf(found, warnings)])).not.toContain(secret);
  });

  it("is shown where any name may stand: a tag's, a resource's id", () => {
    const id =
      "/subscriptions/<id>/resourceGroups/rg (old)/providers/Microsoft.ManagedIdentity/userAssignedIdentities/a";
    const identity = { type: "UserAssigned", userAssignedIdentities: { [id]: { clientId: "x" } } };
    const { found, warnings } = judge(group({}, { tags: { "a/b": "c" }, identity }));
    const paths = [...warnings, ...found.flatMap(({ errors }) => errors)].map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining(["tags.a/b", `identity.userAssignedIdentities.${id}.clientId`]) as unknown,
    );
  });
});

describe("tags", () => {
  const tags = (count: number): JsonObject =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`Tag${n}`, "x"]));

  it.each([
    ["47 and our three", 47, {}, true],
    ["48 and our three", 48, {}, false],
    ["43, ours, and the four of a source", 43, { source: "f/p/r/a" }, true],
    ["44, ours, and the four of a source", 44, { source: "f/p/r/a" }, false],
    ["46, ours, and one more", 46, { tags: "more=1" }, true],
    ["47, ours, and one more", 47, { tags: "more=1" }, false],
    ["47, ours, and one of them in other letter case", 47, { tags: "TAG1=y" }, true],
  ])("%s", (_, count, query, fine) => {
    expect(errorsOf(judge(group({}, { tags: tags(count) }), query)).map(({ path }) => path)).toEqual(
      fine ? [] : ["tags"],
    );
  });

  it("are counted with our own that the definition has already", () => {
    const exported = { ...tags(47), "AciProxy-Job": "x", "aciproxy-attempt": "1" };
    expect(judge(group({}, { tags: exported })).found).toEqual([]);
  });

  it("that are too many are reported with their position and number", () => {
    expect(errorsOf(judge(group({}, { tags: tags(50) })))).toEqual([
      {
        path: "tags",
        line: 4,
        column: 2,
        message:
          "The group would carry 53 tags, 3 of them from the options and this service, and Azure allows 50; remove 3.",
      },
    ]);
  });

  it("are sent once each, ours over the caller's, whatever the letter case", () => {
    expect(mergeTags({ Team: "a", "ACIPROXY-JOB": "forged", kept: "b" }, { team: "c", "aciproxy-job": "id" })).toEqual({
      kept: "b",
      team: "c",
      "aciproxy-job": "id",
    });
  });
});

describe("a variable of the definition that the service sets itself", () => {
  const container = (...names: string[]) => ({
    name: "app",
    properties: {
      image: "busybox",
      resources: { requests: { cpu: 1, memoryInGB: 1 } },
      environmentVariables: names.map((name) => ({ name, value: "own" })),
    },
  });
  const text = group({
    containers: [container("A", "ACI_PROXY_JOB_ID", "ACI_PROXY_ARRAY_INDEX", "TRACEPARENT")],
    initContainers: [{ ...container("ACI_PROXY_ARRAY_ITEM"), name: "first" }],
  });
  const replaced = (query: JsonObject): readonly string[] =>
    judge(text, query).warnings.flatMap(({ path, message }) => (message.includes("sets this variable") ? [path] : []));
  const at = (index: number) => `properties.containers[0].properties.environmentVariables[${index}]`;

  it("is warned of with env, and in an array", () => {
    expect(replaced({})).toEqual([]);
    expect(replaced({ env: "true" })).toEqual([at(1), at(3)]);
    expect(replaced({ array: "3" })).toEqual([at(2)]);
    const ofItem = "properties.initContainers[0].properties.environmentVariables[0]";
    expect(replaced({ array: ["a"], env: "true" })).toEqual([at(1), at(2), at(3), ofItem]);
  });
});
