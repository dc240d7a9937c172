import { describe, expect, it } from "vitest";
import { ownerOf, tagNames } from "../../../src/shared/aci/arm-group.ts";
import { composeGroup } from "../../../src/shared/aci/group-body.ts";
import { traceparentOf } from "../../../src/shared/base/traceparent.ts";
import { parseDefinition, type ArrayChild, type Definition } from "../../../src/shared/definition/index.ts";
import { installationTag, job, jobId, start, target } from "../../kit/kit.ts";

const read = (text: string): Definition => {
  const parsed = parseDefinition(text, { defaultApiVersion: "2025-09-01" });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults));
  return parsed.definition;
};

const definition = read(`
apiVersion: 2023-05-01
name: bellaciao
Location: northeurope
tags: {team: data, aciproxy-job: forged}
zones: ["1"]
properties:
  brandNew: {kept: [1, 2.50, null]}
  osType: Linux
  containers:
    - name: app
      properties:
        image: example/app:1
        resources: {requests: {cpu: 1, memoryInGB: 1.5}}
        environmentVariables:
          - {name: A, value: "1"}
          - {name: ACI_PROXY_NAME, value: mine}
  initContainers:
    - name: setup
      properties: {image: example/setup:1}
`);
const compose = (changes: Parameters<typeof job>[0] = {}, of = definition, resultUrl?: string) =>
  composeGroup(of, job(changes), target, installationTag, { resultUrl });

describe("what ACI gets", () => {
  it("is everything under properties as written, whether we know it or not", () => {
    expect(compose().properties).toEqual(definition.body.properties);
    expect(Object.keys(compose().properties ?? {})).toEqual(["brandNew", "osType", "containers", "initContainers"]);
  });

  it("is of the top level what ARM has there, without name, type and apiVersion", () => {
    expect(Object.keys(compose()).sort()).toEqual(["location", "properties", "tags", "zones"]);
  });

  it("has our tags beside the caller's, who can't forge ours", () => {
    expect(compose().tags).toEqual({
      team: "data",
      [tagNames.job]: job().id,
      [tagNames.attempt]: "1",
      [tagNames.installation]: installationTag.valueFor({ ...target, name: "bellaciao" }),
    });
  });

  it.each([
    "AciProxy-Job",
    "ACIPROXY-INSTALLATION",
    "aciproxy-inſtallation",
    "aciproxy-attempt ",
    "ａciproxy-job",
    "Aciproxy-Pipeline",
    "aciproxy-run",
  ])("has no tag that looks like ours: %s", (name) => {
    const forged = read(
      JSON.stringify({ ...definition.body, name: "bellaciao", tags: { team: "data", [name]: "forged" } }),
    );
    const tags = compose({}, forged).tags;
    expect(JSON.stringify(tags)).not.toContain("forged");
    expect(Object.keys(tags ?? {}).sort()).toEqual([...Object.values(tagNames), "team"].sort());
    expect(
      ownerOf(
        { tags: tags as Record<string, string> },
        { tag: installationTag, place: { ...target, name: "bellaciao" } },
      ),
    ).toEqual({
      kind: "ours",
      jobId: job().id,
      attempt: 1,
      isBound: true,
    });
  });

  it("has no label of the job's that looks like one of our tags", () => {
    expect(JSON.stringify(compose({ options: { tags: { "ａciproxy-job": "forged" } } }).tags)).not.toContain("forged");
  });

  it("has a label of the job's in place of the definition's tag of that name, in whatever letter case", () => {
    const tags = compose({ options: { tags: { Team: "ops" } } }).tags;
    expect(tags).toMatchObject({ Team: "ops" });
    expect(tags).not.toHaveProperty("team");
  });

  it("has the job's tags and source, for Azure's cost reports", () => {
    const source = { factory: "f", pipeline: "p", pipelineRunId: "r", activity: "a" };
    expect(compose({ attempt: 2, options: { tags: { cost: "42" }, source } }).tags).toMatchObject({
      team: "data",
      cost: "42",
      "aciproxy-factory": "f",
      "aciproxy-pipeline": "p",
      "aciproxy-run": "r",
      "aciproxy-activity": "a",
      [tagNames.attempt]: "2",
    });
  });

  it("keeps a location that was written, in whatever letter case its name is", () => {
    expect(compose()).toMatchObject({ location: "northeurope" });
  });

  it("gets a missing location", () => {
    const without = read(
      "name: a\nproperties: {containers: [{name: a, properties: {image: x, resources: {requests: {cpu: 1, memoryInGB: 1}}}}], osType: Linux, restartPolicy: Never}",
    );
    expect(compose({}, without)["location"]).toBe("westeurope");
  });

  it("does not change the definition that it was made of", () => {
    const before = JSON.stringify(definition.body);
    compose({ options: { env: true, tags: { a: "b" } } });
    expect(JSON.stringify(definition.body)).toBe(before);
  });
});

describe("env=true", () => {
  it("gives every container, init containers too, the job's id, name, attempt, deadline and trace, and overrules the caller's", () => {
    const { properties } = compose({ options: { env: true } });
    const expected = [
      { name: "ACI_PROXY_JOB_ID", value: job().id },
      { name: "ACI_PROXY_NAME", value: "bellaciao" },
      { name: "ACI_PROXY_ATTEMPT", value: "1" },
      { name: "ACI_PROXY_DEADLINE", value: "2026-12-01T08:00:00.000Z" },
      { name: "TRACEPARENT", value: traceparentOf(job().id) },
    ];
    expect(properties).toMatchObject({
      containers: [{ properties: { environmentVariables: [{ name: "A", value: "1" }, ...expected] } }],
      initContainers: [{ properties: { environmentVariables: expected } }],
    });
  });

  it("gives the caller's own trace, and the result address as a secret", () => {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const body = compose({ options: { env: true }, traceparent }, definition, "https://proxy/api/result/token");
    const text = JSON.stringify(body);
    expect(text).toContain(JSON.stringify({ name: "TRACEPARENT", value: traceparent }));
    expect(text).toContain('{"name":"ACI_PROXY_RESULT_URL","secureValue":"https://proxy/api/result/token"}');
  });

  it("without it nothing is added", () => {
    expect(JSON.stringify(compose())).not.toContain("ACI_PROXY_JOB_ID");
  });
});

describe("a child of an array", () => {
  const composed = (item: ArrayChild["item"], isSecret = false, env = false): string =>
    JSON.stringify(
      composeGroup(definition, job({ options: { env } }), target, installationTag, {
        children: [{ index: 7, size: 300, item, isSecret }],
      }).properties,
    );

  it("has its index, the array's size and its item in every container, whatever the option env says", () => {
    const { properties } = composeGroup(definition, job(), target, installationTag, {
      children: [{ index: 7, size: 300, item: "a b", isSecret: false }],
    });
    const expected = [
      { name: "ACI_PROXY_ARRAY_INDEX", value: "7" },
      { name: "ACI_PROXY_ARRAY_SIZE", value: "300" },
      { name: "ACI_PROXY_ARRAY_ITEM", value: "a b" },
    ];
    expect(properties).toMatchObject({
      containers: [
        {
          properties: { environmentVariables: [{ name: "A" }, { name: "ACI_PROXY_NAME", value: "mine" }, ...expected] },
        },
      ],
      initContainers: [{ properties: { environmentVariables: expected } }],
    });
    expect(composed("a", false, true)).toContain("ACI_PROXY_JOB_ID");
  });

  it("has in a pack its own in its own container", () => {
    const container = (name: string) => ({ name, properties: { image: "a" } });
    const body = { properties: { containers: [container("app-7"), container("app-9")] } };
    const pack = job({ child: { array: jobId(), arrayAt: start, index: 3, size: 300, items: [7, 9] } });
    const children = [7, 9].map((index) => ({ index, size: 300, item: `item ${index}`, isSecret: false }));
    const { properties } = composeGroup({ ...definition, body }, pack, target, installationTag, { children });
    const ofItem = (index: number): object => ({
      properties: {
        environmentVariables: [
          { name: "ACI_PROXY_ARRAY_INDEX", value: String(index) },
          { name: "ACI_PROXY_ARRAY_SIZE", value: "300" },
          { name: "ACI_PROXY_ARRAY_ITEM", value: `item ${index}` },
        ],
      },
    });
    expect(properties).toMatchObject({ containers: [ofItem(7), ofItem(9)] });
  });

  it("has an object as compact JSON, and nothing where the array is a number", () => {
    expect(composed({ file: "a", n: 1 })).toContain(JSON.stringify('{"file":"a","n":1}'));
    expect(composed(undefined)).not.toContain("ACI_PROXY_ARRAY_ITEM");
  });

  it("has its item as a secret where a part of it is one, and no item that no program could be given", () => {
    expect(composed("x", true)).toContain('{"name":"ACI_PROXY_ARRAY_ITEM","secureValue":"x"}');
    expect(composed("x".repeat(32_001))).not.toContain("ACI_PROXY_ARRAY_ITEM");
  });
});
